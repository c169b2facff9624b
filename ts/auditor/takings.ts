/** Sums of what comes in and goes out: of a shift's drawer, and of a period. */

import { hold } from './contradiction.js'
import type { CountedTender, DrawerSum, Takings } from './desk-bodies.js'
import type { PaymentMeans } from './pricing/policy.js'

const I64_MAX = 2n ** 63n - 1n
/** In the order of their numbers. */
const kinds: readonly PaymentMeans[] = ['cash', 'card', 'voucher', 'foreign', 'other']

/** The amounts of a drawer that are sums. */
type DrawerAmounts = Partial<Omit<DrawerSum, 'currency' | 'expected'>>

/** A drawer with more in one currency, which stands in it from then on. */
export function moved(
  drawer: readonly DrawerSum[],
  currency: string,
  more: DrawerAmounts,
): readonly DrawerSum[] {
  const blank = { currency, float: 0n, sales: 0n, paidIn: 0n, paidOut: 0n, overShort: 0n }
  const before = drawer.find((one) => one.currency === currency) ?? { ...blank, expected: 0n }
  const float = fits(before.float + (more.float ?? 0n))
  const sales = fits(before.sales + (more.sales ?? 0n))
  const paidIn = fits(before.paidIn + (more.paidIn ?? 0n))
  const paidOut = fits(before.paidOut + (more.paidOut ?? 0n))
  const overShort = fits(before.overShort + (more.overShort ?? 0n))
  const expected = fits(float + sales + paidIn - paidOut + overShort)
  const after = { currency, float, sales, paidIn, paidOut, overShort, expected }
  return inOrder([...drawer.filter((one) => one !== before), after])
}

/** A drawer with the cash of a completed sale. */
export function withSale(
  drawer: readonly DrawerSum[],
  currency: string,
  tenders: readonly CountedTender[],
  change: bigint,
): readonly DrawerSum[] {
  let after = drawer
  const isCash = ({ kind }: CountedTender) => kind === 'cash'
  if (tenders.some(isCash) || change !== 0n) {
    const cash = tenders.filter(isCash).reduce((all, { amount }) => all + amount, 0n)
    after = moved(after, currency, { sales: cash - change })
  }
  for (const { foreign } of tenders) {
    if (foreign === undefined) continue
    after = moved(after, foreign.currency, { sales: foreign.amount })
  }
  return after
}

/** Takings with others added; a currency stands in them from then on. */
export function taken(
  all: readonly Takings[],
  more: Partial<Takings> & Pick<Takings, 'currency'>,
): readonly Takings[] {
  const blank = { paidIn: 0n, paidInCount: 0n, paidOut: 0n, paidOutCount: 0n }
  const { currency } = more
  const before = all.find((one) => one.currency === currency)
  const so = before ?? { ...blank, currency, tenders: [], change: 0n, overShort: 0n, tips: 0n }
  const after: Takings = {
    currency,
    tenders: together(so.tenders, more.tenders ?? []),
    change: fits(so.change + (more.change ?? 0n)),
    paidIn: fits(so.paidIn + (more.paidIn ?? 0n)),
    paidInCount: so.paidInCount + (more.paidInCount ?? 0n),
    paidOut: fits(so.paidOut + (more.paidOut ?? 0n)),
    paidOutCount: so.paidOutCount + (more.paidOutCount ?? 0n),
    overShort: fits(so.overShort + (more.overShort ?? 0n)),
    tips: fits(so.tips + (more.tips ?? 0n)),
  }
  return inOrder([...all.filter((one) => one !== before), after])
}

/** The takings of one completed sale. */
export function takingsOf(
  currency: string,
  tenders: readonly CountedTender[],
  change: bigint,
): Partial<Takings> & Pick<Takings, 'currency'> {
  const tips = tenders.reduce((all, { tip }) => all + tip, 0n)
  const sums = tenders.map(({ kind, amount }) => ({ kind, count: 1n, amount }))
  return { currency, tenders: sums, change, tips }
}

function together(a: Takings['tenders'], b: Takings['tenders']): Takings['tenders'] {
  return kinds.flatMap((kind) => {
    const all = [...a, ...b].filter((one) => one.kind === kind)
    const count = all.reduce((sum, one) => sum + one.count, 0n)
    const amount = fits(all.reduce((sum, one) => sum + one.amount, 0n))
    return all.length === 0 ? [] : [{ kind, count, amount }]
  })
}

function fits(sum: bigint): bigint {
  hold(sum <= I64_MAX && sum >= -I64_MAX - 1n, 'I10', `a sum of ${sum}`)
  return sum
}

function inOrder<T extends { readonly currency: string }>(all: readonly T[]): readonly T[] {
  return all.toSorted((a, b) => (a.currency < b.currency ? -1 : 1))
}
