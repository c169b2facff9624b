/**
 * The desk of a till: who is signed on and what was allowed, the shift and its drawer, training,
 * copies, cash on its way to other drawers, and the period that runs. Its state is what a checkpoint
 * says of it. Guards I10, I17 and I21.
 */
import type { Fact } from './bodies.js'
import { Contradiction, hold } from './contradiction.js'
import type { Circle, CountedTender, DeskBody, DeskFact, Period } from './desk-bodies.js'
import { periodOf, reportOf, turnoverBetween } from './periods.js'
import type { CurrencyTotals } from './perpetual.js'
import { moved, taken, takingsOf, withSale } from './takings.js'

/** The part of a till that its desk looks at. */
export interface Surroundings {
  readonly sequence: bigint
  readonly nextReceipt: bigint
  readonly openSales: number
  readonly totals: readonly CurrencyTotals[]
}

type DeskFactOf<Name extends DeskFact['name']> = Extract<DeskFact, { name: Name }>

const APPROVALS_MAX = 16
const COPIES_MAX = 64
const TRANSITS_MAX = 32

const untouched: Period = { next: 1n, first: 1n, base: [] }
const blank: DeskBody = {
  operator: undefined,
  training: false,
  nextTraining: 1n,
  nextApproval: 1n,
  approvals: [],
  nextShift: 1n,
  shift: undefined,
  periods: [untouched, untouched, untouched, untouched],
  tally: { firstReceipt: 1n, takings: [], noSales: 0n, reprints: 0n, trainingReceipts: 0n },
  copies: [],
  copiesForgotten: 0n,
  transit: [],
}

/** The desk. */
export class Desk {
  /** Undefined until its first fact: nothing is added up before. */
  #state: DeskBody | undefined

  constructor(body: DeskBody | undefined) {
    this.#state = body
    if (body === undefined) return
    hold(body.periods.length === 4, 'I16', `${body.periods.length} periods`)
    hold(body.approvals.length <= APPROVALS_MAX, 'I16', `${body.approvals.length} approvals`)
    hold(body.copies.length <= COPIES_MAX, 'I16', `copies of ${body.copies.length} receipts`)
    const { transit } = body
    hold(transit.length <= TRANSITS_MAX, 'I16', `${transit.length} amounts on their way`)
    const isNewest = body.shift === undefined || body.shift.number === body.nextShift - 1n
    hold(isNewest, 'I16', 'the shift under way is not the newest')
  }

  /** Sales that begin now are training. */
  get isTraining(): boolean {
    return this.#now.training
  }

  /** The number of the next training receipt. */
  get nextTraining(): bigint {
    return this.#now.nextTraining
  }

  /** The state in one line, to be compared. */
  shown(): string {
    return canonical(this.#state)
  }

  /** Holds who did something, and who allowed it, which is then used up. */
  witness(fact: Fact): void {
    if ('operator' in fact) {
      const { operator = 'nobody' } = this.#now
      hold(fact.operator === this.#now.operator, 'I11', `${operator} was signed on`)
    }
    if (!('approval' in fact) || fact.approval === undefined) return
    const { approval } = fact
    const { approvals } = this.#now
    const isHeld = approvals.some(({ number }) => number === approval)
    hold(isHeld, 'I11', `approval ${approval} was not given, or was used before`)
    this.#change({ approvals: approvals.filter(({ number }) => number !== approval) })
  }

  /** Adds up a completed sale. */
  sold(currency: string, tenders: readonly CountedTender[], change: bigint): void {
    if (this.#state === undefined) return
    const { shift, tally } = this.#state
    const takings = taken(tally.takings, takingsOf(currency, tenders, change))
    this.#change({ tally: { ...tally, takings } })
    if (shift === undefined) return
    this.#change({ shift: { ...shift, drawer: withSale(shift.drawer, currency, tenders, change) } })
  }

  /** Counts a completed training sale. */
  trained(): void {
    const { tally, nextTraining } = this.#now
    const trainingReceipts = tally.trainingReceipts + 1n
    this.#change({ nextTraining: nextTraining + 1n, tally: { ...tally, trainingReceipts } })
  }

  /** Folds in a fact. */
  apply(fact: DeskFact, around: Surroundings): void {
    if (fact.name === 'ClockStepped') return
    const { nextReceipt } = around
    this.#state ??= { ...blank, tally: { ...blank.tally, firstReceipt: nextReceipt } }
    this.witness(fact)
    const { operator, training, nextApproval, approvals, periods } = this.#state
    switch (fact.name) {
      case 'OperatorSignedOn':
        hold(operator === undefined, 'I11', `${operator} is signed on`)
        this.#change({ operator: fact.who })
        return
      case 'OperatorSignedOff':
        hold(operator === fact.who, 'I11', `${fact.who} is not signed on`)
        this.#change({ operator: undefined })
        return
      case 'ApprovalGiven': {
        const { number, approver, what } = fact
        holdNumber('approval', number, nextApproval)
        const given = [...approvals, { number, approver, what }].slice(-APPROVALS_MAX)
        this.#change({ approvals: given, nextApproval: number + 1n })
        return
      }
      case 'TrainingSet':
        hold(training !== fact.on, 'I17', `training is ${training}`)
        this.#change({ training: fact.on })
        return
      case 'ShiftOpened':
        this.#openShift(fact)
        return
      case 'ShiftClosed':
        this.#closeShift(fact)
        return
      case 'CashMoved':
        this.#moveCash(fact)
        this.#follow(fact, around.sequence)
        return
      case 'CashArrived':
        this.#arrive(fact)
        return
      case 'CashCounted':
        this.#countCash(fact)
        return
      case 'ReceiptReprinted':
        this.#reprint(fact, around)
        return
      case 'XReported':
        this.#holdReport(fact, around)
        return
      case 'ZReported': {
        hold(around.openSales === 0, 'I10', `${around.openSales} sales are open`)
        this.#holdReport(fact, around)
        const next = { next: fact.number + 1n, first: nextReceipt, base: around.totals }
        this.#change({
          periods: periods.with(0, next),
          tally: { ...blank.tally, firstReceipt: nextReceipt },
        })
        return
      }
      case 'PeriodClosed':
        this.#closePeriod(fact)
        return
    }
  }

  get #now(): DeskBody {
    return this.#state ?? blank
  }

  #change(change: Partial<DeskBody>): void {
    this.#state = { ...this.#now, ...change }
  }

  #openShift({ number, float }: DeskFactOf<'ShiftOpened'>): void {
    const { nextShift, shift, operator } = this.#now
    holdNumber('shift', number, nextShift)
    hold(shift === undefined, 'I10', 'a shift is under way')
    const isAscending = float.every((one, index) => {
      const before = float[index - 1]
      return before === undefined || before.currency < one.currency
    })
    hold(isAscending, 'I10', 'the floats are not in order')
    const isPut = float.every(({ amount }) => amount >= 0n)
    hold(isPut, 'I10', 'a float is negative')
    const drawer = float.reduce<NonNullable<DeskBody['shift']>['drawer']>(
      (all, { currency, amount }) => moved(all, currency, { float: amount }),
      [],
    )
    this.#change({ nextShift: number + 1n, shift: { number, owner: operator, drawer } })
  }

  #closeShift({ number, owner, drawer }: DeskFactOf<'ShiftClosed'>): void {
    const shift = this.#shiftOf(number)
    hold(shift.owner === owner, 'I10', `the shift is that of ${shift.owner}`)
    const isSame = canonical(drawer) === canonical(shift.drawer)
    hold(isSame, 'I10', `the drawer holds ${canonical(shift.drawer)}`)
    this.#change({ shift: undefined })
  }

  #moveCash(fact: DeskFactOf<'CashMoved'>): void {
    const { kind, currency, amount } = fact
    const { shift, tally } = this.#now
    hold(fact.shift === shift?.number, 'I10', `the shift under way is ${shift?.number}`)
    if (kind === 'noSale') {
      hold(currency === undefined && amount === undefined, 'I10', 'a no-sale moves cash')
      this.#change({ tally: { ...tally, noSales: tally.noSales + 1n } })
      return
    }
    if (shift === undefined || currency === undefined || amount === undefined) {
      throw new Contradiction('cash moves outside a shift, or is none', 'I10')
    }
    hold(amount > 0n, 'I10', `cash of ${amount} moves`)
    this.#change({
      shift: { ...shift, drawer: moved(shift.drawer, currency, { [kind]: amount }) },
      tally: {
        ...tally,
        takings: taken(tally.takings, { currency, [kind]: amount, [`${kind}Count`]: 1n }),
      },
    })
  }

  /** Follows cash on its way to another drawer, or back. */
  #follow(fact: DeskFactOf<'CashMoved'>, sequence: bigint): void {
    const { kind, transfer, currency, amount } = fact
    if (transfer === undefined) return
    if (currency === undefined || amount === undefined) {
      throw new Contradiction('a transfer without an amount', 'I21')
    }
    const { leg, terminal, sent } = transfer
    hold(kind === (leg === 'sent' ? 'paidOut' : 'paidIn'), 'I21', `cash that was ${leg} is ${kind}`)
    hold(
      (sent === undefined) === (leg === 'sent'),
      'I21',
      'a transfer names the record that sent it',
    )
    const { transit } = this.#now
    if (leg === 'sent') {
      hold(transit.length < TRANSITS_MAX, 'I21', 'more cash is on its way than may be')
      this.#change({ transit: [...transit, { sent: sequence, terminal, currency, amount }] })
      return
    }
    if (leg === 'takenBack') {
      const left = transit.find((one) => one.sent === sent)
      const isSame =
        left?.terminal === terminal && left.currency === currency && left.amount === amount
      hold(isSame, 'I21', `record ${sent} sent something else`)
      this.#change({ transit: transit.filter((one) => one !== left) })
    }
  }

  #arrive({ sent, terminal }: DeskFactOf<'CashArrived'>): void {
    const { transit } = this.#now
    const left = transit.find((one) => one.sent === sent)
    hold(
      left?.terminal === terminal,
      'I21',
      `record ${sent} sent nothing to ${terminal} on its way`,
    )
    this.#change({ transit: transit.filter((one) => one !== left) })
  }

  #countCash({ currency, overShort, ...fact }: DeskFactOf<'CashCounted'>): void {
    const shift = this.#shiftOf(fact.shift)
    const { tally } = this.#now
    const expected = shift.drawer.find((one) => one.currency === currency)?.expected ?? 0n
    hold(fact.expected === expected, 'I10', `the drawer has to hold ${expected}`)
    hold(fact.counted >= 0n, 'I10', `${fact.counted} was counted`)
    hold(overShort === fact.counted - expected, 'I10', `over or short by ${overShort}`)
    this.#change({
      shift: { ...shift, drawer: moved(shift.drawer, currency, { overShort }) },
      tally: { ...tally, takings: taken(tally.takings, { currency, overShort }) },
    })
  }

  #reprint(fact: DeskFactOf<'ReceiptReprinted'>, { sequence, nextReceipt }: Surroundings): void {
    const { receipt, circle, copy, completion } = fact
    const { copies, copiesForgotten, nextTraining, tally } = this.#now
    const next: Record<Circle, bigint> = { sale: nextReceipt, training: nextTraining }
    hold(receipt >= 1n && receipt < next[circle], 'I6', `receipt ${receipt} was not given`)
    hold(completion < sequence, 'I6', `receipt ${receipt} was given at ${completion}`)
    const before = copies.find((one) => one.receipt === receipt && one.circle === circle)
    const isNext =
      before === undefined
        ? copy === 1n || (copy > 1n && completion <= copiesForgotten)
        : copy === before.copies + 1n
    hold(isNext, 'I6', `copy ${copy} of receipt ${receipt}`)
    const others = copies.filter((one) => one !== before)
    const all = [...others, { receipt, circle, copies: copy, sequence }]
    const dropped = all.length > COPIES_MAX ? all[0] : undefined
    this.#change({
      copies: all.slice(-COPIES_MAX),
      copiesForgotten: dropped?.sequence ?? copiesForgotten,
      tally: { ...tally, reprints: tally.reprints + 1n },
    })
  }

  #holdReport(
    { number, report }: DeskFactOf<'XReported'> | DeskFactOf<'ZReported'>,
    { nextReceipt, totals }: Surroundings,
  ): void {
    holdNumber('report', number, this.#now.periods[0]?.next ?? 1n)
    const is = reportOf(this.#now, nextReceipt, totals, report.brought)
    hold(canonical(report) === canonical(is), 'I10', `the report has to be ${canonical(is)}`)
  }

  #closePeriod({ kind, number, first, last, turnover }: DeskFactOf<'PeriodClosed'>): void {
    const { periods } = this.#now
    const at = periodOf[kind]
    const [own = untouched, below = untouched] = [periods[at], periods[at - 1]]
    holdNumber(kind, number, own.next)
    const isAll = first === own.first && last === below.next - 1n && first <= last
    hold(isAll, 'I10', `the ${kind} holds ${own.first} to ${below.next - 1n}`)
    const is = canonical(turnoverBetween(own.base, below.base))
    hold(canonical(turnover) === is, 'I10', `the turnover of the ${kind} has to be ${is}`)
    const closed = { next: number + 1n, first: last + 1n, base: below.base }
    this.#change({ periods: periods.with(at, closed) })
  }

  #shiftOf(number: bigint): NonNullable<DeskBody['shift']> {
    const { shift } = this.#now
    if (shift?.number !== number) throw new Contradiction(`shift ${number} is not under way`, 'I10')
    return shift
  }
}

function holdNumber(what: string, said: bigint, next: bigint): void {
  hold(said === next, 'I10', `${what} ${said}, where ${next} is next`)
}

/** A value in one line, whatever the order of its fields. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, inner]) => `${name} ${canonical(inner)}`).join()}}`
}
