/**
 * The records of a journal as the bytes that they are, read from its segments after
 * docs/reference/journal-format.md and with nothing of the kernel's.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const framesBegin = 12_288
const block = 4096

/** A record with what its frame says of it. */
export interface RawRecord {
  readonly sequence: number
  readonly wallNs: bigint
  readonly kind: number
  readonly flags: number
  readonly body: string
}

/** Every record of a terminal, in order; bodies in hexadecimal. */
export function rawRecords(root: string, terminal: string): RawRecord[] {
  const folder = path.join(root, 'terminals', terminal, 'transaction.wal')
  const segments = readdirSync(folder).filter((name) => /^segment-\d+\.wal$/.test(name))
  return segments.sort().flatMap((name) => recordsOf(readFileSync(path.join(folder, name))))
}

function recordsOf(segment: Buffer): RawRecord[] {
  const records: RawRecord[] = []
  let at = framesBegin
  while (at + block <= segment.length) {
    if (segment.readBigUInt64LE(at) === 0n) {
      // Behind a gap the next frame stands at a block boundary.
      const next = Math.ceil((at + 1) / block) * block
      if (at % block === 0) break
      at = next
      continue
    }
    const length = segment.readUInt32LE(at + 4)
    const first = Number(segment.readBigUInt64LE(at + 8))
    const wallNs = segment.readBigInt64LE(at + 24)
    const count = segment.readUInt16LE(at + 60)
    let record = at + 64
    for (let index = 0; index < count; index += 1) {
      const size = segment.readUInt32LE(record)
      records.push({
        sequence: first + index,
        wallNs,
        kind: segment.readUInt16LE(record + 4),
        flags: segment.readUInt8(record + 6),
        body: segment.toString('hex', record + 8, record + 8 + size),
      })
      record += 8 + size
    }
    at += length
  }
  return records
}
