/** What an audit says: the types of the report, and the list that problems are gathered in. */

/**
 * Kinds of problems.
 *
 * | kind | what is wrong |
 * | --- | --- |
 * | `missing` | a segment file is not there |
 * | `damaged` | bytes that were durable cannot be believed |
 * | `mark` | a mark slot is broken; it costs no record |
 * | `chain` | a link does not follow, or two segments do not |
 * | `contradiction` | a record cannot be decoded, or does not fit the records before it |
 * | `form` | what the kernel never writes, though no number contradicts it: flags that do not go
 *   with their records, another order, a key used twice, the journal of another terminal |
 * | `version` | a newer version of the kernel wrote it, so it cannot be judged |
 * | `anchor` | a hash that was noted elsewhere is not in the chain |
 * | `signature` | a signature does not hold, or a key is not trusted |
 * | `archive` | a manifest or a file of an archive is not what was archived |
 */
export type ProblemKind =
  | 'missing'
  | 'damaged'
  | 'mark'
  | 'chain'
  | 'contradiction'
  | 'form'
  | 'version'
  | 'anchor'
  | 'signature'
  | 'archive'

/** One thing that is wrong with a journal. */
export interface Problem {
  /** What kind of thing. */
  readonly kind: ProblemKind
  /** Segment; 0 when it concerns the whole journal. */
  readonly segment: number
  /** Byte offset in the segment. */
  readonly offset: number
  /** Sequence of the record there, or of the one that should be; 0 when none can be named. */
  readonly sequence: number
  /** Number of the broken invariant in `docs/reference/invariants.md`, where one is known. */
  readonly invariant?: string
  /** A sentence about it. */
  readonly message: string
}

/** The perpetual totals of one currency, in minor units. */
export interface AuditedTotals {
  /** ISO 4217 letters. */
  readonly currency: string
  /** Sold, ever. */
  readonly sales: number
  /** Returned, ever, counted upwards. */
  readonly returns: number
  /** Completed sales. */
  readonly receipts: number
  /** Voided sales. */
  readonly voids: number
  /** Taxes on what was sold, ever. */
  readonly salesTax: number
  /** Taxes on what was returned, ever, counted upwards. */
  readonly returnsTax: number
  /** What cash rounding added, ever. */
  readonly rounding: number
  /** The same for each tax, by class and rate. */
  readonly taxes: readonly AuditedTax[]
}

/** The perpetual totals of one tax, in minor units; returns are counted upwards. */
export interface AuditedTax {
  /** Class. */
  readonly class: string
  /** Rate in parts per million. */
  readonly ratePpm: number
  /** The prices contain it. */
  readonly inclusive: boolean
  /** Net of what was sold with it. */
  readonly soldNet: number
  /** The tax on that. */
  readonly soldTax: number
  /** Net of what was returned with it. */
  readonly returnedNet: number
  /** The tax on that. */
  readonly returnedTax: number
}

/** What the signatures of a journal vouch for. */
export interface SigningAudit {
  /** Name of the key or device that signs, or signed last. */
  readonly signer: string
  /** Algorithm. */
  readonly algorithm: string
  /** Public key, in hexadecimal. */
  readonly key: string
  /** The signer is up. */
  readonly up: boolean
  /** Receipts with a signature that holds. */
  readonly signatures: number
  /** Those of them that were signed late. */
  readonly late: number
  /** Signatures of algorithms that cannot be judged here. */
  readonly unjudged: number
  /** Receipts that stand without a signature. */
  readonly unsigned: number
  /** The newest sequence that a signature which holds vouches for; 0 when there is none. */
  readonly signedSequence: number
}

/** What a journal says was archived. */
export interface ArchivedAudit {
  /** The newest archived segment. */
  readonly segment: number
  /** Its last sequence. */
  readonly lastSequence: number
  /** Its last link, in hexadecimal. */
  readonly link: string
}

/** The audit of one terminal. */
export interface TerminalAudit {
  /** Terminal id. */
  readonly id: string
  /** Nothing is wrong. */
  readonly ok: boolean
  /** Good records. */
  readonly records: number
  /** Segments that the journal has to have. */
  readonly segments: number
  /**
   * Sequence of the first record of the oldest segment. Above 1, older segments are not there, and
   * nothing in the files says whether they should be.
   */
  readonly firstSequence: number
  /** Sequence of the last good record; 0 when there is none. */
  readonly lastSequence: number
  /** Link of the last good frame, in hexadecimal: note it, and it is an anchor later. */
  readonly head: string
  /** Completed sales among the records. */
  readonly receipts: number
  /** Number of the last receipt: as `receipts`, where the journal begins with record 1. */
  readonly lastReceipt: number
  /** Sales that are open at the end. */
  readonly openSales: number
  /** Perpetual totals at the end, by currency. */
  readonly totals: readonly AuditedTotals[]
  /** Bytes behind the last frame that were never proven durable: torn, or being written. */
  readonly tornBytes: number
  /** What the signatures vouch for; absent when there was never a signer. */
  readonly signing?: SigningAudit
  /** What was archived, as the journal says; absent when nothing was. */
  readonly archived?: ArchivedAudit
  /** Segments that were read from an archive. */
  readonly archiveSegments: number
  /** What is wrong, by segment and offset, up to a thousand entries. */
  readonly problems: readonly Problem[]
  /** How many things are wrong in all. */
  readonly problemCount: number
}

/**
 * What does not fit between two journals.
 *
 * | fault | what is wrong |
 * | --- | --- |
 * | `unsent` | it was taken, and its giver's journal did not let it go |
 * | `gone` | it was taken, and its giver has no journal in this store |
 * | `elsewhere` | it was taken by a terminal that it was not sent to |
 * | `changed` | another amount, currency or sale was taken than was let go |
 * | `twice` | it was taken before, here or elsewhere |
 * | `untaken` | its giver was told that it was taken, and the taker's journal does not say so |
 */
export type TransferFault = 'unsent' | 'gone' | 'elsewhere' | 'changed' | 'twice' | 'untaken'

/** One thing that does not fit between two journals. */
export interface TransferProblem {
  /** The terminal whose record does not fit. */
  readonly terminal: string
  /** That record. */
  readonly sequence: number
  /** The ticket of what moved. */
  readonly ticket: string
  /** What is wrong. */
  readonly fault: TransferFault
  /** A sentence about it. */
  readonly message: string
}

/** Something that left a terminal and was not taken yet: cash, or a suspended sale. */
export interface OnItsWay {
  /** What it is received or resumed by. */
  readonly ticket: string
  /** The terminal that it left. */
  readonly from: string
  /** Sequence there of the record by which it left. */
  readonly sequence: number
  /** When, by that terminal's clock: ISO 8601 in UTC. */
  readonly at: string
  /** The terminal that cash goes to; a suspended sale waits for any. */
  readonly to?: string
  /** Of cash: ISO 4217 letters. */
  readonly currency?: string
  /** Of cash: minor units. */
  readonly amount?: number
}

/** What moved between the terminals of a store. */
export interface TransferAudit {
  /** Times that cash was sent. */
  readonly cashSent: number
  /** Times that cash was received by the other terminal. */
  readonly cashReceived: number
  /** Times that cash was taken back by its giver. */
  readonly cashTakenBack: number
  /** Times that a sale was suspended. */
  readonly salesSuspended: number
  /** Times that a suspended sale went on at another terminal. */
  readonly salesTakenOver: number
  /** Times that a suspended sale went on where it was suspended. */
  readonly salesResumed: number
  /** What is still on its way or waits, in the order in which it left. No fault. */
  readonly onTheirWay: readonly OnItsWay[]
  /** The cash among it by currency, in minor units. */
  readonly cashOnItsWay: readonly {
    /** ISO 4217 letters. */
    readonly currency: string
    /** How many amounts. */
    readonly count: number
    /** Their sum. */
    readonly amount: number
  }[]
  /** Takings that cannot be judged: what would tell stands in an archive that is away, or is damaged. */
  readonly unjudged: number
  /** What is wrong, by terminal and record, up to a thousand entries. */
  readonly problems: readonly TransferProblem[]
  /** How many things are wrong in all. */
  readonly problemCount: number
}

/** The audit of a store. */
export interface AuditReport {
  /** Nothing is wrong anywhere, and the anchor, where one was given, was found. */
  readonly ok: boolean
  /** By terminal, in the order of their ids. */
  readonly terminals: readonly TerminalAudit[]
  /** What moved between them; absent where one terminal was asked for. */
  readonly transfers?: TransferAudit
}

/** Problems that a report holds; further ones are counted. */
const PROBLEMS_MAX = 1000

/** Gathers problems. */
export class Problems {
  readonly #found: Problem[] = []
  #count = 0

  /** How many there are. */
  get count(): number {
    return this.#count
  }

  /** Adds one. */
  add(problem: Problem): void {
    this.#count += 1
    if (this.#found.length < PROBLEMS_MAX) this.#found.push(problem)
  }

  /** Adds many of a kind that differ in nothing but the segment, without making each. */
  addMissing(from: number, to: number): void {
    const named = Math.min(to, from + PROBLEMS_MAX - 1)
    for (let segment = from; segment <= named; segment++) {
      const message = 'the segment file is not there'
      this.add({ kind: 'missing', segment, offset: 0, sequence: 0, message })
    }
    this.#count += to - named
  }

  /** In the order of their places. */
  inOrder(): readonly Problem[] {
    return this.#found.toSorted((a, b) => a.segment - b.segment || a.offset - b.offset)
  }
}
