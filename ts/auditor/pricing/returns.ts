/**
 * Lines that come back with their receipt: by difference, so that the parts add up to what was
 * sold, however they were cut. Guards I12.
 */

import { hold } from '../contradiction.js'
import type { Decimal } from '../values.js'
import { compared, divided, plus, type Rational, ratio, ratioOf, times } from './rational.js'
import { round } from './rounding.js'

/** What a sold line came to. */
export interface Sold {
  readonly quantity: Decimal
  readonly amount: bigint
  /** Of each component. */
  readonly taxes: readonly bigint[]
}

/** What a part of it comes to, and so less than zero where the sale was more. */
export interface GivenBack {
  readonly amount: bigint
  readonly taxes: readonly bigint[]
}

/** The part of a quantity that comes back after another did. */
export function giveBack(sold: Sold, before: Rational, quantity: Rational): GivenBack {
  const after = plus(before, quantity)
  hold(quantity.over > 0n, 'I12', 'a quantity of zero comes back')
  hold(compared(after, ratioOf(sold.quantity)) <= 0, 'I12', 'more comes back than was sold')
  const [first, last] = [running(sold, before), running(sold, after)]
  return {
    amount: first.amount - last.amount,
    taxes: first.taxes.map((tax, index) => tax - (last.taxes[index] ?? 0n)),
  }
}

/** What has come back once so much of the quantity has. */
function running({ quantity, amount, taxes }: Sold, back: Rational): GivenBack {
  const part = divided(back, ratioOf(quantity))
  const running = round(times(ratio(amount), part), 'halfUp')
  const of = (tax: bigint) => (amount === 0n ? 0n : round(ratio(tax * running, amount), 'halfUp'))
  return { amount: running, taxes: taxes.map(of) }
}
