/**
 * What an app prints, in two generations of bounded length, where no launcher program writes it down: `out.log`, and
 * `out.1.log` before it.
 */
import { renameSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'

/** Bytes that wait to be written before a stream is held up: an app that ends then keeps its last words. */
const waitingBytesMax = 1024 * 1024

/** Bytes of its last words. */
const lastWordsBytes = 8192

/** Takes what streams of an app bring, in the order in which it comes; it is closed when each of them has ended. */
export class OutLog extends Writable {
  readonly #file: string
  readonly #bytesMax: number
  readonly #streams = new Set<NodeJS.ReadableStream>()
  /** Settles when all is written. */
  readonly written: Promise<void>
  #handle: FileHandle | undefined
  #bytes = 0
  #tail = Buffer.alloc(0)

  constructor(folder: string, bytesMax: number) {
    super({ highWaterMark: waitingBytesMax })
    this.#file = path.join(folder, 'out.log')
    this.#bytesMax = bytesMax
    // A log that cannot be written is no reason to end a till.
    this.written = finished(this).catch(() => undefined)
  }

  /** The end of what was printed. */
  get lastWords(): Buffer {
    return this.#tail
  }

  /** Takes these streams from now on. */
  take(streams: Iterable<NodeJS.ReadableStream | null>): void {
    for (const stream of streams) {
      if (stream === null) continue
      this.#streams.add(stream)
      stream.pipe(this, { end: false })
      stream.once('end', () => {
        this.#streams.delete(stream)
        if (this.#streams.size === 0) this.end()
      })
    }
  }

  /** Goes on with those that have not ended, after another one has taken all listeners from them. */
  retake(): void {
    for (const stream of this.#streams) stream.unpipe(this)
    this.take([...this.#streams])
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#tail = Buffer.from(Buffer.concat([this.#tail, bytes]).subarray(-lastWordsBytes))
    this.#append(bytes).then(() => done(), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    Promise.resolve(this.#handle?.close()).then(() => done(), done)
  }

  async #append(bytes: Buffer): Promise<void> {
    let left = bytes
    while (left.length > 0) {
      const handle = await this.#room()
      const part = left.subarray(0, this.#bytesMax - this.#bytes)
      await handle.appendFile(part)
      this.#bytes += part.length
      left = left.subarray(part.length)
    }
  }

  /** The file, with room in it. */
  async #room(): Promise<FileHandle> {
    if (this.#handle !== undefined && this.#bytes >= this.#bytesMax) {
      await this.#handle.close()
      this.#handle = undefined
      const before = path.join(path.dirname(this.#file), 'out.1.log')
      rmSync(before, { force: true })
      renameSync(this.#file, before)
    }
    if (this.#handle === undefined) {
      this.#handle = await open(this.#file, 'a', 0o600)
      this.#bytes = (await this.#handle.stat()).size
    }
    return this.#bytes >= this.#bytesMax ? this.#room() : this.#handle
  }
}
