/**
 * What a terminal does besides sales: people, the drawer, training, reports and closings.
 *
 * {@link Terminal} has these calls as its own. Each makes one fact that is durable before it answers, in
 * both durability modes, and names the operator who is signed on.
 */

import type { NativeTerminal } from '../native.js'
import type { Answer } from './answers.js'
import type { Crossing } from './crossing.js'
import {
  type ApprovalAnswer,
  type ApprovalInput,
  approvalAnswer,
  approvalInputOf,
  type CashInput,
  type CountAnswer,
  type CountInput,
  cashInputOf,
  countAnswer,
  countOf,
  doneAnswer,
  type OperatorInput,
  operatorOf,
  type ReprintAnswer,
  type ReprintInput,
  reprintOf,
  type Shift,
  type ShiftAnswer,
  type ShiftClosedAnswer,
  type ShiftInput,
  shiftAnswer,
  shiftOf,
  type TrainingInput,
  trainingOf,
} from './drawer.js'
import { type Approved, type Keyed, keyOf, numberOf, optionalFlag, text, wrong } from './input.js'
import {
  type PeriodAnswer,
  type PeriodInput,
  periodAnswer,
  periodOf,
  type ReportAnswer,
  reportAnswer,
  reprintAnswer,
  shiftClosedAnswer,
  shiftTold,
} from './report.js'
import { approvalOf } from './sale-input.js'
import {
  type CashInTransit,
  type CashReceived,
  type CashTicket,
  cashReceived,
  cashTicket,
  type SendCashInput,
  sendCashOf,
} from './transfers.js'

/** The calls of a terminal about people, the drawer and reports. {@link Terminal} has them. */
export abstract class Till {
  readonly #crossing: Crossing

  /** @internal */
  constructor(crossing: Crossing) {
    this.#crossing = crossing
  }

  /**
   * Signs an operator on. Facts name the operator from here on.
   *
   * @throws {@link SaleStateError} `PK_E_SIGNED_ON`, `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} `PK_E_NO_SPACE`, `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * await terminal.signOn({ operator: 'anna' })
   */
  signOn(input: OperatorInput): Promise<Answer> {
    return this.#crossing.later('signOn', undefined, this.#signOn(input), doneAnswer)
  }

  /** As {@link signOn}, waiting on the calling thread. */
  signOnSync(input: OperatorInput): Answer {
    return this.#crossing.now('signOn', undefined, this.#signOn(input), doneAnswer)
  }

  /**
   * Signs the operator off.
   *
   * @throws {@link SaleStateError} `PK_E_NOT_SIGNED_ON`, `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} as {@link signOn}
   * @throws {@link StorageError} as {@link signOn}
   * @example
   * await terminal.signOff({ operator: 'anna' })
   */
  signOff(input: OperatorInput): Promise<Answer> {
    return this.#crossing.later('signOff', undefined, this.#signOff(input), doneAnswer)
  }

  /** As {@link signOff}, waiting on the calling thread. */
  signOffSync(input: OperatorInput): Answer {
    return this.#crossing.now('signOff', undefined, this.#signOff(input), doneAnswer)
  }

  /**
   * Gives an approval: somebody allows one thing, once. The call that it is for takes its number and
   * uses it up; of those that nobody used, the newest sixteen are remembered.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} as {@link signOn}
   * @throws {@link StorageError} as {@link signOn}
   * @example
   * const { approval } = await terminal.approve({ operator: 'boss', what: '20 % off' })
   * await sale.discountSale({ percent: 20, reason: 'late delivery', approval })
   */
  approve(input: ApprovalInput): Promise<ApprovalAnswer> {
    return this.#crossing.later('approve', undefined, this.#approve(input), approvalAnswer)
  }

  /** As {@link approve}, waiting on the calling thread. */
  approveSync(input: ApprovalInput): ApprovalAnswer {
    return this.#crossing.now('approve', undefined, this.#approve(input), approvalAnswer)
  }

  /**
   * Switches training on or off. Sales that begin in training have receipt numbers of their own and
   * move no counter and no cash.
   *
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND` and `PK_E_APPROVAL_USED` for the approval,
   * `PK_E_NOT_SIGNED_ON` where an operator is needed, `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT` when it is so already, `PK_E_BAD_KEY`
   * @throws {@link StorageError} as {@link signOn}
   * @example
   * await terminal.setTraining(true)
   */
  setTraining(on: boolean, options?: TrainingInput): Promise<Answer> {
    const call = this.#setTraining(on, options)
    return this.#crossing.later('setTraining', undefined, call, doneAnswer)
  }

  /** As {@link setTraining}, waiting on the calling thread. */
  setTrainingSync(on: boolean, options?: TrainingInput): Answer {
    const call = this.#setTraining(on, options)
    return this.#crossing.now('setTraining', undefined, call, doneAnswer)
  }

  /**
   * Opens a shift with its float. From here on the drawer is added up.
   *
   * @throws {@link SaleStateError} `PK_E_SHIFT_OPEN`, `PK_E_TRAINING`, `PK_E_NOT_SIGNED_ON` where an
   * operator is needed, `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link MoneyError} `PK_E_BAD_CURRENCY`, `PK_E_BAD_AMOUNT`, `PK_E_OVERFLOW`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} as {@link signOn}
   * @example
   * await terminal.openShift({ float: [{ currency: 'EUR', amount: 20_000 }] })
   */
  openShift(input: ShiftInput): Promise<ShiftAnswer> {
    return this.#crossing.later('openShift', undefined, this.#openShift(input), shiftAnswer)
  }

  /** As {@link openShift}, waiting on the calling thread. */
  openShiftSync(input: ShiftInput): ShiftAnswer {
    return this.#crossing.now('openShift', undefined, this.#openShift(input), shiftAnswer)
  }

  /**
   * Closes the shift and gives its drawer.
   *
   * @throws {@link SaleStateError} `PK_E_SHIFT_CLOSED`, `PK_E_OPEN_SALES` while one holds cash,
   * `PK_E_TRAINING`, `PK_E_NOT_SIGNED_ON` where an operator is needed, `PK_E_CLOSED`,
   * `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} as {@link signOn}
   * @example
   * for (const { currency, expected } of (await terminal.closeShift()).drawer) {
   *   console.log(currency, expected)
   * }
   */
  closeShift(options?: Keyed): Promise<ShiftClosedAnswer> {
    const call = (native: NativeTerminal) => native.closeShift(keyOf(options))
    return this.#crossing.later('closeShift', undefined, call, shiftClosedAnswer)
  }

  /** As {@link closeShift}, waiting on the calling thread. */
  closeShiftSync(options?: Keyed): ShiftClosedAnswer {
    const call = (native: NativeTerminal) => native.closeShift(keyOf(options))
    return this.#crossing.now('closeShift', undefined, call, shiftClosedAnswer)
  }

  /**
   * The shift under way, with its drawer; `undefined` when none is open.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @example
   * console.log(terminal.shift()?.drawer)
   */
  shift(): Shift | undefined {
    const told = this.#crossing.ask('shift', (native) => native.shift())
    return told === null ? undefined : shiftTold(told)
  }

  /**
   * Pays cash into the drawer.
   *
   * @throws {@link SaleStateError} `PK_E_SHIFT_CLOSED`, `PK_E_TRAINING`, `PK_E_NOT_SIGNED_ON` where an
   * operator is needed; `PK_E_NOT_FOUND` and `PK_E_APPROVAL_USED` for the approval; `PK_E_CLOSED`,
   * `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link MoneyError} `PK_E_BAD_CURRENCY`, `PK_E_BAD_AMOUNT`, `PK_E_OVERFLOW`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} as {@link signOn}
   * @example
   * await terminal.paidIn({ currency: 'EUR', amount: 5000, reason: 'change from the bank' })
   */
  paidIn(input: CashInput): Promise<Answer> {
    return this.#crossing.later('paidIn', undefined, this.#pay('paidIn', input), doneAnswer)
  }

  /** As {@link paidIn}, waiting on the calling thread. */
  paidInSync(input: CashInput): Answer {
    return this.#crossing.now('paidIn', undefined, this.#pay('paidIn', input), doneAnswer)
  }

  /**
   * Pays cash out of the drawer; the amount is positive.
   *
   * @throws {@link SaleStateError} as {@link paidIn}
   * @throws {@link MoneyError} as {@link paidIn}
   * @throws {@link InputError} as {@link paidIn}
   * @throws {@link StorageError} as {@link signOn}
   * @example
   * await terminal.paidOut({ currency: 'EUR', amount: 1250, reason: 'window cleaner' })
   */
  paidOut(input: CashInput): Promise<Answer> {
    return this.#crossing.later('paidOut', undefined, this.#pay('paidOut', input), doneAnswer)
  }

  /** As {@link paidOut}, waiting on the calling thread. */
  paidOutSync(input: CashInput): Answer {
    return this.#crossing.now('paidOut', undefined, this.#pay('paidOut', input), doneAnswer)
  }

  /**
   * Takes cash out of the drawer for the drawer of another terminal of the store. It is on its way until
   * it is received there by the ticket, or taken back here.
   *
   * Durable when the promise resolves: the ticket may be handed out.
   *
   * @throws {@link SaleStateError} as {@link paidIn}; `PK_E_NOT_FOUND` for the other terminal
   * @throws {@link MoneyError} as {@link paidIn}; `PK_E_BAD_AMOUNT` for more than the drawer holds
   * @throws {@link InputError} as {@link paidIn}; `PK_E_BAD_ID`, and `PK_E_LIMIT` while 32 amounts are on
   * their way
   * @throws {@link StorageError} as {@link signOn}; `PK_E_IO`
   * @example
   * const { ticket } = await terminal.sendCash({ to: 'REGISTER_02', currency: 'EUR', amount: 5000, reason: 'change' })
   */
  sendCash(input: SendCashInput): Promise<CashTicket> {
    const call = async (native: NativeTerminal) => {
      const { to, cash, why, key } = sendCashOf(input)
      return native.sendCash(to, cash, why, key)
    }
    return this.#crossing.away('sendCash', undefined, call, cashTicket)
  }

  /** As {@link sendCash}, waiting on the calling thread. */
  sendCashSync(input: SendCashInput): CashTicket {
    const call = (native: NativeTerminal) => {
      const { to, cash, why, key } = sendCashOf(input)
      return native.sendCashSync(to, cash, why, key)
    }
    return this.#crossing.now('sendCash', undefined, call, cashTicket)
  }

  /**
   * Puts cash into the drawer that another terminal sent here; at the terminal that sent it, takes it
   * back. A ticket is good once in the whole store.
   *
   * Durable when the promise resolves.
   *
   * @throws {@link SaleStateError} `PK_E_ALREADY_RECEIVED` with the terminal that has it,
   * `PK_E_NOT_FOUND` for the terminal or the record of the ticket; else as {@link paidIn}
   * @throws {@link MoneyError} as {@link paidIn}
   * @throws {@link InputError} as {@link paidIn}; `PK_E_BAD_ARGUMENT` for what is no ticket, or for cash
   * that goes to another terminal
   * @throws {@link StorageError} as {@link signOn}; `PK_E_IO`, `PK_E_CORRUPT`
   * @example
   * for (const { ticket } of await terminal.cashInTransit()) {
   *   await terminal.receiveCash(ticket, { reason: 'change' })
   * }
   */
  receiveCash(ticket: string, options: Approved): Promise<CashReceived> {
    const call = async (native: NativeTerminal) => {
      const { why, key } = approvalOf(options)
      return native.receiveCash(text('ticket', ticket), why, key)
    }
    return this.#crossing.away('receiveCash', undefined, call, cashReceived)
  }

  /** As {@link receiveCash}, waiting on the calling thread. */
  receiveCashSync(ticket: string, options: Approved): CashReceived {
    const call = (native: NativeTerminal) => {
      const { why, key } = approvalOf(options)
      return native.receiveCashSync(text('ticket', ticket), why, key)
    }
    return this.#crossing.now('receiveCash', undefined, call, cashReceived)
  }

  /**
   * The cash that is on its way between the drawers of the store.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @throws {@link StorageError} `PK_E_IO`
   * @example
   * for (const { from, to, amount } of await terminal.cashInTransit()) console.log(from, to, amount)
   */
  cashInTransit(): Promise<readonly CashInTransit[]> {
    return this.#crossing.read('cashInTransit', async (native) => native.cashInTransit())
  }

  /** As {@link cashInTransit}, reading on the calling thread. */
  cashInTransitSync(): readonly CashInTransit[] {
    return this.#crossing.ask('cashInTransit', (native) => native.cashInTransitSync())
  }

  /**
   * Opens the drawer without a sale.
   *
   * @throws {@link SaleStateError} as {@link paidIn}
   * @throws {@link InputError} as {@link paidIn}
   * @throws {@link StorageError} as {@link signOn}
   * @example
   * await terminal.noSale({ reason: 'change for a customer' })
   */
  noSale(options: Approved): Promise<Answer> {
    return this.#crossing.later('noSale', undefined, this.#noSale(options), doneAnswer)
  }

  /** As {@link noSale}, waiting on the calling thread. */
  noSaleSync(options: Approved): Answer {
    return this.#crossing.now('noSale', undefined, this.#noSale(options), doneAnswer)
  }

  /**
   * Counts the cash of one currency. What is over or short is booked with it: from here on the drawer
   * is expected to hold what was counted.
   *
   * @throws {@link SaleStateError} `PK_E_SHIFT_CLOSED`, `PK_E_OPEN_SALES` while one holds cash,
   * `PK_E_TRAINING`, `PK_E_NOT_SIGNED_ON` where an operator is needed, `PK_E_CLOSED`,
   * `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link MoneyError} as {@link paidIn}
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} as {@link signOn}
   * @example
   * const { overShort } = await terminal.cashCount({ currency: 'EUR', amount: 23_750 })
   */
  cashCount(input: CountInput): Promise<CountAnswer> {
    return this.#crossing.later('cashCount', undefined, this.#cashCount(input), countAnswer)
  }

  /** As {@link cashCount}, waiting on the calling thread. */
  cashCountSync(input: CountInput): CountAnswer {
    return this.#crossing.now('cashCount', undefined, this.#cashCount(input), countAnswer)
  }

  /**
   * Prints a receipt once more: counts the copy and gives its number. It reads the journal.
   *
   * @param receiptNumber - the receipt
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_APPROVAL_USED`, `PK_E_NOT_SIGNED_ON` where an
   * operator is needed, `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_IO`, and as {@link signOn}
   * @example
   * const { copy, receipt } = await terminal.reprint(1)
   * console.log(`copy ${copy}`, receipt.gross)
   */
  reprint(receiptNumber: number, options?: ReprintInput): Promise<ReprintAnswer> {
    const call = async (native: NativeTerminal) => {
      const { circle, approval, key } = reprintOf(options)
      return native.reprint(circle, numberOf('receiptNumber', receiptNumber), approval, key)
    }
    return this.#crossing.away('reprint', undefined, call, reprintAnswer)
  }

  /** As {@link reprint}, waiting on the calling thread. */
  reprintSync(receiptNumber: number, options?: ReprintInput): ReprintAnswer {
    const call = (native: NativeTerminal) => {
      const { circle, approval, key } = reprintOf(options)
      return native.reprintSync(circle, numberOf('receiptNumber', receiptNumber), approval, key)
    }
    return this.#crossing.now('reprint', undefined, call, reprintAnswer)
  }

  /**
   * What the till took since the last Z report. It changes nothing, and is journaled.
   *
   * @throws {@link SaleStateError} `PK_E_NOT_SIGNED_ON` where an operator is needed, `PK_E_CLOSED`,
   * `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_IO`, and as {@link signOn}
   * @example
   * const { turnover } = await terminal.xReport()
   */
  xReport(options?: Keyed): Promise<ReportAnswer> {
    const call = async (native: NativeTerminal) => native.xReport(keyOf(options))
    return this.#crossing.away('xReport', undefined, call, reportAnswer)
  }

  /** As {@link xReport}, waiting on the calling thread. */
  xReportSync(options?: Keyed): ReportAnswer {
    const call = (native: NativeTerminal) => native.xReportSync(keyOf(options))
    return this.#crossing.now('xReport', undefined, call, reportAnswer)
  }

  /**
   * Closes the period: the report has the next number, its sums begin again, and the journal's segment
   * is sealed behind it. The perpetual totals go on.
   *
   * @throws {@link SaleStateError} `PK_E_OPEN_SALES` with their numbers, `PK_E_NOT_SIGNED_ON` where an
   * operator is needed, `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_IO`, and as {@link signOn}
   * @example
   * const { number, turnover } = await terminal.zReport({ key: 'monday' })
   */
  zReport(options?: Keyed): Promise<ReportAnswer> {
    const call = async (native: NativeTerminal) => native.zReport(keyOf(options))
    return this.#crossing.away('zReport', undefined, call, reportAnswer)
  }

  /** As {@link zReport}, waiting on the calling thread. */
  zReportSync(options?: Keyed): ReportAnswer {
    const call = (native: NativeTerminal) => native.zReportSync(keyOf(options))
    return this.#crossing.now('zReport', undefined, call, reportAnswer)
  }

  /**
   * Closes a longer period, by number and never by clock: a day over all Z reports since the last day,
   * a month over days, a year over months.
   *
   * @throws {@link SaleStateError} `PK_E_NOTHING_TO_CLOSE`, `PK_E_NOT_SIGNED_ON` where an operator is
   * needed, `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} as {@link signOn}
   * @example
   * const { number, first, last } = await terminal.periodClose({ kind: 'day' })
   */
  periodClose(input: PeriodInput): Promise<PeriodAnswer> {
    return this.#crossing.later('periodClose', undefined, this.#periodClose(input), periodAnswer)
  }

  /** As {@link periodClose}, waiting on the calling thread. */
  periodCloseSync(input: PeriodInput): PeriodAnswer {
    return this.#crossing.now('periodClose', undefined, this.#periodClose(input), periodAnswer)
  }

  #signOn(input: OperatorInput) {
    return (native: NativeTerminal) => {
      const { operator, key } = operatorOf(input)
      return native.signOn(operator, key)
    }
  }

  #signOff(input: OperatorInput) {
    return (native: NativeTerminal) => {
      const { operator, key } = operatorOf(input)
      return native.signOff(operator, key)
    }
  }

  #approve(input: ApprovalInput) {
    return (native: NativeTerminal) => {
      const { operator, what, key } = approvalInputOf(input)
      return native.approve(operator, what, key)
    }
  }

  #setTraining(on: boolean, options: TrainingInput | undefined) {
    return (native: NativeTerminal) => {
      const { approval, key } = trainingOf(options)
      const isOn = optionalFlag('on', on)
      if (isOn === undefined) throw wrong('on', on, 'true or false')
      return native.setTraining(isOn, approval, key)
    }
  }

  #openShift(input: ShiftInput) {
    return (native: NativeTerminal) => {
      const { float, key } = shiftOf(input)
      return native.openShift(float, key)
    }
  }

  #pay(way: 'paidIn' | 'paidOut', input: CashInput) {
    return (native: NativeTerminal) => {
      const { cash, why, key } = cashInputOf(input)
      return native[way](cash, why, key)
    }
  }

  #noSale(options: Approved) {
    return (native: NativeTerminal) => {
      const { why, key } = approvalOf(options)
      return native.noSale(why, key)
    }
  }

  #cashCount(input: CountInput) {
    return (native: NativeTerminal) => {
      const { cash, key } = countOf(input)
      return native.cashCount(cash, key)
    }
  }

  #periodClose(input: PeriodInput) {
    return (native: NativeTerminal) => {
      const { kind, key } = periodOf(input)
      return native.periodClose(kind, key)
    }
  }
}
