/**
 * One open sale: what its facts add up to, and the conditions each further fact has to meet. The
 * arithmetic is that of `pricing/`. Guards I1, I2, I5 and I11.
 */
import { blake3 } from '@noble/hashes/blake3.js'
import type { FactOf, OpenSaleFact } from './bodies.js'
import { Contradiction, hold } from './contradiction.js'
import type { CountedTender } from './desk-bodies.js'
import { Cart } from './pricing/cart.js'
import type { Line } from './pricing/line.js'
import { decodePolicy, defaultPolicy, type Policy } from './pricing/policy.js'
import { negated, ratioOf, sum } from './pricing/rational.js'
import { giveBack } from './pricing/returns.js'
import { roundToStep } from './pricing/rounding.js'
import { sameTax } from './pricing/tax.js'
import { type Turnover, turnoverOf } from './pricing/turnover.js'
import type { ReturnedPart, SoldLine } from './returned.js'
import type { Asked, Facts } from './rules.js'
import { Tenders } from './tenders.js'
import type { Decimal } from './values.js'

/** The facts of a sale, except those that end it. */
export type ContentFact = Exclude<
  OpenSaleFact,
  { name: 'SaleCompleted' | 'SaleVoided' | 'SaleTransferred' }
>
/** Those that change its lines. */
type LinesFact = Exclude<
  ContentFact,
  { readonly tender: number } | { name: 'SaleSuspended' | 'SaleResumed' }
>

/** What the completion of a sale adds to the perpetual totals. */
export interface Taken {
  readonly turnover: Turnover
  readonly rounding: bigint
  /** The confirmed ones. */
  readonly tenders: readonly CountedTender[]
}

/** A sale that was completed. */
export interface Completed {
  readonly sequence: bigint
  readonly receipt: bigint
  readonly sale: Sale
}

/** What a change of lines says that the sale comes to after it. */
type Outcome = Pick<FactOf<'LineAdded'>, 'gross' | 'sums'>

const one: Decimal = { mantissa: 1n, scale: 0 }

/** An open sale. */
export class Sale {
  readonly begun: FactOf<'SaleBegun'>
  readonly firstSequence: bigint
  /** The wall time of the frame of its first fact. */
  readonly beganNs: bigint
  /** An owner has begun since it began. */
  isRecovered: boolean
  readonly #policy: Policy
  readonly #cart: Cart
  /** The line that each line belongs to. */
  readonly #parents: (number | undefined)[] = []
  /** What rules ask of the lines that were sold here, by their numbers. */
  readonly #goods = new Map<
    number,
    Pick<FactOf<'LineAdded'>, 'sku' | 'goodsClass' | 'attributes'>
  >()
  /** What came back with a receipt, by its line. */
  readonly #returned = new Map<number, ReturnedPart>()
  readonly #tenders: Tenders
  /** What a suspended sale waits for. */
  #ticket: string | undefined
  readonly #log: Buffer[] = []

  constructor(
    begun: FactOf<'SaleBegun'>,
    firstSequence: bigint,
    beganNs: bigint,
    isRecovered = false,
  ) {
    this.begun = begun
    this.firstSequence = firstSequence
    this.beganNs = beganNs
    this.isRecovered = isRecovered
    const { policy, currency } = begun
    this.#policy = policy === undefined ? defaultPolicy(currency) : decodePolicy(policy)
    hold(this.#policy.currency === currency, 'I1', 'the policy of a sale is for another currency')
    this.#cart = new Cart(this.#policy)
    this.#tenders = new Tenders(this.#policy)
  }

  /** What rules are asked about a fact, with the sale as it was before; nothing when about nothing. */
  asked(fact: OpenSaleFact): Asked | undefined {
    switch (fact.name) {
      case 'LineAdded': {
        const { sku, goodsClass, quantity, unitPrice, amount, attributes: said, approval } = fact
        const line = { sku, class: goodsClass, quantity, unitPrice, amount }
        return { about: { line }, said, approval }
      }
      case 'QuantitySet':
      case 'PriceOverridden': {
        const [goods, line] = [this.#goods.get(fact.line), this.#cart.lines[fact.line - 1]]
        if (goods === undefined || line === undefined) return undefined
        const { sku, goodsClass, attributes: said } = goods
        const { quantity, unitPrice } = { ...line, ...fact }
        const { amount, approval } = fact
        const changed = { sku, class: goodsClass, quantity, unitPrice, amount }
        return { about: { line: changed }, said, approval }
      }
      case 'TenderAdded': {
        const total = this.#gross
        const { due } = this.#tenders.settle(total)
        const { kind, foreign, amount, attributes: said, approval } = fact
        const tender = { kind, amount: foreign?.amount ?? amount, due, total }
        const sale = this.#tenders.hasLive ? {} : { sale: this.#whole() }
        return { about: { tender, ...sale }, said, approval }
      }
      case 'SaleCompleted':
        if (this.#tenders.hasLive) return undefined
        return { about: { sale: this.#whole() }, said: [], approval: undefined }
      default:
        return undefined
    }
  }

  /** True for a fact that came with the sale from the terminal where it was suspended. */
  isCopy(sequence: bigint): boolean {
    return sequence - this.firstSequence <= BigInt(this.begun.takes?.facts ?? 0)
  }

  #whole(): Facts {
    const { gross: total, lines } = this.#cart.totals()
    return { total, lines }
  }

  /** Appends a record to the log of the sale. */
  remember(kind: number, body: Buffer): void {
    const head = Buffer.alloc(6)
    head.writeUInt16LE(kind, 0)
    head.writeUInt32LE(body.length, 2)
    this.#log.push(head, Buffer.from(body))
  }

  /** The log: every record of the sale so far, end to end. */
  log(): Buffer {
    return Buffer.concat(this.#log)
  }

  /** Folds in a fact that leaves the sale open. */
  apply(fact: ContentFact): void {
    if (fact.name === 'SaleResumed') {
      this.#holdTicket(fact.ticket)
      this.#ticket = undefined
      return
    }
    this.#holdAwake()
    switch (fact.name) {
      case 'SaleSuspended':
        hold(!this.#tenders.hasLive, 'I5', 'the sale is suspended under a live tender')
        this.#ticket = fact.ticket
        return
      case 'TenderAdded':
        this.#tenders.add(fact, this.#gross)
        return
      case 'TenderConfirmed':
      case 'TenderDeclined':
      case 'TenderVoided':
        this.#tenders.change(fact, this.#gross)
        return
      default:
        hold(!this.#tenders.hasLive, 'I5', 'the sale changes under a live tender')
        this.#changeLines(fact)
        this.#holdOutcome(fact)
    }
  }

  /** Holds a completion against the sale. */
  complete(fact: FactOf<'SaleCompleted'>): Taken {
    const { begun } = this
    this.#holdAwake()
    hold(fact.currency === begun.currency, 'I20', `the sale is in ${begun.currency}`)
    hold(fact.reference === begun.reference, 'I20', 'the reference is not that of the sale')
    hold(fact.firstSequence === this.firstSequence, 'I20', `it began at ${this.firstSequence}`)
    const { length } = this.#cart.lines
    hold(fact.lines === length, 'I1', `the sale has ${length} lines`)
    hold(isHashOf(fact.content, this.log()), 'I20', 'the content hash is not that of the facts')
    hold(isHashOf(fact.policy, begun.policy), 'I20', 'the policy is not that of the sale')

    const totals = this.#cart.totals()
    hold(totals.lines > 0n, 'I5', 'no line of the sale is live')
    this.#holdGross(fact.gross)
    const settled = this.#tenders.complete(fact, totals.gross)
    this.#holdSums(fact.sums, settled)
    const splits = this.#cart.splits()
    const add = (of: (split: (typeof splits)[number]) => bigint) => sum(splits.map(of))
    const isWhole =
      add(({ net }) => net) === totals.net &&
      add(({ gross }) => gross) === totals.gross &&
      add(({ taxes }) => sum(taxes)) === totals.tax
    hold(isWhole, 'I2', 'the lines do not add up to the totals')
    const { rounding } = settled
    return { turnover: turnoverOf(splits), rounding, tenders: this.#tenders.counted() }
  }

  /** The parts of other sales that came back with it. */
  returnedParts(): readonly ReturnedPart[] {
    return [...this.#returned].flatMap(([line, part]) =>
      this.#cart.lines[line - 1]?.isLive ? [part] : [],
    )
  }

  /** The live lines as they were sold, by their numbers. */
  soldLines(): ReadonlyMap<number, SoldLine> {
    const { currency } = this.begun
    const lines = this.#cart.splits().map(({ line, components, taxes }) => {
      const { quantity, amount } = this.#liveLine(line)
      return [line, { quantity, amount, components, taxes, currency }] as const
    })
    return new Map(lines)
  }

  /** Holds a void against the sale. */
  void(fact: FactOf<'SaleVoided'>): void {
    const { currency } = this.begun
    this.#holdAwake()
    hold(fact.currency === currency, 'I11', `the sale is in ${currency}`)
    hold(!this.#tenders.hasLive, 'I5', 'the sale is voided under a live tender')
    this.#holdGross(fact.gross)
  }

  /** Holds a transfer to another terminal against the sale. */
  transfer({ ticket }: FactOf<'SaleTransferred'>): void {
    this.#holdTicket(ticket)
  }

  #holdAwake(): void {
    hold(this.#ticket === undefined, 'I11', `the sale is suspended as ${this.#ticket}`)
  }

  #holdTicket(ticket: string): void {
    hold(this.#ticket === ticket, 'I11', `${ticket} is not the ticket that the sale waits for`)
  }

  get #gross(): bigint {
    return this.#cart.totals().gross
  }

  #changeLines(fact: LinesFact): void {
    const cart = this.#cart
    switch (fact.name) {
      case 'LineAdded':
        this.#addLine(fact)
        return
      case 'LineReturned':
        this.#returnLine(fact)
        return
      case 'LineVoided':
        this.#holdNoChild(fact.line)
        cart.voidLine(fact.line)
        return
      case 'QuantitySet':
        cart.setQuantity(fact.line, fact.quantity)
        this.#holdAmount(fact)
        return
      case 'PriceOverridden':
        cart.setPrice(fact.line, fact.unitPrice, fact.per ?? one)
        this.#holdAmount(fact)
        return
      case 'TaxesOverridden':
        cart.setTaxes(fact.line, fact.taxes)
        this.#holdAmount(fact)
        return
      case 'LineAdjusted': {
        const before = this.#amountOf(fact.line)
        const number = cart.adjustLine(fact.line, fact.adjustment)
        holdAdjustment(fact, number, this.#amountOf(fact.line) - before)
        this.#holdAmount(fact)
        return
      }
      case 'SaleAdjusted': {
        const { firstSequence } = this
        hold(fact.firstSequence === firstSequence, 'I20', `the sale began at ${firstSequence}`)
        const { number, shares } = cart.adjustSale(fact.adjustment)
        holdAdjustment(fact, number, sum(shares.map(({ effect }) => effect)))
        return
      }
      case 'AdjustmentRetracted':
        holdAdjustment(fact, fact.number, -cart.retract(fact.number))
        return
    }
  }

  #addLine(fact: FactOf<'LineAdded'>): void {
    const { kind = 'item', quantity, unitPrice, per = one, taxes, parent } = fact
    this.#holdNext(fact.line)
    if (parent !== undefined) this.#liveLine(parent)
    this.#cart.addLine({ kind, quantity, unitPrice, per, components: taxes })
    this.#parents.push(parent)
    this.#goods.set(fact.line, fact)
    this.#holdAmount(fact)
  }

  #returnLine(fact: FactOf<'LineReturned'>): void {
    const { kind = 'item', quantity, amount, taxes, taxAmounts, sold } = fact
    this.#holdNext(fact.line)
    hold(sold.taxes.length === taxes.length, 'I12', 'the taxes are not those of the sold line')
    const part = giveBack(sold, ratioOf(sold.before), negated(ratioOf(quantity)))
    hold(amount === part.amount, 'I12', `an amount of ${amount}, where it is ${part.amount}`)
    const isSame =
      taxAmounts.length === part.taxes.length &&
      taxAmounts.every((tax, index) => tax === part.taxes[index])
    hold(isSame, 'I12', `taxes of ${taxAmounts.join()}, where they are ${part.taxes.join()}`)
    this.#cart.addReturn({ kind, quantity, components: taxes, ...part })
    this.#parents.push(undefined)
    const { currency } = this.begun
    this.#returned.set(fact.line, { of: fact.of, sold, quantity, taxes, currency })
  }

  #holdNext(line: number): void {
    const { length } = this.#cart.lines
    hold(line === length + 1, 'I11', `line ${line} after ${length}`)
  }

  #holdNoChild(number: number): void {
    const child = this.#parents.findIndex(
      (parent, index) => parent === number && this.#cart.lines[index]?.isLive,
    )
    hold(child < 0, 'I11', `line ${number} is voided before line ${child + 1}, which belongs to it`)
  }

  #liveLine(number: number): Line {
    const line = this.#cart.lines[number - 1]
    if (line === undefined) throw new Contradiction(`there is no line ${number}`, 'I11')
    hold(line.isLive, 'I11', `line ${number} was voided before`)
    return line
  }

  #amountOf(number: number): bigint {
    return this.#liveLine(number).amount
  }

  #holdAmount({ line, amount }: { readonly line: number; readonly amount: bigint }): void {
    const is = this.#amountOf(line)
    hold(amount === is, 'I1', `an amount of ${amount}, where line ${line} comes to ${is}`)
  }

  #holdGross(said: bigint): void {
    const is = this.#gross
    hold(said === is, 'I1', `a total of ${said}, where the lines come to ${is}`)
  }

  #holdOutcome({ gross, sums }: Outcome): void {
    this.#holdGross(gross)
    const { tax, discounts, surcharges } = this.#cart.totals()
    const { cashStep, cashRounding } = this.#policy
    const cashPayable = roundToStep(gross, cashStep, cashRounding)
    const said = sums ?? { tax: 0n, discounts: 0n, surcharges: 0n, cashPayable: gross }
    hold(said.tax === tax, 'I2', `taxes of ${said.tax}, where they are ${tax}`)
    holdParts(said, discounts, surcharges)
    hold(
      said.cashPayable === cashPayable,
      'I19',
      `${said.cashPayable} to pay in cash, where it is ${cashPayable}`,
    )
  }

  #holdSums(
    sums: FactOf<'SaleCompleted'>['sums'],
    { rounding, tips }: { readonly rounding: bigint; readonly tips: bigint },
  ): void {
    const { tax, discounts, surcharges } = this.#cart.totals()
    const nothing = { taxes: [], tax: 0n, discounts: 0n, surcharges: 0n, rounding: 0n, tips: 0n }
    const said = sums ?? nothing
    const rows = this.#cart.rows()
    const isSame = rows.every(({ component, net, tax }, index) => {
      const row = said.taxes[index]
      return row?.net === net && row.amount === tax && sameTax(row.tax, component)
    })
    hold(isSame && said.taxes.length === rows.length, 'I2', 'the tax table is not that of the sale')
    hold(said.tax === tax, 'I2', `taxes of ${said.tax}, where they are ${tax}`)
    hold(sum(rows.map((row) => row.tax)) === tax, 'I2', 'the rows do not add up to the taxes')
    holdParts(said, discounts, surcharges)
    hold(said.rounding === rounding, 'I19', `rounded by ${said.rounding}, where it is ${rounding}`)
    hold(said.tips === tips, 'I3', `tips of ${said.tips}, where they are ${tips}`)
  }
}

function holdAdjustment(
  fact: { readonly number: number; readonly adjusted: bigint },
  number: number,
  effect: bigint,
): void {
  hold(fact.number === number, 'I11', `number ${fact.number}, where ${number} is next`)
  hold(fact.adjusted === effect, 'I1', `adjusted by ${fact.adjusted}, where it is ${effect}`)
}

function holdParts(
  said: { readonly discounts: bigint; readonly surcharges: bigint },
  discounts: bigint,
  surcharges: bigint,
): void {
  hold(said.discounts === discounts, 'I1', `discounts of ${said.discounts}, not ${discounts}`)
  hold(said.surcharges === surcharges, 'I1', `surcharges of ${said.surcharges}, not ${surcharges}`)
}

/** True for the BLAKE3 of some bytes, and where both are absent. */
export function isHashOf(hash: Buffer | undefined, bytes: Buffer | undefined): boolean {
  if (hash === undefined || bytes === undefined) return hash === bytes
  return hash.equals(Buffer.from(blake3(bytes)))
}
