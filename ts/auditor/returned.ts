/**
 * Parts of sold lines that came back, over a whole journal: no two parts of a line overlap, and what
 * a part says of its line is what the receipt says, where the journal holds that. Guards I12.
 */
import type { FactOf } from './bodies.js'
import { sameTax, type TaxComponent } from './pricing/tax.js'
import type { Decimal } from './values.js'

/** A line that came back with its receipt, in a completed sale. */
export interface ReturnedPart
  extends Pick<FactOf<'LineReturned'>, 'of' | 'sold' | 'quantity' | 'taxes'> {
  readonly currency: string
}

/** A line of a receipt. */
export interface SoldLine {
  readonly quantity: Decimal
  readonly amount: bigint
  readonly components: readonly TaxComponent[]
  /** What each of them came to. */
  readonly taxes: readonly bigint[]
  readonly currency: string
}

/** A part, and where it stands. */
interface Standing<Place> {
  readonly place: Place
  readonly part: ReturnedPart
}

interface Interval {
  readonly from: bigint
  readonly to: bigint
}

/** The parts of a journal, in its order. */
export class ReturnedParts<Place> {
  readonly #standing = new Map<string, Interval[]>()
  readonly #byReceipt = new Map<bigint, Standing<Place>[]>()

  /**
   * Adds a part of a line that was sold at a terminal, which came back with a receipt of this one.
   * What contradicts the parts before it comes out, or that no such receipt had been given. Those of
   * receipts of this journal are kept, to be compared with them.
   */
  add(
    place: Place,
    part: ReturnedPart,
    { terminal, receipt }: { readonly terminal: string; readonly receipt: bigint },
  ): string | undefined {
    const { of } = part
    const line = `${of.terminal} ${of.receipt} ${of.line}`
    const others = this.#standing.get(line) ?? []
    const { from, to } = intervalOf(part)
    this.#standing.set(line, [...others, { from, to }])
    if (of.terminal === terminal) {
      const parts = this.#byReceipt.get(of.receipt) ?? []
      this.#byReceipt.set(of.receipt, [...parts, { place, part }])
    }
    if (of.terminal === terminal && (of.receipt < 1n || of.receipt >= receipt)) {
      return `receipt ${of.receipt} had not been given when a line of it came back`
    }
    const isTaken = others.some((other) => other.from < to && from < other.to)
    return isTaken ? `line ${of.line} of receipt ${of.receipt} comes back twice` : undefined
  }

  /** The receipts of this journal of which parts came back. */
  get receipts(): ReadonlyMap<bigint, unknown> {
    return this.#byReceipt
  }

  /** Holds the parts of a receipt against it; `lineOf` gives its live lines by their numbers. */
  compare(
    receipt: bigint,
    lineOf: (line: number) => SoldLine | undefined,
  ): readonly { readonly place: Place; readonly message: string }[] {
    const parts = this.#byReceipt.get(receipt) ?? []
    return parts.flatMap(({ place, part }) => {
      const message = `line ${part.of.line} of receipt ${receipt} was not sold as it comes back`
      return isAsSold(part, lineOf(part.of.line)) ? [] : [{ place, message }]
    })
  }
}

function isAsSold({ sold, taxes, currency }: ReturnedPart, line: SoldLine | undefined): boolean {
  return (
    line !== undefined &&
    line.currency === currency &&
    line.quantity.mantissa === sold.quantity.mantissa &&
    line.quantity.scale === sold.quantity.scale &&
    line.amount === sold.amount &&
    isSameList(line.taxes, sold.taxes, (a, b) => a === b) &&
    isSameList(line.components, taxes, sameTax)
  )
}

function isSameList<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean): boolean {
  return (
    a.length === b.length &&
    a.every((one, index) => {
      const other = b[index]
      return other !== undefined && same(one, other)
    })
  )
}

/** The part of the sold quantity, in millionths. */
function intervalOf({ sold, quantity }: ReturnedPart): Interval {
  const from = millionths(sold.before)
  return { from, to: from - millionths(quantity) }
}

function millionths({ mantissa, scale }: Decimal): bigint {
  return mantissa * 10n ** BigInt(6 - scale)
}
