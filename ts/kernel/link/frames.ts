/**
 * What goes over a socket between two terminals: frames of a length and a JSON text.
 *
 * ```text
 * length u32, little-endian   text: {"t":"bell"}                    look into the inbox
 *                                   {"t":"message","message":{..}}  a transient message
 *                                   {"t":"done","id":..,"by":..}    a message was received, or is dead
 * ```
 */

/** What a frame says. */
export type Frame =
  | { readonly t: 'bell' }
  | { readonly t: 'message'; readonly message: TransientEnvelope }
  | { readonly t: 'done'; readonly id: string; readonly by: string }

/** A message that goes over the socket alone. */
export interface TransientEnvelope {
  /** Id. */
  readonly id: string
  /** Who sent it. */
  readonly from: string
  /** The terminal that it goes to, or `*`. */
  readonly to: string
  /** Kind. */
  readonly kind: string
  /** When it was sent, ISO 8601 in UTC. */
  readonly sentAt: string
  /** What it says. */
  readonly body: unknown
}

/** Bytes of a frame. */
export const frameBytesMax = 256 * 1024

const headBytes = 4

/** A frame as bytes; undefined when it is too long. */
export function frameBytes(frame: Frame): Buffer | undefined {
  const text = JSON.stringify(frame)
  const size = Buffer.byteLength(text)
  if (size > frameBytesMax) return undefined
  const bytes = Buffer.allocUnsafe(headBytes + size)
  bytes.writeUInt32LE(size, 0)
  bytes.write(text, headBytes)
  return bytes
}

/** Takes frames out of a stream of bytes. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0)

  /** The frames that are whole with these bytes; undefined when they are none of ours. */
  read(bytes: Buffer): Frame[] | undefined {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const frames: Frame[] = []
    while (rest.length >= headBytes) {
      const size = rest.readUInt32LE(0)
      if (size > frameBytesMax) return undefined
      if (rest.length < headBytes + size) break
      const frame = frameOf(rest.toString('utf8', headBytes, headBytes + size))
      if (frame === undefined) return undefined
      frames.push(frame)
      rest = rest.subarray(headBytes + size)
    }
    this.#rest = rest
    return frames
  }
}

function frameOf(text: string): Frame | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const frame = value as Record<string, unknown>
  switch (frame.t) {
    case 'bell':
      return { t: 'bell' }
    case 'done': {
      const { id, by } = frame
      return typeof id === 'string' && typeof by === 'string' ? { t: 'done', id, by } : undefined
    }
    case 'message':
      return isEnvelope(frame.message) ? { t: 'message', message: frame.message } : undefined
    default:
      return undefined
  }
}

const names = new Set(['id', 'from', 'to', 'kind', 'sentAt', 'body'])

function isEnvelope(value: unknown): value is TransientEnvelope {
  if (typeof value !== 'object' || value === null) return false
  const message = value as Record<string, unknown>
  const isText = (name: string) => typeof message[name] === 'string'
  return (
    Object.keys(message).every((name) => names.has(name)) &&
    'body' in message &&
    ['id', 'from', 'to', 'sentAt'].every(isText) &&
    isTransientKind(message.kind)
  )
}

/** True for a kind of the host's own: the kernel's kinds never go over a socket alone. */
export function isTransientKind(kind: unknown): kind is string {
  return typeof kind === 'string' && /^x\.[a-z0-9._-]{1,62}$/.test(kind)
}
