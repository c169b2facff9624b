/**
 * The taxes of one amount: its exact ones, and what a line has where tax is rounded by the line or
 * by the unit.
 */
import type { Policy } from './policy.js'
import { divided, type Rational, ratio, times } from './rational.js'
import { round } from './rounding.js'
import { handOut } from './shares.js'

/** One tax on a line. Two of a sale are one tax when all three are the same. */
export interface TaxComponent {
  readonly class: string
  readonly ratePpm: bigint
  /** Inside the price; else on top of it. */
  readonly inclusive: boolean
}

const PPM = 1_000_000n

/** What is the same for two components that are one tax. */
export function taxKey({ class: name, ratePpm, inclusive }: TaxComponent): string {
  return `${name} ${ratePpm} ${inclusive}`
}

/** True for two components that are one tax. */
export function sameTax(a: TaxComponent, b: TaxComponent): boolean {
  return taxKey(a) === taxKey(b)
}

/** What is the same for two lists of components that are one set. */
export function setKey(components: readonly TaxComponent[]): string {
  return components.map(taxKey).join()
}

/** The rates inside the price, together, in parts per million. */
export function inclusivePpm(components: readonly TaxComponent[]): bigint {
  return components.reduce(
    (rates, { inclusive, ratePpm }) => rates + (inclusive ? ratePpm : 0n),
    0n,
  )
}

/** The exact net of an amount with these taxes. */
export function exactNet(amount: Rational, components: readonly TaxComponent[]): Rational {
  return times(amount, ratio(PPM, PPM + inclusivePpm(components)))
}

/** The exact tax of each component of an amount. */
export function exactTaxes(amount: Rational, components: readonly TaxComponent[]): Rational[] {
  const whole = PPM + inclusivePpm(components)
  return components.map(({ ratePpm }) => times(amount, ratio(ratePpm, whole)))
}

/** The part of taxes that is inside the price. */
export function insideOf(components: readonly TaxComponent[], taxes: readonly bigint[]): bigint {
  return taxes.reduce((all, tax, index) => all + (components[index]?.inclusive ? tax : 0n), 0n)
}

/** The part of taxes that is on top of the price. */
export function onTopOf(components: readonly TaxComponent[], taxes: readonly bigint[]): bigint {
  return taxes.reduce((all, tax, index) => all + (components[index]?.inclusive ? 0n : tax), 0n)
}

/**
 * The taxes of an amount, each rounded by itself, of one unit first where the policy says so.
 * Inclusive ones are what a rounded net leaves where the policy says that.
 */
export function lineTaxes(
  { taxScope, taxRounding, grossSplit }: Policy,
  amount: bigint,
  quantity: Rational,
  components: readonly TaxComponent[],
): bigint[] {
  const isPerUnit = taxScope === 'perUnit'
  const base = isPerUnit ? divided(ratio(amount), quantity) : ratio(amount)
  const rounded = (exact: Rational) => {
    const whole = round(exact, taxRounding)
    return isPerUnit ? round(times(ratio(whole), quantity), taxRounding) : whole
  }
  const taxes = exactTaxes(base, components).map(rounded)
  const rates = inclusivePpm(components)
  if (grossSplit === 'taxFirst' || rates === 0n) return taxes
  const left = amount - rounded(exactNet(base, components))
  return withInside(components, taxes, (inside) =>
    handOut(
      left,
      inside.map(({ ratePpm }) => ratio(left * ratePpm, rates)),
    ),
  )
}

/** Taxes with others in the place of the inclusive ones. */
export function withInside(
  components: readonly TaxComponent[],
  taxes: readonly bigint[],
  of: (inside: readonly TaxComponent[]) => readonly bigint[],
): bigint[] {
  const replaced = [...of(components.filter(({ inclusive }) => inclusive))]
  return taxes.map((tax, index) => (components[index]?.inclusive ? (replaced.shift() ?? 0n) : tax))
}
