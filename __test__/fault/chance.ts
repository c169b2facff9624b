/**
 * Random choices that can be made again: one number, printed by every test that uses it, gives the
 * whole run. `POS_KERNEL_SEED` sets it.
 */

/** A source of random choices. */
export interface Chance {
  readonly seed: number
  /** At least 0, less than 1. */
  next(): number
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number
  /** True this often, 0 to 1. */
  happens(share: number): boolean
  /** One of the values. */
  pick<T>(values: readonly [T, ...T[]]): T
}

/** How long the loops of the fault tests are: `long` for the real thing, else a smoke test. */
export const isLong = process.env.POS_KERNEL_FAULT === 'long'

/** A new source, seeded from the environment, else by `usual`, else from the clock. */
export function chance(usual?: number): Chance {
  const seed = Number(process.env.POS_KERNEL_SEED ?? usual ?? Date.now() % 2 ** 31) >>> 0
  let state = seed
  // mulberry32: small, and good enough to choose moments.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    seed,
    next,
    between,
    happens: (share) => next() < share,
    pick: (values) => values[between(0, values.length - 1)] ?? values[0],
  }
}
