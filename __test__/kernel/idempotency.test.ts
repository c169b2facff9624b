import test from 'ava'
import { openTerminal } from '../../ts/index.js'
import { coffees, refusal, tempStore, terminalFor } from '../support/store.js'

const shop = { store: 'shop', currency: 'EUR' } as const

test('every call with a key is answered again from the journal, and nothing is doubled', async (t) => {
  const terminal = await terminalFor(t)
  const twice = async <T extends object>(call: () => Promise<T & { sequence?: number }>) => {
    const first = await call()
    const before = terminal.status().sequence
    const second = await call()
    t.is(terminal.status().sequence, before, 'the second call wrote nothing')
    return [first, second] as const
  }
  const [sale, sameSale] = await twice(() => terminal.begin({ ...shop, key: 'begin' }))
  t.false(sale.replayed)
  t.true(sameSale.replayed)
  t.is(sameSale.id, sale.id)
  t.is(sameSale.store, 'shop')
  const calls = [
    () => sale.addLine({ sku: 'a', quantity: 2, unitPrice: 100 }, { key: 'line' }),
    () => sale.setQuantity(1, 3, { reason: 'more', key: 'quantity' }),
    () => sale.addLine({ sku: 'b', quantity: 1, unitPrice: 1 }, { key: 'line-2' }),
    () => sale.voidLine(2, { reason: 'wrong', key: 'void-line' }),
    () => sale.tender({ kind: 'card', amount: 300, pending: true, key: 'tender' }),
    () => sale.declineTender(1, { reason: 'no', key: 'decline' }),
    () => sale.tender({ kind: 'card', amount: 300, pending: true, key: 'tender-2' }),
    () => sale.confirmTender(2, { auth: '1', key: 'confirm' }),
    () => sale.voidTender(2, { reason: 'cash', key: 'void-tender' }),
    () => sale.tender({ kind: 'cash', amount: 300, key: 'tender-3' }),
    () => sale.complete({ key: 'complete' }),
    () => terminal.sell({ ...coffees, key: 'sell' }),
  ]
  for (const call of calls) {
    const [first, second] = await twice<{ replayed: boolean }>(call)
    t.deepEqual(second, { ...first, replayed: true })
  }
  const other = await terminal.begin(shop)
  const [voided, again] = await twice(() => other.void({ reason: 'left', key: 'void' }))
  t.deepEqual(again, { ...voided, replayed: true })
  t.like(terminal.counters()[0], { sales: 940, receipts: 2, voids: 1 })
})

test('a key belongs to its inputs', async (t) => {
  const terminal = await terminalFor(t)
  await terminal.sell({ ...coffees, key: 'k' })
  const error = await refusal(
    t,
    () => terminal.sell({ ...coffees, store: 'other', key: 'k' }),
    'PK_E_IDEMPOTENCY_MISMATCH',
  )
  t.is(error.facts.key, 'k')
  t.is(typeof error.facts.sequence, 'number')
  await refusal(t, () => terminal.begin({ ...shop, key: 'k' }), 'PK_E_IDEMPOTENCY_MISMATCH')
  t.is(terminal.counters()[0]?.receipts, 1)
})

test('a refused call does not use its key up', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin(shop)
  await refusal(t, () => sale.complete({ key: 'k' }), 'PK_E_EMPTY_SALE')
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 0 })
  t.false((await sale.complete({ key: 'k' })).replayed)
})

test('keys outlive their owner', async (t) => {
  const root = tempStore(t)
  const first = await openTerminal({ root, id: 'T1' })
  const sold = await first.sell({ ...coffees, key: 'order-1' })
  const sale = await first.begin({ ...shop, key: 'order-2' })
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 0 }, { key: 'order-2/1' })
  await first.close()

  const second = await terminalFor(t, { root, id: 'T1' })
  t.deepEqual(await second.sell({ ...coffees, key: 'order-1' }), { ...sold, replayed: true })
  const back = await second.begin({ ...shop, key: 'order-2' })
  t.like(back, { id: sale.id, replayed: true, recovered: true, store: 'shop' })
  const line = await back.addLine({ sku: 'a', quantity: 1, unitPrice: 0 }, { key: 'order-2/1' })
  t.true(line.replayed)
  t.is(back.lines().length, 1)
})

test('two calls with one key in one tick make one sale', async (t) => {
  const terminal = await terminalFor(t)
  const [first, second] = await Promise.all([
    terminal.sell({ ...coffees, key: 'k' }),
    terminal.sell({ ...coffees, key: 'k' }),
  ])
  t.deepEqual(second, { ...first, replayed: true })
  t.is(terminal.counters()[0]?.receipts, 1)
})
