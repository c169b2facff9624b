/** Runs the operations of a script on one terminal, in order. */
import { readFileSync } from 'node:fs'
import type { AdjustmentCall } from '../kernel/adjustment.js'
import { type PosError, posError } from '../kernel/errors.js'
import type { Sale } from '../kernel/sale.js'
import type { Cart, LineInput } from '../kernel/sale-input.js'
import type { Terminal } from '../kernel/terminal.js'
import type { Operation } from './operation.js'

const NS_PER_MS = 1_000_000n

type SaleOperation = Extract<Operation, { sale?: number | undefined }>

/** What the operations of a script have to do with. */
export interface Stage {
  /** Opens the terminal, at a wall time of tests where one is set. */
  open(wallNs: bigint | undefined): Promise<Terminal>
  /** `setClock` is allowed. */
  readonly hasTestClock: boolean
  /** Rule tables may be named by their file. */
  readonly mayReadFiles: boolean
}

/** One terminal and the sale that an operation means when it names none. */
export class Interpreter {
  readonly #stage: Stage
  #terminal: Terminal | undefined
  #wallNs: bigint | undefined
  #lastSale: number | undefined
  #lastCurrency: string | undefined

  /** @param stage - the terminal is opened by the first operation */
  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** Opens the terminal, unless it is open. */
  async open(): Promise<Terminal> {
    this.#terminal ??= await this.#stage.open(this.#wallNs)
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
      case 'setPolicy': {
        const { op: _, key, ...policy } = operation
        const answer = await terminal.setPolicy(policy, { key })
        this.#lastCurrency = policy.currency
        return answer
      }
      case 'policy':
        return { policy: terminal.policy(operation.currency) ?? null }
      case 'setRules': {
        const { tables, key } = operation
        const texts = tables.map((table) => textOfTable(table, this.#stage.mayReadFiles))
        return terminal.setRules(texts, { key })
      }
      case 'rules':
        return { rules: terminal.rules() ?? null }
      case 'begin': {
        const { op: _, ...input } = operation
        const currency = this.#currency(operation)
        this.#lastCurrency = currency
        return this.#begun(await terminal.begin({ ...input, currency }))
      }
      case 'addLine': {
        const { op: _, sale: __, key, ...line } = operation
        // That a discount is an amount or a percentage is checked by the API.
        return this.#sale(terminal, operation).addLine(line as LineInput, { key })
      }
      case 'setQuantity': {
        const { line, quantity, reason, approval, key } = operation
        const why = { reason, approval, key }
        return this.#sale(terminal, operation).setQuantity(line, quantity, why)
      }
      case 'voidLine': {
        const { line, reason, linked, approval, key } = operation
        const why = { reason, linked, approval, key }
        return this.#sale(terminal, operation).voidLine(line, why)
      }
      case 'overridePrice': {
        const { line, unitPrice, perQuantity, reason, approval, key } = operation
        const options = { perQuantity, reason, approval, key }
        return this.#sale(terminal, operation).overridePrice(line, unitPrice, options)
      }
      case 'overrideTaxes': {
        const { line, taxes, reason, approval, key } = operation
        return this.#sale(terminal, operation).overrideTaxes(line, taxes, { reason, approval, key })
      }
      case 'discountLine': {
        const { op: _, sale: __, line, ...discount } = operation
        const sale = this.#sale(terminal, operation)
        return sale.discountLine(line, discount as AdjustmentCall)
      }
      case 'surchargeLine': {
        const { op: _, sale: __, line, ...surcharge } = operation
        const sale = this.#sale(terminal, operation)
        return sale.surchargeLine(line, surcharge as AdjustmentCall)
      }
      case 'discountSale': {
        const { op: _, sale: __, ...discount } = operation
        return this.#sale(terminal, operation).discountSale(discount as AdjustmentCall)
      }
      case 'surchargeSale': {
        const { op: _, sale: __, ...surcharge } = operation
        return this.#sale(terminal, operation).surchargeSale(surcharge as AdjustmentCall)
      }
      case 'retract': {
        const { number, reason, approval, key } = operation
        return this.#sale(terminal, operation).retract(number, { reason, approval, key })
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
        const { tender, reason, approval, key } = operation
        const why = { reason, approval, key }
        return this.#sale(terminal, operation).declineTender(tender, why)
      }
      case 'voidTender': {
        const { tender, reason, approval, key } = operation
        const why = { reason, approval, key }
        return this.#sale(terminal, operation).voidTender(tender, why)
      }
      case 'beginReturn': {
        const { op: _, ...input } = operation
        return this.#begun(await terminal.beginReturn(input))
      }
      case 'returnLine': {
        const { op: _, sale: __, ...part } = operation
        return this.#sale(terminal, operation).returnLine(part)
      }
      case 'suspend': {
        const { reason, key } = operation
        return this.#sale(terminal, operation).suspend({ reason, key })
      }
      case 'resume': {
        const { ticket, key } = operation
        return this.#begun(await terminal.resume(ticket, { key }))
      }
      case 'suspendedSales':
        return { sales: await terminal.suspendedSales() }
      case 'collectTransfers':
        return { sales: await terminal.collectTransfers() }
      case 'expire': {
        const { idleMs, reason } = operation
        return terminal.expire({ idleMs, reason })
      }
      case 'signOn': {
        const { op: _, ...operator } = operation
        return terminal.signOn(operator)
      }
      case 'signOff': {
        const { op: _, ...operator } = operation
        return terminal.signOff(operator)
      }
      case 'approve': {
        const { op: _, ...approval } = operation
        return terminal.approve(approval)
      }
      case 'training': {
        const { on, approval, key } = operation
        return terminal.setTraining(on, { approval, key })
      }
      case 'openShift': {
        const { float, key } = operation
        const one = (amount: number) => [{ currency: this.#currency({}), amount }]
        return terminal.openShift({ float: typeof float === 'number' ? one(float) : float, key })
      }
      case 'closeShift':
        return terminal.closeShift({ key: operation.key })
      case 'shift':
        return { shift: terminal.shift() ?? null }
      case 'paidIn': {
        const { op: _, ...cash } = operation
        return terminal.paidIn({ ...cash, currency: this.#currency(operation) })
      }
      case 'paidOut': {
        const { op: _, ...cash } = operation
        return terminal.paidOut({ ...cash, currency: this.#currency(operation) })
      }
      case 'sendCash': {
        const { op: _, ...cash } = operation
        return terminal.sendCash({ ...cash, currency: this.#currency(operation) })
      }
      case 'receiveCash': {
        const { ticket, reason, approval, key } = operation
        return terminal.receiveCash(ticket, { reason, approval, key })
      }
      case 'cashInTransit':
        return { cash: await terminal.cashInTransit() }
      case 'noSale': {
        const { reason, approval, key } = operation
        return terminal.noSale({ reason, approval, key })
      }
      case 'cashCount': {
        const { op: _, ...cash } = operation
        return terminal.cashCount({ ...cash, currency: this.#currency(operation) })
      }
      case 'xReport':
        return terminal.xReport({ key: operation.key })
      case 'zReport':
        return terminal.zReport({ key: operation.key })
      case 'periodClose': {
        const { kind, key } = operation
        return terminal.periodClose({ kind, key })
      }
      case 'reprint': {
        const { receiptNumber, circle, approval, key } = operation
        return terminal.reprint(receiptNumber, { circle, approval, key })
      }
      case 'totals':
        return this.#sale(terminal, operation).totals()
      case 'complete': {
        const answer = await this.#sale(terminal, operation).complete({ key: operation.key })
        const { replayed, ...receipt } = answer
        return { receipt, replayed }
      }
      case 'void': {
        const { reason, approval, key } = operation
        return this.#sale(terminal, operation).void({ reason, approval, key })
      }
      case 'close': {
        const sale = this.#sale(terminal, operation)
        sale.close()
        return { sale: sale.id }
      }
      case 'sell': {
        const { op: _, ...cart } = operation
        const currency = this.#currency(operation)
        const { replayed, ...receipt } = await terminal.sell({ ...cart, currency } as Cart)
        this.#lastCurrency = currency
        return { receipt, replayed }
      }
      case 'receipt':
        return { receipt: await terminal.receipt(operation.receiptNumber, operation.circle) }
      case 'openSales':
        return { sales: terminal.openSales().map((sale) => sale.summary()) }
      case 'counters':
        return { counters: terminal.counters() }
      case 'status':
        return terminal.status()
    }
  }

  #begun(sale: Sale): object {
    this.#lastSale = sale.id
    return { sale: sale.id, replayed: sale.replayed }
  }

  /** The currency of an operation: the one it names, else the one that the script used last. */
  #currency({ currency }: { readonly currency?: string | undefined }): string {
    const known = currency ?? this.#lastCurrency
    if (known !== undefined) return known
    const message = 'no currency is known: give "currency", or set a policy first'
    throw posError('PK_E_BAD_ARGUMENT', message, { argument: 'currency' })
  }

  /**
   * The sale of an operation: the one it names; else the only open one that is not suspended; else,
   * when none is, the one that the script used last, so that it can be looked at and closed.
   */
  #sale(terminal: Terminal, operation: SaleOperation): Sale {
    const sale = terminal.sale(operation.sale ?? this.#impliedSale(terminal))
    this.#lastSale = sale.id
    return sale
  }

  #impliedSale(terminal: Terminal): number {
    const open = terminal.openSales().filter((sale) => sale.summary().state !== 'suspended')
    const [only, ...others] = open
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
    if (!this.#stage.hasTestClock) throw noTestClock()
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

/** A table as its text: as it stands, from a file, or as the JSON that it is. */
function textOfTable(table: string | object, mayReadFiles: boolean): string {
  if (typeof table === 'string') return table
  if (!('file' in table) || typeof table.file !== 'string') return JSON.stringify(table)
  if (!mayReadFiles) {
    const message = 'a rule table cannot be named by its file here: give its text'
    throw posError('PK_E_BAD_ARGUMENT', message, { argument: 'file' })
  }
  try {
    return readFileSync(table.file, 'utf8')
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    const facts = { argument: 'file', value: table.file.slice(0, 40) }
    throw posError('PK_E_BAD_ARGUMENT', `the rule table cannot be read: ${found}`, facts)
  }
}

function noTestClock(): PosError {
  const message = 'setClock is for tests: run the script with --test-clock'
  return posError('PK_E_BAD_ARGUMENT', message, { argument: 'op' })
}
