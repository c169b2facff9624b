/**
 * The journals of a store, held against each other: cash and suspended sales that moved between
 * terminals moved once. A journal is sound by itself when it says that cash came from another drawer;
 * only the other journal knows whether it left it.
 *
 * ```text
 *   giver                                     taker
 *   CashMoved sent      ◄── names ──────────  CashMoved received
 *   SaleSuspended       ◄── names ──────────  SaleBegun with takes
 *   CashArrived, SaleTransferred ── names ─►  the record that took it
 * ```
 * See "What moves between terminals" in `docs/reference/records.md`.
 */
import { blake3 } from '@noble/hashes/blake3.js'
import type { Fact, FactOf } from './bodies.js'
import type {
  OnItsWay,
  TerminalAudit,
  TransferAudit,
  TransferFault,
  TransferProblem,
} from './report.js'

/** Where a fact stands. */
export interface FactPlace {
  readonly sequence: bigint
  readonly hlc: bigint
  readonly wall: bigint
}

interface Spot extends FactPlace {
  readonly terminal: string
}

/** What moves; a sale by its number at the giver, and the hash of its records there. */
type Load =
  | {
      readonly is: 'cash'
      readonly currency?: string | undefined
      readonly amount?: bigint | undefined
    }
  | { readonly is: 'sale'; readonly sale: bigint; readonly content?: Uint8Array | undefined }

interface Left {
  readonly load: Load
  readonly to?: string
  readonly spot: Spot
}

interface Taken {
  readonly giver: string
  readonly load: Load
  readonly spot: Spot
  /** The giver's record, or the first of its records that may be the one. */
  readonly from: bigint
}

interface Told {
  readonly taker: string
  readonly sequence: bigint
  readonly spot: Spot
}

interface Way {
  left?: Left
  readonly taken: Taken[]
  readonly told: Told[]
}

const PROBLEMS_MAX = 1000
/** Problems that make what stands behind them unreadable. */
const breaking = new Set(['missing', 'damaged', 'contradiction', 'version'])

/** Everything that the journals say of things that moved, by ticket. */
export class Ways {
  readonly #ways = new Map<string, Way>()

  /** Takes in a fact; `logOf` gives the records so far of a sale that is open there. */
  see(
    terminal: string,
    fact: Fact,
    place: FactPlace,
    logOf: (sale: bigint) => Buffer | undefined,
  ): void {
    const spot: Spot = { ...place, terminal }
    switch (fact.name) {
      case 'CashMoved':
        this.#cash(fact, spot)
        return
      case 'CashArrived': {
        const told = { taker: fact.terminal, sequence: fact.otherSequence, spot }
        this.#of(cashTicket(terminal, fact.sent)).told.push(told)
        return
      }
      case 'SaleSuspended': {
        const log = logOf(fact.sale)
        const content = log && blake3(log)
        this.#of(fact.ticket).left = { load: { is: 'sale', sale: fact.sale, content }, spot }
        return
      }
      case 'SaleResumed': {
        const load = { is: 'sale', sale: fact.sale } as const
        const from = begunAt(fact.ticket)
        this.#of(fact.ticket).taken.push({ giver: terminal, load, spot, from })
        return
      }
      case 'SaleBegun': {
        if (fact.takes === undefined) return
        const { terminal: giver, sale, ticket, content } = fact.takes
        const from = begunAt(ticket)
        this.#of(ticket).taken.push({ giver, load: { is: 'sale', sale, content }, spot, from })
        return
      }
      case 'SaleTransferred': {
        const told = { taker: fact.terminal, sequence: fact.otherSequence, spot }
        this.#of(fact.ticket).told.push(told)
        return
      }
      default:
    }
  }

  /**
   * Terminals whose journals lack what others name. A till that sells meanwhile may have written it
   * after its journal was read, so they are read once more.
   */
  doubtful(): ReadonlySet<string> {
    const found = new Set<string>()
    for (const { left, taken, told } of this.#ways.values()) {
      for (const { giver } of taken) if (left?.spot.terminal !== giver) found.add(giver)
      for (const one of told) if (!isTaken(one, taken)) found.add(one.taker)
    }
    return found
  }

  /** Takes over from a second reading what was looked for, and nothing that is newer. */
  adopt(again: Ways): void {
    for (const [ticket, way] of this.#ways) {
      const { left, taken } = again.#ways.get(ticket) ?? { taken: [] }
      if (way.left === undefined && left !== undefined) way.left = left
      for (const told of way.told) {
        const named = taken.find((one) => isTaken(told, [one]))
        if (named !== undefined && !isTaken(told, way.taken)) way.taken.push(named)
      }
    }
  }

  /** Holds them against each other; `terminals` says how far each journal could be read. */
  judge(terminals: readonly TerminalAudit[]): TransferAudit {
    const judgement = new Judgement(new Map(terminals.map((audit) => [audit.id, audit])))
    for (const [ticket, way] of this.#ways) judgement.way(ticket, way)
    return judgement.report()
  }

  #cash(fact: FactOf<'CashMoved'>, spot: Spot): void {
    const { transfer, currency, amount } = fact
    if (transfer === undefined) return
    const load = { is: 'cash', currency, amount } as const
    const sent = transfer.sent ?? spot.sequence
    if (transfer.leg === 'sent') {
      this.#of(cashTicket(spot.terminal, sent)).left = { load, to: transfer.terminal, spot }
      return
    }
    const giver = transfer.leg === 'received' ? transfer.terminal : spot.terminal
    this.#of(cashTicket(giver, sent)).taken.push({ giver, load, spot, from: sent })
  }

  #of(ticket: string): Way {
    const known = this.#ways.get(ticket)
    if (known !== undefined) return known
    const way: Way = { taken: [], told: [] }
    this.#ways.set(ticket, way)
    return way
  }
}

/** One judgement under way. */
class Judgement {
  readonly #terminals: ReadonlyMap<string, TerminalAudit>
  readonly #waiting: { readonly ticket: string; readonly left: Left }[] = []
  readonly #problems: TransferProblem[] = []
  readonly #counts = {
    cashSent: 0,
    cashReceived: 0,
    cashTakenBack: 0,
    salesSuspended: 0,
    salesTakenOver: 0,
    salesResumed: 0,
    unjudged: 0,
  }

  constructor(terminals: ReadonlyMap<string, TerminalAudit>) {
    this.#terminals = terminals
  }

  way(ticket: string, { left, taken, told }: Way): void {
    this.#count(left, taken)
    const [first, ...further] = taken.toSorted((a, b) => inOrder(a.spot, b.spot))
    for (const one of taken) this.#taken(ticket, one, left)
    for (const { spot } of further) {
      const { sequence, terminal } = (first as Taken).spot
      this.#wrong(ticket, spot, 'twice', `record ${sequence} of ${terminal} took it before`)
    }
    for (const one of told) {
      if (isTaken(one, taken)) continue
      const what = `record ${one.sequence} of ${one.taker} does not take it`
      this.#missing(ticket, one.spot, one.taker, one.sequence, 'untaken', what)
    }
    if (left !== undefined && taken.length === 0 && told.length === 0) {
      this.#waiting.push({ ticket, left })
    }
  }

  report(): TransferAudit {
    const onTheirWay = this.#waiting
      .sort((a, b) => inOrder(a.left.spot, b.left.spot))
      .map(({ ticket, left }) => shown(ticket, left))
    const sums = new Map<string, { count: number; amount: number }>()
    for (const { currency, amount } of onTheirWay) {
      if (currency === undefined || amount === undefined) continue
      const sum = sums.get(currency) ?? { count: 0, amount: 0 }
      sums.set(currency, { count: sum.count + 1, amount: sum.amount + amount })
    }
    const problems = this.#problems.toSorted(
      (a, b) => byText(a.terminal, b.terminal) || a.sequence - b.sequence,
    )
    return {
      ...this.#counts,
      onTheirWay,
      cashOnItsWay: [...sums]
        .sort(([a], [b]) => byText(a, b))
        .map(([currency, sum]) => ({ currency, ...sum })),
      problems: problems.slice(0, PROBLEMS_MAX),
      problemCount: problems.length,
    }
  }

  #count(left: Left | undefined, taken: readonly Taken[]): void {
    if (left?.load.is === 'cash') this.#counts.cashSent += 1
    if (left?.load.is === 'sale') this.#counts.salesSuspended += 1
    for (const { giver, load, spot } of taken) {
      const isBack = giver === spot.terminal
      if (load.is === 'cash') this.#counts[isBack ? 'cashTakenBack' : 'cashReceived'] += 1
      else this.#counts[isBack ? 'salesResumed' : 'salesTakenOver'] += 1
    }
  }

  #taken(ticket: string, { giver, load, spot, from }: Taken, left: Left | undefined): void {
    if (left === undefined || left.spot.terminal !== giver) {
      const what = `the journal of ${giver} does not let it go`
      this.#missing(ticket, spot, giver, from, 'unsent', what)
      return
    }
    const { to } = left
    const where = `record ${left.spot.sequence} of ${giver}`
    if (to !== undefined && giver !== spot.terminal && to !== spot.terminal) {
      this.#wrong(ticket, spot, 'elsewhere', `${where} sent it to ${to}`)
    }
    if (isSame(left.load, load)) return
    this.#wrong(
      ticket,
      spot,
      'changed',
      `${named(load)} was taken, and ${where} let ${named(left.load)} go`,
    )
  }

  /** Tells of a record that another journal lacks, unless it may stand where that cannot be read. */
  #missing(
    ticket: string,
    spot: Spot,
    other: string,
    from: bigint,
    fault: TransferFault,
    what: string,
  ): void {
    const audit = this.#terminals.get(other)
    if (audit === undefined) {
      this.#wrong(ticket, spot, 'gone', `there is no journal of ${other} in this store`)
      return
    }
    const isBroken = audit.problems.some(({ kind }) => breaking.has(kind))
    if (isBroken || from < BigInt(audit.firstSequence)) this.#counts.unjudged += 1
    else this.#wrong(ticket, spot, fault, what)
  }

  #wrong(ticket: string, spot: Spot, fault: TransferFault, message: string): void {
    const { terminal, sequence } = spot
    this.#problems.push({ terminal, sequence: Number(sequence), ticket, fault, message })
  }
}

function cashTicket(terminal: string, sent: bigint): string {
  return `${terminal}.cash.${sent}`
}

/**
 * The first record of the sale of a ticket: `REGISTER_01.17.1203.1` names it third. What is no ticket
 * names one behind every journal.
 */
function begunAt(ticket: string): bigint {
  const [, sequence] = /^[^.]+\.\d+\.(\d+)\.\d+$/.exec(ticket) ?? []
  return sequence === undefined ? 2n ** 64n : BigInt(sequence)
}

function isTaken({ taker, sequence }: Told, taken: readonly Taken[]): boolean {
  return taken.some(({ spot }) => spot.terminal === taker && spot.sequence === sequence)
}

function isSame(left: Load, taken: Load): boolean {
  if (left.is === 'cash' && taken.is === 'cash') {
    return left.currency === taken.currency && left.amount === taken.amount
  }
  if (left.is === 'cash' || taken.is === 'cash' || left.sale !== taken.sale) return false
  if (left.content === undefined || taken.content === undefined) return true
  return Buffer.from(left.content).equals(taken.content)
}

function named(load: Load): string {
  return load.is === 'cash' ? `${load.currency} ${load.amount}` : `sale ${load.sale}`
}

function shown(ticket: string, { load, to, spot }: Left): OnItsWay {
  return {
    ticket,
    from: spot.terminal,
    sequence: Number(spot.sequence),
    at: new Date(Number(spot.wall / 1_000_000n)).toISOString(),
    ...(to !== undefined && { to }),
    ...(load.is === 'cash' &&
      load.currency !== undefined && { currency: load.currency, amount: Number(load.amount) }),
  }
}

function inOrder(one: Spot, other: Spot): number {
  if (one.hlc !== other.hlc) return one.hlc < other.hlc ? -1 : 1
  return byText(one.terminal, other.terminal) || Number(one.sequence - other.sequence)
}

function byText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
