/**
 * The agent on the bus: Node programs of the host join it here, and parts of the host ask it how it is. Who a message
 * is from is the broker's word.
 */
import type { Bus, BusSender } from '../bus/bus.js'
import { hostError } from '../error.js'
import { type AgentLink, agentTopic } from '../fdc3/link.js'
import { uuidOf } from '../place.js'
import { jsonBytes, jsonOf } from '../wire/channel.js'
import type { DesktopAgent } from './agent.js'
import type { AppDirectory } from './directory.js'
import { FairQueue } from './fair.js'
import { messageBytesMax } from './limits.js'
import { type AgentMessage, Refusal } from './message.js'
import { Outgoing } from './outgoing.js'
import type { AgentProblem } from './problem.js'
import { readAnswer } from './questions.js'
import type { AskingResolver, IntentChoice } from './resolver.js'

/** Requests that parts of the host may send to the agent, as JSON `{method, ...}`. */
export interface AgentRequests {
  /** `AgentStatus` and what was reported lately. */
  status: { readonly argument: Record<string, never> }
  /** Questions that wait for a person. */
  questions: { readonly argument: Record<string, never> }
  /** A person's answer; without a choice, the intent is not delivered. */
  answer: { readonly argument: { readonly id: string; readonly choice?: IntentChoice } }
  /** A person puts an instance on a user channel. */
  setUserChannel: {
    readonly argument: { readonly instanceId: string; readonly channelId: string | null }
  }
}

/** What the door needs. */
export interface BusDoorParts {
  readonly bus: Bus
  readonly agent: DesktopAgent
  readonly directory: AppDirectory
  readonly asking?: AskingResolver
  /** Problems of late, the newest last. */
  problems(): readonly AgentProblem[]
  report(problem: AgentProblem): void
}

/** The door. */
export class BusDoor {
  readonly #parts: BusDoorParts
  readonly #outgoing: Outgoing
  readonly #fair: FairQueue<Buffer>
  readonly #instances = new Set<string>()

  constructor(parts: BusDoorParts) {
    this.#parts = parts
    const { bus, agent } = parts
    this.#outgoing = new Outgoing(bus, {
      onGone: (instance) => this.#forget(instance),
      onStuck: (instance, waiting) => {
        this.#report(
          'undelivered',
          instance,
          `${instance} reads nothing: ${waiting} messages waited for it`,
          { waiting },
        )
        this.#forget(instance)
      },
    })
    this.#fair = new FairQueue({
      handle: (from, payload) => this.#handle(from, payload),
      onFlood: (from, dropped) =>
        this.#report(
          'flood',
          from,
          `${from} sends more than it may: ${dropped} messages were dropped`,
          { dropped },
        ),
    })
    bus.onMessage((payload, { instance }) => {
      this.#fair.push(instance, payload.length, payload, (kept) => Buffer.from(kept))
    })
    bus.onRequest((payload, sender) => this.#answer(payload, sender))
    bus.onConnection((isConnected) => {
      if (isConnected) this.#announce()
      else for (const instance of [...this.#instances]) this.#forget(instance)
    })
    this.#announce()
    this.#agent = agent
  }

  readonly #agent: DesktopAgent

  /** Sends to those of these instances that are on the bus. */
  post(to: readonly string[], message: AgentMessage): void {
    let bytes: Buffer | undefined
    for (const instance of to) {
      if (!this.#instances.has(instance)) continue
      bytes ??= jsonBytes(message)
      this.#outgoing.send(instance, bytes)
    }
  }

  #announce(): void {
    this.#parts.bus.publish(agentTopic, jsonBytes({ link: 'here' })).catch(() => undefined)
  }

  #handle(from: string, payload: Buffer): void {
    if (payload.length > messageBytesMax) {
      const text = `${from} sent a message of ${payload.length} bytes; at most ${messageBytesMax}`
      this.#report('too-large', from, text, { bytes: payload.length, limit: messageBytesMax })
      return
    }
    const message = jsonOf(payload)
    if (message === undefined) {
      this.#report('not-json', from, `${from} sent ${payload.length} bytes that are no JSON`, {
        bytes: payload.length,
      })
      return
    }
    const { link, attempt } = (message ?? {}) as { link?: unknown; attempt?: unknown }
    if (link === 'join') this.#join(from, typeof attempt === 'number' ? attempt : 0)
    else if (!this.#instances.has(from) || !this.#agent.isConnected(from))
      this.#say(from, { link: 'lost' })
    else this.#agent.receive(from, message)
  }

  #join(instance: string, attempt: number): void {
    const record = this.#parts.directory.ofUuid(uuidOf(instance))
    if (record === undefined) {
      this.#say(instance, { link: 'refused', reason: `${instance} is of no app of the directory` })
      return
    }
    this.#instances.add(instance)
    this.#agent.connect({ appId: record.appId, instanceId: instance })
    this.#say(instance, { link: 'joined', attempt, appId: record.appId, instanceId: instance })
  }

  #say(to: string, link: AgentLink): void {
    this.#outgoing.send(to, jsonBytes(link))
  }

  #forget(instance: string): void {
    this.#instances.delete(instance)
    this.#fair.drop(instance)
    this.#outgoing.drop(instance)
    this.#agent.disconnect(instance)
  }

  /** What parts of the host ask. */
  #answer(payload: Buffer, { instance }: BusSender): Uint8Array {
    if (!instance.startsWith('host/')) {
      throw hostError('HOST_FORBIDDEN', `${instance} is no part of the host`, {
        uuid: uuidOf(instance),
        permission: 'host',
      })
    }
    const request = (jsonOf(payload) ?? {}) as { method?: unknown } & Record<string, unknown>
    switch (request.method) {
      case 'status':
        return jsonBytes({ ...this.#agent.status(), problems: this.#parts.problems() })
      case 'questions':
        return jsonBytes(this.#parts.asking?.questions() ?? [])
      case 'answer':
        return this.#answerQuestion(request)
      case 'setUserChannel':
        return this.#setUserChannel(request)
      default:
        throw hostError('HOST_NO_METHOD', `the agent does not know ${String(request.method)}`, {
          method: request.method,
        })
    }
  }

  #answerQuestion(request: unknown): Uint8Array {
    const { id, choice } = readAnswer(request)
    return jsonBytes({ taken: this.#parts.asking?.answer(id, choice) ?? false })
  }

  #setUserChannel({ instanceId, channelId }: Record<string, unknown>): Uint8Array {
    try {
      this.#agent.setUserChannel(
        String(instanceId),
        typeof channelId === 'string' ? channelId : null,
      )
      return jsonBytes({})
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      throw hostError(
        'HOST_ARGUMENT',
        `${String(instanceId)} was not put on ${String(channelId)}: ${error.message}`,
        {
          method: 'setUserChannel',
          path: error.message === 'NoChannelFound' ? 'channelId' : 'instanceId',
          value: error.message === 'NoChannelFound' ? channelId : instanceId,
        },
      )
    }
  }

  #report(
    kind: AgentProblem['kind'],
    instanceId: string,
    text: string,
    facts: AgentProblem['facts'],
  ): void {
    this.#parts.report({ kind, instanceId, text, facts })
  }
}
