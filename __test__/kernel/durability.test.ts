import test from 'ava'
import type { Durability, FlushCounts, Terminal } from '../../ts/index.js'
import { coffees, terminalFor } from '../support/store.js'

const shop = { store: 'shop', currency: 'EUR' } as const

/** What a piece of work costs in flushes, writes and records. */
async function cost(terminal: Terminal, work: () => unknown) {
  const before = terminal.stats()
  await work()
  const after = terminal.stats()
  const flushes = (name: keyof FlushCounts) => after.flushes[name] - before.flushes[name]
  return {
    sale: flushes('sale'),
    record: flushes('record'),
    checkpoint: flushes('checkpoint'),
    roll: flushes('roll'),
    writes: after.writes - before.writes,
    records: after.records - before.records,
    frames: after.frames - before.frames,
  }
}

async function byCalls(terminal: Terminal) {
  const sale = await terminal.begin(shop)
  for (const sku of ['a', 'b', 'c', 'd', 'e']) {
    await sale.addLine({ sku, quantity: 1, unitPrice: 100 })
  }
  await sale.tender({ kind: 'cash', amount: 500 })
  await sale.complete()
}

test('durability `sale`: one flush a sale, at most one write a record', async (t) => {
  const terminal = await terminalFor(t, { durability: 'sale' })
  const spent = await cost(terminal, () => byCalls(terminal))
  t.like(spent, { sale: 1, record: 0, checkpoint: 0, roll: 0, records: 8, frames: 8 })
  t.true(spent.writes <= spent.records)
})

test('durability `record`: one flush for each call that is waited for', async (t) => {
  const terminal = await terminalFor(t, { durability: 'record' })
  const spent = await cost(terminal, () => byCalls(terminal))
  t.like(spent, { sale: 0, record: 8, records: 8, writes: 8 })
})

for (const durability of ['sale', 'record'] satisfies Durability[]) {
  test(`durability \`${durability}\`: a sale of one call is one frame, one write, one flush`, async (t) => {
    const terminal = await terminalFor(t, { durability })
    const spent = await cost(terminal, () => terminal.sell(coffees))
    t.like(spent, { [durability]: 1, writes: 1, frames: 1, records: 4 })
    const twin = await cost(terminal, () => terminal.sellSync(coffees))
    t.deepEqual(twin, spent)
  })

  test(`durability \`${durability}\`: calls of one burst share one flush`, async (t) => {
    const terminal = await terminalFor(t, { durability })
    const spent = await cost(terminal, () =>
      Promise.all(Array.from({ length: 64 }, () => terminal.sell(coffees))),
    )
    t.like(spent, { [durability]: 1, writes: 1, frames: 64 })
  })
}

test('in durability `sale` a card and a pending tender are on the device before the answer', async (t) => {
  const terminal = await terminalFor(t, { durability: 'sale' })
  const sale = await terminal.begin(shop)
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 1000 })
  const isDurable = ({ sequence }: { sequence: number }) =>
    terminal.status().durableSequence >= sequence
  t.true(isDurable(await sale.tender({ kind: 'card', amount: 100 })))
  t.true(isDurable(await sale.tender({ kind: 'card', amount: 100, pending: true })))
  t.true(isDurable(await sale.confirmTender(2)))
  t.true(isDurable(await sale.voidTender(2, { reason: 'x' })))
  t.true(isDurable(sale.tenderSync({ kind: 'card', amount: 100, pending: true })))
  t.true(isDurable(sale.declineTenderSync(3, { reason: 'x' })))
  await sale.tender({ kind: 'cash', amount: 900 })
  t.true(isDurable(await sale.complete()))
  const other = await terminal.begin(shop)
  t.true(isDurable(await other.void({ reason: 'x' })))
})

test('in durability `record` every answer is on the device', async (t) => {
  const terminal = await terminalFor(t)
  const isDurable = () => {
    const { sequence, durableSequence } = terminal.status()
    return sequence === durableSequence
  }
  const sale = await terminal.begin(shop)
  t.true(isDurable())
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 100 })
  t.true(isDurable())
  sale.addLineSync({ sku: 'a', quantity: 1, unitPrice: 100 })
  t.true(isDurable())
  await sale.tender({ kind: 'cash', amount: 200 })
  t.true(isDurable())
  await sale.complete()
  t.true(isDurable())
})

test('a thousand sales in flight keep their order and their answers', async (t) => {
  const terminal = await terminalFor(t, { durability: 'sale' })
  const selling = Array.from({ length: 1000 }, (_, index) =>
    terminal.sell({ ...coffees, reference: `order-${index}` }),
  )
  const receipts = await Promise.all(selling)
  receipts.forEach(({ receiptNumber, reference }, index) => {
    t.is(receiptNumber, index + 1)
    t.is(reference, `order-${index}`)
  })
})

test('waiting in a promise and waiting on the thread go together', async (t) => {
  const terminal = await terminalFor(t)
  const order: number[] = []
  const note = ({ receiptNumber }: { receiptNumber: number }) => order.push(receiptNumber)
  const first = terminal.sell(coffees).then(note)
  const second = terminal.sell(coffees).then(note)
  note(terminal.sellSync(coffees))
  await Promise.all([first, second])
  t.deepEqual(order, [3, 1, 2])
})
