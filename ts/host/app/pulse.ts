/**
 * What an app says of itself with its heartbeats, measured where it happens.
 *
 * An app at rest is woken for its heartbeat and for nothing else, and what it does then is what most of its rest costs: all
 * of that code is cold. So it looks at two counters of its loop first. When the loop has had nothing to do since the heartbeat
 * before, a heartbeat says no more than that the app is there; how late the loop is, is what that heartbeat was late. Once
 * the loop is at work its delay is sampled.
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
/** All is told so often even of an app at rest. */
const allEveryMs = 10_000
/** Open files are counted so often. */
const filesEveryMs = 10_000

/** Measures. */
export class Pulse {
  /** Messages handled, counted by the bus client. */
  messages = 0
  /** Set for a terminal. */
  terminal: (() => TerminalHealth) | undefined
  readonly #delays = monitorEventLoopDelay({ resolution: resolutionMs })
  #wasAtWork = false
  #isSampling = false
  #sampledAt = 0
  #beatAt = performance.now()
  #isFirst = true
  #idleMs = 0
  #events = -1
  #toldAt = Number.NEGATIVE_INFINITY
  #loopP50 = 0
  #loopP99 = 0
  #files = 0
  #filesAt = Number.NEGATIVE_INFINITY

  /** A heartbeat; it was due `afterMs` after the one before. True when there is more to tell than that the app is there. */
  beat(afterMs: number): boolean {
    const now = performance.now()
    const passedMs = now - this.#beatAt
    const lateMs = this.#isFirst ? 0 : Math.max(0, passedMs - afterMs)
    this.#beatAt = now
    this.#isFirst = false
    const { idleTime, uvMetricsInfo } = performance.nodeTiming
    const isAtWork = idleTime - this.#idleMs < passedMs * (1 - workPart)
    this.#idleMs = idleTime
    const isWoken = uvMetricsInfo.events !== this.#events
    this.#events = uvMetricsInfo.events
    this.#loopP50 = this.#delayMs(50, lateMs)
    this.#loopP99 = Math.max(this.#delayMs(99, lateMs), rounded(lateMs))
    // A heartbeat that was preempted looks like work, once.
    if (isAtWork || this.#isSampling) this.#sample(isAtWork && this.#wasAtWork, now)
    this.#wasAtWork = isAtWork
    const hasNews = isWoken || isAtWork || now - this.#toldAt >= allEveryMs
    if (hasNews) this.#toldAt = now
    return hasNews
  }

  /** With the next heartbeat all is told. */
  tellAll(): void {
    this.#toldAt = Number.NEGATIVE_INFINITY
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

  #sample(isAtWork: boolean, now: number): void {
    if (isAtWork !== this.#isSampling) {
      this.#isSampling = isAtWork
      if (isAtWork) this.#delays.enable()
      else this.#delays.disable()
    } else if (now - this.#sampledAt < windowMs) return
    this.#sampledAt = now
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
    const isKnown = this.#isSampling && this.#delays.count > 0
    return rounded(isKnown ? this.#delays.percentile(percentile) / 1e6 - resolutionMs : lateMs)
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
