/**
 * What stands in the bodies: one table of fields for each kind of record, as in
 * `docs/reference/records.md`, and the types that come out of it.
 */
import { Cbor, type Read } from './cbor.js'
import { NewerVersion } from './contradiction.js'
import {
  type CoordinationFact,
  checkpointCoordination,
  coordinationFacts,
} from './coordination-bodies.js'
import { circle, type DeskFact, desk, deskFacts } from './desk-bodies.js'
import {
  checkpointArchived,
  checkpointSigning,
  type ProofFact,
  proofFacts,
} from './proof-bodies.js'
import {
  adjustment,
  completedSums,
  cut,
  foreignAmount,
  key,
  lineKind,
  operator,
  owner,
  perpetualSums,
  returnsOf,
  soldAt,
  soldFor,
  sums,
  takenOver,
  takenTender,
  tax,
  tenderKind,
  tenderState,
  totals,
} from './shared-maps.js'
import {
  amount,
  bool,
  bytes,
  countFromOne,
  currency,
  decimal,
  hash,
  i64,
  list,
  map,
  named,
  optional,
  orZero,
  required,
  text,
  u32,
  u64,
} from './values.js'

const BODY_VERSION = 1

/** A row of a rule table that spoke of a line, a tender or a sale. */
const ruleHit = map({ table: required(0, u32), row: required(1, u32) })
/** What the host said and a table asks for. */
const ruleAttribute = map({
  name: required(0, text),
  flag: optional(1, bool),
  number: optional(2, decimal),
  text: optional(3, text),
  members: list(4, text),
})
/** The rows that spoke. */
const rules = list(17, ruleHit)
const attributes = list(19, ruleAttribute)
const inSale = { sale: required(0, u64), key: optional(15, key) }
const changedTender = {
  ...inSale,
  tender: required(1, u32),
  due: required(6, amount),
  change: required(7, amount),
  rounding: orZero(10),
}
/** A change of lines, and what the sale comes to after it. */
const changedLines = { ...inSale, gross: required(7, amount), sums: optional(12, sums) }
const line = required(1, u32)
const reason = required(2, text)
const taxes = list(11, tax)
const approval = optional(14, u64)
const decided = { reason, operator, approval }
const ticketed = { ticket: required(3, text), operator }

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
  22: named('PolicySet', {
    policy: required(0, bytes),
    hash: required(1, hash),
    operator,
    approval,
    key: optional(15, key),
  }),
  23: named('RulesSet', {
    rules: required(0, bytes),
    hash: required(1, hash),
    operator,
    approval,
    key: optional(15, key),
  }),
  32: named('SaleBegun', {
    ...inSale,
    store: required(1, text),
    currency: required(2, currency),
    reference: optional(3, text),
    training: optional(4, bool),
    operator: optional(5, text),
    policy: optional(6, bytes),
    returns: optional(7, returnsOf),
    takes: optional(8, takenOver),
  }),
  33: named('LineAdded', {
    ...changedLines,
    line,
    sku: required(2, text),
    text: optional(3, text),
    quantity: required(4, decimal),
    unitPrice: required(5, decimal),
    amount: required(6, amount),
    parent: optional(8, u32),
    kind: optional(9, lineKind),
    per: optional(10, decimal),
    taxes,
    approval,
    rules,
    goodsClass: optional(18, text),
    attributes,
  }),
  34: named('LineVoided', { ...changedLines, ...decided, line }),
  35: named('QuantitySet', {
    ...changedLines,
    ...decided,
    line,
    quantity: required(4, decimal),
    amount: required(6, amount),
    rules,
  }),
  36: named('TenderAdded', {
    ...changedTender,
    kind: required(2, tenderKind),
    amount: required(3, amount),
    state: required(4, tenderState),
    reference: optional(5, text),
    tip: orZero(8),
    foreign: optional(9, foreignAmount),
    approval,
    rules,
    attributes,
  }),
  37: named('TenderConfirmed', { ...changedTender, auth: optional(2, text) }),
  38: named('TenderDeclined', { ...changedTender, ...decided }),
  39: named('TenderVoided', { ...changedTender, ...decided }),
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
    operator,
    circle: optional(14, circle),
    sums: optional(16, completedSums),
    rules,
    policy: optional(18, hash),
    perpetual: optional(19, perpetualSums),
  }),
  41: named('SaleVoided', {
    ...inSale,
    reason: required(1, text),
    currency: required(3, currency),
    idleNs: optional(4, u64),
    gross: required(6, amount),
    totalVoids: required(10, u64),
    operator,
    approval,
  }),
  42: named('PriceOverridden', {
    ...changedLines,
    ...decided,
    line,
    unitPrice: required(5, decimal),
    amount: required(6, amount),
    per: optional(10, decimal),
    rules,
  }),
  43: named('TaxesOverridden', {
    ...changedLines,
    ...decided,
    line,
    amount: required(6, amount),
    taxes,
  }),
  44: named('LineAdjusted', {
    ...changedLines,
    ...decided,
    line,
    number: required(3, u32),
    adjustment: required(4, adjustment),
    adjusted: required(5, amount),
    amount: required(6, amount),
  }),
  45: named('SaleAdjusted', {
    ...changedLines,
    ...decided,
    firstSequence: required(1, u64),
    number: required(3, u32),
    adjustment: required(4, adjustment),
    adjusted: required(5, amount),
  }),
  46: named('AdjustmentRetracted', {
    ...changedLines,
    ...decided,
    number: required(3, u32),
    adjusted: required(5, amount),
  }),
  47: named('LineReturned', {
    ...changedLines,
    ...decided,
    line,
    of: required(3, soldAt),
    quantity: required(4, decimal),
    unitPrice: required(5, decimal),
    amount: required(6, amount),
    sku: required(8, text),
    kind: optional(9, lineKind),
    per: optional(10, decimal),
    taxes,
    taxAmounts: list(16, i64),
    sold: required(18, soldFor),
    text: optional(19, text),
  }),
  48: named('SaleSuspended', { ...inSale, ...ticketed, reason }),
  49: named('SaleResumed', { ...inSale, ...ticketed }),
  50: named('SaleTransferred', {
    sale: required(0, u64),
    ticket: required(3, text),
    terminal: required(4, text),
    otherSale: required(5, u64),
    otherSequence: required(6, u64),
  }),
  ...deskFacts,
  ...proofFacts,
  ...coordinationFacts,
}

const checkpoint = map({
  nextSale: required(0, countFromOne),
  nextReceipt: required(1, countFromOne),
  totals: list(2, totals),
  keys: required(3, bytes),
  keysMax: required(4, u64),
  sales: required(5, u64),
  policies: list(6, bytes),
  rules: optional(7, bytes),
  till: optional(16, desk),
  signing: optional(20, checkpointSigning),
  archived: optional(21, checkpointArchived),
  coordination: optional(24, checkpointCoordination),
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
export type SaleFact = Exclude<
  Fact,
  | DeskFact
  | ProofFact
  | CoordinationFact
  | { name: 'TerminalOpened' | 'TerminalClosed' | 'PolicySet' | 'RulesSet' }
>
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
