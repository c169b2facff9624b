/** Discounts and surcharges: an amount or a percentage, and why. */
import type { NativeAdjustment } from '../native.js'
import { type Approved, approvedNames, approvedOf, checkNames, text, wrong } from './input.js'
import { amount, type Decimal, rate } from './money.js'

/** How much: minor units, or per cent of the amount as it stands. */
export type Worth =
  | {
      /** Minor units, more than zero. */
      readonly amount: number
      /** Not beside an amount. */
      readonly percent?: undefined
    }
  | {
      /** Per cent, more than zero, with at most four places: `10`, `"2.5"`; a discount up to 100. */
      readonly percent: Decimal
      /** Not beside a percentage. */
      readonly amount?: undefined
    }

/** A discount or a surcharge that a line or a cart begins with. */
export type AdjustmentInput = Worth & {
  /** Why, 1 to 256 bytes for the journal. */
  readonly reason: string
}

/** A discount or a surcharge to give. */
export type AdjustmentCall = Worth & Approved

/** One, or several in the order in which they are given. */
export type Adjustments = AdjustmentInput | readonly AdjustmentInput[]

/** A discount or a surcharge on a line, with what it comes to there. */
export interface Applied {
  /** Its number in the sale, from 1 over lines and sale together, never used again. */
  readonly number: number
  /** Which of the two. */
  readonly kind: 'discount' | 'surcharge'
  /** Minor units, where an amount was asked for. */
  readonly amount?: number
  /** Per cent as an exact decimal, where a percentage was asked for. */
  readonly percent?: string
  /** It is the line's share of one on the sale. */
  readonly ofSale: boolean
  /** What it adds to the line's amount: negative for a discount on a sold line. */
  readonly adjusted: number
}

/** What a discount or a surcharge gave to a line. */
export interface Share {
  /** Line number. */
  readonly line: number
  /** Minor units: negative for a discount on a sold line. */
  readonly amount: number
}

const adjustmentNames = new Set(['amount', 'percent', 'reason'])
const callNames = new Set([...adjustmentNames, ...approvedNames])

/** Checks a discount or a surcharge that is given by a call of its own. */
export function adjustmentOf(what: 'discount' | 'surcharge', given: AdjustmentCall) {
  checkNames(what, given, callNames)
  const { why, key } = approvedOf(given)
  return { adjustment: checkedWorth(what, given, why.reason), approval: why.approval, key }
}

/** Checks the discounts and the surcharges that a line or a cart begins with: discounts go first. */
export function adjustmentsOf(
  discount: Adjustments | undefined,
  surcharge: Adjustments | undefined,
): NativeAdjustment[] {
  return [...all('discount', discount), ...all('surcharge', surcharge)]
}

function all(what: 'discount' | 'surcharge', given: Adjustments | undefined): NativeAdjustment[] {
  if (given === undefined) return []
  const items = Array.isArray(given) ? (given as readonly AdjustmentInput[]) : [given]
  return (items as readonly AdjustmentInput[]).map((item) => {
    checkNames(what, item, adjustmentNames)
    return checkedWorth(what, item, text('reason', item.reason))
  })
}

function checkedWorth(what: 'discount' | 'surcharge', worth: Worth, reason: string) {
  const surcharge = what === 'surcharge'
  if ((worth.amount === undefined) === (worth.percent === undefined)) {
    throw wrong(what, worth, 'either "amount" or "percent"')
  }
  return worth.amount === undefined
    ? { surcharge, percent: rate('percent', worth.percent), reason }
    : { surcharge, amount: amount('amount', worth.amount), reason }
}
