import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { LockError, openTerminal, openTerminalSync } from '../../ts/index.js'
import { coffees, refusal, tempStore, terminalFor } from '../support/store.js'

/** Totals of a currency without taxes and cash rounding. */
const untaxed = { salesTax: 0, returnsTax: 0, rounding: 0, taxes: [] }

test('a first opening says so and makes the folders of the store', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root, id: 'REGISTER_01' })
  t.is(terminal.id, 'REGISTER_01')
  t.is(terminal.root, root)
  t.is(terminal.durability, 'record')
  t.like(terminal.recovery, { clean: true, firstOpen: true, epoch: 1, sales: [], records: 0 })
  t.is(terminal.recovery.previousOwner, undefined)
  const folder = path.join(root, 'terminals', 'REGISTER_01')
  t.is(terminal.status().dir, folder)
  for (const name of ['transaction.wal', 'terminal.lock', 'terminal.owner.json']) {
    t.true(existsSync(path.join(folder, name)), name)
  }
})

test('a terminal that was closed comes back clean, with its counters and its next epoch', async (t) => {
  const root = tempStore(t)
  const first = await openTerminal({ root, id: 'T1' })
  await first.sell(coffees)
  const { head } = first.status()
  await first.close()
  const second = await terminalFor(t, { root, id: 'T1' })
  t.like(second.recovery, { clean: true, firstOpen: false, epoch: 2 })
  t.like(second.recovery.previousOwner, { pid: process.pid, epoch: 1, released: true })
  t.deepEqual(second.counters(), [
    { ...untaxed, currency: 'EUR', sales: 640, returns: 0, net: 640, receipts: 1, voids: 0 },
  ])
  t.is(second.status().nextReceipt, 2)
  t.not(second.status().head, head)
})

test('a sale that was open comes back, flagged, and can be finished', async (t) => {
  const root = tempStore(t)
  const first = await openTerminal({ root, id: 'T1' })
  const sale = await first.begin({ store: 'shop', currency: 'EUR', reference: 'order-7' })
  await sale.addLine({ sku: 'tea', text: 'Green tea', quantity: '0.250', unitPrice: 1240 })
  await first.close()

  const second = await terminalFor(t, { root, id: 'T1' })
  t.deepEqual(second.recovery.sales, [1])
  const [back] = second.openSales()
  t.like(back, { id: 1, store: 'shop', currency: 'EUR', reference: 'order-7', recovered: true })
  t.like(back?.summary(), { state: 'building', lines: 1, gross: 310 })
  t.deepEqual(back?.lines(), [
    {
      line: 1,
      sku: 'tea',
      text: 'Green tea',
      quantity: '0.250',
      unitPrice: '1240',
      amount: 310,
    },
  ])
  await back?.tender({ kind: 'card', amount: 310 })
  t.like(await back?.complete(), { receiptNumber: 1, gross: 310, reference: 'order-7' })
  t.deepEqual(second.openSales(), [])
})

test('the synchronous twins do the same', (t) => {
  const root = tempStore(t)
  const terminal = openTerminalSync({ root, id: 'T1', durability: 'sale' })
  const sale = terminal.beginSync({ store: 'shop', currency: 'EUR' })
  t.like(sale.addLineSync({ sku: 'a', quantity: 3, unitPrice: 100 }), { line: 1, amount: 300 })
  t.like(sale.setQuantitySync(1, 2, { reason: 'one back' }), { line: 1, amount: 200 })
  sale.addLineSync({ sku: 'b', quantity: 1, unitPrice: 50 })
  t.like(sale.voidLineSync(2, { reason: 'wrong' }), { line: 2, amount: 0 })
  t.like(sale.tenderSync({ kind: 'card', amount: 200, pending: true }), { state: 'pending' })
  t.like(sale.declineTenderSync(1, { reason: 'no funds' }), { state: 'declined', due: 200 })
  t.like(sale.tenderSync({ kind: 'card', amount: 200, pending: true }), { tender: 2, due: 0 })
  t.like(sale.confirmTenderSync(2, { auth: '4711' }), { state: 'confirmed' })
  t.like(sale.voidTenderSync(2, { reason: 'cash instead' }), { state: 'voided', due: 200 })
  sale.tenderSync({ kind: 'cash', amount: 500 })
  const receipt = sale.completeSync()
  t.like(receipt, { receiptNumber: 1, gross: 200, tendered: 500, change: 300 })
  t.deepEqual(terminal.receiptSync(1), without(receipt))
  t.like(terminal.sellSync(coffees), { receiptNumber: 2, change: 360, replayed: false })
  const voided = terminal.beginSync({ store: 'shop', currency: 'EUR' })
  t.like(voided.voidSync({ reason: 'customer left' }), { sale: 3 })
  terminal.closeSync()
  terminal.closeSync()
})

test('closing twice does nothing, and after it every call is refused', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin({ store: 'shop', currency: 'EUR' })
  const closing = terminal.close()
  t.is(terminal.close(), closing)
  await closing
  await terminal.close()
  terminal.closeSync()
  const calls = {
    begin: () => terminal.begin({ store: 'shop', currency: 'EUR' }),
    beginSync: () => terminal.beginSync({ store: 'shop', currency: 'EUR' }),
    sell: () => terminal.sell(coffees),
    openSales: () => terminal.openSales(),
    sale: () => terminal.sale(1),
    receipt: () => terminal.receipt(1),
    receiptSync: () => terminal.receiptSync(1),
    counters: () => terminal.counters(),
    status: () => terminal.status(),
    addLine: () => sale.addLine({ sku: 'a', quantity: 1, unitPrice: 1 }),
    totals: () => sale.totals(),
    close: () => sale.close(),
  }
  for (const [name, call] of Object.entries(calls)) {
    const error = await refusal(t, call, 'PK_E_CLOSED')
    t.deepEqual(error.facts, { terminal: 'T1' }, name)
  }
  t.true(terminal.stats().flushes.close > 0, 'stats answer after closing')
})

test('calls that wait when the terminal is closed are settled first', async (t) => {
  const root = tempStore(t)
  const terminal = await openTerminal({ root, id: 'T1' })
  const selling = Array.from({ length: 20 }, () => terminal.sell(coffees))
  const closing = terminal.close()
  const late = terminal.sell(coffees)
  await refusal(t, () => late, 'PK_E_CLOSED')
  const receipts = await Promise.all(selling)
  await closing
  t.is(receipts.at(-1)?.receiptNumber, 20)
  const next = await terminalFor(t, { root, id: 'T1' })
  t.is(next.status().nextReceipt, 21)
})

test('closing on the calling thread settles what waits too', async (t) => {
  const terminal = await terminalFor(t)
  const selling = [terminal.sell(coffees), terminal.sell(coffees)]
  terminal.closeSync()
  const receipts = await Promise.all(selling)
  t.is(receipts.length, 2)
})

test('a terminal at the end of an `await using` block is closed', async (t) => {
  const root = tempStore(t)
  {
    await using terminal = await openTerminal({ root, id: 'T1' })
    await terminal.sell(coffees)
  }
  const next = await terminalFor(t, { root, id: 'T1' })
  t.true(next.recovery.clean)
})

test('a terminal has one owner, also within a process', async (t) => {
  const root = tempStore(t)
  const owner = await terminalFor(t, { root, id: 'T1' })
  const error = await refusal(t, () => openTerminal({ root, id: 'T1' }), 'PK_E_TERMINAL_IN_USE')
  t.true(error instanceof LockError)
  t.is(error.facts.terminal, 'T1')
  t.like(error.facts.owner, { pid: process.pid, released: false, epoch: 1 })
  t.regex(error.message, new RegExp(`pid ${process.pid}`))
  await refusal(t, () => openTerminalSync({ root, id: 'T1' }), 'PK_E_TERMINAL_IN_USE')
  t.is((await owner.sell(coffees)).receiptNumber, 1)
})

test('whatever the owner record says, the lock decides', async (t) => {
  const root = tempStore(t)
  await (await openTerminal({ root, id: 'T1' })).close()
  const file = path.join(root, 'terminals/T1/terminal.owner.json')
  const record = JSON.parse(readFileSync(file, 'utf8'))
  const records = [
    JSON.stringify({ ...record, pid: 1, released: false }),
    JSON.stringify({ ...record, pid: process.pid, released: false }),
    'garbage {',
    '',
  ]
  for (const text of records) {
    writeFileSync(file, text)
    await (await openTerminal({ root, id: 'T1' })).close()
  }
  t.pass()
})

test('root and id come from the environment, then from the configuration', async (t) => {
  const root = tempStore(t)
  mkdirSync(root, { recursive: true })
  writeFileSync(path.join(root, 'local_config.json'), '{"terminalId":"FROM_CONFIG"}')
  process.env.POS_KERNEL_ROOT = root
  t.teardown(() => {
    delete process.env.POS_KERNEL_ROOT
    delete process.env.POS_TERMINAL_ID
  })
  const configured = await openTerminal()
  t.is(configured.id, 'FROM_CONFIG')
  t.is(configured.root, root)
  await configured.close()
  process.env.POS_TERMINAL_ID = 'FROM_ENV'
  const named = await openTerminal()
  t.is(named.id, 'FROM_ENV')
  await named.close()
  const given = await openTerminal({ id: 'GIVEN' })
  t.is(given.id, 'GIVEN')
  await given.close()
})

test('durability comes from the option, then from the configuration of the terminal', async (t) => {
  const root = tempStore(t)
  const folder = path.join(root, 'terminals/T1')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'local_config.json'), '{"durability":"sale"}')
  const configured = await openTerminal({ root, id: 'T1' })
  t.is(configured.durability, 'sale')
  await configured.close()
  const given = await terminalFor(t, { root, id: 'T1', durability: 'record' })
  t.is(given.durability, 'record')
})

test('a terminal that must exist is not made', async (t) => {
  const root = tempStore(t)
  const open = () => openTerminal({ root, id: 'T1', create: false })
  await refusal(t, open, 'PK_E_NOT_FOUND')
  t.false(existsSync(path.join(root, 'terminals')))
  await (await openTerminal({ root, id: 'T1' })).close()
  await (await open()).close()
})

test('a journal rolls into new segments and receipts are read from any of them', async (t) => {
  const terminal = await terminalFor(t, { segmentBytes: 65_536, durability: 'sale' })
  const receipts = await Promise.all(Array.from({ length: 500 }, () => terminal.sell(coffees)))
  t.true(terminal.status().segment > 1)
  for (const number of [1, 250, 500]) {
    const made = receipts[number - 1]
    t.is(made?.receiptNumber, number)
    t.deepEqual(await terminal.receipt(number), without(made))
    t.deepEqual(terminal.receiptSync(number), without(made))
  }
  await refusal(t, () => terminal.receipt(501), 'PK_E_NOT_FOUND')
  await refusal(t, () => terminal.receipt(0), 'PK_E_NOT_FOUND')
})

test('counters are kept by currency', async (t) => {
  const terminal = await terminalFor(t)
  await terminal.sell(coffees)
  await terminal.sell({ ...coffees, currency: 'JPY' })
  await terminal.sell({
    ...coffees,
    lines: [{ sku: 'coffee', quantity: -1, unitPrice: 320 }],
    tenders: [{ kind: 'cash', amount: -320 }],
  })
  const sale = await terminal.begin({ store: 'shop', currency: 'EUR' })
  await sale.void({ reason: 'a test' })
  t.deepEqual(terminal.counters(), [
    { ...untaxed, currency: 'EUR', sales: 640, returns: 320, net: 320, receipts: 2, voids: 1 },
    { ...untaxed, currency: 'JPY', sales: 640, returns: 0, net: 640, receipts: 1, voids: 0 },
  ])
})

test('status says where the terminal stands', async (t) => {
  const terminal = await terminalFor(t)
  await terminal.begin({ store: 'shop', currency: 'EUR' })
  const status = terminal.status()
  t.like(status, { id: 'T1', durability: 'record', epoch: 1, openSales: 1, nextReceipt: 1 })
  t.like(status, { space: 'ok', poisoned: false, segment: 1, keysMax: 2048 })
  t.is(status.durableSequence, status.sequence)
  t.regex(status.head, /^[0-9a-f]{64}$/)
  t.true(status.flushNs > 0)
})

test('a handle by number reaches open and finished sales, and no others', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin({ store: 'shop', currency: 'EUR', reference: 'r' })
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 0 })
  t.like(terminal.sale(1), { id: 1, store: 'shop', currency: 'EUR', reference: 'r' })
  await sale.complete({ key: 'k' })
  sale.close()
  const handle = terminal.sale(1)
  await refusal(t, () => handle.totals(), 'PK_E_ALREADY_FINAL')
  await refusal(t, () => handle.store, 'PK_E_ALREADY_FINAL')
  t.like(await handle.complete({ key: 'k' }), { receiptNumber: 1, replayed: true })
  await refusal(t, () => terminal.sale(2), 'PK_E_NOT_FOUND')
})

/** A receipt as it is read back: it does not say whether a call was repeated. */
function without(receipt: object | undefined): Record<string, unknown> {
  const { replayed: _, ...rest } = (receipt ?? {}) as Record<string, unknown>
  return rest
}
