/** Returns with a receipt, through the TypeScript API: parts add up, and never more than was sold. */
import test from 'ava'
import { type Cart, type Terminal, verifyStore } from '../../ts/index.js'
import { refusal, tempStore, terminalFor } from '../support/store.js'

const policy = {
  currency: 'EUR',
  prices: 'gross',
  taxScope: 'perRate',
  taxRounding: 'halfUp',
} as const

const cart = {
  store: 'shop',
  currency: 'EUR',
  lines: [
    {
      sku: 'a',
      text: 'Apples',
      quantity: 3,
      unitPrice: '333.333333',
      taxes: [{ rate: 19, class: 'S' }],
    },
    { sku: 'b', quantity: 1, unitPrice: 500, taxes: [{ rate: 7, class: 'R' }] },
  ],
  tenders: [{ kind: 'cash', amount: 1500 }],
} as const satisfies Cart

/** Takes one of a line back and pays it out. */
async function bringBack(terminal: Terminal, of: number) {
  const sale = await terminal.beginReturn({ terminal: 'T1', receiptNumber: 1 })
  const line = await sale.returnLine({ of, quantity: 1, reason: 'r' })
  await sale.tender({ kind: 'cash', amount: line.totals.due })
  return sale.complete()
}

test('a line comes back in parts that add up to its sale, at any till of the store', async (t) => {
  const root = tempStore(t)
  const here = await terminalFor(t, { root, id: 'T1' })
  await here.setPolicy(policy)
  const there = await terminalFor(t, { root, id: 'T2' })
  const sold = await here.sell(cart)
  const tax = sold.lines[0]?.taxes?.[0]?.tax
  const receipts = [await bringBack(here, 1), await bringBack(there, 1), await bringBack(here, 1)]
  t.deepEqual(
    receipts.map(({ gross }) => gross),
    [-333, -334, -333],
  )
  const taxes = receipts.map((receipt) => receipt.tax)
  t.is(
    taxes.reduce((sum, part) => sum + part, 0),
    -(tax ?? 0),
  )
  t.like(receipts[1]?.lines[0], {
    sku: 'a',
    text: 'Apples',
    quantity: '-1',
    unitPrice: '333.333333',
    amount: -334,
    of: { terminal: 'T1', receiptNumber: 1, line: 1 },
  })
  const sale = await there.beginReturn({ terminal: 'T1', receiptNumber: 1, key: 'back' })
  t.like(sale.summary(), { returns: { terminal: 'T1', receiptNumber: 1 }, currency: 'EUR' })
  t.true((await there.beginReturn({ terminal: 'T1', receiptNumber: 1, key: 'back' })).replayed)
  const before = there.status().sequence
  const more = { of: 1, quantity: '0.001', reason: 'r' }
  const error = await refusal(t, () => sale.returnLine(more), 'PK_E_REFUND_EXCEEDS')
  t.deepEqual(error.facts, { value: '0.001', sold: '3', left: '0' })
  for (const [call, code] of [
    [() => sale.returnLine({ of: 9, quantity: 1, reason: 'r' }), 'PK_E_NOT_FOUND'],
    [() => sale.returnLine({ of: 2, quantity: 0, reason: 'r' }), 'PK_E_BAD_QUANTITY'],
    [() => sale.returnLine({ of: 2, quantity: 1, reason: '' }), 'PK_E_BAD_TEXT'],
    [
      () => sale.returnLine({ of: 2, quantity: 1, reason: 'r', receiptNumber: 9 }),
      'PK_E_NOT_FOUND',
    ],
    [
      () => sale.returnLine({ of: 2, quantity: 1, reason: 'r', terminal: 'T1' }),
      'PK_E_BAD_ARGUMENT',
    ],
    [() => sale.returnLine({ of: '1' as never, quantity: 1, reason: 'r' }), 'PK_E_BAD_ARGUMENT'],
    [() => there.beginReturn({ receiptNumber: 99 }), 'PK_E_NOT_FOUND'],
    [() => there.beginReturn({ terminal: 'T9', receiptNumber: 1 }), 'PK_E_NOT_FOUND'],
    [() => there.beginReturn({ terminal: '/', receiptNumber: 1 }), 'PK_E_BAD_ID'],
    [() => there.beginReturn({ receiptNumber: 'x' as never }), 'PK_E_BAD_ARGUMENT'],
  ] as const) {
    await refusal(t, call, code)
    t.is(there.status().sequence, before, 'nothing was written')
  }
  const last = { of: 2, quantity: 1, reason: 'r', key: 'last' }
  const line = sale.returnLineSync(last)
  t.deepEqual(await sale.returnLine(last), { ...line, replayed: true })
  await sale.void({ reason: 'kept it' })
  const again = there.beginReturnSync({ terminal: 'T1', receiptNumber: 1 })
  t.is((await again.returnLine({ of: 2, quantity: 1, reason: 'r' })).amount, -500)
  await Promise.all([here.close(), there.close()])
  const report = await verifyStore({ root })
  t.true(report.ok, JSON.stringify(report))
})

test('a return goes beside what is sold, when the policy mixes them', async (t) => {
  const terminal = await terminalFor(t)
  await terminal.setPolicy(policy)
  await terminal.sell(cart)
  const sale = await terminal.begin({ store: 'shop', currency: 'EUR' })
  await sale.addLine({ sku: 'c', quantity: 1, unitPrice: 900 })
  const nowhere = { of: 2, quantity: 1, reason: 'r' }
  const error = await refusal(t, () => sale.returnLine(nowhere), 'PK_E_BAD_ARGUMENT')
  t.is(error.facts.argument, 'of')
  const back = await sale.returnLine({ ...nowhere, receiptNumber: 1 })
  t.like(back, { line: 2, amount: -500, totals: { gross: 400 } })
})
