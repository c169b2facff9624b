/**
 * JSON values that crossed the border. The binding makes a bigint of every integer beyond 32 bits;
 * here each becomes a number again where that is exact, and else its digits as a string, so that
 * what comes out can always be printed as JSON.
 */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value.toString()
  }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]))
}
