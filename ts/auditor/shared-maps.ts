/** Maps and names that stand in several kinds of bodies; see "Shared maps" in `docs/reference/records.md`. */
import type { Read } from './cbor.js'
import { Contradiction } from './contradiction.js'
import type { Adjustment, LineKind } from './pricing/line.js'
import type { PaymentMeans } from './pricing/policy.js'
import type { TaxComponent } from './pricing/tax.js'
import {
  amount,
  between,
  bool,
  count,
  currency,
  decimal,
  hash,
  i64,
  list,
  map,
  oneOf,
  optional,
  orZero,
  required,
  text,
  u32,
  u64,
  unsignedAmount,
} from './values.js'

const RATE_PPM_MAX = 10_000_000n

export const tenderKind = oneOf<PaymentMeans>('kind of tender', {
  1: 'cash',
  2: 'card',
  3: 'voucher',
  4: 'foreign',
  5: 'other',
})
export const lineKind = oneOf<LineKind>('kind of line', {
  1: 'item',
  2: 'surcharge',
  3: 'deposit',
  4: 'tip',
})
export const tenderState = oneOf('state of tender', {
  1: 'pending',
  2: 'confirmed',
  3: 'declined',
  4: 'voided',
} as const)

export const direction = oneOf<Adjustment['direction']>('direction', {
  1: 'discount',
  2: 'surcharge',
})
export const adjustment: Read<Adjustment> = (cbor) => {
  if (cbor.array() !== 3n) throw new Contradiction('an adjustment is an array of three')
  const way = direction(cbor)
  const unit = between(cbor.unsigned(), 1n, 2n, 'the unit of an adjustment')
  return unit === 1n
    ? { direction: way, amount: i64(cbor) }
    : { direction: way, ppm: BigInt(u32(cbor)) }
}
export const taxClass: Read<string> = (cbor) => {
  const name = cbor.text()
  if (!/^[!-~]{1,12}$/.test(name)) throw new Contradiction(`"${name}" is no class of tax`)
  return name
}
export const ratePpm: Read<bigint> = (cbor) =>
  between(cbor.unsigned(), 0n, RATE_PPM_MAX, 'the rate of a tax')

export const key = map({ text: required(0, text), fingerprint: required(1, u64) })
export const owner = map({
  pid: required(0, u32),
  host: required(1, text),
  version: required(2, text),
  startedNs: required(3, i64),
  hostVersion: optional(4, text),
})
export const cut = map({
  segment: required(0, u32),
  offset: required(1, u32),
  bytes: required(2, u32),
  keptAs: required(3, text),
})
export const takenTender = map({
  tender: required(0, u32),
  kind: required(1, tenderKind),
  amount: required(2, amount),
  tip: orZero(3),
})
export const tax: Read<TaxComponent> = map({
  class: required(0, taxClass),
  ratePpm: required(1, ratePpm),
  inclusive: required(2, bool),
})
/** What a sale comes to besides its total. */
export const sums = map({
  tax: required(0, amount),
  discounts: required(1, amount),
  surcharges: required(2, amount),
  cashPayable: required(3, amount),
})
/** The receipt that a sale takes lines back from. */
export const returnsOf = map({ terminal: required(0, text), receipt: required(1, u64) })
/** Where a sale was suspended that goes on here. */
export const takenOver = map({
  terminal: required(0, text),
  sale: required(1, u64),
  ticket: required(2, text),
  content: required(3, hash),
  facts: required(4, u32),
})
export const soldAt = map({
  terminal: required(0, text),
  receipt: required(1, u64),
  line: required(2, u32),
})
export const soldFor = map({
  quantity: required(0, decimal),
  amount: required(1, amount),
  taxes: list(2, i64),
  before: required(3, decimal),
})
export const foreignAmount = map({
  currency: required(0, currency),
  amount: required(1, amount),
  rate: required(2, decimal),
  per: optional(3, u32),
})
export const taxRow = map({
  tax: required(0, tax),
  net: required(1, amount),
  amount: required(2, amount),
})
export const completedSums = map({
  taxes: list(0, taxRow),
  tax: required(1, amount),
  discounts: required(2, amount),
  surcharges: required(3, amount),
  rounding: required(4, amount),
  tips: required(5, amount),
})
export const taxTotals = map({
  tax: required(0, tax),
  soldNet: required(1, amount),
  soldTax: required(2, amount),
  returnedNet: required(3, amount),
  returnedTax: required(4, amount),
})
export const perpetualSums = map({
  salesTax: required(0, amount),
  returnsTax: required(1, amount),
  rounding: required(2, amount),
  taxes: list(3, taxTotals),
})
export const totals = map({
  currency: required(0, currency),
  sales: required(1, unsignedAmount),
  returns: required(2, unsignedAmount),
  receipts: required(3, count),
  voids: required(4, count),
  salesTax: orZero(5),
  returnsTax: orZero(6),
  rounding: orZero(7),
  taxes: list(8, taxTotals),
})

/** Who was signed on. */
export const operator = optional(13, text)
