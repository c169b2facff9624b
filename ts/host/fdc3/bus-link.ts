/**
 * A Node program's connection to the desktop agent: the bus below, a `Session` that survives the agent's death, and
 * above it the messaging that the official client asks for.
 */
import { randomUUID } from 'node:crypto'
import type { Bus } from '../bus/bus.js'
import { hostError, isHostError } from '../error.js'
import { type AgentLink, agentAddress, agentTopic, type JoinLink } from './link.js'
import { AbstractMessaging, type RegisterableListener } from './proxy.js'
import { type Message, Session } from './session.js'

const retryMs = 100
/** An agent that took the wish to join answers it within so long, or has died over it. */
const answerMs = 2000
/** Without a word of the agent for so long it is asked whether it is there; it sends a heartbeat each 5 s. */
const silentMs = 16_000

interface First {
  resolve(identity: Identity): void
  reject(error: Error): void
}

/** An app as the agent named it. */
export interface Identity {
  readonly appId: string
  readonly instanceId: string
}

/** A connection. */
export class BusLink {
  readonly #bus: Bus
  readonly #session: Session
  readonly #listeners = new Map<string, RegisterableListener>()
  readonly #arrived: Message[] = []
  #isDelivering = false
  #isClosed = false
  #isJoining = false
  #attempt = 0
  #heardAt = Date.now()
  #unsubscribe: (() => Promise<void>) | undefined
  readonly #watch: NodeJS.Timeout
  readonly #first: First
  /** Settles with the agent's first answer. */
  readonly identity: Promise<Identity>

  constructor(bus: Bus) {
    this.#bus = bus
    let settle: First | undefined
    this.identity = new Promise((resolve, reject) => {
      settle = { resolve, reject }
    })
    // Who waits for it hears of a refusal; nobody need wait.
    this.identity.catch(() => undefined)
    this.#first = settle as unknown as First
    this.#session = new Session({
      send: (message) => this.#say(message),
      deliver: (message) => this.#arrive(message),
      uuid: randomUUID,
      now: () => Date.now(),
      after: (milliseconds, call) => setTimeout(call, milliseconds).unref(),
    })
    this.#watch = setInterval(() => this.#look(), 1000)
    this.#watch.unref()
    bus.onMessage((payload) => this.#hear(payload), agentAddress)
    bus.onConnection((isConnected) => {
      if (isConnected) this.#join()
      else this.#session.lost()
    })
    bus
      .subscribe(agentTopic, (_payload, sender) => {
        if (sender.instance === agentAddress) this.#join()
      })
      // A manifest may forbid it: then a heartbeat that stays away says the same, later.
      .then((unsubscribe) => {
        this.#unsubscribe = unsubscribe
      })
      .catch(() => undefined)
    this.#join()
  }

  /** Says something for the client. */
  post(message: Message): void {
    this.#session.fromClient(message)
  }

  /** Gives what comes to this listener too. */
  register(listener: RegisterableListener): void {
    if (listener.id !== null) this.#listeners.set(listener.id, listener)
  }

  /** No longer. */
  unregister(id: string): void {
    this.#listeners.delete(id)
  }

  /** Says good-bye. The bus stays as it is. May be called again. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#watch)
    this.#say({ type: 'WCP6Goodbye', payload: {}, meta: { timestamp: new Date().toISOString() } })
    this.#unsubscribe?.().catch(() => undefined)
    this.#listeners.clear()
  }

  #say(message: Message): void {
    this.#bus.send(agentAddress, Buffer.from(JSON.stringify(message))).catch((error: unknown) => {
      if (this.#isClosed) return
      if (isHostError(error, 'HOST_BUSY')) {
        setTimeout(() => this.#say(message), retryMs).unref()
        return
      }
      if (isHostError(error, 'HOST_UNREACHABLE')) this.#session.returned(message)
      if (!this.#isJoining) this.#join()
    })
  }

  /** Joins anew. Only the answer to the last attempt counts: what was said in between is said again after it. */
  #join(): void {
    if (this.#isClosed) return
    this.#session.lost()
    const attempt = this.#attempt + 1
    this.#attempt = attempt
    this.#isJoining = true
    const again = () => {
      if (this.#attempt === attempt && this.#isJoining) this.#join()
    }
    const join: JoinLink = { link: 'join', attempt }
    this.#bus.send(agentAddress, Buffer.from(JSON.stringify(join))).then(
      () => setTimeout(again, answerMs).unref(),
      () => setTimeout(again, retryMs).unref(),
    )
  }

  #look(): void {
    if (Date.now() - this.#heardAt <= silentMs) return
    this.#heardAt = Date.now()
    this.#join()
  }

  #hear(payload: Buffer): void {
    if (this.#isClosed) return
    this.#heardAt = Date.now()
    const message = JSON.parse(payload.toString('utf8')) as Message | AgentLink
    if (!('link' in message)) {
      this.#session.fromAgent(message)
      return
    }
    switch (message.link) {
      case 'joined':
        if (message.attempt !== this.#attempt) break
        this.#isJoining = false
        this.#first.resolve({ appId: message.appId, instanceId: message.instanceId })
        this.#session.joined()
        break
      case 'refused':
        this.#isJoining = false
        this.#first.reject(
          hostError('HOST_FORBIDDEN', `the desktop agent refused: ${message.reason}`, {
            uuid: this.#bus.address,
            permission: 'fdc3',
          }),
        )
        break
      case 'lost':
        if (!this.#isJoining) this.#join()
        break
    }
  }

  /**
   * One message a turn of the event loop. The client adds a listener in the turns of its promises after an answer came;
   * an event right behind the answer would find nobody.
   */
  #arrive(message: Message): void {
    this.#arrived.push(message)
    if (!this.#isDelivering) this.#deliver()
  }

  #deliver(): void {
    const message = this.#arrived.shift()
    this.#isDelivering = message !== undefined
    if (message === undefined) return
    setImmediate(() => this.#deliver())
    for (const listener of [...this.#listeners.values()]) {
      // biome-ignore lint/suspicious/noExplicitAny: the client's type names its messages, ours are what came
      if (listener.filter(message as any)) listener.action(message as any)
    }
  }
}

/** What the official client speaks through. */
export class BusMessaging extends AbstractMessaging {
  readonly #link: BusLink

  constructor(link: BusLink, identity: Identity) {
    super(identity)
    this.#link = link
  }

  override createUUID(): string {
    return randomUUID()
  }

  override async post(message: object): Promise<void> {
    const { meta, ...rest } = message as Message
    const timestamp = meta.timestamp instanceof Date ? meta.timestamp.toISOString() : meta.timestamp
    this.#link.post({ ...rest, meta: { ...meta, timestamp } })
  }

  override register(listener: RegisterableListener): void {
    this.#link.register(listener)
  }

  override unregister(id: string): void {
    this.#link.unregister(id)
  }

  override createMeta(): { requestUuid: string; timestamp: Date; source: Identity } {
    return {
      requestUuid: randomUUID(),
      timestamp: new Date(),
      source: this.getAppIdentifier() as Identity,
    }
  }

  override async disconnect(): Promise<void> {
    this.#link.close()
  }
}
