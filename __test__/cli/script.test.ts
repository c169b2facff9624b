import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Ended, ended, jsonLines, posKernel, startProgram } from '../support/child.js'
import { ownerIdle, tempStore } from '../support/store.js'

/** Runs operations, given as objects or as raw lines, and returns what was answered. */
async function script(
  root: string,
  operations: readonly (object | string)[],
  ...flags: readonly string[]
): Promise<Ended & { answers: Record<string, unknown>[] }> {
  const lines = operations.map((operation) =>
    typeof operation === 'string' ? operation : JSON.stringify(operation),
  )
  const args = ['script', '-', '--root', root, '--terminal', 'T1', ...flags]
  const ended = await posKernel(args, { input: `${lines.join('\n')}\n` })
  return { ...ended, answers: jsonLines(ended.stdout) }
}

/** Each answer must hold at least this. */
function transcript(
  t: ExecutionContext,
  answers: readonly Record<string, unknown>[],
  expected: readonly Record<string, unknown>[],
): void {
  t.is(answers.length, expected.length)
  expected.forEach((like, index) => {
    t.like(answers[index], like, JSON.stringify(answers[index]))
  })
}

test('every operation, in order', async (t) => {
  const root = tempStore(t)
  const { code, stderr, answers } = await script(root, [
    { op: 'openSales' },
    { op: 'begin', store: 'shop', currency: 'EUR', reference: 'order-1', key: 'b' },
    { op: 'begin', store: 'shop', currency: 'EUR', reference: 'order-1', key: 'b' },
    { op: 'addLine', sku: 'tea', text: 'Tee', quantity: '0.250', unitPrice: '1240.5' },
    { op: 'addLine', sale: 1, sku: 'cup', quantity: 2, unitPrice: 500, key: 'l' },
    { op: 'setQuantity', line: 2, quantity: 1, reason: 'one back' },
    { op: 'addLine', sku: 'bag', quantity: 1, unitPrice: 10 },
    { op: 'voidLine', line: 3, reason: 'has one' },
    { op: 'totals' },
    { op: 'tender', kind: 'card', amount: 810, pending: true, reference: 'slip-1' },
    { op: 'declineTender', tender: 1, reason: 'no funds' },
    { op: 'tender', kind: 'card', amount: 300, pending: true },
    { op: 'confirmTender', tender: 2, auth: '4711' },
    { op: 'voidTender', tender: 2, reason: 'cash instead' },
    { op: 'tender', kind: 'cash', amount: 1000, key: 't' },
    { op: 'openSales' },
    { op: 'complete', key: 'c' },
    { op: 'complete', key: 'c' },
    { op: 'totals' },
    { op: 'close' },
    { op: 'begin', store: 'shop', currency: 'EUR' },
    { op: 'void', reason: 'customer left' },
    { op: 'close', sale: 2 },
    {
      op: 'sell',
      store: 'shop',
      currency: 'EUR',
      reference: 'order-3',
      lines: [{ sku: 'cup', quantity: 1, unitPrice: 500 }],
      tenders: [{ kind: 'cash', amount: 500 }],
      key: 's',
    },
    { op: 'receipt', receiptNumber: 1 },
    { op: 'counters' },
    { op: 'status' },
  ])
  t.is(stderr, '')
  t.is(code, 0)
  const receipt = { receiptNumber: 1, sale: 1, reference: 'order-1', key: 'c', change: 190 }
  transcript(t, answers, [
    { ok: true, op: 'openSales', sales: [] },
    { ok: true, op: 'begin', sale: 1, replayed: false },
    { ok: true, op: 'begin', sale: 1, replayed: true },
    { ok: true, op: 'addLine', line: 1, amount: 310, totals: { gross: 310, state: 'building' } },
    { ok: true, op: 'addLine', line: 2, amount: 1000, totals: { gross: 1310 } },
    { ok: true, op: 'setQuantity', line: 2, amount: 500, totals: { gross: 810 } },
    { ok: true, op: 'addLine', line: 3, amount: 10 },
    { ok: true, op: 'voidLine', line: 3, amount: 0, totals: { gross: 810 } },
    { ok: true, op: 'totals', gross: 810, tendered: 0, pending: 0, due: 810, change: 0 },
    { ok: true, op: 'tender', tender: 1, state: 'pending', due: 0, change: 0 },
    { ok: true, op: 'declineTender', tender: 1, state: 'declined', due: 810 },
    { ok: true, op: 'tender', tender: 2, state: 'pending', due: 510 },
    { ok: true, op: 'confirmTender', tender: 2, state: 'confirmed', due: 510 },
    { ok: true, op: 'voidTender', tender: 2, state: 'voided', due: 810 },
    { ok: true, op: 'tender', tender: 3, state: 'confirmed', due: 0, change: 190 },
    {
      ok: true,
      op: 'openSales',
      sales: [{ sale: 1, state: 'tendering', lines: 3, gross: 810, recovered: false }],
    },
    { ok: true, op: 'complete', receipt, replayed: false },
    { ok: true, op: 'complete', receipt, replayed: true },
    { ok: true, op: 'totals', state: 'completed', gross: 810, tendered: 1000, change: 190 },
    { ok: true, op: 'close', sale: 1 },
    { ok: true, op: 'begin', sale: 2 },
    { ok: true, op: 'void', sale: 2, replayed: false },
    { ok: true, op: 'close', sale: 2 },
    { ok: true, op: 'sell', receipt: { receiptNumber: 2, sale: 3, gross: 500 }, replayed: false },
    { ok: true, op: 'receipt', receipt: { ...receipt, gross: 810, tendered: 1000 } },
    {
      ok: true,
      op: 'counters',
      counters: [{ currency: 'EUR', sales: 1310, returns: 0, net: 1310, receipts: 2, voids: 1 }],
    },
    { ok: true, op: 'status', id: 'T1', openSales: 0, nextReceipt: 3, poisoned: false },
  ])
  t.deepEqual(answers[16]?.receipt, answers[17]?.receipt)
  t.deepEqual(answers[16]?.receipt, answers[24]?.receipt)
})

test('every operation about prices, in order', async (t) => {
  const root = tempStore(t)
  const rules = { prices: 'gross', taxScope: 'perRate', taxRounding: 'halfUp' }
  const { code, stderr, answers } = await script(root, [
    { op: 'begin', store: 'shop' },
    { op: 'setPolicy', currency: 'CHF', ...rules, cashStep: 5, key: 'p' },
    { op: 'setPolicy', currency: 'CHF', ...rules, cashStep: 5, key: 'p' },
    { op: 'policy', currency: 'CHF' },
    { op: 'policy', currency: 'EUR' },
    { op: 'begin', store: 'shop' },
    {
      op: 'addLine',
      sku: 'shirt',
      quantity: 2,
      unitPrice: 2000,
      taxes: [{ rate: '8.1', class: 'N' }],
      discount: { percent: 10, reason: 'season' },
    },
    {
      op: 'addLine',
      sku: 'tea',
      quantity: '350',
      unitPrice: '199.5',
      perQuantity: 100,
      taxes: [{ rate: '2.6', class: 'R' }],
    },
    { op: 'addLine', sku: 'bottle', kind: 'deposit', quantity: 1, unitPrice: 25, parent: 2 },
    { op: 'overridePrice', line: 2, unitPrice: 200, perQuantity: 100, reason: 'shelf', key: 'o' },
    { op: 'overrideTaxes', line: 2, taxes: [{ rate: 0, class: 'Z' }], reason: 'export' },
    { op: 'discountLine', line: 1, amount: 100, reason: 'button' },
    { op: 'surchargeLine', line: 1, percent: '2.5', reason: 'wrap' },
    { op: 'discountSale', percent: 10, reason: 'coupon', key: 'd' },
    { op: 'discountSale', percent: 10, reason: 'coupon', key: 'd' },
    { op: 'surchargeSale', amount: 12, reason: 'evening' },
    { op: 'retract', number: 4, reason: 'expired' },
    { op: 'totals' },
    { op: 'tender', kind: 'foreign', amount: 1000, currency: 'EUR', rate: '0.9312' },
    { op: 'tender', kind: 'voucher', amount: 1000, reference: 'V-1' },
    { op: 'tender', kind: 'card', amount: 600, tip: 100 },
    { op: 'tender', kind: 'cash', amount: 2000 },
    { op: 'complete' },
    { op: 'receipt', receiptNumber: 1 },
    {
      op: 'sell',
      store: 'shop',
      lines: [{ sku: 'a', quantity: 1, unitPrice: 102, taxes: [{ rate: '8.1', class: 'N' }] }],
      discount: [{ amount: 2, reason: 'cent' }],
      surcharge: { amount: 1, reason: 'cent' },
      tenders: [{ kind: 'other', amount: 101 }],
    },
    { op: 'counters' },
  ])
  t.is(stderr, '')
  t.is(code, 0)
  const totals = { gross: 4291, discount: 500, surcharge: 100, net: 4019, tax: 272 }
  transcript(t, answers, [
    { ok: false, op: 'begin', code: 'PK_E_BAD_ARGUMENT', facts: { argument: 'currency' } },
    { ok: true, op: 'setPolicy', replayed: false },
    { ok: true, op: 'setPolicy', replayed: true, hash: answers[1]?.hash },
    { ok: true, op: 'policy', policy: { ...rules, cashStep: 5, unboundReturns: 'approve' } },
    { ok: true, op: 'policy', policy: null },
    { ok: true, op: 'begin', sale: 1 },
    { ok: true, op: 'addLine', line: 1, amount: 3600, totals: { gross: 3600, discount: 400 } },
    { ok: true, op: 'addLine', line: 2, amount: 698 },
    { ok: true, op: 'addLine', line: 3, amount: 25, totals: { gross: 4323, cashPayable: 4325 } },
    { ok: true, op: 'overridePrice', line: 2, amount: 700 },
    { ok: true, op: 'overrideTaxes', line: 2, amount: 700 },
    { ok: true, op: 'discountLine', number: 2, allocated: [{ line: 1, amount: -100 }] },
    { ok: true, op: 'surchargeLine', number: 3, adjusted: 88 },
    {
      ok: true,
      op: 'discountSale',
      number: 4,
      allocated: [
        { line: 1, amount: -359 },
        { line: 2, amount: -70 },
      ],
      replayed: false,
    },
    { ok: true, op: 'discountSale', number: 4, adjusted: -429, replayed: true },
    { ok: true, op: 'surchargeSale', number: 5, adjusted: 12 },
    { ok: true, op: 'retract', number: 4, adjusted: 429, allocated: [] },
    {
      ok: true,
      op: 'totals',
      ...totals,
      gross: 4325,
      net: 4055,
      tax: 270,
      taxes: [
        { rate: '8.1', class: 'N', net: 3328, tax: 270, gross: 3598 },
        { rate: '0', class: 'Z', net: 702, tax: 0, gross: 702 },
      ],
    },
    { ok: true, op: 'tender', tender: 1, state: 'confirmed', due: 3394 },
    { ok: true, op: 'tender', tender: 2, due: 2394 },
    { ok: true, op: 'tender', tender: 3, due: 1894 },
    { ok: true, op: 'tender', tender: 4, due: 0, change: 105, rounding: 1 },
    { ok: true, op: 'complete', receipt: { gross: 4325, rounding: 1, tips: 100, change: 105 } },
    { ok: true, op: 'receipt', receipt: { policy: answers[1]?.hash } },
    { ok: true, op: 'sell', receipt: { gross: 101, discount: 2, surcharge: 1 } },
    { ok: true, op: 'counters', counters: [{ sales: 4426, rounding: 1, receipts: 2 }] },
  ])
  t.deepEqual(answers[13]?.allocated, answers[14]?.allocated)
})

test('returns and suspended sales, in order', async (t) => {
  const root = tempStore(t)
  const lines = [{ sku: 'a', quantity: 3, unitPrice: 500 }]
  const { code, answers } = await script(root, [
    {
      op: 'sell',
      store: 'shop',
      currency: 'EUR',
      lines,
      tenders: [{ kind: 'cash', amount: 1500 }],
    },
    { op: 'beginReturn', terminal: 'T1', receiptNumber: 1, key: 'b' },
    { op: 'returnLine', of: 1, quantity: 2, reason: 'too many', key: 'r' },
    { op: 'returnLine', of: 1, quantity: 2, reason: 'too many', key: 'r' },
    { op: 'returnLine', of: 1, quantity: 2, reason: 'too many' },
    { op: 'suspend', reason: 'fetches the rest', key: 's' },
    { op: 'totals' },
    { op: 'begin', store: 'shop', currency: 'EUR' },
    { op: 'addLine', sku: 'b', quantity: 1, unitPrice: 100 },
    { op: 'expire', idleMs: 0, reason: 'nobody' },
    { op: 'suspendedSales' },
    { op: 'resume', ticket: 'T1.2.7.1', key: 'u' },
    { op: 'resume', ticket: 'T1.2.7.1' },
    { op: 'tender', kind: 'cash', amount: -1000 },
    { op: 'complete' },
    { op: 'collectTransfers' },
  ])
  t.is(code, 0)
  const ticket = answers[5]?.ticket
  const waiting = { ticket, terminal: 'T1', sale: 2, gross: -1000, lines: 1 }
  transcript(t, answers, [
    { ok: true, op: 'sell' },
    { ok: true, op: 'beginReturn', sale: 2, replayed: false },
    { ok: true, op: 'returnLine', line: 1, amount: -1000, totals: { due: -1000 } },
    { ok: true, op: 'returnLine', line: 1, replayed: true },
    { ok: false, op: 'returnLine', code: 'PK_E_REFUND_EXCEEDS', facts: { left: '1' } },
    { ok: true, op: 'suspend', sale: 2, ticket: 'T1.2.7.1' },
    { ok: true, op: 'totals', state: 'suspended' },
    { ok: true, op: 'begin', sale: 3 },
    { ok: true, op: 'addLine', line: 1, totals: { gross: 100 } },
    { ok: true, op: 'expire', sales: [3] },
    { ok: true, op: 'suspendedSales', sales: [waiting] },
    { ok: true, op: 'resume', sale: 2, replayed: false },
    { ok: false, op: 'resume', code: 'PK_E_ALREADY_RESUMED', facts: { terminal: 'T1' } },
    { ok: true, op: 'tender', due: 0 },
    { ok: true, op: 'complete', receipt: { gross: -1000, totalReturns: 1000 } },
    { ok: true, op: 'collectTransfers', sales: [] },
  ])
})

test('people, the drawer and reports, in order', async (t) => {
  const root = tempStore(t)
  const lines = [{ sku: 'a', quantity: 1, unitPrice: 500 }]
  const sell = { op: 'sell', store: 'shop', lines, tenders: [{ kind: 'cash', amount: 1000 }] }
  const { code, answers } = await script(root, [
    { op: 'paidIn', amount: 100, reason: 'no currency yet' },
    { op: 'signOn', operator: 'anna' },
    { op: 'openShift', float: [{ currency: 'EUR', amount: 10_000 }], key: 'f' },
    { ...sell, currency: 'EUR' },
    { op: 'paidIn', amount: 2000, reason: 'bank' },
    { op: 'paidOut', amount: 500, reason: 'cleaner' },
    { op: 'approve', operator: 'boss', what: 'the drawer' },
    { op: 'noSale', reason: 'change', approval: 1 },
    { op: 'noSale', reason: 'change', approval: 1 },
    { op: 'cashCount', amount: 12_001 },
    { op: 'shift' },
    { op: 'closeShift' },
    { op: 'openShift', float: 300 },
    { op: 'closeShift' },
    { op: 'training', on: true },
    sell,
    { op: 'receipt', receiptNumber: 1, circle: 'training' },
    { op: 'training', on: false },
    { op: 'reprint', receiptNumber: 1 },
    { op: 'xReport' },
    { op: 'zReport', key: 'z' },
    { op: 'zReport', key: 'z' },
    { op: 'periodClose', kind: 'day' },
    { op: 'periodClose', kind: 'day' },
    { op: 'signOff', operator: 'anna' },
    { op: 'status' },
    { op: 'shift' },
  ])
  t.is(code, 0)
  const report = { number: 1, lastReceipt: 1, noSales: 1, reprints: 1, trainingReceipts: 1 }
  transcript(t, answers, [
    { ok: false, op: 'paidIn', code: 'PK_E_BAD_ARGUMENT', facts: { argument: 'currency' } },
    { ok: true, op: 'signOn', replayed: false },
    { ok: true, op: 'openShift', shift: 1 },
    { ok: true, op: 'sell', receipt: { operator: 'anna', circle: 'sale', change: 500 } },
    { ok: true, op: 'paidIn' },
    { ok: true, op: 'paidOut' },
    { ok: true, op: 'approve', approval: 1 },
    { ok: true, op: 'noSale' },
    { ok: false, op: 'noSale', code: 'PK_E_APPROVAL_USED', facts: { approval: 1 } },
    { ok: true, op: 'cashCount', expected: 12_000, counted: 12_001, overShort: 1 },
    { ok: true, op: 'shift', shift: { shift: 1, owner: 'anna' } },
    { ok: true, op: 'closeShift', shift: 1, drawer: [{ expected: 12_001, sales: 500 }] },
    { ok: true, op: 'openShift', shift: 2 },
    { ok: true, op: 'closeShift', drawer: [{ currency: 'EUR', float: 300, expected: 300 }] },
    { ok: true, op: 'training' },
    { ok: true, op: 'sell', receipt: { circle: 'training', receiptNumber: 1 } },
    { ok: true, op: 'receipt', receipt: { circle: 'training' } },
    { ok: true, op: 'training' },
    { ok: true, op: 'reprint', copy: 1, receipt: { circle: 'sale', receiptNumber: 1 } },
    { ok: true, op: 'xReport', ...report },
    { ok: true, op: 'zReport', ...report, replayed: false },
    { ok: true, op: 'zReport', ...report, replayed: true },
    { ok: true, op: 'periodClose', kind: 'day', number: 1, first: 1, last: 1 },
    { ok: false, op: 'periodClose', code: 'PK_E_NOTHING_TO_CLOSE', facts: { kind: 'day' } },
    { ok: true, op: 'signOff' },
    { ok: true, op: 'status', training: false },
    { ok: true, op: 'shift', shift: null },
  ])
})

test('bad operations about prices name their field', async (t) => {
  const root = tempStore(t)
  const line = { op: 'addLine', sku: 'a', quantity: 1, unitPrice: 1 }
  const { answers } = await script(root, [
    { op: 'begin', store: 'shop', currency: 'EUR' },
    { op: 'setPolicy', currency: 'EUR', prices: 'gros', taxScope: 'perRate', taxRounding: 'up' },
    { op: 'setPolicy', currency: 'EUR', taxScope: 'perRate', taxRounding: 'up' },
    { ...line, taxes: [{ rate: 19, clas: 'A' }] },
    { ...line, taxes: 19 },
    { ...line, discount: { amount: 1, percent: 1, reason: 'r' } },
    { op: 'discountLine', line: 1, reason: 'r' },
    { op: 'discountSale', percent: true, reason: 'r' },
    { op: 'tender', kind: 'gold', amount: 1 },
    { op: 'retract', reason: 'r' },
    { op: 'totals' },
  ])
  const named = answers.slice(1, -1).map(({ code, facts }) => {
    return [code, (facts as { argument?: string }).argument]
  })
  t.deepEqual(named, [
    ['PK_E_BAD_ARGUMENT', 'prices'],
    ['PK_E_BAD_ARGUMENT', 'prices'],
    ['PK_E_BAD_ARGUMENT', 'taxes.0.clas'],
    ['PK_E_BAD_ARGUMENT', 'taxes'],
    ['PK_E_BAD_ARGUMENT', 'discount'],
    ['PK_E_BAD_ARGUMENT', 'discount'],
    ['PK_E_BAD_ARGUMENT', 'percent'],
    ['PK_E_BAD_ARGUMENT', 'kind'],
    ['PK_E_BAD_ARGUMENT', 'number'],
  ])
  t.like(answers.at(-1), { ok: true, gross: 0 })
})

test('a refused operation changes nothing and the script goes on', async (t) => {
  const root = tempStore(t)
  const { code, answers } = await script(root, [
    { op: 'begin', store: 'shop', currency: 'EUR' },
    { op: 'complete' },
    { op: 'addLine', sku: 'a', quantity: 1, unitPrice: 100 },
    { op: 'tender', kind: 'cash', amount: 40 },
    { op: 'complete' },
    { op: 'addLine', sku: 'b', quantity: 1, unitPrice: 1 },
    { op: 'tender', kind: 'cash', amount: 60 },
    { op: 'complete' },
    { op: 'complete' },
    { op: 'receipt', receiptNumber: 9 },
  ])
  t.is(code, 0)
  transcript(t, answers, [
    { ok: true },
    { ok: false, op: 'complete', code: 'PK_E_EMPTY_SALE', facts: { sale: 1 } },
    { ok: true },
    { ok: true, due: 60 },
    { ok: false, op: 'complete', code: 'PK_E_UNDERPAID', facts: { due: 60, gross: 100 } },
    { ok: false, op: 'addLine', code: 'PK_E_TENDER_TAKEN', facts: { tender: 1 } },
    { ok: true, due: 0 },
    { ok: true, receipt: { receiptNumber: 1 } },
    { ok: false, op: 'complete', code: 'PK_E_ALREADY_FINAL', facts: { sale: 1 } },
    { ok: false, op: 'receipt', code: 'PK_E_NOT_FOUND', facts: { receipt: 9 } },
  ])
  for (const { ok, message, facts } of answers) {
    if (ok) continue
    t.is(typeof message, 'string')
    t.is(typeof facts, 'object')
  }
})

test('--strict stops at the first refusal with exit 1', async (t) => {
  const root = tempStore(t)
  const operations = [
    { op: 'begin', store: 'shop', currency: 'EUR' },
    { op: 'complete' },
    { op: 'void', reason: 'never reached' },
  ]
  const { code, answers } = await script(root, operations, '--strict')
  t.is(code, 1)
  t.is(answers.length, 2)
  const { answers: after } = await script(root, [{ op: 'openSales' }])
  t.like(after[0], { sales: [{ sale: 1, recovered: true }] })
})

test('bad lines: each is answered with its number, and nothing is written', async (t) => {
  const root = tempStore(t)
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const rows: readonly (readonly [string, string, object])[] = [
    ['{', 'PK_E_BAD_ARGUMENT', { line: 1 }],
    ['not json', 'PK_E_BAD_ARGUMENT', { line: 2 }],
    ['{"op":"status"} {"op":"status"}', 'PK_E_BAD_ARGUMENT', { line: 3 }],
    ['null', 'PK_E_BAD_ARGUMENT', { line: 4, argument: 'op' }],
    ['7', 'PK_E_BAD_ARGUMENT', { line: 5 }],
    ['"status"', 'PK_E_BAD_ARGUMENT', { line: 6 }],
    ['[]', 'PK_E_BAD_ARGUMENT', { line: 7 }],
    ['{}', 'PK_E_BAD_ARGUMENT', { line: 8 }],
    ['{"op":7}', 'PK_E_BAD_ARGUMENT', { line: 9 }],
    ['{"op":"selll"}', 'PK_E_BAD_ARGUMENT', { line: 10, value: 'selll' }],
    ['{"op":"toString"}', 'PK_E_BAD_ARGUMENT', { line: 11 }],
    ['{"op":"__proto__"}', 'PK_E_BAD_ARGUMENT', { line: 12 }],
    ['{"op":"status","x":1}', 'PK_E_BAD_ARGUMENT', { line: 13, argument: 'x' }],
    ['{"op":"status","__proto__":1}', 'PK_E_BAD_ARGUMENT', { line: 14 }],
    ['{"op":"begin"}', 'PK_E_BAD_ARGUMENT', { line: 15, argument: 'store' }],
    ['{"op":"begin","store":7,"currency":"EUR"}', 'PK_E_BAD_ARGUMENT', { argument: 'store' }],
    ['{"op":"begin","store":"s","currency":null}', 'PK_E_BAD_ARGUMENT', { argument: 'currency' }],
    ['{"op":"begin","store":"s","currency":"EUR","key":null}', 'PK_E_BAD_ARGUMENT', {}],
    ['{"op":"begin","store":"","currency":"EUR"}', 'PK_E_BAD_TEXT', { what: 'store' }],
    ['{"op":"begin","store":"\\u0000","currency":"EUR"}', 'PK_E_BAD_TEXT', {}],
    ['{"op":"begin","store":"\\ud83d","currency":"EUR"}', 'PK_E_BAD_TEXT', {}],
    ['{"op":"begin","store":"s","currency":"ABC"}', 'PK_E_BAD_CURRENCY', { value: 'ABC' }],
    [`{"op":"begin","store":"s","currency":"EUR","key":"${'k'.repeat(65)}"}`, 'PK_E_BAD_KEY', {}],
    ['{"op":"addLine","sku":"a","quantity":1,"unitPrice":1}', 'PK_E_NOT_FOUND', {}],
    ['{"op":"addLine","sale":1,"sku":"a","quantity":1,"unitPrice":1}', 'PK_E_NOT_FOUND', {}],
    ['{"op":"addLine","sku":"a","quantity":true,"unitPrice":1}', 'PK_E_BAD_ARGUMENT', {}],
    ['{"op":"totals","sale":"1"}', 'PK_E_BAD_ARGUMENT', { argument: 'sale' }],
    ['{"op":"totals","sale":1.5}', 'PK_E_BAD_ARGUMENT', { argument: 'sale' }],
    ['{"op":"totals","sale":-1}', 'PK_E_BAD_ARGUMENT', { argument: 'sale' }],
    ['{"op":"totals","sale":1e400}', 'PK_E_BAD_ARGUMENT', { argument: 'sale' }],
    ['{"op":"receipt","receiptNumber":1e20}', 'PK_E_BAD_ARGUMENT', {}],
    ['{"op":"sell","store":"s","currency":"EUR","lines":{},"tenders":[]}', 'PK_E_BAD_ARGUMENT', {}],
    [
      '{"op":"sell","store":"s","currency":"EUR","lines":[{"sku":"a"}],"tenders":[]}',
      'PK_E_BAD_ARGUMENT',
      { argument: 'lines.0.quantity' },
    ],
    [
      '{"op":"sell","store":"s","currency":"EUR","lines":[],"tenders":[{"kind":"gold","amount":1}]}',
      'PK_E_BAD_ARGUMENT',
      { argument: 'tenders.0.kind' },
    ],
    [
      '{"op":"sell","store":"s","currency":"EUR","lines":[{"sku":"a","quantity":0.5,"unitPrice":1}],"tenders":[]}',
      'PK_E_BAD_QUANTITY',
      { value: '0.5' },
    ],
    [
      '{"op":"sell","store":"s","currency":"EUR","lines":[{"sku":"a","quantity":1,"unitPrice":9007199254740993}],"tenders":[]}',
      'PK_E_BAD_PRICE',
      {},
    ],
    [
      '{"op":"sell","store":"s","currency":"EUR","lines":[{"sku":"a","quantity":1,"unitPrice":1}],"tenders":[{"kind":"cash","amount":9007199254740993}]}',
      'PK_E_OVERFLOW',
      { limit: Number.MAX_SAFE_INTEGER },
    ],
    ['{"op":"setClock","wall":"2026-01-01T00:00:00Z"}', 'PK_E_BAD_ARGUMENT', { argument: 'op' }],
    [deep, 'PK_E_BAD_ARGUMENT', {}],
  ]
  const input = rows.map(([line]) => line)
  const { code, stderr, answers } = await script(root, [...input, { op: 'status' }])
  t.is(stderr, '')
  t.is(code, 0)
  t.is(answers.length, rows.length + 1)
  rows.forEach(([line, expected, facts], index) => {
    const answer = answers[index]
    t.like(answer, { ok: false, code: expected }, `${line.slice(0, 80)}: ${answer?.message}`)
    t.like({ ...(answer?.facts as object), any: true }, { ...facts, any: true }, line.slice(0, 80))
  })
  t.like(answers.at(-1), { ok: true, sequence: 2, nextReceipt: 1 }, 'only the opening was written')
})

test('bytes that are no text and lines that are too long are refused, and the next line is read', async (t) => {
  const root = tempStore(t)
  const status = '{"op":"status"}\n'
  const input = Buffer.concat([
    Buffer.from([0xff, 0xfe, 0x0a]),
    Buffer.from(`\r\n  \n${status}`),
    Buffer.from(`{"op":"status","x":"${'x'.repeat(3 << 20)}"}\n`),
    Buffer.from(`\ufeff${status}`),
    Buffer.from('{"op":"status"}'),
  ])
  const { code, stdout } = await posKernel(['script', '-', '--root', root, '--terminal', 'T1'], {
    input,
  })
  t.is(code, 0)
  transcript(t, jsonLines(stdout), [
    { ok: false, code: 'PK_E_BAD_ARGUMENT', facts: { line: 1 } },
    { ok: true, op: 'status' },
    { ok: false, code: 'PK_E_LIMIT', facts: { limit: 1 << 20 } },
    { ok: true, op: 'status' },
    { ok: true, op: 'status' },
  ])
})

test('a script of bad lines alone makes no store', async (t) => {
  const root = path.join(tempStore(t), 'store')
  const { code, answers } = await script(root, ['{', '{"op":"nothing"}'])
  t.is(code, 0)
  t.is(answers.length, 2)
  t.false(existsSync(root))
  const empty = await script(root, [])
  t.is(empty.code, 0)
  t.is(empty.stdout, '')
  t.false(existsSync(root))
})

test('with several sales open, an operation has to say which', async (t) => {
  const root = tempStore(t)
  const { answers } = await script(root, [
    { op: 'begin', store: 'shop', currency: 'EUR' },
    { op: 'begin', store: 'shop', currency: 'USD' },
    { op: 'totals' },
    { op: 'void', sale: 1, reason: 'x' },
    { op: 'void', reason: 'y' },
    { op: 'totals' },
    { op: 'close' },
    { op: 'close', sale: 1 },
  ])
  transcript(t, answers, [
    { ok: true, sale: 1 },
    { ok: true, sale: 2 },
    { ok: false, code: 'PK_E_BAD_ARGUMENT', facts: { argument: 'sale' } },
    { ok: true, sale: 1 },
    { ok: true, sale: 2 },
    { ok: true, state: 'voided' },
    { ok: true, sale: 2 },
    { ok: true, sale: 1 },
  ])
})

test('a script reads a file, and a second run with the same keys doubles nothing', async (t) => {
  const root = tempStore(t)
  const file = path.join(root, 'script.jsonl')
  const cart = {
    op: 'sell',
    store: 'shop',
    currency: 'EUR',
    lines: [{ sku: 'a', quantity: 1, unitPrice: 100 }],
    tenders: [{ kind: 'cash', amount: 100 }],
    key: 'order-1',
  }
  writeFileSync(file, `${JSON.stringify(cart)}\n`)
  const run = () => posKernel(['script', file, '--root', root, '--terminal', 'T1'])
  const [first] = jsonLines((await run()).stdout)
  const [second] = jsonLines((await run()).stdout)
  t.like(first, { ok: true, replayed: false })
  t.deepEqual(second, { ...first, replayed: true })
})

test('a retried completion gets its receipt after a restart, by number alone', async (t) => {
  const root = tempStore(t)
  const { answers } = await script(root, [
    { op: 'begin', store: 'shop', currency: 'EUR' },
    { op: 'addLine', sku: 'a', quantity: 1, unitPrice: 0 },
    { op: 'complete', key: 'c' },
  ])
  const again = await script(root, [{ op: 'complete', sale: 1, key: 'c' }])
  t.deepEqual(again.answers[0], { ...answers[2], replayed: true })
})

test('--durability and --test-clock', async (t) => {
  const root = tempStore(t)
  const operations = [
    { op: 'setClock', wall: '2031-05-06T07:08:09.000Z' },
    { op: 'status' },
    { op: 'setClock', wall: 'yesterday' },
    { op: 'begin', store: 'shop', currency: 'EUR' },
    { op: 'addLine', sku: 'a', quantity: 1, unitPrice: 0 },
    { op: 'setClock', wall: '2031-05-07T00:00:00.000Z' },
    { op: 'complete' },
  ]
  const { code, answers } = await script(root, operations, '--test-clock', '--durability', 'sale')
  t.is(code, 0)
  transcript(t, answers, [
    { ok: true, wall: '2031-05-06T07:08:09.000Z' },
    { ok: true, durability: 'sale' },
    { ok: false, code: 'PK_E_BAD_ARGUMENT', facts: { argument: 'wall' } },
    { ok: true },
    { ok: true },
    { ok: true },
    { ok: true, op: 'complete' },
  ])
  const receipt = answers[6]?.receipt as { at: string; beganAt: string } | undefined
  t.regex(receipt?.beganAt ?? '', /^2031-05-06T07:08:09/)
  t.regex(receipt?.at ?? '', /^2031-05-07T00:00:00/)
})

test('a terminal in use is refused with its owner, and not one byte is written', async (t) => {
  const root = tempStore(t)
  const owner = startProgram('hold.mjs', [root])
  await new Promise((resolve) => owner.stdout?.once('data', resolve))
  await ownerIdle(root, 'T1')
  // A stopped process keeps its lock and writes nothing: whatever changes now, the refused one did.
  owner.kill('SIGSTOP')
  const before = digestOf(root)
  const { code, answers } = await script(root, [
    { op: 'begin', store: 'shop', currency: 'EUR' },
    { op: 'status' },
  ])
  t.is(code, 1)
  transcript(t, answers, [
    {
      ok: false,
      op: 'begin',
      code: 'PK_E_TERMINAL_IN_USE',
      facts: { terminal: 'T1', owner: { pid: owner.pid, released: false } },
    },
  ])
  t.is(digestOf(root), before)
  owner.kill('SIGCONT')
  t.is((await ended(owner)).code, 0)
  const after = await script(root, [{ op: 'status' }])
  t.like(after.answers[0], { ok: true, epoch: 2, nextReceipt: 2 })
})

test('terminal ids that are none end the script with exit 2', async (t) => {
  const root = tempStore(t)
  for (const id of ['../x', '', 'a b', 'x'.repeat(33)]) {
    const { code, stdout } = await posKernel(['script', '-', '--root', root, '--terminal', id], {
      input: '{"op":"status"}\n{"op":"status"}\n',
    })
    t.is(code, 2, id)
    t.like(jsonLines(stdout), { length: 1, 0: { ok: false, code: 'PK_E_BAD_ID' } })
  }
  t.deepEqual(existsSync(path.join(root, 'terminals')), false)
})

/** One hash of the names and bytes of everything below a folder. */
function digestOf(folder: string): string {
  const hash = createHash('sha256')
  for (const name of (readdirSync(folder, { recursive: true }) as string[]).sort()) {
    const file = path.join(folder, name)
    hash.update(name)
    if (statSync(file).isFile()) hash.update(readFileSync(file))
  }
  return hash.digest('hex')
}

test('rules are set from texts, files and objects, and refuse by name', async (t) => {
  const root = tempStore(t)
  const examples = path.join(import.meta.dirname, '../../examples/rules')
  const file = path.join(examples, 'age-limits.csv')
  const table = JSON.parse(readFileSync(path.join(examples, 'tender-limits.json'), 'utf8'))
  const text = readFileSync(path.join(examples, 'approvals.csv'), 'utf8')
  const wine = { op: 'addLine', sku: 'wine', quantity: 1, unitPrice: 799, class: 'wine' }
  const meal = { op: 'tender', kind: 'voucher', amount: 799 }
  const { code, answers } = await script(root, [
    { op: 'rules' },
    { op: 'setRules', tables: [{ file }, table, text] },
    { op: 'rules' },
    { op: 'begin', store: 'shop', currency: 'EUR' },
    { ...wine, attributes: { ageChecked: true, buyerAge: 15 } },
    { ...wine, attributes: { ageChecked: true, buyerAge: 30, abv: '12.5' } },
    { ...wine, quantity: 100, attributes: { ageChecked: true, buyerAge: 30 } },
    { op: 'approve', operator: 'boss', what: 'bulk' },
    { ...wine, sku: 'corks', class: 'cork', quantity: 100, unitPrice: 0, approval: 1 },
    { ...meal, attributes: { voucher: 'meal', basket: ['alcohol'] } },
    { ...meal, attributes: { voucher: 'meal', basket: ['food'] } },
    { op: 'complete' },
    { op: 'setRules', tables: [{ file: 'nowhere.csv' }] },
    { op: 'setRules', tables: [{ rows: [] }] },
    { op: 'setRules', tables: [{ file, sheet: 1 }] },
    { op: 'setRules', tables: [] },
  ])
  t.is(code, 0)
  const hash = answers[1]?.hash
  transcript(t, answers, [
    { ok: true, rules: null },
    { ok: true, op: 'setRules' },
    { ok: true, rules: { hash } },
    { ok: true },
    { ok: false, code: 'PK_E_RULE_REFUSED', facts: { rule: 'beer-wine-16' } },
    { ok: true, line: 1 },
    { ok: false, code: 'PK_E_APPROVAL_REQUIRED', facts: { rule: 'bulk' } },
    { ok: true, approval: 1 },
    { ok: true, line: 2 },
    { ok: false, code: 'PK_E_RULE_REFUSED', facts: { rule: 'meal-no-food' } },
    { ok: true, due: 0 },
    { ok: true, receipt: { receiptNumber: 1 } },
    { ok: false, code: 'PK_E_BAD_ARGUMENT', facts: { argument: 'file' } },
    { ok: false, code: 'PK_E_BAD_RULES' },
    { ok: false, code: 'PK_E_BAD_ARGUMENT', facts: { argument: 'tables.0.sheet' } },
    { ok: true, op: 'setRules' },
  ])
})
