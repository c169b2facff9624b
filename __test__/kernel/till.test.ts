/** People, the drawer, training, reports and closings, through the TypeScript API. */
import test from 'ava'
import { openTerminal, verifyStore } from '../../ts/index.js'
import { coffees, refusal, tempStore, terminalFor } from '../support/store.js'

const shop = { store: 'shop', currency: 'EUR' } as const
const euros = (amount: number) => ({ currency: 'EUR', amount })

test('a day: float, sales, paid out, count, X, Z, closings', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root })
  await terminal.signOn({ operator: 'anna', key: 'on' })
  t.true((await terminal.signOn({ operator: 'anna', key: 'on' })).replayed)
  t.like(await terminal.openShift({ float: [euros(20_000)] }), { shift: 1, replayed: false })
  const receipt = await terminal.sell(coffees)
  t.like(receipt, { operator: 'anna', circle: 'sale' })
  t.deepEqual(await terminal.receipt(1), (({ replayed: _, ...rest }) => rest)(receipt))
  await terminal.paidOut({ ...euros(1250), reason: 'window cleaner', key: 'out' })
  t.true(
    (await terminal.paidOut({ ...euros(1250), reason: 'window cleaner', key: 'out' })).replayed,
  )
  await terminal.paidIn({ ...euros(5000), reason: 'from the bank' })
  await terminal.noSale({ reason: 'change' })
  const drawer = { float: 20_000, sales: 640, paidIn: 5000, paidOut: 1250, overShort: 0 }
  const cash = { currency: 'EUR', ...drawer, expected: 24_390 }
  t.deepEqual(terminal.shift(), { shift: 1, owner: 'anna', drawer: [cash] })
  t.like(terminal.status(), { operator: 'anna', shift: 1, training: false })
  const count = await terminal.cashCount({ ...euros(24_380), key: 'count' })
  t.like(count, { expected: 24_390, counted: 24_380, overShort: -10, replayed: false })

  const x = await terminal.xReport()
  t.like(x, { number: 1, operator: 'anna', firstReceipt: 1, lastReceipt: 1, noSales: 1 })
  t.like(x.turnover[0], { currency: 'EUR', period: { sales: 640, receipts: 1 } })
  t.like(x.takings[0], { change: 360, paidIn: 5000, paidOut: 1250, overShort: -10 })
  t.deepEqual(x.takings[0]?.tenders, [{ kind: 'cash', count: 1, amount: 1000 }])
  const closed = await terminal.closeShift({ key: 'close' })
  t.like(closed, { shift: 1, owner: 'anna', replayed: false })
  t.deepEqual(closed.drawer, [{ ...cash, overShort: -10, expected: 24_380 }])
  t.deepEqual(terminal.closeShiftSync({ key: 'close' }), { ...closed, replayed: true })
  t.is(terminal.shift(), undefined)

  const z = await terminal.zReport({ key: 'z' })
  t.like(z, { number: 1, lastReceipt: 1, replayed: false })
  t.deepEqual(terminal.zReportSync({ key: 'z' }), { ...z, replayed: true })
  const next = terminal.xReportSync()
  t.like(next, { number: 2, firstReceipt: 2, lastReceipt: 1, takings: [] })
  t.like(next.turnover[0], {
    period: { sales: 0, receipts: 0 },
    total: { sales: 640, receipts: 1 },
  })
  for (const kind of ['day', 'month', 'year'] as const) {
    const period = await terminal.periodClose({ kind })
    t.like(period, { kind, number: 1, first: 1, last: 1, operator: 'anna' })
    t.like(period.turnover[0], { currency: 'EUR', period: { sales: 640 }, total: { sales: 640 } })
    await refusal(t, () => terminal.periodClose({ kind }), 'PK_E_NOTHING_TO_CLOSE')
  }
  await terminal.signOff({ operator: 'anna' })
  await terminal.close()
  const report = await verifyStore({ root })
  t.true(report.ok, JSON.stringify(report))
})

test('reports have the taxes of the period', async (t) => {
  const terminal = await terminalFor(t)
  const lines = [{ sku: 'a', quantity: 1, unitPrice: 1000, taxes: [{ rate: '8.25', class: 'S' }] }]
  await terminal.sell({ ...shop, lines, tenders: [{ kind: 'card', amount: 1083 }] })
  const z = await terminal.zReport()
  t.deepEqual(z.turnover[0]?.taxes, [
    {
      rate: '8.25',
      class: 'S',
      inclusive: false,
      soldNet: 1000,
      soldTax: 83,
      returnedNet: 0,
      returnedTax: 0,
    },
  ])
})

test('an approval allows one thing, once', async (t) => {
  const terminal = await terminalFor(t)
  const { approval } = await terminal.approve({ operator: 'boss', what: 'a discount', key: 'a' })
  t.is(
    (await terminal.approve({ operator: 'boss', what: 'a discount', key: 'a' })).approval,
    approval,
  )
  const sale = await terminal.begin(shop)
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 1000 })
  const discount = { percent: 10, reason: 'late', approval }
  await sale.discountSale(discount)
  const used = await refusal(t, () => sale.discountSale(discount), 'PK_E_APPROVAL_USED')
  t.deepEqual(used.facts, { approval })
  for (const call of [
    () => sale.setQuantity(1, 2, { reason: 'r', approval: 99 }),
    () => sale.voidLine(1, { reason: 'r', approval: 99 }),
    () => sale.overridePrice(1, 1, { reason: 'r', approval: 99 }),
    () => sale.void({ reason: 'r', approval: 99 }),
    () => terminal.noSale({ reason: 'r', approval: 99 }),
  ]) {
    t.is((await refusal(t, call, 'PK_E_NOT_FOUND')).facts.approval, 99)
  }
  const other = await terminal.approve({ operator: 'boss', what: 'two' })
  await sale.setQuantity(1, 2, { reason: 'two', approval: other.approval })
})

test('training has its own circle and moves no counter', async (t) => {
  const terminal = await terminalFor(t)
  await terminal.sell(coffees)
  const before = terminal.counters()
  await terminal.setTraining(true, { key: 'on' })
  t.true(terminal.status().training)
  const receipt = await terminal.sell(coffees)
  t.like(receipt, { circle: 'training', receiptNumber: 1, gross: 640 })
  const sale = await terminal.begin(shop)
  t.true(sale.summary().training)
  await sale.void({ reason: 'r' })
  t.deepEqual(terminal.counters(), before)
  t.like(await terminal.receipt(1, 'training'), { circle: 'training', sequence: receipt.sequence })
  t.like(terminal.receiptSync(1), { circle: 'sale' })
  await refusal(t, () => terminal.openShift({ float: [] }), 'PK_E_TRAINING')
  await refusal(t, () => terminal.setTraining(true), 'PK_E_BAD_ARGUMENT')
  terminal.setTrainingSync(false)
  t.is((await terminal.sell(coffees)).receiptNumber, 2)
})

test('copies of a receipt are counted', async (t) => {
  const terminal = await terminalFor(t)
  const sold = await terminal.sell(coffees)
  const first = await terminal.reprint(1, { key: 'copy' })
  t.is(first.copy, 1)
  t.deepEqual(first.receipt, (({ replayed: _, ...rest }) => rest)(sold))
  t.deepEqual(terminal.reprintSync(1, { key: 'copy' }), { ...first, replayed: true })
  t.is((await terminal.reprint(1)).copy, 2)
  await refusal(t, () => terminal.reprint(9), 'PK_E_NOT_FOUND')
  await refusal(t, () => terminal.reprint(1, { circle: 'training' }), 'PK_E_NOT_FOUND')
})

test('a terminal may ask for an operator and a shift', async (t) => {
  const attendance = { operator: true, shift: true }
  const terminal = await terminalFor(t, { attendance })
  await refusal(t, () => terminal.sell(coffees), 'PK_E_NOT_SIGNED_ON')
  terminal.signOnSync({ operator: 'anna' })
  await refusal(t, () => terminal.begin(shop), 'PK_E_SHIFT_CLOSED')
  terminal.openShiftSync({ float: [] })
  t.is((await terminal.sell(coffees)).receiptNumber, 1)
  const root = tempStore(t)
  const bad = { root, id: 'T9', attendance: { operator: 'yes' } as never }
  await refusal(t, () => openTerminal(bad), 'PK_E_BAD_ARGUMENT')
})

test('what is refused about people and drawer changes nothing', async (t) => {
  const terminal = await terminalFor(t)
  await terminal.signOn({ operator: 'anna' })
  await terminal.openShift({ float: [euros(100)] })
  const paid = await terminal.begin(shop)
  await paid.addLine({ sku: 'a', quantity: 1, unitPrice: 100 })
  await paid.tender({ kind: 'cash', amount: 50 })
  const before = [terminal.status().sequence, terminal.shift()]
  for (const [call, code] of [
    [() => terminal.signOn({ operator: 'bert' }), 'PK_E_SIGNED_ON'],
    [() => terminal.signOff({ operator: 'bert' }), 'PK_E_NOT_SIGNED_ON'],
    [() => terminal.signOn({ operator: '' }), 'PK_E_BAD_TEXT'],
    [() => terminal.signOn({} as never), 'PK_E_BAD_ARGUMENT'],
    [() => terminal.approve({ operator: 'boss' } as never), 'PK_E_BAD_ARGUMENT'],
    [() => terminal.setTraining('yes' as never), 'PK_E_BAD_ARGUMENT'],
    [() => terminal.openShift({ float: [] }), 'PK_E_SHIFT_OPEN'],
    [() => terminal.openShift({ float: 100 as never }), 'PK_E_BAD_ARGUMENT'],
    [() => terminal.openShift({ float: [{ currency: 'EUR' } as never] }), 'PK_E_BAD_ARGUMENT'],
    [() => terminal.closeShift(), 'PK_E_OPEN_SALES'],
    [() => terminal.zReport(), 'PK_E_OPEN_SALES'],
    [() => terminal.cashCount(euros(1)), 'PK_E_OPEN_SALES'],
    [() => terminal.cashCount(euros(-1)), 'PK_E_BAD_AMOUNT'],
    [() => terminal.paidIn({ ...euros(0), reason: 'r' }), 'PK_E_BAD_AMOUNT'],
    [() => terminal.paidOut({ ...euros(-5), reason: 'r' }), 'PK_E_BAD_AMOUNT'],
    [() => terminal.paidIn({ ...euros(0.5), reason: 'r' }), 'PK_E_BAD_AMOUNT'],
    [() => terminal.paidIn({ currency: 'XXX', amount: 1, reason: 'r' }), 'PK_E_BAD_CURRENCY'],
    [() => terminal.paidIn(euros(1) as never), 'PK_E_BAD_ARGUMENT'],
    [() => terminal.noSale({ reason: '' }), 'PK_E_BAD_TEXT'],
    [() => terminal.periodClose({ kind: 'week' as never }), 'PK_E_BAD_ARGUMENT'],
    [() => terminal.reprint('1' as never), 'PK_E_BAD_ARGUMENT'],
    [() => terminal.receipt(1, 'circus' as never), 'PK_E_BAD_ARGUMENT'],
  ] as const) {
    await refusal(t, call, code)
    t.deepEqual([terminal.status().sequence, terminal.shift()], before)
  }
  const open = await refusal(t, () => terminal.zReport(), 'PK_E_OPEN_SALES')
  t.deepEqual(open.facts.sales, [paid.id])
})
