/**
 * The walk over the frames of one segment, and the judgement of the place where it stops: the end
 * of the journal, a torn tail, or damage. The algorithm is the one of the reference, step by step;
 * see "One segment" in `docs/reference/journal-format.md`.
 */
import { blake3 } from '@noble/hashes/blake3.js'
import { FRAME_BYTES_MIN, type Frame, frameFlags, readFrame } from './frame.js'
import type { Header } from './header.js'
import { type Mark, readMark } from './mark.js'
import { BLOCK_BYTES, isBlank, type SegmentFile } from './segment-file.js'

/** Where the first frame of a segment stands. */
export const FRAMES_AT = 3 * BLOCK_BYTES

const slotsAt = [BLOCK_BYTES, 2 * BLOCK_BYTES] as const

/** How far a walk has come. */
export interface Position {
  readonly offset: number
  /** The sequence that the next record must have. */
  readonly sequence: bigint
  readonly epoch: number
  readonly link: Uint8Array
  readonly frames: number
  readonly isSealed: boolean
}

/** A frame in its place, and whether its link follows from what is before it. */
export interface WalkedFrame {
  readonly frame: Frame
  readonly isLinked: boolean
}

/** Where a walk stopped, and why; `found` is what stands there. */
export interface Stop {
  readonly position: Position
  readonly at: number
  readonly found: string
}

/** What a stop means. */
export type Verdict =
  | { readonly is: 'end'; readonly tornBytes: number }
  | { readonly is: 'damaged'; readonly why: string }

/** The start of a segment. */
export function startOf(header: Header): Position {
  return {
    offset: FRAMES_AT,
    sequence: header.firstSequence,
    epoch: header.epoch,
    link: header.link,
    frames: 0,
    isSealed: false,
  }
}

/** The frames from a position on, in order. A link that does not follow does not stop the walk. */
export function* walk(
  file: SegmentFile,
  header: Header,
  from: Position,
): Generator<WalkedFrame, Stop, undefined> {
  let position = from
  for (;;) {
    const stopAt = (at: number, found: string): Stop => ({ position, at, found })
    if (position.isSealed) return stopAt(position.offset, 'the end of the segment')
    let at = position.offset
    let read = readFrame(file, header, at)
    if (read.is === 'blank' && at % BLOCK_BYTES !== 0) {
      const boundary = Math.min(nextBoundary(at), file.size)
      if (!file.isBlank(at, boundary)) return stopAt(at, 'bytes between two frames')
      read = readFrame(file, header, boundary)
      if (read.is === 'blank') return stopAt(at, 'nothing')
      at = boundary
    }
    if (read.is === 'blank') return stopAt(at, 'nothing')
    if (read.is === 'broken') return stopAt(at, read.why)

    const { frame } = read
    if (frame.sequence !== position.sequence) {
      return stopAt(at, `record ${frame.sequence}, where ${position.sequence} must stand`)
    }
    if (frame.epoch < position.epoch) {
      return stopAt(at, `a frame of owner ${frame.epoch}, behind one of owner ${position.epoch}`)
    }
    if (frame.durable >= frame.sequence) {
      return stopAt(at, 'a frame that calls itself durable before it was written')
    }
    if (at === FRAMES_AT && (frame.flags & frameFlags.checkpoint) === 0) {
      return stopAt(at, 'no checkpoint at the start of the segment')
    }
    const isLinked = Buffer.from(blake3(frame.linked, { key: position.link })).equals(frame.link)
    position = {
      offset: at + frame.length,
      sequence: position.sequence + BigInt(frame.records.length),
      epoch: frame.epoch,
      link: frame.link,
      frames: position.frames + 1,
      isSealed: (frame.flags & frameFlags.seal) !== 0,
    }
    yield { frame, isLinked }
  }
}

/** Says what a stop is. */
export function judge(
  file: SegmentFile,
  header: Header,
  { position, at, found }: Stop,
  isNewest: boolean,
): Verdict {
  const end = file.endOfBytes(at)
  const damaged = (why: string): Verdict => ({ is: 'damaged', why })
  if (position.isSealed) {
    if (end === at) return { is: 'end', tornBytes: 0 }
    return isNewest
      ? { is: 'end', tornBytes: end - at }
      : damaged(`${end - at} bytes stand behind the seal`)
  }
  const proof = proofBehind(file, header, at, end)
  if (proof >= position.sequence) {
    return damaged(
      `record ${position.sequence} was durable (record ${proof} is proven) and is not there: ${found}`,
    )
  }
  if (!isNewest) return damaged(`the segment is not the newest and has no seal: ${found}`)
  if (position.frames === 0) return damaged(`the segment has no first frame: ${found}`)
  return { is: 'end', tornBytes: end - at }
}

/** The slots of a segment that are neither empty nor good, by offset. */
export function brokenSlots(file: SegmentFile, header: Header): number[] {
  return slotsAt.filter((at) => {
    const block = file.bytes(at, BLOCK_BYTES)
    return !isBlank(block) && readMark(block, header.salted) === undefined
  })
}

/** The greatest sequence that bytes behind the stop, or the mark, prove to have been durable. */
function proofBehind(file: SegmentFile, header: Header, stop: number, end: number): bigint {
  let proof = markOf(file, header)?.durable ?? 0n
  for (let at = nextMultiple(stop + 1, 8); at + FRAME_BYTES_MIN <= end; ) {
    const isInPlace = file.bytes(at, 60).readUInt32LE(56) === at / 8
    const read = isInPlace ? readFrame(file, header, at) : undefined
    if (read?.is !== 'frame') {
      at += 8
      continue
    }
    if (read.frame.durable > proof) proof = read.frame.durable
    at += read.frame.length
  }
  for (let at = nextMultiple(stop, BLOCK_BYTES); at < end; at += BLOCK_BYTES) {
    const mark = readMark(file.bytes(at, BLOCK_BYTES), header.salted)
    if (mark !== undefined && mark.durable > proof) proof = mark.durable
  }
  return proof
}

/** The mark of the segment: the good one with the greater counter, which is at least 1. */
function markOf(file: SegmentFile, header: Header): Mark | undefined {
  let newest: Mark | undefined
  for (const at of slotsAt) {
    const mark = readMark(file.bytes(at, BLOCK_BYTES), header.salted)
    if (mark !== undefined && mark.counter > (newest?.counter ?? 0n)) newest = mark
  }
  return newest
}

function nextBoundary(at: number): number {
  return nextMultiple(at + 1, BLOCK_BYTES)
}

function nextMultiple(at: number, unit: number): number {
  return Math.ceil(at / unit) * unit
}
