/** What a host gives for a sale: lines, tenders, keys and reasons, and their checks at the edge. */
import type { NativeLine, NativeTender } from '../native.js'
import { checkNames, numberOf, optionalFlag, optionalText, text } from './input.js'
import { amount, type Decimal, quantity, unitPrice } from './money.js'
import type { TenderKind } from './receipt.js'

/** An idempotency key for a call that makes a fact. */
export interface Keyed {
  /**
   * 1 to 64 bytes, without control characters. The first call with a key makes the fact; every
   * later one with the same key and the same arguments gets the first one's answer.
   */
  readonly key?: string | undefined
}

/** Why something is taken back, and an idempotency key. */
export interface Reasoned extends Keyed {
  /** 1 to 256 bytes for the journal. */
  readonly reason: string
}

/** Why a line is voided, and whether the lines that belong to it go with it. */
export interface LineVoid extends Reasoned {
  /** Voids the lines that belong to it in the same fact; false when left out. */
  readonly linked?: boolean | undefined
}

/** Authorisation of a confirmed tender, and an idempotency key. */
export interface Confirmed extends Keyed {
  /** The authorisation that was given outside the till, up to 64 bytes. */
  readonly auth?: string | undefined
}

/** A line to add. */
export interface LineInput {
  /** Stock-keeping unit, 1 to 64 bytes. */
  readonly sku: string
  /** Text for people, 1 to 256 bytes. */
  readonly text?: string | undefined
  /** How many: an integer or a decimal string, not zero; negative for a return line. */
  readonly quantity: Decimal
  /** Price of one in minor units, zero or more: an integer or a decimal string (`"0.880"`). */
  readonly unitPrice: Decimal
  /** Number of the live line that it belongs to: of a set, of what it modifies, of its deposit. */
  readonly parent?: number | undefined
}

/** A tender to take. */
export interface TenderInput extends Keyed {
  /** What the customer pays with. */
  readonly kind: TenderKind
  /** Minor units: positive while something is due, negative while something is to be paid out. */
  readonly amount: number
  /** The host's reference, 1 to 64 bytes. */
  readonly reference?: string | undefined
  /** The outcome lies outside the till and is not known yet; confirm, decline or void it later. */
  readonly pending?: boolean | undefined
}

/** What a sale begins with. */
export interface BeginInput extends Keyed {
  /** Store, 1 to 64 bytes. */
  readonly store: string
  /** Currency, three capital letters of ISO 4217. */
  readonly currency: string
  /** The host's own number for the sale, 1 to 64 bytes; it is printed in the receipt. */
  readonly reference?: string | undefined
}

/** A tender of a sale that is rung up in one call: its outcome is known. */
export type CartTender = Omit<TenderInput, 'pending' | 'key'>

/** A whole sale to ring up in one call. */
export interface Cart extends BeginInput {
  /** The lines, at least one. */
  readonly lines: readonly LineInput[]
  /** The tenders; none when the lines come to zero. */
  readonly tenders: readonly CartTender[]
}

const beginNames = new Set(['store', 'currency', 'reference', 'key'])
export const cartNames = new Set([...beginNames, 'lines', 'tenders'])
export const lineNames = new Set(['sku', 'text', 'quantity', 'unitPrice', 'parent'])
const tenderNames = new Set(['kind', 'amount', 'reference', 'pending', 'key'])
export const cartTenderNames = new Set(['kind', 'amount', 'reference'])
const lineVoidNames = new Set(['reason', 'key', 'linked'])
const confirmedNames = new Set(['auth', 'key'])

/** Checks what a sale begins with. */
export function beginOf(input: BeginInput) {
  checkNames('sale', input, beginNames)
  return {
    store: text('store', input.store),
    currency: text('currency', input.currency),
    reference: optionalText('reference', input.reference),
    key: optionalText('key', input.key),
  }
}

/** Checks a line. */
export function lineOf(line: LineInput): NativeLine {
  checkNames('line', line, lineNames)
  text('sku', line.sku)
  optionalText('text', line.text)
  quantity(line.quantity)
  unitPrice(line.unitPrice)
  if (line.parent !== undefined) numberOf('parent', line.parent)
  return line as NativeLine
}

/** Checks a tender. */
export function tenderOf(tender: TenderInput): { checked: NativeTender; key: string | undefined } {
  checkTender(tender, tenderNames)
  optionalFlag('pending', tender.pending)
  return { checked: tender as NativeTender, key: optionalText('key', tender.key) }
}

/** Checks why a line is voided, and with what. */
export function lineVoidOf(options: LineVoid) {
  checkNames('options', options, lineVoidNames)
  const { reason, key, linked } = options
  const isLinked = optionalFlag('linked', linked) ?? false
  return { reason: text('reason', reason), key: optionalText('key', key), isLinked }
}

/** Checks what confirms a tender. */
export function confirmedOf(options: Confirmed) {
  checkNames('options', options, confirmedNames)
  return { auth: optionalText('auth', options.auth), key: optionalText('key', options.key) }
}

function checkTender(tender: CartTender, names: ReadonlySet<string>): void {
  checkNames('tender', tender, names)
  text('kind', tender.kind)
  amount('amount', tender.amount)
  optionalText('reference', tender.reference)
}
