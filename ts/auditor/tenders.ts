/** The tenders of one sale, and how it stands after them. Guards I3, I4, I11 and I19. */
import type { FactOf } from './bodies.js'
import { Contradiction, hold } from './contradiction.js'
import { minorDigitsOf } from './currency.js'
import type { CountedTender } from './desk-bodies.js'
import type { PaymentMeans, Policy } from './pricing/policy.js'
import { sum } from './pricing/rational.js'
import { type Settlement, settle, worthOf } from './pricing/settlement.js'

interface Tender {
  readonly means: PaymentMeans
  readonly amount: bigint
  readonly tip: bigint
  readonly foreign: FactOf<'TenderAdded'>['foreign']
  state: 'pending' | 'confirmed' | 'declined' | 'voided'
}

/** The facts that change a tender. */
export type TenderChange =
  | FactOf<'TenderConfirmed'>
  | FactOf<'TenderDeclined'>
  | FactOf<'TenderVoided'>

/** The tenders of a sale. */
export class Tenders {
  readonly #policy: Policy
  readonly #tenders: Tender[] = []

  constructor(policy: Policy) {
    this.#policy = policy
  }

  /** One of them is pending or confirmed: the lines of the sale cannot change. */
  get hasLive(): boolean {
    return this.#live().length > 0
  }

  /** How a total stands after the live tenders. */
  settle(gross: bigint): Settlement {
    return settle(this.#policy, gross, this.#live())
  }

  /** Folds in a new tender. */
  add(fact: FactOf<'TenderAdded'>, gross: bigint): void {
    const { tender, kind: means, amount, tip, state, foreign } = fact
    const count = this.#tenders.length
    hold(tender === count + 1, 'I11', `tender ${tender} after ${count}`)
    hold(amount !== 0n || means === 'cash', 'I3', 'a tender of zero')
    hold(tip === 0n || (tip > 0n && tip <= amount), 'I3', `a tip of ${tip} in ${amount}`)
    hold(state === 'pending' || state === 'confirmed', 'I11', `a new tender that is ${state}`)
    if (foreign !== undefined) this.#holdWorth(amount, foreign)
    this.#tenders.push({ means, amount, tip, foreign, state })
    this.#holdStanding(fact, gross)
  }

  /** Folds in the change of one. */
  change(fact: TenderChange, gross: bigint): void {
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
    this.#holdStanding(fact, gross)
  }

  /** Holds a completion against the tenders; how the sale stands comes out. */
  complete(fact: FactOf<'SaleCompleted'>, gross: bigint): Settlement {
    hold(!this.#tenders.some(({ state }) => state === 'pending'), 'I5', 'a tender is pending')
    const settled = this.settle(gross)
    const { due, change, tendered, rounding, tips } = settled
    hold(due === 0n, 'I5', `${due} is still due`)
    hold(fact.tendered === tendered, 'I3', `the confirmed tenders are ${tendered}`)
    this.#holdListed(fact.tenders)
    hold(fact.change === change, 'I4', `the change of the sale is ${change}`)
    hold(
      tendered - change === gross + rounding + tips,
      'I3',
      'tenders less change are not the total with its rounding and the tips',
    )
    hold(change >= 0n, 'I4', `change ${change} is negative`)
    const { changeFrom } = this.#policy
    const givers = this.#live().filter(({ means }) => changeFrom.includes(means))
    const most = sum(givers.map(({ amount, tip }) => amount - tip))
    hold(change === 0n || change <= most, 'I4', `change ${change} out of ${most}`)
    return settled
  }

  /** The confirmed tenders, for the sums of drawer and period. */
  counted(): readonly CountedTender[] {
    return this.#tenders.flatMap(({ means: kind, amount, tip, foreign, state }) =>
      state === 'confirmed' ? [{ kind, amount, tip, foreign }] : [],
    )
  }

  #live(): readonly Tender[] {
    return this.#tenders.filter(({ state }) => state === 'pending' || state === 'confirmed')
  }

  /** Those that a completion lists are the confirmed ones, which all live ones are by then. */
  #holdListed(listed: FactOf<'SaleCompleted'>['tenders']): void {
    const confirmed = this.#tenders.flatMap((tender, index) =>
      tender.state === 'confirmed' ? [{ ...tender, tender: index + 1 }] : [],
    )
    const isSame = confirmed.every(({ tender, means, amount, tip }, index) => {
      const one = listed[index]
      return (
        one?.tender === tender && one.kind === means && one.amount === amount && one.tip === tip
      )
    })
    hold(
      isSame && listed.length === confirmed.length,
      'I3',
      'the list of tenders is not that of the confirmed ones',
    )
  }

  #holdWorth(amount: bigint, foreign: NonNullable<FactOf<'TenderAdded'>['foreign']>): void {
    const { currency, rate, per = 1 } = foreign
    hold(currency !== this.#policy.currency, 'I3', 'foreign money in the currency of the sale')
    hold(rate.mantissa > 0n && per > 0, 'I3', 'a rate of nothing')
    const digits = minorDigitsOf(currency)
    const worth = worthOf(this.#policy, foreign.amount, digits, rate, BigInt(per))
    hold(amount === worth, 'I3', `a tender of ${amount}, where the foreign money is worth ${worth}`)
  }

  #holdStanding(
    fact: { readonly due: bigint; readonly change: bigint; readonly rounding: bigint },
    gross: bigint,
  ): void {
    const { due, change, rounding } = this.settle(gross)
    hold(fact.due === due, 'I3', `${fact.due} due, where it is ${due}`)
    hold(fact.change === change, 'I4', `${fact.change} change, where it is ${change}`)
    hold(fact.rounding === rounding, 'I19', `rounded by ${fact.rounding}, where it is ${rounding}`)
  }
}
