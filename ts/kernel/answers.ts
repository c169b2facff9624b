/** What the calls answer, and how the native answers become it. */
import type { NativeLineAnswer, NativeReceipt, NativeTenderAnswer } from '../native.js'
import type { NativeAnswer } from './crossing.js'
import type { Receipt, ReceiptLine, ReceiptTender, TenderState } from './receipt.js'

/**
 * Where a sale stands. Lines change while it is `building`; a live tender makes it `tendering`;
 * `completed` and `voided` are final.
 */
export type SaleState = 'building' | 'tendering' | 'completed' | 'voided'

/** What a sale comes to, in minor units of its currency. */
export interface Totals {
  /** Sum of the live lines. */
  readonly gross: number
  /** Sum of the confirmed tenders. */
  readonly tendered: number
  /** Sum of the pending tenders. */
  readonly pending: number
  /** Still to be tendered; negative when it is to be paid out. */
  readonly due: number
  /** To be given back. */
  readonly change: number
  /** Where the sale stands. */
  readonly state: SaleState
}

/** What every call that made a fact answers. */
export interface Answer {
  /** Sequence of the fact in the journal. */
  readonly sequence: number
  /** The fact was made by an earlier call with the same key; this is its stored answer. */
  readonly replayed: boolean
}

/** A line was added or changed. */
export interface LineAnswer extends Answer {
  /** Line number. */
  readonly line: number
  /** Amount of the line in minor units; 0 once it is voided. */
  readonly amount: number
  /** What the sale came to with it. */
  readonly totals: Totals
}

/** A tender was taken or changed. */
export interface TenderAnswer extends Answer {
  /** Tender number. */
  readonly tender: number
  /** Where the tender stands. */
  readonly state: TenderState
  /** Still to be tendered, in minor units. */
  readonly due: number
  /** Change to give, in minor units. */
  readonly change: number
}

/** A sale was voided. */
export interface VoidAnswer extends Answer {
  /** Number of the sale. */
  readonly sale: number
}

/** An open sale at a glance. */
export interface SaleSummary {
  /** Number of the sale. */
  readonly sale: number
  /** Store. */
  readonly store: string
  /** Currency. */
  readonly currency: string
  /** The host's own number for it. */
  readonly reference?: string
  /** Where it stands. */
  readonly state: SaleState
  /** How many lines, voided ones included. */
  readonly lines: number
  /** Sum of the live lines in minor units. */
  readonly gross: number
  /** It came back when the terminal was opened. */
  readonly recovered: boolean
  /** Time of its first record, ISO 8601 in UTC. */
  readonly beganAt: string
}

/** A receipt as the answer of the call that completed the sale. */
export interface ReceiptAnswer extends Receipt {
  /** The sale was completed by an earlier call with the same key; this is its stored answer. */
  readonly replayed: boolean
}

export function lineAnswer(native: NativeLineAnswer): LineAnswer {
  return {
    line: native.line,
    amount: native.amount,
    totals: native.totals as Totals,
    sequence: native.seq,
    replayed: native.replayed,
  }
}

export function tenderAnswer(native: NativeTenderAnswer): TenderAnswer {
  return {
    tender: native.tender,
    state: native.state as TenderState,
    due: native.due,
    change: native.change,
    sequence: native.seq,
    replayed: native.replayed,
  }
}

export function voidAnswer(native: NativeAnswer & { readonly sale: number }): VoidAnswer {
  return { sale: native.sale, sequence: native.seq, replayed: native.replayed }
}

export function receiptAnswer(native: NativeReceipt): ReceiptAnswer {
  const receipt = receiptOf(native) as Writable<ReceiptAnswer>
  receipt.replayed = native.replayed
  return receipt
}

/** A receipt without what only the border needs. Fields that are absent stay absent. */
export function receiptOf(native: NativeReceipt): Receipt {
  const receipt: Writable<Receipt> = {
    sale: native.sale,
    receiptNumber: native.receiptNumber,
    store: native.store,
    currency: native.currency,
    lines: native.lines as readonly ReceiptLine[],
    tenders: native.tenders as readonly ReceiptTender[],
    gross: native.gross,
    tendered: native.tendered,
    change: native.change,
    totalSales: native.totalSales,
    totalReturns: native.totalReturns,
    at: native.at,
    beganAt: native.beganAt,
    hash: native.hash,
    sequence: native.sequence,
  }
  if (native.reference !== undefined) receipt.reference = native.reference
  if (native.key !== undefined) receipt.key = native.key
  return receipt
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }
