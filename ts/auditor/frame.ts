/**
 * Frames: one append each, with one or more records, there whole or not at all.
 *
 * ```text
 *   0 crc32c u32, salted, of 4..length | 4 length u32 | 8 sequence u64 | 16 durable u64
 *  24 wall i64 | 32 mono u64 | 40 hlc u64 | 48 epoch u32 | 52 segment u32 | 56 place u32
 *  60 count u16 | 62 version u8 | 63 flags u8 | 64 records | -32 link
 *
 * record: 0 size u32 | 4 kind u16 | 6 flags u8 | 7 not looked at | 8 body
 * ```
 */
import { type Header, U31_MAX, U63_MAX } from './header.js'
import { isBlank, type SegmentFile } from './segment-file.js'

/** Flags of a frame. */
export const frameFlags = { checkpoint: 1, seal: 2, ownerBegins: 4, ownerEnds: 8 } as const

/** No frame is shorter: 64 bytes in front, one empty record, the link. */
export const FRAME_BYTES_MIN = 104

const FRAME_VERSION = 1
const RECORDS_AT = 64
const RECORD_HEAD_BYTES = 8
const LINK_BYTES = 32

/** A record of a frame; the body is the caller's. */
export interface JournalRecord {
  readonly kind: number
  readonly flags: number
  readonly body: Buffer
}

/** A frame that can be believed, but for its link. */
export interface Frame {
  /** Where it stands. */
  readonly at: number
  readonly length: number
  /** Sequence of its first record. */
  readonly sequence: bigint
  readonly durable: bigint
  readonly wall: bigint
  /** Stamp of the hybrid logical clock: it orders the frames of a store. */
  readonly hlc: bigint
  readonly epoch: number
  readonly flags: number
  readonly records: readonly JournalRecord[]
  /** What the link is over: everything between checksum and link. */
  readonly linked: Buffer
  readonly link: Buffer
}

/** What stands at an offset. */
export type ReadFrame =
  | { readonly is: 'frame'; readonly frame: Frame }
  | { readonly is: 'blank' }
  | { readonly is: 'broken'; readonly why: string }

/** Reads what stands at `at`. A length that lies costs time, but no memory. */
export function readFrame(file: SegmentFile, header: Header, at: number): ReadFrame {
  const rest = file.size - at
  if (rest < 8 || isBlank(file.bytes(at, 8))) return { is: 'blank' }
  const broken = (why: string): ReadFrame => ({ is: 'broken', why })
  if (rest < FRAME_BYTES_MIN) return broken('a frame does not fit')
  const length = file.bytes(at, 8).readUInt32LE(4)
  if (length < FRAME_BYTES_MIN || length % 8 !== 0 || length > rest) {
    return broken(`a frame cannot be ${length} bytes long`)
  }
  if (file.crc32c(at + 4, at + length, header.salted) !== file.bytes(at, 4).readUInt32LE(0)) {
    return broken('the checksum of the frame does not hold')
  }

  const bytes = file.bytes(at, length)
  const sequence = bytes.readBigUInt64LE(8)
  const epoch = bytes.readUInt32LE(48)
  if (bytes.readUInt32LE(52) !== header.segment) return broken('a frame of another segment')
  if (bytes.readUInt32LE(56) * 8 !== at) return broken('a frame of another place')
  if (bytes[62] !== FRAME_VERSION) return broken(`a frame of version ${bytes[62]}`)
  if (sequence < 1n || sequence > U63_MAX) return broken(`a frame with sequence ${sequence}`)
  if (epoch > U31_MAX) return broken(`a frame with epoch ${epoch}`)
  const linkAt = length - LINK_BYTES
  const records = readRecords(bytes.subarray(RECORDS_AT, linkAt), bytes.readUInt16LE(60))
  if (records === undefined) return broken('the records do not fill the frame')
  return {
    is: 'frame',
    frame: {
      at,
      length,
      sequence,
      durable: bytes.readBigUInt64LE(16),
      wall: bytes.readBigInt64LE(24),
      hlc: bytes.readBigUInt64LE(40),
      epoch,
      flags: bytes[63] ?? 0,
      records,
      linked: bytes.subarray(4, linkAt),
      link: bytes.subarray(linkAt),
    },
  }
}

/** The records, when `count` of them and at most 7 zeros fill the bytes. */
function readRecords(bytes: Buffer, count: number): JournalRecord[] | undefined {
  if (count === 0) return undefined
  const records: JournalRecord[] = []
  let at = 0
  for (let index = 0; index < count; index++) {
    if (bytes.length - at < RECORD_HEAD_BYTES) return undefined
    const size = bytes.readUInt32LE(at)
    const bodyAt = at + RECORD_HEAD_BYTES
    if (size > bytes.length - bodyAt) return undefined
    records.push({
      kind: bytes.readUInt16LE(at + 4),
      flags: bytes[at + 6] ?? 0,
      body: bytes.subarray(bodyAt, bodyAt + size),
    })
    at = bodyAt + size
  }
  const padding = bytes.subarray(at)
  return padding.length < 8 && isBlank(padding) ? records : undefined
}
