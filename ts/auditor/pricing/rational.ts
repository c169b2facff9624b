/** Exact fractions. Nothing here rounds. */
import type { Decimal } from '../values.js'

/** A fraction of whole numbers; the denominator is positive. */
export interface Rational {
  readonly over: bigint
  readonly under: bigint
}

/** `over / under`. */
export function ratio(over: bigint, under = 1n): Rational {
  return under < 0n ? { over: -over, under: -under } : { over, under }
}

/** The value of a decimal. */
export function ratioOf({ mantissa, scale }: Decimal): Rational {
  return ratio(mantissa, 10n ** BigInt(scale))
}

/** `a + b`. */
export function plus(a: Rational, b: Rational): Rational {
  if (a.under === b.under) return ratio(a.over + b.over, a.under)
  return ratio(a.over * b.under + b.over * a.under, a.under * b.under)
}

/** `a × b`. */
export function times(a: Rational, b: Rational): Rational {
  return ratio(a.over * b.over, a.under * b.under)
}

/** `a ÷ b`, for a `b` that is not zero. */
export function divided(a: Rational, b: Rational): Rational {
  return ratio(a.over * b.under, a.under * b.over)
}

/** `−a`. */
export function negated({ over, under }: Rational): Rational {
  return { over: -over, under }
}

/** Less than zero when `a < b`, zero when they are equal, else more. */
export function compared(a: Rational, b: Rational): number {
  const difference = a.over * b.under - b.over * a.under
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** The greatest whole number that is not greater. */
export function floor({ over, under }: Rational): bigint {
  const whole = over / under
  return over % under < 0n ? whole - 1n : whole
}

/** The sum of whole numbers. */
export function sum(numbers: readonly bigint[]): bigint {
  return numbers.reduce((total, number) => total + number, 0n)
}

/** −1, 0 or 1. */
export function signOf(number: bigint): bigint {
  return number < 0n ? -1n : number > 0n ? 1n : 0n
}
