/**
 * What goes over every socket of the host: frames that a relay can pass on without reading them.
 *
 * ```text
 * length u32   bytes after this field, little-endian like all numbers here
 * kind   u8    see Kind
 * name   u8    length of the name
 * flags  u16   bit 0: the payload goes on in the next frame (control socket only); a receiver that finds a bit set that
 *              it does not know refuses the frame
 * id     u32   ties an answer to its request; 0 where there is none
 * name         UTF-8: a method on the control socket, an address or a topic on the bus
 * payload      the rest; opaque to whoever only passes it on
 * ```
 */

/** What a frame is for. */
export const Kind = {
  /** First frame of a connection: who calls, JSON. */
  hello: 1,
  /** Answer to `hello`: whom one speaks to, JSON. */
  welcome: 2,
  /** Answer to `hello`, and the end of the connection: why not, JSON. */
  refused: 3,
  /** Needs no answer. */
  note: 4,
  /** Needs one `answer` or one `fault` with the same id. */
  request: 5,
  /** The answer to a request. */
  answer: 6,
  /** A request that was refused: JSON `{code, message, facts}`. */
  fault: 7,
  /** Whoever asked no longer waits for the answer with this id. */
  cancel: 8,
  /** The receiver has room for so many more bytes: u32 payload. Bus only. */
  credit: 9,
  /** Goes to all who subscribed to the name. Bus only. */
  publish: 10,
  /** From now on, what is published under the name comes here. Bus only. */
  subscribe: 11,
  /** The end of `subscribe`. Bus only. */
  unsubscribe: 12,
  /** What was published and not passed on to this peer, since it had no room: u32 payload, all together. Bus only. */
  missed: 13,
} as const

/** A value of `Kind`. */
export type Kind = (typeof Kind)[keyof typeof Kind]

/** A frame. */
export interface Frame {
  /** What it is for. */
  readonly kind: Kind
  /** Ties an answer to its request, 0 to 2^32 - 1. */
  readonly id: number
  /** Method, address or topic; at most 255 bytes. */
  readonly name: string
  /** What it carries. A view of what was read: copy it to keep it beyond the call. */
  readonly payload: Buffer
}

/** Bytes that a frame may have: 1 MiB. */
export const frameBytesMax = 1024 * 1024
/** Bit of the flags: the payload goes on in the next frame. */
export const flagMore = 1
/** Bytes before the name. */
export const headBytes = 12
const kinds: ReadonlySet<number> = new Set(Object.values(Kind))
const nothing = Buffer.alloc(0)

/** A frame as bytes. Throws a `RangeError` that names the limit when the frame is too long. */
export function frameBytes(
  kind: Kind,
  id: number,
  name: string,
  payload: Uint8Array = nothing,
  flags = 0,
): Buffer {
  const nameBytes = Buffer.byteLength(name)
  if (nameBytes > 255) throw new RangeError(`a name of ${nameBytes} bytes; at most 255`)
  const length = headBytes + nameBytes + payload.length
  if (length > frameBytesMax) {
    throw new RangeError(
      `a frame of ${length} bytes; at most ${frameBytesMax}: send a reference to larger content`,
    )
  }
  const bytes = Buffer.allocUnsafe(length)
  bytes.writeUInt32LE(length - 4, 0)
  bytes[4] = kind
  bytes[5] = nameBytes
  bytes.writeUInt16LE(flags, 6)
  bytes.writeUInt32LE(id, 8)
  bytes.write(name, headBytes)
  bytes.set(payload, headBytes + nameBytes)
  return bytes
}

/**
 * Finds frames in a stream of bytes, each where it lies: only a frame that came in pieces is put together, and each
 * of its bytes is copied once, in however many pieces it came.
 */
export class FrameSplitter {
  /** What holds the frame that `next` found, from `start` to before `end`. */
  bytes: Buffer = nothing
  start = 0
  end = 0
  /** Bytes that a frame may have; a longer one is no frame. */
  bytesMax: number
  #chunk: Buffer = nothing
  #at = 0
  /** The frame that has begun: its head until its length is known, then room for all of it. */
  #begun: Buffer | undefined
  #filled = 0
  #isBroken = false
  readonly #flagsUnknown: number

  constructor(bytesMax: number = frameBytesMax, flagsKnown = 0) {
    this.bytesMax = bytesMax
    this.#flagsUnknown = ~flagsKnown
  }

  /** True when what came is no frame: nothing after it can be understood, and the connection has to end. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Gives more of the stream; only after `next` has said false. */
  push(bytes: Buffer): void {
    this.#chunk = bytes
    this.#at = 0
  }

  /** Finds the next frame; false when there is no whole one. */
  next(): boolean {
    if (this.#isBroken) return false
    if (this.#begun !== undefined) return this.#goOn(this.#begun)
    const left = this.#chunk.length - this.#at
    if (left < headBytes) return left === 0 ? false : this.#goOn(Buffer.allocUnsafe(headBytes))
    const length = this.#lengthAt(this.#chunk, this.#at)
    if (length === 0) return false
    if (left < length) return this.#goOn(Buffer.allocUnsafe(length))
    this.bytes = this.#chunk
    this.start = this.#at
    this.#at += length
    this.end = this.#at
    return true
  }

  #goOn(begun: Buffer): boolean {
    let frame = begun
    this.#fill(frame)
    if (frame.length === headBytes && this.#filled === headBytes) {
      const length = this.#lengthAt(frame, 0)
      if (length === 0) return false
      if (length > headBytes) {
        const whole = Buffer.allocUnsafe(length)
        whole.set(frame)
        frame = whole
        this.#fill(frame)
      }
    }
    this.#begun = frame
    if (this.#filled < frame.length || this.#filled < headBytes) return false
    this.#begun = undefined
    this.#filled = 0
    this.bytes = frame
    this.start = 0
    this.end = frame.length
    return true
  }

  #fill(frame: Buffer): void {
    const count = this.#chunk.copy(frame, this.#filled, this.#at)
    this.#at += count
    this.#filled += count
  }

  /** The length of the frame that begins here; 0, and broken, when it is none. */
  #lengthAt(bytes: Buffer, at: number): number {
    const length = readU32(bytes, at) + 4
    const isFrame =
      length <= this.bytesMax &&
      kinds.has(bytes[at + 4] as number) &&
      ((bytes[at + 6] as number) & this.#flagsUnknown) === 0 &&
      bytes[at + 7] === 0 &&
      headBytes + (bytes[at + 5] as number) <= length
    if (isFrame) return length
    this.#isBroken = true
    return 0
  }
}

/** Takes frames out of a stream of bytes. */
export class FrameReader {
  readonly #splitter: FrameSplitter

  constructor(flagsKnown = 0) {
    this.#splitter = new FrameSplitter(frameBytesMax, flagsKnown)
  }

  /**
   * The frames that are whole with these bytes, each as its bytes. Undefined when what came is no
   * frame: nothing after it can be understood, and the connection has to end.
   */
  read(bytes: Buffer): Buffer[] | undefined {
    const splitter = this.#splitter
    const frames: Buffer[] = []
    splitter.push(bytes)
    while (splitter.next()) frames.push(splitter.bytes.subarray(splitter.start, splitter.end))
    return splitter.isBroken ? undefined : frames
  }
}

/** The frame that these bytes are, as `FrameReader` gives them. */
export function frameOf(bytes: Buffer): Frame {
  const nameEnd = headBytes + (bytes[5] as number)
  return {
    kind: bytes[4] as Kind,
    id: bytes.readUInt32LE(8),
    name: bytes.toString('utf8', headBytes, nameEnd),
    payload: bytes.subarray(nameEnd),
  }
}

/** Four bytes as a number; without the checks of `readUInt32LE`, for offsets that were checked. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}

/** A number as four bytes. */
export function writeU32(bytes: Uint8Array, value: number, at: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}
