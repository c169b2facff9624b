/**
 * Frames and what is in them, on both sides of the socket. The bytes of a frame are told in
 * `crates/service/src/frame.rs`, those of the payloads here and in the reference.
 *
 * ```text
 * Call      JSON  [method, argument, ...]          Answer  JSON, what the method gave
 * Operation JSON  one operation of a script        Error   JSON { code, message, facts }
 * Sell      u32 bytes of the texts, texts, f64 ... Sold    the same, as the packed sale says
 * ```
 */

/** What a frame is. */
export const kinds = {
  hello: 1,
  welcome: 2,
  refused: 3,
  call: 4,
  answer: 5,
  error: 6,
  sell: 7,
  sold: 8,
  operation: 9,
  goodbye: 10,
} as const

/** Bytes of a whole frame. */
export const FRAME_BYTES_MAX = 4 << 20

/** Bytes of a frame before its payload: length, kind, number. */
export const HEADER_BYTES = 13

const LENGTH_BYTES = 4
const NUMBER_HALF = 2 ** 32
const FIRST_BYTES = 16_384
const F64_BYTES = 8

/** A frame of a batch. Its payload is good until the batch is let go. */
export interface Frame {
  readonly kind: number
  readonly number: number
  readonly payload: Buffer
}

/** A frame that came from a connection of a service. */
export interface Work extends Frame {
  readonly connection: number
}

/** The frames of a batch of a client. */
export function* framesOf(batch: Buffer): Generator<Frame> {
  for (let at = 0; at < batch.length; ) {
    const end = at + LENGTH_BYTES + batch.readUInt32LE(at)
    yield frameAt(batch, at, end)
    at = end
  }
}

/** The frames of a batch of a service. */
export function* workOf(batch: Buffer): Generator<Work> {
  for (let at = 0; at < batch.length; ) {
    const connection = batch.readUInt32LE(at)
    const start = at + LENGTH_BYTES
    const end = start + LENGTH_BYTES + batch.readUInt32LE(start)
    const { kind, number, payload } = frameAt(batch, start, end)
    yield { connection, kind, number, payload }
    at = end
  }
}

function frameAt(batch: Buffer, at: number, end: number): Frame {
  return {
    kind: batch[at + LENGTH_BYTES] as number,
    number: batch.readUInt32LE(at + 5) + batch.readUInt32LE(at + 9) * NUMBER_HALF,
    payload: batch.subarray(at + HEADER_BYTES, end),
  }
}

/** Bytes that grow, and are used again once they were sent. */
export class Packet {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES)
  #length = 0

  /** How many bytes it holds. */
  get length(): number {
    return this.#length
  }

  /** All of it; good until something is put in again. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Lets go of what stands behind a place. */
  cut(length: number): void {
    this.#length = length
  }

  /** Begins a frame for a connection; gives the place that {@link endFrame} needs. */
  beginFrame(connection: number, kind: number, number: number): number {
    const at = this.#room(LENGTH_BYTES + HEADER_BYTES)
    const bytes = this.#bytes
    bytes.writeUInt32LE(connection, at)
    bytes[at + 8] = kind
    bytes.writeUInt32LE(number % NUMBER_HALF, at + 9)
    bytes.writeUInt32LE(Math.floor(number / NUMBER_HALF), at + 13)
    return at + LENGTH_BYTES
  }

  /** Ends a frame: its length is known. */
  endFrame(at: number): void {
    this.#bytes.writeUInt32LE(this.#length - at - LENGTH_BYTES, at)
  }

  /** Begins a call; gives the place that {@link endCall} needs. */
  beginCall(kind: number, mayRepeat: boolean): number {
    const at = this.#room(2 + LENGTH_BYTES)
    this.#bytes[at] = kind
    this.#bytes[at + 1] = mayRepeat ? 1 : 0
    return at
  }

  /** Ends a call and gives the bytes of its payload. */
  endCall(at: number): number {
    const size = this.#length - at - 2 - LENGTH_BYTES
    this.#bytes.writeUInt32LE(size, at + 2)
    return size
  }

  /** Puts a text in. */
  text(text: string): void {
    // A UTF-16 unit becomes three bytes at most.
    const at = this.#room(text.length * 3)
    this.#length = at + this.#bytes.write(text, at, 'utf8')
  }

  /** Puts a packed sale or its receipt in: what of it is text, then the first so many numbers. */
  sale(texts: string, numbers: Float64Array, count: number): void {
    const at = this.#room(LENGTH_BYTES)
    this.text(texts)
    this.#bytes.writeUInt32LE(this.#length - at - LENGTH_BYTES, at)
    const size = count * F64_BYTES
    const place = this.#room(size)
    this.#bytes.set(new Uint8Array(numbers.buffer, numbers.byteOffset, size), place)
  }

  #room(size: number): number {
    const at = this.#length
    if (at + size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, at + size))
      this.#bytes.copy(larger, 0, 0, at)
      this.#bytes = larger
    }
    this.#length = at + size
    return at
  }
}

/** A packed sale or receipt out of a payload; `undefined` when it is not one. */
export function saleOf(
  payload: Buffer,
  room: number,
): { texts: string; numbers: Float64Array } | undefined {
  if (payload.length < LENGTH_BYTES) return undefined
  const end = LENGTH_BYTES + payload.readUInt32LE(0)
  const size = payload.length - end
  if (size < 0 || size % F64_BYTES !== 0) return undefined
  // Copied: the numbers of a payload begin anywhere, those of an array do not.
  const numbers = new Float64Array(Math.max(room, size / F64_BYTES))
  new Uint8Array(numbers.buffer).set(payload.subarray(end))
  return { texts: payload.toString('utf8', LENGTH_BYTES, end), numbers }
}
