/** What a completed sale is: plain data, the same whether it was made a moment ago or read back. */

import type { Applied } from './adjustment.js'
import type { LineTax, TaxRow, TaxTotals } from './tax.js'

/**
 * What a customer pays with. `cash` is rounded to the policy's cash step; `foreign` is cash of
 * another currency at a rate. What may be more than is due, the policy says: usually both of them.
 */
export type TenderKind = 'cash' | 'card' | 'voucher' | 'foreign' | 'other'

/**
 * What a line is: goods or a service; a charge of its own; a deposit, taken or given back; a tip that
 * is turnover.
 */
export type LineKind = 'item' | 'surcharge' | 'deposit' | 'tip'

/**
 * Where a tender stands. A `pending` one waits for an outcome that lies outside the till;
 * `confirmed` counts; `declined` and `voided` ones stay on the sale and count nothing.
 */
export type TenderState = 'pending' | 'confirmed' | 'declined' | 'voided'

/** The numbering that a receipt belongs to: sales that count, or training. */
export type Circle = 'sale' | 'training'

/** A line of a sale. */
export interface ReceiptLine {
  /** Line number on the sale, from 1, never used again. */
  readonly line: number
  /** What it is; absent for an item. */
  readonly kind?: Exclude<LineKind, 'item'>
  /** Stock-keeping unit. */
  readonly sku: string
  /** Text for people. */
  readonly text?: string
  /** Quantity as an exact decimal; negative on a return line. */
  readonly quantity: string
  /** Price of `perQuantity` units in minor units, as an exact decimal. */
  readonly unitPrice: string
  /** Units that the price is for, as an exact decimal; absent for one. */
  readonly perQuantity?: string
  /** Quantity times price in minor units; absent on a line without discounts and surcharges. */
  readonly listed?: number
  /** Its discounts and surcharges, with its shares of those on the sale; absent when it has none. */
  readonly adjustments?: readonly Applied[]
  /** Amount in minor units after discounts and surcharges; kept when the line is voided. */
  readonly amount: number
  /** Its taxes; absent when it has none. */
  readonly taxes?: readonly LineTax[]
  /** Amount without taxes; absent on a line without taxes, where it is the amount, and a voided one. */
  readonly net?: number
  /** Amount with all taxes; absent as `net`. */
  readonly gross?: number
  /** Why the line was voided; absent on a live line. */
  readonly voided?: string
  /** Number of the line that it belongs to. */
  readonly parent?: number
  /** Where it was sold; absent unless it is a return with its receipt. */
  readonly of?: SoldAt
}

/** Where a line that comes back was sold. */
export interface SoldAt {
  /** Terminal id. */
  readonly terminal: string
  /** Receipt number on that terminal. */
  readonly receiptNumber: number
  /** Line number on that receipt. */
  readonly line: number
}

/** Money of another currency. */
export interface ForeignMoney {
  /** Currency. */
  readonly currency: string
  /** Amount in its minor units. */
  readonly amount: number
  /** What `per` whole units of it are worth in whole units of the sale's currency. */
  readonly rate: string
  /** Units that the rate is for; absent for one. */
  readonly per?: number
}

/** A tender of a sale. */
export interface ReceiptTender {
  /** Tender number on the sale, from 1, never used again. */
  readonly tender: number
  /** What was paid with. */
  readonly kind: TenderKind
  /** Minor units of the sale's currency, tip included; negative when it was paid out. */
  readonly amount: number
  /** The part that is a tip; absent for none. */
  readonly tip?: number
  /** What was given in another currency. */
  readonly foreign?: ForeignMoney
  /** Where it stands. */
  readonly state: TenderState
  /** The host's reference. */
  readonly reference?: string
  /** Authorisation that was given outside the till. */
  readonly auth?: string
}

/** Perpetual totals of a currency besides those of sales and returns, in minor units. */
export interface Perpetual {
  /** Taxes on what was sold. */
  readonly salesTax: number
  /** Taxes on what was returned, counted upwards. */
  readonly returnsTax: number
  /** What cash rounding has added; it may fall. */
  readonly rounding: number
  /** Those of the taxes of this sale. */
  readonly taxes: readonly TaxTotals[]
}

/** A completed sale, from the journal and nothing else. All amounts are minor units. */
export interface Receipt {
  /** Number of the sale on its terminal. */
  readonly sale: number
  /** Receipt number on its terminal and in its circle: from 1, without a gap. */
  readonly receiptNumber: number
  /** Its circle. */
  readonly circle: Circle
  /** The operator who completed it; absent when nobody was signed on. */
  readonly operator?: string
  /** Store. */
  readonly store: string
  /** Currency, three letters of ISO 4217. */
  readonly currency: string
  /** The host's own number for the sale. */
  readonly reference?: string
  /** Idempotency key of the completion. */
  readonly key?: string
  /** Lines, voided ones included. */
  readonly lines: readonly ReceiptLine[]
  /** Tenders, declined and voided ones included. */
  readonly tenders: readonly ReceiptTender[]
  /** Total without taxes. */
  readonly net: number
  /** All taxes. */
  readonly tax: number
  /** Total with taxes; negative when more was returned than sold. */
  readonly gross: number
  /** Discounts on lines and on the sale. */
  readonly discount: number
  /** Surcharges on lines and on the sale. */
  readonly surcharge: number
  /** The tax table, in the order in which the sale first had the taxes. */
  readonly taxes: readonly TaxRow[]
  /** What cash rounding added to the total. */
  readonly rounding: number
  /** Sum of the confirmed tenders. */
  readonly tendered: number
  /** Tips in them. */
  readonly tips: number
  /** Change that was given. */
  readonly change: number
  /** Perpetual total sold on this terminal in this currency, this sale included. */
  readonly totalSales: number
  /** Perpetual total returned, counted upwards, this sale included. */
  readonly totalReturns: number
  /** The other perpetual totals, this sale included; absent while all are zero. */
  readonly perpetual?: Perpetual
  /** Hash of the policy that it was priced by, 64 hexadecimal digits; absent when none was set. */
  readonly policy?: string
  /** Time of the completion, ISO 8601 in UTC. */
  readonly at: string
  /** Time of the sale's first record, ISO 8601 in UTC. */
  readonly beganAt: string
  /** Chain link of the completion: 64 hexadecimal digits, an anchor for `verify`. */
  readonly hash: string
  /** Sequence of the completion record in the journal. */
  readonly sequence: number
}
