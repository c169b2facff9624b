/**
 * What a client remembers so that it can register again when the desktop agent went and came back. It stands
 * between the official client, which knows nothing of that, and the connection; the same code serves Node
 * programs and pages, so it uses nothing of either.
 *
 * ```text
 *            fromClient --> |         | --> send
 * client                    | Session |          agent
 *            deliver    <-- |         | <-- fromAgent
 * ```
 * After a new agent has joined it, a session makes its app channels and goes back to its user channel, adds its
 * listeners again under their old names, and says what is lost: private channels are disconnected, intents that
 * waited for a result have none. Questions under way are asked again. What might be done twice (a broadcast, an
 * intent, an opening) is answered with `ApiTimeout`: nobody knows whether it was done.
 */

/** A message of the Desktop Agent Communication Protocol. */
export interface Message {
  readonly type: string
  readonly payload: Record<string, unknown>
  readonly meta: Record<string, unknown>
}

/** What a session needs. */
export interface SessionEnds {
  /** To the agent. */
  send(message: Message): void
  /** To the client. */
  deliver(message: Message): void
  uuid(): string
  now(): number
  /** Calls once after so many milliseconds. */
  after(milliseconds: number, call: () => void): void
}

interface Registered {
  readonly request: Message
  /** Its name at the agent that is there now. */
  agentUuid: string
}

/** Requests that may be done once only. */
const onceOnly: ReadonlySet<string> = new Set([
  'broadcastRequest',
  'openRequest',
  'raiseIntentRequest',
  'raiseIntentForContextRequest',
])
const registering: ReadonlySet<string> = new Set([
  'addContextListenerRequest',
  'addIntentListenerRequest',
  'addEventListenerRequest',
  'privateChannelAddEventListenerRequest',
])
const unregistering: ReadonlySet<string> = new Set([
  'contextListenerUnsubscribeRequest',
  'intentListenerUnsubscribeRequest',
  'eventListenerUnsubscribeRequest',
  'privateChannelUnsubscribeEventListenerRequest',
])
const launching: ReadonlySet<string> = new Set([
  'openRequest',
  'raiseIntentRequest',
  'raiseIntentForContextRequest',
])
/** The client waits 10 s for an answer: what waited longer nobody waits for. */
const freshMs = 9000
const freshLaunchMs = 90_000
const replayMs = 5000
/** Requests that may wait for the agent to come back. */
const waitingMax = 2000

/** A client's memory. */
export class Session {
  readonly #ends: SessionEnds
  #state: 'away' | 'replaying' | 'here' = 'away'
  readonly #waiting: { readonly message: Message; readonly at: number }[] = []
  readonly #inFlight = new Map<string, Message>()
  readonly #registered = new Map<string, Registered>()
  readonly #appChannels = new Set<string>()
  readonly #privateChannels = new Set<string>()
  readonly #raised = new Set<string>()
  readonly #replays = new Map<string, (response: Message) => void>()
  #userChannelId: string | null = null
  #hasJoined = false

  constructor(ends: SessionEnds) {
    this.#ends = ends
  }

  /** True while an agent is there. */
  get isHere(): boolean {
    return this.#state === 'here'
  }

  /** Listeners that the client has. */
  get listeners(): number {
    return this.#registered.size
  }

  /** Something that the client says. */
  fromClient(message: Message): void {
    if (this.#state === 'here') {
      this.#send(message)
    } else if (this.#waiting.length < waitingMax) {
      this.#waiting.push({ message, at: this.#ends.now() })
    } else {
      this.#answer(message, { error: 'ApiTimeout' })
    }
  }

  /** Something that the agent says. */
  fromAgent(message: Message): void {
    const requestUuid = message.meta.requestUuid
    if (typeof requestUuid === 'string') {
      const onReplay = this.#replays.get(requestUuid)
      if (onReplay !== undefined) {
        this.#replays.delete(requestUuid)
        onReplay(message)
        return
      }
      this.#note(requestUuid, message)
    }
    if (message.type === 'channelChangedEvent') {
      this.#userChannelId = (message.payload.newChannelId as string | null | undefined) ?? null
    }
    this.#ends.deliver(message)
  }

  /** This was not taken by anybody: it is said again once an agent is there. */
  returned(message: Message): void {
    this.#state = 'away'
    const { requestUuid } = message.meta
    if (typeof requestUuid !== 'string' || !this.#inFlight.delete(requestUuid)) return
    this.#waiting.push({ message, at: this.#ends.now() })
  }

  /** The agent is gone, or does not know this session any more. */
  lost(): void {
    this.#state = 'away'
    this.#replays.clear()
  }

  /** An agent has taken this session up, and knows nothing of what was. */
  joined(): void {
    const isFirst = !this.#hasJoined
    this.#hasJoined = true
    this.#state = 'replaying'
    if (!isFirst) this.#sayWhatIsLost()
    this.#replay(() => {
      this.#state = 'here'
      const inFlight = [...this.#inFlight.values()]
      this.#inFlight.clear()
      for (const message of inFlight) {
        if (message.type === 'intentResultRequest') this.#answer(message, {})
        else if (onceOnly.has(message.type)) this.#answer(message, { error: 'ApiTimeout' })
        else this.#send(message)
      }
      const now = this.#ends.now()
      for (const { message, at } of this.#waiting.splice(0)) {
        if (now - at <= (launching.has(message.type) ? freshLaunchMs : freshMs)) this.#send(message)
      }
    })
  }

  #send(message: Message): void {
    const requestUuid = message.meta.requestUuid
    let said = message
    if (unregistering.has(message.type)) {
      const listenerUUID = message.payload.listenerUUID as string
      const registered = this.#registered.get(listenerUUID)
      this.#registered.delete(listenerUUID)
      if (registered !== undefined && registered.agentUuid !== listenerUUID) {
        said = { ...message, payload: { ...message.payload, listenerUUID: registered.agentUuid } }
      }
    }
    if (typeof requestUuid === 'string' && !message.type.startsWith('heartbeat')) {
      this.#inFlight.set(requestUuid, said)
    }
    this.#ends.send(said)
  }

  /** Learns from an answer. */
  #note(requestUuid: string, { type, payload }: Message): void {
    if (type === 'raiseIntentResultResponse') {
      this.#raised.delete(requestUuid)
      this.#notePrivate((payload.intentResult as { channel?: unknown } | undefined)?.channel)
      return
    }
    const request = this.#inFlight.get(requestUuid)
    if (request === undefined) return
    this.#inFlight.delete(requestUuid)
    if (payload.error !== undefined) return
    if (registering.has(request.type)) {
      const listenerUUID = payload.listenerUUID as string
      this.#registered.set(listenerUUID, { request, agentUuid: listenerUUID })
    } else if (request.type === 'joinUserChannelRequest') {
      this.#userChannelId = request.payload.channelId as string
    } else if (request.type === 'leaveCurrentChannelRequest') {
      this.#userChannelId = null
    } else if (request.type === 'getOrCreateChannelRequest') {
      this.#appChannels.add(request.payload.channelId as string)
    } else if (request.type === 'createPrivateChannelRequest') {
      this.#notePrivate(payload.privateChannel)
    } else if (request.type === 'privateChannelDisconnectRequest') {
      this.#forgetPrivate(request.payload.channelId as string)
    } else if (request.type.startsWith('raiseIntent') && payload.intentResolution !== undefined) {
      this.#raised.add(requestUuid)
    }
  }

  #notePrivate(channel: unknown): void {
    const { id, type } = (typeof channel === 'object' && channel !== null ? channel : {}) as Record<
      string,
      unknown
    >
    if (type === 'private' && typeof id === 'string') this.#privateChannels.add(id)
  }

  #forgetPrivate(channelId: string): void {
    this.#privateChannels.delete(channelId)
    for (const [listenerUUID, { request }] of [...this.#registered]) {
      const { channelId: contexts, privateChannelId: events } = request.payload
      if (contexts === channelId || events === channelId) this.#registered.delete(listenerUUID)
    }
  }

  #sayWhatIsLost(): void {
    for (const privateChannelId of [...this.#privateChannels]) {
      this.#forgetPrivate(privateChannelId)
      this.#ends.deliver({
        type: 'privateChannelOnDisconnectEvent',
        payload: { privateChannelId },
        meta: { eventUuid: this.#ends.uuid(), timestamp: this.#timestamp() },
      })
    }
    for (const requestUuid of [...this.#raised]) {
      this.#raised.delete(requestUuid)
      const payload = { error: 'NoResultReturned' }
      this.#ends.deliver({
        type: 'raiseIntentResultResponse',
        payload,
        meta: this.#responseMeta(requestUuid),
      })
    }
  }

  /** Makes the new agent know what the old one knew; calls when it has answered, or after a while. */
  #replay(done: () => void): void {
    let open = 0
    let isDone = false
    const end = () => {
      if (isDone || this.#state !== 'replaying') return
      isDone = true
      done()
    }
    const ask = (
      type: string,
      payload: Record<string, unknown>,
      onAnswer?: (response: Message) => void,
    ) => {
      open += 1
      const requestUuid = this.#ends.uuid()
      this.#replays.set(requestUuid, (response) => {
        onAnswer?.(response)
        open -= 1
        if (open === 0) end()
      })
      this.#ends.send({ type, payload, meta: { requestUuid, timestamp: this.#timestamp() } })
    }
    for (const channelId of this.#appChannels) ask('getOrCreateChannelRequest', { channelId })
    if (this.#userChannelId !== null)
      ask('joinUserChannelRequest', { channelId: this.#userChannelId })
    for (const registered of this.#registered.values()) {
      ask(registered.request.type, registered.request.payload, ({ payload }) => {
        if (typeof payload.listenerUUID === 'string') registered.agentUuid = payload.listenerUUID
      })
    }
    if (open === 0) end()
    else this.#ends.after(replayMs, end)
  }

  /** Answers the client in the agent's place. */
  #answer({ type, meta }: Message, payload: Record<string, unknown>): void {
    if (!type.endsWith('Request') || type.startsWith('heartbeat')) return
    const response = type.replace(/Request$/, 'Response')
    this.#ends.deliver({ type: response, payload, meta: this.#responseMeta(meta.requestUuid) })
  }

  #responseMeta(requestUuid: unknown): Record<string, unknown> {
    return { requestUuid, responseUuid: this.#ends.uuid(), timestamp: this.#timestamp() }
  }

  #timestamp(): string {
    return new Date(this.#ends.now()).toISOString()
  }
}
