/**
 * The arithmetic of a sale, worked out from `docs/reference/pricing.md` and from nothing else: exact
 * fractions of whole numbers, rounded where the page says so and nowhere else.
 *
 * What lives in this folder: `policy.ts` (the rules and their bytes), `line.ts` (an amount, its
 * discounts and surcharges), `tax.ts` and `ledger.ts` (taxes of an amount, of a sale), `returns.ts`,
 * `turnover.ts`, `settlement.ts` (payment), on top of `rational.ts`, `rounding.ts` and `shares.ts`.
 * What must not: a float, a journal, a word of the kernel's own engine. This file holds them
 * together: a sale changes, and a change that cannot be is a contradiction. Guards I1 and I2.
 */

import { Contradiction, hold } from '../contradiction.js'
import type { Decimal } from '../values.js'
import { Ledger, type TaxedLine, type TaxRow } from './ledger.js'
import {
  type Adjustment,
  adjusted,
  effectOf,
  holdAmount,
  type Line,
  type LineKind,
  type NewLine,
  priced,
  withEffect,
  without,
} from './line.js'
import type { Policy } from './policy.js'
import { ratio, ratioOf, signOf, sum } from './rational.js'
import type { GivenBack } from './returns.js'
import { handOut } from './shares.js'
import { insideOf, onTopOf, setKey, type TaxComponent, taxKey } from './tax.js'

/** What the live lines come to before taxes. */
interface Sums {
  readonly lines: bigint
  readonly listed: bigint
  readonly discounts: bigint
  readonly surcharges: bigint
  /** Amounts of the lines of these kinds. */
  readonly deposits: bigint
  readonly tips: bigint
}

/** What the live lines come to. */
export interface Totals extends Sums {
  readonly net: bigint
  readonly tax: bigint
  readonly gross: bigint
}

/** What a line has of a discount or a surcharge on the sale. */
export interface Share {
  /** From 1. */
  readonly line: number
  /** What it adds to the amount. */
  readonly effect: bigint
}

/** A line with its part of the taxes. */
export interface LineSplit {
  /** From 1. */
  readonly line: number
  readonly isReturn: boolean
  readonly components: readonly TaxComponent[]
  readonly net: bigint
  readonly gross: bigint
  readonly taxes: readonly bigint[]
}

/** A part of a sale that came back, with what its line was. */
export interface ReturnedLine extends GivenBack {
  readonly kind: LineKind
  readonly quantity: Decimal
  readonly components: readonly TaxComponent[]
}

const COMPONENTS_MAX = 32

/** A sale. */
export class Cart {
  readonly #policy: Policy
  readonly #lines: Line[] = []
  readonly #ledger: Ledger
  #sums: Sums = { lines: 0n, listed: 0n, discounts: 0n, surcharges: 0n, deposits: 0n, tips: 0n }
  /** How many were ever given. */
  #adjustments = 0

  constructor(policy: Policy) {
    this.#policy = policy
    this.#ledger = new Ledger(policy)
  }

  /** The lines, voided ones too. */
  get lines(): readonly Line[] {
    return this.#lines
  }

  /** Adds a line. */
  addLine(line: NewLine): void {
    holdDifferent(line.components)
    this.#push(priced(this.#policy, line))
  }

  /** Adds what came back with its receipt. */
  addReturn({ kind, quantity, components, amount, taxes }: ReturnedLine): void {
    holdDifferent(components)
    const zero = { mantissa: 0n, scale: 0 }
    this.#push({
      kind,
      quantity,
      unitPrice: zero,
      per: { mantissa: 1n, scale: 0 },
      components,
      listed: amount,
      applied: [],
      amount,
      isLive: true,
      given: taxes,
    })
  }

  /** Voids a line. */
  voidLine(number: number): void {
    this.#replace(number, (line) => ({ ...line, isLive: false }))
  }

  /** Gives a line another quantity. */
  setQuantity(number: number, quantity: Decimal): void {
    this.#reprice(number, { quantity })
  }

  /** Gives a line another price. */
  setPrice(number: number, unitPrice: Decimal, per: Decimal): void {
    this.#reprice(number, { unitPrice, per })
  }

  /** Gives a line other taxes. */
  setTaxes(number: number, components: readonly TaxComponent[]): void {
    holdDifferent(components)
    this.#replace(number, (line) => {
      hold(line.given === undefined, 'I1', 'what came back with its receipt stays as it is')
      return { ...line, components }
    })
  }

  /** A discount or a surcharge on a line; its number comes out. */
  adjustLine(number: number, adjustment: Adjustment): number {
    this.#replace(number, (line) => {
      hold(line.given === undefined, 'I1', 'what came back with its receipt stays as it is')
      return adjusted(this.#policy, line, adjustment, this.#adjustments + 1)
    })
    this.#adjustments += 1
    return this.#adjustments
  }

  /** A discount or a surcharge on the sale; its number and the shares of its lines come out. */
  adjustSale(adjustment: Adjustment): { number: number; shares: readonly Share[] } {
    const items = this.#lines.flatMap((line, index) =>
      line.isLive && line.kind === 'item' && line.amount !== 0n && line.given === undefined
        ? [{ line, number: index + 1 }]
        : [],
    )
    const sold = items.filter(({ line }) => line.amount > 0n)
    const sharing = sold.length > 0 ? sold : items
    hold(sharing.length > 0, 'I1', 'there is nothing to adjust')
    const whole = sum(sharing.map(({ line }) => line.amount))
    const effect = effectOf(this.#policy, adjustment, whole, signOf(whole))
    const exact = sharing.map(({ line }) => ratio(effect * line.amount, whole))
    const number = this.#adjustments + 1
    const shares = handOut(effect, exact).map((share, index) => ({
      line: sharing[index]?.number ?? 0,
      effect: share,
    }))
    for (const { line: at, effect: share } of shares) {
      this.#replace(at, (line) => withEffect(line, { ...adjustment, number, effect: share }))
    }
    this.#adjustments = number
    return { number, shares }
  }

  /** Takes a discount or a surcharge back; what it had added to the live lines comes out. */
  retract(number: number): bigint {
    const having = this.#lines.flatMap((line, index) => {
      const one = line.isLive
        ? line.applied.find((applied) => applied.number === number)
        : undefined
      return one === undefined ? [] : [{ at: index + 1, effect: one.effect }]
    })
    hold(having.length > 0, 'I1', `there is no discount or surcharge ${number}`)
    for (const { at } of having) this.#replace(at, (line) => without(this.#policy, line, number))
    return sum(having.map(({ effect }) => effect))
  }

  /** What the live lines come to. */
  totals(): Totals {
    const { net, tax } = this.#ledger.totals()
    return { ...this.#sums, net, tax, gross: net + tax }
  }

  /** The tax table. */
  rows(): readonly TaxRow[] {
    return this.#ledger.rows()
  }

  /** The net of the lines without tax. */
  untaxed(): bigint {
    return this.#ledger.untaxed()
  }

  /** Each live line with its part of the taxes. */
  splits(): readonly LineSplit[] {
    const live = this.#live()
    const split = this.#ledger.split(live.map(({ line }) => taxed(line)))
    return live.map(({ line, number }, index) => {
      const { amount, components, quantity } = line
      const taxes = split[index] ?? []
      return {
        line: number,
        isReturn: quantity.mantissa < 0n,
        components,
        net: amount - insideOf(components, taxes),
        gross: amount + onTopOf(components, taxes),
        taxes,
      }
    })
  }

  #live(): { line: Line; number: number }[] {
    return this.#lines.flatMap((line, index) => (line.isLive ? [{ line, number: index + 1 }] : []))
  }

  #push(line: Line): void {
    if (!this.#policy.mixedReturns) {
      const other = this.#lines.find(({ isLive }) => isLive)
      const isMixed = other !== undefined && !isSameSide(other, line)
      hold(!isMixed, 'I1', 'what is sold and what comes back is mixed')
    }
    this.#lines.push(line)
    this.#count(line, 1n)
    this.#holdRange()
  }

  #reprice(number: number, change: Partial<NewLine>): void {
    this.#replace(number, (line) => {
      hold(line.given === undefined, 'I1', 'what came back with its receipt stays as it is')
      const changed = { ...line, ...change }
      hold(isSameSide(line, changed), 'I1', `line ${number} turns from one side to the other`)
      return priced(this.#policy, changed, line.applied)
    })
  }

  #replace(number: number, change: (line: Line) => Line): void {
    const line = this.#lines[number - 1]
    if (line === undefined) throw new Contradiction(`there is no line ${number}`, 'I11')
    hold(line.isLive, 'I11', `line ${number} was voided before`)
    const changed = change(line)
    this.#count(line, -1n)
    if (changed.isLive) this.#count(changed, 1n)
    this.#lines[number - 1] = changed
    this.#holdRange()
  }

  #count(line: Line, times: 1n | -1n): void {
    const of = (kind: LineKind) => (line.kind === kind ? line.amount : 0n)
    const effects = (direction: Adjustment['direction']) =>
      sum(line.applied.map((one) => (one.direction === direction ? one.effect : 0n)))
    const before = this.#sums
    this.#sums = {
      lines: before.lines + times,
      listed: before.listed + times * line.listed,
      discounts: before.discounts - times * effects('discount'),
      surcharges: before.surcharges + times * effects('surcharge'),
      deposits: before.deposits + times * of('deposit'),
      tips: before.tips + times * of('tip'),
    }
    this.#ledger.count(taxed(line), times)
  }

  #holdRange(): void {
    for (const amount of Object.values(this.totals())) holdAmount(amount)
  }
}

function taxed({ amount, quantity, components, given }: Line): TaxedLine {
  return { amount, quantity: ratioOf(quantity), components, given }
}

function holdDifferent(components: readonly TaxComponent[]): void {
  const { length } = components
  hold(length <= COMPONENTS_MAX, 'I1', `${length} taxes on a line`)
  const isDifferent = new Set(components.map(taxKey)).size === components.length
  hold(isDifferent, 'I1', `a tax stands twice on a line: ${setKey(components)}`)
}

/** Both are sold, or both come back. */
function isSameSide(a: Pick<Line, 'quantity'>, b: Pick<Line, 'quantity'>): boolean {
  return signOf(a.quantity.mantissa) === signOf(b.quantity.mantissa)
}
