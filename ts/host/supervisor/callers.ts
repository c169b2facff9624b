/**
 * Who is at the control socket, and what each may say: operators with the key, apps with the token of their run, and
 * the broker. Followers are among them.
 */
import { timingSafeEqual } from 'node:crypto'
import { agentUuid } from '../agent/app.js'
import type { AgentDesk } from '../agent/briefing.js'
import type { BusRefusal } from '../bus/contract.js'
import { hostError } from '../error.js'
import { uuidOf } from '../place.js'
import { Refusals } from '../refusals.js'
import { type Channel, jsonBytes, messageBytesMax } from '../wire/channel.js'
import { type BrokerSeat, brokerUuid } from './broker-seat.js'
import type { Caller } from './door.js'
import type { EventLog } from './event-log.js'
import { type Question, readEndOf, readQuestion } from './requests.js'
import type { Seat } from './seat.js'
import { type HostEvent, type HostStatus, sendable } from './status.js'

/** Milliseconds between two statuses that a follower is told where it does not say. */
const statusMs = 1000
/** A follower that has so many bytes unread is not told statuses. */
const unreadMax = 1024 * 1024

/** What callers have around them. */
export interface Counter {
  readonly epoch: number
  /** What operators show. */
  readonly key: string
  readonly seats: ReadonlyMap<string, Seat>
  readonly broker: BrokerSeat
  readonly events: EventLog
  status(): HostStatus
  answer(question: Question, signal?: AbortSignal): Promise<unknown>
  /** What the desktop agent is told and tells. */
  readonly agent: AgentDesk
  /** Starts an app that somebody wrote to. */
  startFor(uuid: string, signal?: AbortSignal): Promise<unknown>
  /** A follower sees statuses as they come. */
  onSeen(): void
  /** A run came: others may have waited for it. */
  onCome(): void
}

/** Somebody who was refused. */
export interface Refusal {
  readonly uuid: string | null
  readonly instance?: string | null
  readonly text: string
  readonly code: string
  readonly facts?: Readonly<Record<string, unknown>>
}

/** Someone who is told what happens, and from time to time how everything is. */
interface Follower {
  /** Tells it no more. */
  readonly end: () => void
  readonly everyMs: number
  toldAt: number
}

/** All who may come to the control socket. */
export class Callers {
  readonly #counter: Counter
  readonly #followers = new Map<Channel, Follower>()
  readonly #refusals: Refusals<Refusal>
  #timer: NodeJS.Timeout | undefined

  constructor(counter: Counter) {
    this.#counter = counter
    this.#refusals = new Refusals(({ uuid, instance = null, code, text, facts }, leftOut) => {
      const more = leftOut === 0 ? '' : ` (${leftOut} before it were left out)`
      counter.events.say('refused', {
        uuid,
        instance,
        text: `${text}${more}`,
        facts: { ...facts, code, ...(leftOut === 0 ? {} : { leftOut }) },
      })
    })
  }

  /** Nobody is told anything any more. */
  end(): void {
    clearInterval(this.#timer)
    for (const { end } of this.#followers.values()) end()
    this.#followers.clear()
  }

  /** Who a hello is from; throws what is said to whoever is nobody. */
  identify(hello: Readonly<Record<string, unknown>>): Caller {
    const { role } = hello
    if (role === 'operator') return this.#operator(hello)
    if (role === 'app') return this.#app(hello)
    if (role === 'part') return this.#part(hello)
    throw hostError('HOST_PROTOCOL', `said it is ${String(role)}, which nobody is here`, {
      found: role,
      known: ['operator', 'app', 'part'],
    })
  }

  /** Somebody was refused: kept as an event, but for a flood. */
  refused(peer: string, refusal: Refusal): void {
    this.#refusals.add(peer, refusal)
  }

  #operator({ key }: Readonly<Record<string, unknown>>): Caller {
    const mine = Buffer.from(this.#counter.key)
    const shown = Buffer.from(typeof key === 'string' ? key : '')
    if (shown.length !== mine.length || !timingSafeEqual(shown, mine)) {
      const message = 'showed a key that is not the one in host.owner.json'
      throw hostError('HOST_IDENTITY', message, { instance: 'operator' })
    }
    let connection: Channel | undefined
    return {
      name: 'operator',
      uuid: null,
      welcome: { epoch: this.#counter.epoch },
      onOpen: (channel) => {
        connection = channel
      },
      hear: () => {},
      answer: (name, value, signal) => {
        const question = readQuestion(name, value)
        if (question.name === 'follow' && connection !== undefined)
          return Promise.resolve(this.#followed(connection, question.argument.statusMs))
        return this.#counter.answer(question, signal)
      },
      onEnd: (channel) => this.#unfollow(channel),
    }
  }

  #app({ instance, token }: Readonly<Record<string, unknown>>): Caller {
    const uuid = typeof instance === 'string' ? uuidOf(instance) : ''
    const seat = this.#counter.seats.get(uuid)
    const run = seat?.whoIs(String(instance), String(token))
    if (seat === undefined || run === undefined) throw notThatRun(instance)
    const { heartbeatMs, hangMs } = seat.app.health
    let connection: Channel | undefined
    let waiting: AbortController | undefined
    const endOf = (value: unknown, signal: AbortSignal) => {
      const { instance: other } = readEndOf(value)
      // One at a time: what an app can have wait here is bounded.
      waiting?.abort()
      waiting = new AbortController()
      return seat.endOf(other, AbortSignal.any([signal, waiting.signal]))
    }
    return {
      // A spare takes another name later.
      get name() {
        return run.instance
      },
      uuid,
      welcome: { epoch: this.#counter.epoch, heartbeatMs, hangMs },
      onOpen: (channel) => {
        connection = channel
        seat.attached(run, channel)
        this.#counter.onCome()
      },
      hear: (name, value) => {
        if (uuid === agentUuid && name === 'listening') this.#counter.agent.listens(value)
        else seat.hear(run, name, value)
      },
      answer: (name, value, signal) => {
        if (uuid === agentUuid) return this.#agentAsks(name, value, signal, connection)
        if (name === 'end-of') return endOf(value, signal)
        if (!seat.app.permissions.control || name === 'shutdown' || name === 'evaluate') {
          const message = `${uuid} may not ask for ${name}; give it permissions.control in the manifest, or ask as an operator`
          throw hostError('HOST_FORBIDDEN', message, { uuid, permission: 'control' })
        }
        const question = readQuestion(name, value)
        if (question.name === 'follow' && connection !== undefined)
          return Promise.resolve(this.#followed(connection, question.argument.statusMs))
        return this.#counter.answer(question, signal)
      },
      onEnd: (channel) => {
        run.detach(channel)
        this.#unfollow(channel)
      },
    }
  }

  /** The desktop agent has no key of operators: it asks for what it is there for. */
  async #agentAsks(
    name: string,
    value: unknown,
    signal: AbortSignal,
    connection: Channel | undefined,
  ): Promise<unknown> {
    switch (name) {
      case 'briefing':
        return this.#counter.agent.briefing()
      case 'start':
        return this.#startFor(value, signal)
      case 'follow':
        return connection && this.#followed(connection, 0, endsOnly)
      default: {
        const message = `the desktop agent may ask for briefing, start and follow, not for ${name.slice(0, 80)}`
        throw hostError('HOST_FORBIDDEN', message, { uuid: agentUuid, permission: name })
      }
    }
  }

  #startFor(value: unknown, signal: AbortSignal): Promise<unknown> {
    const { argument } = readQuestion('start', value) as Extract<Question, { name: 'start' }>
    return this.#counter.startFor(argument.uuid, signal)
  }

  #part({ part, token }: Readonly<Record<string, unknown>>): Caller {
    const run = this.#counter.broker.whoIs(String(part), String(token))
    if (run === undefined) throw notThatRun(part)
    return {
      name: run.instance,
      uuid: null,
      welcome: { epoch: this.#counter.epoch },
      onOpen: (channel) => this.#counter.broker.attached(run, channel),
      hear: (name, value) => {
        this.#counter.broker.hear(run, name, value)
        this.#counter.broker.hearBroker(name, value, (refusal) => this.#refusedOnBus(refusal))
      },
      answer: (name, value, signal) => {
        if (name !== 'start') {
          const message = `the broker may ask to start an app, not to ${name}`
          throw hostError('HOST_FORBIDDEN', message, { uuid: brokerUuid, permission: name })
        }
        return this.#startFor(value, signal)
      },
      onEnd: (channel) => run.detach(channel),
    }
  }

  #refusedOnBus({ instance, code, text, facts }: BusRefusal): void {
    const uuid = typeof instance === 'string' ? uuidOf(instance) : null
    this.refused(`bus ${instance}`, {
      uuid,
      instance: instance ?? null,
      text: `the bus refused ${instance ?? 'a caller'}: ${text}`,
      code,
      facts,
    })
  }

  #followed(
    channel: Channel,
    everyMs = statusMs,
    wants: (event: HostEvent) => boolean = () => true,
  ): { seq: number } {
    const { events } = this.#counter
    const end =
      this.#followers.get(channel)?.end ??
      events.listen((event) => {
        if (wants(event)) channel.note('event', jsonBytes(event))
      })
    this.#followers.set(channel, { end, everyMs, toldAt: performance.now() })
    this.#setTimer()
    return { seq: events.seq }
  }

  #unfollow(channel: Channel): void {
    this.#followers.get(channel)?.end()
    this.#followers.delete(channel)
    this.#setTimer()
  }

  /** Runs while somebody is to be told. */
  #setTimer(): void {
    const isNeeded = [...this.#followers.values()].some(({ everyMs }) => everyMs > 0)
    if (isNeeded) this.#timer ??= setInterval(() => this.#tellStatus(), statusMs)
    else {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  #tellStatus(): void {
    const now = performance.now()
    let bytes: Buffer | undefined
    for (const [channel, follower] of this.#followers) {
      // Half a turn early is in time: the timer of another turn may be late.
      if (follower.everyMs === 0 || now - follower.toldAt < follower.everyMs - statusMs / 2)
        continue
      follower.toldAt = now
      if (follower.everyMs <= statusMs) this.#counter.onSeen()
      bytes ??= jsonBytes(sendable(this.#counter.status()))
      // Apps that say as much as they may, each of them: who follows has the events, and may ask for less.
      if (bytes.length > messageBytesMax) continue
      if (channel.waitingBytes < unreadMax) channel.note('status', bytes)
    }
  }
}

/** What the desktop agent follows for. */
const endsOnly = ({ type }: HostEvent) => type === 'ended' || type === 'lost'

function notThatRun(instance: unknown): Error {
  const message = `said it is ${String(instance).slice(0, 80)} and could not show that run's token`
  return hostError('HOST_IDENTITY', message, { instance })
}
