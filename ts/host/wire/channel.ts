/**
 * One connection of the host, seen from one of its ends: notes, and requests that are answered, refused,
 * given up or overtaken by the end of the connection. Both ends may ask.
 *
 * What is longer than a frame, as the status of a thousand apps, goes in several, one right behind the other, each but the last with
 * the flag `more`.
 */
import type { Duplex } from 'node:stream'
import { type HostErrorFacts, hostError } from '../error.js'
import {
  type Frame,
  FrameReader,
  flagMore,
  frameBytes,
  frameBytesMax,
  frameOf,
  headBytes,
  Kind,
} from './frame.js'

/** Bytes that may wait for a peer that does not read. More, and the connection ends. */
export const waitingBytesMax = 8 * 1024 * 1024
/** Bytes of one note, request or answer, in however many frames. */
export const messageBytesMax = 4 * 1024 * 1024
/** Milliseconds that a request waits for its answer where the caller does not say. */
export const requestMsDefault = 10_000

/** What a channel does with what comes. */
export interface ChannelEvents {
  /** A request; the answer's payload. What it throws becomes a fault. `signal` ends when nobody waits any more. */
  onRequest?(name: string, payload: Buffer, signal: AbortSignal): Promise<Uint8Array> | Uint8Array
  /** A note. */
  onNote?(name: string, payload: Buffer): void
  /** Any other frame: `hello`, `welcome`, `refused` and those of the bus. */
  onFrame?(frame: Frame): void
  /** The connection ended; called once. */
  onEnd?(why: ChannelEnd): void
}

/**
 * How a connection ended: `closed` by either side; `nonsense`, the peer sent what is no frame or is too long;
 * `unread`, the peer did not read what was sent to it.
 */
export type ChannelEnd = 'closed' | 'nonsense' | 'unread'

/** Choices of one request. */
export interface RequestOptions {
  /** Milliseconds to wait; 10,000 unless said. */
  readonly timeoutMs?: number
  /** Gives the request up. */
  readonly signal?: AbortSignal
}

interface Waiting {
  readonly name: string
  resolve(payload: Buffer): void
  reject(error: Error): void
  end(): void
}

/** A connection. */
export class Channel {
  readonly socket: Duplex
  readonly #events: ChannelEvents
  readonly #reader = new FrameReader(flagMore)
  /** Bytes that the peer may say at once. */
  readonly #heardMax: number
  /** The frames so far of what has not been said to its end. */
  #begun: Frame[] = []
  #begunBytes = 0
  readonly #waiting = new Map<number, Waiting>()
  readonly #answering = new Map<number, AbortController>()
  #lastId = 0
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #isEnded = false

  /** @param heardMax - bytes of one note, request or answer of the peer; more, and the connection ends */
  constructor(socket: Duplex, events: ChannelEvents, heardMax: number = messageBytesMax) {
    this.socket = socket
    this.#heardMax = heardMax
    this.#events = events
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', () => {})
    socket.on('close', () => this.#end('closed'))
  }

  /** True once the connection has ended. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Bytes that were said and that the operating system has not taken yet. */
  get waitingBytes(): number {
    return this.socket.writableLength + this.#gatheredBytes
  }

  /** Says something that needs no answer. */
  note(name: string, payload?: Uint8Array): void {
    this.#say(framesOf(Kind.note, 0, name, payload))
  }

  /**
   * Asks. Rejects with `HOST_REFUSED` codes of the peer, `HOST_TIMED_OUT`, `HOST_CANCELLED`, or
   * `HOST_DISCONNECTED`: then it is not known whether the peer did what was asked.
   */
  request(name: string, payload?: Uint8Array, options: RequestOptions = {}): Promise<Buffer> {
    if (this.#isEnded) return Promise.reject(disconnected(name))
    const { timeoutMs = requestMsDefault, signal } = options
    if (signal?.aborted)
      return Promise.reject(hostError('HOST_CANCELLED', `${name} was given up`, { method: name }))
    const id = this.#nextId()
    const frames = framesOf(Kind.request, id, name, payload)
    return new Promise((resolve, reject) => {
      const giveUp = (error: Error) => {
        waiting.end()
        this.send(frameBytes(Kind.cancel, id, ''))
        reject(error)
      }
      const onAbort = () =>
        giveUp(hostError('HOST_CANCELLED', `${name} was given up`, { method: name }))
      const timer = setTimeout(() => {
        const message = `${name} was not answered within ${timeoutMs} ms`
        giveUp(hostError('HOST_TIMED_OUT', message, { method: name, timeoutMs }))
      }, timeoutMs)
      const waiting: Waiting = {
        name,
        resolve,
        reject,
        end: () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', onAbort)
          this.#waiting.delete(id)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.set(id, waiting)
      this.#say(frames)
    })
  }

  /** Sends a frame; those of one turn of the event loop go in one call of the system. */
  send(bytes: Buffer): void {
    if (this.#isEnded) return
    if (this.waitingBytes + bytes.length > waitingBytesMax) {
      this.#cut('unread')
      return
    }
    this.#gathered.push(bytes)
    this.#gatheredBytes += bytes.length
    if (this.#gathered.length === 1) process.nextTick(() => this.#flush())
  }

  /** Ends the connection at once; what waits for an answer is rejected. May be called again. */
  close(): void {
    this.#flush()
    this.#cut('closed')
  }

  /** Ends the connection after what was said has gone out. */
  finish(): void {
    this.#flush()
    this.socket.end()
  }

  #say(frames: readonly Buffer[]): void {
    for (const frame of frames) this.send(frame)
  }

  #flush(): void {
    const { length } = this.#gathered
    if (length === 0 || this.#isEnded) return
    const bytes =
      length === 1
        ? (this.#gathered[0] as Buffer)
        : Buffer.concat(this.#gathered, this.#gatheredBytes)
    this.#gathered = []
    this.#gatheredBytes = 0
    this.socket.write(bytes)
  }

  #take(bytes: Buffer): void {
    const frames = this.#reader.read(bytes)
    if (frames === undefined) {
      this.#cut('nonsense')
      return
    }
    for (const frame of frames) {
      if (this.#isEnded) return
      const isWhole = ((frame[6] as number) & flagMore) === 0
      if (isWhole && this.#begun.length === 0) this.#handle(frameOf(frame))
      else this.#goOn(frameOf(frame), isWhole)
    }
  }

  /** One more of the frames in which something long comes. */
  #goOn(frame: Frame, isLast: boolean): void {
    const [first = frame] = this.#begun
    this.#begunBytes += frame.payload.length
    const isNext = first.kind === frame.kind && first.id === frame.id && first.name === frame.name
    if (!isNext || this.#begunBytes > this.#heardMax) {
      this.#cut('nonsense')
      return
    }
    // A view of what was read: it is kept beyond this call.
    this.#begun.push({ ...frame, payload: Buffer.from(frame.payload) })
    if (!isLast) return
    const payload = Buffer.concat(this.#begun.map((each) => each.payload))
    this.#begun = []
    this.#begunBytes = 0
    this.#handle({ ...first, payload })
  }

  #handle(frame: Frame): void {
    switch (frame.kind) {
      case Kind.request:
        void this.#answer(frame)
        break
      case Kind.note:
        this.#events.onNote?.(frame.name, frame.payload)
        break
      case Kind.answer:
      case Kind.fault:
        this.#settle(frame)
        break
      case Kind.cancel:
        this.#answering.get(frame.id)?.abort()
        break
      default:
        this.#events.onFrame?.(frame)
    }
  }

  #settle(frame: Frame): void {
    const waiting = this.#waiting.get(frame.id)
    // An answer to what was given up.
    if (waiting === undefined) return
    waiting.end()
    if (frame.kind === Kind.answer) waiting.resolve(frame.payload)
    else waiting.reject(faultOf(waiting.name, frame.payload))
  }

  async #answer(frame: Frame): Promise<void> {
    const controller = new AbortController()
    this.#answering.set(frame.id, controller)
    try {
      const { onRequest } = this.#events
      if (onRequest === undefined)
        throw hostError('HOST_NO_METHOD', `${frame.name} is not known here`, { method: frame.name })
      const answer = await onRequest(frame.name, frame.payload, controller.signal)
      if (!controller.signal.aborted) this.#say(framesOf(Kind.answer, frame.id, '', answer))
    } catch (error) {
      if (!controller.signal.aborted)
        this.send(frameBytes(Kind.fault, frame.id, '', jsonBytes(faultFacts(error))))
    } finally {
      this.#answering.delete(frame.id)
    }
  }

  #nextId(): number {
    do {
      this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1
    } while (this.#waiting.has(this.#lastId))
    return this.#lastId
  }

  #cut(why: ChannelEnd): void {
    this.socket.destroy()
    this.#end(why)
  }

  #end(why: ChannelEnd): void {
    if (this.#isEnded) return
    this.#isEnded = true
    for (const waiting of [...this.#waiting.values()]) {
      waiting.end()
      waiting.reject(disconnected(waiting.name))
    }
    for (const controller of this.#answering.values()) controller.abort()
    this.#events.onEnd?.(why)
  }
}

/** What is said, as frames. Throws a `RangeError` that names the limit when it is too long. */
function framesOf(kind: Kind, id: number, name: string, payload: Uint8Array = nothing): Buffer[] {
  const room = frameBytesMax - headBytes - Buffer.byteLength(name)
  if (payload.length <= room) return [frameBytes(kind, id, name, payload)]
  if (payload.length > messageBytesMax) {
    throw new RangeError(
      `${name || 'an answer'} of ${payload.length} bytes; at most ${messageBytesMax}: ask for less at once`,
    )
  }
  const frames: Buffer[] = []
  for (let at = 0; at < payload.length; at += room) {
    const flags = at + room < payload.length ? flagMore : 0
    frames.push(frameBytes(kind, id, name, payload.subarray(at, at + room), flags))
  }
  return frames
}

const nothing = Buffer.alloc(0)

/** A value as the bytes of its JSON text. */
export function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** The value of a JSON text; undefined when it is none. */
export function jsonOf(payload: Buffer): unknown {
  if (payload.length === 0) return undefined
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
}

function disconnected(method: string): Error {
  return hostError('HOST_DISCONNECTED', `the connection ended before ${method} was answered`, {
    method,
  })
}

/** What is said of an error to the other end. */
export function faultFacts(error: unknown): {
  code: string
  message: string
  facts: HostErrorFacts
} {
  const { code, message, facts } = error as { code?: unknown; message?: unknown; facts?: unknown }
  return {
    code: typeof code === 'string' ? code : 'HOST_FAILED',
    message: typeof message === 'string' ? message : String(error),
    facts: typeof facts === 'object' && facts !== null ? (facts as HostErrorFacts) : {},
  }
}

/** The error that the other end spoke of. */
export function faultOf(method: string, payload: Buffer): Error {
  const value = jsonOf(payload)
  const { code, message, facts } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Record<string, unknown>
  return hostError(
    typeof code === 'string' ? code : 'HOST_FAILED',
    typeof message === 'string' ? message : `${method} failed`,
    typeof facts === 'object' && facts !== null ? (facts as HostErrorFacts) : { method },
  )
}
