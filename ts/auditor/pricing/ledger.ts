/**
 * The taxes of a sale. A *set* is what all lines with the same list of components have in common;
 * sums are kept for each set, so a further line costs no walk over the others. Guards I2.
 */
import { hold } from '../contradiction.js'
import type { Policy } from './policy.js'
import { plus, type Rational, ratio, sum } from './rational.js'
import { round } from './rounding.js'
import { handOut } from './shares.js'
import {
  exactNet,
  exactTaxes,
  insideOf,
  lineTaxes,
  setKey,
  type TaxComponent,
  taxKey,
  withInside,
} from './tax.js'

/** A row of the tax table. */
export interface TaxRow {
  readonly component: TaxComponent
  /** The net of the lines that have the tax. */
  readonly net: bigint
  readonly tax: bigint
}

/** A line, as far as taxes see it. */
export interface TaxedLine {
  readonly amount: bigint
  readonly quantity: Rational
  readonly components: readonly TaxComponent[]
  /** The taxes themselves, of a line that came back with its receipt: no rate is applied to it. */
  readonly given?: readonly bigint[] | undefined
}

/** What lines with the same list of components come to. */
interface TaxSet {
  readonly components: readonly TaxComponent[]
  /** The amounts of those to which rates are applied. */
  amount: bigint
  /** The taxes of those that have taxes of their own, by the line, by the unit, or given. */
  readonly own: bigint[]
  /** The amounts of those whose taxes are given. */
  given: bigint
  lines: bigint
}

/** A set with the tax of each of its components. */
interface Worked {
  readonly set: TaxSet
  /** Of the lines to which rates are applied, where tax is by the rate. */
  readonly shared: readonly bigint[]
}

const SETS_MAX = 64
const TAXES_MAX = 64

/** The taxes of a sale. */
export class Ledger {
  readonly #policy: Policy
  /** In the order in which the sale first had them. */
  readonly #sets = new Map<string, TaxSet>()
  /** The different taxes, in the order in which the sale first had them. */
  readonly #taxes = new Map<string, TaxComponent>()

  constructor(policy: Policy) {
    this.#policy = policy
  }

  /** A line comes, once, or goes, minus once. */
  count(line: TaxedLine, times: 1n | -1n): void {
    const { components, amount } = line
    const key = setKey(components)
    const set = this.#sets.get(key) ?? {
      components,
      amount: 0n,
      own: components.map(() => 0n),
      given: 0n,
      lines: 0n,
    }
    this.#sets.set(key, set)
    hold(this.#sets.size <= SETS_MAX, 'I2', `${this.#sets.size} lists of taxes in a sale`)
    for (const component of components) {
      const tax = taxKey(component)
      if (!this.#taxes.has(tax)) this.#taxes.set(tax, component)
    }
    hold(this.#taxes.size <= TAXES_MAX, 'I2', `${this.#taxes.size} taxes in a sale`)
    set.lines += times
    if (line.given === undefined) set.amount += times * amount
    else set.given += times * amount
    for (const [index, tax] of (this.#own(line) ?? []).entries()) {
      set.own[index] = (set.own[index] ?? 0n) + times * tax
    }
  }

  /** The tax table. */
  rows(): TaxRow[] {
    const worked = this.#work()
    const rows: TaxRow[] = []
    for (const component of this.#taxes.values()) {
      const having = worked.filter(({ set }) => indexOf(set, component) >= 0)
      if (having.length === 0) continue
      rows.push({
        component,
        net: sum(having.map(netOf)),
        tax: sum(having.map((one) => taxesOf(one)[indexOf(one.set, component)] ?? 0n)),
      })
    }
    return rows
  }

  /** The net of the lines without tax. */
  untaxed(): bigint {
    return sum(this.#live().flatMap((set) => (set.components.length === 0 ? [amountOf(set)] : [])))
  }

  /** Net and tax of all lines. */
  totals(): { net: bigint; tax: bigint } {
    const worked = this.#work()
    return { net: sum(worked.map(netOf)), tax: sum(worked.map((one) => sum(taxesOf(one)))) }
  }

  /** The taxes of each of the lines, which are all that the sale has: they add up to the rows. */
  split(lines: readonly TaxedLine[]): (readonly bigint[])[] {
    const taxes = lines.map((line) => this.#own(line) ?? [])
    const sharing = new Map<TaxSet | undefined, number[]>()
    for (const [index, line] of lines.entries()) {
      if (this.#own(line) !== undefined) continue
      const set = this.#sets.get(setKey(line.components))
      const indexes = sharing.get(set)
      if (indexes === undefined) sharing.set(set, [index])
      else indexes.push(index)
    }
    for (const { set, shared } of this.#work()) {
      const indexes = sharing.get(set) ?? []
      const exact = indexes.map((index) =>
        exactTaxes(ratio(lines[index]?.amount ?? 0n), set.components),
      )
      const parts = shared.map((tax, component) =>
        handOut(
          tax,
          exact.map((ofLine) => ofLine[component] ?? ratio(0n)),
        ),
      )
      for (const [at, index] of indexes.entries())
        taxes[index] = parts.map((part) => part[at] ?? 0n)
    }
    return taxes
  }

  /** The taxes of a line that shares none with others. */
  #own({ amount, quantity, components, given }: TaxedLine): readonly bigint[] | undefined {
    if (given !== undefined) return given
    if (this.#policy.taxScope === 'perRate') return undefined
    return lineTaxes(this.#policy, amount, quantity, components)
  }

  #live(): TaxSet[] {
    return [...this.#sets.values()].filter(({ lines }) => lines > 0n)
  }

  /** The taxes of every set, from the sums of its lines. */
  #work(): Worked[] {
    const sets = this.#live()
    if (this.#policy.taxScope !== 'perRate') return sets.map((set) => ({ set, shared: [] }))
    const shared = sets.map(({ components }) => components.map(() => 0n))
    for (const component of this.#taxes.values()) {
      const having = sets.flatMap((set, at) => {
        const index = indexOf(set, component)
        return index < 0 ? [] : [{ at, index, exact: exactOf(set, index) }]
      })
      const exact = having.map((one) => one.exact)
      const row = round(exact.reduce(plus, ratio(0n)), this.#policy.taxRounding)
      for (const [order, part] of handOut(row, exact).entries()) {
        const place = having[order]
        const taxes = place && shared[place.at]
        if (taxes !== undefined) taxes[place?.index ?? 0] = part
      }
    }
    return sets.map((set, at) => ({ set, shared: this.#netFirst(set, shared[at] ?? []) }))
  }

  /** Inclusive taxes as what the rounded net of a set leaves, where the policy says so. */
  #netFirst(set: TaxSet, taxes: readonly bigint[]): readonly bigint[] {
    const { components, amount } = set
    const hasInside = components.some(({ inclusive }) => inclusive)
    if (this.#policy.grossSplit === 'taxFirst' || !hasInside) return taxes
    const net = round(exactNet(ratio(amount), components), this.#policy.taxRounding)
    const exact = exactTaxes(ratio(amount), components)
    return withInside(components, taxes, () =>
      handOut(
        amount - net,
        exact.filter((_, index) => components[index]?.inclusive),
      ),
    )
  }
}

function indexOf({ components }: TaxSet, component: TaxComponent): number {
  const key = taxKey(component)
  return components.findIndex((other) => taxKey(other) === key)
}

function exactOf({ amount, components }: TaxSet, index: number): Rational {
  return exactTaxes(ratio(amount), components)[index] ?? ratio(0n)
}

function amountOf({ amount, given }: TaxSet): bigint {
  return amount + given
}

function taxesOf({ set, shared }: Worked): bigint[] {
  return set.own.map((tax, index) => tax + (shared[index] ?? 0n))
}

function netOf(worked: Worked): bigint {
  return amountOf(worked.set) - insideOf(worked.set.components, taxesOf(worked))
}
