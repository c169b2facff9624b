/**
 * Frames in, state out: which records may stand in which frame, and the fold over them. After a
 * contradiction the rest of the segment cannot be judged; the next one begins with a checkpoint of
 * its own, which is then believed.
 */
import {
  type CheckpointSaleBody,
  checkVersion,
  decodeCheckpoint,
  decodeCheckpointSale,
  decodeFact,
  kinds,
} from './bodies.js'
import { Contradiction, hold } from './contradiction.js'
import { type Frame, frameFlags, type JournalRecord } from './frame.js'
import { type Checkpoint, Till } from './till.js'

/** A contradiction with the record that it was found in. */
export interface FoundContradiction {
  readonly sequence: bigint
  readonly cause: Contradiction
}

/** The fold over the frames of a journal. */
export class Fold {
  #till: Till | undefined
  #isLost = false
  #isAtStart = true
  #isFirstSegment = false

  /** The state so far; undefined before the first checkpoint. */
  get till(): Till | undefined {
    return this.#till
  }

  /**
   * Says that a segment begins. `follows` is false when the one before it was not read to its end:
   * then there is nothing to compare the first checkpoint with.
   */
  beginSegment(segment: number, follows: boolean): void {
    if (!follows || this.#isLost) this.#till = undefined
    this.#isLost = false
    this.#isAtStart = true
    this.#isFirstSegment = segment === 1
  }

  /**
   * Folds in a frame.
   *
   * @throws NewerVersion
   */
  frame(frame: Frame): FoundContradiction | undefined {
    // A record of a newer version is seen even where nothing can be judged any more.
    for (const { kind, flags } of frame.records) checkVersion(kind, flags)
    if (this.#isLost) return undefined
    let sequence = frame.sequence
    try {
      const [first] = frame.records
      holdShape(frame, first)
      if ((frame.flags & frameFlags.checkpoint) !== 0) {
        this.#checkpoint(frame)
        return undefined
      }
      for (const { kind, body } of frame.records) {
        if (kind !== kinds.seal) {
          const place = { sequence, wall: frame.wall }
          this.#till?.apply(decodeFact(kind, body), kind, body, place)
        }
        sequence += 1n
      }
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error
      this.#isLost = true
      return { sequence, cause: error }
    }
    return undefined
  }

  #checkpoint(frame: Frame): void {
    const checkpoint = readCheckpoint(frame)
    const isFirstOfSegment = this.#isAtStart
    this.#isAtStart = false
    if (this.#till !== undefined) {
      try {
        this.#till.compare(checkpoint, isFirstOfSegment)
        this.#till.checkpoint(frame.sequence)
        return
      } catch (error) {
        // The segment can still be judged by itself, from what its own first checkpoint says.
        if (error instanceof Contradiction && isFirstOfSegment) {
          this.#till = new Till(checkpoint, frame.sequence)
        }
        throw error
      }
    }
    this.#till = new Till(checkpoint, frame.sequence)
    if (this.#isFirstSegment) this.#till.holdBlank()
  }
}

/** Holds flags and records of a frame against each other. */
function holdShape({ flags, records }: Frame, first: JournalRecord | undefined): void {
  const alone: readonly [number, number, string][] = [
    [frameFlags.seal, kinds.seal, 'seal'],
    [frameFlags.ownerBegins, kinds.opened, 'beginning of an owner'],
    [frameFlags.ownerEnds, kinds.closed, 'end of an owner'],
  ]
  for (const [flag, kind, what] of alone) {
    const isFlagged = (flags & flag) !== 0
    const holdsKind = records.some((record) => record.kind === kind)
    const isAlone = records.length === 1 && holdsKind
    hold(isFlagged ? isAlone : !holdsKind, undefined, `a ${what} that is not flagged, or not alone`)
  }
  if ((flags & frameFlags.seal) !== 0) {
    hold(first?.flags === 0 && first.body.length === 0, undefined, 'a seal that is not empty')
  }
  const isCheckpoint = (flags & frameFlags.checkpoint) !== 0
  for (const [index, { kind }] of records.entries()) {
    const is = kind === kinds.checkpoint || kind === kinds.checkpointSale
    const wanted = index === 0 ? kinds.checkpoint : kinds.checkpointSale
    const isInPlace = isCheckpoint ? kind === wanted : !is
    hold(isInPlace, 'I16', 'a checkpoint that is not flagged, or a flag without a checkpoint')
  }
}

function readCheckpoint({ records }: Frame): Checkpoint {
  const [first, ...others] = records
  if (first === undefined) throw new Contradiction('a checkpoint without a record', 'I16')
  const head = decodeCheckpoint(first.body)
  const sales: CheckpointSaleBody[] = others.map(({ body }) => decodeCheckpointSale(body))
  hold(
    head.sales === BigInt(sales.length),
    'I16',
    `the checkpoint says ${head.sales} open sales and holds ${sales.length}`,
  )
  return { head, sales }
}
