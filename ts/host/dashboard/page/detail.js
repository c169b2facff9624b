/** One app: state and why, buttons, figures, charts, crash reports. */
import { actionButtons } from './actions.js'
import { Charts } from './charts.js'
import { byId, el, setText } from './element.js'
import { age, count, dateTime, delay, memory, percentOf } from './format.js'
import { appOf, now } from './model.js'
import { reportList, reportsOf } from './reports.js'
import { ask } from './session.js'
import { showState } from './shape.js'

/** @type {ReturnType<typeof build> | undefined} */
let shown
/** Which crash reports were listed: they are asked for again when there may be others. */
let reportsKey = ''

/** Opens an app, or nothing. @param {string | null} uuid */
export function openDetail(uuid) {
  shown?.charts?.close()
  shown = undefined
  reportsKey = ''
  const app = appOf(uuid)
  byId('detail').hidden = app === undefined
  byId('main').classList.toggle('with-detail', app !== undefined)
  if (uuid === null || app === undefined) return
  shown = build(uuid)
  byId('detail').replaceChildren(...shown.elements)
  byId('detail').scrollTop = 0
  showDetail()
}

/** Shows the latest status. */
export function showDetail() {
  const app = appOf(shown?.uuid ?? null)
  if (shown === undefined || app === undefined) return
  showState(shown.state, app.state)
  setText(shown.name, app.name === app.uuid ? '' : app.name)
  setText(shown.why, app.why)
  shown.why.hidden = app.why === ''
  shown.buttons.update(app)
  for (const [label, value] of Object.entries(factsOf(app))) setText(shown.facts(label), value)
  if (shown.charts !== undefined) shown.charts.add(app)
  else if (!shown.isDrawing || (shown.isEmpty && app.sample !== null)) void drawCharts(shown)
  const key = `${app.restarts} ${app.lastEnd?.instance ?? ''}`
  if (key !== reportsKey) {
    reportsKey = key
    void listReports(shown)
  }
}

/** Draws the charts anew, in other colours. */
export function repaintDetail() {
  shown?.charts?.paint()
}

/** @param {string} uuid */
function build(uuid) {
  const state = el('p', { class: 'state' })
  const name = el('p', { class: 'title' })
  const why = el('p', { class: 'why' })
  const buttons = actionButtons(uuid)
  const list = el('dl', { class: 'facts' })
  /** @type {Map<string, HTMLElement>} */
  const values = new Map()
  const facts = (/** @type {string} */ label) => {
    let value = values.get(label)
    if (value === undefined) {
      value = el('dd', {})
      values.set(label, value)
      list.append(el('div', {}, el('dt', {}, label), value))
    }
    return value
  }
  const close = el('button', { type: 'button', class: 'back' }, 'Back to the list')
  close.addEventListener('click', () => byId('detail').dispatchEvent(new Event('leave')))
  const place = el('div', { class: 'quiet' })
  const reports = el('div', { class: 'report-list' })
  const heading = el('h2', { id: 'detail-title', tabindex: '-1' }, uuid)
  return {
    uuid,
    state,
    name,
    why,
    buttons,
    facts,
    place,
    reports,
    /** @type {Charts | undefined} */
    charts: undefined,
    isDrawing: false,
    isEmpty: false,
    elements: [
      close,
      el('div', { class: 'detail-head' }, heading, state),
      name,
      why,
      buttons.element,
      buttons.result,
      place,
      list,
      el('h3', {}, 'Crash reports'),
      reports,
    ],
  }
}

/** @param {ReturnType<typeof build>} detail */
async function drawCharts(detail) {
  detail.isDrawing = true
  detail.isEmpty = false
  const nothing = { columns: [], coarse: [] }
  const history = await ask(`/api/apps/${encodeURIComponent(detail.uuid)}/history`).catch(
    () => nothing,
  )
  const app = appOf(detail.uuid)
  if (shown !== detail || app === undefined) return
  if (app.sample === null && (history.coarse[0] ?? []).length === 0) {
    setText(detail.place, 'Nothing was measured: it did not run long enough.')
    detail.isEmpty = true
    detail.isDrawing = true
    return
  }
  const charts = new Charts(history, app)
  detail.charts = charts
  detail.place.replaceChildren(charts.element)
  detail.place.className = ''
  charts.paint()
  charts.add(app)
}

/** @param {ReturnType<typeof build>} detail */
async function listReports(detail) {
  const reports = await reportsOf(detail.uuid).catch(() => [])
  if (shown === detail) detail.reports.replaceChildren(reportList(reports))
}

/** @param {any} app @returns {Record<string, string>} */
function factsOf(app) {
  const { sample, health, lastEnd, rings, limits } = app
  const terminal = health?.terminal
  return {
    'Up since': app.pid === null || app.startedAt === null ? '–' : dateTime(app.startedAt),
    Process: app.pid === null ? '–' : `${app.pid}, run ${app.generation}`,
    Kind: `${app.kind}, ${app.launcher}`,
    'Last end': lastEnd === null ? 'never' : `${lastEnd.reason}, ${age(lastEnd.at, now())} ago`,
    'Next try': app.retryAt === null ? '–' : dateTime(app.retryAt),
    Restarts: `${count(app.restarts)}, ${count(app.recycles)} recycled`,
    'Warm spares': String(app.spares),
    'Memory held by': limits.memory === null ? 'no limit' : rings.memory,
    'Soft limit': memory(limits.softMemory),
    'CPU held by': limits.cpu === null ? 'no limit' : rings.cpu,
    Resident: memory(sample?.rss),
    'CPU now': percentOf(sample?.cpu, limits.cpu),
    Heap: memory(health?.heapUsed),
    'Loop p50': delay(health?.loopP50),
    Files: sample === null ? '–' : `${count(sample.files)}, ${sample.processes} processes`,
    ...(terminal && {
      Sales: `${count(terminal.sales)}, ${terminal.openSales} open`,
      Journal: terminal.journal === 'ok' ? 'in order' : 'failed',
    }),
  }
}
