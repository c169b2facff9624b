/**
 * Money at the edge: amounts are safe integers of minor units, quantities and unit prices safe
 * integers or decimal strings. A number with a fraction is refused, since it is not what its digits
 * say (0.1 is not a tenth); the kernel then calculates without any float.
 */
import { posError } from './errors.js'
import { shown, wrong } from './input.js'

/**
 * An exact decimal: a safe integer, or a string such as `"0.250"` with at most six decimal places.
 */
export type Decimal = number | string

/** Checks an amount of minor units. */
export function amount(what: string, value: unknown): number {
  if (typeof value !== 'number') throw wrong(what, value, 'a safe integer of minor units')
  if (Number.isSafeInteger(value)) return value
  if (Number.isInteger(value)) {
    const limit = Number.MAX_SAFE_INTEGER
    const message = `${what} ${value} is outside +-${limit} minor units`
    throw posError('PK_E_OVERFLOW', message, { what, value, limit })
  }
  const message = `${what} ${value} is not a whole number of minor units; 12.34 is 1234`
  throw posError('PK_E_BAD_AMOUNT', message, { what, value: String(value) })
}

/** Checks the type of a quantity; a string's digits are the kernel's to read. */
export function quantity(value: unknown): Decimal {
  return decimal('quantity', 'PK_E_BAD_QUANTITY', value)
}

/** Checks the type of a unit price; a string's digits are the kernel's to read. */
export function unitPrice(value: unknown): Decimal {
  return decimal('unitPrice', 'PK_E_BAD_PRICE', value)
}

/** Checks the type of the units that a price is for. */
export function perQuantity(value: unknown): Decimal {
  return decimal('perQuantity', 'PK_E_BAD_QUANTITY', value)
}

/** Checks the type of a tax rate, a percentage or an exchange rate. */
export function rate(what: string, value: unknown): Decimal {
  return decimal(what, 'PK_E_BAD_RATE', value)
}

function decimal(
  what: string,
  code: 'PK_E_BAD_QUANTITY' | 'PK_E_BAD_PRICE' | 'PK_E_BAD_RATE',
  value: unknown,
): Decimal {
  if (typeof value === 'string' || Number.isSafeInteger(value)) return value as Decimal
  if (typeof value !== 'number') throw wrong(what, value, 'an integer or a decimal string')
  const message = `${what} ${shown(value)} is not a safe integer; give parts as a string: "0.250"`
  throw posError(code, message, { what, value: String(value) })
}
