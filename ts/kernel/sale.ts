/**
 * One sale on an open terminal: lines, tenders, completion.
 *
 * A sale is a handle, not a copy: what stands on it lives in the kernel, and any number of handles
 * to one sale say the same. Every call that changes it has two forms. The one that returns a promise
 * waits for the device off the event loop, and calls made together share one flush; its `Sync` twin
 * waits on the calling thread. Calls take effect in the order in which they are made, awaited or not.
 */
import type { NativeTerminal } from '../native.js'
import { type AdjustmentCall, adjustmentOf } from './adjustment.js'
import {
  type AdjustmentAnswer,
  adjustmentAnswer,
  type LineAnswer,
  lineAnswer,
  type ReceiptAnswer,
  receiptAnswer,
  type SaleSummary,
  type SaleTotals,
  suspendAnswer,
  type TenderAnswer,
  tenderAnswer,
  type VoidAnswer,
  voidAnswer,
} from './answers.js'
import type { Crossing } from './crossing.js'
import { posError } from './errors.js'
import type { SuspendAnswer } from './handover.js'
import { type Approved, type Keyed, keyOf, numberOf, type Reasoned, reasonOf } from './input.js'
import { type Decimal, quantity } from './money.js'
import type { ReceiptLine, ReceiptTender } from './receipt.js'
import { type ReturnInput, returnOf } from './returns.js'
import {
  approvalOf,
  type Confirmed,
  confirmedOf,
  type LineInput,
  type LineVoid,
  lineOf,
  lineVoidOf,
  type PriceOverride,
  priceOverrideOf,
  type TenderInput,
  tenderOf,
} from './sale-input.js'
import { type TaxInput, taxesOf } from './tax.js'

/**
 * A sale on an open terminal. {@link Terminal.begin} makes one, {@link Terminal.openSales} gives
 * those that came back.
 *
 * Any call throws or rejects with `PK_E_CLOSED` once the terminal is closed, and a call that makes a
 * fact with `PK_E_BAD_KEY` and `PK_E_IDEMPOTENCY_MISMATCH` for its key, `PK_E_POISONED` after a disk
 * failure, `PK_E_OUTCOME_UNKNOWN` when the disk fails under it.
 *
 * @example
 * const sale = await terminal.begin({ store: 'corner-shop', currency: 'EUR' })
 * await sale.addLine({ sku: 'coffee', quantity: 2, unitPrice: 320 })
 * await sale.tender({ kind: 'cash', amount: 1000 })
 * const receipt = await sale.complete()
 * console.log(receipt.receiptNumber, receipt.change)
 * sale.close()
 */
export class Sale {
  /** Number of the sale on its terminal, from 1. */
  readonly id: number
  /** True when this handle is the stored answer of an earlier `begin` with the same key. */
  readonly replayed: boolean
  readonly #crossing: Crossing
  #known: SaleHead | undefined

  /** @internal */
  constructor(crossing: Crossing, id: number, known?: SaleHead, replayed = false) {
    this.#crossing = crossing
    this.id = id
    this.#known = known
    this.replayed = replayed
  }

  /**
   * Store.
   *
   * @throws {@link SaleStateError} `PK_E_ALREADY_FINAL` on a handle that was made by number after
   * the sale was finished
   */
  get store(): string {
    return this.#head().store
  }

  /**
   * Currency, three letters of ISO 4217.
   *
   * @throws {@link SaleStateError} `PK_E_ALREADY_FINAL` as {@link store}
   */
  get currency(): string {
    return this.#head().currency
  }

  /**
   * The host's own number for it.
   *
   * @throws {@link SaleStateError} `PK_E_ALREADY_FINAL` as {@link store}
   */
  get reference(): string | undefined {
    return this.#head().reference
  }

  /**
   * True when the sale was open before the terminal was opened: it came back from the journal.
   *
   * @throws {@link SaleStateError} `PK_E_ALREADY_FINAL` as {@link store}
   */
  get recovered(): boolean {
    return this.#head().recovered
  }

  /**
   * Adds a line. Its amount is quantity times price, rounded to the minor unit as the policy says
   * (half up, where none is set), then less its discounts and with its surcharges; taxes are worked
   * out on that. A line with discounts or surcharges is in the journal with all of them or not at all.
   *
   * Durable when the promise resolves in durability `record`; with the operating system, and so
   * safe from the death of the process, in durability `sale`.
   *
   * @throws {@link SaleStateError} `PK_E_TENDER_TAKEN`, `PK_E_ALREADY_FINAL`; `PK_E_NOT_FOUND` and
   * `PK_E_LINE_VOIDED` for the parent; `PK_E_MIXED_RETURNS`, `PK_E_UNBOUND_RETURN` and
   * `PK_E_APPROVAL_REQUIRED` for a return
   * @throws {@link MoneyError} `PK_E_BAD_QUANTITY`, `PK_E_BAD_PRICE`, `PK_E_BAD_RATE`,
   * `PK_E_BAD_AMOUNT` for a discount that takes more than there is, `PK_E_OVERFLOW`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT` (8,192 lines)
   * @throws {@link StorageError} `PK_E_NO_SPACE`
   * @example
   * const { totals } = await sale.addLine({
   *   sku: 'tea',
   *   quantity: '0.250',
   *   unitPrice: 1240,
   *   taxes: [{ rate: 7, class: 'B' }],
   *   discount: { percent: 10, reason: 'last of its box' },
   * })
   */
  addLine(line: LineInput, options?: Keyed): Promise<LineAnswer> {
    return this.#crossing.later('addLine', this.id, this.#addLine(line, options), lineAnswer)
  }

  /** As {@link addLine}, waiting on the calling thread. */
  addLineSync(line: LineInput, options?: Keyed): LineAnswer {
    return this.#crossing.now('addLine', this.id, this.#addLine(line, options), lineAnswer)
  }

  /**
   * Changes the quantity of a line; its sign stays, its old quantity stays in the journal.
   *
   * Durable as {@link addLine}.
   *
   * @param line - line number
   * @param quantity - an integer or a decimal string, not zero
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_LINE_VOIDED`, `PK_E_TENDER_TAKEN`,
   * `PK_E_ALREADY_FINAL`
   * @throws {@link MoneyError} `PK_E_BAD_QUANTITY`, `PK_E_OVERFLOW`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @example
   * await sale.setQuantity(1, 3, { reason: 'customer takes another' })
   */
  setQuantity(line: number, quantity: Decimal, options: Approved): Promise<LineAnswer> {
    const call = this.#setQuantity(line, quantity, options)
    return this.#crossing.later('setQuantity', this.id, call, lineAnswer)
  }

  /** As {@link setQuantity}, waiting on the calling thread. */
  setQuantitySync(line: number, quantity: Decimal, options: Approved): LineAnswer {
    const call = this.#setQuantity(line, quantity, options)
    return this.#crossing.now('setQuantity', this.id, call, lineAnswer)
  }

  /**
   * Voids a line: it stays on the sale and in the journal and counts nothing. With `linked`, the
   * lines that belong to it go with it, all or none; the answer is that of the line itself.
   *
   * Durable as {@link addLine}.
   *
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_LINE_VOIDED`, `PK_E_TENDER_TAKEN`,
   * `PK_E_LINE_HAS_CHILDREN`, `PK_E_ALREADY_FINAL`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @example
   * await sale.voidLine(2, { reason: 'scanned twice' })
   */
  voidLine(line: number, options: LineVoid): Promise<LineAnswer> {
    return this.#crossing.later('voidLine', this.id, this.#voidLine(line, options), lineAnswer)
  }

  /** As {@link voidLine}, waiting on the calling thread. */
  voidLineSync(line: number, options: LineVoid): LineAnswer {
    return this.#crossing.now('voidLine', this.id, this.#voidLine(line, options), lineAnswer)
  }

  /**
   * Overrides the price of a line; what it was stays in the journal. Its discounts and surcharges
   * stay: a percentage is worked out again, an amount stays what it is.
   *
   * Durable as {@link addLine}.
   *
   * @param line - line number
   * @param newPrice - minor units for one, or for `perQuantity` units: an integer or a decimal string
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_LINE_VOIDED`, `PK_E_TENDER_TAKEN`,
   * `PK_E_ALREADY_FINAL`
   * @throws {@link MoneyError} `PK_E_BAD_PRICE`, `PK_E_BAD_AMOUNT` when a discount takes more than is
   * left, `PK_E_OVERFLOW`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @example
   * await sale.overridePrice(1, 199, { reason: 'price on the shelf' })
   */
  overridePrice(line: number, newPrice: Decimal, options: PriceOverride): Promise<LineAnswer> {
    const call = this.#overridePrice(line, newPrice, options)
    return this.#crossing.later('overridePrice', this.id, call, lineAnswer)
  }

  /** As {@link overridePrice}, waiting on the calling thread. */
  overridePriceSync(line: number, newPrice: Decimal, options: PriceOverride): LineAnswer {
    const call = this.#overridePrice(line, newPrice, options)
    return this.#crossing.now('overridePrice', this.id, call, lineAnswer)
  }

  /**
   * Overrides the taxes of a line: all of them. An empty list makes it free of tax.
   *
   * Durable as {@link addLine}.
   *
   * @param line - line number
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_LINE_VOIDED`, `PK_E_TENDER_TAKEN`,
   * `PK_E_ALREADY_FINAL`
   * @throws {@link MoneyError} `PK_E_BAD_RATE`, `PK_E_OVERFLOW`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT`
   * @example
   * await sale.overrideTaxes(1, [{ rate: 7, class: 'B' }], { reason: 'to take away' })
   */
  overrideTaxes(line: number, taxes: readonly TaxInput[], options: Approved): Promise<LineAnswer> {
    const call = this.#overrideTaxes(line, taxes, options)
    return this.#crossing.later('overrideTaxes', this.id, call, lineAnswer)
  }

  /** As {@link overrideTaxes}, waiting on the calling thread. */
  overrideTaxesSync(line: number, taxes: readonly TaxInput[], options: Approved): LineAnswer {
    const call = this.#overrideTaxes(line, taxes, options)
    return this.#crossing.now('overrideTaxes', this.id, call, lineAnswer)
  }

  /**
   * Gives a line a discount: an amount, or a percentage of the line's amount as it stands.
   *
   * Durable as {@link addLine}.
   *
   * @param line - line number
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_LINE_VOIDED`, `PK_E_TENDER_TAKEN`,
   * `PK_E_ALREADY_FINAL`
   * @throws {@link MoneyError} `PK_E_BAD_AMOUNT` when it is not over zero or takes more than there is,
   * `PK_E_BAD_RATE`, `PK_E_OVERFLOW`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT` (32 on a line)
   * @example
   * const { adjusted } = await sale.discountLine(1, { percent: 10, reason: 'damaged' })
   */
  discountLine(line: number, discount: AdjustmentCall): Promise<AdjustmentAnswer> {
    const call = this.#adjustLine('discount', line, discount)
    return this.#crossing.later('discountLine', this.id, call, adjustmentAnswer)
  }

  /** As {@link discountLine}, waiting on the calling thread. */
  discountLineSync(line: number, discount: AdjustmentCall): AdjustmentAnswer {
    const call = this.#adjustLine('discount', line, discount)
    return this.#crossing.now('discountLine', this.id, call, adjustmentAnswer)
  }

  /**
   * Gives a line a surcharge. All else is as in {@link discountLine}; a percentage may be up to 1,000.
   *
   * @throws {@link SaleStateError} as {@link discountLine}
   * @throws {@link MoneyError} as {@link discountLine}
   * @throws {@link InputError} as {@link discountLine}
   * @example
   * await sale.surchargeLine(1, { amount: 50, reason: 'gift wrap' })
   */
  surchargeLine(line: number, surcharge: AdjustmentCall): Promise<AdjustmentAnswer> {
    const call = this.#adjustLine('surcharge', line, surcharge)
    return this.#crossing.later('surchargeLine', this.id, call, adjustmentAnswer)
  }

  /** As {@link surchargeLine}, waiting on the calling thread. */
  surchargeLineSync(line: number, surcharge: AdjustmentCall): AdjustmentAnswer {
    const call = this.#adjustLine('surcharge', line, surcharge)
    return this.#crossing.now('surchargeLine', this.id, call, adjustmentAnswer)
  }

  /**
   * Gives the sale a discount: an amount, or a percentage of its items as they stand. It is allocated
   * to the items by their amounts, to the minor unit; lines that come later have no share.
   *
   * Durable as {@link addLine}.
   *
   * @throws {@link SaleStateError} `PK_E_EMPTY_SALE`, `PK_E_TENDER_TAKEN`, `PK_E_ALREADY_FINAL`
   * @throws {@link MoneyError} `PK_E_BAD_AMOUNT` when it is not over zero or takes more than there is,
   * `PK_E_BAD_RATE`, `PK_E_OVERFLOW`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT` (32 on a line)
   * @example
   * const { allocated } = await sale.discountSale({ amount: 500, reason: 'coupon 4711' })
   * for (const { line, amount } of allocated) console.log(line, amount)
   */
  discountSale(discount: AdjustmentCall): Promise<AdjustmentAnswer> {
    const call = this.#adjustSale('discount', discount)
    return this.#crossing.later('discountSale', this.id, call, adjustmentAnswer)
  }

  /** As {@link discountSale}, waiting on the calling thread. */
  discountSaleSync(discount: AdjustmentCall): AdjustmentAnswer {
    const call = this.#adjustSale('discount', discount)
    return this.#crossing.now('discountSale', this.id, call, adjustmentAnswer)
  }

  /**
   * Gives the sale a surcharge. All else is as in {@link discountSale}; a percentage may be up to
   * 1,000.
   *
   * @throws {@link SaleStateError} as {@link discountSale}
   * @throws {@link MoneyError} as {@link discountSale}
   * @throws {@link InputError} as {@link discountSale}
   * @example
   * await sale.surchargeSale({ percent: '12.5', reason: 'service' })
   */
  surchargeSale(surcharge: AdjustmentCall): Promise<AdjustmentAnswer> {
    const call = this.#adjustSale('surcharge', surcharge)
    return this.#crossing.later('surchargeSale', this.id, call, adjustmentAnswer)
  }

  /** As {@link surchargeSale}, waiting on the calling thread. */
  surchargeSaleSync(surcharge: AdjustmentCall): AdjustmentAnswer {
    const call = this.#adjustSale('surcharge', surcharge)
    return this.#crossing.now('surchargeSale', this.id, call, adjustmentAnswer)
  }

  /**
   * Takes a discount or a surcharge back, wherever it stands; what it was stays in the journal.
   *
   * Durable as {@link addLine}.
   *
   * @param number - its number, from the answer that gave it or from a line's `adjustments`
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_TENDER_TAKEN`, `PK_E_ALREADY_FINAL`
   * @throws {@link MoneyError} `PK_E_BAD_AMOUNT` when a later discount would take more than is left
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @example
   * const given = await sale.discountSale({ percent: 10, reason: 'staff' })
   * await sale.retract(given.number, { reason: 'not staff' })
   */
  retract(number: number, options: Approved): Promise<AdjustmentAnswer> {
    const call = this.#retract(number, options)
    return this.#crossing.later('retract', this.id, call, adjustmentAnswer)
  }

  /** As {@link retract}, waiting on the calling thread. */
  retractSync(number: number, options: Approved): AdjustmentAnswer {
    const call = this.#retract(number, options)
    return this.#crossing.now('retract', this.id, call, adjustmentAnswer)
  }

  /**
   * Takes a part of a sold line back: of the receipt that the sale was begun for, or of one that is
   * named. Its amount and its taxes are those of the sale, in proportion; however a line comes back
   * in parts, they add up to it, and never more comes back than was sold, in the whole store.
   *
   * Durable as {@link addLine}. It reads journals of the store and waits while another till takes
   * something back: await it before the next call on this sale.
   *
   * @throws {@link SaleStateError} `PK_E_REFUND_EXCEEDS` with what is left, `PK_E_NOT_FOUND`,
   * `PK_E_LINE_VOIDED`, `PK_E_MIXED_RETURNS`, `PK_E_TENDER_TAKEN`, `PK_E_ALREADY_FINAL`
   * @throws {@link MoneyError} `PK_E_BAD_QUANTITY`, `PK_E_BAD_CURRENCY` when it was sold in another one
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT`
   * @throws {@link StorageError} `PK_E_IO`, `PK_E_CORRUPT`, `PK_E_NO_SPACE`
   * @example
   * const back = await terminal.beginReturn({ receiptNumber: 1 })
   * await back.returnLine({ of: 2, quantity: 1, reason: 'does not fit' })
   */
  returnLine(part: ReturnInput): Promise<LineAnswer> {
    const call = async (native: NativeTerminal) => {
      const checked = returnOf(part, this.#crossing.id)
      return native.returnLine(this.id, checked.part, checked.key)
    }
    return this.#crossing.away('returnLine', this.id, call, lineAnswer)
  }

  /** As {@link returnLine}, waiting on the calling thread. */
  returnLineSync(part: ReturnInput): LineAnswer {
    const call = (native: NativeTerminal) => {
      const checked = returnOf(part, this.#crossing.id)
      return native.returnLineSync(this.id, checked.part, checked.key)
    }
    return this.#crossing.now('returnLine', this.id, call, lineAnswer)
  }

  /**
   * Suspends the sale: it waits for its ticket, here or at another till of the store. No live tender
   * may be on it.
   *
   * Durable when the promise resolves, in both durability modes. Await it before the next call on this
   * sale.
   *
   * @throws {@link SaleStateError} `PK_E_TENDER_TAKEN`, `PK_E_SUSPENDED`, `PK_E_ALREADY_FINAL`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @throws {@link StorageError} `PK_E_IO`
   * @example
   * const { ticket } = await sale.suspend({ reason: 'customer fetches money' })
   */
  suspend(options: Reasoned): Promise<SuspendAnswer> {
    const call = async (native: NativeTerminal) => {
      const { reason, key } = reasonOf(options)
      return native.suspend(this.id, reason, key)
    }
    return this.#crossing.away('suspend', this.id, call, suspendAnswer)
  }

  /** As {@link suspend}, waiting on the calling thread. */
  suspendSync(options: Reasoned): SuspendAnswer {
    const call = (native: NativeTerminal) => {
      const { reason, key } = reasonOf(options)
      return native.suspendSync(this.id, reason, key)
    }
    return this.#crossing.now('suspend', this.id, call, suspendAnswer)
  }

  /**
   * Takes a tender and says what is still due. From now on the lines are frozen, until the tender
   * is declined or voided. Only what the policy names may be more than what is due, usually cash; the
   * rest is change.
   *
   * Durable when the promise resolves in durability `record`, and for any card or pending tender;
   * confirmed cash in durability `sale` is with the operating system and becomes durable with the
   * completion.
   *
   * @throws {@link SaleStateError} `PK_E_NOTHING_DUE`, `PK_E_EMPTY_SALE`, `PK_E_ALREADY_FINAL`
   * @throws {@link MoneyError} `PK_E_BAD_AMOUNT`, `PK_E_BAD_CURRENCY`, `PK_E_BAD_RATE`,
   * `PK_E_OVERFLOW`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT` (64 tenders)
   * @example
   * const { due, change } = await sale.tender({ kind: 'cash', amount: 1000 })
   */
  tender(tender: TenderInput): Promise<TenderAnswer> {
    return this.#crossing.later('tender', this.id, this.#tender(tender), tenderAnswer)
  }

  /** As {@link Sale.tender}, waiting on the calling thread. */
  tenderSync(tender: TenderInput): TenderAnswer {
    return this.#crossing.now('tender', this.id, this.#tender(tender), tenderAnswer)
  }

  /**
   * Confirms a pending tender: from now on it counts.
   *
   * Durable when the promise resolves.
   *
   * @param tender - tender number
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_TENDER_STATE`, `PK_E_ALREADY_FINAL`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @example
   * await sale.confirmTender(1, { auth: '004711' })
   */
  confirmTender(tender: number, options: Confirmed = {}): Promise<TenderAnswer> {
    const call = this.#confirmTender(tender, options)
    return this.#crossing.later('confirmTender', this.id, call, tenderAnswer)
  }

  /** As {@link confirmTender}, waiting on the calling thread. */
  confirmTenderSync(tender: number, options: Confirmed = {}): TenderAnswer {
    const call = this.#confirmTender(tender, options)
    return this.#crossing.now('confirmTender', this.id, call, tenderAnswer)
  }

  /**
   * Notes that a pending tender was declined outside the till.
   *
   * Durable when the promise resolves.
   *
   * @param tender - tender number
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_TENDER_STATE`, `PK_E_ALREADY_FINAL`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @example
   * await sale.declineTender(1, { reason: 'insufficient funds' })
   */
  declineTender(tender: number, options: Approved): Promise<TenderAnswer> {
    const call = this.#declineTender(tender, options)
    return this.#crossing.later('declineTender', this.id, call, tenderAnswer)
  }

  /** As {@link declineTender}, waiting on the calling thread. */
  declineTenderSync(tender: number, options: Approved): TenderAnswer {
    const call = this.#declineTender(tender, options)
    return this.#crossing.now('declineTender', this.id, call, tenderAnswer)
  }

  /**
   * Takes a pending or confirmed tender back. Once no live tender is left, lines can change again.
   *
   * Durable when the promise resolves.
   *
   * @param tender - tender number
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_TENDER_STATE`, `PK_E_ALREADY_FINAL`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @example
   * await sale.voidTender(1, { reason: 'customer pays by card instead' })
   */
  voidTender(tender: number, options: Approved): Promise<TenderAnswer> {
    const call = this.#voidTender(tender, options)
    return this.#crossing.later('voidTender', this.id, call, tenderAnswer)
  }

  /** As {@link voidTender}, waiting on the calling thread. */
  voidTenderSync(tender: number, options: Approved): TenderAnswer {
    const call = this.#voidTender(tender, options)
    return this.#crossing.now('voidTender', this.id, call, tenderAnswer)
  }

  /**
   * Completes the sale: receipt number, counters and fact are one record of the journal.
   *
   * Durable when the promise resolves, in both durability modes. The sale stays readable until
   * {@link close} or until 64 newer ones are finished.
   *
   * @throws {@link SaleStateError} `PK_E_UNDERPAID`, `PK_E_PENDING_TENDER`, `PK_E_EMPTY_SALE`,
   * `PK_E_ALREADY_FINAL`
   * @throws {@link MoneyError} `PK_E_OVERFLOW`
   * @example
   * const receipt = await sale.complete({ key: 'order-4711' })
   */
  complete(options?: Keyed): Promise<ReceiptAnswer> {
    return this.#crossing.later('complete', this.id, this.#complete(options), receiptAnswer)
  }

  /** As {@link complete}, waiting on the calling thread. */
  completeSync(options?: Keyed): ReceiptAnswer {
    return this.#crossing.now('complete', this.id, this.#complete(options), receiptAnswer)
  }

  /**
   * Voids the whole sale. It gets no receipt number, and it stays in the journal.
   *
   * Durable when the promise resolves, in both durability modes.
   *
   * @throws {@link SaleStateError} `PK_E_TENDER_TAKEN`, `PK_E_ALREADY_FINAL`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @example
   * await sale.void({ reason: 'customer left' })
   */
  void(options: Approved): Promise<VoidAnswer> {
    return this.#crossing.later('void', this.id, this.#void(options), voidAnswer)
  }

  /** As {@link void}, waiting on the calling thread. */
  voidSync(options: Approved): VoidAnswer {
    return this.#crossing.now('void', this.id, this.#void(options), voidAnswer)
  }

  /**
   * Lets the kernel forget a finished sale. Nothing is written: its facts are in the journal.
   * Closing it again does nothing.
   *
   * @throws {@link SaleStateError} `PK_E_STILL_OPEN`
   * @example
   * sale.close()
   */
  close(): void {
    this.#crossing.ask('closeSale', (native) => native.closeSale(this.id))
  }

  /**
   * What the sale comes to, with its tax table. A finished sale answers until it is closed.
   *
   * @throws {@link SaleStateError} `PK_E_ALREADY_FINAL` once the kernel has forgotten it
   * @example
   * const { due } = sale.totals()
   */
  totals(): SaleTotals {
    return this.#crossing.ask('totals', (native) => native.totals(this.id)) as SaleTotals
  }

  /**
   * The lines, voided ones included.
   *
   * @throws {@link SaleStateError} `PK_E_ALREADY_FINAL` once the kernel has forgotten it
   * @example
   * for (const line of sale.lines()) console.log(line.sku, line.amount)
   */
  lines(): readonly ReceiptLine[] {
    return this.#crossing.ask('lines', (native) => native.lines(this.id)) as ReceiptLine[]
  }

  /**
   * The tenders, declined and voided ones included.
   *
   * @throws {@link SaleStateError} `PK_E_ALREADY_FINAL` once the kernel has forgotten it
   * @example
   * const pending = sale.tenders().filter((tender) => tender.state === 'pending')
   */
  tenders(): readonly ReceiptTender[] {
    return this.#crossing.ask('tenders', (native) => native.tenders(this.id)) as ReceiptTender[]
  }

  /**
   * The sale at a glance, as long as it is open.
   *
   * @throws {@link SaleStateError} `PK_E_ALREADY_FINAL`
   * @example
   * const { beganAt, gross } = sale.summary()
   */
  summary(): SaleSummary {
    return this.#crossing.ask('summary', (native) => openSale(native, this.id))
  }

  #head(): SaleHead {
    this.#known ??= this.summary()
    return this.#known
  }

  #addLine(line: LineInput, options: Keyed | undefined) {
    return (native: NativeTerminal) => native.addLine(this.id, lineOf(line), keyOf(options))
  }

  #setQuantity(line: number, newQuantity: Decimal, options: Approved) {
    return (native: NativeTerminal) => {
      const { why, key } = approvalOf(options)
      const number = numberOf('line', line)
      return native.setQuantity(this.id, number, quantity(newQuantity), why, key)
    }
  }

  #voidLine(line: number, options: LineVoid) {
    return (native: NativeTerminal) => {
      const { why, key, isLinked } = lineVoidOf(options)
      const voided = numberOf('line', line)
      return isLinked
        ? native.voidLinked(this.id, voided, why, key)
        : native.voidLine(this.id, voided, why, key)
    }
  }

  #overridePrice(line: number, newPrice: Decimal, options: PriceOverride) {
    return (native: NativeTerminal) => {
      const { price, why, key } = priceOverrideOf(newPrice, options)
      return native.overridePrice(this.id, numberOf('line', line), price, why, key)
    }
  }

  #overrideTaxes(line: number, taxes: readonly TaxInput[], options: Approved) {
    return (native: NativeTerminal) => {
      const { why, key } = approvalOf(options)
      return native.overrideTaxes(this.id, numberOf('line', line), taxesOf(taxes), why, key)
    }
  }

  #adjustLine(what: 'discount' | 'surcharge', line: number, given: AdjustmentCall) {
    return (native: NativeTerminal) => {
      const { adjustment, approval, key } = adjustmentOf(what, given)
      return native.adjustLine(this.id, numberOf('line', line), adjustment, approval, key)
    }
  }

  #adjustSale(what: 'discount' | 'surcharge', given: AdjustmentCall) {
    return (native: NativeTerminal) => {
      const { adjustment, approval, key } = adjustmentOf(what, given)
      return native.adjustSale(this.id, adjustment, approval, key)
    }
  }

  #retract(number: number, options: Approved) {
    return (native: NativeTerminal) => {
      const { why, key } = approvalOf(options)
      return native.retract(this.id, numberOf('number', number), why, key)
    }
  }

  #tender(tender: TenderInput) {
    return (native: NativeTerminal) => {
      const { checked, key } = tenderOf(tender)
      return native.tender(this.id, checked, key)
    }
  }

  #confirmTender(tender: number, options: Confirmed) {
    return (native: NativeTerminal) => {
      const { auth, key } = confirmedOf(options)
      return native.confirmTender(this.id, numberOf('tender', tender), auth, key)
    }
  }

  #declineTender(tender: number, options: Approved) {
    return (native: NativeTerminal) => {
      const { why, key } = approvalOf(options)
      return native.declineTender(this.id, numberOf('tender', tender), why, key)
    }
  }

  #voidTender(tender: number, options: Approved) {
    return (native: NativeTerminal) => {
      const { why, key } = approvalOf(options)
      return native.voidTender(this.id, numberOf('tender', tender), why, key)
    }
  }

  #complete(options: Keyed | undefined) {
    return (native: NativeTerminal) => native.complete(this.id, keyOf(options))
  }

  #void(options: Approved) {
    return (native: NativeTerminal) => {
      const { why, key } = approvalOf(options)
      return native.voidSale(this.id, why, key)
    }
  }
}

/** What a handle knows of its sale without asking. */
export interface SaleHead {
  readonly store: string
  readonly currency: string
  readonly reference?: string | undefined
  readonly recovered: boolean
}

/** An open sale at a glance; a finished one, or none at all, is the kernel's own refusal. */
function openSale(native: NativeTerminal, id: number): SaleSummary {
  const found = native.openSales().find((summary) => summary.sale === id)
  if (found !== undefined) return found as SaleSummary
  // Refuses what never was and what is forgotten; a finished sale still answers.
  native.totals(id)
  const message = `sale ${id} is completed or voided; begin a new one`
  throw posError('PK_E_ALREADY_FINAL', message, { sale: id })
}
