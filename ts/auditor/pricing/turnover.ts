/** What was sold and what came back in one sale, each side by itself. */
import type { LineSplit } from './cart.js'
import { sum } from './rational.js'
import { type TaxComponent, taxKey } from './tax.js'

/** One side. */
export interface Side {
  readonly net: bigint
  readonly tax: bigint
}

/** Both sides of one tax. */
export interface TurnoverRow {
  readonly component: TaxComponent
  readonly sold: Side
  readonly returned: Side
}

/** Both sides of a sale. */
export interface Turnover {
  readonly sold: Side
  readonly returned: Side
  readonly rows: readonly TurnoverRow[]
}

/** Adds up the parts of the lines; a line with a negative quantity came back. */
export function turnoverOf(splits: readonly LineSplit[]): Turnover {
  const rows = new Map<string, TurnoverRow>()
  const blank = { net: 0n, tax: 0n }
  for (const { components, isReturn, net, taxes } of splits) {
    for (const [index, component] of components.entries()) {
      const key = taxKey(component)
      const row = rows.get(key) ?? { component, sold: blank, returned: blank }
      const part = { net, tax: taxes[index] ?? 0n }
      rows.set(
        key,
        isReturn
          ? { ...row, returned: together(row.returned, part) }
          : { ...row, sold: together(row.sold, part) },
      )
    }
  }
  const side = (isReturn: boolean): Side =>
    splits
      .filter((split) => split.isReturn === isReturn)
      .map(({ net, taxes }) => ({ net, tax: sum(taxes) }))
      .reduce(together, blank)
  return { sold: side(false), returned: side(true), rows: [...rows.values()] }
}

function together(a: Side, b: Side): Side {
  return { net: a.net + b.net, tax: a.tax + b.tax }
}
