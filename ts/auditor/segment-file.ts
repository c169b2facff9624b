/**
 * One segment file, read piece by piece: a window of it is in memory, never the whole. The file may
 * be written while it is read, so what was read once is not asked for again, unless `forget` says
 * so.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { emptyRegister, feed, finish, type Register } from './crc32c.js'

/** The unit of the format: headers, marks and gaps are measured in it. */
export const BLOCK_BYTES = 4096

const WINDOW_BYTES = 256 * BLOCK_BYTES
const zeros = Buffer.alloc(16 * BLOCK_BYTES)

/** A file that can be read at any offset. */
export class SegmentFile {
  /** Length when it was opened. */
  readonly size: number
  readonly #file: number
  #window = Buffer.alloc(0)
  #windowAt = 0

  private constructor(file: number) {
    this.#file = file
    this.size = fstatSync(file).size
  }

  /** Opens a file; undefined when there is none. Any other failure is thrown as Node gives it. */
  static open(path: string): SegmentFile | undefined {
    try {
      return new SegmentFile(openSync(path, 'r'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** The bytes `at..at + length`, which must lie in the file. They stay what they are. */
  bytes(at: number, length: number): Buffer {
    const from = at - this.#windowAt
    if (from >= 0 && from + length <= this.#window.length) {
      return this.#window.subarray(from, from + length)
    }
    const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.size - at)
    // A new buffer each time: pieces of the old one are still in use.
    const window = Buffer.allocUnsafeSlow(wanted)
    for (let done = 0; done < wanted; ) {
      const count = readSync(this.#file, window, done, wanted - done, at + done)
      if (count === 0) throw new Error(`the file ends at byte ${at + done}, not at ${this.size}`)
      done += count
    }
    this.#window = window
    this.#windowAt = at
    return window.subarray(0, length)
  }

  /** True when `from..to` holds zeros only. */
  isBlank(from: number, to: number): boolean {
    for (let at = from; at < to; at += zeros.length) {
      if (!isBlank(this.bytes(at, Math.min(zeros.length, to - at)))) return false
    }
    return true
  }

  /** The offset behind the last byte that is not zero, at least `from`. */
  endOfBytes(from: number): number {
    for (let to = this.size; to > from; ) {
      const at = Math.max(from, to - WINDOW_BYTES)
      const piece = this.bytes(at, to - at)
      if (!isBlank(piece)) return at + piece.findLastIndex((byte) => byte !== 0) + 1
      to = at
    }
    return from
  }

  /** The checksum of `from..to` behind a register, without holding more than a window. */
  crc32c(from: number, to: number, register: Register = emptyRegister): number {
    let value = register
    for (let at = from; at < to; ) {
      const count = Math.min(to - at, WINDOW_BYTES)
      value = feed(value, this.bytes(at, count))
      at += count
    }
    return finish(value)
  }

  /** Drops what was read, so that the next read asks the file anew. */
  forget(): void {
    this.#window = Buffer.alloc(0)
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#file)
  }
}

/** True when every byte is zero. */
export function isBlank(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const piece = bytes.subarray(at, at + zeros.length)
    if (!piece.equals(zeros.subarray(0, piece.length))) return false
  }
  return true
}
