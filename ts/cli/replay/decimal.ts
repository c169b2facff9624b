/**
 * Exact decimals, for amounts that arrive as text. No number of floating point is ever made of one.
 */

/** `mantissa / 10^scale`, without trailing zeros behind the point. */
export interface Decimal {
  readonly mantissa: bigint
  readonly scale: number
}

/** Digits behind the point that the kernel takes in a quantity or a unit price. */
export const SCALE_MAX = 6

/** Digits of a number that is read at all; more can only be damage, and would cost time. */
const DIGITS_MAX = 40

/** Reads `-12.340`: an optional sign, digits, optionally a point and digits. */
export function parseDecimal(text: string): Decimal | undefined {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (found === null || text.length > DIGITS_MAX) return undefined
  const [, sign, whole = '', fraction = ''] = found
  const significant = fraction.replace(/0+$/, '')
  const magnitude = BigInt(whole + significant)
  return { mantissa: sign === '-' ? -magnitude : magnitude, scale: significant.length }
}

/** The same value in a unit that is `10^places` times smaller: pounds to pence with 2. */
export function inSmallerUnit({ mantissa, scale }: Decimal, places: number): Decimal {
  return scale >= places
    ? { mantissa, scale: scale - places }
    : { mantissa: mantissa * 10n ** BigInt(places - scale), scale: 0 }
}

/** The value with the other sign. */
export function negated({ mantissa, scale }: Decimal): Decimal {
  return { mantissa: -mantissa, scale }
}

/** A product, rounded to a whole number; a half goes away from zero, as the kernel's lines do. */
export function multiply(a: Decimal, b: Decimal): bigint {
  const product = a.mantissa * b.mantissa
  const divisor = 10n ** BigInt(a.scale + b.scale)
  const magnitude = ((product < 0n ? -product : product) * 2n + divisor) / (divisor * 2n)
  return product < 0n ? -magnitude : magnitude
}

/** The text that the kernel reads. */
export function decimalText({ mantissa, scale }: Decimal): string {
  const sign = mantissa < 0n ? '-' : ''
  const digits = (mantissa < 0n ? -mantissa : mantissa).toString().padStart(scale + 1, '0')
  const point = scale > 0 ? '.' : ''
  return sign + digits.slice(0, digits.length - scale) + point + digits.slice(digits.length - scale)
}
