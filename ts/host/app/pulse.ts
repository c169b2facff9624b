/**
 * What an app says of itself with each heartbeat, measured where it happens. An app at rest is woken for its heartbeat and
 * for nothing else: how late its loop is, is what that heartbeat was late. Once the loop is at work its delay is sampled.
 */
import fs from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { AppHealth, TerminalHealth } from '../supervisor/status.js'

/** The delay of a loop at work is measured so often; each time wakes the process. Milliseconds. */
const resolutionMs = 50
/** The delay is over at least so long. */
const windowMs = 1000
/** Part of the time since the heartbeat before from which on a loop is at work. */
const workPart = 0.05
/** Open files are counted so often. */
const filesEveryMs = 10_000

/** Measures. */
export class Pulse {
  /** Messages handled, counted by the bus client. */
  messages = 0
  /** Set for a terminal. */
  terminal: (() => TerminalHealth) | undefined
  /** Times that the loop was woken to measure its delay. */
  samples = 0
  readonly #delays = monitorEventLoopDelay({ resolution: resolutionMs })
  #isSampling = false
  #sampledAt = 0
  #loop = performance.eventLoopUtilization()
  #beatAt: number | undefined
  #loopP50 = 0
  #loopP99 = 0
  #files = 0
  #filesAt = Number.NEGATIVE_INFINITY

  /** A heartbeat, the next of which comes in `nextMs` milliseconds, as the one before said of this one. */
  beat(nextMs: number): void {
    const now = performance.now()
    const lateMs = this.#beatAt === undefined ? 0 : Math.max(0, now - this.#beatAt - nextMs)
    this.#beatAt = now
    this.#loopP50 = this.#delayMs(50, lateMs)
    this.#loopP99 = Math.max(this.#delayMs(99, lateMs), rounded(lateMs))
    this.#sampleWhileAtWork(now)
  }

  /** How the app is now. */
  read(): AppHealth {
    return {
      at: Date.now(),
      loopP50: this.#loopP50,
      loopP99: this.#loopP99,
      heapUsed: getHeapStatistics().used_heap_size,
      handles: this.#openFiles(performance.now()),
      messages: this.messages,
      terminal: this.terminal?.() ?? null,
    }
  }

  /** Measures no more. */
  end(): void {
    this.#delays.disable()
  }

  #sampleWhileAtWork(now: number): void {
    const loop = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(loop, this.#loop)
    this.#loop = loop
    const isAtWork = utilization >= workPart
    if (isAtWork !== this.#isSampling) {
      this.#isSampling = isAtWork
      if (isAtWork) this.#delays.enable()
      else this.#delays.disable()
    } else if (now - this.#sampledAt < windowMs) return
    this.#sampledAt = now
    this.samples += this.#delays.count
    this.#delays.reset()
  }

  /** They are counted in a folder of the system: not with each heartbeat. */
  #openFiles(now: number): number {
    if (now - this.#filesAt >= filesEveryMs) {
      this.#filesAt = now
      this.#files = openFiles()
    }
    return this.#files
  }

  /** The histogram holds the time between two measurements; without any, what the heartbeat was late. */
  #delayMs(percentile: number, lateMs: number): number {
    const { count } = this.#delays
    return rounded(count === 0 ? lateMs : this.#delays.percentile(percentile) / 1e6 - resolutionMs)
  }
}

function rounded(ms: number): number {
  return Math.round(Math.max(0, ms) * 100) / 100
}

/** Open file descriptors; where the system does not list them, what keeps the event loop going. */
function openFiles(): number {
  try {
    const folder = '/proc/self/fd'
    // Since Linux 6.2 the folder's size is their number.
    return fs.statSync(folder).size || fs.readdirSync(folder).length
  } catch {
    return process.getActiveResourcesInfo().length
  }
}
