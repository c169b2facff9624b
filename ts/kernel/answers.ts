/** What the calls answer, and how the native answers become it. */
import type {
  NativeAdjustmentAnswer,
  NativeLineAnswer,
  NativePolicyAnswer,
  NativeReceipt,
  NativeSuspended,
  NativeTenderAnswer,
} from '../native.js'
import type { Share } from './adjustment.js'
import type { NativeAnswer } from './crossing.js'
import type { SuspendAnswer, TakenOver } from './handover.js'
import type { Circle, Receipt, ReceiptLine, ReceiptTender, TenderState } from './receipt.js'
import type { ReturnsOf } from './returns.js'
import type { TaxRow } from './tax.js'

/**
 * Where a sale stands. Lines change while it is `building`; a live tender makes it `tendering`; a
 * `suspended` one waits for its ticket. `completed` and `voided` are final, and so is `transferred`:
 * it went on at another terminal.
 */
export type SaleState =
  | 'building'
  | 'tendering'
  | 'suspended'
  | 'completed'
  | 'voided'
  | 'transferred'

/** What a sale comes to, in minor units of its currency. */
export interface Totals {
  /** Total without taxes. */
  readonly net: number
  /** All taxes. */
  readonly tax: number
  /** Total with taxes: the live lines, and the taxes that come on top of them. */
  readonly gross: number
  /** Discounts on lines and on the sale. */
  readonly discount: number
  /** Surcharges on lines and on the sale. */
  readonly surcharge: number
  /** What it would come to if all of it were paid in cash. */
  readonly cashPayable: number
  /** What cash rounding adds to the total, as the tenders stand. */
  readonly rounding: number
  /** Sum of the confirmed tenders. */
  readonly tendered: number
  /** Sum of the pending tenders. */
  readonly pending: number
  /** Tips in both. */
  readonly tips: number
  /** Still to be tendered; negative when it is to be paid out. */
  readonly due: number
  /** To be given back. */
  readonly change: number
  /** Where the sale stands. */
  readonly state: SaleState
}

/** What a sale comes to, with its tax table. */
export interface SaleTotals extends Totals {
  /** The tax table, in the order in which the sale first had the taxes. */
  readonly taxes: readonly TaxRow[]
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
  /** What cash rounding adds to the total, in minor units. */
  readonly rounding: number
}

/** A discount or a surcharge was given or taken back. */
export interface AdjustmentAnswer extends Answer {
  /** Its number in the sale: what {@link Sale.retract} takes it back by. */
  readonly number: number
  /** What the call adds to the amounts of the lines together, in minor units. */
  readonly adjusted: number
  /** What each line got, by line; they add up to `adjusted`. Empty when it was taken back. */
  readonly allocated: readonly Share[]
  /** What the sale came to with it. */
  readonly totals: Totals
}

/** A policy was set. */
export interface PolicyAnswer extends Answer {
  /** What receipts name it by, 64 hexadecimal digits. */
  readonly hash: string
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
  /** Total with taxes, in minor units. */
  readonly gross: number
  /** It came back when the terminal was opened. */
  readonly recovered: boolean
  /** It is training: it moves no counter. */
  readonly training: boolean
  /** The ticket that it waits for, when it is suspended. */
  readonly ticket?: string
  /** The receipt that it takes lines back from. */
  readonly returns?: ReturnsOf
  /** Where it was suspended before it went on here. */
  readonly takes?: TakenOver
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
    rounding: native.rounding,
    sequence: native.seq,
    replayed: native.replayed,
  }
}

export function adjustmentAnswer(native: NativeAdjustmentAnswer): AdjustmentAnswer {
  return {
    number: native.number,
    adjusted: native.adjusted,
    allocated: native.allocated,
    totals: native.totals as Totals,
    sequence: native.seq,
    replayed: native.replayed,
  }
}

export function suspendAnswer(native: NativeSuspended): SuspendAnswer {
  const { sale, ticket, seq, replayed } = native
  return { sale, ticket, sequence: seq, replayed }
}

export function policyAnswer(native: NativePolicyAnswer): PolicyAnswer {
  return { hash: native.hash, sequence: native.seq, replayed: native.replayed }
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
    circle: native.circle as Circle,
    store: native.store,
    currency: native.currency,
    lines: native.lines as readonly ReceiptLine[],
    tenders: native.tenders as readonly ReceiptTender[],
    net: native.net,
    tax: native.tax,
    gross: native.gross,
    discount: native.discount,
    surcharge: native.surcharge,
    taxes: native.taxes,
    rounding: native.rounding,
    tendered: native.tendered,
    tips: native.tips,
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
  if (native.operator !== undefined) receipt.operator = native.operator
  if (native.perpetual !== undefined) receipt.perpetual = native.perpetual
  if (native.policy !== undefined) receipt.policy = native.policy
  return receipt
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }
