/**
 * The audit of one journal: its segments in order, each walked, judged and folded, and what must
 * hold between two neighbours.
 */
import { setImmediate as breathe } from 'node:timers/promises'
import { archivedSegments, auditArchive } from './archive.js'
import { Fold } from './fold.js'
import { type Frame, frameFlags } from './frame.js'
import { type Header, readHeader } from './header.js'
import { readFolder, segmentPath } from './manifest.js'
import { reported } from './perpetual.js'
import type { ArchivedBody } from './proof-bodies.js'
import { type Problem, Problems, type TerminalAudit } from './report.js'
import { ReturnedParts } from './returned.js'
import type { Completed } from './sale.js'
import { BLOCK_BYTES, SegmentFile } from './segment-file.js'
import { extentOf } from './segments.js'
import { Signatures } from './signatures.js'
import type { Ways } from './transfers.js'
import {
  brokenSlots,
  judge,
  type Position,
  type Stop,
  startOf,
  type Verdict,
  type WalkedFrame,
  walk,
} from './walk.js'

/** A journal that is audited, and what was found about anchors. */
export interface JournalAudit {
  readonly terminal: TerminalAudit
  /** The hash that was asked for is the link of a good frame. */
  readonly holdsAnchor: boolean
}

/** Where a problem is. */
type ProblemPlace = Pick<Problem, 'segment' | 'offset' | 'sequence'>
/** What to hold a journal against. */
export interface JournalQuestions {
  /** A link that must be in the chain, in hexadecimal. */
  readonly anchor?: string | undefined
  /** Public keys that are trusted to sign, in hexadecimal. */
  readonly keys: readonly string[]
  /** Folders in which archived segments of the journal may stand. */
  readonly archives: readonly string[]
  /** Where to note what moved to and from other terminals. */
  readonly ways?: Ways | undefined
}

/** The end of a segment that was read. */
interface SegmentEnd {
  readonly link: Uint8Array
  readonly lastSequence: bigint
  readonly epoch: number
  /** Every record of it could be read. */
  readonly isWhole: boolean
}

/**
 * Audits the journal in a folder; undefined when there is none.
 *
 * @param id - terminal id, for the report
 * @param folder - the folder of the segments
 * @param questions - what to hold it against
 */
export async function auditJournal(
  id: string,
  folder: string,
  questions: JournalQuestions,
): Promise<JournalAudit | undefined> {
  const found = readFolder(folder)
  const extent = found && extentOf(folder, found)
  if (found === undefined || extent === undefined) return undefined
  const archived = archivedSegments(questions.archives, extent.oldest)
  const audit = new Audit(id, extent.newest, questions)
  const own = found.numbers.filter((one) => one >= extent.oldest && one <= extent.newest)
  const oldest = archived.keys().next().value ?? extent.oldest
  let next = oldest
  for (const segment of [...archived.keys(), ...own, extent.newest + 1]) {
    if (segment > next) audit.missing(next, segment - 1)
    const file = archived.get(segment) ?? segmentPath(folder, segment)
    if (segment <= extent.newest) audit.segment(segment, file)
    next = segment + 1
    await breathe()
  }
  for (const segment of audit.segmentsWanted()) {
    audit.compareReceipts(segment)
    await breathe()
  }
  const terminal = audit.report(oldest, extent.newest, archived.size)
  return { terminal, holdsAnchor: audit.holdsAnchor }
}

/** The state of an audit between two segments. */
class Audit {
  holdsAnchor = false
  readonly #id: string
  readonly #newest: number
  readonly #questions: JournalQuestions
  readonly #problems = new Problems()
  /** Sales that were completed in the frame that is folded. */
  readonly #completed: Completed[] = []
  readonly #returned = new ReturnedParts<ProblemPlace>()
  /** The segment in which each receipt that is wanted stands is found by the first one of each. */
  readonly #firstReceipts: { readonly segment: number; readonly receipt: bigint }[] = []
  #name = ''
  readonly #signatures: Signatures
  readonly #fold: Fold
  #first: Header | undefined
  readonly #paths = new Map<number, string>()
  #before: SegmentEnd | undefined
  #records = 0n
  #firstSequence = 0n
  #lastSequence = 0n
  #receipts = 0n
  #head = ''
  #tornBytes = 0

  constructor(id: string, newest: number, questions: JournalQuestions) {
    this.#id = id
    this.#newest = newest
    this.#questions = questions
    this.#signatures = new Signatures(questions.keys)
    this.#fold = new Fold(
      this.#signatures,
      (completed) => this.#completed.push(completed),
      (fact, place, till) => questions.ways?.see(id, fact, place, (sale) => till.logOf(sale)),
    )
  }

  missing(from: number, to: number): void {
    this.#problems.addMissing(from, to)
    this.#before = undefined
    this.#signatures.incomplete()
  }

  segment(segment: number, name: string): void {
    this.#paths.set(segment, name)
    const file = SegmentFile.open(name)
    if (file === undefined) {
      this.missing(segment, segment)
      return
    }
    try {
      const header = this.#header(segment, file)
      this.#before = header && this.#frames(segment, file, header)
      if (this.#before?.isWhole !== true) this.#signatures.incomplete()
    } finally {
      file.close()
    }
  }

  /** The segments with receipts of which parts came back. */
  segmentsWanted(): readonly number[] {
    const segments = [...this.#returned.receipts.keys()].flatMap((receipt) => {
      const holding = this.#firstReceipts.findLast((first) => first.receipt <= receipt)
      return holding === undefined ? [] : [holding.segment]
    })
    return [...new Set(segments)].sort((a, b) => a - b)
  }

  /**
   * Folds a segment once more, from its own first checkpoint, and holds what came back of its
   * receipts against them. What else is wrong with it was said before.
   */
  compareReceipts(segment: number): void {
    const file = SegmentFile.open(this.#paths.get(segment) ?? '')
    if (file === undefined) return
    try {
      const read = readHeader(file.bytes(0, Math.min(BLOCK_BYTES, file.size)))
      if (read.is !== 'good') return
      const fold = new Fold(new Signatures([]), ({ receipt, sale }) => this.#compare(receipt, sale))
      fold.beginSegment(segment, read.header.segmentBytes, false)
      const steps = walk(file, read.header, startOf(read.header))
      for (let step = steps.next(); step.done !== true; step = steps.next()) {
        fold.frame(step.value.frame)
      }
    } finally {
      file.close()
    }
  }

  #compare(receipt: bigint, sale: Completed['sale']): void {
    if (!this.#returned.receipts.has(receipt)) return
    const lines = sale.soldLines()
    for (const { place, message } of this.#returned.compare(receipt, (line) => lines.get(line))) {
      this.#problems.add({ kind: 'contradiction', ...place, invariant: 'I12', message })
    }
  }

  report(oldest: number, newest: number, archiveSegments: number): TerminalAudit {
    const { till } = this.#fold
    const { signing, problems } = this.#signatures.judge(till?.proofs)
    for (const problem of problems) this.#problems.add(problem)
    const archived = till?.proofs.archived
    if (archived !== undefined) this.#behindArchive(archived, oldest)
    for (const folder of this.#questions.archives) {
      const found = auditArchive(folder, this.#id, this.#signatures.moves)
      for (const problem of found) this.#problems.add(problem)
    }
    const segments = newest - oldest + 1
    return {
      id: this.#id,
      ok: this.#problems.count === 0,
      records: Number(this.#records),
      segments,
      firstSequence: Number(this.#firstSequence),
      lastSequence: Number(this.#lastSequence),
      head: this.#head,
      receipts: Number(this.#receipts),
      lastReceipt: Number((till?.nextReceipt ?? 1n) - 1n),
      openSales: till?.openSales ?? 0,
      totals: (till?.totals ?? []).map(reported),
      tornBytes: this.#tornBytes,
      ...(signing !== undefined && { signing }),
      ...(archived !== undefined && {
        archived: {
          segment: archived.segment,
          lastSequence: Number(archived.lastSequence),
          link: archived.link.toString('hex'),
        },
      }),
      archiveSegments,
      problems: this.#problems.inOrder(),
      problemCount: this.#problems.count,
    }
  }

  /** What must hold where older segments were archived and are not at hand. */
  #behindArchive({ segment, lastSequence, link }: ArchivedBody, oldest: number): void {
    if (oldest > segment + 1) {
      const message = 'the segment is not there: only those before it were archived'
      const place = { segment: segment + 1, offset: 0, sequence: 0 }
      this.#problems.add({ kind: 'missing', ...place, message })
    }
    const first = this.#first
    if (oldest !== segment + 1 || first?.segment !== oldest) return
    if (first.previousLink.equals(link) && first.firstSequence === lastSequence + 1n) return
    const message = 'the segment does not follow from the last link that was archived'
    const place = { segment: oldest, offset: 0, sequence: Number(first.firstSequence) }
    this.#problems.add({ kind: 'chain', ...place, invariant: 'I8', message })
  }

  /** The header, when the segment can be read behind it. */
  #header(segment: number, file: SegmentFile): Header | undefined {
    const read = readHeader(file.bytes(0, Math.min(BLOCK_BYTES, file.size)))
    const place = { segment, offset: 0, sequence: 0 }
    if (read.is === 'other version') {
      const message = `the segment has version ${read.version} of the format; this reads version 1`
      this.#problems.add({ ...place, kind: 'version', message })
      return undefined
    }
    if (read.is !== 'good') {
      const message = read.is === 'blank' ? 'the segment has no header' : read.why
      this.#problems.add({ ...place, kind: 'damaged', message })
      return undefined
    }
    const { header } = read
    if (header.segment !== segment) {
      const message = `the header is that of segment ${header.segment}`
      this.#problems.add({ ...place, kind: 'damaged', message })
      return undefined
    }
    if (header.segmentBytes !== file.size) {
      const message = `the file has ${file.size} bytes, its header says ${header.segmentBytes}`
      this.#problems.add({ ...place, kind: 'damaged', offset: file.size, message })
      return undefined
    }
    return header
  }

  #frames(segment: number, file: SegmentFile, header: Header): SegmentEnd {
    this.#first ??= header
    this.#neighbours(segment, header)
    this.#signatures.beginSegment(header.name, header.link)
    this.#firstSequence ||= header.firstSequence
    this.#name ||= header.name
    this.#fold.beginSegment(segment, header.segmentBytes, this.#before?.isWhole === true)
    const { stop, verdict } = this.#walk(segment, file, header)
    const sequence = Number(stop.position.sequence)
    if (verdict.is === 'damaged') {
      const message = verdict.why
      this.#problems.add({ kind: 'damaged', segment, offset: stop.at, sequence, message })
    } else {
      this.#tornBytes = verdict.tornBytes
    }
    let broken = brokenSlots(file, header)
    if (broken.length > 0) {
      // An owner may just have been writing it.
      file.forget()
      broken = brokenSlots(file, header)
    }
    for (const offset of broken) {
      const message = 'a mark slot is broken; it costs no record'
      this.#problems.add({ kind: 'mark', segment, offset, sequence: 0, message })
    }
    const { link, epoch } = stop.position
    const lastSequence = stop.position.sequence - 1n
    return { link, lastSequence, epoch, isWhole: verdict.is === 'end' }
  }

  /**
   * Walks to the end. An owner may be appending meanwhile, and then bytes that were read early
   * belong to another moment than those read late. So damage in the newest segment is believed
   * when a second look from the place of the first comes no further.
   */
  #walk(segment: number, file: SegmentFile, header: Header): { stop: Stop; verdict: Verdict } {
    const isNewest = segment === this.#newest
    let from: Position = startOf(header)
    for (let isSecondLook = false; ; ) {
      const steps = walk(file, header, from)
      let step = steps.next()
      for (; step.done !== true; step = steps.next()) this.#frame(segment, step.value)
      const stop = step.value
      const verdict = judge(file, header, stop, isNewest)
      const isFurther = stop.position.offset > from.offset
      if (verdict.is === 'end' || !isNewest || (isSecondLook && !isFurther)) {
        return { stop, verdict }
      }
      from = stop.position
      isSecondLook = true
      file.forget()
    }
  }

  #frame(segment: number, { frame, isLinked }: WalkedFrame): void {
    const place = { segment, offset: frame.at }
    if (!isLinked) {
      const message = 'the link does not follow from what is before it'
      const sequence = Number(frame.sequence)
      this.#problems.add({ kind: 'chain', ...place, sequence, invariant: 'I8', message })
    }
    this.#head = frame.link.toString('hex')
    if (this.#head === this.#questions.anchor) this.holdsAnchor = true
    this.#records += BigInt(frame.records.length)
    this.#lastSequence = frame.sequence + BigInt(frame.records.length) - 1n
    this.#facts(place, frame)
    this.#signatures.passed(frame.link)
  }

  #facts(place: { segment: number; offset: number }, frame: Frame): void {
    const next = this.#fold.till?.nextReceipt
    for (const { kind, sequence, invariant, message, isBetween } of this.#fold.frame(frame)) {
      this.#problems.add({
        kind,
        segment: place.segment,
        offset: isBetween ? 0 : place.offset,
        sequence: Number(sequence),
        ...(invariant !== undefined && { invariant }),
        message,
      })
    }
    for (const { sequence, receipt, sale } of this.#completed.splice(0)) {
      if (this.#firstReceipts.at(-1)?.segment !== place.segment) {
        this.#firstReceipts.push({ segment: place.segment, receipt })
      }
      const there = { ...place, sequence: Number(sequence) }
      for (const part of sale.returnedParts()) {
        const message = this.#returned.add(there, part, { terminal: this.#name, receipt })
        if (message === undefined) continue
        this.#problems.add({ kind: 'contradiction', ...there, invariant: 'I12', message })
      }
    }
    const isCheckpoint = (frame.flags & frameFlags.checkpoint) !== 0
    if (next !== undefined && !isCheckpoint) {
      this.#receipts += (this.#fold.till?.nextReceipt ?? next) - next
    }
  }

  /** What must hold between a segment and the one before it. */
  #neighbours(segment: number, header: Header): void {
    if (header.name !== this.#id) {
      const message = `the segment belongs to the journal of "${header.name}"`
      this.#problems.add({ kind: 'form', segment, offset: 0, sequence: 0, message })
    }
    const problem = (message: string): void => {
      const sequence = Number(header.firstSequence)
      const place = { segment, offset: 0, sequence }
      this.#problems.add({ kind: 'chain', ...place, invariant: 'I8', message })
    }
    const before = this.#before
    if (before === undefined) {
      if (segment !== 1) return
      if (!header.previousLink.every((byte) => byte === 0)) {
        problem('segment 1 names a link of a segment before it')
      } else if (header.firstSequence !== 1n) {
        problem(`the journal begins with record ${header.firstSequence}`)
      }
      return
    }
    if (!header.previousLink.equals(before.link)) {
      problem('the segment does not follow from the last link of the one before it')
    } else if (header.firstSequence !== before.lastSequence + 1n) {
      problem(`the segment begins with record ${header.firstSequence} after ${before.lastSequence}`)
    } else if (header.epoch < before.epoch) {
      problem(`the segment is of owner ${header.epoch}, behind one of owner ${before.epoch}`)
    }
  }
}
