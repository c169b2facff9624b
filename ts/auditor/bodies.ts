/**
 * What stands in the bodies: one table of fields for each kind of record, as in
 * `docs/reference/records.md`, and the types that come out of it.
 */
import { Cbor, type Field, type Read, type Shaped } from './cbor.js'
import { Contradiction, NewerVersion } from './contradiction.js'
import { isCurrency } from './currency.js'

/** Amounts lie within this on both sides of zero. */
export const AMOUNT_MAX = 2n ** 53n - 1n

/** An exact decimal: mantissa / 10^scale. */
export interface Decimal {
  readonly scale: number
  readonly mantissa: bigint
}

const U32_MAX = 2n ** 32n - 1n
const I64_MIN = -(2n ** 63n)
const I64_MAX = 2n ** 63n - 1n
const SCALE_MAX = 6n
const BODY_VERSION = 1

const u64: Read<bigint> = (cbor) => cbor.unsigned()
const u32: Read<number> = (cbor) => Number(between(cbor.unsigned(), 0n, U32_MAX, 'a u32'))
const i64: Read<bigint> = (cbor) => between(cbor.integer(), I64_MIN, I64_MAX, 'an i64')
const amount: Read<bigint> = (cbor) => between(cbor.integer(), -AMOUNT_MAX, AMOUNT_MAX, 'an amount')
const unsignedAmount: Read<bigint> = (cbor) => between(cbor.integer(), 0n, AMOUNT_MAX, 'a total')
/** Counters end where sequences do. */
const count: Read<bigint> = (cbor) => between(cbor.unsigned(), 0n, I64_MAX - 1n, 'a count')
const countFromOne: Read<bigint> = (cbor) =>
  between(cbor.unsigned(), 1n, I64_MAX - 1n, 'a number from 1')
const bool: Read<boolean> = (cbor) => cbor.bool()
const text: Read<string> = (cbor) => cbor.text()
const bytes: Read<Buffer> = (cbor) => cbor.bytes()
const hash: Read<Buffer> = (cbor) => {
  const value = cbor.bytes()
  if (value.length !== 32) throw new Contradiction(`a hash of ${value.length} bytes`)
  return value
}
const currency: Read<string> = (cbor) => {
  const letters = cbor.text()
  if (!isCurrency(letters)) throw new Contradiction(`"${letters}" is no currency`)
  return letters
}
const decimal: Read<Decimal> = (cbor) => {
  if (cbor.array() !== 2n) throw new Contradiction('a decimal is an array of two')
  const scale = -between(cbor.integer(), -SCALE_MAX, 0n, 'the scale of a decimal')
  return { scale: Number(scale), mantissa: i64(cbor) }
}
const tenderKind = oneOf('kind of tender', { 1: 'cash', 2: 'card' } as const)
const tenderState = oneOf('state of tender', {
  1: 'pending',
  2: 'confirmed',
  3: 'declined',
  4: 'voided',
} as const)

const key = map({ text: required(0, text), fingerprint: required(1, u64) })
const owner = map({
  pid: required(0, u32),
  host: required(1, text),
  version: required(2, text),
  startedNs: required(3, i64),
  hostVersion: optional(4, text),
})
const cut = map({
  segment: required(0, u32),
  offset: required(1, u32),
  bytes: required(2, u32),
  keptAs: required(3, text),
})
const takenTender = map({
  tender: required(0, u32),
  kind: required(1, tenderKind),
  amount: required(2, amount),
})
const totals = map({
  currency: required(0, currency),
  sales: required(1, unsignedAmount),
  returns: required(2, unsignedAmount),
  receipts: required(3, count),
  voids: required(4, count),
})

const inSale = { sale: required(0, u64), key: optional(15, key) }
const changedTender = {
  ...inSale,
  tender: required(1, u32),
  due: required(6, amount),
  change: required(7, amount),
}

/** The kinds of facts: number, name, fields. */
const facts = {
  20: named('TerminalOpened', {
    owner: required(0, owner),
    clean: required(1, bool),
    previous: optional(2, owner),
    cut: optional(3, cut),
    sales: list(4, u64),
  }),
  21: named('TerminalClosed', { sales: list(0, u64) }),
  32: named('SaleBegun', {
    ...inSale,
    store: required(1, text),
    currency: required(2, currency),
    reference: optional(3, text),
  }),
  33: named('LineAdded', {
    ...inSale,
    line: required(1, u32),
    sku: required(2, text),
    text: optional(3, text),
    quantity: required(4, decimal),
    unitPrice: required(5, decimal),
    amount: required(6, amount),
    gross: required(7, amount),
    parent: optional(8, u32),
  }),
  34: named('LineVoided', {
    ...inSale,
    line: required(1, u32),
    reason: required(2, text),
    gross: required(7, amount),
  }),
  35: named('QuantitySet', {
    ...inSale,
    line: required(1, u32),
    reason: required(2, text),
    quantity: required(4, decimal),
    amount: required(6, amount),
    gross: required(7, amount),
  }),
  36: named('TenderAdded', {
    ...changedTender,
    kind: required(2, tenderKind),
    amount: required(3, amount),
    state: required(4, tenderState),
    reference: optional(5, text),
  }),
  37: named('TenderConfirmed', { ...changedTender, auth: optional(2, text) }),
  38: named('TenderDeclined', { ...changedTender, reason: required(2, text) }),
  39: named('TenderVoided', { ...changedTender, reason: required(2, text) }),
  40: named('SaleCompleted', {
    ...inSale,
    receipt: required(1, u64),
    firstSequence: required(2, u64),
    currency: required(3, currency),
    lines: required(4, u32),
    content: required(5, hash),
    gross: required(6, amount),
    tendered: required(7, amount),
    change: required(8, amount),
    tenders: list(9, takenTender),
    totalSales: required(10, amount),
    totalReturns: required(11, amount),
    reference: optional(12, text),
  }),
  41: named('SaleVoided', {
    ...inSale,
    reason: required(1, text),
    currency: required(3, currency),
    gross: required(6, amount),
    totalVoids: required(10, u64),
  }),
}

const checkpoint = map({
  nextSale: required(0, countFromOne),
  nextReceipt: required(1, countFromOne),
  totals: list(2, totals),
  keys: required(3, bytes),
  keysMax: required(4, u64),
  sales: required(5, u64),
})

const checkpointSale = map({
  sale: required(0, u64),
  firstSequence: required(1, u64),
  beganNs: required(2, i64),
  recovered: required(3, bool),
  log: required(4, bytes),
})

/** A fact, by its name. */
export type Fact = ReturnType<(typeof facts)[keyof typeof facts]>
/** A fact of one kind. */
export type FactOf<Name extends Fact['name']> = Extract<Fact, { name: Name }>
/** A fact about a sale. */
export type SaleFact = Exclude<Fact, { name: 'TerminalOpened' | 'TerminalClosed' }>
/** A fact that changes a sale that is open. */
export type OpenSaleFact = Exclude<SaleFact, { name: 'SaleBegun' }>
/** The key of a fact. */
export type Key = ReturnType<typeof key>
/** The first record of a checkpoint. */
export type CheckpointBody = ReturnType<typeof checkpoint>
/** An open sale in a checkpoint. */
export type CheckpointSaleBody = ReturnType<typeof checkpointSale>

/** Kinds that are no facts. */
export const kinds = {
  seal: 1,
  checkpoint: 16,
  checkpointSale: 17,
  opened: 20,
  closed: 21,
} as const

/** Decodes the body of a fact. */
export function decodeFact(kind: number, body: Buffer): Fact {
  const read = (facts as Record<number, Read<Fact>>)[kind]
  if (read === undefined) throw new NewerVersion(`a record of kind ${kind}`)
  return Cbor.whole(body, read)
}

/** Decodes the first record of a checkpoint. */
export function decodeCheckpoint(body: Buffer): CheckpointBody {
  return Cbor.whole(body, checkpoint)
}

/** Decodes a further record of a checkpoint. */
export function decodeCheckpointSale(body: Buffer): CheckpointSaleBody {
  return Cbor.whole(body, checkpointSale)
}

/** Refuses a record that this version cannot know. */
export function checkVersion(kind: number, flags: number): void {
  if (kind === kinds.seal) return
  const isKnown = kind === kinds.checkpoint || kind === kinds.checkpointSale || kind in facts
  if (!isKnown) throw new NewerVersion(`a record of kind ${kind}`)
  if (flags !== BODY_VERSION) throw new NewerVersion(`a record of kind ${kind}, version ${flags}`)
}

function map<Shape extends Record<string, Field<unknown>>>(shape: Shape): Read<Shaped<Shape>> {
  return (cbor) => cbor.map(shape)
}

function named<Name extends string, Shape extends Record<string, Field<unknown>>>(
  name: Name,
  shape: Shape,
): Read<Shaped<Shape> & { readonly name: Name }> {
  return (cbor) => ({ name, ...cbor.map(shape) })
}

function required<T>(key: number, read: Read<T>): Field<T> {
  return { key: BigInt(key), read }
}

function optional<T>(key: number, read: Read<T>): Field<T | undefined> {
  return {
    key: BigInt(key),
    read: (cbor) => (cbor.isNull() ? undefined : read(cbor)),
    absent: { value: undefined },
  }
}

function list<T>(key: number, read: Read<T>): Field<readonly T[]> {
  return {
    key: BigInt(key),
    read: (cbor) => {
      const values: T[] = []
      for (let left = cbor.array(); left > 0n; left -= 1n) values.push(read(cbor))
      return values
    },
    absent: { value: [] },
  }
}

function oneOf<Value extends string>(
  what: string,
  values: Readonly<Record<number, Value>>,
): Read<Value> {
  return (cbor) => {
    const number = cbor.unsigned()
    const value = number <= 4n ? values[Number(number)] : undefined
    if (value === undefined) throw new Contradiction(`${number} is no ${what}`)
    return value
  }
}

function between(value: bigint, low: bigint, high: bigint, what: string): bigint {
  if (value < low || value > high) throw new Contradiction(`${value} is out of range for ${what}`)
  return value
}
