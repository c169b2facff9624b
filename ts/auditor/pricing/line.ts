/** One line: from quantity and price over discounts and surcharges to its amount. Guards I1. */

import { hold } from '../contradiction.js'
import type { Decimal } from '../values.js'
import type { Policy } from './policy.js'
import { divided, ratio, ratioOf, signOf, times } from './rational.js'
import { round } from './rounding.js'
import type { TaxComponent } from './tax.js'

/** What a line is for. */
export type LineKind = 'item' | 'deposit' | 'surcharge' | 'tip'

/** Less or more, by an amount or by parts per million. */
export interface Adjustment {
  readonly direction: 'discount' | 'surcharge'
  readonly amount?: bigint | undefined
  readonly ppm?: bigint | undefined
}

/** An adjustment as it stands on a line. */
export interface Applied extends Adjustment {
  /** Counted over the sale; the shares of one that was given on the sale have the same. */
  readonly number: number
  /** What it adds to the amount of the line. */
  readonly effect: bigint
}

/** A line. */
export interface Line {
  readonly kind: LineKind
  readonly quantity: Decimal
  readonly unitPrice: Decimal
  /** The price is for so many units. */
  readonly per: Decimal
  readonly components: readonly TaxComponent[]
  /** Quantity × price. */
  readonly listed: bigint
  /** In the order in which they were given. */
  readonly applied: readonly Applied[]
  readonly amount: bigint
  readonly isLive: boolean
  /** The taxes of a line that came back with its receipt. */
  readonly given?: readonly bigint[]
}

/** What a line is before anything is worked out. */
export type NewLine = Pick<Line, 'kind' | 'quantity' | 'unitPrice' | 'per' | 'components'>

const PPM = 1_000_000n
const SURCHARGE_PPM_MAX = 10n * PPM
const APPLIED_MAX = 32
const AMOUNT_MAX = 2n ** 53n - 1n

/** Amounts and unit prices of a line, worked out. */
export function priced(policy: Policy, line: NewLine, applied: readonly Applied[] = []): Line {
  const { quantity, unitPrice, per, components } = line
  hold(quantity.mantissa !== 0n, 'I1', 'a quantity of zero')
  hold(unitPrice.mantissa >= 0n, 'I1', 'a negative price')
  hold(per.mantissa > 0n, 'I1', 'a price for no unit')
  const exact = divided(times(ratioOf(quantity), ratioOf(unitPrice)), ratioOf(per))
  const listed = round(exact, policy.amountRounding)
  holdAmount(listed)
  const { kind } = line
  const blank = { kind, quantity, unitPrice, per, components, listed, isLive: true }
  return applied.reduce<Line>((before, one) => again(policy, before, one), {
    ...blank,
    applied: [],
    amount: listed,
  })
}

/** The line with one more adjustment on it. */
export function adjusted(policy: Policy, line: Line, adjustment: Adjustment, number: number): Line {
  const effect = effectOf(policy, adjustment, line.amount, signOf(line.quantity.mantissa))
  return withEffect(line, { ...adjustment, number, effect })
}

/** The line with an adjustment whose effect is known. */
export function withEffect(line: Line, one: Applied): Line {
  const applied = [...line.applied, one]
  hold(applied.length <= APPLIED_MAX, 'I1', `${applied.length} discounts and surcharges on a line`)
  const amount = line.amount + one.effect
  holdAmount(amount)
  return { ...line, applied, amount }
}

/** The line without one of its adjustments; those that were given after it stand on another amount. */
export function without(policy: Policy, line: Line, number: number): Line {
  const at = line.applied.findIndex((one) => one.number === number)
  const before = line.applied
    .slice(0, at)
    .reduce(withEffect, { ...line, applied: [], amount: line.listed })
  return line.applied.slice(at + 1).reduce((so, one) => again(policy, so, one), before)
}

/** The line with an adjustment that it had before: a percentage follows, an amount stays. */
function again(policy: Policy, line: Line, one: Applied): Line {
  if (one.ppm !== undefined) return adjusted(policy, line, one, one.number)
  holdEnough(one.direction, one.effect, line.amount)
  return withEffect(line, one)
}

/**
 * What an adjustment adds to an amount. On an amount that comes back all signs are turned; a
 * discount never takes more than there is.
 */
export function effectOf(
  policy: Policy,
  { direction, amount, ppm }: Adjustment,
  base: bigint,
  sign: bigint,
): bigint {
  if (ppm !== undefined) {
    const max = direction === 'discount' ? PPM : SURCHARGE_PPM_MAX
    hold(ppm > 0n && ppm <= max, 'I1', `a ${direction} of ${ppm} parts per million`)
  }
  hold(amount === undefined || amount > 0n, 'I1', `a ${direction} of ${amount}`)
  const size = ppm === undefined ? sign * (amount ?? 0n) : percentOf(policy, base, ppm)
  const effect = direction === 'discount' ? -size : size
  holdEnough(direction, effect, base)
  return effect
}

/** Holds an amount to be one that there can be. */
export function holdAmount(amount: bigint): void {
  hold(magnitude(amount) <= AMOUNT_MAX, 'I1', `${amount} is more than an amount may be`)
}

function holdEnough(direction: Adjustment['direction'], effect: bigint, base: bigint): void {
  const isEnough = direction === 'surcharge' || magnitude(effect) <= magnitude(base)
  hold(isEnough, 'I1', `a discount of ${effect} on ${base}`)
}

function percentOf({ amountRounding }: Policy, base: bigint, ppm: bigint): bigint {
  return round(ratio(base * ppm, PPM), amountRounding)
}

function magnitude(amount: bigint): bigint {
  return amount < 0n ? -amount : amount
}
