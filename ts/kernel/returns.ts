/** Returns with a receipt: what comes back, of which receipt, and why. */
import type { NativeReturn } from '../native.js'
import {
  type Approved,
  approvedNames,
  approvedOf,
  checkNames,
  type Keyed,
  numberOf,
  optionalText,
} from './input.js'
import { type Decimal, quantity } from './money.js'

/** A receipt of the store. */
export interface ReturnsOf {
  /** Terminal id. */
  readonly terminal: string
  /** Receipt number on that terminal. */
  readonly receiptNumber: number
}

/** What a sale begins with that takes lines of a receipt back. */
export interface BeginReturnInput extends Keyed {
  /** Terminal of the receipt; this one when left out. */
  readonly terminal?: string | undefined
  /** Receipt number on that terminal. */
  readonly receiptNumber: number
}

/** A part of a sold line that comes back. */
export interface ReturnInput extends Approved {
  /** Number of the line on its receipt. */
  readonly of: number
  /** How much of it comes back, more than zero: an integer or a decimal string. */
  readonly quantity: Decimal
  /** The receipt, where it is not the one that the sale was begun for. */
  readonly receiptNumber?: number | undefined
  /** Terminal of that receipt; this one when left out. */
  readonly terminal?: string | undefined
}

const beginNames = new Set(['terminal', 'receiptNumber', 'key'])
const returnNames = new Set([...approvedNames, 'of', 'quantity', 'terminal', 'receiptNumber'])

/** Checks what a return begins with. */
export function beginReturnOf(input: BeginReturnInput, here: string) {
  checkNames('return', input, beginNames)
  return {
    terminal: optionalText('terminal', input.terminal) ?? here,
    receiptNumber: numberOf('receiptNumber', input.receiptNumber),
    key: optionalText('key', input.key),
  }
}

/** Checks what comes back. */
export function returnOf(input: ReturnInput, here: string) {
  checkNames('return', input, returnNames)
  const { why, key } = approvedOf(input)
  const part: NativeReturn = {
    of: numberOf('of', input.of),
    quantity: quantity(input.quantity),
    ...why,
  }
  const terminal = optionalText('terminal', input.terminal)
  if (input.receiptNumber !== undefined) {
    part.receiptNumber = numberOf('receiptNumber', input.receiptNumber)
    part.terminal = terminal ?? here
  } else if (terminal !== undefined) {
    // The kernel says what is missing.
    part.terminal = terminal
  }
  return { part, key }
}
