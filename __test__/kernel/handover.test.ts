/** Sales that wait, go on at another till of the store, or expire. */
import test from 'ava'
import { verifyStore } from '../../ts/index.js'
import { refusal, tempStore, terminalFor } from '../support/store.js'

const shop = { store: 'shop', currency: 'EUR' } as const
const line = { sku: 'a', quantity: 1, unitPrice: 500 } as const

test('a suspended sale goes on at another till, once', async (t) => {
  const root = tempStore(t)
  const giver = await terminalFor(t, { root, id: 'T1' })
  const taker = await terminalFor(t, { root, id: 'T2' })
  const sale = await giver.begin({ ...shop, reference: 'table-5' })
  await sale.addLine({ ...line, discount: { percent: 10, reason: 'r' } })
  const suspended = await sale.suspend({ reason: 'fetches money', key: 's' })
  t.like(suspended, { sale: 1, replayed: false })
  t.deepEqual(sale.suspendSync({ reason: 'fetches money', key: 's' }), {
    ...suspended,
    replayed: true,
  })
  const { ticket } = suspended
  t.like(sale.summary(), { state: 'suspended', ticket })
  const error = await refusal(t, () => sale.addLine(line), 'PK_E_SUSPENDED')
  t.deepEqual(error.facts, { sale: 1, ticket })
  const waiting = await taker.suspendedSales()
  t.deepEqual(waiting, taker.suspendedSalesSync())
  t.like(waiting[0], {
    ticket,
    terminal: 'T1',
    sale: 1,
    reference: 'table-5',
    gross: 450,
    lines: 1,
  })

  const resumed = await taker.resume(ticket, { key: 'r' })
  t.like(resumed.summary(), { state: 'building', gross: 450, takes: { terminal: 'T1', sale: 1 } })
  t.true((await taker.resume(ticket, { key: 'r' })).replayed)
  const used = await refusal(t, () => giver.resume(ticket), 'PK_E_ALREADY_RESUMED')
  t.deepEqual(used.facts, { ticket, terminal: 'T2' })
  t.deepEqual(await giver.collectTransfers(), [1])
  t.deepEqual(giver.collectTransfersSync(), [])
  t.is(sale.totals().state, 'transferred')
  await resumed.tender({ kind: 'cash', amount: 500 })
  t.like(await resumed.complete(), { gross: 450, change: 50, receiptNumber: 1 })
  await Promise.all([giver.close(), taker.close()])
  const report = await verifyStore({ root })
  t.true(report.ok, JSON.stringify(report))
})

test('a suspended sale is resumed where it was, and what is no ticket is refused', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin(shop)
  await sale.addLine(line)
  await sale.tender({ kind: 'cash', amount: 100 })
  await refusal(t, () => sale.suspend({ reason: 'r' }), 'PK_E_TENDER_TAKEN')
  await sale.voidTender(1, { reason: 'r' })
  const { ticket } = sale.suspendSync({ reason: 'r' })
  const before = terminal.status().sequence
  for (const [call, code] of [
    [() => terminal.resume('nonsense'), 'PK_E_BAD_ARGUMENT'],
    [() => terminal.resume(undefined as never), 'PK_E_BAD_ARGUMENT'],
    [() => terminal.resume(ticket.replace(/1$/, '2')), 'PK_E_ALREADY_RESUMED'],
    [() => terminal.resume('T9.1.1.1'), 'PK_E_NOT_FOUND'],
    [() => sale.suspend({ reason: 'r' }), 'PK_E_SUSPENDED'],
    [() => sale.suspend({} as never), 'PK_E_BAD_ARGUMENT'],
  ] as const) {
    await refusal(t, call, code)
    t.is(terminal.status().sequence, before, 'nothing was written')
  }
  t.is(terminal.resumeSync(ticket).id, sale.id)
  t.is(sale.totals().state, 'building')
})

test('sales that nobody goes on with expire, and paid ones do not', async (t) => {
  const terminal = await terminalFor(t)
  const idle = await terminal.begin(shop)
  const paid = await terminal.begin(shop)
  await paid.addLine(line)
  await paid.tender({ kind: 'cash', amount: 100 })
  const none = await terminal.expire({ idleMs: 3_600_000, reason: 'nobody went on' })
  t.deepEqual(none.sales, [])
  const { sales } = await terminal.expire({ idleMs: 0, reason: 'nobody went on' })
  t.deepEqual(sales, [idle.id])
  t.is(idle.totals().state, 'voided')
  t.deepEqual(terminal.expireSync({ idleMs: 0, reason: 'again' }).sales, [])
  for (const expiry of [{ idleMs: -1, reason: 'r' }, { idleMs: '1', reason: 'r' }, { idleMs: 1 }]) {
    await refusal(t, () => terminal.expire(expiry as never), 'PK_E_BAD_ARGUMENT')
  }
})
