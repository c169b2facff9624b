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
  type Fact,
  kinds,
} from './bodies.js'
import { Contradiction, hold, NewerVersion } from './contradiction.js'
import { type Frame, frameFlags } from './frame.js'
import { inOrder } from './perpetual.js'
import { decodePolicy } from './pricing/policy.js'
import type { TaxComponent } from './pricing/tax.js'
import type { Completed } from './sale.js'
import type { Signatures } from './signatures.js'
import { type Checkpoint, Till } from './till.js'

/** Something that is wrong with the records of a frame. */
export interface Finding {
  readonly kind: 'contradiction' | 'version' | 'form'
  readonly sequence: bigint
  readonly invariant?: string | undefined
  readonly message: string
  /** It lies between this segment and the one before it. */
  readonly isBetween?: true
}

/** What every till of segments of this size remembers, see `docs/reference/records.md`. */
const KEYS_MAX = 2048n
const SEGMENT_BYTES_PER_KEY = 2048

/** Hears each fact that was folded, of the till that it was folded into. */
export type OnFact = (
  fact: Fact,
  place: { readonly sequence: bigint; readonly hlc: bigint; readonly wall: bigint },
  till: Till,
) => void

/** The fold over the frames of a journal. */
export class Fold {
  readonly #onCompleted: (completed: Completed) => void
  readonly #onFact: OnFact | undefined
  #till: Till | undefined
  /** A contradiction was met: nothing more of this segment can be judged. */
  #isLost = false
  #isAtStart = true
  #segment = 0
  #segmentBytes = 0
  readonly #signatures: Signatures

  /**
   * A fold that hands over each sale that is completed and each fact, and tells what it has folded to
   * whoever judges the signatures.
   */
  constructor(
    signatures: Signatures,
    onCompleted: (completed: Completed) => void,
    onFact?: OnFact,
  ) {
    this.#signatures = signatures
    this.#onCompleted = onCompleted
    this.#onFact = onFact
  }

  /** The state so far; undefined before the first checkpoint. */
  get till(): Till | undefined {
    return this.#till
  }

  /**
   * Says that a segment begins. `follows` is false when the one before it was not read to its end:
   * then there is nothing to compare the first checkpoint with.
   */
  beginSegment(segment: number, segmentBytes: number, follows: boolean): void {
    if (!follows || this.#isLost) this.#till = undefined
    this.#isLost = false
    this.#isAtStart = true
    this.#segment = segment
    this.#segmentBytes = segmentBytes
  }

  /** Folds in a frame and says what is wrong with it. */
  frame(frame: Frame): readonly Finding[] {
    if (this.#isLost) return []
    const findings = formOf(frame)
    let sequence = frame.sequence
    try {
      if ((frame.flags & frameFlags.checkpoint) !== 0) {
        for (const { kind, flags } of frame.records) checkVersion(kind, flags)
        findings.push(...this.#checkpoint(frame))
        return findings
      }
      for (const { kind, flags, body } of frame.records) {
        checkVersion(kind, flags)
        // Where these stand in such a frame, the finding above says so, and there is no fact in them.
        if (kind >= kinds.opened) {
          const fact = decodeFact(kind, body)
          if (this.#till?.remembersKeyOf(fact)) {
            const message = 'a key that is remembered makes a second fact'
            findings.push({ kind: 'form', sequence, invariant: 'I13', message })
          }
          this.#till?.apply(fact, kind, body, { sequence, wall: frame.wall })
          this.#see(fact, frame, sequence)
        }
        sequence += 1n
      }
    } catch (error) {
      this.#isLost = true
      this.#signatures.incomplete()
      findings.push(findingOf(error, sequence))
    }
    return findings
  }

  #see(fact: Fact, { at, link, hlc, wall }: Frame, sequence: bigint): void {
    if (this.#till === undefined) return
    this.#onFact?.(fact, { sequence, hlc, wall }, this.#till)
    const place = { segment: this.#segment, offset: at, sequence }
    this.#signatures.see(fact, place, link, this.#till.proofs)
  }

  #checkpoint(frame: Frame): Finding[] {
    const checkpoint = readCheckpoint(frame)
    const { sequence } = frame
    if (!this.#isAtStart) {
      this.#till?.compare(checkpoint, false)
      this.#till?.checkpoint(sequence)
      return checkpoint.form.map((message) => ({ kind: 'form', sequence, message }))
    }
    this.#isAtStart = false
    const before = this.#till
    // The segment is judged by itself, from what its own first checkpoint says.
    this.#till = new Till(checkpoint, sequence, this.#onCompleted)
    const place = { segment: this.#segment, offset: frame.at, sequence }
    this.#signatures.beginFold(place, this.#till.proofs, this.#till.nextReceipt)
    const findings = checkpoint.form.map(
      (message): Finding => ({ kind: 'form', sequence, message }),
    )
    try {
      if (before !== undefined) before.compare(checkpoint, true)
      else if (this.#segment === 1) this.#till.holdBlank()
    } catch (error) {
      findings.push({ ...findingOf(error, sequence), isBetween: true })
    }
    const { keysMax } = checkpoint.head
    const perSegment = BigInt(Math.floor(this.#segmentBytes / SEGMENT_BYTES_PER_KEY))
    const wanted = perSegment < KEYS_MAX ? perSegment : KEYS_MAX
    if (this.#segment === 1 && keysMax !== wanted) {
      const message = `${keysMax} keys are remembered, where ${wanted} belong to such segments`
      findings.push({ kind: 'form', sequence, message })
    }
    return findings
  }
}

/** What is odd about flags and records of a frame, that no fact contradicts. */
function formOf({ flags, records, sequence }: Frame): Finding[] {
  const findings: Finding[] = []
  const expect = (isTrue: boolean, message: string) => {
    if (!isTrue) findings.push({ kind: 'form', sequence, message })
  }
  const alone: readonly [number, number, string][] = [
    [frameFlags.seal, kinds.seal, 'seal'],
    [frameFlags.ownerBegins, kinds.opened, 'TerminalOpened'],
    [frameFlags.ownerEnds, kinds.closed, 'TerminalClosed'],
  ]
  for (const [flag, kind, what] of alone) {
    const holdsKind = records.some((record) => record.kind === kind)
    const isAlone = records.length === 1 && holdsKind
    const isFlagged = (flags & flag) !== 0
    expect(isFlagged ? isAlone : !holdsKind, `${what} and the flag of its frame do not agree`)
  }
  const seal = records.find(({ kind }) => kind === kinds.seal)
  const isEmpty = seal === undefined || (seal.flags === 0 && seal.body.length === 0)
  expect(isEmpty, 'a seal that is not empty')
  const isCheckpoint = (flags & frameFlags.checkpoint) !== 0
  const holdsCheckpoint = records.some(
    ({ kind }) => kind === kinds.checkpoint || kind === kinds.checkpointSale,
  )
  expect(isCheckpoint || !holdsCheckpoint, 'a checkpoint in a frame without its flag')
  return findings
}

function readCheckpoint({ records }: Frame): Checkpoint {
  const [first, ...others] = records
  hold(first?.kind === kinds.checkpoint, 'I16', 'a checkpoint that does not begin with its head')
  if (first === undefined) throw new Contradiction('a checkpoint without a record', 'I16')
  const head = decodeCheckpoint(first.body)
  const sales: CheckpointSaleBody[] = []
  for (const { kind, body } of others) {
    hold(kind === kinds.checkpointSale, 'I16', `a record of kind ${kind} in a checkpoint`)
    sales.push(decodeCheckpointSale(body))
  }
  const said = `the checkpoint says ${head.sales} open sales and holds ${sales.length}`
  hold(head.sales === BigInt(sales.length), 'I16', said)

  const form: string[] = []
  const currencies = head.totals.map(({ currency }) => currency)
  const taxes = head.totals.map((totals) => totals.taxes.map(({ tax }) => tax))
  const policies = head.policies.map((policy) => decodePolicy(policy).currency)
  const numbers = sales.map(({ sale }) => sale)
  if (!isAscending(currencies)) form.push('the currencies of the checkpoint are not in order')
  if (!taxes.every(areInOrder)) form.push('the taxes of the checkpoint are not in order')
  if (!isAscending(policies)) form.push('the policies of the checkpoint are not in order')
  if (!isAscending(numbers)) form.push('the open sales of the checkpoint are not in order')
  // In order from here on: what is out of order is said once, and compared all the same.
  const totals = head.totals
    .map((one) => ({ ...one, taxes: one.taxes.toSorted((a, b) => inOrder(a.tax, b.tax)) }))
    .sort((a, b) => (a.currency < b.currency ? -1 : 1))
  sales.sort((a, b) => (a.sale < b.sale ? -1 : 1))
  return { head: { ...head, totals }, sales, form }
}

function areInOrder(taxes: readonly TaxComponent[]): boolean {
  return taxes.every((tax, index) => {
    const before = taxes[index - 1]
    return before === undefined || inOrder(before, tax) <= 0
  })
}

function isAscending(values: readonly (bigint | string)[]): boolean {
  return values.every((value, index) => {
    const before = values[index - 1]
    return before === undefined || before <= value
  })
}

function findingOf(error: unknown, sequence: bigint): Finding {
  if (error instanceof NewerVersion) {
    const message = `${error.message}: a newer version wrote it, and must judge this journal`
    return { kind: 'version', sequence, message }
  }
  if (error instanceof Contradiction) {
    const { invariant, message } = error
    return { kind: 'contradiction', sequence, invariant, message }
  }
  throw error
}
