/**
 * Rule tables, read from their bytes as `docs/reference/records.md` says and asked row by row: which
 * rows speak of a line, a tender or a sale, and whether they let it be. Guards I22.
 */
import { Cbor, type Read } from './cbor.js'
import { Contradiction, hold } from './contradiction.js'
import { AMOUNT_MAX, type Decimal } from './values.js'

/** What the host said for a column of a table to ask. */
export interface Said {
  readonly name: string
  readonly flag?: boolean | undefined
  readonly number?: Decimal | undefined
  readonly text?: string | undefined
  readonly members: readonly string[]
}

/** A row that spoke. */
export interface RuleHit {
  readonly table: number
  readonly row: number
}

/** Facts by the names that columns call them. */
export type Facts = Readonly<Record<string, bigint | string | Decimal | undefined>>

/** What tables are asked about, and what the host said of it. */
export interface Asked {
  /** By what a table is asked about. */
  readonly about: Readonly<Partial<Record<Binding, Facts>>>
  readonly said: readonly Said[]
  readonly approval: bigint | undefined
}

type Binding = 'line' | 'tender' | 'sale'
type Scalar = boolean | bigint | string
type Cell = (value: Placed) => boolean
/** A value among those of its column: a number in its units, the index of a text, indexes of members. */
type Placed = boolean | bigint | ReadonlySet<bigint>

interface Column {
  readonly name: string
  readonly kind: bigint
  readonly least: bigint
  readonly most: bigint
  readonly isOpen: boolean
  readonly texts: readonly string[]
  readonly byDefault: Placed | undefined
}

interface Row {
  readonly index: number
  readonly id: string
  readonly when: readonly Cell[]
  readonly then: readonly Scalar[]
}

interface Table {
  readonly name: string
  readonly isCollecting: boolean
  readonly binding: Binding | undefined
  readonly columns: readonly Column[]
  /** In the order in which they decide. */
  readonly rows: readonly Row[]
  readonly decision: number
}

const kinds = { bool: 1n, integer: 2n, decimal: 3n, text: 4n, set: 5n }
const PRIORITY = 4n
const COLLECT = 5n
const bindings: readonly (Binding | undefined)[] = [undefined, 'line', 'tender', 'sale']
/** Every decision, the mildest first. */
const decisions = ['allow', 'approve', 'refuse']
/** Numbers end here on both sides where a column has no ends of its own. */
const END = AMOUNT_MAX
/** A decimal in a table counts millionths. */
const PLACES = 6

/** The tables of a till. */
export class RuleTables {
  readonly #tables: readonly Table[]

  constructor(bytes: Buffer) {
    this.#tables = Cbor.whole(bytes, (cbor) => {
      fixed(cbor, 2n)
      version(cbor)
      return items(cbor, (each) => Cbor.whole(each.bytes(), readTable))
    })
  }

  /** Holds the rows that a fact names against what the tables say. */
  hold(hits: readonly RuleHit[], { about, said, approval }: Asked): void {
    const spoken = this.#tables.flatMap((table, index) => {
      const facts = table.binding && about[table.binding]
      const row = facts && decide(table, facts, said)
      return row === undefined ? [] : [{ table, row, index }]
    })
    const shown = (rows: readonly RuleHit[]) => rows.map((hit) => `${hit.table}.${hit.row}`).join()
    const is = shown(spoken.map(({ index, row }) => ({ table: index, row: row.index })))
    hold(shown(hits) === is, 'I22', `the rows (${shown(hits)}) spoke, where these do: (${is})`)
    for (const { table, row } of spoken) {
      const decision = row.then[table.decision]
      const by = `row ${row.id} of table ${table.name}`
      hold(decision !== 'refuse', 'I22', `${by} refuses it`)
      hold(decision !== 'approve' || approval !== undefined, 'I22', `${by} wants an approval`)
    }
  }
}

/** The row that decides, of a table that collects the first of the strictest. */
function decide(table: Table, facts: Facts, said: readonly Said[]): Row | undefined {
  const placed = table.columns.map((column) => place(table, column, facts, said))
  const applying = table.rows.filter(({ when }) =>
    when.every((cell, index) => cell(placed[index] as Placed)),
  )
  if (!table.isCollecting) return applying[0]
  const strictness = ({ then }: Row) => decisions.indexOf(String(then[table.decision]))
  const most = Math.max(...applying.map(strictness))
  const strictest = applying.filter((row) => strictness(row) === most)
  // Answers are counted in the order of the rows that give them first, wherever these apply.
  const answer = ({ then }: Row) => table.rows.findIndex((other) => same(other.then, then))
  const first = Math.min(...strictest.map(answer))
  return strictest.find((row) => answer(row) === first)
}

function same(one: readonly Scalar[], other: readonly Scalar[]): boolean {
  return one.every((value, index) => value === other[index])
}

function place(table: Table, column: Column, facts: Facts, said: readonly Said[]): Placed {
  const value = column.name in facts ? facts[column.name] : undefined
  const given = column.name in facts ? undefined : said.find(({ name }) => name === column.name)
  const wrong = (what: string) =>
    new Contradiction(`table ${table.name} asks for ${column.name}, which ${what}`, 'I22')
  if (value === undefined && given === undefined) {
    if (column.byDefault === undefined) throw wrong('is not there')
    return column.byDefault
  }
  const { kind, texts } = column
  if (kind === kinds.bool) {
    if (given?.flag === undefined) throw wrong('is not true or false')
    return given.flag
  }
  if (kind === kinds.set) {
    const { flag, number, text, members = [] } = given ?? {}
    if ([flag, number, text].some((other) => other !== undefined)) throw wrong('is no set')
    const indexes = members.map((member) => texts.indexOf(member))
    if (indexes.includes(-1)) throw wrong('has a member that is unknown')
    return new Set(indexes.map(BigInt))
  }
  if (kind === kinds.text) {
    const text = typeof value === 'string' ? value : given?.text
    if (text === undefined) throw wrong('is no text')
    const index = texts.indexOf(text)
    if (index < 0 && !column.isOpen) throw wrong('is not one of its texts')
    return BigInt(index < 0 ? texts.length : index)
  }
  const number = numberOf(value) ?? given?.number ?? digitsOf(given?.text)
  if (number === undefined) throw wrong('is no number')
  return unitsOf(column, number, wrong)
}

function numberOf(value: Facts[string]): Decimal | undefined {
  if (typeof value === 'bigint') return { mantissa: value, scale: 0 }
  return typeof value === 'object' ? value : undefined
}

/** The digits of a number. */
function digitsOf(text: string | undefined): Decimal | undefined {
  const parts = /^(-?\d+)(?:\.(\d{1,6}))?$/.exec(text ?? '')
  if (parts === null) return undefined
  const [, whole = '', places = ''] = parts
  return { mantissa: BigInt(whole + places), scale: places.length }
}

function unitsOf(column: Column, number: Decimal, wrong: (what: string) => Error): bigint {
  const places = column.kind === kinds.decimal ? PLACES : 0
  const millionths = number.mantissa * 10n ** BigInt(PLACES - number.scale)
  const unit = 10n ** BigInt(PLACES - places)
  if (millionths % unit !== 0n) throw wrong('is not a whole number')
  let units = millionths / unit
  // A column without ends has room for every number; no row can tell those beyond apart.
  if (column.least === -END && units < -END) units = -END
  if (column.most === END && units > END) units = END
  if (units < column.least || units > column.most) throw wrong('is outside its range')
  return units
}

const readTable: Read<Table> = (cbor) => {
  fixed(cbor, 8n)
  version(cbor)
  const name = cbor.text()
  const hit = cbor.unsigned()
  const binding = bindings[Number(cbor.unsigned())]
  cbor.bool()
  const columns = items(cbor, readColumn)
  const results = items(cbor, (each) => {
    fixed(each, 3n)
    const column = each.text()
    const kind = each.unsigned()
    return { name: column, kind, values: each.isNull() ? undefined : texts(each) }
  })
  let index = 0
  const rows = items(cbor, (each): Row => {
    fixed(each, 3n)
    const id = each.text()
    fixed(each, BigInt(columns.length))
    const when = columns.map((column) => readCell(each, column))
    fixed(each, BigInt(results.length))
    const then = results.map(({ kind }) => {
      if (kind === kinds.bool) return each.bool()
      return kind === kinds.integer ? each.integer() : each.text()
    })
    index += 1
    return { index: index - 1, id, when, then }
  })
  const ranks = ({ then }: Row) =>
    results.map(({ values }, at) => values?.indexOf(String(then[at])) ?? 0)
  const inOrder = (one: Row, other: Row) => {
    const [ours, theirs] = [ranks(one), ranks(other)]
    const at = ours.findIndex((rank, place) => rank !== theirs[place])
    return at < 0 ? one.index - other.index : (ours[at] ?? 0) - (theirs[at] ?? 0)
  }
  return {
    name,
    isCollecting: hit === COLLECT,
    binding,
    columns,
    rows: hit === PRIORITY ? rows.toSorted(inOrder) : rows,
    decision: results.findIndex((result) => result.name === 'decision'),
  }
}

const readColumn: Read<Column> = (cbor) => {
  fixed(cbor, 4n)
  const name = cbor.text()
  const kind = cbor.unsigned()
  let [least, most, isOpen] = [0n, 0n, false]
  let known: readonly string[] = []
  if (kind === kinds.bool) {
    cbor.isNull()
  } else if (kind === kinds.set) {
    known = texts(cbor)
  } else {
    fixed(cbor, 2n)
    if (kind === kinds.text) {
      isOpen = cbor.bool()
      known = texts(cbor)
    } else {
      least = cbor.integer()
      most = cbor.integer()
    }
  }
  const byDefault = cbor.isNull() ? undefined : readDefault(cbor, kind)
  return { name, kind, least, most, isOpen, texts: known, byDefault }
}

function readDefault(cbor: Cbor, kind: bigint): Placed {
  if (kind === kinds.bool) return cbor.bool()
  return kind === kinds.set ? new Set(numbers(cbor)) : cbor.integer()
}

function readCell(cbor: Cbor, { kind }: Column): Cell {
  if (cbor.isNull()) return () => true
  if (kind === kinds.bool) {
    const wanted = cbor.bool()
    return (value) => value === wanted
  }
  if (kind === kinds.set) {
    fixed(cbor, 2n)
    const has = numbers(cbor)
    const lacks = numbers(cbor)
    return (value) => {
      const set = value as ReadonlySet<bigint>
      return has.every((one) => set.has(one)) && !lacks.some((one) => set.has(one))
    }
  }
  const list = numbers(cbor)
  if (kind === kinds.text) return (value) => list.includes(value as bigint)
  return (value) => {
    const number = value as bigint
    const isWithin = (from: bigint, at: number) =>
      from <= number && number <= (list[at + 1] ?? from)
    return list.some((from, at) => at % 2 === 0 && isWithin(from, at))
  }
}

function version(cbor: Cbor): void {
  hold(cbor.unsigned() === 1n, 'I22', 'rules of a version that is unknown')
}

function fixed(cbor: Cbor, length: bigint): void {
  hold(cbor.array() === length, 'I22', 'an array of the wrong length in the rules')
}

function items<T>(cbor: Cbor, read: Read<T>): T[] {
  const list: T[] = []
  for (let left = cbor.array(); left > 0n; left -= 1n) list.push(read(cbor))
  return list
}

const texts: Read<string[]> = (cbor) => items(cbor, (each) => each.text())
const numbers: Read<bigint[]> = (cbor) => items(cbor, (each) => each.integer())
