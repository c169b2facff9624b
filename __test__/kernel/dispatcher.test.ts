/** A bank of terminals that share the work. */
import test from 'ava'
import { createDispatcher, listSales, type Sale, verifyStore } from '../../ts/index.js'
import { coffees, refusal, tempStore, terminalFor } from '../support/store.js'

const shop = { store: 'shop', currency: 'EUR' } as const

test('new sales go where least is to do', async (t) => {
  const root = tempStore(t)
  const ids = ['S1', 'S2', 'S3']
  const terminals = await Promise.all(ids.map((id) => terminalFor(t, { root, id })))
  const bank = createDispatcher(terminals)
  const begun: Sale[] = []
  for (let index = 0; index < 7; index += 1) begun.push(await bank.begin(shop))
  t.deepEqual(
    bank.loads().map(({ openSales }) => openSales),
    [3, 2, 2],
  )
  // The first of S2's is over: S2 has the least to do.
  const over = begun[1]
  await over?.void({ reason: 'changed mind' })
  await bank.begin(shop)
  t.deepEqual(
    bank.loads().map(({ openSales }) => openSales),
    [3, 2, 2],
  )
  await Promise.all(Array.from({ length: 60 }, () => bank.sell(coffees)))
  const sold = await Promise.all(
    ids.map(async (terminal) => (await listSales(root, terminal)).length),
  )
  t.is(
    sold.reduce((sum, count) => sum + count),
    60,
  )
  t.true(
    sold.every((count) => count > 10),
    String(sold),
  )
})

test('a call made again goes where it went, in the same bank and in the next', async (t) => {
  const root = tempStore(t)
  const one = await terminalFor(t, { root, id: 'S1' })
  const two = await terminalFor(t, { root, id: 'S2' })
  const bank = createDispatcher([one, two])
  const keys = Array.from({ length: 20 }, (_, index) => `order-${index}`)
  const twice = [...keys, ...keys]
  const receipts = await Promise.all(twice.map((key) => bank.sell({ ...coffees, key })))
  const next = createDispatcher([two, one])
  for (const [index, key] of keys.entries()) {
    const again = await next.sell({ ...coffees, key })
    t.true(again.replayed)
    t.is(again.hash, String(receipts[index]?.hash))
  }
  const sold = [one, two].map((terminal) => terminal.status().nextReceipt - 1)
  t.is(
    sold.reduce((sum, count) => sum + count),
    20,
  )
  bank.remove('S1')
  const mine = keys.filter((key) => one.knowsKey(key))
  t.true(mine.length > 0)
  await refusal(t, () => bank.sell({ ...coffees, key: String(mine[0]) }), 'PK_E_OUTCOME_UNKNOWN')
  await one.close()
  await refusal(t, () => next.sell({ ...coffees, key: 'a new one' }), 'PK_E_OUTCOME_UNKNOWN')
  next.remove('S1')
  t.false((await next.sell({ ...coffees, key: 'a new one' })).replayed)
})

test('a terminal is drained, worked on, and takes sales again', async (t) => {
  const root = tempStore(t)
  const one = await terminalFor(t, { root, id: 'S1' })
  const two = await terminalFor(t, { root, id: 'S2' })
  const bank = createDispatcher([one, two])
  const sale = await bank.begin(shop)
  const { ticket } = await (await one.begin(shop)).suspend({ reason: 'waits' })
  t.deepEqual(await bank.drain('S1', { deadlineMs: 0 }), { isDrained: false, openSales: [sale.id] })
  const others = await Promise.all([bank.begin(shop), bank.begin(shop)])
  t.deepEqual(
    bank.loads().map(({ id, state, openSales }) => [id, state, openSales]),
    [
      ['S1', 'draining', 1],
      ['S2', 'ready', 2],
    ],
  )
  const drained = bank.drain('S1')
  await sale.void({ reason: 'over' })
  t.deepEqual(await drained, { isDrained: true, openSales: [] })
  await one.close()
  await Promise.all(others.map((other) => other.void({ reason: 'over' })))
  const again = await terminalFor(t, { root, id: 'S1' })
  bank.restore(again)
  await (await again.resume(ticket)).void({ reason: 'over' })
  t.is(bank.loads()[0]?.state, 'ready')
  await bank.drain('S2', { deadlineMs: 5000 })
  await bank.sell(coffees)
  t.is(again.status().nextReceipt, 2)
  await bank.drain('S1', { deadlineMs: 5000 })
  const error = await refusal(t, () => bank.sell(coffees), 'PK_E_NO_TERMINAL')
  t.deepEqual(error.facts, { terminals: { S1: 'drained', S2: 'drained' } })
  await Promise.all([again.close(), two.close()])
  t.true((await verifyStore({ root })).ok)
})

test('what one terminal cannot take, another takes; what is wrong stays wrong', async (t) => {
  const root = tempStore(t)
  const one = await terminalFor(t, { root, id: 'S1' })
  const two = await terminalFor(t, { root, id: 'S2' })
  const bank = createDispatcher([one, two])
  await one.close()
  for (let count = 0; count < 3; count += 1) await bank.sell(coffees)
  t.is(two.status().nextReceipt, 4)
  t.deepEqual(
    bank.loads().map(({ state }) => state),
    ['failed', 'ready'],
  )
  await refusal(t, () => bank.sell({ ...coffees, currency: 'euro' }), 'PK_E_BAD_CURRENCY')
  t.is(bank.loads()[1]?.state, 'ready')
  for (const call of [
    () => bank.drain('S9'),
    () => bank.remove('S9'),
    () => bank.restore('S9'),
    () => bank.add(two),
    () => bank.drain('S2', { deadlineMs: -1 }),
    () => bank.drain('S2', { deadline: 1 } as never),
  ]) {
    await refusal(t, call, 'PK_E_BAD_ARGUMENT')
  }
  t.is(bank.remove('S1'), one)
})
