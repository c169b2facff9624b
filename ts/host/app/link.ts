/**
 * An app's connection to its supervisor. It ends when the supervisor does, and comes back by itself; how long there was
 * none is counted in time that this process was running, so that a machine that slept makes no orphans.
 */
import net from 'node:net'
import { type HostErrorFacts, hostError } from '../error.js'
import type { ControlHello, ControlWelcome } from '../supervisor/control.js'
import { controlProtocol } from '../supervisor/control.js'
import { Channel, jsonBytes, jsonOf, type RequestOptions } from '../wire/channel.js'
import { frameBytes, Kind } from '../wire/frame.js'

/** First wait before the connection is tried again; doubled each time. Milliseconds. */
const retryMsMin = 10
/** Longest wait: a supervisor that is back finds all of its apps within that. */
const retryMsMax = 200
/** A supervisor that says nothing for so long after `hello` is none. */
const welcomeMs = 5000
/** Of a wait that lasted longer than it should, at most this much more is counted. */
const slackMs = 1000

/** What a link is for. */
export interface LinkEvents {
  /** Whom this process says it is, at each connection. */
  hello(): Omit<Extract<ControlHello, { role: 'app' }>, 'protocol' | 'role'>
  /** The supervisor took it. */
  onWelcome(welcome: ControlWelcome): void
  /** The supervisor said no; the connection is tried again all the same. */
  onRefused(error: Error): void
  /** The supervisor said something. */
  onNote(name: string, value: unknown): void
  /** The supervisor asks. */
  onRequest(name: string, payload: Buffer): Promise<Uint8Array>
  /** No supervisor for so many milliseconds; told after each try. */
  onAlone(aloneMs: number): void
}

/** A connection that comes back. */
export class ControlLink {
  readonly #path: string
  readonly #events: LinkEvents
  #channel: Channel | undefined
  #timer: NodeJS.Timeout | undefined
  #isWelcome = false
  #isClosed = false
  #retryMs = retryMsMin
  #aloneMs = 0

  constructor(path: string, events: LinkEvents) {
    this.#path = path
    this.#events = events
    this.#connect()
  }

  /** True while a supervisor listens. */
  get isConnected(): boolean {
    return this.#isWelcome
  }

  /** Says something to the supervisor, or no more than its name; lost where there is none. */
  note(name: string, value: unknown): void {
    if (this.#isWelcome) this.#channel?.note(name, value === undefined ? value : jsonBytes(value))
  }

  /** Asks the supervisor; rejects with its refusal, or with `HOST_DISCONNECTED` where there is none. */
  async ask(name: string, value: unknown, options?: RequestOptions): Promise<unknown> {
    if (!this.#isWelcome || this.#channel === undefined) {
      throw hostError('HOST_DISCONNECTED', `there is no supervisor to ask for ${name}`, {
        method: name,
      })
    }
    return jsonOf(await this.#channel.request(name, jsonBytes(value), options))
  }

  /** Says the last thing that this process says: it is with the operating system when this returns. */
  lastNote(name: string, value: unknown): void {
    this.note(name, value)
    this.#isClosed = true
    this.#channel?.finish()
  }

  /** Ends the link after what was said has gone out. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const channel = this.#channel
    if (channel === undefined || channel.isEnded) return
    const { socket } = channel
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve())
      channel.finish()
      // A supervisor that reads nothing does not keep an app from its end.
      setTimeout(() => channel.close(), slackMs).unref()
    })
  }

  #connect(): void {
    const socket = net.connect(this.#path)
    const timer = setTimeout(() => socket.destroy(), welcomeMs)
    const channel = new Channel(socket, {
      onNote: (name, payload) => this.#events.onNote(name, jsonOf(payload)),
      onRequest: (name, payload) => this.#events.onRequest(name, payload),
      onFrame: (frame) => {
        if (frame.kind === Kind.welcome) {
          clearTimeout(timer)
          this.#welcome(jsonOf(frame.payload))
        } else if (frame.kind === Kind.refused) {
          this.#events.onRefused(refusalOf(jsonOf(frame.payload)))
          channel.close()
        }
      },
      onEnd: () => {
        clearTimeout(timer)
        this.#lost()
      },
    })
    this.#channel = channel
    socket.once('connect', () => {
      const hello = { protocol: controlProtocol, role: 'app', ...this.#events.hello() } as const
      channel.send(frameBytes(Kind.hello, 0, '', jsonBytes(hello)))
    })
  }

  #welcome(value: unknown): void {
    const welcome = (value ?? {}) as ControlWelcome
    if (welcome.protocol !== controlProtocol) {
      const message = `the supervisor speaks protocol ${welcome.protocol}, this app ${controlProtocol}; start both from one version of pos-kernel`
      const facts = { found: welcome.protocol, known: controlProtocol }
      this.#events.onRefused(hostError('HOST_PROTOCOL', message, facts))
      this.#channel?.close()
      return
    }
    this.#isWelcome = true
    this.#aloneMs = 0
    this.#retryMs = retryMsMin
    this.#events.onWelcome(welcome)
  }

  #lost(): void {
    this.#isWelcome = false
    if (this.#isClosed) return
    const waitMs = this.#retryMs * (0.5 + Math.random() / 2)
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax)
    const since = performance.now()
    this.#timer = setTimeout(() => {
      const ms = performance.now() - since
      this.#aloneMs += Math.min(ms, waitMs + slackMs)
      this.#events.onAlone(this.#aloneMs)
      if (!this.#isClosed) this.#connect()
    }, waitMs)
  }
}

function refusalOf(value: unknown): Error {
  const { code, message, facts } = (value ?? {}) as Record<string, unknown>
  return hostError(
    typeof code === 'string' ? code : 'HOST_FAILED',
    typeof message === 'string' ? message : 'the supervisor refused this app',
    (facts ?? {}) as HostErrorFacts,
  )
}
