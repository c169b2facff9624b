import test from 'ava'
import { coffees, refusal, terminalFor } from '../support/store.js'

const shop = { store: 'shop', currency: 'EUR' } as const

test('a cash sale: lines, change, receipt', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin({ ...shop, reference: 'order-1' })
  t.like(sale, { id: 1, store: 'shop', currency: 'EUR', reference: 'order-1', recovered: false })
  const coffee = await sale.addLine({ sku: 'coffee', quantity: 2, unitPrice: 320 })
  t.like(coffee, { line: 1, amount: 640, replayed: false })
  t.deepEqual(coffee.totals, {
    net: 640,
    tax: 0,
    gross: 640,
    discount: 0,
    surcharge: 0,
    cashPayable: 640,
    rounding: 0,
    tendered: 0,
    pending: 0,
    tips: 0,
    due: 640,
    change: 0,
    state: 'building',
  })
  await sale.addLine({ sku: 'cake', text: 'Apple cake', quantity: 1, unitPrice: 450 })
  const taken = await sale.tender({ kind: 'cash', amount: 2000, reference: 'drawer-1' })
  t.like(taken, { tender: 1, state: 'confirmed', due: 0, change: 910 })
  t.like(sale.totals(), { gross: 1090, tendered: 2000, change: 910, state: 'tendering' })
  const receipt = await sale.complete()
  t.like(receipt, {
    sale: 1,
    receiptNumber: 1,
    ...shop,
    reference: 'order-1',
    gross: 1090,
    tendered: 2000,
    change: 910,
    totalSales: 1090,
    totalReturns: 0,
    replayed: false,
  })
  t.deepEqual(receipt.lines, [
    { line: 1, sku: 'coffee', quantity: '2', unitPrice: '320', amount: 640 },
    {
      line: 2,
      sku: 'cake',
      text: 'Apple cake',
      quantity: '1',
      unitPrice: '450',
      amount: 450,
    },
  ])
  t.deepEqual(receipt.tenders, [
    { tender: 1, kind: 'cash', amount: 2000, state: 'confirmed', reference: 'drawer-1' },
  ])
  t.regex(receipt.hash, /^[0-9a-f]{64}$/)
  t.regex(receipt.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.false('key' in receipt, 'what is absent is not there')
  t.is(sale.totals().state, 'completed', 'a finished sale answers until it is closed')
  sale.close()
  sale.close()
  await refusal(t, () => sale.totals(), 'PK_E_ALREADY_FINAL')
})

test('one call and many calls make the same receipt', async (t) => {
  const terminal = await terminalFor(t)
  const lines = [
    { sku: 'a', text: 'Äpfel', quantity: '1.250', unitPrice: '199.5' },
    { sku: 'b', quantity: -1, unitPrice: 50 },
    { sku: 'c', quantity: '0003', unitPrice: '0.880' },
    { sku: 'd', quantity: '007.10', unitPrice: '00' },
    { sku: 'e', quantity: '-0.0010', unitPrice: '-0.0' },
  ]
  const tender = { kind: 'cash', amount: 1000, reference: 'x' } as const
  const sold = await terminal.sell({ ...shop, reference: 'r', lines, tenders: [tender], key: 'k1' })
  const sale = await terminal.begin({ ...shop, reference: 'r' })
  for (const line of lines) await sale.addLine(line)
  await sale.tender(tender)
  const completed = await sale.complete({ key: 'k2' })
  const keep = ({ lines, tenders, gross, change, reference }: typeof sold) => {
    return { lines, tenders, gross, change, reference }
  }
  t.deepEqual(keep(sold), keep(completed))
  t.deepEqual(keep(sold), keep({ ...(await terminal.receipt(1)), replayed: false }))
  t.is(sold.gross, 249 - 50 + 3)
  t.deepEqual(
    sold.lines.map(({ quantity, unitPrice }) => [quantity, unitPrice]),
    completed.lines.map(({ quantity, unitPrice }) => [quantity, unitPrice]),
  )
})

test('amounts are rounded half away from zero, and a return mirrors its sale', async (t) => {
  const terminal = await terminalFor(t)
  const cases = [
    ['1', '0.5', 1],
    ['1', '0.4', 0],
    ['3', '0.5', 2],
    ['-1', '0.5', -1],
    ['-3', '0.5', -2],
    ['0.333333', 300, 100],
    ['0.125', '4', 1],
    [10, '0.880', 9],
  ] as const
  const sale = await terminal.begin(shop)
  for (const [quantity, unitPrice, expected] of cases) {
    const { amount } = await sale.addLine({ sku: 's', quantity, unitPrice })
    t.is(amount, expected, `${quantity} x ${unitPrice}`)
  }
})

test('quantities change, lines are voided, and the originals stay readable', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin(shop)
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 100 })
  await sale.addLine({ sku: 'b', quantity: 2, unitPrice: 50 })
  const more = await sale.setQuantity(1, '2.5', { reason: 'took more' })
  t.like(more, { line: 1, amount: 250, totals: { gross: 350 } })
  const gone = await sale.voidLine(2, { reason: 'scanned twice' })
  t.like(gone, { line: 2, amount: 0, totals: { gross: 250 } })
  t.deepEqual(sale.lines(), [
    { line: 1, sku: 'a', quantity: '2.5', unitPrice: '100', amount: 250 },
    {
      line: 2,
      sku: 'b',
      quantity: '2',
      unitPrice: '50',
      amount: 100,
      voided: 'scanned twice',
    },
  ])
  const facts = { sale: 1, line: 2 }
  const again = await refusal(t, () => sale.voidLine(2, { reason: 'x' }), 'PK_E_LINE_VOIDED')
  t.deepEqual(again.facts, facts)
  await refusal(t, () => sale.setQuantity(2, 1, { reason: 'x' }), 'PK_E_LINE_VOIDED')
  await refusal(t, () => sale.setQuantity(1, -1, { reason: 'x' }), 'PK_E_BAD_QUANTITY')
  await refusal(t, () => sale.setQuantity(3, 1, { reason: 'x' }), 'PK_E_NOT_FOUND')
})

test('a card tender waits for its outcome', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin(shop)
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 1000 })
  t.like(await sale.tender({ kind: 'card', amount: 600, pending: true }), {
    tender: 1,
    state: 'pending',
    due: 400,
  })
  t.like(sale.totals(), { pending: 600, tendered: 0, due: 400, state: 'tendering' })
  const frozen = await refusal(
    t,
    () => sale.addLine({ sku: 'b', quantity: 1, unitPrice: 1 }),
    'PK_E_TENDER_TAKEN',
  )
  t.deepEqual(frozen.facts, { sale: 1, tender: 1 })
  await refusal(t, () => sale.void({ reason: 'x' }), 'PK_E_TENDER_TAKEN')
  t.like(await sale.declineTender(1, { reason: 'no funds' }), { state: 'declined', due: 1000 })
  const state = await refusal(t, () => sale.confirmTender(1), 'PK_E_TENDER_STATE')
  t.deepEqual(state.facts, { sale: 1, tender: 1, state: 'declined' })
  t.is(sale.totals().state, 'building', 'no live tender is left')
  await sale.addLine({ sku: 'b', quantity: 1, unitPrice: 1 })

  await sale.tender({ kind: 'card', amount: 1001, pending: true })
  const pending = await refusal(t, () => sale.complete(), 'PK_E_PENDING_TENDER')
  t.deepEqual(pending.facts, { sale: 1, tender: 2 })
  t.like(await sale.confirmTender(2, { auth: '004711' }), { state: 'confirmed', due: 0 })
  await refusal(t, () => sale.tender({ kind: 'cash', amount: 1 }), 'PK_E_NOTHING_DUE')
  t.like(await sale.voidTender(2, { reason: 'cash instead' }), { state: 'voided', due: 1001 })
  await sale.tender({ kind: 'cash', amount: 1001 })
  const { tenders } = await sale.complete()
  t.deepEqual(
    tenders.map(({ kind, state }) => [kind, state]),
    [
      ['card', 'declined'],
      ['card', 'voided'],
      ['cash', 'confirmed'],
    ],
  )
  t.is(tenders[1]?.auth, '004711')
})

test('only cash gives change', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin(shop)
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 1000 })
  const error = await refusal(
    t,
    () => sale.tender({ kind: 'card', amount: 1001 }),
    'PK_E_BAD_AMOUNT',
  )
  t.deepEqual(error.facts, { sale: 1, value: 1001, due: 1000 })
  await refusal(
    t,
    () => sale.tender({ kind: 'cash', amount: 1001, pending: true }),
    'PK_E_BAD_AMOUNT',
  )
  await sale.tender({ kind: 'card', amount: 400 })
  const short = await refusal(t, () => sale.complete(), 'PK_E_UNDERPAID')
  t.deepEqual(short.facts, { sale: 1, gross: 1000, tendered: 400, due: 600 })
  t.like(await sale.tender({ kind: 'cash', amount: 1000 }), { due: 0, change: 400 })
  t.like(await sale.complete(), { gross: 1000, tendered: 1400, change: 400 })
})

test('a return is paid out', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin(shop)
  await sale.addLine({ sku: 'a', quantity: -2, unitPrice: 300 })
  t.like(sale.totals(), { gross: -600, due: -600 })
  await refusal(t, () => sale.tender({ kind: 'cash', amount: 600 }), 'PK_E_BAD_AMOUNT')
  await refusal(t, () => sale.tender({ kind: 'cash', amount: -700 }), 'PK_E_BAD_AMOUNT')
  await refusal(t, () => sale.complete(), 'PK_E_UNDERPAID')
  await sale.tender({ kind: 'card', amount: -600 })
  t.like(await sale.complete(), { gross: -600, tendered: -600, totalSales: 0, totalReturns: 600 })
})

test('a sale that comes to zero needs no tender', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin(shop)
  await sale.addLine({ sku: 'gift', quantity: 1, unitPrice: 0 })
  await refusal(t, () => sale.tender({ kind: 'cash', amount: 1 }), 'PK_E_NOTHING_DUE')
  t.like(await sale.complete(), { gross: 0, receiptNumber: 1, tenders: [] })
})

test('an empty sale is neither paid nor completed, but can be voided', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin(shop)
  await refusal(t, () => sale.complete(), 'PK_E_EMPTY_SALE')
  await refusal(t, () => sale.tender({ kind: 'cash', amount: 1 }), 'PK_E_EMPTY_SALE')
  await refusal(t, () => sale.close(), 'PK_E_STILL_OPEN')
  t.like(await sale.void({ reason: 'customer left' }), { sale: 1, replayed: false })
  t.is(sale.totals().state, 'voided')
  await refusal(t, () => sale.void({ reason: 'again' }), 'PK_E_ALREADY_FINAL')
  await refusal(
    t,
    () => sale.addLine({ sku: 'a', quantity: 1, unitPrice: 1 }),
    'PK_E_ALREADY_FINAL',
  )
  await refusal(t, () => sale.complete(), 'PK_E_ALREADY_FINAL')
  sale.close()
  t.like(await terminal.sell(coffees), { receiptNumber: 1, sale: 2 })
})

test('calls take effect in the order in which they are made, awaited or not', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin(shop)
  const answers = await Promise.all([
    sale.addLine({ sku: 'a', quantity: 1, unitPrice: 100 }),
    sale.addLine({ sku: 'b', quantity: 1, unitPrice: 200 }),
    sale.voidLine(1, { reason: 'x' }),
    sale.tender({ kind: 'cash', amount: 200 }),
    sale.complete(),
  ])
  t.is(answers[4].gross, 200)
  const sequences = answers.map(({ sequence }) => sequence)
  t.deepEqual(
    sequences,
    [...sequences].sort((a, b) => a - b),
  )
  t.is(new Set(sequences).size, 5)
})

test('sixty-four sales may be open at once', async (t) => {
  const terminal = await terminalFor(t, { durability: 'sale' })
  const sales = await Promise.all(Array.from({ length: 64 }, () => terminal.begin(shop)))
  const error = await refusal(t, () => terminal.begin(shop), 'PK_E_LIMIT')
  t.like(error.facts, { limit: 64, value: 65 })
  t.is(terminal.openSales().length, 64)
  await sales[10]?.void({ reason: 'room' })
  t.is((await terminal.begin(shop)).id, 65)
})

test('a sale of one call holds no pending tender and changes nothing when it is refused', async (t) => {
  const terminal = await terminalFor(t)
  const { sequence } = terminal.status()
  const lines = [{ sku: 'a', quantity: 1, unitPrice: 100 }]
  const cases = [
    [{ ...shop, lines, tenders: [] }, 'PK_E_UNDERPAID'],
    [{ ...shop, lines: [], tenders: [] }, 'PK_E_EMPTY_SALE'],
    [{ ...shop, lines, tenders: [{ kind: 'card', amount: 101 }] }, 'PK_E_BAD_AMOUNT'],
    [{ ...shop, lines, tenders: [{ kind: 'cash', amount: -100 }] }, 'PK_E_BAD_AMOUNT'],
    [
      {
        ...shop,
        lines,
        tenders: [
          { kind: 'cash', amount: 100 },
          { kind: 'cash', amount: 1 },
        ],
      },
      'PK_E_NOTHING_DUE',
    ],
  ] as const
  for (const [cart, code] of cases) await refusal(t, () => terminal.sell(cart), code)
  const pending = { kind: 'card', amount: 100, pending: true } as { kind: 'card'; amount: number }
  await refusal(t, () => terminal.sell({ ...shop, lines, tenders: [pending] }), 'PK_E_BAD_ARGUMENT')
  t.is(terminal.status().sequence, sequence, 'nothing was written')
  t.is((await terminal.sell(coffees)).receiptNumber, 1)
})
