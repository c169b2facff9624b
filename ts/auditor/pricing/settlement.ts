/**
 * What tenders make of a total: cash rounding of what the others leave, what is due, what goes
 * back. Guards I3, I4 and I19.
 */
import type { Decimal } from '../values.js'
import type { PaymentMeans, Policy } from './policy.js'
import { ratio, ratioOf, sum, times } from './rational.js'
import { round, roundToStep } from './rounding.js'

/** A tender that is live. */
export interface Tendered {
  readonly means: PaymentMeans
  /** With the tip. */
  readonly amount: bigint
  readonly tip: bigint
}

/** How a sale stands. */
export interface Settlement {
  readonly payable: bigint
  readonly rounding: bigint
  readonly tendered: bigint
  readonly tips: bigint
  readonly due: bigint
  readonly change: bigint
}

/** How a total stands after these tenders, in whatever order. */
export function settle(policy: Policy, gross: bigint, tenders: readonly Tendered[]): Settlement {
  const tendered = sum(tenders.map(({ amount }) => amount))
  const tips = sum(tenders.map(({ tip }) => tip))
  const left =
    gross - sum(tenders.map(({ means, ...one }) => (means === 'cash' ? 0n : forSale(one))))
  const hasCash = tenders.some(({ means }) => means === 'cash')
  const isGivenBack = gross >= 0n && left < 0n
  const rounded = roundToStep(left, policy.cashStep, policy.cashRounding)
  const rounding = hasCash || isGivenBack ? rounded - left : 0n
  const payable = gross + rounding
  const owed = payable - (tendered - tips)
  const isOver = gross >= 0n && owed < 0n
  return {
    payable,
    rounding,
    tendered,
    tips,
    due: isOver ? 0n : owed,
    change: isOver ? -owed : 0n,
  }
}

/** What foreign cash is worth. */
export function worthOf(
  policy: Policy,
  amount: bigint,
  foreignDigits: bigint,
  rate: Decimal,
  per: bigint,
): bigint {
  const home = ratio(amount * 10n ** policy.minorDigits, per * 10n ** foreignDigits)
  return round(times(home, ratioOf(rate)), policy.amountRounding)
}

function forSale({ amount, tip }: Omit<Tendered, 'means'>): bigint {
  return amount - tip
}
