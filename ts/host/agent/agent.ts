/**
 * The desktop agent itself: takes a message of a connected instance, checks it, has it handled, answers. Pure: it
 * knows no socket, no file, no process. No message makes it throw; what a handler of it throws by mistake becomes a
 * refusal and a report.
 */
import { Channels, recommendedChannels } from './channels.js'
import type { Clock } from './clock.js'
import { type Core, eventOf, Waiters } from './core.js'
import type { AppDirectory } from './directory.js'
import { Intents } from './intents.js'
import { listenerMsMin } from './limits.js'
import {
  type AgentMessage,
  type AppIdentifier,
  type Channel,
  Refusal,
  type Requests,
  type RequestType,
  responseType,
} from './message.js'
import { Opening } from './opening.js'
import { Peer } from './peer.js'
import type { AgentProblem } from './problem.js'
import type { Reply } from './reply.js'
import { reply } from './reply.js'
import { type IntentResolver, preferRunning } from './resolver.js'
import { type SchemaProblem, Schemas } from './schema.js'

/** What the agent needs of the world. */
export interface Surroundings {
  readonly clock: Clock
  /** Sends one message to these instances, in order for each. Must not throw. */
  post(to: readonly string[], message: AgentMessage): void
  /** Starts an app of the host; gives its instance's id, or that of the one that runs. */
  start(uuid: string): Promise<string>
  /** Hears of what should not have come. */
  report(problem: AgentProblem): void
  /** A heartbeat was not answered for too long, and the instance was let go. */
  onSilent?(instanceId: string): void
}

/** Choices of an agent. */
export interface AgentOptions {
  readonly directory: AppDirectory
  readonly surroundings: Surroundings
  /** Version of the standard that it speaks; `2.2` unless said. */
  readonly fdc3Version?: string
  readonly provider?: string
  readonly providerVersion?: string
  /** The user channels; the eight that the standard recommends unless said. */
  readonly userChannels?: readonly Channel[]
  /** Decides between several apps; `preferRunning` unless said. */
  readonly resolver?: IntentResolver
  /** How long an app has after its start to connect and listen; 20,000 ms unless said, at least 15,000. */
  readonly listenerMs?: number
  /** How often an instance is asked whether it is there; 5000 ms unless said. */
  readonly heartbeatMs?: number
  /** After so long without a word an instance counts as gone; 30,000 ms unless said. */
  readonly silentMs?: number
}

/** The agent for people. */
export interface AgentStatus {
  readonly fdc3Version: string
  readonly instances: readonly {
    readonly appId: string
    readonly instanceId: string
    readonly userChannelId: string | null
    readonly listeners: number
    readonly intents: readonly string[]
  }[]
  readonly channels: readonly {
    readonly id: string
    readonly type: string
    readonly contextTypes: readonly string[]
    readonly instances: readonly string[]
  }[]
  /** Intents that were delivered and whose result has not come. */
  readonly openIntents: number
  /** Messages that came in, that went out, and that were refused as malformed. */
  readonly received: number
  readonly posted: number
  readonly malformed: number
}

type Handler<T extends RequestType> = (peer: Peer, request: Requests[T]) => Reply | Promise<Reply>
type Handlers = { readonly [T in RequestType]: Handler<T> }

/** A desktop agent. */
export class DesktopAgent {
  readonly #core: Core
  readonly #surroundings: Surroundings
  readonly #peers = new Map<string, Peer>()
  readonly #schemas = new Schemas()
  readonly #handlers: Handlers
  readonly #channels: Channels
  readonly #opening: Opening
  readonly #intents: Intents
  readonly #connected: Waiters
  readonly #listening: Waiters
  readonly #fdc3Version: string
  readonly #heartbeatMs: number
  readonly #silentMs: number
  #received = 0
  #posted = 0
  #malformed = 0
  #callOffBeat: () => void

  constructor(options: AgentOptions) {
    const { surroundings, directory } = options
    this.#surroundings = surroundings
    this.#fdc3Version = options.fdc3Version ?? '2.2'
    this.#heartbeatMs = options.heartbeatMs ?? 5000
    this.#silentMs = options.silentMs ?? 30_000
    const core: Core = {
      clock: surroundings.clock,
      directory,
      peers: this.#peers,
      listenerMs: Math.max(options.listenerMs ?? 20_000, listenerMsMin),
      post: (to, message) => this.#post(to, message),
      start: (uuid) => surroundings.start(uuid),
      report: (problem) => surroundings.report(problem),
    }
    this.#core = core
    this.#connected = new Waiters(core)
    this.#listening = new Waiters(core)
    this.#channels = new Channels(core, options.userChannels ?? recommendedChannels)
    this.#opening = new Opening(core, this.#connected, {
      fdc3Version: this.#fdc3Version,
      provider: options.provider ?? 'pos-kernel',
      providerVersion: options.providerVersion ?? '0.1.0',
    })
    this.#intents = new Intents({
      core,
      opening: this.#opening,
      channels: this.#channels,
      listening: this.#listening,
      resolver: options.resolver ?? preferRunning,
      tellResult: ({ raiser, requestUuid }, payload) =>
        this.#respond(raiser, 'raiseIntentResultResponse', requestUuid, payload),
    })
    this.#handlers = this.#handlersOf()
    this.#callOffBeat = core.clock.after(this.#heartbeatMs, () => this.#beat())
  }

  /** An instance is here. Once more for one that was here already: it begins anew, what it had is gone. */
  connect(identity: { readonly appId: string; readonly instanceId: string }): void {
    const before = this.#peers.get(identity.instanceId)
    if (before !== undefined) this.#forget(before)
    const peer = new Peer(identity, this.#core.clock.now())
    this.#peers.set(peer.instanceId, peer)
    this.#connected.look(peer)
  }

  /** An instance is gone. What waits for it is refused, what it owed is answered for it. */
  disconnect(instanceId: string): void {
    const peer = this.#peers.get(instanceId)
    if (peer === undefined) return
    this.#peers.delete(instanceId)
    this.#forget(peer)
    this.ended(instanceId)
  }

  /** A process ended that had connected perhaps: nobody waits for it any longer. */
  ended(instanceId: string): void {
    if (this.#peers.has(instanceId)) {
      this.disconnect(instanceId)
      return
    }
    this.#connected.refuse(instanceId)
    this.#listening.refuse(instanceId)
    this.#opening.forget(instanceId)
  }

  /** Version of the standard that it speaks. */
  get fdc3Version(): string {
    return this.#fdc3Version
  }

  /** What is wrong with a message of a connection step; undefined when nothing is. */
  schemaProblem(name: string, message: unknown): SchemaProblem | undefined {
    return this.#schemas.problem(name, message)
  }

  /** True while this instance is connected. */
  isConnected(instanceId: string): boolean {
    return this.#peers.has(instanceId)
  }

  /** What a connection step tells an instance of the agent; undefined when it is not connected. */
  implementationMetadata(instanceId: string): object | undefined {
    const peer = this.#peers.get(instanceId)
    return peer === undefined ? undefined : this.#opening.implementationMetadata(peer)
  }

  /** A person puts an instance on a user channel, or takes it off with null. Throws a {@link Refusal}. */
  setUserChannel(instanceId: string, channelId: string | null): void {
    const peer = this.#peers.get(instanceId)
    if (peer === undefined) throw new Refusal('TargetInstanceUnavailable')
    this.#channels.moveFromOutside(peer, channelId)
  }

  /** A message of an instance, as the door that it came through knows who that is. */
  receive(instanceId: string, message: unknown): void {
    this.#received += 1
    const peer = this.#peers.get(instanceId)
    if (peer === undefined) {
      this.#report('not-connected', instanceId, `${instanceId} is not connected`, {
        type: typeOf(message),
      })
      return
    }
    peer.heardAt = this.#core.clock.now()
    const request = this.#checked(peer, message)
    if (request !== undefined) this.#handle(peer, request)
  }

  /** The agent for people. */
  status(): AgentStatus {
    return {
      fdc3Version: this.#fdc3Version,
      instances: [...this.#peers.values()].map((peer) => ({
        ...peer.identifier,
        userChannelId: peer.userChannelId,
        listeners: peer.listeners,
        intents: [...new Set(peer.intentListeners.values())],
      })),
      channels: this.#channels.status(),
      openIntents: this.#intents.open,
      received: this.#received,
      posted: this.#posted,
      malformed: this.#malformed,
    }
  }

  /** Ends it: no more heartbeats. */
  close(): void {
    this.#callOffBeat()
    for (const { instanceId } of [...this.#peers.values()]) this.disconnect(instanceId)
  }

  /** The message as a request of the standard; undefined when it was refused or dropped. */
  #checked(peer: Peer, message: unknown): Requests[RequestType] | undefined {
    const type = typeOf(message)
    if (type === 'WCP6Goodbye') {
      this.disconnect(peer.instanceId)
      return undefined
    }
    if (!this.#schemas.isRequest(type)) {
      this.#malformed += 1
      this.#report(
        'unknown-type',
        peer.instanceId,
        `${peer.instanceId} sent a message of no known type`,
        {
          type: type.slice(0, 64),
        },
      )
      return undefined
    }
    const normal = withoutNulls(type, message as { payload?: unknown })
    const problem = this.#schemas.problem(type, normal)
    if (problem === undefined) return normal as Requests[RequestType]
    this.#malformed += 1
    const text = `${peer.instanceId} sent a ${type} that is none: ${problem.path === '' ? 'it' : problem.path} ${problem.message}`
    this.#report('malformed', peer.instanceId, text, {
      type,
      path: problem.path,
      limit: problem.message,
    })
    const requestUuid = requestUuidOf(message)
    if (requestUuid !== undefined && type !== 'heartbeatAcknowledgementRequest') {
      const payload = { error: this.#schemas.refusalOf(type, problem) }
      this.#respond(peer.instanceId, responseType(type), requestUuid, payload)
    }
    return undefined
  }

  #handle(peer: Peer, request: Requests[RequestType]): void {
    const handler = this.#handlers[request.type] as Handler<RequestType>
    let answer: Reply | Promise<Reply>
    try {
      answer = handler(peer, request)
    } catch (error) {
      this.#refuse(peer, request, error)
      return
    }
    if (answer instanceof Promise) {
      answer.then(
        (reply) => this.#answer(peer, request, reply),
        (error: unknown) => this.#refuse(peer, request, error),
      )
    } else {
      this.#answer(peer, request, answer)
    }
  }

  #answer(peer: Peer, request: Requests[RequestType], { payload, after }: Reply): void {
    if (request.type === 'heartbeatAcknowledgementRequest') return
    // Whoever asked may have gone and come back meanwhile: then it is another, and did not ask.
    if (this.#peers.get(peer.instanceId) !== peer) return
    this.#respond(peer.instanceId, responseType(request.type), request.meta.requestUuid, payload)
    after?.()
  }

  #refuse(peer: Peer, request: Requests[RequestType], error: unknown): void {
    if (!(error instanceof Refusal)) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#report(
        'fault',
        peer.instanceId,
        `${request.type} of ${peer.instanceId} was not handled: ${reason}`,
        {
          type: request.type,
        },
      )
    }
    const name = error instanceof Refusal ? error.message : 'ApiTimeout'
    this.#answer(peer, request, reply({ error: name }))
  }

  #respond(to: string, type: string, requestUuid: string, payload: object): void {
    const peer = this.#peers.get(to)
    if (peer === undefined) return
    const { clock } = this.#core
    const timestamp = new Date(clock.now()).toISOString()
    const meta = {
      requestUuid,
      responseUuid: clock.uuid(),
      timestamp,
      source: peer.identifier satisfies AppIdentifier,
    }
    this.#post([to], { type, payload, meta })
  }

  #post(to: readonly string[], message: AgentMessage): void {
    this.#posted += to.length
    this.#surroundings.post(to, message)
  }

  #forget(peer: Peer): void {
    this.#channels.forget(peer)
    this.#intents.forget(peer)
  }

  #beat(): void {
    const now = this.#core.clock.now()
    for (const peer of [...this.#peers.values()]) {
      const silentMs = now - peer.heardAt
      if (silentMs <= this.#silentMs) continue
      this.#report(
        'silent',
        peer.instanceId,
        `${peer.instanceId} has said nothing for ${silentMs} ms`,
        { silentMs },
      )
      this.disconnect(peer.instanceId)
      this.#surroundings.onSilent?.(peer.instanceId)
    }
    const all = [...this.#peers.keys()]
    if (all.length > 0) this.#post(all, eventOf(this.#core, 'heartbeatEvent', {}))
    this.#callOffBeat = this.#core.clock.after(this.#heartbeatMs, () => this.#beat())
  }

  #report(
    kind: AgentProblem['kind'],
    instanceId: string | null,
    text: string,
    facts: AgentProblem['facts'],
  ): void {
    this.#surroundings.report({ kind, instanceId, text, facts })
  }

  #handlersOf(): Handlers {
    const channels = this.#channels
    const opening = this.#opening
    const intents = this.#intents
    return {
      getInfoRequest: (peer) => opening.getInfo(peer),
      getAppMetadataRequest: (peer, request) => opening.getAppMetadata(peer, request),
      findInstancesRequest: (peer, request) => opening.findInstances(peer, request),
      openRequest: (peer, request) => opening.open(peer, request),
      findIntentRequest: (peer, request) => intents.find(peer, request),
      findIntentsByContextRequest: (peer, request) => intents.findByContext(peer, request),
      raiseIntentRequest: (peer, request) => intents.raise(peer, request),
      raiseIntentForContextRequest: (peer, request) => intents.raiseForContext(peer, request),
      intentResultRequest: (peer, request) => intents.result(peer, request),
      addIntentListenerRequest: (peer, request) => intents.addListener(peer, request),
      intentListenerUnsubscribeRequest: (peer, request) => intents.removeListener(peer, request),
      getUserChannelsRequest: () => channels.getUserChannels(),
      getOrCreateChannelRequest: (peer, request) => channels.getOrCreate(peer, request),
      createPrivateChannelRequest: (peer) => channels.createPrivate(peer),
      joinUserChannelRequest: (peer, request) => channels.join(peer, request),
      leaveCurrentChannelRequest: (peer) => channels.leave(peer),
      getCurrentChannelRequest: (peer) => channels.current(peer),
      getCurrentContextRequest: (peer, request) => channels.currentContext(peer, request),
      broadcastRequest: (peer, request) => channels.broadcast(peer, request),
      addContextListenerRequest: (peer, request) => {
        const { payload, after } = channels.addContextListener(peer, request)
        const both = () => {
          after?.()
          opening.listening(peer, request.payload)
        }
        return { payload, after: both }
      },
      contextListenerUnsubscribeRequest: (peer, request) =>
        channels.removeContextListener(peer, request),
      addEventListenerRequest: (peer, request) => channels.addEventListener(peer, request),
      eventListenerUnsubscribeRequest: (peer, request) =>
        channels.removeEventListener(peer, request),
      privateChannelAddEventListenerRequest: (peer, request) =>
        channels.addPrivateListener(peer, request),
      privateChannelUnsubscribeEventListenerRequest: (peer, request) =>
        channels.removePrivateListener(peer, request),
      privateChannelDisconnectRequest: (peer, request) => channels.disconnectPrivate(peer, request),
      heartbeatAcknowledgementRequest: () => reply(),
    }
  }
}

/** Optional values that the official client 2.2.0 sends as null where an app leaves them out. */
const optional: Partial<Record<string, readonly string[]>> = {
  findIntentRequest: ['context', 'resultType'],
  openRequest: ['context'],
  raiseIntentRequest: ['app'],
  raiseIntentForContextRequest: ['app'],
}

/** The message with nulls for optional values left out: to the schemas null is not the same as nothing. */
function withoutNulls(type: string, message: { payload?: unknown }): unknown {
  const names = optional[type]
  const { payload } = message
  if (names === undefined || typeof payload !== 'object' || payload === null) return message
  const values = payload as Record<string, unknown>
  if (!names.some((name) => values[name] === null)) return message
  const kept = Object.entries(values).filter(
    ([name, value]) => value !== null || !names.includes(name),
  )
  return { ...message, payload: Object.fromEntries(kept) }
}

function typeOf(message: unknown): string {
  const type =
    typeof message === 'object' && message !== null
      ? (message as { type?: unknown }).type
      : undefined
  return typeof type === 'string' ? type : ''
}

function requestUuidOf(message: unknown): string | undefined {
  const { meta } = message as { meta?: unknown }
  const uuid =
    typeof meta === 'object' && meta !== null
      ? (meta as { requestUuid?: unknown }).requestUuid
      : undefined
  return typeof uuid === 'string' && uuid.length <= 256 ? uuid : undefined
}
