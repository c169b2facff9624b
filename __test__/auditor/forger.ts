/**
 * Somebody who may write the files and knows the format: takes a segment apart, changes it, and
 * mends as much as is asked for: checksums, links, and the header of the next segment.
 *
 * Layouts are those of `docs/reference/journal-format.md`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { blake3 } from '@noble/hashes/blake3.js'
import { crc32c } from '../../ts/auditor/crc32c.js'

export const BLOCK = 4096
const FRAMES_AT = 3 * BLOCK
const LINK = 32

/** A record of a frame. */
export interface ForgedRecord {
  readonly kind: number
  readonly flags: number
  readonly body: Buffer
}

/** A frame as it stands in a segment. */
export interface ForgedFrame {
  readonly at: number
  readonly length: number
  readonly sequence: bigint
  readonly flags: number
  readonly records: readonly ForgedRecord[]
  /** The bytes in front of the records; a rebuilt frame takes its other fields from here. */
  readonly front: Buffer
}

/** The segments of a journal in memory, by number. */
export class Forgery {
  readonly segments: readonly Segment[]
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    const names = readdirSync(folder).filter((name) => /^segment-\d+\.wal$/.test(name))
    this.segments = names
      .sort()
      .map((name) => new Segment(name, readFileSync(path.join(folder, name))))
      // A file that is made ready ahead of need holds zeros only.
      .filter(({ bytes }) => bytes[0] !== 0)
  }

  /** Writes what was changed. */
  save(): void {
    for (const { name, bytes } of this.segments) writeFileSync(path.join(this.#folder, name), bytes)
  }

  /** Mends every link and checksum from a segment to the head, headers included. */
  mendChain(from: number): void {
    let link: Uint8Array | undefined
    for (const segment of this.segments.slice(from)) {
      if (link !== undefined) segment.bytes.set(link, 64)
      segment.mendHeader()
      link = segment.mendChain()
    }
  }
}

/** The bytes of one segment. */
export class Segment {
  readonly name: string
  readonly bytes: Buffer

  constructor(name: string, bytes: Buffer) {
    this.name = name
    this.bytes = bytes
  }

  /** The frames of a sound segment. */
  frames(): ForgedFrame[] {
    const found: ForgedFrame[] = []
    for (const at of this.#places()) {
      const length = this.bytes.readUInt32LE(at + 4)
      const bytes = Buffer.from(this.bytes.subarray(at, at + length))
      const records: ForgedRecord[] = []
      for (let from = 64, left = bytes.readUInt16LE(60); left > 0; left--) {
        const size = bytes.readUInt32LE(from)
        const body = bytes.subarray(from + 8, from + 8 + size)
        records.push({ kind: bytes.readUInt16LE(from + 4), flags: bytes[from + 6] ?? 0, body })
        from += 8 + size
      }
      found.push({
        at,
        length,
        sequence: bytes.readBigUInt64LE(8),
        flags: bytes[63] ?? 0,
        records,
        front: bytes.subarray(0, 64),
      })
    }
    return found
  }

  /**
   * Writes these frames, one behind the other, in the place of all that the segment held. False
   * when they do not fit; nothing is then changed. Links are left to `mendChain`.
   */
  rebuild(frames: readonly Pick<ForgedFrame, 'front' | 'records'>[]): boolean {
    const pieces: Buffer[] = []
    let at = FRAMES_AT
    for (const { front, records } of frames) {
      const bodies = records.flatMap(({ kind, flags, body }) => {
        const head = Buffer.alloc(8)
        head.writeUInt32LE(body.length, 0)
        head.writeUInt16LE(kind, 4)
        head.writeUInt8(flags, 6)
        return [head, body]
      })
      const filled = bodies.reduce((sum, { length }) => sum + length, 64)
      const piece = Buffer.concat([front, ...bodies], Math.ceil(filled / 8) * 8 + LINK)
      piece.writeUInt32LE(piece.length, 4)
      piece.writeUInt32LE(at / 8, 56)
      piece.writeUInt16LE(records.length, 60)
      pieces.push(piece)
      at += piece.length
    }
    if (at > this.bytes.length) return false
    this.bytes.fill(0, FRAMES_AT)
    Buffer.concat(pieces).copy(this.bytes, FRAMES_AT)
    return true
  }

  /** Mends the checksum of the header. */
  mendHeader(): void {
    this.bytes.writeUInt32LE(crc32c(this.bytes.subarray(0, 4092)), 4092)
  }

  /** Mends the checksum of a mark slot. */
  mendMark(at: number): void {
    this.bytes.writeUInt32LE(this.#salted(this.bytes.subarray(at, at + 4092)), at + 4092)
  }

  /** Mends the checksum of the frame at a place. */
  mendFrame(at: number): void {
    const length = this.bytes.readUInt32LE(at + 4)
    this.bytes.writeUInt32LE(this.#salted(this.bytes.subarray(at + 4, at + length)), at)
  }

  /** Mends every link and checksum of the frames; the last link comes out. */
  mendChain(): Uint8Array {
    let link: Uint8Array = blake3(this.bytes.subarray(0, 4092))
    for (const at of this.#places()) {
      const linkAt = at + this.bytes.readUInt32LE(at + 4) - LINK
      link = blake3(this.bytes.subarray(at + 4, linkAt), { key: link })
      this.bytes.set(link, linkAt)
      this.mendFrame(at)
    }
    return link
  }

  /** Where frames stand, by their lengths alone. */
  *#places(): Generator<number> {
    for (let at = FRAMES_AT; at + 104 <= this.bytes.length; ) {
      if (this.bytes.readUInt32LE(at + 4) === 0) {
        at = Math.ceil((at + 1) / BLOCK) * BLOCK
        if (at + 104 > this.bytes.length || this.bytes.readUInt32LE(at + 4) === 0) return
      }
      const length = this.bytes.readUInt32LE(at + 4)
      if (length < 104 || length > this.bytes.length - at) return
      yield at
      at += length
    }
  }

  #salted(bytes: Uint8Array): number {
    return crc32c(Buffer.concat([this.bytes.subarray(24, 32), bytes]))
  }
}
