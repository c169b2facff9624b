/**
 * A till that moves cash and suspended sales to and from the other tills of its store, by chance and
 * without end, until it is killed. It writes a line to its log for whatever was acknowledged.
 */
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isPosError, openTerminalSync } from 'pos-kernel'

const [root, id, others, seedText] = process.argv.slice(2)
const elsewhere = others.split(',')
/** What another till may have done a moment earlier. */
const usual = new Set(['PK_E_ALREADY_RECEIVED', 'PK_E_ALREADY_RESUMED', 'PK_E_LIMIT'])

let state = Number(seedText) >>> 0
function below(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * limit)
}

/** How long a dead owner may still look alive: the lock is freed before the process is gone. */
async function opened() {
  for (let tries = 0; ; tries += 1) {
    try {
      return openTerminalSync({ root, id, segmentBytes: 65_536 })
    } catch (error) {
      if (!isPosError(error) || error.code !== 'PK_E_TERMINAL_IN_USE' || tries > 400) throw error
      await delay(5)
    }
  }
}

const terminal = await opened()
const log = path.join(root, `${id}.log`)
const note = (...words) => appendFileSync(log, `${words.join(' ')}\n`)
if (terminal.shift() === undefined) {
  terminal.openShiftSync({ float: [{ currency: 'EUR', amount: 100_000 }], key: 'first-shift' })
}
process.stdout.write('open\n')

const steps = [
  function send() {
    const to = elsewhere[below(elsewhere.length)]
    const amount = 1 + below(900)
    const { ticket } = terminal.sendCashSync({ to, currency: 'EUR', amount, reason: 'change' })
    note('sent', ticket, amount)
  },
  function receive() {
    const mine = terminal.cashInTransitSync().filter(({ to, from }) => to === id || from === id)
    if (mine.length === 0) return
    const { ticket, from } = mine[below(mine.length)]
    // A giver that takes everything back would leave nothing to receive.
    if (from === id && below(4) > 0) return
    const { amount } = terminal.receiveCashSync(ticket, { reason: 'change' })
    note('received', ticket, amount)
  },
  function suspend() {
    const open = terminal.openSales().filter((sale) => sale.summary().state === 'building')
    const waits = terminal.openSales().length - open.length
    if (waits > 8) return
    const sale = open[0] ?? terminal.beginSync({ store: 'shop', currency: 'EUR' })
    if (sale.lines().length === 0) sale.addLineSync({ sku: 'a', quantity: 1, unitPrice: 250 })
    const { ticket } = sale.suspendSync({ reason: 'waits' })
    note('suspended', ticket)
  },
  function resume() {
    const waiting = terminal.suspendedSalesSync()
    if (waiting.length === 0) return
    const { ticket } = waiting[below(waiting.length)]
    const sale = terminal.resumeSync(ticket)
    note('resumed', ticket)
    const { due } = sale.totals()
    if (due > 0) sale.tenderSync({ kind: 'cash', amount: due })
    const { receiptNumber } = sale.completeSync()
    note('completed', ticket, receiptNumber)
  },
  function finish() {
    for (const sale of terminal.openSales()) {
      const { state, takes } = sale.summary()
      if (state === 'suspended' || takes === undefined) continue
      const { due } = sale.totals()
      if (due > 0) sale.tenderSync({ kind: 'cash', amount: due })
      const { receiptNumber } = sale.completeSync()
      note('completed', takes.ticket, receiptNumber)
    }
  },
  function collect() {
    terminal.collectTransfersSync()
  },
]

for (;;) {
  const step = steps[below(steps.length)]
  try {
    step()
  } catch (error) {
    if (!isPosError(error) || !usual.has(error.code)) {
      process.stderr.write(`${id} ${step.name}: ${error?.stack ?? error}\n`)
      process.exit(1)
    }
  }
}
