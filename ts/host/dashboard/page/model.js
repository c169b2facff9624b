/** What the page knows: the latest status, rates worked out from two of them, the last minute of each app, events. */

/**
 * @typedef {object} Rates
 * @property {number | null} messages - handled a second
 * @property {number | null} sales - completed a second
 */

const sparkCount = 60
const eventsMax = 500
/** Seconds over which a rate is told: one alone jumps. */
const rateWindowMs = 4500

/** @typedef {{ memory: (number | null)[], cpu: (number | null)[] }} Spark */
/** @typedef {{ at: number, instance: string | null, messages: number, sales: number }} Mark */

export const model = {
  /** @type {any} */
  status: null,
  /** @type {any[]} */
  events: [],
  /** @type {Map<string, Spark>} */
  sparks: new Map(),
  /** @type {Map<string, Rates>} */
  rates: new Map(),
  /** @type {string | null} */
  selected: null,
  /** Milliseconds that the host's clock is ahead of this one's. */
  clockAhead: 0,
  /** @type {Map<string, Mark[]>} */
  marks: new Map(),
}

/** The host's time. */
export function now() {
  return Date.now() + model.clockAhead
}

/** @param {any} hello */
export function takeHello(hello) {
  model.events = hello.events
  model.sparks = new Map(Object.entries(hello.sparks))
}

/** @param {any} status */
export function takeStatus(status) {
  model.status = status
  for (const app of status.apps) {
    const spark = model.sparks.get(app.uuid) ?? { memory: [], cpu: [] }
    model.sparks.set(app.uuid, spark)
    push(spark.memory, app.sample?.memory ?? null)
    push(spark.cpu, app.sample?.cpu ?? null)
    model.rates.set(app.uuid, ratesOf(app))
  }
}

/** @param {any} event */
export function takeEvent(event) {
  if (event.seq <= (model.events.at(-1)?.seq ?? -1)) return false
  model.events.push(event)
  if (model.events.length > eventsMax) model.events.shift()
  return true
}

/** @param {string | null} uuid */
export function appOf(uuid) {
  return model.status?.apps.find((/** @type {any} */ app) => app.uuid === uuid)
}

/** Why somebody should look at an app; empty when it is well. @param {any} app */
export function troubleOf(app) {
  if (['quarantined', 'backoff', 'degraded'].includes(app.state)) return app.why || app.state
  if (app.health?.terminal?.journal === 'failed') return 'its journal has failed'
  if (share(app.sample?.memory, app.limits.memory) > 0.9) return 'its memory is near its limit'
  return ''
}

/** @param {any} app */
export function needsALook(app) {
  return troubleOf(app) !== ''
}

/**
 * A part of a limit, 0 where there is none.
 *
 * @param {number | null | undefined} used
 * @param {number | null} limit
 */
export function share(used, limit) {
  return limit === null || used === null || used === undefined ? 0 : used / limit
}

/** @param {(number | null)[]} values @param {number | null} value */
function push(values, value) {
  values.push(value)
  if (values.length > sparkCount) values.shift()
}

/** @param {any} app @returns {Rates} */
function ratesOf({ uuid, instance, health }) {
  let marks = model.marks.get(uuid) ?? []
  // Another run counts from 0 again.
  if (marks.at(-1)?.instance !== instance) marks = []
  model.marks.set(uuid, marks)
  if (health === null) return { messages: null, sales: null }
  const { at, messages, terminal } = health
  const sales = terminal?.sales ?? 0
  if (at !== marks.at(-1)?.at) marks.push({ at, instance, messages, sales })
  while (marks.length > 2 && at - (marks[1]?.at ?? at) >= rateWindowMs) marks.shift()
  const [from] = marks
  const seconds = from === undefined ? 0 : (at - from.at) / 1000
  if (from === undefined || seconds <= 0) return { messages: null, sales: null }
  return {
    messages: Math.max(0, (messages - from.messages) / seconds),
    sales: terminal === null ? null : Math.max(0, (sales - from.sales) / seconds),
  }
}
