/** Reports and closings: what a till took, period by period. All amounts are minor units. */
import type { NativeReprint, NativeTold } from '../native.js'
import { type Answer, receiptOf } from './answers.js'
import type { ReprintAnswer, Shift, ShiftClosedAnswer } from './drawer.js'
import { checkNames, type Keyed, optionalText, text } from './input.js'
import { plain } from './plain.js'
import type { TenderKind } from './receipt.js'
import type { TaxTotals } from './tax.js'

/** Counters of one currency, in a period or since the first day. */
export interface ReportCounters {
  /** Sold, taxes included. */
  readonly sales: number
  /** Returned, taxes included, counted upwards. */
  readonly returns: number
  /** Taxes on what was sold. */
  readonly salesTax: number
  /** Taxes on what was returned, counted upwards. */
  readonly returnsTax: number
  /** What cash rounding added; apart from turnover. */
  readonly rounding: number
  /** Completed sales. */
  readonly receipts: number
  /** Voided sales. */
  readonly voids: number
}

/** Turnover of one currency. */
export interface Turnover {
  /** Currency. */
  readonly currency: string
  /** In the period. */
  readonly period: ReportCounters
  /** Since the first day. */
  readonly total: ReportCounters
  /** In the period, for each tax that moved. */
  readonly taxes: readonly TaxTotals[]
}

/** Confirmed tenders of one kind. */
export interface TenderSum {
  /** Kind. */
  readonly kind: TenderKind
  /** How many. */
  readonly count: number
  /** Their amounts together. */
  readonly amount: number
}

/** What came in and went out in one currency. */
export interface Takings {
  /** Currency. */
  readonly currency: string
  /** Tenders of completed sales by kind. */
  readonly tenders: readonly TenderSum[]
  /** Change given. */
  readonly change: number
  /** Paid in. */
  readonly paidIn: number
  /** How often. */
  readonly paidInCount: number
  /** Paid out, counted upwards. */
  readonly paidOut: number
  /** How often. */
  readonly paidOutCount: number
  /** What counts found over (positive) or short (negative), together. */
  readonly overShort: number
  /** Tips in tenders; apart from turnover. */
  readonly tips: number
}

/** What a till took since the last Z report. */
export interface Report {
  /** First receipt of the period. */
  readonly firstReceipt: number
  /** Last receipt; one less than the first when there was none. */
  readonly lastReceipt: number
  /** Turnover, by currency. */
  readonly turnover: readonly Turnover[]
  /** What came in and went out, by currency. */
  readonly takings: readonly Takings[]
  /** How often the drawer was opened without a sale. */
  readonly noSales: number
  /** Copies of receipts. */
  readonly reprints: number
  /** Training sales completed; no other number here knows of them. */
  readonly trainingReceipts: number
}

/** An X or a Z report. */
export interface ReportAnswer extends Report, Answer {
  /** Number of the Z report; in an X report, the one that the next Z report will have. */
  readonly number: number
  /** The operator signed on. */
  readonly operator?: string
}

/** A period that is longer than that of a Z report. */
export type PeriodKind = 'day' | 'month' | 'year'

/** Which period to close. */
export interface PeriodInput extends Keyed {
  /** A day holds all Z reports since the last day; a month holds days, a year months. */
  readonly kind: PeriodKind
}

/** A longer period was closed. */
export interface PeriodAnswer extends Answer {
  /** Kind. */
  readonly kind: PeriodKind
  /** Number among its kind, from 1 without a gap. */
  readonly number: number
  /** Number of the first Z report, day or month in it. */
  readonly first: number
  /** Number of the last one. */
  readonly last: number
  /** Turnover up to the end of that one, by currency. */
  readonly turnover: readonly Turnover[]
  /** The operator signed on. */
  readonly operator?: string
}

const periodNames = new Set(['kind', 'key'])

/** Checks which period to close. */
export function periodOf(input: PeriodInput) {
  checkNames('period', input, periodNames)
  return { kind: text('kind', input.kind), key: optionalText('key', input.key) }
}

export function reportAnswer(native: NativeTold): ReportAnswer {
  const { number, report, operator } = plain(native.told) as Told
  const { turnover, takings, ...rest } = report as Told
  return {
    number,
    ...rest,
    turnover: turnoverOf(turnover),
    takings: rowsOf(takings).map((row) => ({ ...row, tenders: rowsOf(row.tenders) })),
    ...(operator !== undefined && { operator }),
    sequence: native.seq,
    replayed: native.replayed,
  } as unknown as ReportAnswer
}

export function periodAnswer(native: NativeTold): PeriodAnswer {
  const { key: _, turnover, ...rest } = plain(native.told) as Told
  const answer = { sequence: native.seq, replayed: native.replayed }
  return { ...rest, turnover: turnoverOf(turnover), ...answer } as unknown as PeriodAnswer
}

export function shiftClosedAnswer(native: NativeTold): ShiftClosedAnswer {
  return { ...shiftTold(native.told), sequence: native.seq, replayed: native.replayed }
}

/** A shift as the record of its end tells it. */
export function shiftTold(told: Readonly<Record<string, unknown>>): Shift {
  const { number: shift, drawer, owner } = plain(told) as Told
  return {
    shift,
    drawer: rowsOf(drawer),
    ...(owner !== undefined && { owner }),
  } as unknown as Shift
}

export function reprintAnswer(native: NativeReprint): ReprintAnswer {
  const { copy, seq, replayed } = native
  return { copy, receipt: receiptOf(native.receipt), sequence: seq, replayed }
}

type Told = Record<string, unknown>

/** A list that is empty is left out of a record. */
function rowsOf(value: unknown): Told[] {
  return (value ?? []) as Told[]
}

function turnoverOf(value: unknown): Turnover[] {
  return rowsOf(value).map(({ taxes, ...row }) => ({
    ...row,
    taxes: rowsOf(taxes).map(({ tax, ...sums }) => {
      const { ratePpm, class: name, inclusive } = tax as Told
      return { rate: percent(ratePpm as number), class: name, inclusive, ...sums }
    }),
  })) as unknown as Turnover[]
}

/** Parts per million as per cent: 82500 is `"8.25"`. */
function percent(ppm: number): string {
  const parts = String(ppm % 10_000)
    .padStart(4, '0')
    .replace(/0+$/, '')
  const whole = String(Math.trunc(ppm / 10_000))
  return parts === '' ? whole : `${whole}.${parts}`
}
