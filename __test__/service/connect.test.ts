/** Terminals of a kernel service, as their clients see them. */
import { once } from 'node:events'
import test from 'ava'
import {
  connectTerminal,
  connectTerminalSync,
  LockError,
  openTerminal,
  SaleStateError,
  verifyStore,
} from '../../ts/index.js'
import { startProgram } from '../support/child.js'
import { served } from '../support/served.js'
import { coffees, refusal, tempStore } from '../support/store.js'

const shop = { store: 'shop', currency: 'EUR' } as const

test('a client has the same terminal as its owner would', async (t) => {
  const root = tempStore(t)
  const service = await served(t, { root, terminals: ['T1'], durability: 'sale' })
  const terminal = await connectTerminal({ root, id: 'T1' })
  t.like(terminal, { id: 'T1', root, durability: 'sale' })
  t.like(terminal.recovery, { clean: true, firstOpen: true, epoch: 1 })
  const receipt = await terminal.sell({ ...coffees, key: 'first' })
  t.like(receipt, { receiptNumber: 1, gross: 640, change: 360, replayed: false })
  const again = await terminal.sell({ ...coffees, key: 'first' })
  t.deepEqual({ ...again, replayed: false }, receipt)
  t.true(again.replayed)
  const { replayed: _, ...stored } = receipt
  t.deepEqual(await terminal.receipt(1), stored)
  t.deepEqual(terminal.receiptSync(1), stored)
  t.like(terminal.status(), { id: 'T1', nextReceipt: 2, openSales: 0 })
  await terminal.close()
  t.true(terminal.stats().records > 0)
  const closed = await refusal(t, () => terminal.sell(coffees), 'PK_E_CLOSED')
  t.is(closed.facts.terminal, 'T1')
  await terminal.close()
  await service.stop()
  const { ok } = await verifyStore({ root })
  t.true(ok)
  const owner = await openTerminal({ root, id: 'T1' })
  t.true(owner.recovery.clean)
  t.deepEqual(await owner.receipt(1), stored)
  await owner.close()
})

test('a call that waits stands behind those that are not awaited', async (t) => {
  const root = tempStore(t)
  await served(t, { root, terminals: ['T1'] })
  const terminal = connectTerminalSync({ root, id: 'T1' })
  const sale = await terminal.begin(shop)
  const adding = Array.from({ length: 50 }, (_, index) =>
    sale.addLine({ sku: `sku-${index}`, quantity: 1, unitPrice: 100 }),
  )
  t.is(sale.totals().gross, 5000)
  t.is(sale.addLineSync({ sku: 'last', quantity: 1, unitPrice: 1 }).totals.gross, 5001)
  t.deepEqual(
    (await Promise.all(adding)).map(({ line }) => line),
    adding.map((_, index) => index + 1),
  )
  t.is(sale.tenderSync({ kind: 'cash', amount: 6000 }).change, 999)
  t.is(sale.completeSync().receiptNumber, 1)
  sale.close()
  terminal.closeSync()
})

test('errors come back as what they are', async (t) => {
  const root = tempStore(t)
  await served(t, { root, terminals: ['T1'] })
  const terminal = await connectTerminal({ root, id: 'T1' })
  t.teardown(() => terminal.close())
  const sale = await terminal.begin(shop)
  await sale.addLine({ sku: 'coffee', quantity: 2, unitPrice: 320 })
  const underpaid = await refusal(t, () => sale.complete(), 'PK_E_UNDERPAID')
  t.true(underpaid instanceof SaleStateError)
  t.deepEqual(underpaid.facts, { sale: 1, due: 640, gross: 640, tendered: 0 })
  t.throws(() => sale.completeSync(), { instanceOf: SaleStateError, code: 'PK_E_UNDERPAID' })
  await refusal(t, () => terminal.sale(99), 'PK_E_NOT_FOUND')
  await refusal(t, () => terminal.receipt(99), 'PK_E_NOT_FOUND')
  const feed = await refusal(t, () => terminal.sell({ ...coffees, store: 'a\nb' }), 'PK_E_BAD_TEXT')
  t.is(feed.facts.what, 'store')
  t.throws(() => terminal.sellSync({ ...coffees, store: 'a\nb' }), { code: 'PK_E_BAD_TEXT' })
  const large = { sku: 'x', quantity: 1, unitPrice: 1, text: 'x'.repeat(5 << 20) }
  const limit = await refusal(t, () => sale.addLine(large), 'PK_E_LIMIT')
  t.is(limit.facts.limit, 4 << 20)
  t.is(sale.totals().gross, 640)
})

test('a terminal has one client; its holder is named, and the next one goes on', async (t) => {
  const root = tempStore(t)
  await served(t, { root, terminals: ['T1', 'T2'] })
  const first = await connectTerminal({ root, id: 'T1' })
  const second = () => connectTerminal({ root, id: 'T1' })
  const refused = await refusal(t, second, 'PK_E_TERMINAL_IN_USE')
  t.true(refused instanceof LockError)
  t.like(refused.facts, { terminal: 'T1', holder: { pid: process.pid, uid: process.getuid?.() } })
  const other = await connectTerminal({ root, id: 'T2' })
  const sale = await first.begin({ ...shop, reference: 'handed over' })
  await first.close()
  const next = await second()
  const [open] = next.openSales()
  t.like(open, { id: sale.id, reference: 'handed over' })
  await Promise.all([next.close(), other.close()])
})

test('what is served, and who serves, is checked', async (t) => {
  const root = tempStore(t)
  const none = () => connectTerminal({ root, id: 'T1', patienceMs: 0 })
  const down = await refusal(t, none, 'PK_E_SERVICE_DOWN')
  t.is(down.facts.socket, `${root}/service/service.sock`)
  await served(t, { root, terminals: ['T1'] })
  const other = () => connectTerminal({ root, id: 'T9' })
  const refused = await refusal(t, other, 'PK_E_NOT_ALLOWED')
  t.deepEqual(refused.facts, { terminal: 'T9', allowed: ['T1'] })
  await refusal(t, () => openTerminal({ root, id: 'T1' }), 'PK_E_TERMINAL_IN_USE')
  const again = startProgram('serve.mjs', [JSON.stringify({ root, terminals: ['T2'] })])
  const [line] = await once(again.stdout as NodeJS.ReadableStream, 'data')
  t.is(JSON.parse(String(line)).code, 'PK_E_SERVICE_IN_USE')
  await once(again, 'exit')
  const deep = `${root}/${'d'.repeat(110)}`
  const long = await refusal(t, () => connectTerminal({ root: deep, id: 'T1' }), 'PK_E_LIMIT')
  t.is(long.facts.limit, 103)
  await refusal(t, () => connectTerminal({ root, name: 'T1' } as object), 'PK_E_BAD_ARGUMENT')
  await refusal(t, () => connectTerminal({ root, id: 'T1', patienceMs: -1 }), 'PK_E_BAD_ARGUMENT')
})
