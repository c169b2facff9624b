/**
 * One terminal, as a process of its own: it owns the terminal's lock, rings up what it is sent, and
 * can be killed at any moment without anything being lost.
 *
 * Started by `register.ts` with no descriptor but the channel, so that nobody inherits a lock.
 */
import { openSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { isPosError, type PosError } from '../../kernel/errors.js'
import type { Receipt } from '../../kernel/receipt.js'
import type { Sale } from '../../kernel/sale.js'
import { type FlushCounts, openTerminal, type Terminal } from '../../kernel/terminal.js'
import { asKnown } from '../failure.js'
import type { Invoice } from './invoice.js'
import type { Failure, FromTerminal, TerminalOrder, ToTerminal } from './message.js'

/** Where the file's invoices were written, for the receipts. */
const STORE = 'ONLINE RETAIL'
const CURRENCY = 'GBP'
/** Reason of the voids of what a killed run had left open. */
const RESUMED_REASON = 'replay resumed'

/**
 * How long to wait for a lock. Processes of a replay that was killed end with the sale they are at;
 * whoever holds the lock longer is somebody else.
 */
const LOCK_PATIENCE_MS = 5000
const LOCK_RETRY_MS = 25

/** The coordinator is gone: whatever has not been finished stays for the next run. */
class Orphaned extends Error {}

/** Work in the order in which it was sent; `undefined` ends it. */
class Inbox {
  readonly #waiting: (Invoice | undefined)[] = []
  #wake: (() => void) | undefined

  put(work: Invoice | undefined): void {
    this.#waiting.push(work)
    this.#wake?.()
  }

  async take(): Promise<Invoice | undefined> {
    while (this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#waiting.shift()
  }
}

const inbox = new Inbox()
let isOrphaned = false

process.on('disconnect', () => {
  isOrphaned = true
  inbox.put(undefined)
})
// An interrupt from the keyboard reaches every process of the group; the coordinator decides.
process.on('SIGINT', () => undefined)
process.on('message', (message: ToTerminal) => {
  switch (message.kind) {
    case 'open':
      work(message.order).catch(fail)
      break
    case 'ring':
      inbox.put(message.invoice)
      break
    case 'end':
      inbox.put(undefined)
      break
  }
})

async function work(order: TerminalOrder): Promise<void> {
  const terminal = await openPatiently(order)
  try {
    const voided = await voidWhatCameBack(terminal)
    const { clean, epoch } = terminal.recovery
    tell({ kind: 'ready', clean, epoch, voided })
    const acknowledged = order.ackLog === undefined ? undefined : openSync(order.ackLog, 'a')
    for (;;) {
      const invoice = await inbox.take()
      if (invoice === undefined || isOrphaned) break
      await ring(terminal, order, invoice, acknowledged)
    }
  } finally {
    await terminal.close()
  }
  part({ kind: 'ended', syncs: syncsOf(terminal.stats().flushes) })
}

async function openPatiently(order: TerminalOrder): Promise<Terminal> {
  const { root, terminal: id, durability } = order
  const until = performance.now() + LOCK_PATIENCE_MS
  for (;;) {
    try {
      return await openTerminal({ root, id, durability })
    } catch (error) {
      const isHeld = isPosError(error, 'PK_E_TERMINAL_IN_USE')
      if (!isHeld || isOrphaned || performance.now() > until) throw error
      await delay(LOCK_RETRY_MS)
    }
  }
}

/** Voids what a killed replay had begun; sales of other programs on this terminal are left alone. */
async function voidWhatCameBack(terminal: Terminal): Promise<number> {
  const left = terminal.openSales().filter((sale) => sale.store === STORE)
  for (const sale of left) await voidWhole(sale, RESUMED_REASON)
  return left.length
}

async function voidWhole(sale: Sale, reason: string): Promise<void> {
  for (const { tender, state } of sale.tenders()) {
    if (state === 'pending' || state === 'confirmed') await sale.voidTender(tender, { reason })
  }
  await sale.void({ reason })
  sale.close()
}

async function ring(
  terminal: Terminal,
  order: TerminalOrder,
  invoice: Invoice,
  acknowledged: number | undefined,
): Promise<void> {
  let receipt: Receipt
  try {
    receipt = await (order.byCall ? ringByCall(terminal, invoice) : sellWhole(terminal, invoice))
  } catch (error) {
    if (error instanceof Orphaned) return
    if (!isRefusal(error)) throw error
    tell({ kind: 'refused', invoice: invoice.number, reason: `${error.code}: ${error.message}` })
    return
  }
  const { receiptNumber, lines, gross } = receipt
  if (acknowledged !== undefined) {
    // One write, so that lines of several processes never mix and a kill leaves no half line.
    writeSync(acknowledged, `${invoice.number}\t${terminal.id}\t${receiptNumber}\n`)
  }
  tell({
    kind: 'rung',
    invoice: invoice.number,
    receipt: receiptNumber,
    lines: lines.length,
    gross,
    syncs: syncsOf(terminal.stats().flushes),
  })
}

/** The whole invoice in one call: one write, one flush. */
function sellWhole(terminal: Terminal, invoice: Invoice): Promise<Receipt> {
  const { number, lines, gross } = invoice
  return terminal.sell({
    store: STORE,
    currency: CURRENCY,
    reference: number,
    lines,
    tenders: gross === 0 ? [] : [{ kind: 'cash', amount: gross }],
    key: `invoice:${number}`,
  })
}

/**
 * Call by call, as a clerk does. The key stands on the completion: what was begun and not completed
 * is voided by the next owner and rung up anew, under the same key.
 */
async function ringByCall(terminal: Terminal, invoice: Invoice): Promise<Receipt> {
  const sale = await terminal.begin({ store: STORE, currency: CURRENCY, reference: invoice.number })
  try {
    for (const line of invoice.lines) {
      if (isOrphaned) throw new Orphaned()
      await sale.addLine(line)
    }
    const { due } = sale.totals()
    if (due !== 0) await sale.tender({ kind: 'cash', amount: due })
    const receipt = await sale.complete({ key: `invoice:${invoice.number}` })
    sale.close()
    return receipt
  } catch (error) {
    if (isRefusal(error)) await voidWhole(sale, `refused: ${error.code}`)
    throw error
  }
}

/** The kernel's no to this invoice alone; anything else ends the process. */
function isRefusal(error: unknown): error is PosError {
  return isPosError(error) && ['input', 'money', 'state'].includes(error.family)
}

function syncsOf(flushes: FlushCounts): number {
  return Object.values(flushes).reduce((sum, count) => sum + count, 0)
}

function tell(message: FromTerminal): void {
  if (process.connected) process.send?.(message, () => undefined)
}

/** Says the last word; without the channel nothing keeps this process. */
function part(message: FromTerminal): void {
  if (!process.connected) return
  process.send?.(message, () => {
    if (process.connected) process.disconnect()
  })
}

function fail(error: unknown): void {
  process.exitCode = 1
  part({ kind: 'failed', failure: asFailure(error) })
}

function asFailure(error: unknown): Failure {
  const { code, message, facts } = asKnown(error).toJSON()
  return { code, message, facts }
}
