/**
 * What goes out over one socket: frames are laid one after the other into a buffer, and all of one turn of the event
 * loop go in one call of the system. The buffer is used again as soon as the operating system has taken it, which for
 * a peer that reads is at once.
 */
import type net from 'node:net'
import { headBytes, type Kind, writeU32 } from './frame.js'

const bufferBytesMin = 1024
const bufferBytesMax = 64 * 1024
/** A payload from this length on goes out as it is, without a copy. */
const largeBytes = 16 * 1024
/** Up to this length a loop copies faster than a call. */
const loopBytes = 160
const nothing = Buffer.alloc(0)

/** The way out. */
export class Outbox {
  readonly #socket: net.Socket
  readonly #onFirst: (outbox: Outbox) => void
  #buffer: Buffer = nothing
  #used = 0
  #isWaiting = false

  /** `onFirst` is called with the first frame after a flush, and sees to it that `flush` is called soon. */
  constructor(socket: net.Socket, onFirst: (outbox: Outbox) => void) {
    this.#socket = socket
    this.#onFirst = onFirst
  }

  /** Bytes that the operating system has not taken yet. */
  get waitingBytes(): number {
    return this.#socket.writableLength + this.#used
  }

  /** Adds a frame: its name, and as its payload `from` from `start` to before `end`. */
  add(
    kind: Kind,
    id: number,
    name: Uint8Array,
    from: Buffer = nothing,
    start = 0,
    end: number = from.length,
  ): void {
    const head = headBytes + name.length
    const length = head + end - start
    const isLarge = end - start >= largeBytes
    const at = this.#room(isLarge ? head : length)
    const buffer = this.#buffer
    writeU32(buffer, length - 4, at)
    buffer[at + 4] = kind
    buffer[at + 5] = name.length
    buffer[at + 6] = 0
    buffer[at + 7] = 0
    writeU32(buffer, id, at + 8)
    for (let index = 0; index < name.length; index += 1) {
      buffer[at + headBytes + index] = name[index] as number
    }
    if (isLarge) {
      this.flush()
      this.#socket.write(from.subarray(start, end))
    } else {
      copy(from, start, end, buffer, at + head)
    }
  }

  /** Adds a frame that is whole already. */
  addWhole(frame: Buffer): void {
    if (frame.length >= largeBytes) {
      this.flush()
      this.#socket.write(frame)
      return
    }
    const at = this.#room(frame.length)
    copy(frame, 0, frame.length, this.#buffer, at)
  }

  /** Gives everything to the operating system. */
  flush(): void {
    this.#isWaiting = false
    if (this.#used === 0) return
    const bytes = this.#buffer.subarray(0, this.#used)
    this.#used = 0
    if (this.#socket.destroyed) return
    this.#socket.write(bytes)
    // The operating system has not taken it yet: it belongs to the socket now.
    if (this.#socket.writableLength !== 0) this.#buffer = nothing
  }

  /** Where `bytes` more may be written. */
  #room(bytes: number): number {
    if (this.#used + bytes > this.#buffer.length) this.#grow(bytes)
    const at = this.#used
    this.#used += bytes
    if (!this.#isWaiting) {
      this.#isWaiting = true
      this.#onFirst(this)
    }
    return at
  }

  #grow(bytes: number): void {
    if (this.#used + bytes > bufferBytesMax) this.flush()
    let size = Math.max(bufferBytesMin, this.#buffer.length)
    while (size < this.#used + bytes) size *= 2
    if (size === this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(size)
    grown.set(this.#buffer.subarray(0, this.#used))
    this.#buffer = grown
  }
}

function copy(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  if (end - start > loopBytes) {
    from.copy(to, at, start, end)
    return
  }
  const shift = at - start
  for (let index = start; index < end; index += 1) to[index + shift] = from[index] as number
}
