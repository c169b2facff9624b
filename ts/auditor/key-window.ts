/**
 * The idempotency keys that a till remembers: the newest keyed facts, oldest first. Guards I13.
 *
 * ```text
 *  0 hash 16, of BLAKE3(text of the key) | 16 sequence u64 | 24 fingerprint u64
 * ```
 */
import { blake3 } from '@noble/hashes/blake3.js'
import type { Key } from './bodies.js'
import { hold } from './contradiction.js'

const ENTRY_BYTES = 32
const HASH_BYTES = 16
const KEYS_MAX = 2048n

/** The window. */
export class KeyWindow {
  /** How many keys are remembered at most. */
  readonly max: bigint
  /** Entries by the hexadecimal hash; a map keeps the order in which they came. */
  readonly #entries = new Map<string, Buffer>()
  /** The sequence of the checkpoint behind which entries count as new. */
  #newAfter = 0n

  private constructor(max: bigint) {
    this.max = max
  }

  /** A window with the entries of a checkpoint. */
  static of(max: bigint, entries: Buffer): KeyWindow {
    const window = new KeyWindow(max)
    hold(max <= KEYS_MAX, 'I16', `${max} keys are remembered`)
    hold(entries.length % ENTRY_BYTES === 0, 'I16', `keys of ${entries.length} bytes`)
    hold(BigInt(entries.length / ENTRY_BYTES) <= max, 'I16', `more keys than ${max}`)
    for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
      window.#add(Buffer.from(entries.subarray(at, at + ENTRY_BYTES)))
    }
    return window
  }

  /** True when a key is in the window. */
  has({ text }: Key): boolean {
    return this.#entries.has(hashOf(text).toString('hex'))
  }

  /** Folds in the key of a fact. */
  remember({ text, fingerprint }: Key, sequence: bigint): void {
    const entry = Buffer.alloc(ENTRY_BYTES)
    entry.set(hashOf(text))
    entry.writeBigUInt64LE(sequence, HASH_BYTES)
    entry.writeBigUInt64LE(fingerprint, HASH_BYTES + 8)
    this.#add(entry)
  }

  /** Every entry, as a checkpoint at the start of a segment holds them. */
  all(): Buffer {
    return Buffer.concat([...this.#entries.values()])
  }

  /** The entries since the last checkpoint, as a further one of the same segment holds them. */
  newest(): Buffer {
    const entries = [...this.#entries.values()]
    return Buffer.concat(entries.filter((entry) => sequenceOf(entry) > this.#newAfter))
  }

  /** Says that a checkpoint stands at a sequence. */
  checkpoint(sequence: bigint): void {
    this.#newAfter = sequence
  }

  #add(entry: Buffer): void {
    const hash = entry.toString('hex', 0, HASH_BYTES)
    this.#entries.delete(hash)
    this.#entries.set(hash, entry)
    for (const oldest of this.#entries.keys()) {
      if (BigInt(this.#entries.size) <= this.max) break
      this.#entries.delete(oldest)
    }
  }
}

function hashOf(text: string): Buffer {
  return Buffer.from(blake3(Buffer.from(text, 'utf8')).subarray(0, HASH_BYTES))
}

function sequenceOf(entry: Buffer): bigint {
  return entry.readBigUInt64LE(HASH_BYTES)
}
