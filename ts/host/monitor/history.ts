/** What is kept of an app's samples: ten minutes at one second, and the last minute at 250 ms. Nothing more, however long it runs. */
import type { AppHealth, AppSample } from '../supervisor/status.js'
import { Series } from './series.js'

/** What a sample has, after its time. Sizes in bytes, CPU in percent of one core, delays in milliseconds, messages counted. */
export const historyColumns = [
  'memory',
  'rss',
  'pss',
  'cpu',
  'processes',
  'files',
  'loopP99',
  'messages',
] as const

/** A column of a history. */
export type HistoryColumn = (typeof historyColumns)[number]

/** A history as JSON: columns of equal length, times first; null where nothing was known. */
export interface AppHistory {
  readonly columns: readonly string[]
  readonly coarse: readonly (readonly (number | null)[])[]
  readonly fine: readonly (readonly (number | null)[])[]
}

const coarseMs = 1000
const coarseCount = 600
const fineCount = 240

/** The history of one app. */
export class History {
  readonly #coarse = new Series(historyColumns, coarseCount)
  readonly #fine = new Series(historyColumns, fineCount)

  /** Adds a sample; the coarse series takes one a second. */
  add(sample: AppSample, health: AppHealth | null, pss = Number.NaN): void {
    const values = [
      sample.memory,
      sample.rss,
      pss,
      sample.cpu,
      sample.processes,
      sample.files,
      health?.loopP99 ?? Number.NaN,
      health?.messages ?? Number.NaN,
    ]
    this.#fine.add(sample.at, values)
    // A timer comes a little early or late: a sample within a tenth of its second is of this second.
    if (sample.at - this.#coarse.latestAt >= coarseMs * 0.9) this.#coarse.add(sample.at, values)
  }

  /** The most that a column came to in the last ten minutes; NaN when nothing is known. */
  max(column: HistoryColumn): number {
    const maxima = [this.#coarse.max(column), this.#fine.max(column)].filter(
      (value) => !Number.isNaN(value),
    )
    return maxima.length === 0 ? Number.NaN : Math.max(...maxima)
  }

  /** As JSON, from a time on. */
  read(from?: number): AppHistory {
    return {
      columns: historyColumns,
      coarse: this.#coarse.read(from),
      fine: this.#fine.read(from),
    }
  }
}
