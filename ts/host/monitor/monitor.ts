/**
 * Looks at every app of a host, again and again, cheaply, and keeps a bounded history of each. It runs in the
 * supervisor, which shows its samples, recycles by them and puts the last minute of an app that died into its crash report.
 *
 * It decides nothing and it misses nothing on purpose: with more apps it looks less often, so that looking
 * never takes more than a few hundredths of a core.
 */
import type { Hold } from '../limits/governor.js'
import type { AppHealth, AppSample } from '../supervisor/status.js'
import { type AppHistory, History, historyColumns } from './history.js'
import { Tree } from './tree.js'

/** An app that runs and is to be looked at. */
export interface Watched {
  readonly uuid: string
  /** The run; another one begins a new tree. */
  readonly instance: string
  /** The processes whose memory and time count as the app's. */
  pids(): Promise<readonly number[]>
  /** What holds its limits, where something does. */
  readonly hold?: Hold | undefined
  /** What it said of itself last. */
  readonly health: AppHealth | null
}

/** Choices of a monitor. */
export interface MonitorOptions {
  /** Who runs now. */
  readonly watched: () => readonly Watched[]
  /** Milliseconds between two looks, 250 unless said; more when there are more apps than that allows. */
  readonly intervalMs?: number
  /** Each new sample. */
  readonly onSample?: (uuid: string, sample: AppSample) => void
}

/** Looks a second at most, over all apps. */
const looksPerSecond = 100
const proportionalEveryMs = 10_000
/** Who belongs to an app is asked again after so long: that lists the children of every thread of its processes. */
const membersEveryMs = 2000
/** CPU is told over at least so long: the system counts it in steps of 10 ms. */
const cpuWindowMs = 900

interface Sight {
  readonly instance: string
  readonly tree: Tree
  /** Looks of the last second, for the CPU since. */
  readonly marks: { at: number; cpuMs: number }[]
  proportionalAt: number
  members: readonly number[]
  membersAt: number
  sample: AppSample | null
}

/** The monitor of a host. */
export class Monitor {
  readonly #options: MonitorOptions
  readonly #sights = new Map<string, Sight>()
  readonly #histories = new Map<string, History>()
  #timer: NodeJS.Timeout | undefined
  #isStopped = true
  #looking: Promise<void> | undefined

  constructor(options: MonitorOptions) {
    this.#options = options
  }

  /** Begins to look. */
  start(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    this.#plan()
  }

  /** Ends it; resolves when the last look is over. What was seen can still be read. May be called again. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#looking
    for (const { tree } of this.#sights.values()) tree.close()
    this.#sights.clear()
  }

  /** The latest sample of an app that runs; null before the first. */
  sample(uuid: string): AppSample | null {
    return this.#sights.get(uuid)?.sample ?? null
  }

  /** What is kept of an app; empty when nothing was seen of it. */
  history(uuid: string, from?: number): AppHistory {
    const empty = { columns: historyColumns, coarse: [], fine: [] }
    return this.#histories.get(uuid)?.read(from) ?? empty
  }

  /** Looks at everything once. The timer does this by itself. */
  async look(): Promise<void> {
    const watched = this.#options.watched()
    this.#forgetAllBut(new Set(watched.map(({ uuid }) => uuid)))
    for (const app of watched) {
      try {
        await this.#lookAt(app)
      } catch {
        // It ended while it was looked at; the supervisor hears that from its launcher.
      }
    }
  }

  #plan(): void {
    const count = this.#options.watched().length
    const waitMs = Math.max(this.#options.intervalMs ?? 250, (count * 1000) / looksPerSecond)
    this.#timer = setTimeout(() => {
      this.#looking = this.look().finally(() => {
        if (!this.#isStopped) this.#plan()
      })
    }, waitMs)
    this.#timer.unref()
  }

  async #lookAt(app: Watched): Promise<void> {
    const sight = this.#sightOf(app)
    const at = Date.now()
    if (at - sight.membersAt >= membersEveryMs) {
      sight.membersAt = at
      sight.members = await app.pids()
    }
    const pids = sight.members
    const usage = await sight.tree.measure(pids, at)
    if (usage === undefined) return
    const { memory, rss, processes, files, cpuMs } = usage
    const sample = { at, memory, rss, cpu: cpuSince(sight.marks, at, cpuMs), processes, files }
    sight.sample = sample
    let pss: number | undefined
    if (at - sight.proportionalAt >= proportionalEveryMs) {
      sight.proportionalAt = at
      pss = await sight.tree.proportional(pids)
    }
    this.#historyOf(app.uuid).add(sample, app.health, pss)
    this.#options.onSample?.(app.uuid, sample)
  }

  #sightOf({ uuid, instance, hold }: Watched): Sight {
    const known = this.#sights.get(uuid)
    if (known?.instance === instance) return known
    known?.tree.close()
    // Not all at once: apps that started together would be measured the dear way together for ever.
    const proportionalAt = Date.now() - Math.random() * proportionalEveryMs
    const sight: Sight = {
      instance,
      tree: new Tree(hold),
      marks: [],
      proportionalAt,
      members: [],
      membersAt: Number.NEGATIVE_INFINITY,
      sample: null,
    }
    this.#sights.set(uuid, sight)
    return sight
  }

  #historyOf(uuid: string): History {
    let history = this.#histories.get(uuid)
    if (history === undefined) {
      history = new History()
      this.#histories.set(uuid, history)
    }
    return history
  }

  /** An app that does not run has no sample; its history stays. */
  #forgetAllBut(uuids: ReadonlySet<string>): void {
    for (const [uuid, { tree }] of this.#sights) {
      if (uuids.has(uuid)) continue
      tree.close()
      this.#sights.delete(uuid)
    }
  }
}

/** Percent of one core over the last second, or as much of it as is known. */
function cpuSince(marks: { at: number; cpuMs: number }[], at: number, cpuMs: number): number {
  while (marks.length > 1 && at - (marks[1]?.at ?? at) >= cpuWindowMs) marks.shift()
  const [from] = marks
  marks.push({ at, cpuMs })
  if (from === undefined || at <= from.at) return 0
  return Math.round(((cpuMs - from.cpuMs) / (at - from.at)) * 1000) / 10
}
