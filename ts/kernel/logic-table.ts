/**
 * Logic tables in the words of a program: a layout, rows, covers.
 *
 * What crosses to the minimiser and back is PLA text, one form for both ways in. A typed table is
 * checked here row by row and written as such a text; a cover that comes back is the bytes of its
 * rows, all of one length, and a row is made of them when somebody asks for it.
 */
import { posError } from './errors.js'
import { checkNames, list, text, wrong } from './input.js'

/** The shape of a function: its inputs, its outputs, and their names where they have any. */
export interface LogicLayout {
  /** Number of binary inputs; none when left out. */
  readonly binary?: number | undefined
  /** For each multi-valued input, how many values it has. */
  readonly valued?: readonly number[] | undefined
  /** Number of outputs, from 1. */
  readonly outputs: number
  /** Names of the binary inputs. */
  readonly inputNames?: readonly string[] | undefined
  /** For each multi-valued input the names of its values; an empty list where they have none. */
  readonly valueNames?: readonly (readonly string[])[] | undefined
  /** Names of the outputs. */
  readonly outputNames?: readonly string[] | undefined
}

/** One row: where it holds, and for which outputs it says something. */
export interface LogicRow {
  /** One character for each binary input: `0`, `1`, or `-` for both. */
  readonly inputs: string
  /** For each multi-valued input the values that the row holds for, counted from 0. */
  readonly values?: readonly (readonly number[])[] | undefined
  /** The outputs that the row is about, counted from 0. */
  readonly outputs: readonly number[]
}

/**
 * A function as rows: where it is 1 (`f`), where it may be either (`d`), where it is 0 (`r`).
 *
 * Without `r` the rest is 0. With `r` and without `d` the rest may be either. A point of both `f`
 * and `d` may be either; one of both `f` and `r` is refused.
 */
export interface LogicTable {
  /** Inputs and outputs. */
  readonly layout: LogicLayout
  /** Rows where the function is 1. */
  readonly f: Iterable<LogicRow>
  /** Rows where it may be either. */
  readonly d?: Iterable<LogicRow> | undefined
  /** Rows where it is 0. */
  readonly r?: Iterable<LogicRow> | undefined
}

/**
 * A list of rows as the minimiser gives them, made one by one as they are read: a cover may have a
 * million.
 *
 * @example
 * const { f } = await minimize('.i 2\n.o 1\n01 1\n11 1\n.e\n')
 * for (const { inputs, outputs } of f) console.log(inputs, outputs) // '-1', [ 0 ]
 */
export class LogicCover implements Iterable<LogicRow> {
  /** How many rows there are. */
  readonly size: number
  readonly #bytes: Buffer
  readonly #binary: number
  readonly #fields: readonly number[]
  readonly #rowBytes: number

  /** @internal */
  constructor(bytes: Buffer, binary: number, valued: readonly number[], outputs: number) {
    this.#bytes = bytes
    this.#binary = binary
    this.#fields = [...valued, outputs]
    // Each field stands behind one separator, but for one that begins the row; a line feed ends it.
    const separators = this.#fields.length - (binary === 0 ? 1 : 0)
    this.#rowBytes = binary + this.#fields.reduce((sum, size) => sum + size, 0) + separators + 1
    this.size = bytes.length / this.#rowBytes
  }

  /** The row of this index, from 0. */
  at(index: number): LogicRow | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) return undefined
    const start = index * this.#rowBytes
    const row = this.#bytes.toString('latin1', start, start + this.#rowBytes)
    let at = this.#binary
    const fields = this.#fields.map((size) => {
      if (at > 0) at += 1
      const ones: number[] = []
      for (let value = 0; value < size; value += 1) if (row[at + value] === '1') ones.push(value)
      at += size
      return ones
    })
    const outputs = fields.pop() ?? []
    return { inputs: row.slice(0, this.#binary), values: fields, outputs }
  }

  /** The rows in order. */
  *[Symbol.iterator](): Generator<LogicRow, void, undefined> {
    for (let index = 0; index < this.size; index += 1) yield this.at(index) as LogicRow
  }

  /** The rows as lines of PLA text. */
  toString(): string {
    return this.#bytes.toString('latin1')
  }

  /** The rows as a list. */
  toJSON(): LogicRow[] {
    return [...this]
  }
}

/** A typed table as text, and which row stands in which line. */
export interface WrittenTable {
  readonly text: string
  /** The row of a line, such as `f[2]`. */
  rowOf(line: number): string | undefined
}

const tableNames = new Set(['layout', 'f', 'd', 'r'])
const layoutNames = new Set([
  'binary',
  'valued',
  'outputs',
  'inputNames',
  'valueNames',
  'outputNames',
])
const rowNames = new Set(['inputs', 'values', 'outputs'])

/** Writes a typed table as PLA text, once everything in it is known to fit. */
export function writeTable(given: unknown): WrittenTable {
  checkNames('table', given, tableNames)
  const { layout, f, d, r } = given as unknown as Record<keyof LogicTable, unknown>
  const shape = shapeOf(layout)
  const type = `f${d === undefined ? '' : 'd'}${r === undefined ? '' : 'r'}`
  const lines = [...header(shape), `.type ${type}`]
  const rows: string[] = []
  const first = lines.length + 1
  const sets = { f: [f, '1'], d: [d, '-'], r: [r, '0'] } as const
  for (const [name, [set, mark]] of Object.entries(sets)) {
    if (set === undefined && name !== 'f') continue
    let index = 0
    for (const row of iterable(`table.${name}`, set)) {
      rows.push(`${name}[${index}]`)
      lines.push(rowText(`table.${name}[${index}]`, row, shape, mark))
      index += 1
    }
  }
  lines.push('.e', '')
  return { text: lines.join('\n'), rowOf: (line) => rows[line - first] }
}

interface Shape {
  readonly binary: number
  readonly valued: readonly number[]
  readonly outputs: number
  readonly inputNames: readonly string[]
  readonly valueNames: readonly (readonly string[])[]
  readonly outputNames: readonly string[]
}

function shapeOf(layout: unknown): Shape {
  checkNames('table.layout', layout, layoutNames)
  const given = layout as Record<keyof LogicLayout, unknown>
  const { binary = 0, valued = [], outputs } = given
  const sizes = list('table.layout.valued', valued)
  const shape = {
    binary: count('table.layout.binary', binary, 0),
    valued: sizes.map((size, index) => count(`table.layout.valued[${index}]`, size, 1)),
    outputs: count('table.layout.outputs', outputs, 1),
  }
  const valueNames = list('table.layout.valueNames', given.valueNames ?? [])
  if (valueNames.length > 0 && valueNames.length !== sizes.length) {
    const expected = `${sizes.length} lists, one for each multi-valued input`
    throw wrong('table.layout.valueNames', valueNames, expected)
  }
  return {
    ...shape,
    inputNames: names('table.layout.inputNames', given.inputNames, shape.binary),
    valueNames: valueNames.map((of, index) =>
      names(`table.layout.valueNames[${index}]`, of, shape.valued[index] ?? 0),
    ),
    outputNames: names('table.layout.outputNames', given.outputNames, shape.outputs),
  }
}

/** The lines before the rows. Sizes beyond the limits are the reader's to refuse. */
function header(shape: Shape): string[] {
  const { binary, valued, outputs, inputNames, valueNames, outputNames } = shape
  const variables = binary + valued.length + 1
  const lines =
    valued.length === 0
      ? [`.i ${binary}`, `.o ${outputs}`]
      : [`.mv ${variables} ${binary} ${valued.join(' ')} ${outputs}`]
  if (inputNames.length > 0) lines.push(`.ilb ${inputNames.join(' ')}`)
  for (const [index, of] of valueNames.entries()) {
    if (of.length > 0) lines.push(`.label var=${binary + index} ${of.join(' ')}`)
  }
  if (outputNames.length > 0) lines.push(`.ob ${outputNames.join(' ')}`)
  return lines
}

function rowText(what: string, row: unknown, shape: Shape, mark: string): string {
  checkNames(what, row, rowNames)
  const { inputs, values = [], outputs } = row as Record<keyof LogicRow, unknown>
  const columns = text(`${what}.inputs`, inputs)
  if (columns.length !== shape.binary || /[^01-]/.test(columns)) {
    throw wrong(`${what}.inputs`, inputs, `${shape.binary} characters, each "0", "1" or "-"`)
  }
  const fields = list(`${what}.values`, values)
  if (fields.length !== shape.valued.length) {
    const expected = `${shape.valued.length} lists of values, one for each multi-valued input`
    throw wrong(`${what}.values`, values, expected)
  }
  const valued = shape.valued.map((size, index) =>
    field(`${what}.values[${index}]`, fields[index], size, '1', '0'),
  )
  return [columns, ...valued, field(`${what}.outputs`, outputs, shape.outputs, mark, '~')].join('|')
}

/** A field of `size` columns with `has` in those that are listed. */
function field(what: string, given: unknown, size: number, has: string, not: string): string {
  const columns = new Array<string>(size).fill(not)
  for (const value of list(what, given)) {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= size) {
      throw wrong(what, value, `whole numbers from 0 to ${size - 1}`)
    }
    columns[value] = has
  }
  return columns.join('')
}

function iterable(what: string, given: unknown): Iterable<unknown> {
  if (typeof given === 'object' && given !== null && Symbol.iterator in given) {
    return given as Iterable<unknown>
  }
  throw wrong(what, given, 'rows in an array or another iterable')
}

function count(what: string, given: unknown, least: number): number {
  if (typeof given === 'number' && Number.isInteger(given) && given >= least && given <= 65_536) {
    return given
  }
  throw wrong(what, given, `a whole number from ${least} to 65,536`)
}

/** Names as a PLA can hold them. */
function names(what: string, given: unknown, size: number): string[] {
  const all = list(what, given ?? [])
  if (all.length > 0 && all.length !== size) throw wrong(what, given, `${size} names`)
  return all.map((name, index) => {
    const word = text(`${what}[${index}]`, name)
    if (/^[^\s#.][^\s#]*$/.test(word)) return word
    const message = `${what}[${index}] is ${JSON.stringify(word.slice(0, 40))}: a name is not empty, holds no blank and no "#", and does not begin with "."`
    throw posError('PK_E_BAD_TEXT', message, {
      what: `${what}[${index}]`,
      value: word.slice(0, 40),
    })
  })
}
