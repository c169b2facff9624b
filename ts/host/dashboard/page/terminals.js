/** The terminals: what they sell and whether their journals are in order. */
import { byId, el, setAttribute, setText } from './element.js'
import { count, rate } from './format.js'
import { model } from './model.js'
import { eventShape } from './shape.js'

/** @type {Map<string, ReturnType<typeof makeRow>>} */
const rows = new Map()
let shown = ''

/** @param {(uuid: string) => void} choose */
export function prepareTerminals(choose) {
  byId('terminal-rows').addEventListener('click', (/** @type {MouseEvent} */ event) => {
    const line = event.target instanceof Element ? event.target.closest('tr') : null
    if (line?.dataset.uuid !== undefined) choose(line.dataset.uuid)
  })
}

/** Shows the latest status. */
export function showTerminals() {
  const apps = model.status.apps.filter((/** @type {any} */ app) => app.kind === 'terminal')
  byId('terminals').hidden = apps.length === 0
  byId('main').classList.toggle('with-terminals', apps.length > 0)
  for (const app of apps) {
    const row = rows.get(app.uuid) ?? makeRow(app.uuid)
    rows.set(app.uuid, row)
    fill(row, app)
  }
  const failed = (/** @type {any} */ app) => (app.health?.terminal?.journal === 'failed' ? 0 : 1)
  apps.sort((/** @type {any} */ a, /** @type {any} */ b) => failed(a) - failed(b))
  const order = apps.map((/** @type {any} */ { uuid }) => uuid)
  if (order.join() === shown) return
  shown = order.join()
  byId('terminal-rows').replaceChildren(
    ...order.map((/** @type {string} */ uuid) => rows.get(uuid)?.line ?? ''),
  )
}

/** @param {string} uuid */
function makeRow(uuid) {
  const name = el('button', { type: 'button', class: 'name' }, uuid)
  const speed = el('td', { role: 'cell', class: 'number', 'data-label': 'Sales/s' })
  const sales = el('td', { role: 'cell', class: 'number', 'data-label': 'Sales' })
  const open = el('td', { role: 'cell', class: 'number', 'data-label': 'Open' })
  const journal = el('span', { class: 'state' })
  const line = el(
    'tr',
    { role: 'row', 'data-uuid': uuid },
    el('th', { role: 'rowheader', scope: 'row', class: 'cell-name' }, name),
    speed,
    sales,
    open,
    el('td', { role: 'cell', 'data-label': 'Journal' }, journal),
  )
  return { line, name, speed, sales, open, journal }
}

/** @param {ReturnType<typeof makeRow>} row @param {any} app */
function fill(row, app) {
  const terminal = app.health?.terminal ?? null
  setText(row.name, terminal?.id ?? app.uuid)
  setText(row.speed, rate(model.rates.get(app.uuid)?.sales))
  setText(row.sales, count(terminal?.sales))
  setText(row.open, count(terminal?.openSales))
  const journal = terminal === null ? 'not open' : terminal.journal === 'ok' ? 'in order' : 'failed'
  if (row.journal.dataset.journal === journal) return
  row.journal.dataset.journal = journal
  const tone = { 'in order': 'ok', failed: 'bad', 'not open': 'off' }[journal] ?? 'off'
  const shape = { ok: 'ready', bad: 'lost', off: '' }[tone] ?? ''
  setAttribute(row.journal, 'class', `state tone-${tone}`)
  row.journal.replaceChildren(eventShape(shape), el('span', {}, journal))
}
