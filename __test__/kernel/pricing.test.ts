/**
 * Prices through the TypeScript API: rules that stand in a law, a standard or a guide, each with its
 * source; discounts, overrides, tenders; keys of every call; refusals that change nothing. That the
 * arithmetic itself is exact is shown beside it, in `crates/kernel/tests/pricing/`.
 */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import {
  type Cart,
  inspectJournal,
  type PolicyInput,
  type Receipt,
  type TaxInput,
  type Terminal,
  verifyStore,
} from '../../ts/index.js'
import { refusal, tempStore, terminalFor } from '../support/store.js'

const store = 'shop'
const rules = { prices: 'gross', taxScope: 'perRate', taxRounding: 'halfUp' } as const

/** A terminal with a policy. */
async function shopWith(t: ExecutionContext, policy: Partial<PolicyInput> & { currency: string }) {
  const terminal = await terminalFor(t)
  await terminal.setPolicy({ ...rules, ...policy })
  return terminal
}

type Item = readonly [quantity: number | string, unitPrice: number | string, taxes: TaxInput[]]

/** What items come to, paid in cash. */
async function sold(terminal: Terminal, currency: string, items: readonly Item[]) {
  const lines = items.map(([quantity, unitPrice, taxes]) => {
    return { sku: 'a', quantity, unitPrice, taxes }
  })
  const sale = await terminal.begin({ store, currency })
  for (const line of lines) await sale.addLine(line)
  const { net, tax, gross, taxes, cashPayable } = sale.totals()
  await sale.void({ reason: 'counted' })
  const rows = taxes.map((row) => [row.class, row.net, row.tax, row.gross])
  return { rows, totals: [net, tax, gross], cashPayable }
}

/** What a total is in cash and by card: what was paid, and the rounding. */
async function paid(terminal: Terminal, currency: string, gross: number) {
  const lines = [{ sku: 'a', quantity: 1, unitPrice: gross }]
  const begin = { store, currency, lines }
  const card = await terminal.sell({ ...begin, tenders: [{ kind: 'card', amount: gross }] })
  const sale = await terminal.begin({ store, currency })
  const { totals } = await sale.addLine({ sku: 'a', quantity: 1, unitPrice: gross })
  const { due, rounding } = await sale.tender({ kind: 'cash', amount: totals.cashPayable })
  const receipt = await sale.complete()
  return { card: card.rounding, cash: gross + rounding, due, rounding: receipt.rounding }
}

/** Each total in cash is this much; by card it is what it is. */
async function roundsCash(
  t: ExecutionContext,
  policy: Partial<PolicyInput> & { currency: string },
  cases: readonly (readonly [gross: number, cash: number])[],
): Promise<void> {
  const terminal = await shopWith(t, policy)
  for (const [gross, cash] of cases) {
    const found = await paid(terminal, policy.currency, gross)
    t.deepEqual(found, { card: 0, cash, due: 0, rounding: cash - gross }, String(gross))
  }
}

// EN 16931-1:2017, 6.4.3: BR-CO-17, the tax of a category is its taxable amount times its rate,
// rounded to two decimals; BR-CO-10 and BR-S-08, line nets are rounded first and then added. Halves
// are rounded up by magnitude, as the validation artefacts of CEN (EN16931-model.sch) do.
test('EN 16931: the tax of a category is rounded half up', async (t) => {
  const terminal = await shopWith(t, { currency: 'EUR', prices: 'net' })
  const [standard, reduced] = [[{ class: 'S', rate: 25 }], [{ class: 'S', rate: '12.5' }]]
  // Two lines of 0.01 at 25 %: 0.005 together is 0.01; rounded line by line it would be nothing.
  const small = await sold(terminal, 'EUR', [
    [1, 1, standard],
    [1, 1, standard],
    [1, 4, reduced],
  ])
  const rows = [
    ['S', 2, 1, 3],
    ['S', 4, 1, 5],
  ]
  t.deepEqual(small, { rows, totals: [6, 2, 8], cashPayable: 8 })
  // The line net is rounded before it enters the category: 3 x 0.335 is 1.01, not 1.005.
  const parts = await sold(terminal, 'EUR', [
    [3, '33.5', standard],
    [1, '0.5', standard],
  ])
  t.deepEqual(parts.rows, [['S', 102, 26, 128]])
})

test('EN 16931: a credit note mirrors its invoice', async (t) => {
  const terminal = await shopWith(t, { currency: 'EUR', prices: 'net', unboundReturns: 'allow' })
  const taxes = [{ class: 'S', rate: 25 }]
  const back = await sold(terminal, 'EUR', [
    [-3, '33.5', taxes],
    [-1, '0.5', taxes],
  ])
  t.deepEqual(back.rows, [['S', -102, -26, -128]])
})

// UStG section 12: 19 % and, for the goods of annex 2, 7 %. A shop shows prices with tax (PAngV
// section 3) and takes tax out of the sum of each rate: 19/119 and 7/107 (UStAE 15.4).
test('Germany: prices with tax are split by rate', async (t) => {
  const terminal = await shopWith(t, { currency: 'EUR' })
  const [standard, reduced] = [[{ class: 'A', rate: 19 }], [{ class: 'B', rate: 7 }]]
  const found = await sold(terminal, 'EUR', [
    [1, 1190, standard],
    [2, 107, reduced],
    [1, 99, standard],
  ])
  // 12.89 x 19/119 = 2.05806; 2.14 x 7/107 = 0.14.
  const rows = [
    ['A', 1083, 206, 1289],
    ['B', 200, 14, 214],
  ]
  t.deepEqual(found, { rows, totals: [1283, 220, 1503], cashPayable: 1503 })
})

// UStG section 14 (4) no. 7 and 8: an invoice shows the net amount and its tax by rate.
test('Germany: net prices get tax on top', async (t) => {
  const terminal = await shopWith(t, { currency: 'EUR', prices: 'net' })
  const [standard, reduced] = [[{ class: 'A', rate: 19 }], [{ class: 'B', rate: 7 }]]
  const found = await sold(terminal, 'EUR', [
    [1, 1000, standard],
    [3, 33, reduced],
    [1, 50, standard],
  ])
  // 10.50 x 19 % = 1.995; 0.99 x 7 % = 0.0693.
  const rows = [
    ['A', 1050, 200, 1250],
    ['B', 99, 7, 106],
  ]
  t.deepEqual(found, { rows, totals: [1149, 207, 1356], cashPayable: 1356 })
})

// National Tax Agency of Japan, Q&A on the qualified invoice system, "rounding of fractions": once for
// each rate, up, down or to the nearest as the issuer chooses. The yen has no decimals.
test('Japan: the yen has no decimals, and each rate is rounded once', async (t) => {
  for (const [taxRounding, reducedTax] of [
    ['down', 38],
    ['up', 39],
    ['halfUp', 39],
  ] as const) {
    const terminal = await shopWith(t, { currency: 'JPY', prices: 'net', taxRounding })
    t.is(terminal.policy('JPY')?.minorDigits, 0)
    const [standard, reduced] = [[{ class: '10', rate: 10 }], [{ class: '8', rate: 8 }]]
    const { rows } = await sold(terminal, 'JPY', [
      [1, 105, standard],
      [1, 105, standard],
      [3, 129, reduced],
      [1, 98, reduced],
    ])
    // 210 x 10 % = 21 and 485 x 8 % = 38.8.
    t.deepEqual(
      rows.map(([, , tax]) => tax),
      [21, reducedTax],
      taxRounding,
    )
  }
})

// Bahrain, executive regulations of the VAT law, article 55: a fraction of a fils is rounded to the
// nearest fils. A dinar has a thousand fils; 10 % since 2022.
test('Bahrain: a dinar has a thousand fils', async (t) => {
  const terminal = await shopWith(t, { currency: 'BHD', prices: 'net' })
  t.is(terminal.policy('BHD')?.minorDigits, 3)
  const taxes = [{ class: 'S', rate: 10 }]
  t.deepEqual((await sold(terminal, 'BHD', [[1, 397, taxes]])).totals, [397, 40, 437])
  t.deepEqual((await sold(terminal, 'BHD', [[1, 25, taxes]])).totals, [25, 3, 28])
})

// SRF Espresso, "Wechselgeld auf den Rappen genau?": the smallest coin is 5 Rappen, cash is rounded to
// the nearest, 17.87 to 17.85 and 17.88 to 17.90.
test('Switzerland: cash is rounded to 5 Rappen', (t) =>
  roundsCash(t, { currency: 'CHF', cashStep: 5 }, [
    [1787, 1785],
    [1788, 1790],
    [1932, 1930],
    [1790, 1790],
    [3, 5],
  ]))

// Lag (1970:1029) om avrundning av vissa oresbelopp, section 2 as amended by SFS 2009:283: to the
// nearest hundred; 1 to 49 down, 50 to 99 up.
test('Sweden: cash is rounded to the krona', (t) =>
  roundsCash(t, { currency: 'SEK', cashStep: 100 }, [
    [10_049, 10_000],
    [10_050, 10_100],
    [10_099, 10_100],
    [10_001, 10_000],
  ]))

// Norway, forskrift 16 March 2011 no. 294, section 2: 1 to 49 ore down, 50 to 99 up to the krone.
test('Norway: cash is rounded to the krone', (t) =>
  roundsCash(t, { currency: 'NOK', cashStep: 100 }, [
    [3040, 3000],
    [4560, 4600],
    [4550, 4600],
    [4549, 4500],
  ]))

// Denmark, bekendtgorelse no. 928 of 19 September 2008, section 2: to the nearest amount that 50 ore
// divide. Danmarks Nationalbank: .01 to .24 down, .25 to .74 to .50, .75 to .99 up.
test('Denmark: cash is rounded to 50 ore', (t) =>
  roundsCash(t, { currency: 'DKK', cashStep: 50 }, [
    [40_524, 40_500],
    [40_525, 40_550],
    [40_574, 40_550],
    [40_575, 40_600],
  ]))

// Canada, Budget 2012, "Rounding": cash only, on the total after tax, 1, 2, 6, 7 down and 3, 4, 8, 9
// up. Its example: a coffee of 1.83 and a sandwich of 2.86 come to 4.92 with 5 % GST, 4.90 in cash.
test('Canada: cash is rounded to 5 cents', async (t) => {
  const terminal = await shopWith(t, { currency: 'CAD', prices: 'net', cashStep: 5 })
  const gst = [{ class: 'GST', rate: 5 }]
  const found = await sold(terminal, 'CAD', [
    [1, 183, gst],
    [1, 286, gst],
  ])
  t.deepEqual(found, { rows: [['GST', 469, 23, 492]], totals: [469, 23, 492], cashPayable: 490 })
  const ends = [100, 100, 100, 105, 105, 105, 105, 105, 110, 110]
  for (const [cents, cash] of ends.entries()) {
    t.like(await paid(terminal, 'CAD', 100 + cents), { card: 0, cash }, `1.0${cents}`)
  }
})

test('a policy is set, read, kept over a close, and named by its hash', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root })
  t.is(terminal.policy('CHF'), undefined)
  const sale = await terminal.begin({ store, currency: 'CHF' })
  const { hash } = await terminal.setPolicy({ currency: 'CHF', ...rules, cashStep: 5 })
  t.regex(hash, /^[0-9a-f]{64}$/)
  const whole = {
    currency: 'CHF',
    minorDigits: 2,
    ...rules,
    grossSplit: 'taxFirst',
    amountRounding: 'halfUp',
    cashStep: 5,
    cashRounding: 'halfUp',
    changeFrom: ['cash', 'foreign'],
    mixedReturns: true,
    unboundReturns: 'approve',
  } as const
  t.deepEqual(terminal.policy('CHF'), whole)
  t.is((await terminal.setPolicy(whole)).hash, hash, 'the same rules have the same hash')
  // The sale that was open keeps its rules: prices are exact, nothing was set when it began.
  const { totals } = await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 1002 })
  t.is(totals.cashPayable, 1002)
  await sale.tender({ kind: 'cash', amount: 1002 })
  t.false('policy' in (await sale.complete()))
  await terminal.close()
  const again = await terminalFor(t, { root })
  t.deepEqual(again.policy('CHF'), whole)
  const plain = {
    store,
    currency: 'CHF',
    lines: [{ sku: 'a', quantity: 1, unitPrice: 1002 }],
    tenders: [{ kind: 'cash', amount: 1000 }],
  } as const satisfies Cart
  const receipt = await again.sell(plain)
  t.like(receipt, { gross: 1002, rounding: -2, change: 0, policy: hash })
  t.deepEqual(receipt.perpetual, { salesTax: 0, returnsTax: 0, rounding: -2, taxes: [] })
  t.deepEqual(await again.receipt(2), withoutReplayed(receipt))
})

function withoutReplayed({ replayed: _, ...receipt }: Receipt & { readonly replayed: boolean }) {
  return receipt
}

/** A cart that says everything that a cart can say. */
const rich = {
  store,
  currency: 'EUR',
  reference: 'order-1',
  lines: [
    {
      sku: 'shirt',
      text: 'Shirt',
      quantity: 2,
      unitPrice: 2000,
      taxes: [{ rate: 19, class: 'A' }],
      discount: [
        { percent: 10, reason: 'season' },
        { amount: 100, reason: 'button' },
      ],
      surcharge: { amount: 50, reason: 'wrap' },
    },
    {
      sku: 'tea',
      quantity: '350',
      unitPrice: '199.5',
      perQuantity: 100,
      taxes: [{ rate: '7', class: 'B', inclusive: true }],
    },
    { sku: 'bottle', kind: 'deposit', quantity: 1, unitPrice: 25, parent: 2 },
  ],
  discount: { percent: '2.5', reason: 'coupon' },
  surcharge: { amount: 10, reason: 'evening' },
  tenders: [
    { kind: 'voucher', amount: 1000, reference: 'V-1' },
    { kind: 'foreign', amount: 2000, currency: 'CHF', rate: '1.07', per: 1 },
    { kind: 'card', amount: 1000, tip: 200 },
    { kind: 'cash', amount: 1000 },
  ],
} as const satisfies Cart

test('a cart with everything, and its receipt by number', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root })
  await terminal.setPolicy({ currency: 'EUR', ...rules })
  const receipt = await terminal.sell({ ...rich, key: 'k' })
  // 2 x 20.00 less 10 % less 1.00 and 0.50 more: 35.50. 350 g of 1.995 for 100 g: 6.98. 2.5 % of
  // 42.48 are 1.06: 0.89 and 0.17; 0.10 are 0.08 and 0.02.
  t.like(receipt, { gross: 4177, discount: 606, surcharge: 60, tips: 200, rounding: 0 })
  t.deepEqual(receipt.lines[0], {
    line: 1,
    sku: 'shirt',
    text: 'Shirt',
    quantity: '2',
    unitPrice: '2000',
    listed: 4000,
    adjustments: [
      { number: 1, kind: 'discount', percent: '10', ofSale: false, adjusted: -400 },
      { number: 2, kind: 'discount', amount: 100, ofSale: false, adjusted: -100 },
      { number: 3, kind: 'surcharge', amount: 50, ofSale: false, adjusted: 50 },
      { number: 4, kind: 'discount', percent: '2.5', ofSale: true, adjusted: -89 },
      { number: 5, kind: 'surcharge', amount: 10, ofSale: true, adjusted: 8 },
    ],
    amount: 3469,
    taxes: [{ rate: '19', class: 'A', inclusive: true, tax: 554 }],
    net: 2915,
    gross: 3469,
  })
  t.like(receipt.lines[1], { perQuantity: '100', unitPrice: '199.5', listed: 698, amount: 683 })
  t.deepEqual(receipt.lines[2], {
    line: 3,
    kind: 'deposit',
    sku: 'bottle',
    quantity: '1',
    unitPrice: '25',
    amount: 25,
    parent: 2,
  })
  t.deepEqual(receipt.taxes, [
    { rate: '19', class: 'A', inclusive: true, net: 2915, tax: 554, gross: 3469 },
    { rate: '7', class: 'B', inclusive: true, net: 638, tax: 45, gross: 683 },
  ])
  t.is(receipt.net + receipt.tax, receipt.gross)
  t.deepEqual(receipt.tenders[1], {
    tender: 2,
    kind: 'foreign',
    amount: 2140,
    foreign: { currency: 'CHF', amount: 2000, rate: '1.07' },
    state: 'confirmed',
  })
  t.like(receipt.tenders[2], { kind: 'card', amount: 1000, tip: 200 })
  t.is(receipt.tendered - receipt.change, receipt.gross + receipt.tips)
  t.deepEqual(await terminal.receipt(1), withoutReplayed(receipt))
  t.deepEqual(await terminal.sell({ ...rich, key: 'k' }), { ...receipt, replayed: true })
  const totals = { soldNet: 2915, soldTax: 554, returnedNet: 0, returnedTax: 0 }
  t.like(terminal.counters()[0], { sales: 4177, returns: 0, salesTax: 599, returnsTax: 0 })
  t.deepEqual(terminal.counters()[0]?.taxes[0], {
    rate: '19',
    class: 'A',
    inclusive: true,
    ...totals,
  })
  t.deepEqual(receipt.perpetual?.taxes, terminal.counters()[0]?.taxes)
  await terminal.close()
  t.true((await verifyStore({ root })).ok)
})

test('a cart and its calls make the same receipt', async (t) => {
  const terminal = await shopWith(t, { currency: 'EUR' })
  const cart = await terminal.sell(rich)
  const sale = await terminal.begin({ store, currency: 'EUR', reference: 'order-1' })
  for (const line of rich.lines) await sale.addLine(line)
  await sale.discountSale(rich.discount)
  await sale.surchargeSale(rich.surcharge)
  for (const tender of rich.tenders) await sale.tender(tender)
  const calls = await sale.complete()
  const keep = ({ lines, tenders, net, tax, gross, taxes, change, tips }: Receipt) => {
    return { lines, tenders, net, tax, gross, taxes, change, tips }
  }
  t.deepEqual(keep(calls), keep(cart))
  t.deepEqual(sale.lines(), cart.lines)
})

test('prices, taxes, quantities and discounts change until a tender is taken', async (t) => {
  const terminal = await shopWith(t, { currency: 'EUR' })
  const sale = await terminal.begin({ store, currency: 'EUR' })
  const taxes = [{ rate: 19, class: 'A' }]
  await sale.addLine({ sku: 'a', quantity: 3, unitPrice: 1000, taxes })
  await sale.addLine({ sku: 'b', quantity: 1, unitPrice: 1000, taxes })
  const line = await sale.discountLine(1, { percent: 10, reason: 'damaged' })
  t.like(line, { number: 1, adjusted: -300, allocated: [{ line: 1, amount: -300 }] })
  t.like(line.totals, { gross: 3700, discount: 300 })
  const whole = await sale.discountSale({ amount: 370, reason: 'coupon' })
  t.deepEqual(whole.allocated, [
    { line: 1, amount: -270 },
    { line: 2, amount: -100 },
  ])
  t.like(whole, { number: 2, adjusted: -370, totals: { gross: 3330 } })
  const price = await sale.overridePrice(2, '150', { reason: 'shelf', perQuantity: '0.5' })
  t.like(price, { line: 2, amount: 200, totals: { gross: 2630 } })
  const free = await sale.overrideTaxes(2, [], { reason: 'abroad' })
  t.like(free, { line: 2, amount: 200, totals: { gross: 2630 } })
  t.deepEqual(
    sale.totals().taxes.map((row) => [row.class, row.gross]),
    [['A', 2430]],
  )
  const more = await sale.surchargeLine(2, { percent: 50, reason: 'express' })
  t.like(more, { number: 3, adjusted: 100, totals: { surcharge: 100, gross: 2730 } })
  const back = await sale.retract(2, { reason: 'expired' })
  t.like(back, { number: 2, adjusted: 370, allocated: [], totals: { gross: 3150 } })
  t.deepEqual(
    sale.lines().map(({ adjustments }) => adjustments?.map(({ number }) => number)),
    [[1], [3]],
  )
  const gone = await sale.voidLine(2, { reason: 'wrong' })
  t.is(gone.totals.gross, 2700)
  t.false('tax' in (sale.lines()[1]?.taxes?.[0] ?? {}))
  await sale.tender({ kind: 'cash', amount: 3000 })
  for (const call of [
    () => sale.overridePrice(1, 1, { reason: 'r' }),
    () => sale.overrideTaxes(1, [], { reason: 'r' }),
    () => sale.discountLine(1, { amount: 1, reason: 'r' }),
    () => sale.surchargeLine(1, { amount: 1, reason: 'r' }),
    () => sale.discountSale({ amount: 1, reason: 'r' }),
    () => sale.surchargeSale({ amount: 1, reason: 'r' }),
    () => sale.retract(1, { reason: 'r' }),
  ]) {
    await refusal(t, call, 'PK_E_TENDER_TAKEN')
  }
})

test('every call about prices is answered again by its key', async (t) => {
  const terminal = await terminalFor(t)
  const policy = { currency: 'EUR', ...rules }
  const first = await terminal.setPolicy(policy, { key: 'policy' })
  t.deepEqual(terminal.setPolicySync(policy, { key: 'policy' }), { ...first, replayed: true })
  await refusal(
    t,
    () => terminal.setPolicy({ ...policy, cashStep: 5 }, { key: 'policy' }),
    'PK_E_IDEMPOTENCY_MISMATCH',
  )
  const sale = await terminal.begin({ store, currency: 'EUR' })
  const taxed = { sku: 'a', quantity: 2, unitPrice: 500, taxes: [{ rate: 19 }] }
  const line = { ...taxed, discount: { percent: 10, reason: 'r' } }
  const calls = [
    () => sale.addLine(line, { key: 'line' }),
    () => sale.overridePrice(1, 400, { reason: 'r', key: 'price' }),
    () => sale.overrideTaxes(1, [{ rate: 7 }], { reason: 'r', key: 'taxes' }),
    () => sale.discountLine(1, { amount: 10, reason: 'r', key: 'discount' }),
    () => sale.surchargeLine(1, { amount: 10, reason: 'r', key: 'surcharge' }),
    () => sale.discountSale({ percent: 5, reason: 'r', key: 'discount-sale' }),
    () => sale.surchargeSale({ percent: 5, reason: 'r', key: 'surcharge-sale' }),
    () => sale.retract(2, { reason: 'r', key: 'retract' }),
    () => sale.tender({ kind: 'voucher', amount: 100, key: 'voucher' }),
    () => sale.tender({ kind: 'foreign', amount: 1, currency: 'USD', rate: '0.9', key: 'usd' }),
    () => sale.tender({ kind: 'card', amount: 120, tip: 20, key: 'tip' }),
  ]
  for (const call of calls) {
    const answer = await call()
    const before = terminal.status().sequence
    t.deepEqual(await call(), { ...answer, replayed: true })
    t.is(terminal.status().sequence, before, 'the second call wrote nothing')
  }
  const mismatches = [
    () => sale.addLine({ ...line, taxes: [{ rate: 7 }] }, { key: 'line' }),
    () => sale.addLine({ ...line, kind: 'deposit' }, { key: 'line' }),
    () => sale.addLine({ ...line, discount: { percent: 11, reason: 'r' } }, { key: 'line' }),
    () => sale.overridePrice(1, 400, { reason: 'r', perQuantity: 2, key: 'price' }),
    () => sale.discountLine(1, { percent: 10, reason: 'r', key: 'discount' }),
    () => sale.surchargeLine(1, { amount: 10, reason: 'r', key: 'discount' }),
    () => sale.tender({ kind: 'card', amount: 120, tip: 10, key: 'tip' }),
  ]
  for (const call of mismatches) await refusal(t, call, 'PK_E_IDEMPOTENCY_MISMATCH')
})

test('a refusal about prices changes nothing', async (t) => {
  const terminal = await shopWith(t, { currency: 'EUR', mixedReturns: false })
  const sale = await terminal.begin({ store, currency: 'EUR' })
  const line = { sku: 'a', quantity: 1, unitPrice: 1000, taxes: [{ rate: 19, class: 'A' }] }
  await sale.addLine(line)
  await sale.discountLine(1, { amount: 100, reason: 'r' })
  const refunds = await terminal.begin({ store, currency: 'EUR' })
  const why = { reason: 'r' }
  const before = [sale.totals(), sale.lines(), terminal.status().sequence]
  const twice = [{ rate: 19 }, { rate: 19 }]
  for (const [call, code] of [
    [() => sale.addLine({ ...line, taxes: twice }), 'PK_E_BAD_RATE'],
    [() => sale.addLine({ ...line, taxes: [{ rate: 1001 }] }), 'PK_E_BAD_RATE'],
    [() => sale.addLine({ ...line, taxes: [{ rate: '0.00001' }] }), 'PK_E_BAD_RATE'],
    [() => sale.addLine({ ...line, taxes: [{ rate: -1 }] }), 'PK_E_BAD_RATE'],
    [
      () => sale.addLine({ ...line, taxes: [{ rate: 1, class: 'thirteen char' }] }),
      'PK_E_BAD_TEXT',
    ],
    [() => sale.addLine({ ...line, perQuantity: 0 }), 'PK_E_BAD_QUANTITY'],
    [() => sale.addLine({ ...line, quantity: -1 }), 'PK_E_APPROVAL_REQUIRED'],
    [() => sale.addLine({ ...line, quantity: -1, approval: 1 }), 'PK_E_MIXED_RETURNS'],
    [() => sale.addLine({ ...line, discount: { amount: 1001, ...why } }), 'PK_E_BAD_AMOUNT'],
    [() => sale.addLine({ ...line, discount: { percent: 101, ...why } }), 'PK_E_BAD_RATE'],
    [() => sale.overridePrice(1, 99, why), 'PK_E_BAD_AMOUNT'],
    [() => sale.overridePrice(1, -1, why), 'PK_E_BAD_PRICE'],
    [() => sale.overridePrice(2, 99, why), 'PK_E_NOT_FOUND'],
    [() => sale.overrideTaxes(1, twice, why), 'PK_E_BAD_RATE'],
    [() => sale.discountLine(1, { amount: 901, ...why }), 'PK_E_BAD_AMOUNT'],
    [() => sale.discountLine(1, { amount: 0, ...why }), 'PK_E_BAD_AMOUNT'],
    [() => sale.discountLine(1, { amount: -1, ...why }), 'PK_E_BAD_AMOUNT'],
    [() => sale.discountSale({ percent: '100.0001', ...why }), 'PK_E_BAD_RATE'],
    [() => sale.discountSale({ percent: 0, ...why }), 'PK_E_BAD_RATE'],
    [() => sale.discountSale({ amount: 901, ...why }), 'PK_E_BAD_AMOUNT'],
    [() => refunds.discountSale({ amount: 1, ...why }), 'PK_E_EMPTY_SALE'],
    [() => sale.retract(9, why), 'PK_E_NOT_FOUND'],
    [() => sale.tender({ kind: 'foreign', amount: 100 }), 'PK_E_BAD_ARGUMENT'],
    [() => sale.tender({ kind: 'cash', amount: 100, currency: 'USD' }), 'PK_E_BAD_ARGUMENT'],
    [() => sale.tender({ kind: 'cash', amount: 100, rate: 1 }), 'PK_E_BAD_ARGUMENT'],
    [
      () => sale.tender({ kind: 'cash', amount: 100, currency: 'USD', rate: 1 }),
      'PK_E_BAD_ARGUMENT',
    ],
    [
      () => sale.tender({ kind: 'foreign', amount: 1, currency: 'EUR', rate: 1 }),
      'PK_E_BAD_ARGUMENT',
    ],
    [() => sale.tender({ kind: 'foreign', amount: 1, currency: 'USD', rate: 0 }), 'PK_E_BAD_RATE'],
    [
      () => sale.tender({ kind: 'foreign', amount: 1, currency: 'XXX', rate: 1 }),
      'PK_E_BAD_CURRENCY',
    ],
    [() => sale.tender({ kind: 'card', amount: 900, tip: 901 }), 'PK_E_BAD_AMOUNT'],
    [() => sale.tender({ kind: 'voucher', amount: 901 }), 'PK_E_BAD_AMOUNT'],
    [() => terminal.setPolicy({ currency: 'EUR', ...rules, cashStep: 0 }), 'PK_E_BAD_POLICY'],
    [() => terminal.setPolicy({ currency: 'EUR', ...rules, minorDigits: 5 }), 'PK_E_BAD_POLICY'],
    [() => terminal.setPolicy({ currency: 'XXX', ...rules }), 'PK_E_BAD_CURRENCY'],
  ] as const) {
    await refusal(t, call, code)
    t.deepEqual([sale.totals(), sale.lines(), terminal.status().sequence], before)
  }
})

test('returns without a receipt follow the policy', async (t) => {
  const back = { sku: 'a', quantity: -1, unitPrice: 1000 }
  const cash = { kind: 'cash', amount: -1000 } as const
  const cart = { store, currency: 'EUR', lines: [back], tenders: [cash] }
  const refuses = await shopWith(t, { currency: 'EUR', unboundReturns: 'refuse' })
  const unbound = await refusal(t, () => refuses.sell(cart), 'PK_E_UNBOUND_RETURN')
  t.is(typeof unbound.facts.sale, 'number')
  const allows = await shopWith(t, { currency: 'EUR', unboundReturns: 'allow' })
  t.like(await allows.sell(cart), { gross: -1000, totalReturns: 1000 })
})

test('change comes from what the policy names', async (t) => {
  const terminal = await shopWith(t, { currency: 'EUR', changeFrom: ['cash', 'voucher'] })
  const cart = { store, currency: 'EUR', lines: [{ sku: 'a', quantity: 1, unitPrice: 800 }] }
  const voucher = await terminal.sell({ ...cart, tenders: [{ kind: 'voucher', amount: 1000 }] })
  t.is(voucher.change, 200)
  const other = { ...cart, tenders: [{ kind: 'other', amount: 1000 } as const] }
  t.is((await refusal(t, () => terminal.sell(other), 'PK_E_BAD_AMOUNT')).facts.due, 800)
})

test('arguments about prices are checked by name', async (t) => {
  const terminal = await shopWith(t, { currency: 'EUR' })
  const sale = await terminal.begin({ store, currency: 'EUR' })
  const line = { sku: 'a', quantity: 1, unitPrice: 1000 }
  const policy = { currency: 'EUR', ...rules }
  const before = terminal.status().sequence
  // Each is what the types forbid.
  for (const [call, argument] of [
    [() => sale.addLine({ ...line, taxes: {} as never }), 'taxes'],
    [() => sale.addLine({ ...line, taxes: [19 as never] }), 'tax'],
    [() => sale.addLine({ ...line, taxes: [{ rat: 19 } as never] }), 'rat'],
    [() => sale.addLine({ ...line, taxes: [{ rate: null as never }] }), 'rate'],
    [
      () => sale.addLine({ ...line, taxes: [{ rate: 19, inclusive: 'yes' as never }] }),
      'inclusive',
    ],
    [() => sale.addLine({ ...line, kind: 'gift' as never }), 'kind'],
    [() => sale.addLine({ ...line, kind: 7 as never }), 'kind'],
    [() => sale.addLine({ ...line, perQuantity: null as never }), 'perQuantity'],
    [() => sale.addLine({ ...line, approval: 'yes' as never }), 'approval'],
    [() => sale.addLine({ ...line, discount: 10 as never }), 'discount'],
    [() => sale.addLine({ ...line, discount: { reason: 'r' } as never }), 'discount'],
    [() => sale.addLine({ ...line, discount: { amount: 1, percnt: 1 } as never }), 'percnt'],
    [() => sale.addLine({ ...line, discount: { amount: 1 } as never }), 'reason'],
    [() => sale.addLine({ ...line, surcharge: { amount: '1', reason: 'r' } as never }), 'amount'],
    [() => sale.discountLine(1, { amount: 1, percent: 1, reason: 'r' } as never), 'discount'],
    [() => sale.discountSale(undefined as never), 'discount'],
    [() => sale.surchargeSale({ percent: null, reason: 'r' } as never), 'percent'],
    [() => sale.retract(1.5, { reason: 'r' }), 'number'],
    [() => sale.retract(1, { reason: 'r', approval: -1 }), 'approval'],
    [() => sale.overridePrice(1, 1, { reasn: 'r' } as never), 'reasn'],
    [() => sale.overrideTaxes(1, undefined as never, { reason: 'r' }), 'taxes'],
    [() => sale.tender({ kind: 'foreign', amount: 1, currency: 1 as never, rate: 1 }), 'currency'],
    [() => sale.tender({ kind: 'cash', amount: 1, tip: '1' as never }), 'tip'],
    [() => sale.tender({ kind: 'foreign', amount: 1, currency: 'USD', rate: 1, per: -1 }), 'per'],
    [() => terminal.setPolicy({ ...policy, price: 'net' } as never), 'price'],
    [() => terminal.setPolicy({ currency: 'EUR' } as never), 'prices'],
    [() => terminal.setPolicy({ ...policy, cashStep: '5' as never }), 'cashStep'],
    [() => terminal.setPolicy({ ...policy, changeFrom: 'cash' as never }), 'changeFrom'],
    [() => terminal.setPolicy({ ...policy, mixedReturns: 1 as never }), 'mixedReturns'],
    [() => terminal.policy(undefined as never), 'currency'],
  ] as const) {
    t.is((await refusal(t, call, 'PK_E_BAD_ARGUMENT')).facts.argument, argument)
  }
  for (const [call, what] of [
    [() => terminal.setPolicy({ ...policy, prices: 'Gross' as never }), 'prices'],
    [() => terminal.setPolicy({ ...policy, taxScope: 'perTrolley' as never }), 'taxScope'],
    [() => terminal.setPolicy({ ...policy, taxRounding: 'bankers' as never }), 'rounding'],
    [() => terminal.setPolicy({ ...policy, unboundReturns: '' as never }), 'unboundReturns'],
    [() => terminal.setPolicy({ ...policy, changeFrom: ['gold' as never] }), 'kind'],
  ] as const) {
    t.is((await refusal(t, call, 'PK_E_BAD_POLICY')).facts.what, what)
  }
  const fraction = await refusal(
    t,
    () => sale.addLine({ ...line, taxes: [{ rate: 8.25 }] }),
    'PK_E_BAD_RATE',
  )
  t.regex(fraction.message, /string/, 'it says how parts are given')
  t.is(terminal.status().sequence, before)
})

test('inspect shows what prices put into the journal', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root })
  await terminal.setPolicy({ currency: 'EUR', ...rules })
  await terminal.sell(rich)
  const kinds = new Map<string | number, Readonly<Record<string, unknown>>>()
  for await (const record of inspectJournal({ root, terminal: 'T1' })) {
    if ('problem' in record || record.fact === undefined) continue
    kinds.set(record.kind, record.fact)
  }
  t.like(kinds.get('PolicySet'), { policy: { currency: 'EUR', prices: 'gross' } })
  t.like(kinds.get('LineAdjusted'), { reason: 'wrap', adjusted: 50 })
  t.like(kinds.get('SaleAdjusted'), { reason: 'evening', adjusted: 10 })
  t.like(kinds.get('SaleCompleted'), { sums: { tips: 200, discounts: 606, surcharges: 60 } })
})

/** Every number in a value, however deep. */
function* numbersIn(value: unknown): Generator<number> {
  if (typeof value === 'number') yield value
  else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) yield* numbersIn(item)
  }
}

test('whatever is sold, amounts are safe integers and add up', async (t) => {
  const terminal = await shopWith(t, { currency: 'EUR', unboundReturns: 'allow', cashStep: 5 })
  const decimal = fc
    .tuple(fc.integer({ min: 1, max: 10_000_000 }), fc.integer({ min: 0, max: 6 }))
    .map(([mantissa, scale]) => (mantissa / 10 ** scale).toFixed(scale))
  const tax = fc.record({
    rate: fc.constantFrom<string | number>(0, 7, '8.1', 19, '25.0001'),
    class: fc.constantFrom('A', 'B'),
    inclusive: fc.boolean(),
  })
  const key = (given: { rate: string | number; class: string; inclusive: boolean }) =>
    `${given.rate} ${given.class} ${given.inclusive}`
  const item = fc.record({
    sku: fc.constant('a'),
    quantity: decimal,
    unitPrice: decimal,
    perQuantity: fc.constantFrom<string | number>(1, 100, '0.5'),
    taxes: fc.uniqueArray(tax, { maxLength: 3, selector: key }),
    discount: fc.constantFrom(undefined, { percent: '12.5', reason: 'r' }),
  })
  const property = fc.asyncProperty(
    fc.array(item, { minLength: 1, maxLength: 8 }),
    fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
    async (lines, percent) => {
      const sale = await terminal.begin({ store, currency: 'EUR' })
      for (const line of lines) await sale.addLine(line)
      // A discount needs an item that is worth something.
      if (percent !== undefined && sale.lines().some(({ amount }) => amount !== 0)) {
        const { allocated, adjusted } = await sale.discountSale({ percent, reason: 'r' })
        t.is(
          allocated.reduce((sum, { amount }) => sum + amount, 0),
          adjusted,
        )
      }
      const { gross, cashPayable } = sale.totals()
      if (gross !== 0) await sale.tender({ kind: 'cash', amount: cashPayable })
      const receipt = await sale.complete()
      sale.close()
      for (const number of numbersIn(receipt)) t.true(Number.isSafeInteger(number))
      t.is(receipt.net + receipt.tax, receipt.gross)
      t.is(
        receipt.taxes.reduce((sum, row) => sum + row.tax, 0),
        receipt.tax,
      )
      const ofLines = (name: 'net' | 'gross') =>
        receipt.lines.reduce((sum, line) => sum + (line[name] ?? line.amount), 0)
      t.is(ofLines('net'), receipt.net)
      t.is(ofLines('gross'), receipt.gross)
      t.is(receipt.gross + receipt.rounding + receipt.tips, receipt.tendered - receipt.change)
      t.deepEqual(await terminal.receipt(receipt.receiptNumber), withoutReplayed(receipt))
    },
  )
  await fc.assert(property, { numRuns: 60 })
})
