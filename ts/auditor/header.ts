/**
 * The header of a segment, its first block. It opens the chain of the segment: the BLAKE3 of all
 * its bytes but the checksum is the key of the first frame.
 *
 * ```text
 *    0 magic 8 | 8 version u32 | 12 segment_bytes u32 | 16 segment u32 | 20 epoch u32 | 24 salt u64
 *   32 first_sequence u64 | 40 wall i64 | 48 mono u64 | 56 hlc u64 | 64 previous_link 32 | 96 name 32
 *  128 zeros | 4092 crc32c u32
 * ```
 */
import { blake3 } from '@noble/hashes/blake3.js'
import { crc32c, emptyRegister, feed, type Register } from './crc32c.js'
import { BLOCK_BYTES, isBlank } from './segment-file.js'

const magic = Buffer.from('PKWAL\0\u0001\n', 'latin1')
const FORMAT_VERSION = 1
const CRC_AT = 4092
const SEGMENT_BYTES_MIN = 65_536
const SEGMENT_BYTES_MAX = 1_073_741_824

/** Segments and epochs end here. */
export const U31_MAX = 2 ** 31 - 1
/** Sequences and mark counters end here. */
export const U63_MAX = 2n ** 63n - 1n

/** A good header. */
export interface Header {
  readonly segmentBytes: number
  readonly segment: number
  readonly epoch: number
  readonly firstSequence: bigint
  readonly previousLink: Buffer
  readonly name: string
  /** The key of the first frame. */
  readonly link: Uint8Array
  /** The register of CRC32C after the salt: every other checksum of the segment starts with it. */
  readonly salted: Register
}

/** What the first block of a file is. */
export type ReadHeader =
  | { readonly is: 'good'; readonly header: Header }
  | { readonly is: 'blank' }
  | { readonly is: 'bad'; readonly why: string }
  | { readonly is: 'other version'; readonly version: number }

/** Reads the first block of a segment file; a shorter piece when the file is shorter. */
export function readHeader(block: Buffer): ReadHeader {
  if (isBlank(block)) return { is: 'blank' }
  const bad = (why: string): ReadHeader => ({ is: 'bad', why })
  if (block.length < BLOCK_BYTES) return bad('the file is shorter than its header')
  if (crc32c(block.subarray(0, CRC_AT)) !== block.readUInt32LE(CRC_AT)) {
    return bad('the checksum of the header does not hold')
  }
  if (!block.subarray(0, 8).equals(magic)) return bad('the header has another magic')
  const version = block.readUInt32LE(8)
  if (version !== FORMAT_VERSION) return { is: 'other version', version }

  const segmentBytes = block.readUInt32LE(12)
  const segment = block.readUInt32LE(16)
  const epoch = block.readUInt32LE(20)
  const firstSequence = block.readBigUInt64LE(32)
  const nameField = block.subarray(96, 128)
  const nameBytes = nameField.subarray(0, lengthOfName(nameField))
  const isInRange = segmentBytes >= SEGMENT_BYTES_MIN && segmentBytes <= SEGMENT_BYTES_MAX
  if (!isInRange || segmentBytes % BLOCK_BYTES !== 0)
    return bad(`a segment of ${segmentBytes} bytes`)
  if (segment > U31_MAX) return bad(`the header says segment ${segment}`)
  if (epoch > U31_MAX) return bad(`the header says epoch ${epoch}`)
  if (firstSequence < 1n || firstSequence > U63_MAX) return bad(`first sequence ${firstSequence}`)
  const name = textOf(nameBytes)
  if (name === undefined) return bad('the name of the journal is no text')
  if (!isBlank(nameField.subarray(nameBytes.length)) || !isBlank(block.subarray(128, CRC_AT))) {
    return bad('bytes of the header without a meaning are not zero')
  }
  return {
    is: 'good',
    header: {
      segmentBytes,
      segment,
      epoch,
      firstSequence,
      previousLink: Buffer.from(block.subarray(64, 96)),
      name,
      link: blake3(block.subarray(0, CRC_AT)),
      salted: feed(emptyRegister, block.subarray(24, 32)),
    },
  }
}

function lengthOfName(field: Buffer): number {
  const end = field.indexOf(0)
  return end < 0 ? field.length : end
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
