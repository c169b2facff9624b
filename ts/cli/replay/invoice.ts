/**
 * Rows become invoices: each field is checked once here and trusted afterwards.
 *
 * An invoice is rung up whole or not at all. One bad row takes its whole invoice out, with the row
 * and the column as the reason, because a receipt that silently lacks a line is worse than none;
 * once the row is mended, running the file again rings that invoice up.
 */
import {
  type Decimal,
  decimalText,
  inSmallerUnit,
  multiply,
  negated,
  parseDecimal,
  SCALE_MAX,
} from './decimal.js'

/** Plain digits, `C` and digits (a cancellation), or `A` and digits. */
export type InvoiceKind = 'sale' | 'return' | 'adjustment'

/** A line, as the kernel takes it. */
export interface InvoiceLine {
  readonly sku: string
  readonly text?: string
  readonly quantity: string
  /** In minor units; may have parts of one. */
  readonly unitPrice: string
}

/** One transaction to ring up. */
export interface Invoice {
  readonly number: string
  readonly kind: InvoiceKind
  readonly lines: readonly InvoiceLine[]
  /** What it comes to, in minor units. */
  readonly gross: number
}

/** An invoice that was left out or changed, and why. */
export interface InvoiceRemark {
  readonly invoice: string
  readonly reason: string
}

/** What a file holds. */
export interface Invoices {
  readonly invoices: readonly Invoice[]
  readonly skipped: readonly InvoiceRemark[]
  /** Rows that were rung up in another form than they stand in the file. */
  readonly adjusted: readonly InvoiceRemark[]
}

/** One row of the file: its place, and its fields by column. */
export interface Row {
  /** Line of the file in which the row ends; the header is line 1. */
  readonly line: number
  /** The fields as they stand there. */
  readonly fields: readonly string[]
}

/** The columns that are read; others may stand beside them, in any order. */
export const columns = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
] as const

type Column = (typeof columns)[number]

/** Where each column stands in a row. */
export type ColumnIndex = Readonly<Record<Column, number>>

/** Pounds sterling: the prices of the file are pounds, those of the kernel are pence. */
const MINOR_DIGITS = 2

const INVOICE_BYTES_MAX = 56
const SKU_BYTES_MAX = 64
const TEXT_BYTES_MAX = 256
/** Length of a foreign value that is repeated in a reason. */
const SHOWN_MAX = 40

/** Rows of one invoice, as far as they have been read. */
interface Draft {
  readonly lines: InvoiceLine[]
  gross: bigint
  fault?: string
  faults: number
  readonly adjusted: string[]
}

/** A finding about one row; the message names row and column. */
class RowFault extends Error {}

/** Gathers rows, in any order, into invoices. */
export class InvoiceBook {
  readonly #index: ColumnIndex
  readonly #width: number
  readonly #drafts = new Map<string, Draft>()

  constructor(index: ColumnIndex, width: number) {
    this.#index = index
    this.#width = width
  }

  /** Takes one row. */
  add(row: Row): void {
    const number = row.fields[this.#index.InvoiceNo] ?? ''
    const draft = this.#draft(number)
    try {
      this.#refuseSwallowedRows(row)
      const { line, amount, adjusted } = this.#read(row)
      draft.lines.push(line)
      draft.gross += amount
      if (adjusted !== undefined) draft.adjusted.push(adjusted)
    } catch (fault) {
      if (!(fault instanceof RowFault)) throw fault
      blame(draft, fault.message)
    }
  }

  /** Closes the book. */
  close(): Invoices {
    const invoices: Invoice[] = []
    const skipped: InvoiceRemark[] = []
    const adjusted: InvoiceRemark[] = []
    for (const [number, draft] of this.#drafts) {
      const reason = draft.fault ?? grossFault(draft.gross)
      if (reason !== undefined) {
        const more = draft.faults > 1 ? ` (and ${draft.faults - 1} more)` : ''
        skipped.push({ invoice: shown(number), reason: reason + more })
        continue
      }
      const kind = kindOf(number)
      if (kind === undefined) throw new Error('an invoice without a fault has a kind')
      invoices.push({ number, kind, lines: draft.lines, gross: Number(draft.gross) })
      for (const remark of draft.adjusted) adjusted.push({ invoice: number, reason: remark })
    }
    return { invoices, skipped, adjusted }
  }

  #draft(number: string): Draft {
    const known = this.#drafts.get(number)
    if (known !== undefined) return known
    const draft: Draft = { lines: [], gross: 0n, faults: 0, adjusted: [] }
    this.#drafts.set(number, draft)
    return draft
  }

  #field(row: Row, column: Column): string {
    return row.fields[this.#index[column]] ?? ''
  }

  #read(row: Row): { line: InvoiceLine; amount: bigint; adjusted?: string } {
    const { line: at, fields } = row
    if (fields.length !== this.#width) {
      throw new RowFault(`row ${at} has ${fields.length} columns, the header has ${this.#width}`)
    }
    const number = this.#field(row, 'InvoiceNo')
    if (kindOf(number) === undefined) {
      const forms = 'digits, C and digits, or A and digits'
      throw fault(row, 'InvoiceNo', `${quoted(number)} is not an invoice number (${forms})`)
    }
    const bytes = Buffer.byteLength(number)
    if (bytes > INVOICE_BYTES_MAX) throw tooLong(row, 'InvoiceNo', bytes, INVOICE_BYTES_MAX)
    const sku = this.#text(row, 'StockCode', SKU_BYTES_MAX)
    if (sku === '') throw fault(row, 'StockCode', 'it is empty')
    const text = this.#text(row, 'Description', TEXT_BYTES_MAX)
    const date = this.#field(row, 'InvoiceDate')
    if (!isDate(date)) throw fault(row, 'InvoiceDate', `${quoted(date)} is not a date and time`)
    const inFile = this.#number(row, 'Quantity')
    if (inFile.mantissa === 0n) throw fault(row, 'Quantity', 'it is zero')
    const price = inSmallerUnit(this.#number(row, 'UnitPrice', MINOR_DIGITS), MINOR_DIGITS)
    // The kernel knows no negative price: what goes back has a negative quantity.
    const turned = price.mantissa < 0n
    const quantity = turned ? negated(inFile) : inFile
    const unitPrice = turned ? negated(price) : price
    const line = {
      sku,
      ...(text === '' ? {} : { text }),
      quantity: decimalText(quantity),
      unitPrice: decimalText(unitPrice),
    }
    const amount = multiply(quantity, unitPrice)
    if (!turned) return { line, amount }
    const adjusted =
      `row ${at}: quantity ${decimalText(inFile)} at a negative price was rung up as quantity ` +
      `${line.quantity} at ${line.unitPrice} pence`
    return { line, amount, adjusted }
  }

  #text(row: Row, column: Column, bytesMax: number): string {
    const text = this.#field(row, column)
    const bytes = Buffer.byteLength(text)
    if (bytes > bytesMax) throw tooLong(row, column, bytes, bytesMax)
    if (text.includes('\u{fffd}')) throw fault(row, column, `${quoted(text)} is not UTF-8`)
    if (hasControlCharacter(text)) throw fault(row, column, 'it holds a control character')
    return text
  }

  #number(row: Row, column: Column, morePlaces = 0): Decimal {
    const text = this.#field(row, column)
    const value = parseDecimal(text)
    if (value === undefined) throw fault(row, column, `${quoted(text)} is not a decimal number`)
    if (value.scale > SCALE_MAX + morePlaces) {
      const places = SCALE_MAX + morePlaces
      throw fault(row, column, `${quoted(text)} has more than ${places} decimal places`)
    }
    return value
  }

  /**
   * A quote that is never closed where it should be swallows the rows behind it up to the next
   * quote. No field of such a file holds a line break by right, so each line inside a field is taken
   * for a row that was lost, and its invoice is left out too instead of being rung up incomplete.
   */
  #refuseSwallowedRows(row: Row): void {
    const field = row.fields.find((text) => text.includes('\n'))
    if (field === undefined) return
    const lines = row.fields.join(',').split('\n')
    const first = row.line - lines.length + 1
    for (const [offset, lost] of lines.entries()) {
      if (offset === 0) continue
      const number = /^"?([^",]*)/.exec(lost)?.[1] ?? ''
      if (kindOf(number) === undefined) continue
      const reason = `row ${first + offset} stands inside a quoted field that opens in row ${first}`
      blame(this.#draft(number), reason)
    }
    throw new RowFault(`row ${first}: a quoted field runs over ${lines.length} lines`)
  }
}

function blame(draft: Draft, reason: string): void {
  draft.fault ??= reason
  draft.faults += 1
}

function kindOf(number: string): InvoiceKind | undefined {
  if (/^\d+$/.test(number)) return 'sale'
  if (/^C\d+$/.test(number)) return 'return'
  return /^A\d+$/.test(number) ? 'adjustment' : undefined
}

/** `2010-12-01 08:26:00`, `2010-12-01T08:26`, or `12/1/2010 8:26` with the month first. */
function isDate(text: string): boolean {
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?Z?)?$/.exec(
    text,
  )
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text)
  const found = iso ?? american
  if (found === null) return false
  const parts = found.slice(1).map((part) => Number(part ?? 0))
  const [year = 0, month = 0, day = 0] =
    iso === null ? [parts[2], parts[0], parts[1]] : parts.slice(0, 3)
  const [hour = 0, minute = 0, second = 0] = parts.slice(3)
  const date = new Date(Date.UTC(year, month - 1, day))
  return (
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60
  )
}

function grossFault(gross: bigint): string | undefined {
  const amount = Number(gross)
  if (Number.isSafeInteger(amount)) return undefined
  return `its lines come to ${gross} pence, which is not a safe integer`
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x20 || unit === 0x7f) return true
  }
  return false
}

function fault(row: Row, column: Column, what: string): RowFault {
  return new RowFault(`row ${row.line}, ${column}: ${what}`)
}

function tooLong(row: Row, column: Column, bytes: number, bytesMax: number): RowFault {
  return fault(row, column, `it has ${bytes} bytes, over the limit of ${bytesMax}`)
}

function quoted(text: string): string {
  return JSON.stringify(shown(text))
}

function shown(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text
}
