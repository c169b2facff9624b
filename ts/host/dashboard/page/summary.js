/** The whole host in one row. */
import { byId, el, setAttribute, setText } from './element.js'
import { age, count, memory, percent, rate } from './format.js'
import { model, needsALook, now } from './model.js'

/** @type {Map<string, { value: HTMLElement, note: HTMLElement, box: HTMLElement }>} */
const figures = new Map()

for (const name of [
  'Apps',
  'Need a look',
  'Memory',
  'CPU',
  'Messages',
  'Sales',
  'Restarts',
  'Broker',
  'Supervisor',
]) {
  const value = el('span', { class: 'value' })
  const note = el('span', { class: 'note' })
  const box = el('div', {}, el('dt', {}, name), el('dd', {}, value, note))
  figures.set(name, { value, note, box })
  byId('summary').append(box)
}

/** Shows the latest status. */
export function showSummary() {
  const { status } = model
  const { apps, broker } = status
  const sum = (/** @type {(app: any) => number | null | undefined} */ value) =>
    apps.reduce(
      (/** @type {number} */ total, /** @type {any} */ app) => total + (value(app) ?? 0),
      0,
    )
  const ready = sum((app) => (app.state === 'ready' ? 1 : 0))
  const looked = apps.filter(needsALook).map((/** @type {any} */ { uuid }) => uuid)
  const off = sum((app) => (app.state === 'idle' || app.state === 'stopped' ? 1 : 0))
  show('Apps', `${ready} / ${apps.length}`, off > 0 ? `ready, ${off} at rest` : 'ready')
  const who = looked.length === 0 ? 'all is well' : looked.join(', ')
  show('Need a look', String(looked.length), who, looked.length > 0 ? 'bad' : '')
  show('Memory', memory(sum((app) => app.sample?.memory)), 'of all apps')
  show('CPU', percent(sum((app) => app.sample?.cpu)), 'of one core')
  show('Messages', rate(sum((app) => model.rates.get(app.uuid)?.messages)), 'a second')
  const terminals = sum((app) => (app.health?.terminal ? 1 : 0))
  const open = sum((app) => app.health?.terminal?.openSales)
  show('Sales', rate(sum((app) => model.rates.get(app.uuid)?.sales)), `a second, ${open} open`)
  const { box } = figures.get('Sales') ?? {}
  if (box !== undefined) box.hidden = terminals === 0
  show(
    'Restarts',
    count(sum((app) => app.restarts)),
    `${count(sum((app) => app.recycles))} recycled`,
  )
  const brokerIsWell = broker.state === 'ready'
  show(
    'Broker',
    broker.state,
    broker.frames === 1 ? '1 frame' : `${count(broker.frames)} frames`,
    brokerIsWell ? '' : 'warn',
  )
  const isSecond = status.epoch > 1 ? `, ${status.adopted} adopted` : ''
  show('Supervisor', age(status.startedAt, now()), `number ${status.epoch}${isSecond}`)
}

/** @param {string} name @param {string} value @param {string} note @param {string} [tone] */
function show(name, value, note, tone = '') {
  const figure = figures.get(name)
  if (figure === undefined) return
  setText(figure.value, value)
  setText(figure.note, note)
  setAttribute(figure.box, 'class', tone === '' ? 'figure' : `figure tone-${tone}`)
}
