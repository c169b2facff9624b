/**
 * What an app says of itself with each heartbeat, measured where it happens.
 */
import fs from 'node:fs'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { AppHealth, TerminalHealth } from '../supervisor/status.js'

/** The delay of the event loop is measured so often, at most; each time wakes the process. Milliseconds. */
const resolutionMsMin = 50
/** The delay is over at least so long. */
const windowMs = 1000
/** Open files are counted so often. */
const filesEveryMs = 5000

/** Measures. */
export class Pulse {
  /** Messages handled, counted by the bus client. */
  messages = 0
  /** Set for a terminal. */
  terminal: (() => TerminalHealth) | undefined
  readonly #resolutionMs: number
  readonly #delays: IntervalHistogram
  #since = performance.now()
  #files = 0
  #filesAt = Number.NEGATIVE_INFINITY

  /** @param heartbeatMs - how often it is read; two measurements fit into that */
  constructor(heartbeatMs: number) {
    this.#resolutionMs = Math.max(resolutionMsMin, Math.round(heartbeatMs / 2))
    this.#delays = monitorEventLoopDelay({ resolution: this.#resolutionMs })
    this.#delays.enable()
  }

  /** How the app is now. */
  read(): AppHealth {
    const loopP50 = this.#delayMs(50)
    const loopP99 = this.#delayMs(99)
    const now = performance.now()
    if (now - this.#since >= windowMs) {
      this.#delays.reset()
      this.#since = now
    }
    return {
      at: Date.now(),
      loopP50,
      loopP99,
      heapUsed: getHeapStatistics().used_heap_size,
      handles: this.#openFiles(now),
      messages: this.messages,
      terminal: this.terminal?.() ?? null,
    }
  }

  /** They are counted in a folder of the system: not with each heartbeat. */
  #openFiles(now: number): number {
    if (now - this.#filesAt >= filesEveryMs) {
      this.#filesAt = now
      this.#files = openFiles()
    }
    return this.#files
  }

  /** Measures no more. */
  end(): void {
    this.#delays.disable()
  }

  /** The histogram holds the time between two measurements. */
  #delayMs(percentile: number): number {
    if (this.#delays.count === 0) return 0
    const ms = this.#delays.percentile(percentile) / 1e6 - this.#resolutionMs
    return Math.round(Math.max(0, ms) * 100) / 100
  }
}

/** Open file descriptors; where the system does not list them, what keeps the event loop going. */
function openFiles(): number {
  try {
    return fs.readdirSync('/proc/self/fd').length
  } catch {
    return process.getActiveResourcesInfo().length
  }
}
