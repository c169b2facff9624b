/**
 * Reads the invoices of a CSV file, packed with gzip or not; its first bytes decide, not its name.
 *
 * The whole file is read before anything is rung up, since the lines of an invoice need not be
 * neighbours. What cannot be read as a table at all is refused here; a bad row is the book's matter.
 */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { CsvError, parse } from 'csv-parse'
import { type InputError, posError } from '../../kernel/errors.js'
import { type ColumnIndex, columns, InvoiceBook, type Invoices } from './invoice.js'

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])

/**
 * Reads a file to its end.
 *
 * @throws {@link StorageError} `PK_E_IO` when it cannot be read or unpacked
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT` when it is not a table with the columns needed
 */
export async function readInvoices(path: string): Promise<Invoices> {
  const source = await bytesOf(path)
  const parser = parse({ bom: true, relax_column_count: true, relax_quotes: true })
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  let line = 0
  let book: InvoiceBook | undefined
  // A loop over the parser, and line numbers made by the parser, together triple the time; so it is
  // a listener, and the lines are added up here.
  parser.on('data', (fields: readonly string[]) => {
    line += 1 + lineBreaks(fields)
    try {
      if (book === undefined) book = new InvoiceBook(indexOf(path, fields), fields.length)
      else if (fields.length > 1 || fields[0] !== '') book.add({ line, fields })
    } catch (error) {
      parser.destroy(error as Error)
    }
  })
  try {
    await finished(parser)
  } catch (error) {
    throw asTyped(path, error)
  }
  if (book === undefined) throw notATable(path, 'it is empty')
  return book.close()
}

/** Lines that a record runs over beside its first. */
function lineBreaks(fields: readonly string[]): number {
  let count = 0
  for (const field of fields) {
    for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) count += 1
  }
  return count
}

async function bytesOf(path: string): Promise<Readable> {
  let isPacked: boolean
  try {
    isPacked = (await startOf(path)).equals(GZIP_MAGIC)
  } catch (error) {
    throw asTyped(path, error)
  }
  const bytes = createReadStream(path)
  if (!isPacked) return bytes
  const unpacked = createGunzip()
  bytes.on('error', (error) => unpacked.destroy(error))
  return bytes.pipe(unpacked)
}

async function startOf(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const start = Buffer.alloc(GZIP_MAGIC.length)
    const { bytesRead } = await file.read(start, 0, start.length, 0)
    return start.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

function indexOf(path: string, header: readonly string[]): ColumnIndex {
  const missing = columns.filter((column) => !header.includes(column))
  if (missing.length > 0) {
    throw notATable(path, `its first line lacks ${missing.join(', ')}`)
  }
  const places = columns.map((column) => [column, header.indexOf(column)] as const)
  return Object.fromEntries(places) as ColumnIndex
}

function notATable(path: string, found: string, line?: number): InputError {
  const expected = columns.join(', ')
  const message = `${path} is not a CSV file of invoices: ${found}`
  const facts = { argument: 'FILE', value: path, expected, ...(line === undefined ? {} : { line }) }
  return posError('PK_E_BAD_ARGUMENT', message, facts)
}

/** Failures of the parser, of the unpacking and of the file system, in the terms of the caller. */
function asTyped(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  const code = String(error.code)
  if (error instanceof CsvError) return notATable(path, error.message, Number(error.lines))
  const isUnpacking = code.startsWith('Z_')
  if (!isUnpacking && !('syscall' in error)) return error
  const operation = isUnpacking ? 'unpack' : 'read'
  const message = `${path} cannot be ${operation === 'read' ? 'read' : 'unpacked'}: ${error.message}`
  return posError('PK_E_IO', message, { operation, path, cause: error.message }, error)
}
