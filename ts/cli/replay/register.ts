/**
 * The coordinator's side of one terminal process: starts it, starts it again when it dies, and knows
 * which invoices it has been sent and not answered.
 *
 * A process may die between making an invoice durable and saying so. So an unanswered invoice stays
 * with its terminal: once the process is back, the terminal's own journal says which of them are in,
 * and only the others are sent again. That is why nothing is doubled and nothing is lost.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { posError, toPosError } from '../../kernel/errors.js'
import type { Invoice } from './invoice.js'
import { readJournal } from './journals.js'
import type { FromTerminal, TerminalOrder, ToTerminal } from './message.js'
import type { Rung, TerminalTally } from './tally.js'

/** What became of an invoice. */
export type Outcome =
  | ({ readonly kind: 'rung' } & Rung)
  | { readonly kind: 'refused'; readonly reason: string }

/** Starts in a row, without one invoice between them, after which a process is given up. */
const STARTS_MAX = 6
const BACKOFF_MS = 50

const entry = fileURLToPath(new URL('./terminal-process.js', import.meta.url))

interface Sent {
  readonly invoice: Invoice
  readonly settle: (outcome: Outcome) => void
  readonly fail: (error: unknown) => void
}

/** One terminal with its process. */
export class Register {
  readonly tally: TerminalTally
  readonly #order: TerminalOrder
  readonly #sent = new Map<string, Sent>()
  readonly #ready: Promise<void>
  readonly #gone: Promise<void>
  #resolveReady: () => void = () => undefined
  #rejectReady: (error: unknown) => void = () => undefined
  #resolveGone: () => void = () => undefined
  #child: ChildProcess | undefined
  /** The process has opened its terminal, and what it was sent has been settled with its journal. */
  #isServing = false
  #isEnding = false
  #hasEnded = false
  #startsInVain = 0
  /** Flushes of the processes that have ended. */
  #syncsBefore = 0
  #failure: Error | undefined

  constructor(order: TerminalOrder) {
    this.#order = order
    const zero = { invoices: 0, syncs: 0, restarts: 0, recoveries: 0, voided: 0 }
    this.tally = { id: order.terminal, ...zero }
    this.#ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve
    })
  }

  /** Starts the process; resolves once its terminal is open and recovered. */
  open(): Promise<void> {
    this.#start()
    return this.#ready
  }

  /** Has an invoice rung up, however many processes that takes. */
  ring(invoice: Invoice): Promise<Outcome> {
    return new Promise((settle, fail) => {
      if (this.#failure !== undefined) {
        fail(this.#failure)
        return
      }
      this.#sent.set(invoice.number, { invoice, settle, fail })
      if (this.#isServing) this.#send({ kind: 'ring', invoice })
    })
  }

  /** Ends the process once it has done what it was sent, and waits for that. */
  end(): Promise<void> {
    this.#isEnding = true
    this.#send({ kind: 'end' })
    return this.#gone
  }

  #start(): void {
    this.#startsInVain += 1
    const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child = child
    child.on('message', (message: FromTerminal) => this.#hear(message))
    child.on('error', (error) => {
      // A process that never came to be has nothing to close.
      if (child.pid !== undefined) return
      this.#giveUp(toPosError(error))
      this.#resolveGone()
    })
    // Not 'exit': the last messages may still be on their way then.
    child.on('close', (code, signal) => this.#bury(signal ?? `exit code ${code}`))
    this.#send({ kind: 'open', order: this.#order })
  }

  #send(message: ToTerminal): void {
    // A process that is dying cannot be told; what it was sent is settled when it is back.
    this.#child?.send(message, () => undefined)
  }

  #hear(message: FromTerminal): void {
    switch (message.kind) {
      case 'ready':
        if (!message.clean) this.tally.recoveries += 1
        this.tally.voided += message.voided
        this.#settleWithJournal().catch((error) => this.#giveUp(toPosError(error)))
        break
      case 'rung':
        this.#startsInVain = 0
        this.#countSyncs(message.syncs)
        this.#settle(message.invoice, { ...message, kind: 'rung' })
        break
      case 'refused':
        this.#startsInVain = 0
        this.#settle(message.invoice, { kind: 'refused', reason: message.reason })
        break
      case 'ended':
        this.#hasEnded = true
        this.#countSyncs(message.syncs)
        break
      case 'failed':
        this.#giveUp(toPosError(message.failure))
        break
    }
  }

  #countSyncs(syncs: number): void {
    this.tally.syncs = this.#syncsBefore + syncs
  }

  #settle(number: string, outcome: Outcome): void {
    const sent = this.#sent.get(number)
    if (sent === undefined) return
    this.#sent.delete(number)
    if (outcome.kind === 'rung') this.tally.invoices += 1
    sent.settle(outcome)
  }

  async #settleWithJournal(): Promise<void> {
    if (this.#sent.size > 0) {
      const { root, terminal } = this.#order
      const child = this.#child
      const standing = await readJournal(root, terminal)
      // It may have died meanwhile; the next process is settled with the journal when it is ready.
      if (this.#child !== child) return
      for (const number of [...this.#sent.keys()]) {
        const found = standing.get(number)?.[0]
        if (found !== undefined) this.#settle(number, { kind: 'rung', ...found })
      }
    }
    this.#isServing = true
    this.#resolveReady()
    for (const { invoice } of this.#sent.values()) this.#send({ kind: 'ring', invoice })
    if (this.#isEnding) this.#send({ kind: 'end' })
  }

  /** A process has ended: as it should, or to be started again. */
  #bury(how: string): void {
    this.#child = undefined
    this.#isServing = false
    this.#syncsBefore = this.tally.syncs
    if (this.#hasEnded || this.#failure !== undefined) {
      this.#resolveGone()
    } else if (this.#startsInVain >= STARTS_MAX) {
      const { terminal } = this.#order
      const message = `the process of terminal ${terminal} died ${STARTS_MAX} times in a row (${how})`
      this.#giveUp(posError('PK_E_PANIC', message, { cause: how }))
      this.#resolveGone()
    } else {
      this.tally.restarts += 1
      delay(BACKOFF_MS * 2 ** (this.#startsInVain - 1)).then(() => this.#start())
    }
  }

  /** Ends this register for good: everything that waits for it fails. */
  #giveUp(error: Error): void {
    this.#failure ??= error
    this.#rejectReady(this.#failure)
    for (const { fail } of this.#sent.values()) fail(this.#failure)
    this.#sent.clear()
  }
}
