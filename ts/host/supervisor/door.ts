/**
 * The control socket: who comes in, how much they may say, and when they are shown out.
 *
 * A caller has three seconds to say who it is, in one frame. Then it may say so many frames a second, each of so many
 * bytes, and has to read what it is told. Who breaks one of these is cut off and reported; nobody else notices,
 * since what one caller can make the supervisor do and keep is bounded. The door knows nothing of apps: `identify`
 * says who shows a token, and `hear` and `answer` do what is asked.
 */
import { unlink } from 'node:fs/promises'
import net from 'node:net'
import { hostError, isHostError } from '../error.js'
import { listenOn } from '../socket.js'
import { Channel, type ChannelEnd, type ChannelEvents, jsonBytes, jsonOf } from '../wire/channel.js'
import { type Frame, frameBytes, frameBytesMax, Kind } from '../wire/frame.js'
import { type ControlWelcome, controlProtocol } from './control.js'

/** Milliseconds in which a caller says who it is. */
const helloMs = 3000
/** Callers that have not said who they are; of more the oldest is shown out. */
const strangersMax = 64
/** Bytes of a first frame. */
const helloBytesMax = 4096
/** Frames in a second; a heartbeat is two. */
export const framesPerSecondMax = 2000
/** Bytes of one note or request. */
export const payloadBytesMax = 256 * 1024

/** Someone who showed who it is. */
export interface Caller {
  /** For reports: an instance, `operator`, or a part of the host. */
  readonly name: string
  /** The app behind it, where there is one. */
  readonly uuid: string | null
  /** What is said to it in return. */
  readonly welcome: Omit<ControlWelcome, 'protocol'>
  /** It is connected. */
  onOpen(channel: Channel): void
  /** It said something. */
  hear(name: string, value: unknown): void
  /** It asked something. */
  answer(name: string, value: unknown, signal: AbortSignal): Promise<unknown>
  /** It went. */
  onEnd(channel: Channel): void
}

/** What a door is for. */
export interface DoorEvents {
  /** Who that is; throws what is said to the caller where it is nobody. */
  identify(hello: Readonly<Record<string, unknown>>): Caller
  /** Somebody was refused or shown out. */
  onRefused(refused: {
    readonly uuid: string | null
    readonly name: string
    readonly code: string
    readonly text: string
  }): void
}

/** An open control socket. */
export class Door {
  readonly #path: string
  readonly #events: DoorEvents
  readonly #server: net.Server
  readonly #guests = new Set<Guest>()

  private constructor(socket: string, events: DoorEvents) {
    this.#path = socket
    this.#events = events
    this.#server = net.createServer((connection) => this.#admit(connection))
  }

  /** Opens the socket. Only who has the lock of the host may: what lies there is removed. */
  static async open(socket: string, events: DoorEvents): Promise<Door> {
    const door = new Door(socket, events)
    // Apps run as users of their own; what counts is the token.
    await listenOn(door.#server, socket, { mode: 0o666, backlog: 1024 })
    return door
  }

  /** Shows everybody out and closes the socket. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const guest of [...this.#guests]) guest.channel.finish()
    const timer = setTimeout(() => {
      for (const guest of [...this.#guests]) guest.channel.close()
    }, 500)
    await closed
    clearTimeout(timer)
    if (process.platform !== 'win32') await unlink(this.#path).catch(() => {})
  }

  #admit(connection: net.Socket): void {
    const guest = new Guest(connection, this.#events, () => this.#guests.delete(guest))
    this.#guests.add(guest)
    const strangers = [...this.#guests].filter(({ caller }) => caller === undefined)
    if (strangers.length > strangersMax) strangers[0]?.channel.close()
  }
}

/** One connection. */
class Guest {
  readonly channel: Channel
  caller: Caller | undefined
  readonly #events: DoorEvents
  readonly #onGone: () => void
  readonly #timer: NodeJS.Timeout
  #second = 0
  #frames = 0
  #isRefused = false

  constructor(connection: net.Socket, events: DoorEvents, onGone: () => void) {
    this.#events = events
    this.#onGone = onGone
    const channelEvents: ChannelEvents = {
      onFrame: (frame) => this.#hello(frame),
      onNote: (name, payload) => {
        if (this.#mayGoOn(payload)) this.caller?.hear(name, jsonOf(payload))
      },
      onRequest: async (name, payload, signal) => {
        if (!this.#mayGoOn(payload)) throw hostError('HOST_BUSY', 'too much was said', {})
        return jsonBytes((await this.caller?.answer(name, jsonOf(payload), signal)) ?? null)
      },
      onEnd: (why) => this.#ended(why),
    }
    // Answers may be longer than a frame; nothing that a caller says is.
    this.channel = new Channel(connection, channelEvents, frameBytesMax)
    this.#timer = setTimeout(() => {
      this.#refuse('HOST_TIMED_OUT', `did not say who it is within ${helloMs} ms`)
    }, helloMs)
  }

  #hello(frame: Frame): void {
    const value = jsonOf(frame.payload)
    const isHello =
      this.caller === undefined &&
      frame.kind === Kind.hello &&
      frame.payload.length <= helloBytesMax &&
      typeof value === 'object' &&
      value !== null
    if (!isHello) {
      this.#refuse('HOST_PROTOCOL', 'began with something else than a hello')
      return
    }
    const hello = value as Record<string, unknown>
    if (hello.protocol !== controlProtocol) {
      const text = `speaks version ${String(hello.protocol)}; this supervisor speaks version ${controlProtocol}`
      this.#refuse('HOST_PROTOCOL', text, { found: hello.protocol, known: controlProtocol })
      return
    }
    try {
      const caller = this.#events.identify(hello)
      this.caller = caller
      clearTimeout(this.#timer)
      const welcome: ControlWelcome = { protocol: controlProtocol, ...caller.welcome }
      this.channel.send(frameBytes(Kind.welcome, 0, '', jsonBytes(welcome)))
      caller.onOpen(this.channel)
    } catch (error) {
      const code = isHostError(error) ? error.code : 'HOST_IDENTITY'
      this.#refuse(code, (error as Error).message, isHostError(error) ? error.facts : {})
    }
  }

  /** Counts what comes. */
  #mayGoOn(payload: Buffer): boolean {
    if (this.caller === undefined) {
      this.#refuse('HOST_PROTOCOL', 'spoke before it said who it is')
      return false
    }
    if (payload.length > payloadBytesMax) {
      const text = `said ${payload.length} bytes at once; at most ${payloadBytesMax}`
      this.#refuse('HOST_TOO_LARGE', text, { bytes: payload.length, limit: payloadBytesMax })
      return false
    }
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#frames = 0
    }
    this.#frames += 1
    if (this.#frames <= framesPerSecondMax) return true
    const text = `said more than ${framesPerSecondMax} frames in a second`
    this.#refuse('HOST_BUSY', text, { limit: framesPerSecondMax })
    return false
  }

  #refuse(code: string, text: string, facts: Readonly<Record<string, unknown>> = {}): void {
    // Once: what a caller says after that is neither answered nor counted.
    if (this.channel.isEnded || this.#isRefused) return
    this.#isRefused = true
    this.#report(code, text)
    this.channel.send(frameBytes(Kind.refused, 0, '', jsonBytes({ code, message: text, facts })))
    this.channel.finish()
    this.channel.socket.pause()
    // Who does not take its leave is put out.
    const timer = setTimeout(() => this.channel.close(), 200)
    timer.unref()
    if (this.caller !== undefined) this.channel.close()
  }

  #report(code: string, text: string): void {
    const { name = 'a caller', uuid = null } = this.caller ?? {}
    this.#events.onRefused({ uuid, name, code, text })
  }

  #ended(why: ChannelEnd): void {
    clearTimeout(this.#timer)
    if (why === 'nonsense') this.#report('HOST_PROTOCOL', 'said what is no frame, or is too long')
    if (why === 'unread') this.#report('HOST_BUSY', 'did not read what it was told')
    this.#onGone()
    this.caller?.onEnd(this.channel)
  }
}
