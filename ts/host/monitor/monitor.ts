/**
 * Looks at every app of a host, again and again, cheaply, and keeps a bounded history of each. It runs in the
 * supervisor, which shows its samples, recycles by them and puts the last minute of an app that died into its crash report.
 *
 * It decides nothing and it misses nothing on purpose: with more apps it looks less often, so that looking never takes
 * more than a few hundredths of a core, and less often again while nobody sees what it saw. An app that comes near its
 * limit is looked at closely whoever sees it.
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
  /** It is near a limit, and looked at as often as there is time for. */
  readonly isNear?: boolean
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

/** Looks a second at most, over all apps, while somebody sees what comes of them. */
const looksPerSecond = 100
/** The same while nobody does. */
const looksPerSecondUnseen = 40
/** Somebody who asked sees it for so long. */
const seenMs = 5000
/** Measured for who sees it: the kernel walks every mapping of a process for that. */
const proportionalEveryMs = 10_000
/** Who belongs to an app is asked again after so long, where no group knows: that lists the children of every thread of its processes. */
const membersEveryMs = 5000
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
  #seenAt = Number.NEGATIVE_INFINITY
  /** When all were looked at. */
  #allAt = Number.NEGATIVE_INFINITY

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

  /** Somebody sees the samples. */
  seen(): void {
    const wasSeen = this.#isSeen
    this.#seenAt = performance.now()
    // What waits for a look that nobody hurried waits less.
    if (!wasSeen && this.#looking === undefined && !this.#isStopped) this.#plan()
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
    this.#allAt = performance.now()
    this.#forgetAllBut(new Set(watched.map(({ uuid }) => uuid)))
    await this.#lookAtEach(watched)
  }

  async #lookAtEach(watched: readonly Watched[]): Promise<void> {
    for (const app of watched) {
      try {
        await this.#lookAt(app)
      } catch {
        // It ended while it was looked at; the supervisor hears that from its launcher.
      }
    }
  }

  get #isSeen(): boolean {
    return performance.now() - this.#seenAt < seenMs
  }

  #plan(): void {
    clearTimeout(this.#timer)
    const watched = this.#options.watched()
    const near = watched.filter(({ isNear }) => isNear)
    const { intervalMs = 250 } = this.#options
    const every = (count: number, perSecond: number) =>
      Math.max(intervalMs, (count * 1000) / perSecond)
    const all = every(watched.length, this.#isSeen ? looksPerSecond : looksPerSecondUnseen)
    const allInMs = Math.max(0, this.#allAt + all - performance.now())
    const nearInMs =
      near.length === 0 ? Number.POSITIVE_INFINITY : every(near.length, looksPerSecond)
    const isAll = allInMs <= nearInMs
    this.#timer = setTimeout(
      () => {
        const looking = isAll ? this.look() : this.#lookAtEach(near)
        this.#looking = looking.finally(() => {
          this.#looking = undefined
          if (!this.#isStopped) this.#plan()
        })
      },
      Math.max(1, Math.min(allInMs, nearInMs)),
    )
    this.#timer.unref()
  }

  async #lookAt(app: Watched): Promise<void> {
    const sight = this.#sightOf(app)
    const at = Date.now()
    const pids = app.hold?.members?.() ?? (await this.#membersOf(app, sight, at))
    const usage = await sight.tree.measure(pids, at)
    if (usage === undefined) return
    const { memory, rss, processes, files, cpuMs } = usage
    const sample = { at, memory, rss, cpu: cpuSince(sight.marks, at, cpuMs), processes, files }
    sight.sample = sample
    let pss: number | undefined
    if (this.#isSeen && at - sight.proportionalAt >= proportionalEveryMs) {
      sight.proportionalAt = at
      pss = await sight.tree.proportional(pids)
    }
    this.#historyOf(app.uuid).add(sample, app.health, pss)
    this.#options.onSample?.(app.uuid, sample)
  }

  async #membersOf(app: Watched, sight: Sight, at: number): Promise<readonly number[]> {
    if (at - sight.membersAt >= membersEveryMs) {
      sight.membersAt = at
      sight.members = await app.pids()
    }
    return sight.members
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
