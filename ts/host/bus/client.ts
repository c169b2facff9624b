/**
 * A process on the bus. One connection to the broker carries everything; when it ends, a new one is made, what was
 * heard is heard again, and what was under way is rejected, since nobody knows how far it came.
 *
 * Room is given back to the broker when something was handled, not when it was read: an app whose handlers are slow
 * makes its senders see `HOST_BUSY` instead of growing.
 */
import { randomUUID } from 'node:crypto'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostError, hostError, isHostError } from '../error.js'
import { faultFacts, faultOf, jsonBytes, jsonOf, requestMsDefault } from '../wire/channel.js'
import { FrameSplitter, frameBytesMax, headBytes, Kind, readU32 } from '../wire/frame.js'
import { Outbox } from '../wire/outbox.js'
import type {
  Bus,
  BusCounts,
  BusPosted,
  BusPostOptions,
  BusRequestOptions,
  BusSender,
} from './bus.js'
import { busProtocol } from './contract.js'
import { postAddress } from './letter.js'
import { cancelled, OpenRequests } from './open-requests.js'
import { windowBytes } from './room.js'
import { Topics } from './topics.js'

/** How to come onto the bus. */
export interface BusConnectOptions {
  /** Path of the broker's socket. */
  readonly socket: string
  /** Who this process is, and the token that shows it; from the app's bootstrap. */
  readonly instance: string
  readonly token: string
  /** Milliseconds to wait for a broker at first; 10,000 unless said. */
  readonly connectMs?: number
  /** Told of everything that is sent and handled, without its content. */
  onTraffic?(traffic: BusTraffic): void
}

/** Something that was sent or is handled. */
export interface BusTraffic {
  readonly direction: 'in' | 'out'
  /** Who it is from, or the address or topic that it goes to. */
  readonly peer: string
  /** What it is: a message, a request, or a topic. */
  readonly what: string
  readonly bytes: number
}

/** Milliseconds between attempts to come back. */
const retryMsMin = 10
const retryMsMax = 500
/** Milliseconds that a durable message is tried for. */
const postMsDefault = 30_000
/** Handled bytes that are given back together. */
const creditBytes = windowBytes / 16
/** Milliseconds for which what comes waits for a handler, after the process came onto the bus. */
const handlerMs = 1000
/** Addresses that are kept as bytes. */
const namesMax = 512

const noName = Buffer.alloc(0)
const nothing = Buffer.alloc(0)

type MessageHandler = (payload: Buffer, sender: BusSender) => void
type TopicHandler = (payload: Buffer, sender: BusSender, topic: string) => void
type RequestHandler = (
  payload: Buffer,
  sender: BusSender,
  signal: AbortSignal,
) => Promise<Uint8Array> | Uint8Array

/**
 * Comes onto the bus. Waits for a broker that is not there yet.
 *
 * @throws `HOST_IDENTITY` when the token is not this instance's, `HOST_PROTOCOL`, `HOST_UNREACHABLE`
 * @example
 * const bus = await connectBus({ socket, instance: 'pos-clock.3', token })
 * bus.onRequest(() => Buffer.from(new Date().toISOString()))
 */
export async function connectBus(options: BusConnectOptions): Promise<Bus> {
  const client = new BusClient(options)
  await client.open()
  return client
}

/** One connection. */
interface Line {
  readonly socket: net.Socket
  readonly outbox: Outbox
  readonly frames: FrameSplitter
  owedBytes: number
  missed: number
}

class BusClient implements Bus {
  readonly address: string
  readonly #options: BusConnectOptions
  #line: Line | undefined
  readonly #open = new OpenRequests((id) => this.#line?.outbox.add(Kind.cancel, id, noName))
  readonly #answering = new Map<number, AbortController>()
  readonly #topics = new Topics<TopicHandler>()
  readonly #patterns = new Map<string, number>()
  readonly #names = new Map<string, Buffer>()
  readonly #senders = new Map<string, BusSender>()
  #onMessage: MessageHandler | undefined
  readonly #onMessageFrom = new Map<string, MessageHandler>()
  #onRequest: RequestHandler | undefined
  /** What came before its handler; bounded by the window. Undefined when the time for that is over. */
  #early: { readonly messages: (() => void)[]; readonly requests: (() => void)[] } | undefined = {
    messages: [],
    requests: [],
  }
  readonly #onConnection: ((isConnected: boolean) => void)[] = []
  readonly #counts = { handled: 0, sent: 0, missed: 0 }
  readonly #closing = new AbortController()
  #comeback: Promise<void> | undefined

  constructor(options: BusConnectOptions) {
    this.#options = options
    this.address = options.instance
  }

  get isConnected(): boolean {
    return this.#line !== undefined
  }

  get counts(): BusCounts {
    return { ...this.#counts, missed: this.#counts.missed + (this.#line?.missed ?? 0) }
  }

  /** Makes the first connection. */
  async open(): Promise<void> {
    const { socket, connectMs = 10_000 } = this.#options
    const until = performance.now() + connectMs
    for (let wait = retryMsMin; ; wait = Math.min(wait * 2, retryMsMax)) {
      try {
        await this.#connect()
        setTimeout(() => this.#endEarly(), handlerMs).unref()
        return
      } catch (error) {
        if (error instanceof HostError) throw error
        if (performance.now() + wait > until) {
          const message = `no broker answers on ${socket}: ${(error as Error).message}`
          throw hostError('HOST_UNREACHABLE', message, { to: socket, connectMs })
        }
      }
      await sleep(wait)
    }
  }

  async send(to: string, payload: Uint8Array): Promise<void> {
    await this.#ask(Kind.note, to, payload)
  }

  request(to: string, payload: Uint8Array, options?: BusRequestOptions): Promise<Buffer> {
    return this.#ask(Kind.request, to, payload, options)
  }

  async publish(topic: string, payload: Uint8Array): Promise<void> {
    await this.#ask(Kind.publish, topic, payload)
  }

  async subscribe(topic: string, onMessage: TopicHandler): Promise<() => Promise<void>> {
    // Each has a function of its own: the same function may hear the same topic twice.
    const hear: TopicHandler = (payload, sender, found) => onMessage(payload, sender, found)
    const isFirst = !this.#patterns.has(topic)
    this.#patterns.set(topic, (this.#patterns.get(topic) ?? 0) + 1)
    this.#topics.add(topic, hear)
    let isEnded = false
    const leave = () => {
      isEnded = true
      this.#topics.remove(topic, hear)
      const left = (this.#patterns.get(topic) ?? 1) - 1
      if (left > 0) this.#patterns.set(topic, left)
      else this.#patterns.delete(topic)
      return left === 0
    }
    try {
      if (isFirst) await this.#ask(Kind.subscribe, topic, nothing)
    } catch (error) {
      // The way back subscribes again.
      if (!isHostError(error, 'HOST_DISCONNECTED') || this.#closing.signal.aborted) {
        leave()
        throw error
      }
    }
    return async () => {
      if (isEnded || !leave() || this.#line === undefined) return
      await this.#ask(Kind.unsubscribe, topic, nothing).catch((error) => {
        if (!isHostError(error, 'HOST_DISCONNECTED')) throw error
      })
    }
  }

  onMessage(handler: MessageHandler, from?: string): void {
    if (from === undefined) this.#onMessage = handler
    else this.#onMessageFrom.set(from, handler)
    process.nextTick(runAll, this.#early?.messages.splice(0))
  }

  onRequest(handler: RequestHandler): void {
    this.#onRequest = handler
    process.nextTick(runAll, this.#early?.requests.splice(0))
  }

  onConnection(handler: (isConnected: boolean) => void): void {
    this.#onConnection.push(handler)
  }

  async post(
    toTerminal: string,
    kind: string,
    body: unknown,
    options: BusPostOptions = {},
  ): Promise<BusPosted> {
    const { key = randomUUID(), timeToLiveMs, timeoutMs = postMsDefault } = options
    const order = jsonBytes({ to: toTerminal, kind, body, key, ttlMs: timeToLiveMs })
    const until = performance.now() + timeoutMs
    for (let wait = retryMsMin; ; wait = Math.min(wait * 2, retryMsMax)) {
      try {
        const left = Math.max(1, until - performance.now())
        const answer = jsonOf(await this.request(postAddress, order, { timeoutMs: left }))
        return { id: (answer as { id: string }).id, key }
      } catch (error) {
        // With its key, the message is the same however often it is asked for.
        const isOver = performance.now() + wait > until || this.#closing.signal.aborted
        const isPassing =
          isHostError(error, 'HOST_DISCONNECTED') ||
          isHostError(error, 'HOST_UNREACHABLE') ||
          isHostError(error, 'HOST_BUSY')
        if (isOver || !isPassing) throw error
      }
      await sleep(wait)
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    const line = this.#line
    if (line === undefined) {
      this.#dropAll()
      return
    }
    line.outbox.flush()
    await new Promise<void>((resolve) => {
      line.socket.once('close', () => resolve())
      line.socket.end()
      // A broker that stands does not keep an app from leaving.
      setTimeout(() => line.socket.destroy(), 1000).unref()
    })
  }

  // What this process asks.

  #ask(
    kind: Kind,
    name: string,
    payload: Uint8Array,
    options: BusRequestOptions = {},
  ): Promise<Buffer> {
    const line = this.#line
    if (line === undefined) return this.#askLater(kind, name, payload, options)
    const { timeoutMs = requestMsDefault, signal } = options
    const nameBytes = this.#nameBytes(name)
    const length = headBytes + nameBytes.length + payload.length
    if (nameBytes.length > 255 || length > frameBytesMax) {
      return Promise.reject(tooLarge(name, nameBytes.length, length))
    }
    if (signal?.aborted) return Promise.reject(cancelled(name))
    return new Promise((resolve, reject) => {
      const id = this.#open.add({ method: name, resolve, reject, timeoutMs, signal })
      if (kind !== Kind.subscribe && kind !== Kind.unsubscribe) {
        this.#counts.sent += 1
        const what = kind === Kind.note ? 'message' : kind === Kind.request ? 'request' : 'topic'
        this.#options.onTraffic?.({ direction: 'out', peer: name, what, bytes: payload.length })
      }
      line.outbox.add(kind, id, nameBytes, bufferOf(payload))
    })
  }

  /** Without a broker: as soon as it is back, within the time of the request. */
  async #askLater(
    kind: Kind,
    name: string,
    payload: Uint8Array,
    options: BusRequestOptions,
  ): Promise<Buffer> {
    const { timeoutMs = requestMsDefault, signal } = options
    const began = performance.now()
    const ends = [AbortSignal.timeout(Math.ceil(timeoutMs)), this.#closing.signal]
    const end = AbortSignal.any(signal === undefined ? ends : [...ends, signal])
    const isBack = await Promise.race([
      this.#comeback?.then(() => true),
      new Promise<false>((resolve) => {
        if (end.aborted) resolve(false)
        else end.addEventListener('abort', () => resolve(false), { once: true })
      }),
    ])
    if (signal?.aborted) throw cancelled(name)
    if (!isBack || this.#closing.signal.aborted) throw disconnected(name)
    const left = Math.max(1, timeoutMs - (performance.now() - began))
    return this.#ask(kind, name, payload, { ...options, timeoutMs: left })
  }

  #nameBytes(name: string): Buffer {
    let bytes = this.#names.get(name)
    if (bytes === undefined) {
      bytes = Buffer.from(name)
      if (this.#names.size >= namesMax) this.#names.clear()
      this.#names.set(name, bytes)
    }
    return bytes
  }

  // What comes.

  #take(line: Line): void {
    const { frames } = line
    while (frames.next()) {
      const { bytes, start, end } = frames
      const nameEnd = start + headBytes + (bytes[start + 5] as number)
      const id = readU32(bytes, start + 8)
      switch (bytes[start + 4]) {
        case Kind.answer: {
          const waiting = this.#open.settled(id)
          waiting?.resolve(bytes.subarray(nameEnd, end))
          break
        }
        case Kind.fault: {
          const waiting = this.#open.settled(id)
          waiting?.reject(faultOf(waiting.method, bytes.subarray(nameEnd, end)))
          break
        }
        case Kind.note:
          this.#hear(line, bytes, start, nameEnd, end)
          break
        case Kind.request:
          if (this.#onRequest !== undefined || this.#early === undefined)
            this.#answer(line, id, bytes, start, nameEnd, end)
          else this.#early.requests.push(() => this.#answer(line, id, bytes, start, nameEnd, end))
          break
        case Kind.publish:
          this.#hearTopic(line, bytes, start, nameEnd, end)
          break
        case Kind.cancel:
          this.#answering.get(id)?.abort()
          break
        case Kind.missed:
          if (end - nameEnd === 4) line.missed = readU32(bytes, nameEnd)
          break
      }
    }
    if (frames.isBroken) line.socket.destroy()
  }

  #endEarly(): void {
    const early = this.#early
    this.#early = undefined
    runAll(early?.messages)
    runAll(early?.requests)
  }

  #hear(line: Line, bytes: Buffer, start: number, nameEnd: number, end: number): void {
    const sender = this.#sender(bytes.toString('latin1', start + headBytes, nameEnd))
    const hear = this.#onMessageFrom.get(sender.instance) ?? this.#onMessage
    if (hear === undefined && this.#early !== undefined) {
      this.#early.messages.push(() => this.#hear(line, bytes, start, nameEnd, end))
      return
    }
    this.#trace(sender, 'message', end - nameEnd)
    this.#guard(() => hear?.(bytes.subarray(nameEnd, end), sender))
    this.#handled(line, end - start)
  }

  #hearTopic(line: Line, bytes: Buffer, start: number, nameEnd: number, end: number): void {
    const name = bytes.toString('utf8', start + headBytes, nameEnd)
    const at = name.indexOf(' ')
    const sender = this.#sender(name.slice(0, at))
    const topic = name.slice(at + 1)
    const payload = bytes.subarray(nameEnd, end)
    this.#trace(sender, topic, payload.length)
    for (const hear of this.#topics.hearers(topic)) {
      this.#guard(() => hear(payload, sender, topic))
    }
    this.#handled(line, end - start)
  }

  #answer(
    line: Line,
    id: number,
    bytes: Buffer,
    start: number,
    nameEnd: number,
    end: number,
  ): void {
    const handler = this.#onRequest
    if (handler === undefined) {
      const message = `${this.address} answers no requests`
      this.#fail(line, id, hostError('HOST_NO_METHOD', message, { method: this.address }))
      this.#handled(line, end - start)
      return
    }
    const controller = new AbortController()
    const sender = this.#sender(bytes.toString('latin1', start + headBytes, nameEnd))
    this.#trace(sender, 'request', end - nameEnd)
    try {
      const answer = handler(bytes.subarray(nameEnd, end), sender, controller.signal)
      if (answer instanceof Uint8Array) {
        this.#reply(line, id, answer)
        this.#handled(line, end - start)
        return
      }
      this.#answering.set(id, controller)
      void this.#answerLater(line, id, end - start, controller, answer)
    } catch (error) {
      this.#fail(line, id, error)
      this.#handled(line, end - start)
    }
  }

  async #answerLater(
    line: Line,
    id: number,
    length: number,
    controller: AbortController,
    answer: Promise<Uint8Array>,
  ): Promise<void> {
    try {
      const bytes = await answer
      if (!controller.signal.aborted) this.#reply(line, id, bytes)
    } catch (error) {
      if (!controller.signal.aborted) this.#fail(line, id, error)
    }
    if (this.#answering.get(id) === controller) this.#answering.delete(id)
    this.#handled(line, length)
  }

  #reply(line: Line, id: number, answer: Uint8Array): void {
    if (answer.length + headBytes <= frameBytesMax) {
      line.outbox.add(Kind.answer, id, noName, bufferOf(answer))
    } else {
      this.#fail(line, id, tooLarge('an answer', 0, answer.length + headBytes))
    }
  }

  #fail(line: Line, id: number, error: unknown): void {
    line.outbox.add(Kind.fault, id, noName, jsonBytes(faultFacts(error)))
  }

  /** What was handled makes room for more. */
  #handled(line: Line, bytes: number): void {
    this.#counts.handled += 1
    line.owedBytes += bytes
    if (line.owedBytes < creditBytes || line !== this.#line) return
    const credit = Buffer.allocUnsafe(4)
    credit.writeUInt32LE(line.owedBytes)
    line.owedBytes = 0
    line.outbox.add(Kind.credit, 0, noName, credit)
  }

  #trace({ instance }: BusSender, what: string, bytes: number): void {
    this.#options.onTraffic?.({ direction: 'in', peer: instance, what, bytes })
  }

  /** What a handler throws is the app's to deal with, as of any callback; the frames after it are read all the same. */
  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }

  #sender(instance: string): BusSender {
    let sender = this.#senders.get(instance)
    if (sender === undefined) {
      sender = { instance }
      if (this.#senders.size >= namesMax) this.#senders.clear()
      this.#senders.set(instance, sender)
    }
    return sender
  }

  // Connections.

  async #connect(): Promise<void> {
    const { instance, token } = this.#options
    const socket = net.connect(this.#options.socket)
    const outbox = new Outbox(socket, (it) => process.nextTick(() => it.flush()))
    const line: Line = {
      socket,
      outbox,
      frames: new FrameSplitter(),
      owedBytes: 0,
      missed: 0,
    }
    await new Promise<void>((resolve, reject) => {
      let isWelcome = false
      socket.on('error', (error) => reject(error))
      socket.on('close', () => {
        if (isWelcome) this.#disconnected(line)
        else reject(new Error('the broker ended the connection'))
      })
      socket.on('data', (bytes: Buffer) => {
        line.frames.push(bytes)
        if (!isWelcome) {
          if (!line.frames.next()) return
          const { bytes: frame, start, end } = line.frames
          const said = frame.subarray(start + headBytes + (frame[start + 5] as number), end)
          if (frame[start + 4] !== Kind.welcome) {
            reject(faultOf('hello', said))
            socket.destroy()
            return
          }
          isWelcome = true
          this.#line = line
          resolve()
        }
        this.#take(line)
      })
      outbox.add(Kind.hello, 0, noName, jsonBytes({ protocol: busProtocol, instance, token }))
    })
    const again = [...this.#patterns.keys()]
    await Promise.allSettled(again.map((topic) => this.#ask(Kind.subscribe, topic, nothing)))
  }

  #disconnected(line: Line): void {
    if (this.#line !== line) return
    this.#line = undefined
    this.#counts.missed += line.missed
    this.#dropAll()
    if (!this.#closing.signal.aborted) this.#comeback = this.#comeBack()
    this.#say(false)
  }

  #dropAll(): void {
    this.#open.rejectAll(disconnected)
    for (const controller of this.#answering.values()) controller.abort()
    this.#answering.clear()
  }

  async #comeBack(): Promise<void> {
    for (let wait = retryMsMin; ; wait = Math.min(wait * 2, retryMsMax)) {
      // Not all apps at the same moment.
      await sleep(wait * (0.5 + Math.random() / 2))
      if (this.#closing.signal.aborted) return
      try {
        await this.#connect()
      } catch {
        continue
      }
      if (this.#closing.signal.aborted) this.#line?.socket.destroy()
      else if (this.#line !== undefined) this.#say(true)
      return
    }
  }

  #say(isConnected: boolean): void {
    for (const handler of this.#onConnection) this.#guard(() => handler(isConnected))
  }
}

function runAll(calls: readonly (() => void)[] = []): void {
  for (const call of calls) call()
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function tooLarge(name: string, nameBytes: number, bytes: number): Error {
  const message =
    nameBytes > 255
      ? `a name of ${nameBytes} bytes; at most 255`
      : `a message to ${name} of ${bytes} bytes; at most ${frameBytesMax}: send a reference to larger content`
  return hostError('HOST_TOO_LARGE', message, { bytes, limit: frameBytesMax })
}

function disconnected(method: string): Error {
  const message = `the connection to the broker ended before ${method} was answered`
  return hostError('HOST_DISCONNECTED', message, { method })
}
