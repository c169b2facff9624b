/** Crash reports: a list for each app, and a dialog to read one in. */
import { byId, el } from './element.js'
import { dateTime } from './format.js'
import { ask } from './session.js'

/** The reports of an app, latest first. @param {string} uuid */
export async function reportsOf(uuid) {
  const all = await ask('/api/reports')
  return all.filter((/** @type {any} */ { instance }) => instance.startsWith(`${uuid}.`))
}

/** A list of them. @param {any[]} reports */
export function reportList(reports) {
  if (reports.length === 0) return el('p', { class: 'quiet' }, 'None: no run of it has failed.')
  const items = reports.slice(0, 20).map(({ instance, at, reason }) => {
    const open = () => void showReport(instance)
    const button = el('button', { type: 'button', class: 'who', click: open }, instance)
    const why = reason === undefined ? '' : el('span', { class: 'reason' }, reason)
    return el('li', {}, button, why, el('time', {}, dateTime(at)))
  })
  return el('ul', { class: 'reports' }, ...items)
}

/** @param {string} instance */
async function showReport(instance) {
  const dialog = byId('dialog')
  const close = el('button', { type: 'button', autofocus: true }, 'Close')
  close.addEventListener('click', () => dialog.close())
  const body = el('div', { class: 'report' }, el('p', {}, 'Reading …'))
  dialog.replaceChildren(
    el(
      'div',
      { class: 'panel-head' },
      el('h2', { id: 'dialog-title' }, `Crash report of ${instance}`),
      close,
    ),
    body,
  )
  dialog.className = 'wide'
  dialog.showModal()
  try {
    const { parts } = await ask(`/api/reports/${encodeURIComponent(instance)}`)
    body.replaceChildren(
      ...parts.flatMap((/** @type {any} */ { name, text }) => [
        el('h3', {}, name),
        el('pre', { tabindex: '0' }, pretty(text)),
      ]),
    )
  } catch (error) {
    body.replaceChildren(el('p', { class: 'tone-bad' }, String(error)))
  }
}

/** JSON is shown with its structure, all else as it is. @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
