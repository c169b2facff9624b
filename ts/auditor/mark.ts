/**
 * Durable marks: two blocks behind the header that say, far from the tail, up to where the journal
 * was once durable. They are not in the chain; they only tell a torn tail from damage.
 *
 * ```text
 *    0 magic 8 | 8 counter u64 | 16 durable u64 | 24 end u32 | 28 zeros 4 | 32 link 32
 *   64 zeros | 4092 crc32c u32, salted
 * ```
 */
import { feed, finish, type Register } from './crc32c.js'
import { U63_MAX } from './header.js'
import { isBlank } from './segment-file.js'

const magic = Buffer.from('PKMARK\u0001\n', 'latin1')
const CRC_AT = 4092

/** A good mark. */
export interface Mark {
  readonly counter: bigint
  readonly durable: bigint
}

/** Reads a block as a mark of the segment with this salt; undefined when it is not a good one. */
export function readMark(block: Buffer, salted: Register): Mark | undefined {
  if (!block.subarray(0, 8).equals(magic)) return undefined
  if (finish(feed(salted, block.subarray(0, CRC_AT))) !== block.readUInt32LE(CRC_AT)) {
    return undefined
  }
  const counter = block.readBigUInt64LE(8)
  if (counter > U63_MAX) return undefined
  if (!isBlank(block.subarray(28, 32)) || !isBlank(block.subarray(64, CRC_AT))) return undefined
  return { counter, durable: block.readBigUInt64LE(16) }
}
