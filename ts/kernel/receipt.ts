/** What a completed sale is: plain data, the same whether it was made a moment ago or read back. */

/** What a customer pays with. Only cash gives change. */
export type TenderKind = 'cash' | 'card'

/**
 * Where a tender stands. A `pending` one waits for an outcome that lies outside the till;
 * `confirmed` counts; `declined` and `voided` ones stay on the sale and count nothing.
 */
export type TenderState = 'pending' | 'confirmed' | 'declined' | 'voided'

/** A line of a sale. */
export interface ReceiptLine {
  /** Line number on the sale, from 1, never used again. */
  readonly line: number
  /** Stock-keeping unit. */
  readonly sku: string
  /** Text for people. */
  readonly text?: string
  /** Quantity as an exact decimal; negative on a return line. */
  readonly quantity: string
  /** Price of one in minor units, as an exact decimal. */
  readonly unitPrice: string
  /** Amount in minor units; kept when the line is voided. */
  readonly amount: number
  /** Why the line was voided; absent on a live line. */
  readonly voided?: string
  /** Number of the line that it belongs to. */
  readonly parent?: number
}

/** A tender of a sale. */
export interface ReceiptTender {
  /** Tender number on the sale, from 1, never used again. */
  readonly tender: number
  /** What was paid with. */
  readonly kind: TenderKind
  /** Minor units; negative when it was paid out. */
  readonly amount: number
  /** Where it stands. */
  readonly state: TenderState
  /** The host's reference. */
  readonly reference?: string
  /** Authorisation that was given outside the till. */
  readonly auth?: string
}

/** A completed sale, from the journal and nothing else. All amounts are minor units. */
export interface Receipt {
  /** Number of the sale on its terminal. */
  readonly sale: number
  /** Receipt number on its terminal: from 1, without a gap. */
  readonly receiptNumber: number
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
  /** Sum of the live lines; negative when more was returned than sold. */
  readonly gross: number
  /** Sum of the confirmed tenders. */
  readonly tendered: number
  /** Change that was given. */
  readonly change: number
  /** Perpetual total sold on this terminal in this currency, this sale included. */
  readonly totalSales: number
  /** Perpetual total returned, counted upwards, this sale included. */
  readonly totalReturns: number
  /** Time of the completion, ISO 8601 in UTC. */
  readonly at: string
  /** Time of the sale's first record, ISO 8601 in UTC. */
  readonly beganAt: string
  /** Chain link of the completion: 64 hexadecimal digits, an anchor for `verify`. */
  readonly hash: string
  /** Sequence of the completion record in the journal. */
  readonly sequence: number
}
