/** The places where an exact number becomes a whole one. All rules work on magnitudes. */
import type { CashRounding, Rounding } from './policy.js'
import { type Rational, ratio } from './rational.js'

/** The whole number that a rule makes of an exact one. */
export function round({ over, under }: Rational, rule: Rounding | CashRounding): bigint {
  const size = over < 0n ? -over : over
  const below = size / under
  const rest = size % under
  const whole = isUp(rule, 2n * rest - under, rest, below) ? below + 1n : below
  return over < 0n ? -whole : whole
}

/** The multiple of a step that a rule makes of an amount. */
export function roundToStep(amount: bigint, step: bigint, rule: CashRounding): bigint {
  return step * round(ratio(amount, step), rule)
}

/** `past` is how far the rest lies past the middle; negative before it. */
function isUp(rule: Rounding | CashRounding, past: bigint, rest: bigint, below: bigint): boolean {
  switch (rule) {
    case 'halfUp':
      return past >= 0n
    case 'halfDown':
      return past > 0n
    case 'halfEven':
      return past > 0n || (past === 0n && below % 2n === 1n)
    case 'up':
      return rest > 0n
    case 'down':
      return false
  }
}
