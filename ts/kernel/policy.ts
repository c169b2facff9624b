/**
 * Policy: the rules by which a terminal prices, taxes, rounds and gives change, for one currency.
 *
 * It is set once and stands in the journal; a sale keeps the one that it began with, and its receipt
 * names it by its hash. What each rule does to an amount is told in `docs/reference/pricing.md`.
 */
import type { NativePolicy } from '../native.js'
import { checkNames, list, optionalFlag, optionalText, text, wrong } from './input.js'
import type { TenderKind } from './receipt.js'

/** Whether prices contain tax. */
export type Prices = 'net' | 'gross'

/** What tax is worked out and rounded on: the lines of a rate together, a line, or one unit of it. */
export type TaxScope = 'perRate' | 'perLine' | 'perUnit'

/**
 * How an exact amount becomes whole minor units: to the nearest with ties away from zero, to the
 * nearest with ties to the even one, away from zero, towards zero.
 */
export type Rounding = 'halfUp' | 'halfEven' | 'up' | 'down'

/** What of a price with tax inside is rounded; the other part is the difference. */
export type GrossSplit = 'taxFirst' | 'netFirst'

/** How an amount becomes a multiple of the cash step, by magnitude. */
export type CashRounding = 'halfUp' | 'halfDown' | 'up' | 'down'

/** What becomes of a return without its receipt: taken, taken with an approval, refused. */
export type UnboundReturns = 'allow' | 'approve' | 'refuse'

/** The rules for sales of one currency, complete. */
export interface Policy {
  /** Currency, three letters of ISO 4217. */
  readonly currency: string
  /** Decimal places of its minor unit. */
  readonly minorDigits: number
  /** Whether a tax that does not say so itself is inside the price. */
  readonly prices: Prices
  /** What tax is worked out and rounded on. */
  readonly taxScope: TaxScope
  /** How tax is rounded. */
  readonly taxRounding: Rounding
  /** What of a price with tax inside is rounded. */
  readonly grossSplit: GrossSplit
  /** How quantity times price, a percentage of an amount and foreign money are rounded. */
  readonly amountRounding: Rounding
  /** Smallest cash in minor units; 1 for no cash rounding. */
  readonly cashStep: number
  /** How cash is rounded to the step. */
  readonly cashRounding: CashRounding
  /** What may be tendered for more than is due. */
  readonly changeFrom: readonly TenderKind[]
  /** One sale may hold both sold and returned lines. */
  readonly mixedReturns: boolean
  /** What becomes of a return without its receipt. */
  readonly unboundReturns: UnboundReturns
}

/** The rules to set: those that differ from country to country are said, the others have defaults. */
export interface PolicyInput {
  /** Currency, three letters of ISO 4217. */
  readonly currency: string
  /** Decimal places of its minor unit, 0 to 4; those of ISO 4217 when left out. */
  readonly minorDigits?: number | undefined
  /** Whether a tax that does not say so itself is inside the price. */
  readonly prices: Prices
  /** What tax is worked out and rounded on. */
  readonly taxScope: TaxScope
  /** How tax is rounded. */
  readonly taxRounding: Rounding
  /** What of a price with tax inside is rounded; `taxFirst` when left out. */
  readonly grossSplit?: GrossSplit | undefined
  /** How quantity times price, a percentage and foreign money are rounded; `halfUp` when left out. */
  readonly amountRounding?: Rounding | undefined
  /** Smallest cash, 1 to 1,000,000 minor units; 1, no cash rounding, when left out. */
  readonly cashStep?: number | undefined
  /** How cash is rounded to the step; `halfUp` when left out. */
  readonly cashRounding?: CashRounding | undefined
  /** What may be tendered for more than is due; `cash` and `foreign` when left out. */
  readonly changeFrom?: readonly TenderKind[] | undefined
  /** One sale may hold both sold and returned lines; true when left out. */
  readonly mixedReturns?: boolean | undefined
  /** What becomes of a return without its receipt; `approve` when left out. */
  readonly unboundReturns?: UnboundReturns | undefined
}

const policyNames = new Set([
  'currency',
  'minorDigits',
  'prices',
  'taxScope',
  'taxRounding',
  'grossSplit',
  'amountRounding',
  'cashStep',
  'cashRounding',
  'changeFrom',
  'mixedReturns',
  'unboundReturns',
])

/** Checks a policy's types; which names and ranges there are is the kernel's to judge. */
export function policyOf(policy: PolicyInput): NativePolicy {
  checkNames('policy', policy, policyNames)
  text('currency', policy.currency)
  text('prices', policy.prices)
  text('taxScope', policy.taxScope)
  text('taxRounding', policy.taxRounding)
  optionalText('grossSplit', policy.grossSplit)
  optionalText('amountRounding', policy.amountRounding)
  optionalText('cashRounding', policy.cashRounding)
  optionalText('unboundReturns', policy.unboundReturns)
  optionalCount('minorDigits', policy.minorDigits)
  optionalCount('cashStep', policy.cashStep)
  optionalFlag('mixedReturns', policy.mixedReturns)
  if (policy.changeFrom !== undefined) {
    for (const kind of list('changeFrom', policy.changeFrom)) text('changeFrom', kind)
  }
  return policy as NativePolicy
}

function optionalCount(what: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return
  throw wrong(what, value, 'a whole number')
}
