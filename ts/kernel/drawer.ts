/**
 * People and the drawer: who is at the till, who allowed what, what lies in the drawer. All amounts are
 * minor units.
 */
import type { NativeCash, NativeCounted, NativeDone } from '../native.js'
import type { Answer, ReceiptAnswer } from './answers.js'
import {
  type Approved,
  approvedNames,
  approvedOf,
  checkNames,
  type Keyed,
  list,
  numberOf,
  optionalText,
  text,
} from './input.js'
import { amount } from './money.js'
import type { Circle } from './receipt.js'

/** An operator. */
export interface OperatorInput extends Keyed {
  /** Name or number, 1 to 64 bytes. */
  readonly operator: string
}

/** What is allowed, and who allows it. */
export interface ApprovalInput extends Keyed {
  /** Who allows it, 1 to 64 bytes. */
  readonly operator: string
  /** What is allowed, in words: 1 to 128 bytes. */
  readonly what: string
}

/** An approval was given. */
export interface ApprovalAnswer extends Answer {
  /** Its number: the call that it allows refers to it and uses it up. */
  readonly approval: number
}

/** An amount of one currency. */
export interface CashAmount {
  /** Currency. */
  readonly currency: string
  /** Minor units. */
  readonly amount: number
}

/** What is in the drawer when a shift begins. */
export interface ShiftInput extends Keyed {
  /** The float: each currency once; an empty list when there is none. */
  readonly float: readonly CashAmount[]
}

/** A shift was opened. */
export interface ShiftAnswer extends Answer {
  /** Its number, from 1 without a gap. */
  readonly shift: number
}

/** Cash that is paid in or out, and why. */
export interface CashInput extends CashAmount, Approved {}

/** Cash that was counted. */
export interface CountInput extends CashAmount, Keyed {}

/** Cash was counted. */
export interface CountAnswer extends Answer {
  /** What had to be there. */
  readonly expected: number
  /** What was there. */
  readonly counted: number
  /** Counted less expected: negative when it is short. It is booked; what is there is expected now. */
  readonly overShort: number
}

/** The cash of one currency in a shift. */
export interface DrawerSum {
  /** Currency. */
  readonly currency: string
  /** Put in when the shift began. */
  readonly float: number
  /** Cash tenders less change. */
  readonly sales: number
  /** Paid in. */
  readonly paidIn: number
  /** Paid out, counted upwards. */
  readonly paidOut: number
  /** What counts found over (positive) or short (negative), together. */
  readonly overShort: number
  /** What must lie in the drawer: float + sales + paid in - paid out + over and short. */
  readonly expected: number
}

/** A shift and its drawer. */
export interface Shift {
  /** Its number. */
  readonly shift: number
  /** The operator who opened it. */
  readonly owner?: string
  /** Its cash, by currency. */
  readonly drawer: readonly DrawerSum[]
}

/** A shift was closed. */
export interface ShiftClosedAnswer extends Shift, Answer {}

/** Which receipt is printed once more. */
export interface ReprintInput extends Keyed {
  /** Its circle; `sale` when left out. */
  readonly circle?: Circle | undefined
  /** Number of the approval for it. */
  readonly approval?: number | undefined
}

/** A receipt was printed once more. */
export interface ReprintAnswer extends Answer {
  /** Number of the copy, from 1: print it on the copy. */
  readonly copy: number
  /** What to print. */
  readonly receipt: Omit<ReceiptAnswer, 'replayed'>
}

/** Who allowed that training is switched. */
export interface TrainingInput extends Keyed {
  /** Number of the approval for it. */
  readonly approval?: number | undefined
}

const operatorNames = new Set(['operator', 'key'])
const approvalNames = new Set(['operator', 'what', 'key'])
const shiftNames = new Set(['float', 'key'])
const cashAmountNames = new Set(['currency', 'amount'])
const cashNames = new Set([...cashAmountNames, ...approvedNames])
const countNames = new Set([...cashAmountNames, 'key'])
const reprintNames = new Set(['circle', 'approval', 'key'])
const trainingNames = new Set(['approval', 'key'])

/** Checks an operator. */
export function operatorOf(input: OperatorInput) {
  checkNames('operator', input, operatorNames)
  return { operator: text('operator', input.operator), key: optionalText('key', input.key) }
}

/** Checks an approval. */
export function approvalInputOf(input: ApprovalInput) {
  checkNames('approval', input, approvalNames)
  const [operator, what] = [text('operator', input.operator), text('what', input.what)]
  return { operator, what, key: optionalText('key', input.key) }
}

/** Checks what a shift begins with. */
export function shiftOf(input: ShiftInput) {
  checkNames('shift', input, shiftNames)
  const float = list('float', input.float).map((cash) => {
    checkNames('float', cash, cashAmountNames)
    return cashOf(cash as CashAmount)
  })
  return { float, key: optionalText('key', input.key) }
}

/** Checks cash that is paid in or out. */
export function cashInputOf(input: CashInput) {
  checkNames('cash', input, cashNames)
  return { cash: cashOf(input), ...approvedOf(input) }
}

/** Checks cash that was counted. */
export function countOf(input: CountInput) {
  checkNames('count', input, countNames)
  return { cash: cashOf(input), key: optionalText('key', input.key) }
}

/** Checks how a receipt is printed once more. */
export function reprintOf(options: ReprintInput | undefined) {
  if (options !== undefined) checkNames('options', options, reprintNames)
  const { circle, ...rest } = options ?? {}
  return { circle: optionalText('circle', circle) ?? 'sale', ...allowedOf(rest) }
}

/** Checks who allowed training. */
export function trainingOf(options: TrainingInput | undefined) {
  if (options !== undefined) checkNames('options', options, trainingNames)
  return allowedOf(options ?? {})
}

export function doneAnswer({ seq, replayed }: NativeDone): Answer {
  return { sequence: seq, replayed }
}

export function approvalAnswer(native: NativeDone): ApprovalAnswer {
  return { approval: native.number as number, ...doneAnswer(native) }
}

export function shiftAnswer(native: NativeDone): ShiftAnswer {
  return { shift: native.number as number, ...doneAnswer(native) }
}

export function countAnswer(native: NativeCounted): CountAnswer {
  const { expected, counted, overShort, seq, replayed } = native
  return { expected, counted, overShort, sequence: seq, replayed }
}

function cashOf({ currency, amount: minor }: CashAmount): NativeCash {
  return { currency: text('currency', currency), amount: amount('amount', minor) }
}

function allowedOf({ approval, key }: TrainingInput) {
  return {
    approval: approval === undefined ? undefined : numberOf('approval', approval),
    key: optionalText('key', key),
  }
}
