/** Taxes: what a host says of a line's taxes, and what comes of them. Rates are per cent. */
import type { NativeTax } from '../native.js'
import { checkNames, list, optionalFlag, optionalText } from './input.js'
import { type Decimal, rate } from './money.js'

/** A tax of a line to add. */
export interface TaxInput {
  /** Per cent of the net amount, 0 to 1,000 with at most four places: `19`, `"8.25"`. */
  readonly rate: Decimal
  /** Class, for people and for exports: up to 12 visible ASCII characters; none when left out. */
  readonly class?: string | undefined
  /** The price contains it; what the policy says of all prices when left out. */
  readonly inclusive?: boolean | undefined
}

/** A tax. Two are the same when all three values are. */
export interface Tax {
  /** Per cent, as an exact decimal. */
  readonly rate: string
  /** Class; empty when none was given. */
  readonly class: string
  /** The price contains it. */
  readonly inclusive: boolean
}

/** A tax of a line. */
export interface LineTax extends Tax {
  /** What it comes to, in minor units; absent on a voided line. */
  readonly tax?: number
}

/** A row of a tax table, in minor units. A line with several taxes stands in the row of each. */
export interface TaxRow extends Tax {
  /** Net of the lines that have it. */
  readonly net: number
  /** Tax. */
  readonly tax: number
  /** Net and this tax. */
  readonly gross: number
}

/** Perpetual totals of a tax, in minor units. They never fall; what is returned is counted upwards. */
export interface TaxTotals extends Tax {
  /** Net of what was sold with it. */
  readonly soldNet: number
  /** Tax on that. */
  readonly soldTax: number
  /** Net of what was returned with it. */
  readonly returnedNet: number
  /** Tax on that. */
  readonly returnedTax: number
}

const taxNames = new Set(['rate', 'class', 'inclusive'])

/** Checks the taxes of a line. */
export function taxesOf(taxes: readonly TaxInput[]): NativeTax[] {
  for (const tax of list('taxes', taxes) as readonly TaxInput[]) {
    checkNames('tax', tax, taxNames)
    rate('rate', tax.rate)
    optionalText('class', tax.class)
    optionalFlag('inclusive', tax.inclusive)
  }
  return taxes as NativeTax[]
}
