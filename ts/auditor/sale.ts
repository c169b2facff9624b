/**
 * One open sale: what its facts add up to, and the conditions each further fact has to meet.
 * Guards I1, I3, I4, I5 and I11.
 */
import { blake3 } from '@noble/hashes/blake3.js'
import type { Decimal, FactOf, OpenSaleFact } from './bodies.js'
import { Contradiction, hold } from './contradiction.js'
import { amountOf } from './rounding.js'

interface Line {
  quantity: Decimal
  readonly unitPrice: Decimal
  amount: bigint
  isLive: boolean
  readonly parent: number | undefined
}

interface Tender {
  readonly kind: 'cash' | 'card'
  readonly amount: bigint
  state: 'pending' | 'confirmed' | 'declined' | 'voided'
}

/** The facts of a sale, except those that end it. */
export type ContentFact = Exclude<OpenSaleFact, { name: 'SaleCompleted' | 'SaleVoided' }>

/** What the completion of a sale adds to the totals of its currency. */
export interface Taken {
  readonly sales: bigint
  readonly returns: bigint
}

/** An open sale. */
export class Sale {
  readonly begun: FactOf<'SaleBegun'>
  readonly firstSequence: bigint
  /** The wall time of the frame of its first fact. */
  readonly beganNs: bigint
  /** An owner has begun since it began. */
  isRecovered: boolean
  readonly #lines: Line[] = []
  readonly #tenders: Tender[] = []
  #gross = 0n
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
    switch (fact.name) {
      case 'LineAdded':
        this.#addLine(fact)
        break
      case 'LineVoided':
        this.#voidLine(fact)
        break
      case 'QuantitySet':
        this.#setQuantity(fact)
        break
      case 'TenderAdded':
        this.#addTender(fact)
        break
      case 'TenderConfirmed':
      case 'TenderDeclined':
      case 'TenderVoided':
        this.#changeTender(fact)
        break
    }
  }

  /** Holds a completion against the sale. */
  complete(fact: FactOf<'SaleCompleted'>): Taken {
    const { begun } = this
    hold(fact.currency === begun.currency, 'I20', `the sale is in ${begun.currency}`)
    hold(fact.reference === begun.reference, 'I20', 'the reference is not that of the sale')
    hold(fact.firstSequence === this.firstSequence, 'I20', `it began at ${this.firstSequence}`)
    hold(fact.lines === this.#lines.length, 'I1', `the sale has ${this.#lines.length} lines`)
    const content = Buffer.from(blake3(this.log()))
    hold(content.equals(fact.content), 'I20', 'the content hash is not that of the facts')

    const live = this.#lines.filter(({ isLive }) => isLive).map(({ amount }) => amount)
    hold(live.length > 0, 'I5', 'no line of the sale is live')
    this.#holdGross(fact.gross, this.#gross)
    hold(sum(live) === this.#gross, 'I1', 'the live lines do not add up to the total')
    hold(!this.#tenders.some(({ state }) => state === 'pending'), 'I5', 'a tender is pending')
    const { due, change } = this.#standing()
    hold(due === 0n, 'I5', `${due} is still due`)

    const confirmed = this.#tenders.flatMap((tender, index) =>
      tender.state === 'confirmed' ? [{ ...tender, tender: index + 1 }] : [],
    )
    const tendered = sum(confirmed.map(({ amount }) => amount))
    const cash = sum(confirmed.filter(({ kind }) => kind === 'cash').map(({ amount }) => amount))
    hold(fact.tendered === tendered, 'I3', `the confirmed tenders are ${tendered}`)
    const isListed = (index: number) => {
      const [listed, taken] = [fact.tenders[index], confirmed[index]]
      return (
        listed?.tender === taken?.tender &&
        listed?.kind === taken?.kind &&
        listed?.amount === taken?.amount
      )
    }
    hold(
      fact.tenders.length === confirmed.length && confirmed.every((_, index) => isListed(index)),
      'I3',
      'the list of tenders is not that of the confirmed ones',
    )
    hold(fact.change === change, 'I4', `the change of the sale is ${change}`)
    hold(tendered - change === this.#gross, 'I3', 'tenders less change are not the total')
    hold(change >= 0n, 'I4', `change ${change} is negative`)
    hold(change === 0n || change <= cash, 'I4', `change ${change} out of ${cash} in cash`)

    return {
      sales: sum(live.filter((amount) => amount >= 0n)),
      returns: -sum(live.filter((amount) => amount < 0n)),
    }
  }

  /** Holds a void against the sale. */
  void(fact: FactOf<'SaleVoided'>): void {
    const { currency } = this.begun
    hold(fact.currency === currency, 'I11', `the sale is in ${currency}`)
    this.#holdNoTender()
    this.#holdGross(fact.gross, this.#gross)
  }

  #addLine({ line, quantity, unitPrice, amount, gross, parent }: FactOf<'LineAdded'>): void {
    hold(line === this.#lines.length + 1, 'I11', `line ${line} after ${this.#lines.length}`)
    this.#holdNoTender()
    hold(quantity.mantissa !== 0n, 'I1', 'a quantity of zero')
    hold(unitPrice.mantissa >= 0n, 'I1', 'a negative price')
    holdAmount(amount, amountOf(quantity, unitPrice))
    if (parent !== undefined) this.#liveLine(parent)
    this.#holdGross(gross, this.#gross + amount)
    this.#lines.push({ quantity, unitPrice, amount, isLive: true, parent })
    this.#gross = gross
  }

  #voidLine({ line: number, gross }: FactOf<'LineVoided'>): void {
    const line = this.#liveLine(number)
    this.#holdNoTender()
    const child = this.#lines.findIndex(({ isLive, parent }) => isLive && parent === number)
    hold(child < 0, 'I11', `line ${number} is voided before line ${child + 1}, which belongs to it`)
    this.#holdGross(gross, this.#gross - line.amount)
    line.isLive = false
    this.#gross = gross
  }

  #setQuantity({ line: number, quantity, amount, gross }: FactOf<'QuantitySet'>): void {
    const line = this.#liveLine(number)
    this.#holdNoTender()
    holdAmount(amount, amountOf(quantity, line.unitPrice))
    this.#holdGross(gross, this.#gross - line.amount + amount)
    line.quantity = quantity
    line.amount = amount
    this.#gross = gross
  }

  #addTender({ tender, kind, amount, state, due, change }: FactOf<'TenderAdded'>): void {
    hold(
      tender === this.#tenders.length + 1,
      'I11',
      `tender ${tender} after ${this.#tenders.length}`,
    )
    hold(amount !== 0n, 'I3', 'a tender of zero')
    hold(state === 'pending' || state === 'confirmed', 'I11', `a new tender that is ${state}`)
    this.#tenders.push({ kind, amount, state })
    this.#holdStanding(due, change)
  }

  #changeTender(
    fact: FactOf<'TenderConfirmed'> | FactOf<'TenderDeclined'> | FactOf<'TenderVoided'>,
  ): void {
    const tender = this.#tenders[fact.tender - 1]
    if (tender === undefined) throw new Contradiction(`there is no tender ${fact.tender}`, 'I11')
    const isVoid = fact.name === 'TenderVoided'
    hold(
      tender.state === 'pending' || (isVoid && tender.state === 'confirmed'),
      'I11',
      `tender ${fact.tender} is ${tender.state}`,
    )
    if (isVoid) tender.state = 'voided'
    else tender.state = fact.name === 'TenderConfirmed' ? 'confirmed' : 'declined'
    this.#holdStanding(fact.due, fact.change)
  }

  #liveLine(number: number): Line {
    const line = this.#lines[number - 1]
    if (line === undefined) throw new Contradiction(`there is no line ${number}`, 'I11')
    hold(line.isLive, 'I11', `line ${number} was voided before`)
    return line
  }

  #liveTenders(): readonly Tender[] {
    return this.#tenders.filter(({ state }) => state === 'pending' || state === 'confirmed')
  }

  #holdNoTender(): void {
    hold(this.#liveTenders().length === 0, 'I5', 'the sale changes under a live tender')
  }

  #holdGross(said: bigint, is: bigint): void {
    hold(said === is, 'I1', `a total of ${said}, where the lines come to ${is}`)
  }

  #holdStanding(saidDue: bigint, saidChange: bigint): void {
    const { due, change } = this.#standing()
    hold(saidDue === due, 'I3', `${saidDue} due, where it is ${due}`)
    hold(saidChange === change, 'I4', `${saidChange} change, where it is ${change}`)
  }

  /** What is due, and the change, after the tenders that are live. */
  #standing(): { due: bigint; change: bigint } {
    const left = this.#gross - sum(this.#liveTenders().map(({ amount }) => amount))
    if (this.#gross > 0n) return left >= 0n ? { due: left, change: 0n } : { due: 0n, change: -left }
    if (this.#gross < 0n) return { due: left < 0n ? left : 0n, change: 0n }
    return { due: 0n, change: 0n }
  }
}

function holdAmount(said: bigint, is: bigint): void {
  hold(said === is, 'I1', `an amount of ${said}, where quantity × price is ${is}`)
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n)
}
