/** Handing out a whole number in parts, by largest remainder: the parts always add up. */
import { hold } from '../contradiction.js'
import { compared, floor, negated, plus, type Rational, ratio, sum } from './rational.js'

/** Parts of a whole number, each within one of its exact share. */
export function handOut(whole: bigint, exact: readonly Rational[]): bigint[] {
  const first = exact.find(({ over }) => over !== 0n)
  const isTurned = whole < 0n || (whole === 0n && first !== undefined && first.over < 0n)
  if (isTurned) return handOut(-whole, exact.map(negated)).map((part) => -part)
  const parts = exact.map(floor)
  const remainders = exact.map((share, index) => plus(share, ratio(-(parts[index] ?? 0n))))
  const missing = whole - sum(parts)
  hold(
    missing >= 0n && missing <= BigInt(parts.length),
    'I2',
    `${whole} cannot be handed out in ${parts.length} parts`,
  )
  const byRemainder = remainders
    .map((remainder, index) => ({ remainder, index }))
    .sort((a, b) => compared(b.remainder, a.remainder) || a.index - b.index)
  for (const { index } of byRemainder.slice(0, Number(missing))) {
    parts[index] = (parts[index] ?? 0n) + 1n
  }
  return parts
}
