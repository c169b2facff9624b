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
