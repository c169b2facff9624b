/** The one place where an amount is rounded. */
import type { Decimal } from './bodies.js'

/** Quantity × unit price in whole minor units, to the nearest, half away from zero. */
export function amountOf(quantity: Decimal, unitPrice: Decimal): bigint {
  const product = quantity.mantissa * unitPrice.mantissa
  const unit = 10n ** BigInt(quantity.scale + unitPrice.scale)
  const size = product < 0n ? -product : product
  // The remainder is compared doubled: a half is then exact for every unit, 1 included.
  const whole = size / unit + ((size % unit) * 2n >= unit ? 1n : 0n)
  return product < 0n ? -whole : whole
}
