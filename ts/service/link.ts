/**
 * A connection to a kernel service, and the two faces of the terminal behind it.
 *
 * ```text
 * posting.addLine(...)  ─► packet ── end of this burst ─► post(): one write
 *                                                            │ numbers in a row
 * promise resolves  ◄─ take(): all answers that have come ◄──┘
 * waiting.totals(...)   ─► the packet first, then call(): the thread waits
 * ```
 * Invariant: calls are sent in the order in which they are made, of whichever face; every promise
 * settles, with the service's answer or with an error that says whether the call may have been done.
 * The process stays alive while one waits.
 */
import { posError, toPosError } from '../kernel/errors.js'
import type { SoldWords } from '../kernel/packed-sale.js'
import { plain } from '../kernel/plain.js'
import {
  binding,
  type NativeConnectOptions,
  type NativeServiceClient,
  type NativeTerminal,
} from '../native.js'
import { type Method, type MethodName, mayRepeat, methods } from './methods.js'
import {
  FRAME_BYTES_MAX,
  type Frame,
  framesOf,
  HEADER_BYTES,
  kinds,
  Packet,
  saleOf,
} from './packet.js'

const FLAG_HAS_KEY = 2

interface Waiter {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** A connection to one terminal of a kernel service. */
export class Link {
  /** The terminal, each call as a promise. */
  readonly posting: NativeTerminal
  /** The terminal, each call waiting on the thread. */
  readonly waiting: NativeTerminal
  readonly #packet = new Packet()
  readonly #single = new Packet()
  readonly #waiters = new Map<number, Waiter>()
  /** Those whose calls are packed and not sent. */
  #packed: Waiter[] = []
  readonly #client: NativeServiceClient

  private constructor(client: NativeServiceClient) {
    this.#client = client
    this.posting = faceOf(
      (name, method, args) => this.#post((packet) => putCall(packet, name, method, args)),
      (texts, numbers) => this.#post((packet) => putSale(packet, texts, numbers)),
    )
    this.waiting = faceOf(
      (name, method, args) => this.#call((packet) => putCall(packet, name, method, args)),
      (texts, numbers) => this.#call((packet) => putSale(packet, texts, numbers)),
    )
  }

  /** Connects off the event loop. */
  static async open(options: NativeConnectOptions): Promise<Link> {
    // Answers come to calls, and there are none before there is a link.
    let link: Link | undefined
    const client = await binding().connectService(options, () => link?.arrive())
    link = new Link(client)
    return link
  }

  /** Connects on the calling thread. */
  static openSync(options: NativeConnectOptions): Link {
    let link: Link | undefined
    const client = binding().connectServiceSync(options, () => link?.arrive())
    link = new Link(client)
    return link
  }

  /** What the service said when it let this client in. */
  welcome(): unknown {
    return JSON.parse(this.#client.welcome())
  }

  /** Says goodbye once everything is answered. */
  async close(): Promise<void> {
    this.#send()
    await this.#client.close()
    this.arrive()
  }

  /** As {@link close}, on the calling thread. */
  closeSync(): void {
    this.#send()
    this.#client.closeSync()
    this.arrive()
  }

  #post(put: (packet: Packet) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      put(this.#packet)
      if (this.#packed.length === 0) {
        if (this.#waiters.size === 0) this.#client.hold()
        queueMicrotask(this.#send)
      }
      this.#packed.push({ resolve, reject })
    })
  }

  #call(put: (packet: Packet) => void): unknown {
    this.#send()
    const single = this.#single
    single.cut(0)
    put(single)
    const answer = this.#client.call(single.bytes)
    return answerOf({ kind: answer[0] as number, number: 0, payload: answer.subarray(1) })
  }

  readonly #send = (): void => {
    const packed = this.#packed
    if (packed.length === 0) return
    this.#packed = []
    try {
      const first = this.#client.post(this.#packet.bytes)
      for (const [index, waiter] of packed.entries()) this.#waiters.set(first + index, waiter)
    } catch (thrown) {
      for (const { reject } of packed) reject(thrown)
      if (this.#waiters.size === 0) this.#client.release()
    } finally {
      this.#packet.cut(0)
    }
  }

  /** Gives the answers that have come to those who wait. */
  arrive(): void {
    const batch = this.#client.take()
    if (batch.length === 0) return
    for (const frame of framesOf(batch)) {
      const waiter = this.#waiters.get(frame.number)
      if (waiter === undefined) continue
      this.#waiters.delete(frame.number)
      try {
        waiter.resolve(answerOf(frame))
      } catch (error) {
        waiter.reject(error)
      }
    }
    if (this.#waiters.size === 0 && this.#packed.length === 0) this.#client.release()
  }
}

/** A terminal of which every method that the service knows is one call. */
function faceOf(
  call: (name: MethodName, method: Method, args: readonly unknown[]) => unknown,
  sell: (texts: string, numbers: Float64Array) => unknown,
): NativeTerminal {
  const face: Record<string, unknown> = { sell }
  for (const [name, method] of Object.entries(methods)) {
    const one = (...args: unknown[]) => call(name as MethodName, method, args)
    face[name] = one
    // The twin that waits is the same call: waiting is the face's.
    face[`${name}Sync`] = one
  }
  return face as unknown as NativeTerminal
}

function putCall(packet: Packet, name: string, method: Method, args: readonly unknown[]): void {
  const at = packet.beginCall(kinds.call, mayRepeat(method, args))
  packet.text(JSON.stringify([name, ...args]))
  checkSize(packet, at)
}

function putSale(packet: Packet, texts: string, numbers: Float64Array): void {
  const [lines = 0, tenders = 0, flags = 0] = numbers
  const at = packet.beginCall(kinds.sell, (flags & FLAG_HAS_KEY) !== 0)
  packet.sale(texts, numbers, 3 + 3 * lines + 2 * tenders)
  checkSize(packet, at)
}

function checkSize(packet: Packet, at: number): void {
  const value = packet.endCall(at) + HEADER_BYTES
  if (value <= FRAME_BYTES_MAX) return
  packet.cut(at)
  const limit = FRAME_BYTES_MAX
  const message = `bytes of a call: ${value} is over the limit of ${limit}; send less in one call`
  throw posError('PK_E_LIMIT', message, { what: 'bytes of a call', value, limit })
}

function answerOf({ kind, payload }: Frame): unknown {
  if (kind === kinds.sold) {
    const sold: SoldWords | undefined = saleOf(payload, 0)
    if (sold !== undefined) return sold
  }
  const value: unknown = JSON.parse(payload.toString())
  if (kind === kinds.error) throw toPosError(plain(value))
  return value
}
