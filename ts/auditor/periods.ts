/** What a report and a closing have to say: the state of a till less what was closed before. Guards I10. */

import { hold } from './contradiction.js'
import type { Counters, DeskBody, PeriodKind, Report, TurnoverOf } from './desk-bodies.js'
import { blankTotals, type CurrencyTotals, type TaxTotals } from './perpetual.js'
import type { PaymentMeans } from './pricing/policy.js'
import { sameTax } from './pricing/tax.js'
import { taken } from './takings.js'

/** Which of the four periods a closing is of; the first is that of Z reports. */
export const periodOf: Readonly<Record<PeriodKind, number>> = { day: 1, month: 2, year: 3 }

const counterNames = [
  'sales',
  'returns',
  'salesTax',
  'returnsTax',
  'rounding',
  'receipts',
  'voids',
] as const

/** One row for each currency with totals: these less those, and these. */
export function turnoverBetween(
  base: readonly CurrencyTotals[],
  totals: readonly CurrencyTotals[],
): readonly TurnoverOf[] {
  return totals.map((total) => {
    const { currency } = total
    const before = base.find((one) => one.currency === currency) ?? blankTotals(currency)
    const taxes = total.taxes.flatMap((now): TaxTotals[] => {
      const { tax } = now
      const then = before.taxes.find((one) => sameTax(one.tax, tax))
      const moved = {
        soldNet: now.soldNet - (then?.soldNet ?? 0n),
        soldTax: now.soldTax - (then?.soldTax ?? 0n),
        returnedNet: now.returnedNet - (then?.returnedNet ?? 0n),
        returnedTax: now.returnedTax - (then?.returnedTax ?? 0n),
      }
      return Object.values(moved).some((amount) => amount !== 0n) ? [{ tax, ...moved }] : []
    })
    return {
      currency,
      period: counted((name) => total[name] - before[name]),
      total: counted((name) => total[name]),
      taxes,
    }
  })
}

/** The report that a state comes to; what was `brought` is believed when it can be. */
export function reportOf(
  { periods, tally }: DeskBody,
  nextReceipt: bigint,
  totals: readonly CurrencyTotals[],
  brought: Report['brought'],
): Report {
  const firstReceipt = periods[0]?.first ?? 1n
  holdBrought(brought, tally.firstReceipt > firstReceipt)
  return {
    firstReceipt,
    lastReceipt: nextReceipt - 1n,
    turnover: turnoverBetween(periods[0]?.base ?? [], totals),
    takings: brought.reduce(taken, tally.takings),
    noSales: tally.noSales,
    reprints: tally.reprints,
    trainingReceipts: tally.trainingReceipts,
    brought,
  }
}

function holdBrought(brought: Report['brought'], mayBe: boolean): void {
  hold(brought.length === 0 || mayBe, 'I10', 'takings that were brought from before no tally')
  const kinds: readonly PaymentMeans[] = ['cash', 'card', 'voucher', 'foreign', 'other']
  const isAscending = <T>(all: readonly T[], value: (one: T) => string | number) =>
    all.every((one, index) => {
      const before = all[index - 1]
      return before === undefined || value(before) < value(one)
    })
  hold(
    isAscending(brought, ({ currency }) => currency),
    'I10',
    'brought takings are not in order',
  )
  for (const one of brought) {
    const { paidIn, paidInCount, paidOut, paidOutCount, overShort } = one
    const isStill = [paidIn, paidInCount, paidOut, paidOutCount, overShort].every(
      (amount) => amount === 0n,
    )
    hold(isStill, 'I10', 'cash was moved or counted in takings that were brought')
    const inOrder = isAscending(one.tenders, ({ kind }) => kinds.indexOf(kind))
    hold(inOrder, 'I10', 'brought tenders are not in order')
  }
}

function counted(of: (name: (typeof counterNames)[number]) => bigint): Counters {
  return Object.fromEntries(counterNames.map((name) => [name, of(name)])) as unknown as Counters
}
