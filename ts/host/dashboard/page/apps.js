/** The list of apps: a row each, made once and then only changed where something changed. */
import { byId, el, setAttribute, setText } from './element.js'
import { age, count, delay, memoryOf, percentOf, rate } from './format.js'
import { model, needsALook, now, share, troubleOf } from './model.js'
import { lookOf, showState } from './shape.js'
import { drawSpark, sparkCanvas } from './spark.js'

/** Milliseconds between two changes of an order that follows numbers: rows that jump cannot be read. */
const orderMs = 3000

/** @typedef {ReturnType<typeof makeRow>} Row */
/** @type {Map<string, Row>} */
const rows = new Map()
/** @type {string[]} */
let shown = []
let orderedAt = 0
/** @type {(uuid: string) => void} */
let choose = () => {}

/** @param {(uuid: string) => void} onChoose */
export function prepareApps(onChoose) {
  choose = onChoose
  for (const id of ['find', 'which', 'order']) {
    byId(id).addEventListener('input', () => {
      orderedAt = 0
      showApps()
    })
  }
  byId('app-rows').addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e6, End: 1e6 }
    const step = steps[/** @type {keyof typeof steps} */ (event.key)]
    const place = shown.findIndex((uuid) => rows.get(uuid)?.name === document.activeElement)
    if (step === undefined || place === -1) return
    event.preventDefault()
    const next = Math.min(shown.length - 1, Math.max(0, place + step))
    focusApp(shown[next] ?? '')
  })
}

/** Puts the focus on an app of the list. @param {string} uuid */
export function focusApp(uuid) {
  const row = rows.get(uuid)
  if (row === undefined) return
  makeReachable(uuid)
  row.name.focus()
  row.line.scrollIntoView({ block: 'nearest' })
}

/** Shows the latest status. */
export function showApps() {
  const { status } = model
  if (status === null) return
  const style = getComputedStyle(document.documentElement)
  const colours = {
    memory: style.getPropertyValue('--line-memory'),
    cpu: style.getPropertyValue('--line-cpu'),
  }
  for (const app of status.apps) {
    const row = rows.get(app.uuid) ?? makeRow(app.uuid)
    rows.set(app.uuid, row)
    fill(row, app, colours)
  }
  arrange(status.apps)
}

/** @param {any[]} apps */
function arrange(apps) {
  const order = byId('order').value
  const isByNumber = order === 'memory' || order === 'cpu'
  if (isByNumber && Date.now() - orderedAt < orderMs) return
  orderedAt = Date.now()
  const wanted = byId('find').value.trim().toLowerCase()
  const which = byId('which').value
  const found = apps.filter(
    (app) =>
      (which === 'all' || (which === 'terminal' ? app.kind === 'terminal' : needsALook(app))) &&
      `${app.uuid} ${app.name}`.toLowerCase().includes(wanted),
  )
  const uuids = sorted(found, order).map(({ uuid }) => uuid)
  byId('apps-empty').hidden = uuids.length > 0
  if (uuids.join() === shown.join()) return
  shown = uuids
  const focused = document.activeElement
  const body = byId('app-rows')
  const lines = uuids.map((uuid) => /** @type {Row} */ (rows.get(uuid)).line)
  body.replaceChildren(...lines)
  if (focused instanceof HTMLElement && body.contains(focused))
    focused.focus({ preventScroll: true })
  const reachable = uuids.find((uuid) => rows.get(uuid)?.name.tabIndex === 0)
  if (reachable === undefined && uuids[0] !== undefined) makeReachable(uuids[0])
}

/** @param {any[]} apps @param {string} order */
function sorted(apps, order) {
  /** @type {Record<string, (app: any) => number>} */
  const numbers = {
    attention: (app) => (needsALook(app) ? 0 : 10) + lookOf(app.state).rank,
    uuid: () => 0,
    memory: (app) => -(app.sample?.memory ?? -1),
    cpu: (app) => -(app.sample?.cpu ?? -1),
    restarts: (app) => -app.restarts,
  }
  const number = numbers[order] ?? (() => 0)
  const byName = new Intl.Collator('en', { numeric: true })
  return [...apps].sort((a, b) => number(a) - number(b) || byName.compare(a.uuid, b.uuid))
}

/** One name of the list is in the order of the Tab key; the arrows move among the others. @param {string} uuid */
function makeReachable(uuid) {
  for (const [other, { name }] of rows) name.tabIndex = other === uuid ? 0 : -1
}

/** @param {string} uuid */
function makeRow(uuid) {
  const state = el('span', { class: 'state' })
  const name = el('button', { type: 'button', class: 'name', tabindex: '-1' }, uuid)
  const title = el('span', { class: 'title' })
  const why = el('span', { class: 'why' })
  const memory = meterCell('Memory')
  const cpu = meterCell('CPU')
  // There is room for one bar in a row: of memory, whose limit ends an app; of CPU, the limit only slows it.
  cpu.meter.remove()
  const loop = el('td', { role: 'cell', class: 'number loop', 'data-label': 'Loop p99' })
  const messages = el('td', { role: 'cell', class: 'number', 'data-label': 'Msg/s' })
  const restarts = el('td', { role: 'cell', class: 'number', 'data-label': 'Restarts' })
  const up = el('td', { role: 'cell', class: 'number', 'data-label': 'Up' })
  const line = el(
    'tr',
    { role: 'row', 'data-uuid': uuid },
    el('td', { role: 'cell', class: 'cell-state' }, state),
    el('th', { role: 'rowheader', scope: 'row', class: 'cell-name' }, name, title, why),
    memory.cell,
    cpu.cell,
    loop,
    messages,
    restarts,
    up,
  )
  // The whole row can be clicked; who uses keys or a screen reader has the name as a button.
  line.addEventListener('click', () => {
    makeReachable(uuid)
    choose(uuid)
  })
  return { line, state, name, title, why, memory, cpu, loop, messages, restarts, up }
}

/** @param {string} label */
function meterCell(label) {
  const text = el('span', { class: 'amount' })
  const fillOf = el('span', { class: 'fill' })
  const meter = el('span', { class: 'meter', 'aria-hidden': 'true' }, fillOf)
  const canvas = sparkCanvas()
  const cell = el(
    'td',
    { role: 'cell', class: 'number metered', 'data-label': label },
    text,
    meter,
    canvas,
  )
  return { cell, text, meter, fill: fillOf, canvas }
}

/** @param {Row} row @param {any} app @param {{ memory: string, cpu: string }} colours */
function fill(row, app, colours) {
  const { sample, limits, health } = app
  const rates = model.rates.get(app.uuid)
  const spark = model.sparks.get(app.uuid)
  showState(row.state, app.state)
  setAttribute(row.line, 'aria-selected', String(model.selected === app.uuid))
  setAttribute(row.name, 'aria-current', String(model.selected === app.uuid))
  setText(row.title, app.name === app.uuid ? '' : app.name)
  setText(row.why, troubleOf(app) || (app.state === 'ready' ? '' : app.why))
  measure(
    row.memory,
    memoryOf(sample?.memory, limits.memory),
    share(sample?.memory, limits.memory),
    limits.memory,
  )
  measure(row.cpu, percentOf(sample?.cpu, limits.cpu), share(sample?.cpu, limits.cpu), limits.cpu)
  drawSpark(row.memory.canvas, spark?.memory ?? [], colours.memory)
  drawSpark(row.cpu.canvas, spark?.cpu ?? [], colours.cpu)
  setText(row.loop, delay(health?.loopP99))
  setText(row.messages, rate(rates?.messages))
  setText(row.restarts, count(app.restarts))
  setAttribute(row.restarts, 'class', app.restarts > 0 ? 'number some' : 'number')
  setText(row.up, age(app.pid === null ? null : app.startedAt, now()))
}

/**
 * @param {ReturnType<typeof meterCell>} place
 * @param {string} text
 * @param {number} part
 * @param {number | null} limit
 */
function measure(place, text, part, limit) {
  setText(place.text, text)
  place.meter.hidden = limit === null || text === '–'
  place.fill.style.inlineSize = `${Math.min(100, part * 100).toFixed(1)}%`
  const level = part >= 0.9 ? 'meter high' : part >= 0.75 ? 'meter near' : 'meter'
  setAttribute(place.meter, 'class', level)
}
