/** The four charts of an app over ten minutes. Their cursors move together. */

import { el, setText } from './element.js'
import { count, delay, memory, memoryMark, percent } from './format.js'
import uPlot from './uplot.js'

const spanSeconds = 600
const samplesMax = 600
const heightPixels = 92
const mebibyte = 1024 * 1024
/** Steps of the axis of memory: people count it in powers of 2. */
const memorySteps = Array.from({ length: 16 }, (_, power) => 2 ** power * mebibyte)

/** @typedef {{ title: string, column: string, colour: string, format: (value: any) => string, mark: (value: any) => string, steps?: number[], limit: (app: any) => number | null, floor: number }} Kind */

/** @type {readonly Kind[]} */
const kinds = [
  {
    title: 'Memory',
    column: 'memory',
    colour: '--line-memory',
    format: memory,
    mark: memoryMark,
    steps: memorySteps,
    limit: (app) => app.limits.memory,
    floor: 32 * 1024 * 1024,
  },
  {
    title: 'CPU',
    column: 'cpu',
    colour: '--line-cpu',
    format: percent,
    mark: (value) => `${value} %`,
    limit: (app) => app.limits.cpu,
    floor: 10,
  },
  {
    title: 'Loop delay, p99',
    column: 'loopP99',
    colour: '--line-loop',
    format: delay,
    mark: (value) => `${value} ms`,
    limit: () => null,
    floor: 20,
  },
  {
    title: 'Messages a second',
    column: 'rate',
    colour: '--line-messages',
    format: (value) => (value === null ? '–' : count(Math.round(value))),
    mark: count,
    limit: () => null,
    floor: 10,
  },
]

/** The charts of one app. */
export class Charts {
  /** @type {HTMLElement} */
  element = el('div', { class: 'charts' })
  /** @type {{ kind: Kind, plot: any, value: HTMLElement, box: HTMLElement, data: (number | null)[][] }[]} */
  #charts = []
  /** @type {{ at: number, messages: number | null } | null} */
  #before = null
  #resize = new ResizeObserver(() => this.#fit())

  /** @param {any} history @param {any} app */
  constructor(history, app) {
    const columns = columnsOf(history)
    for (const kind of kinds) {
      const value = el('span', { class: 'chart-value' })
      const place = el('div', { class: 'plot', role: 'img' })
      const box = el('figure', {}, el('figcaption', {}, el('span', {}, kind.title), value), place)
      this.element.append(box)
      const times = columns.times
      const values = columns[kind.column] ?? times.map(() => null)
      const data = [[...times], [...values], times.map(() => kind.limit(app))]
      this.#charts.push({ kind, plot: undefined, value, box: place, data })
    }
    const last = columns.times.length - 1
    const lastAt = columns.times[last]
    if (lastAt !== undefined) {
      this.#before = { at: lastAt, messages: columns.messages?.[last] ?? null }
    }
    this.#resize.observe(this.element)
  }

  /** Draws them anew, in the colours of now. */
  paint() {
    for (const chart of this.#charts) {
      chart.plot?.destroy()
      chart.plot = new uPlot(
        optionsOf(chart.kind, this.#width()),
        /** @type {any} */ (chart.data),
        chart.box,
      )
    }
  }

  /** Adds the latest sample. @param {any} app */
  add(app) {
    const { sample, health } = app
    if (sample === null) return
    const at = sample.at / 1000
    if (at - (this.#before?.at ?? 0) < 0.5) return
    const messages = health?.messages ?? null
    const values = {
      memory: sample.memory,
      cpu: sample.cpu,
      loopP99: health?.loopP99 ?? null,
      rate: rateOf(this.#before, { at, messages }),
    }
    this.#before = { at, messages }
    for (const { kind, plot, data, value, box } of this.#charts) {
      const latest = values[/** @type {keyof typeof values} */ (kind.column)]
      const limit = kind.limit(app)
      data[0]?.push(at)
      data[1]?.push(latest)
      data[2]?.push(limit)
      if ((data[0]?.length ?? 0) > samplesMax) for (const column of data) column.shift()
      plot?.setData(data)
      const most = data[1]?.reduce((a, b) => (b !== null && (a === null || b > a) ? b : a), null)
      const ofLimit = limit === null ? '' : ` · limit ${kind.format(limit)}`
      const text = `${kind.format(latest)} · most ${kind.format(most ?? null)}${ofLimit}`
      setText(value, text)
      box.setAttribute('aria-label', `${kind.title} over ten minutes: now ${text}`)
    }
  }

  /** Lets go of everything. */
  close() {
    this.#resize.disconnect()
    for (const { plot } of this.#charts) plot?.destroy()
  }

  #width() {
    const first = this.element.firstElementChild
    return Math.max(120, Math.floor(first?.clientWidth ?? 300))
  }

  #fit() {
    const width = this.#width()
    for (const { plot } of this.#charts) {
      if (plot !== undefined && plot.width !== width) plot.setSize({ width, height: heightPixels })
    }
  }
}

/** @param {any} history @returns {Record<string, (number | null)[]> & { times: number[] }} */
function columnsOf({ columns, coarse }) {
  const times = (coarse[0] ?? []).map((/** @type {number} */ at) => at / 1000)
  /** @type {any} */
  const found = { times }
  for (const [index, name] of columns.entries()) found[name] = coarse[index + 1] ?? []
  const messages = found.messages ?? []
  found.rate = times.map((/** @type {number} */ at, /** @type {number} */ index) =>
    index === 0
      ? null
      : rateOf(
          { at: times[index - 1], messages: messages[index - 1] },
          { at, messages: messages[index] },
        ),
  )
  return found
}

/**
 * @param {{ at: number, messages: number | null } | null} before
 * @param {{ at: number, messages: number | null }} after
 */
function rateOf(before, after) {
  if (before === null || before.messages === null || after.messages === null) return null
  // A new run counts from 0.
  if (after.messages < before.messages) return null
  return (after.messages - before.messages) / (after.at - before.at)
}

/** @param {Kind} kind @param {number} width @returns {any} */
function optionsOf(kind, width) {
  const style = getComputedStyle(document.documentElement)
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim()
  const font = `11px ${style.getPropertyValue('--font')}`
  const axis = {
    stroke: colour('--muted'),
    font,
    grid: { stroke: colour('--grid'), width: 1 },
    ticks: { show: false },
  }
  return {
    width,
    height: heightPixels,
    padding: [6, 4, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 6 },
      sync: { key: 'app' },
    },
    scales: {
      x: {
        time: true,
        // The latest is at the right; the first minute begins with room on the left.
        range: (/** @type {any} */ _, /** @type {number} */ min, /** @type {number} */ max) => [
          Math.max(max - spanSeconds, Math.min(min, max - 60)),
          max,
        ],
      },
      y: {
        range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ max) => [
          0,
          Math.max(kind.floor, (max ?? 0) * 1.1),
        ],
      },
    },
    series: [
      {},
      {
        stroke: colour(kind.colour),
        fill: `${colour(kind.colour)}22`,
        width: 1.5,
        points: { show: false },
      },
      { stroke: colour('--bad'), width: 1, dash: [4, 4], points: { show: false } },
    ],
    axes: [
      {
        ...axis,
        size: 22,
        gap: 3,
        space: 60,
        values: (/** @type {any} */ _, /** @type {number[]} */ splits) =>
          splits.map((at) => new Date(at * 1000).toTimeString().slice(0, at % 60 === 0 ? 5 : 8)),
      },
      {
        ...axis,
        size: 54,
        ...(kind.steps && { incrs: kind.steps }),
        gap: 4,
        space: 26,
        values: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits.map(kind.mark),
      },
    ],
  }
}
