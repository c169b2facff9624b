/**
 * The perpetual totals of a till, by currency: what was sold and returned, ever, and the taxes on
 * it. What was sold and what was returned never falls; a sum of taxes may, where a rule rounds the
 * net in a price to more than the price. Guards I9.
 */
import type { CheckpointBody, FactOf } from './bodies.js'
import { hold } from './contradiction.js'
import { holdAmount } from './pricing/line.js'
import { sameTax, type TaxComponent, taxKey } from './pricing/tax.js'
import type { Turnover } from './pricing/turnover.js'
import type { AuditedTotals } from './report.js'
import type { Taken } from './sale.js'

/** The perpetual totals of a currency. */
export type CurrencyTotals = CheckpointBody['totals'][number]
/** Those of one tax. */
export type TaxTotals = CurrencyTotals['taxes'][number]

/** Different taxes that a currency has totals of. */
export const TAXES_MAX = 128

/** Nothing sold yet. */
export function blankTotals(currency: string): CurrencyTotals {
  const amounts = { sales: 0n, returns: 0n, salesTax: 0n, returnsTax: 0n, rounding: 0n }
  return { currency, receipts: 0n, voids: 0n, ...amounts, taxes: [] }
}

/** The totals with a completed sale, which has to say the same of them. */
export function withSale(
  before: CurrencyTotals,
  { turnover, rounding }: Taken,
  fact: FactOf<'SaleCompleted'>,
): CurrencyTotals {
  const { sold, returned } = turnover
  const ofSale = taxesOf(before, turnover)
  const others = before.taxes.filter((one) => !ofSale.some(({ tax }) => sameTax(one.tax, tax)))
  const after = {
    ...before,
    sales: before.sales + sold.net + sold.tax,
    returns: before.returns - returned.net - returned.tax,
    receipts: before.receipts + 1n,
    salesTax: before.salesTax + sold.tax,
    returnsTax: before.returnsTax - returned.tax,
    rounding: before.rounding + rounding,
    taxes: [...others, ...ofSale].sort((a, b) => inOrder(a.tax, b.tax)),
  }
  hold(after.taxes.length <= TAXES_MAX, 'I9', `${after.taxes.length} taxes in one currency`)
  holdGrown(before, after)
  holdSaid(fact, after, ofSale)
  return after
}

/** Holds a completed training sale to say what the totals are without it, and nothing of its taxes. */
export function holdUnmoved(before: CurrencyTotals, fact: FactOf<'SaleCompleted'>): void {
  holdSaid(fact, before, [])
}

/** The totals of the taxes of a sale after it, in the order in which it has them. */
function taxesOf(before: CurrencyTotals, { rows }: Turnover): readonly TaxTotals[] {
  return rows.map(({ component: tax, sold, returned }) => {
    const so = before.taxes.find((one) => sameTax(one.tax, tax)) ?? blankTax(tax)
    return {
      tax,
      soldNet: so.soldNet + sold.net,
      soldTax: so.soldTax + sold.tax,
      returnedNet: so.returnedNet - returned.net,
      returnedTax: so.returnedTax - returned.tax,
    }
  })
}

/** Totals as a report has them. */
export function reported({ currency, taxes, ...amounts }: CurrencyTotals): AuditedTotals {
  return {
    currency,
    ...inNumbers(amounts),
    taxes: taxes.map(({ tax: { class: name, ratePpm, inclusive }, ...ofTax }) => ({
      class: name,
      ratePpm: Number(ratePpm),
      inclusive,
      ...inNumbers(ofTax),
    })),
  }
}

/** Totals in one line, to be compared. */
export function shownTotals(all: readonly CurrencyTotals[]): string {
  const shownTax = ({ tax, soldNet, soldTax, returnedNet, returnedTax }: TaxTotals) =>
    [taxKey(tax), soldNet, soldTax, returnedNet, returnedTax].join(' ')
  const shown = (one: CurrencyTotals) => {
    const { currency, sales, returns, receipts, voids, salesTax, returnsTax, rounding } = one
    const amounts = [currency, sales, returns, receipts, voids, salesTax, returnsTax, rounding]
    return [...amounts, ...one.taxes.map(shownTax)].join(' ')
  }
  return all.map(shown).join('; ')
}

/** By class, then rate, then exclusive before inclusive. */
export function inOrder(a: TaxComponent, b: TaxComponent): number {
  if (a.class !== b.class) return a.class < b.class ? -1 : 1
  if (a.ratePpm !== b.ratePpm) return a.ratePpm < b.ratePpm ? -1 : 1
  return Number(a.inclusive) - Number(b.inclusive)
}

function holdGrown(before: CurrencyTotals, after: CurrencyTotals): void {
  hold(after.sales >= before.sales, 'I9', `the total of sales falls to ${after.sales}`)
  hold(after.returns >= before.returns, 'I9', `the total of returns falls to ${after.returns}`)
  const { sales, returns, salesTax, returnsTax, rounding } = after
  for (const amount of [sales, returns, salesTax, returnsTax, rounding]) holdAmount(amount)
  for (const { tax: _, ...amounts } of after.taxes) Object.values(amounts).forEach(holdAmount)
}

function holdSaid(
  fact: FactOf<'SaleCompleted'>,
  after: CurrencyTotals,
  ofSale: readonly TaxTotals[],
): void {
  const same = (what: string, said: bigint, is: bigint) =>
    hold(said === is, 'I9', `total ${what} ${said}, where it is ${is}`)
  same('sales', fact.totalSales, after.sales)
  same('returns', fact.totalReturns, after.returns)
  const nothing = { salesTax: 0n, returnsTax: 0n, rounding: 0n, taxes: [] }
  const perpetual = fact.perpetual ?? nothing
  same('taxes on sales', perpetual.salesTax, after.salesTax)
  same('taxes on returns', perpetual.returnsTax, after.returnsTax)
  same('rounding', perpetual.rounding, after.rounding)
  const isSame = ofSale.every((is, index) => {
    const said = perpetual.taxes[index]
    return (
      said !== undefined &&
      sameTax(said.tax, is.tax) &&
      said.soldNet === is.soldNet &&
      said.soldTax === is.soldTax &&
      said.returnedNet === is.returnedNet &&
      said.returnedTax === is.returnedTax
    )
  })
  hold(
    isSame && perpetual.taxes.length === ofSale.length,
    'I9',
    'the totals of the taxes are not those of the sale',
  )
}

function blankTax(tax: TaxComponent): TaxTotals {
  return { tax, soldNet: 0n, soldTax: 0n, returnedNet: 0n, returnedTax: 0n }
}

function inNumbers<Name extends string>(
  amounts: Readonly<Record<Name, bigint>>,
): Record<Name, number> {
  const entries = Object.entries<bigint>(amounts)
  return Object.fromEntries(entries.map(([name, value]) => [name, Number(value)])) as Record<
    Name,
    number
  >
}
