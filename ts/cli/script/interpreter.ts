/** Runs the operations of a script on one terminal, in order. */
import { type PosError, posError } from '../../kernel/errors.js'
import type { Sale } from '../../kernel/sale.js'
import { openAt, type Terminal, type TerminalOptions } from '../../kernel/terminal.js'
import type { Operation } from './operation.js'

const NS_PER_MS = 1_000_000n

type SaleOperation = Extract<Operation, { sale?: number | undefined }>

/** One terminal and the sale that an operation means when it names none. */
export class Interpreter {
  readonly #options: TerminalOptions
  readonly #hasTestClock: boolean
  #terminal: Terminal | undefined
  #wallNs: bigint | undefined
  #lastSale: number | undefined

  /**
   * @param options - how to open the terminal; it is opened by the first operation
   * @param hasTestClock - `setClock` is allowed
   */
  constructor(options: TerminalOptions, hasTestClock: boolean) {
    this.#options = options
    this.#hasTestClock = hasTestClock
  }

  /** Opens the terminal, unless it is open. */
  async open(): Promise<Terminal> {
    this.#terminal ??= await openAt(this.#options, this.#wallNs)
    return this.#terminal
  }

  /** Closes the terminal, where it was opened. */
  async close(): Promise<void> {
    const terminal = this.#terminal
    this.#terminal = undefined
    await terminal?.close()
  }

  /** Runs one operation and gives what its answer carries. */
  async run(operation: Operation): Promise<object> {
    if (operation.op === 'setClock') return this.#setClock(operation.wall)
    const terminal = await this.open()
    switch (operation.op) {
      case 'begin': {
        const { op: _, ...input } = operation
        const sale = await terminal.begin(input)
        this.#lastSale = sale.id
        return { sale: sale.id, replayed: sale.replayed }
      }
      case 'addLine': {
        const { op: _, sale: __, key, ...line } = operation
        return this.#sale(terminal, operation).addLine(line, { key })
      }
      case 'setQuantity': {
        const { line, quantity, reason, key } = operation
        return this.#sale(terminal, operation).setQuantity(line, quantity, { reason, key })
      }
      case 'voidLine': {
        const { line, reason, linked, key } = operation
        return this.#sale(terminal, operation).voidLine(line, { reason, linked, key })
      }
      case 'tender': {
        const { op: _, sale: __, ...tender } = operation
        return this.#sale(terminal, operation).tender(tender)
      }
      case 'confirmTender': {
        const { tender, auth, key } = operation
        return this.#sale(terminal, operation).confirmTender(tender, { auth, key })
      }
      case 'declineTender': {
        const { tender, reason, key } = operation
        return this.#sale(terminal, operation).declineTender(tender, { reason, key })
      }
      case 'voidTender': {
        const { tender, reason, key } = operation
        return this.#sale(terminal, operation).voidTender(tender, { reason, key })
      }
      case 'totals':
        return this.#sale(terminal, operation).totals()
      case 'complete': {
        const answer = await this.#sale(terminal, operation).complete({ key: operation.key })
        const { replayed, ...receipt } = answer
        return { receipt, replayed }
      }
      case 'void': {
        const { reason, key } = operation
        return this.#sale(terminal, operation).void({ reason, key })
      }
      case 'close': {
        const sale = this.#sale(terminal, operation)
        sale.close()
        return { sale: sale.id }
      }
      case 'sell': {
        const { op: _, ...cart } = operation
        const { replayed, ...receipt } = await terminal.sell(cart)
        return { receipt, replayed }
      }
      case 'receipt':
        return { receipt: await terminal.receipt(operation.receiptNumber) }
      case 'openSales':
        return { sales: terminal.openSales().map((sale) => sale.summary()) }
      case 'counters':
        return { counters: terminal.counters() }
      case 'status':
        return terminal.status()
    }
  }

  /**
   * The sale of an operation: the one it names; else the only open one; else, when none is open, the
   * one that the script used last, so that it can be looked at and closed.
   */
  #sale(terminal: Terminal, operation: SaleOperation): Sale {
    const sale = terminal.sale(operation.sale ?? this.#impliedSale(terminal))
    this.#lastSale = sale.id
    return sale
  }

  #impliedSale(terminal: Terminal): number {
    const [only, ...others] = terminal.openSales()
    if (only === undefined) {
      if (this.#lastSale !== undefined) return this.#lastSale
      throw posError('PK_E_NOT_FOUND', 'no sale is open; begin one', {})
    }
    if (others.length === 0) return only.id
    const message = `${others.length + 1} sales are open: say which with "sale"`
    throw posError('PK_E_BAD_ARGUMENT', message, { argument: 'sale' })
  }

  /**
   * Sets the clock of tests. A terminal that is open is closed and opened again at the new time: the
   * journal shows both.
   */
  async #setClock(wall: string): Promise<object> {
    if (!this.#hasTestClock) throw noTestClock()
    const ms = Date.parse(wall)
    if (!/^\d{4}-\d\d-\d\dT/.test(wall) || Number.isNaN(ms)) {
      const message = `wall ${JSON.stringify(wall.slice(0, 40))} is not a time such as 2026-11-21T09:00:00.000Z`
      throw posError('PK_E_BAD_ARGUMENT', message, { argument: 'wall', value: wall.slice(0, 40) })
    }
    this.#wallNs = BigInt(ms) * NS_PER_MS
    if (this.#terminal !== undefined) {
      await this.close()
      await this.open()
    }
    return { wall: new Date(ms).toISOString() }
  }
}

function noTestClock(): PosError {
  const message = 'setClock is for tests: run the script with --test-clock'
  return posError('PK_E_BAD_ARGUMENT', message, { argument: 'op' })
}
