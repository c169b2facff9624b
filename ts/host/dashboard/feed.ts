/**
 * What the page shows, fetched from the supervisor over the control socket like any other operator's. The dashboard is a
 * reader of its own: a supervisor that dies takes no history with it, and comes back into the same charts.
 */
import { EventEmitter } from 'node:events'
import { type AppHistory, History, historyColumns } from '../monitor/history.js'
import { HostPlace } from '../place.js'
import type { ControlRequests } from '../supervisor/control.js'
import { Operator } from '../supervisor/operator.js'
import { notRunning } from '../supervisor/owner.js'
import type { AppSample, HostEvent, HostStatus } from '../supervisor/status.js'

/** Whether a supervisor answers. */
export type LinkState =
  | { readonly state: 'connecting'; readonly why: string }
  | { readonly state: 'live'; readonly why: '' }
  | { readonly state: 'lost'; readonly why: string }

/** Events that are kept for whoever opens the page. */
const eventsMax = 500
/** Milliseconds between two statuses while a page is open, and while none is. */
const seenMs = 1000
const unseenMs = 5000
const retryMsMin = 200
const retryMsMax = 2000

interface FeedEvents {
  status: [HostStatus]
  event: [HostEvent]
  link: [LinkState]
}

/** The dashboard's connection to a store's supervisor; it comes back by itself. */
export class Feed extends EventEmitter<FeedEvents> {
  /** How everything was last; null before the first word. */
  status: HostStatus | null = null
  link: LinkState = { state: 'connecting', why: 'the first connection is being made' }
  readonly #root: string
  readonly #events = new Map<number, HostEvent>()
  readonly #histories = new Map<string, History | 'asked'>()
  #operator: Operator | undefined
  #timer: NodeJS.Timeout | undefined
  #retryMs = retryMsMin
  #isStopped = false
  #isSeen = false
  #statusAt = Number.NEGATIVE_INFINITY

  constructor(root: string) {
    super()
    this.setMaxListeners(0)
    this.#root = root
  }

  /** Connects, and again whenever that ends. Resolves after the first try, however it went. */
  async start(): Promise<void> {
    try {
      const operator = await Operator.connect(this.#root, {
        onStatus: (status) => this.#take(status),
        onEvent: (event) => this.#happen(event),
        onEnd: () => {
          if (this.#operator === operator) this.#lose('the supervisor ended the connection')
        },
      })
      this.#operator = operator
      await operator.ask('follow', { statusMs: this.#isSeen ? seenMs : unseenMs })
      // Asked after `follow`, so that nothing falls between; what comes twice is known by its number.
      for (const event of await operator.ask('events', { limit: eventsMax })) this.#happen(event)
      this.#take(await operator.ask('status', {}))
      this.#retryMs = retryMsMin
      this.#setLink({ state: 'live', why: '' })
    } catch (error) {
      this.#lose((error as Error).message)
    }
  }

  /** A page is open, or none is any more: then nothing has to be measured for one, and the supervisor is asked for less. */
  setSeen(isSeen: boolean): void {
    if (isSeen === this.#isSeen) return
    this.#isSeen = isSeen
    void this.#hurry().catch(() => {
      // The connection ended; the next one asks for what is wanted then.
    })
  }

  /** How everything is, at most as old as a page would see it. */
  async now(): Promise<HostStatus | null> {
    const isOld = Date.now() - this.#statusAt >= seenMs
    if (isOld && this.#operator !== undefined) {
      try {
        this.#take(await this.ask('status', {}, 2000))
      } catch {
        // What was last heard has to do.
      }
    }
    return this.status
  }

  /** Ends it. May be called again. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#operator?.close()
    this.#operator = undefined
    this.removeAllListeners()
  }

  /** The latest events, oldest first. */
  get events(): readonly HostEvent[] {
    return [...this.#events.values()].sort((a, b) => a.seq - b.seq)
  }

  /** What is kept of an app. */
  history(uuid: string, from?: number): AppHistory {
    const history = this.#histories.get(uuid)
    if (history instanceof History) return history.read(from)
    return { columns: historyColumns, coarse: [], fine: [] }
  }

  /** Asks the supervisor; rejects with `HOST_NOT_RUNNING` while there is none. */
  ask<Name extends keyof ControlRequests>(
    name: Name,
    argument: ControlRequests[Name]['argument'],
    timeoutMs: number,
  ): Promise<ControlRequests[Name]['answer']> {
    if (this.#operator === undefined) {
      return Promise.reject(notRunning(new HostPlace(this.#root), this.link.why))
    }
    return this.#operator.ask(name, argument, { timeoutMs })
  }

  async #hurry(): Promise<void> {
    await this.ask('follow', { statusMs: this.#isSeen ? seenMs : unseenMs }, 2000)
    if (this.#isSeen) this.#take(await this.ask('status', {}, 2000))
  }

  #take(status: HostStatus): void {
    this.status = status
    this.#statusAt = Date.now()
    for (const app of status.apps) {
      const { uuid, sample, health } = app
      const history = this.#histories.get(uuid)
      if (history === undefined) void this.#recall(uuid)
      else if (history !== 'asked' && sample !== null) history.add(sample, health)
    }
    const uuids = new Set(status.apps.map(({ uuid }) => uuid))
    for (const uuid of this.#histories.keys()) if (!uuids.has(uuid)) this.#histories.delete(uuid)
    this.emit('status', status)
  }

  /** An app that is new here: what the supervisor's monitor has of it comes before what is heard from now on. */
  async #recall(uuid: string): Promise<void> {
    this.#histories.set(uuid, 'asked')
    const history = new History()
    try {
      const known = await this.ask('samples', { uuid }, 2000)
      for (const [sample, loopP99, messages, pss] of samplesOf(known)) {
        const health = { at: sample.at, loopP50: 0, loopP99, heapUsed: 0, handles: 0 }
        history.add(sample, { ...health, messages, terminal: null }, pss)
      }
    } catch {
      // Without a past the charts begin now.
    }
    if (this.#histories.has(uuid)) this.#histories.set(uuid, history)
  }

  #happen(event: HostEvent): void {
    if (this.#events.has(event.seq)) return
    this.#events.set(event.seq, event)
    if (this.#events.size > eventsMax) {
      this.#events.delete(Math.min(...this.#events.keys()))
    }
    this.emit('event', event)
  }

  #lose(why: string): void {
    this.#operator?.close()
    this.#operator = undefined
    if (this.#isStopped) return
    this.#setLink({ state: 'lost', why })
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.start(), this.#retryMs)
    this.#retryMs = Math.min(retryMsMax, this.#retryMs * 2)
  }

  #setLink(link: LinkState): void {
    if (this.link.state === link.state && this.link.why === link.why) return
    this.link = link
    this.emit('link', link)
  }
}

/** The coarse series of a history as the samples that it was made of. */
function* samplesOf({
  columns,
  coarse,
}: AppHistory): Generator<[AppSample, number, number, number]> {
  const [times = [], ...values] = coarse
  for (const [index, at] of times.entries()) {
    const value = (name: string) => values[columns.indexOf(name)]?.[index] ?? Number.NaN
    if (at === null) continue
    const sample = {
      at,
      memory: value('memory'),
      rss: value('rss'),
      cpu: value('cpu'),
      processes: value('processes'),
      files: value('files'),
    }
    yield [sample, value('loopP99'), value('messages'), value('pss')]
  }
}
