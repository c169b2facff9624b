/** What a host gives for a sale: lines, tenders, carts, and their checks at the edge. */
import type { NativeCart, NativeLine, NativePrice, NativeTender } from '../native.js'
import { type Adjustments, adjustmentsOf } from './adjustment.js'
import {
  type Approved,
  approvedNames,
  approvedOf,
  checkNames,
  type Keyed,
  list,
  numberOf,
  optionalFlag,
  optionalText,
  text,
} from './input.js'
import { amount, type Decimal, perQuantity, quantity, rate, unitPrice } from './money.js'
import type { LineKind, TenderKind } from './receipt.js'
import { type Attributes, attributesOf } from './rules.js'
import { type TaxInput, taxesOf } from './tax.js'

/** Why a line is voided, and whether the lines that belong to it go with it. */
export interface LineVoid extends Approved {
  /** Voids the lines that belong to it in the same fact; false when left out. */
  readonly linked?: boolean | undefined
}

/** Why a price is overridden, and for how many units the new one is. */
export interface PriceOverride extends Approved {
  /** Units that the new price is for, more than zero; one when left out. */
  readonly perQuantity?: Decimal | undefined
}

/** Authorisation of a confirmed tender, and an idempotency key. */
export interface Confirmed extends Keyed {
  /** The authorisation that was given outside the till, up to 64 bytes. */
  readonly auth?: string | undefined
}

/** A line to add. */
export interface LineInput {
  /** What it is; an item when left out. Only items take part in a discount on the sale. */
  readonly kind?: LineKind | undefined
  /** Stock-keeping unit, 1 to 64 bytes. */
  readonly sku: string
  /** Text for people, 1 to 256 bytes. */
  readonly text?: string | undefined
  /** How many: an integer or a decimal string, not zero; negative for a return line. */
  readonly quantity: Decimal
  /** Price of `perQuantity` units in minor units, zero or more: an integer or a decimal string. */
  readonly unitPrice: Decimal
  /** Units that the price is for, more than zero: 100 for a price of 100 g; one when left out. */
  readonly perQuantity?: Decimal | undefined
  /** Its taxes, none twice, up to 32; inclusive and exclusive ones may be mixed. */
  readonly taxes?: readonly TaxInput[] | undefined
  /** Discounts that it begins with. */
  readonly discount?: Adjustments | undefined
  /** Surcharges that it begins with, after the discounts. */
  readonly surcharge?: Adjustments | undefined
  /** Number of the live line that it belongs to: of a set, of what it modifies, of its deposit. */
  readonly parent?: number | undefined
  /** Number of the approval for a return without its receipt, or for what a rule wants approved. */
  readonly approval?: number | undefined
  /** Class of the goods, for rules: `"wine"`. */
  readonly class?: string | undefined
  /** What rules may ask of the line besides; what a table asks for stands in the journal. */
  readonly attributes?: Attributes | undefined
}

/** A tender to take. */
export interface TenderInput extends Keyed {
  /** What the customer pays with. */
  readonly kind: TenderKind
  /**
   * Minor units, tip included: positive while something is due, negative while something is to be
   * paid out. Of the foreign currency where the kind is `foreign`.
   */
  readonly amount: number
  /** The part that is a tip: not turnover, and given no change for. */
  readonly tip?: number | undefined
  /** The foreign currency; with the kind `foreign` and no other. */
  readonly currency?: string | undefined
  /** What `per` whole units of it are worth in whole units of the sale's currency: `"0.9312"`. */
  readonly rate?: Decimal | undefined
  /** Units that the rate is for: 100 for a rate of 100 yen; one when left out. */
  readonly per?: number | undefined
  /** The host's reference, 1 to 64 bytes. */
  readonly reference?: string | undefined
  /** The outcome lies outside the till and is not known yet; confirm, decline or void it later. */
  readonly pending?: boolean | undefined
  /** Number of the approval that a rule wants. */
  readonly approval?: number | undefined
  /** What rules may ask of the tender and of its sale; what a table asks for stands in the journal. */
  readonly attributes?: Attributes | undefined
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
  /** Discounts on the sale, allocated to its items by their amounts. */
  readonly discount?: Adjustments | undefined
  /** Surcharges on the sale, after the discounts. */
  readonly surcharge?: Adjustments | undefined
  /** The tenders; none when the lines come to zero. */
  readonly tenders: readonly CartTender[]
}

const beginNames = new Set(['store', 'currency', 'reference', 'key'])
const cartNames = new Set([...beginNames, 'lines', 'discount', 'surcharge', 'tenders'])
const lineNames = new Set([
  'kind',
  'sku',
  'text',
  'quantity',
  'unitPrice',
  'perQuantity',
  'taxes',
  'discount',
  'surcharge',
  'parent',
  'approval',
  'class',
  'attributes',
])
const cartTenderNames = new Set([
  'kind',
  'amount',
  'tip',
  'currency',
  'rate',
  'per',
  'reference',
  'approval',
  'attributes',
])
const tenderNames = new Set([...cartTenderNames, 'pending', 'key'])
const priceOverrideNames = new Set([...approvedNames, 'perQuantity'])
const lineVoidNames = new Set([...approvedNames, 'linked'])
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
  const { discount, surcharge, attributes, ...rest } = line
  text('sku', line.sku)
  optionalText('kind', line.kind)
  optionalText('text', line.text)
  quantity(line.quantity)
  unitPrice(line.unitPrice)
  if (line.perQuantity !== undefined) perQuantity(line.perQuantity)
  if (line.taxes !== undefined) taxesOf(line.taxes)
  if (line.parent !== undefined) numberOf('parent', line.parent)
  if (line.approval !== undefined) numberOf('approval', line.approval)
  optionalText('class', line.class)
  const adjustments = adjustmentsOf(discount, surcharge)
  return { ...rest, adjustments, attributes: attributesOf(attributes) } as NativeLine
}

/** Checks a tender. */
export function tenderOf(tender: TenderInput): { checked: NativeTender; key: string | undefined } {
  const checked = cartTenderOf(tender, tenderNames)
  optionalFlag('pending', tender.pending)
  return { checked, key: optionalText('key', tender.key) }
}

/** Checks a whole cart. */
export function cartOf(cart: Cart): NativeCart {
  checkNames('cart', cart, cartNames)
  const { discount, surcharge, lines, tenders, ...rest } = cart
  text('store', cart.store)
  text('currency', cart.currency)
  optionalText('reference', cart.reference)
  optionalText('key', cart.key)
  return {
    ...(rest as Omit<NativeCart, 'adjustments' | 'lines' | 'tenders'>),
    lines: (list('lines', lines) as readonly LineInput[]).map(lineOf),
    adjustments: adjustmentsOf(discount, surcharge),
    tenders: (list('tenders', tenders) as readonly CartTender[]).map((tender) =>
      cartTenderOf(tender, cartTenderNames),
    ),
  }
}

/** Checks a new price, and why the old one is overridden. */
export function priceOverrideOf(newPrice: Decimal, options: PriceOverride) {
  checkNames('options', options, priceOverrideNames)
  const price: NativePrice = { unitPrice: unitPrice(newPrice) }
  const per = options.perQuantity
  if (per !== undefined) price.perQuantity = perQuantity(per)
  return { price, ...approvedOf(options) }
}

/** Checks why something is done, and who allowed it. */
export function approvalOf(options: Approved) {
  checkNames('options', options, approvedNames)
  return approvedOf(options)
}

/** Checks why a line is voided, and with what. */
export function lineVoidOf(options: LineVoid) {
  checkNames('options', options, lineVoidNames)
  const isLinked = optionalFlag('linked', options.linked) ?? false
  return { ...approvedOf(options), isLinked }
}

/** Checks what confirms a tender. */
export function confirmedOf(options: Confirmed) {
  checkNames('options', options, confirmedNames)
  return { auth: optionalText('auth', options.auth), key: optionalText('key', options.key) }
}

function cartTenderOf(tender: CartTender, names: ReadonlySet<string>): NativeTender {
  checkNames('tender', tender, names)
  text('kind', tender.kind)
  amount('amount', tender.amount)
  if (tender.tip !== undefined) amount('tip', tender.tip)
  optionalText('currency', tender.currency)
  if (tender.rate !== undefined) rate('rate', tender.rate)
  if (tender.per !== undefined) numberOf('per', tender.per)
  optionalText('reference', tender.reference)
  if (tender.approval !== undefined) numberOf('approval', tender.approval)
  const { attributes, ...rest } = tender
  return { ...rest, attributes: attributesOf(attributes) } as NativeTender
}
