/** Cash that moves from one drawer of a store to another. All amounts are minor units. */
import type { NativeCashReceived, NativeCashSent } from '../native.js'
import type { Answer } from './answers.js'
import { type CashInput, cashInputOf } from './drawer.js'
import { text } from './input.js'

/** Cash that is sent, where to, and why. */
export interface SendCashInput extends CashInput {
  /** Id of the terminal that it goes to. */
  readonly to: string
}

/** Cash was sent. */
export interface CashTicket extends Answer {
  /** What it is received by there, and taken back by here. It is good once. */
  readonly ticket: string
}

/** Cash was received, or taken back. */
export interface CashReceived extends Answer {
  /** The terminal at the other end of its way. */
  readonly terminal: string
  /** Currency. */
  readonly currency: string
  /** Minor units. */
  readonly amount: number
  /** It came back into the drawer that it had left. */
  readonly takenBack: boolean
}

/** Cash that is on its way in the store. */
export interface CashInTransit {
  /** What it is received by. */
  readonly ticket: string
  /** Terminal whose drawer it left. */
  readonly from: string
  /** Terminal that it goes to. */
  readonly to: string
  /** Currency. */
  readonly currency: string
  /** Minor units. */
  readonly amount: number
  /** Why. */
  readonly reason: string
  /** When, ISO 8601 in UTC. */
  readonly at: string
}

/** Checks cash that is sent. */
export function sendCashOf({ to, ...cash }: SendCashInput) {
  return { to: text('to', to), ...cashInputOf(cash) }
}

export function cashTicket({ ticket, seq, replayed }: NativeCashSent): CashTicket {
  return { ticket, sequence: seq, replayed }
}

export function cashReceived(native: NativeCashReceived): CashReceived {
  const { terminal, currency, amount, takenBack, seq, replayed } = native
  return { terminal, currency, amount, takenBack, sequence: seq, replayed }
}
