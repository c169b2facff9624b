/**
 * The state of a terminal, as the facts make it: the next numbers, the perpetual totals, the open
 * sales, the remembered keys. Guards I6, I9 and I13, and with checkpoints I16.
 */
import {
  type CheckpointBody,
  type CheckpointSaleBody,
  decodeFact,
  type Fact,
  type FactOf,
  type OpenSaleFact,
} from './bodies.js'
import { Contradiction, hold } from './contradiction.js'
import { isCoordinationFact, Others } from './coordination-bodies.js'
import { Desk } from './desk.js'
import { isDeskFact } from './desk-bodies.js'
import { KeyWindow } from './key-window.js'
import {
  blankTotals,
  type CurrencyTotals,
  holdUnmoved,
  shownTotals,
  TAXES_MAX,
  withSale,
} from './perpetual.js'
import { decodePolicy } from './pricing/policy.js'
import { taxKey } from './pricing/tax.js'
import { isProofKind, type ProofFact } from './proof-bodies.js'
import { RuleTables } from './rules.js'
import { type Completed, isHashOf, Sale } from './sale.js'
import { Proofs } from './signing.js'

/** Where a fact stands. */
export interface Place {
  readonly sequence: bigint
  /** Wall time of its frame. */
  readonly wall: bigint
}

/** A checkpoint with the sales behind it. */
export interface Checkpoint {
  readonly head: CheckpointBody
  readonly sales: readonly CheckpointSaleBody[]
  /** What is odd about the order of its parts. */
  readonly form: readonly string[]
}

/** A terminal. */
export class Till {
  #nextSale: bigint
  #nextReceipt: bigint
  readonly #totals: Map<string, CurrencyTotals>
  /** The canonical bytes of the policies that are set, by currency. */
  readonly #policies: Map<string, Buffer>
  /** By number; numbers only grow, so the order of the map is theirs. */
  readonly #open: Map<bigint, Sale>
  /** The canonical bytes of the rules that are set. */
  #rules: Buffer | undefined
  /** The same, read when something is judged for the first time. */
  #tables: RuleTables | undefined
  readonly #keys: KeyWindow
  readonly #desk: Desk
  readonly #others: Others
  /** Who signs, what is unsigned, what was archived. */
  readonly proofs: Proofs

  readonly #onCompleted: (completed: Completed) => void

  /** A till in the state that a checkpoint describes, which is believed. */
  constructor(
    { head, sales }: Checkpoint,
    sequence: bigint,
    onCompleted: (completed: Completed) => void,
  ) {
    this.#onCompleted = onCompleted
    this.#nextSale = head.nextSale
    this.#nextReceipt = head.nextReceipt
    this.#totals = new Map(head.totals.map((totals) => [totals.currency, totals]))
    this.#policies = policiesOf(head)
    this.#rules = head.rules
    this.#desk = new Desk(head.till)
    this.#others = new Others(head.coordination)
    this.#keys = KeyWindow.of(head.keysMax, head.keys)
    this.#keys.checkpoint(sequence)
    this.proofs = Proofs.of(head.signing, head.archived, head.nextReceipt)
    this.#open = new Map(sales.map((sale) => [sale.sale, saleOf(sale)]))
    hold(this.#totals.size === head.totals.length, 'I16', 'a currency stands twice')
    hold(this.#policies.size === head.policies.length, 'I16', 'a policy stands twice')
    hold(this.#open.size === sales.length, 'I16', 'an open sale stands twice')
    for (const { taxes } of head.totals) {
      const isTwice = new Set(taxes.map(({ tax }) => taxKey(tax))).size < taxes.length
      hold(!isTwice, 'I16', 'a tax stands twice')
      hold(taxes.length <= TAXES_MAX, 'I16', `${taxes.length} taxes in one currency`)
    }
    for (const { sale } of sales) {
      hold(sale >= 1n && sale < head.nextSale, 'I16', `open sale ${sale} of ${head.nextSale}`)
    }
  }

  /** The number of the next receipt. */
  get nextReceipt(): bigint {
    return this.#nextReceipt
  }

  /** Sales that are open. */
  get openSales(): number {
    return this.#open.size
  }

  /** The totals, by currency, in the order of the letters. */
  get totals(): readonly CurrencyTotals[] {
    return [...this.#totals.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1))
  }

  /** Holds the first checkpoint of segment 1 to be blank. */
  holdBlank(): void {
    const isBlank =
      this.#nextSale === 1n &&
      this.#nextReceipt === 1n &&
      this.#totals.size === 0 &&
      this.#policies.size === 0 &&
      this.#rules === undefined &&
      this.#desk.shown() === new Desk(undefined).shown() &&
      this.#others.shown() === new Others(undefined).shown() &&
      this.#open.size === 0 &&
      this.#keys.all().length === 0 &&
      this.proofs.signer === undefined &&
      this.proofs.archived === undefined
    hold(isBlank, 'I16', 'the first checkpoint of the first segment is not blank')
  }

  /** Holds a checkpoint against the state: it must say exactly this. */
  compare({ head, sales }: Checkpoint, isFirstOfSegment: boolean): void {
    const differs = (what: string, is: unknown, said: unknown) =>
      `the checkpoint says ${what} ${String(said)}, the facts before it ${String(is)}`
    const same = (what: string, is: unknown, said: unknown) =>
      hold(is === said, 'I16', differs(what, is, said))
    same('nextSale', this.#nextSale, head.nextSale)
    same('nextReceipt', this.#nextReceipt, head.nextReceipt)
    same('totals', shownTotals(this.totals), shownTotals(head.totals))
    same('policies', hexOf(this.#policies), hexOf(policiesOf(head)))
    same('rules', this.#rules?.toString('hex'), head.rules?.toString('hex'))
    same('at the desk', this.#desk.shown(), new Desk(head.till).shown())
    same('of the others', this.#others.shown(), new Others(head.coordination).shown())
    this.proofs.compare(head.signing, head.archived)
    same('keysMax', this.#keys.max, head.keysMax)
    const keys = isFirstOfSegment ? this.#keys.all() : this.#keys.newest()
    hold(keys.equals(head.keys), 'I16', 'the checkpoint holds other keys than the facts before it')
    same('open sales', [...this.#open.keys()].join(), sales.map(({ sale }) => sale).join())
    for (const said of sales) {
      const sale = this.#open.get(said.sale)
      const what = `sale ${said.sale}`
      same(`of ${what} firstSequence`, sale?.firstSequence, said.firstSequence)
      same(`of ${what} beganNs`, sale?.beganNs, said.beganNs)
      same(`of ${what} recovered`, sale?.isRecovered, said.recovered)
      hold(sale?.log().equals(said.log) === true, 'I16', `the log of ${what} is another`)
    }
  }

  /** The records so far of an open sale; undefined when there is none. */
  logOf(sale: bigint): Buffer | undefined {
    return this.#open.get(sale)?.log()
  }

  /** True when a fact carries a key that is remembered, so that it should not have been made. */
  remembersKeyOf(fact: Fact): boolean {
    return 'key' in fact && fact.key !== undefined && this.#keys.has(fact.key)
  }

  /** Says that a checkpoint stands here: keys from now on are new to the next one. */
  checkpoint(sequence: bigint): void {
    this.#keys.checkpoint(sequence)
  }

  /** Folds in a fact; `kind` and `body` are what it was read from. */
  apply(fact: Fact, kind: number, body: Buffer, place: Place): void {
    if (isProof(fact, kind)) {
      this.proofs.apply(fact, place.sequence, this.#nextReceipt)
      return
    }
    if (isDeskFact(fact)) {
      const { nextReceipt, openSales, totals } = this
      this.#desk.apply(fact, { sequence: place.sequence, nextReceipt, openSales, totals })
      if ('key' in fact && fact.key !== undefined) this.#keys.remember(fact.key, place.sequence)
      return
    }
    if (isCoordinationFact(fact)) {
      this.#desk.witness(fact)
      this.#others.apply(fact)
      return
    }
    this.#desk.witness(fact)
    switch (fact.name) {
      case 'TerminalOpened':
        this.#holdOpen(fact.sales)
        for (const sale of this.#open.values()) sale.isRecovered = true
        this.proofs.opened(this.#nextReceipt)
        return
      case 'TerminalClosed':
        this.#holdOpen(fact.sales)
        return
      case 'PolicySet':
        this.#setPolicy(fact)
        break
      case 'RulesSet':
        hold(isHashOf(fact.hash, fact.rules), 'I20', 'the hash is not that of the rules')
        this.#rules = Buffer.from(fact.rules)
        this.#tables = undefined
        break
      case 'SaleBegun':
        this.#begin(fact, kind, body, place)
        break
      case 'SaleCompleted':
        this.#complete(fact, place)
        if (fact.circle !== 'training') this.proofs.completed(fact.receipt)
        break
      case 'SaleVoided':
        this.#void(fact)
        break
      case 'SaleTransferred':
        this.#openSale(fact.sale).transfer(fact)
        this.#open.delete(fact.sale)
        return
      default: {
        const sale = this.#openSale(fact.sale)
        if (!sale.isCopy(place.sequence)) this.#holdRules(sale, fact)
        sale.apply(fact)
        sale.remember(kind, body)
      }
    }
    if (fact.key !== undefined) this.#keys.remember(fact.key, place.sequence)
  }

  /** Holds the rows that spoke of a fact against the tables that are set. */
  #holdRules(sale: Sale, fact: OpenSaleFact): void {
    const asked = sale.asked(fact)
    const hits = 'rules' in fact ? fact.rules : []
    if (this.#rules !== undefined) this.#tables ??= new RuleTables(this.#rules)
    if (asked === undefined || this.#tables === undefined) {
      hold(hits.length === 0, 'I22', 'rows of rule tables spoke where none are asked')
      return
    }
    this.#tables.hold(hits, asked)
  }

  #setPolicy({ policy, hash }: FactOf<'PolicySet'>): void {
    const { currency } = decodePolicy(policy)
    hold(isHashOf(hash, policy), 'I20', `the hash is not that of the policy for ${currency}`)
    this.#policies.set(currency, Buffer.from(policy))
  }

  #begin(fact: FactOf<'SaleBegun'>, kind: number, body: Buffer, place: Place): void {
    hold(fact.sale === this.#nextSale, 'I6', `sale ${fact.sale}, where ${this.#nextSale} is next`)
    const { isTraining } = this.#desk
    hold((fact.training ?? false) === isTraining, 'I17', `training is ${isTraining}`)
    const set = this.#policies.get(fact.currency)
    const isSet = set === undefined ? fact.policy === undefined : fact.policy?.equals(set)
    // A sale that was suspended elsewhere is priced as it was there.
    hold(
      isSet === true || fact.takes !== undefined,
      'I20',
      `the policy is not the one that is set for ${fact.currency}`,
    )
    const sale = new Sale(fact, place.sequence, place.wall)
    sale.remember(kind, body)
    this.#open.set(fact.sale, sale)
    this.#nextSale += 1n
  }

  #complete(fact: FactOf<'SaleCompleted'>, { sequence }: Place): void {
    const sale = this.#openSale(fact.sale)
    const isTraining = sale.begun.training === true
    const circle = isTraining ? 'training' : 'sale'
    hold((fact.circle ?? 'sale') === circle, 'I17', `the receipt is one of the circle ${circle}`)
    const next = isTraining ? this.#desk.nextTraining : this.#nextReceipt
    hold(fact.receipt === next, 'I6', `receipt ${fact.receipt}, where ${next} is next`)
    this.#holdRules(sale, fact)
    const taken = sale.complete(fact)
    this.#open.delete(fact.sale)
    const before = this.#totalsOf(fact.currency)
    if (isTraining) {
      holdUnmoved(before, fact)
      this.#desk.trained()
      return
    }
    this.#totals.set(fact.currency, withSale(before, taken, fact))
    this.#nextReceipt += 1n
    this.#desk.sold(fact.currency, taken.tenders, fact.change)
    this.#onCompleted({ sequence, receipt: fact.receipt, sale })
  }

  #void(fact: FactOf<'SaleVoided'>): void {
    const sale = this.#openSale(fact.sale)
    sale.void(fact)
    this.#open.delete(fact.sale)
    const before = this.#totalsOf(fact.currency)
    const isTraining = sale.begun.training === true
    const voids = before.voids + (isTraining ? 0n : 1n)
    hold(fact.totalVoids === voids, 'I9', `void ${fact.totalVoids}, where it is the ${voids}th`)
    if (!isTraining) this.#totals.set(fact.currency, { ...before, voids })
  }

  #openSale(number: bigint): Sale {
    const sale = this.#open.get(number)
    if (sale === undefined) throw new Contradiction(`sale ${number} is not open`, 'I6')
    return sale
  }

  #totalsOf(currency: string): CurrencyTotals {
    return this.#totals.get(currency) ?? blankTotals(currency)
  }

  #holdOpen(said: readonly bigint[]): void {
    const open = [...this.#open.keys()]
    const isSame = open.length === said.length && open.every((sale, index) => sale === said[index])
    hold(isSame, 'I16', `open sales ${said.join()}, where they are ${open.join()}`)
  }
}

/** True for a fact that concerns no sale and no counter, but the proof of them. */
function isProof(fact: Fact, kind: number): fact is ProofFact {
  return isProofKind(kind) && fact !== undefined
}

/** A sale out of a checkpoint: what its log folds to. */
function saleOf({
  sale: number,
  firstSequence,
  beganNs,
  recovered,
  log,
}: CheckpointSaleBody): Sale {
  let sale: Sale | undefined
  for (const { kind, body } of recordsOf(log)) {
    const fact = decodeFact(kind, body)
    if (isDeskFact(fact) || isCoordinationFact(fact)) {
      throw new Contradiction(`the log of sale ${number} holds ${fact.name}`, 'I16')
    } else if (sale === undefined) {
      hold(fact.name === 'SaleBegun', 'I16', `the log of sale ${number} does not begin it`)
      if (fact.name !== 'SaleBegun') break
      sale = new Sale(fact, firstSequence, beganNs, recovered)
    } else if (
      isProof(fact, kind) ||
      fact.name === 'TerminalOpened' ||
      fact.name === 'TerminalClosed' ||
      fact.name === 'PolicySet' ||
      fact.name === 'RulesSet' ||
      fact.name === 'SaleBegun' ||
      fact.name === 'SaleCompleted' ||
      fact.name === 'SaleVoided' ||
      fact.name === 'SaleTransferred'
    ) {
      throw new Contradiction(`the log of sale ${number} holds ${fact.name}`, 'I16')
    } else {
      sale.apply(fact)
    }
    hold('sale' in fact && fact.sale === number, 'I16', `another sale in the log of ${number}`)
    sale.remember(kind, body)
  }
  if (sale === undefined) throw new Contradiction(`the log of sale ${number} is empty`, 'I16')
  return sale
}

function* recordsOf(log: Buffer): Generator<{ kind: number; body: Buffer }> {
  const HEAD_BYTES = 6
  for (let at = 0; at < log.length; ) {
    hold(log.length - at >= HEAD_BYTES, 'I16', 'a log ends in the middle of a record')
    const kind = log.readUInt16LE(at)
    const size = log.readUInt32LE(at + 2)
    const bodyAt = at + HEAD_BYTES
    hold(size <= log.length - bodyAt, 'I16', 'a log ends in the middle of a record')
    yield { kind, body: log.subarray(bodyAt, bodyAt + size) }
    at = bodyAt + size
  }
}

function policiesOf({ policies }: CheckpointBody): Map<string, Buffer> {
  return new Map(policies.map((policy) => [decodePolicy(policy).currency, policy]))
}

/** In the order of the currencies. */
function hexOf(policies: ReadonlyMap<string, Buffer>): string {
  return [...policies]
    .map(([letters, policy]) => `${letters} ${policy.toString('hex')}`)
    .sort()
    .join()
}
