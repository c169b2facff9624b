/**
 * The bodies of people, drawer, reports and closings, and what a checkpoint holds of them: the
 * further part of the tables of `docs/reference/records.md`.
 */
import type { Read } from './cbor.js'
import type { PaymentMeans } from './pricing/policy.js'
import { key, operator, taxTotals, tenderKind, totals } from './shared-maps.js'
import {
  amount,
  bool,
  count,
  countFromOne,
  currency,
  i64,
  list,
  map,
  named,
  oneOf,
  optional,
  required,
  text,
  u64,
} from './values.js'

/** Which receipts are numbered together. */
export type Circle = 'sale' | 'training'
/** What is closed. */
export type PeriodKind = 'day' | 'month' | 'year'

export const circle = oneOf<Circle>('circle', { 1: 'sale', 2: 'training' })
const periodKind = oneOf<PeriodKind>('kind of period', { 1: 'day', 2: 'month', 3: 'year' })
const movement = oneOf<'paidIn' | 'paidOut' | 'noSale'>('movement', {
  1: 'paidIn',
  2: 'paidOut',
  3: 'noSale',
})

const cashLeg = oneOf<'sent' | 'received' | 'takenBack'>('leg', {
  1: 'sent',
  2: 'received',
  3: 'takenBack',
})

const cashTransfer = map({
  leg: required(0, cashLeg),
  terminal: required(1, text),
  sent: optional(2, u64),
})
const cashAmount = map({ currency: required(0, currency), amount: required(1, amount) })
const drawerSum = map({
  currency: required(0, currency),
  float: required(1, amount),
  sales: required(2, i64),
  paidIn: required(3, i64),
  paidOut: required(4, i64),
  overShort: required(5, i64),
  expected: required(6, i64),
})
const tenderSum = map({
  kind: required(0, tenderKind),
  count: required(1, count),
  amount: required(2, i64),
})
const takings = map({
  currency: required(0, currency),
  tenders: list(1, tenderSum),
  change: required(2, i64),
  paidIn: required(3, i64),
  paidInCount: required(4, count),
  paidOut: required(5, i64),
  paidOutCount: required(6, count),
  overShort: required(7, i64),
  tips: required(8, i64),
})
const counters = map({
  sales: required(0, amount),
  returns: required(1, amount),
  salesTax: required(2, amount),
  returnsTax: required(3, amount),
  rounding: required(4, amount),
  receipts: required(5, u64),
  voids: required(6, u64),
})
const turnover = map({
  currency: required(0, currency),
  period: required(1, counters),
  total: required(2, counters),
  taxes: list(3, taxTotals),
})
const report = map({
  firstReceipt: required(0, u64),
  lastReceipt: required(1, u64),
  turnover: list(2, turnover),
  takings: list(3, takings),
  noSales: required(4, u64),
  reprints: required(5, u64),
  trainingReceipts: required(6, u64),
  brought: list(7, takings),
})

const signed = { operator, key: optional(15, key) }
const approval = optional(14, u64)
const numbered = { number: required(0, u64), ...signed }
const reported = { ...numbered, report: required(1, report) }

/** The kinds of facts: number, name, fields. */
export const deskFacts = {
  64: named('OperatorSignedOn', { who: required(0, text), key: optional(15, key) }),
  65: named('OperatorSignedOff', { who: required(0, text), key: optional(15, key) }),
  66: named('ApprovalGiven', {
    ...numbered,
    approver: required(1, text),
    what: required(2, text),
  }),
  67: named('ShiftOpened', { ...numbered, float: list(1, cashAmount) }),
  68: named('ShiftClosed', {
    ...numbered,
    drawer: list(1, drawerSum),
    owner: optional(2, text),
  }),
  69: named('CashMoved', {
    ...signed,
    kind: required(0, movement),
    currency: optional(1, currency),
    amount: optional(2, amount),
    reason: required(3, text),
    shift: optional(4, u64),
    transfer: optional(5, cashTransfer),
    approval,
  }),
  70: named('CashCounted', {
    ...signed,
    shift: required(0, u64),
    currency: required(1, currency),
    expected: required(2, i64),
    counted: required(3, amount),
    overShort: required(4, i64),
  }),
  71: named('TrainingSet', { ...signed, on: required(0, bool), approval }),
  72: named('ReceiptReprinted', {
    ...signed,
    receipt: required(0, u64),
    circle: required(1, circle),
    copy: required(2, u64),
    completion: required(3, u64),
    approval,
  }),
  73: named('ClockStepped', { from: required(0, i64), to: required(1, i64) }),
  74: named('CashArrived', {
    sent: required(0, u64),
    terminal: required(1, text),
    otherSequence: required(2, u64),
  }),
  80: named('XReported', reported),
  81: named('ZReported', reported),
  82: named('PeriodClosed', {
    ...signed,
    kind: required(0, periodKind),
    number: required(1, u64),
    first: required(2, u64),
    last: required(3, u64),
    turnover: list(4, turnover),
  }),
}

const heldApproval = map({
  number: required(0, u64),
  approver: required(1, text),
  what: required(2, text),
})
const shift = map({
  number: required(0, count),
  owner: optional(1, text),
  drawer: list(2, drawerSum),
})
const period = map({
  next: required(0, countFromOne),
  first: required(1, count),
  base: list(2, totals),
})
const tally = map({
  firstReceipt: required(0, u64),
  takings: list(1, takings),
  noSales: required(2, count),
  reprints: required(3, count),
  trainingReceipts: required(4, count),
})
const copies = map({
  receipt: required(0, u64),
  circle: required(1, circle),
  copies: required(2, count),
  sequence: required(3, u64),
})

const transit = map({
  sent: required(0, count),
  terminal: required(1, text),
  currency: required(2, currency),
  amount: required(3, amount),
})

/** The map *till* of a checkpoint. */
export const desk = map({
  operator: optional(0, text),
  training: required(1, bool),
  nextTraining: required(2, countFromOne),
  nextApproval: required(3, countFromOne),
  approvals: list(4, heldApproval),
  nextShift: required(5, countFromOne),
  shift: optional(6, shift),
  periods: list(7, period),
  tally: required(8, tally),
  copies: list(9, copies),
  copiesForgotten: required(10, count),
  transit: list(11, transit),
})

type Value<T> = T extends Read<infer Read_> ? Read_ : never

/** What stands at the desk of a till, as a checkpoint says it. */
export type DeskBody = Value<typeof desk>
/** Cash of one currency in the drawer. */
export type DrawerSum = Value<typeof drawerSum>
/** What came in and went out in one currency. */
export type Takings = Value<typeof takings>
/** A row of a report. */
export type TurnoverOf = Value<typeof turnover>
/** Counters of one currency. */
export type Counters = Value<typeof counters>
/** What a report says. */
export type Report = Value<typeof report>
/** The base and the numbers of a kind of period. */
export type Period = Value<typeof period>
/** A tender of a completed sale, as the desk sees it. */
export interface CountedTender {
  readonly kind: PaymentMeans
  readonly amount: bigint
  readonly tip: bigint
  readonly foreign?: { readonly currency: string; readonly amount: bigint } | undefined
}
/** Any of the facts. */
export type DeskFact = ReturnType<(typeof deskFacts)[keyof typeof deskFacts]>

const names = new Set(
  'OperatorSignedOn OperatorSignedOff ApprovalGiven ShiftOpened ShiftClosed CashMoved CashCounted TrainingSet ReceiptReprinted ClockStepped CashArrived XReported ZReported PeriodClosed'.split(
    ' ',
  ),
)

/** True for the facts of this page. */
export function isDeskFact(fact: { readonly name: string }): fact is DeskFact {
  return names.has(fact.name)
}
