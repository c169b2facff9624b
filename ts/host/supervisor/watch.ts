/**
 * Looks after runs: four times a second for loops that stand and for runs that have had their time, and at what the
 * monitor measures for memory over its soft limit. What is too much is said by `vigil.ts`, what comes of it by the
 * app's machine.
 */
import { readFile } from 'node:fs/promises'
import { type AppHistory, type HistoryColumn, historyColumns } from '../monitor/history.js'
import { Monitor } from '../monitor/monitor.js'
import type { EventLog } from './event-log.js'
import type { LiveRun } from './live-run.js'
import { runsOf } from './machine.js'
import type { Seat } from './seat.js'
import type { AppSample } from './status.js'
import {
  hangAfterMs,
  isNearLimit,
  isStopped,
  lookMs,
  recycleReason,
  softMemoryOf,
} from './vigil.js'

/** Milliseconds that an app has to give memory back. */
const shedAnswerMs = 5000

/** Looks after all runs of a host. */
export class Watch {
  readonly #seats: ReadonlyMap<string, Seat>
  /** Runs that are looked after like those of apps and are measured by nobody. */
  readonly #parts: readonly Seat[]
  readonly #events: EventLog
  readonly #monitor: Monitor
  #timer: NodeJS.Timeout | undefined

  constructor(seats: ReadonlyMap<string, Seat>, parts: readonly Seat[], events: EventLog) {
    this.#seats = seats
    this.#parts = parts
    this.#events = events
    this.#monitor = new Monitor({
      watched: () => this.#watched(),
      onSample: (uuid, sample) => this.#sampled(uuid, sample),
    })
  }

  /** Begins. */
  start(): void {
    this.#timer = setInterval(() => void this.#look(), lookMs)
    this.#monitor.start()
  }

  /** Ends it; resolves when the last look is over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#monitor.stop()
  }

  /** Somebody sees what is measured. */
  seen(): void {
    this.#monitor.seen()
  }

  /** What was measured of an app. */
  history(uuid: string, from?: number): AppHistory {
    return this.#monitor.history(uuid, from)
  }

  /** The last minute of an app. */
  samples(uuid: string): readonly AppSample[] {
    const [times = [], ...columns] = this.#monitor.history(uuid).fine
    const value = (name: HistoryColumn, row: number) =>
      columns[historyColumns.indexOf(name)]?.[row] ?? 0
    return times.map((at, row) => ({
      at: at ?? 0,
      memory: value('memory', row),
      rss: value('rss', row),
      cpu: value('cpu', row),
      processes: value('processes', row),
      files: value('files', row),
    }))
  }

  /** Looks for loops that stand and for runs that have had their time. */
  async #look(): Promise<void> {
    for (const seat of [...this.#seats.values(), ...this.#parts]) {
      for (const run of seat.runs) {
        if (run.launched !== undefined) await this.#lookAt(seat, run, run.launched.process.pid)
      }
      this.#recycle(seat)
    }
  }

  async #lookAt(seat: Seat, run: LiveRun, pid: number): Promise<void> {
    const known = runsOf(seat.life).find(({ instance }) => instance === run.instance)
    run.silentMs += lookMs
    // What starts has its own deadline; so has a spare, which has to have come within that time.
    const isStarting = run.isSpare ? !run.isConnected : known?.phase === 'starting'
    const limitMs = isStarting ? seat.app.health.readyMs : hangAfterMs(seat.app, run.isConnected)
    if (run.silentMs < limitMs) return
    if (await isProcessStopped(pid)) {
      run.silentMs -= lookMs
      return
    }
    if (run.isSpare) seat.endSpare(run)
    else if (known !== undefined && known.phase !== 'starting')
      seat.dispatch({ type: 'hang', instance: run.instance })
  }

  #recycle(seat: Seat): void {
    const { life, main } = seat
    const readyAt = life.main?.readyAt ?? null
    if (main === undefined || readyAt === null || Date.now() < life.recycleAfter) return
    const { health, sample, shedAt, loopP99 } = main
    const facts = { at: Date.now(), readyAt, health, sample, shedAt, loopP99 }
    const why = recycleReason(seat.app, facts)
    if (why !== undefined) seat.dispatch({ type: 'recycle', why })
  }

  #watched() {
    return [...this.#seats.values()].flatMap(({ uuid, app, main }) => {
      const launched = main?.launched
      if (main === undefined || launched === undefined) return []
      const { instance, hold, health, sample } = main
      const isNear = isNearLimit(app, sample)
      return [{ uuid, instance, pids: () => launched.pids(), hold, health, isNear }]
    })
  }

  /** Asks an app that holds too much to give some back. */
  #sampled(uuid: string, sample: AppSample): void {
    const seat = this.#seats.get(uuid)
    const run = seat?.main
    if (seat === undefined || run === undefined) return
    run.sample = sample
    const limitBytes = softMemoryOf(seat.app)
    if (limitBytes === null || sample.memory <= limitBytes) {
      run.shedAt = null
      return
    }
    if (run.shedAt !== null || seat.life.serving !== run.instance) return
    run.shedAt = Date.now()
    this.#events.say('soft-limit', {
      uuid,
      instance: run.instance,
      text: `${run.instance} holds ${sample.memory} bytes, more than its soft limit, ${limitBytes}; it is asked to give memory back`,
      facts: { usedBytes: sample.memory, limitBytes },
    })
    run.ask('shed', { usedBytes: sample.memory, limitBytes }, shedAnswerMs).catch(() => {
      // What it did is seen at the next look.
    })
  }
}

async function isProcessStopped(pid: number): Promise<boolean> {
  try {
    return isStopped(await readFile(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
