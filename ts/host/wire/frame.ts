/**
 * What goes over every socket of the host: frames that a relay can pass on without reading them.
 *
 * ```text
 * length u32   bytes after this field, little-endian like all numbers here
 * kind   u8    see Kind
 * name   u8    length of the name
 * flags  u16   0; a receiver that finds a bit set that it does not know refuses the frame
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
  bytes.writeUInt16LE(0, 6)
  bytes.writeUInt32LE(id, 8)
  bytes.write(name, headBytes)
  bytes.set(payload, headBytes + nameBytes)
  return bytes
}

/** Takes frames out of a stream of bytes. */
export class FrameReader {
  #rest: Buffer = nothing

  /**
   * The frames that are whole with these bytes, each as its bytes. Undefined when what came is no
   * frame: nothing after it can be understood, and the connection has to end.
   */
  read(bytes: Buffer): Buffer[] | undefined {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const frames: Buffer[] = []
    while (rest.length >= 4) {
      const length = rest.readUInt32LE(0) + 4
      if (length > frameBytesMax || length < headBytes) return undefined
      if (rest.length < length) break
      const frame = rest.subarray(0, length)
      if (!isFrame(frame)) return undefined
      frames.push(frame)
      rest = rest.subarray(length)
    }
    this.#rest = rest
    return frames
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

function isFrame(bytes: Buffer): boolean {
  return (
    kinds.has(bytes[4] as number) &&
    bytes.readUInt16LE(6) === 0 &&
    headBytes + (bytes[5] as number) <= bytes.length
  )
}
