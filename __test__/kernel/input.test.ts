/**
 * Bad input: every malformed argument gets a typed error with a code and facts, nothing is written,
 * and the terminal goes on. The table is one row a case; each is tried on the promise and on its
 * twin.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import {
  type ErrorCode,
  inspectJournal,
  isPosError,
  listSales,
  listTerminals,
  openTerminal,
  openTerminalSync,
  type PosError,
  type Sale,
  type Terminal,
  verifyStore,
} from '../../ts/index.js'
import { coffees, refusal, tempStore, terminalFor } from '../support/store.js'

/** A call with arguments that its types forbid. */
type Row = readonly [what: string, args: readonly unknown[], code: ErrorCode]

const long = (bytes: number) => 'x'.repeat(bytes)
const lone = 'half \ud83d'
const shop = { store: 'shop', currency: 'EUR' }
const line = { sku: 'a', quantity: 1, unitPrice: 100 }
const cash = { kind: 'cash', amount: 100 }
const why = { reason: 'why' }

/** Texts that are no texts, or not between 1 and `limit` bytes of printable characters. */
const badTexts = (limit: number): readonly (readonly [string, unknown, ErrorCode])[] => [
  ['missing', undefined, 'PK_E_BAD_ARGUMENT'],
  ['null', null, 'PK_E_BAD_ARGUMENT'],
  ['a number', 7, 'PK_E_BAD_ARGUMENT'],
  ['an object', {}, 'PK_E_BAD_ARGUMENT'],
  ['empty', '', 'PK_E_BAD_TEXT'],
  ['too long', long(limit + 1), 'PK_E_BAD_TEXT'],
  ['too long in bytes', 'ü'.repeat(limit / 2 + 1), 'PK_E_BAD_TEXT'],
  ['with a tab', 'a\tb', 'PK_E_BAD_TEXT'],
  ['with a line feed', 'a\nb', 'PK_E_BAD_TEXT'],
  ['with a NUL', 'a\0b', 'PK_E_BAD_TEXT'],
  ['with a delete', 'a\x7fb', 'PK_E_BAD_TEXT'],
  ['half a character', lone, 'PK_E_BAD_TEXT'],
]

const badDecimals = (code: ErrorCode): readonly (readonly [string, unknown, ErrorCode])[] => [
  ['missing', undefined, 'PK_E_BAD_ARGUMENT'],
  ['null', null, 'PK_E_BAD_ARGUMENT'],
  ['a bigint', 1n, 'PK_E_BAD_ARGUMENT'],
  ['an object', {}, 'PK_E_BAD_ARGUMENT'],
  ['a fraction', 0.5, code],
  ['NaN', Number.NaN, code],
  ['infinite', Number.POSITIVE_INFINITY, code],
  ['not safe', 2 ** 53, code],
  ...['', '-', '.5', '1.', '+1', '1e3', ' 1', '1,5', '0x1', '1.0000001', long(50), '1\n2', '١'].map(
    (text) => [`the text ${JSON.stringify(text).slice(0, 20)}`, text, code] as const,
  ),
]

const badAmounts: readonly (readonly [string, unknown, ErrorCode])[] = [
  ['missing', undefined, 'PK_E_BAD_ARGUMENT'],
  ['a text', '100', 'PK_E_BAD_ARGUMENT'],
  ['a bigint', 100n, 'PK_E_BAD_ARGUMENT'],
  ['zero', 0, 'PK_E_BAD_AMOUNT'],
  ['negative', -100, 'PK_E_BAD_AMOUNT'],
  ['a fraction', 12.34, 'PK_E_BAD_AMOUNT'],
  ['NaN', Number.NaN, 'PK_E_BAD_AMOUNT'],
  ['infinite', Number.POSITIVE_INFINITY, 'PK_E_BAD_AMOUNT'],
  ['not safe', 2 ** 53, 'PK_E_OVERFLOW'],
  ['negative and not safe', -(2 ** 60), 'PK_E_OVERFLOW'],
]

const badCurrencies: readonly (readonly [string, unknown, ErrorCode])[] = [
  ['missing', undefined, 'PK_E_BAD_ARGUMENT'],
  ['a number', 978, 'PK_E_BAD_ARGUMENT'],
  ...['', 'eur', 'EURO', 'XXX', '€', 'EU', 'EUR '].map(
    (text) => [`"${text}"`, text, 'PK_E_BAD_CURRENCY'] as const,
  ),
]

const badKeys: readonly (readonly [string, unknown, ErrorCode])[] = [
  ['null', null, 'PK_E_BAD_ARGUMENT'],
  ['a number', 1, 'PK_E_BAD_ARGUMENT'],
  ['empty', '', 'PK_E_BAD_KEY'],
  ['too long', long(65), 'PK_E_BAD_KEY'],
  ['with a control character', 'a\x1bb', 'PK_E_BAD_KEY'],
]

const badNumbers: readonly (readonly [string, unknown, ErrorCode])[] = [
  ['missing', undefined, 'PK_E_BAD_ARGUMENT'],
  ['a text', '1', 'PK_E_BAD_ARGUMENT'],
  ['negative', -1, 'PK_E_BAD_ARGUMENT'],
  ['a fraction', 1.5, 'PK_E_BAD_ARGUMENT'],
  ['not safe', 2 ** 60, 'PK_E_BAD_ARGUMENT'],
  ['beyond 32 bits', 2 ** 40, 'PK_E_BAD_ARGUMENT'],
  ['zero', 0, 'PK_E_NOT_FOUND'],
  ['unknown', 99, 'PK_E_NOT_FOUND'],
]

const badObjects: readonly (readonly [string, unknown, ErrorCode])[] = [
  ['missing', undefined, 'PK_E_BAD_ARGUMENT'],
  ['null', null, 'PK_E_BAD_ARGUMENT'],
  ['a text', 'x', 'PK_E_BAD_ARGUMENT'],
  ['an array', [], 'PK_E_BAD_ARGUMENT'],
]

/** One row for each bad value, with the arguments that it makes. */
function rows(
  field: string,
  values: readonly (readonly [string, unknown, ErrorCode])[],
  argumentsOf: (value: unknown) => readonly unknown[],
): Row[] {
  return values.map(([what, value, code]) => [`${field}: ${what}`, argumentsOf(value), code])
}

/** Values that may be left out, and so are not refused when they are missing. */
function given<T extends readonly [string, unknown, ErrorCode]>(values: readonly T[]) {
  return values.filter(([what]) => what !== 'missing')
}

const reasons = [
  ...rows('options', badObjects, (value) => [1, value]),
  ...rows('reason', badTexts(256), (reason) => [1, { reason }]),
  ...rows('key', badKeys, (key) => [1, { ...why, key }]),
  ['a misspelt option', [1, { reasn: 'x' }], 'PK_E_BAD_ARGUMENT'],
] as const satisfies Row[]

const saleTable: Record<string, readonly Row[]> = {
  addLine: [
    ...rows('line', badObjects, (value) => [value]),
    ...rows('sku', badTexts(64), (sku) => [{ ...line, sku }]),
    ...rows('text', given(badTexts(256)), (text) => [{ ...line, text }]),
    ...rows('quantity', badDecimals('PK_E_BAD_QUANTITY'), (quantity) => [{ ...line, quantity }]),
    ...rows('unitPrice', badDecimals('PK_E_BAD_PRICE'), (unitPrice) => [{ ...line, unitPrice }]),
    ...rows('key', badKeys, (key) => [line, { key }]),
    ['quantity: zero', [{ ...line, quantity: 0 }], 'PK_E_BAD_QUANTITY'],
    ['quantity: zero as a text', [{ ...line, quantity: '0.00' }], 'PK_E_BAD_QUANTITY'],
    ['unitPrice: negative', [{ ...line, unitPrice: -1 }], 'PK_E_BAD_PRICE'],
    ['amount: too large', [{ ...line, quantity: 2 ** 30, unitPrice: 2 ** 30 }], 'PK_E_OVERFLOW'],
    ['a misspelt field', [{ ...line, qantity: 1 }], 'PK_E_BAD_ARGUMENT'],
    ['a misspelt option', [line, { kee: 'k' }], 'PK_E_BAD_ARGUMENT'],
    ['the key in the wrong place', [{ ...line, key: 'k' }], 'PK_E_BAD_ARGUMENT'],
  ],
  setQuantity: [
    ...rows('line', badNumbers, (value) => [value, 1, why]),
    ...rows('quantity', badDecimals('PK_E_BAD_QUANTITY'), (value) => [1, value, why]),
    ...reasons.map(([what, [, options], code]): Row => [what, [1, 1, options], code]),
  ],
  voidLine: [
    ...rows('line', badNumbers, (value) => [value, why]),
    ...reasons,
    ['linked: a text', [1, { ...why, linked: 'yes' }], 'PK_E_BAD_ARGUMENT'],
  ],
  tender: [
    ...rows('tender', badObjects, (value) => [value]),
    ...rows('amount', badAmounts, (amount) => [{ ...cash, amount }]),
    ...rows('reference', given(badTexts(64)), (reference) => [{ ...cash, reference }]),
    ...rows('key', badKeys, (key) => [{ ...cash, key }]),
    ['kind: missing', [{ amount: 100 }], 'PK_E_BAD_ARGUMENT'],
    ['kind: unknown', [{ kind: 'gold', amount: 100 }], 'PK_E_BAD_ARGUMENT'],
    ['pending: a text', [{ ...cash, pending: 'yes' }], 'PK_E_BAD_ARGUMENT'],
    ['a misspelt field', [{ ...cash, ammount: 1 }], 'PK_E_BAD_ARGUMENT'],
  ],
  confirmTender: [
    ...rows('tender', badNumbers, (value) => [value, {}]),
    ...rows('options', given(badObjects), (value) => [1, value]),
    ...rows('auth', given(badTexts(64)), (auth) => [1, { auth }]),
    ...rows('key', badKeys, (key) => [1, { key }]),
  ],
  declineTender: [...rows('tender', badNumbers, (value) => [value, why]), ...reasons],
  voidTender: [...rows('tender', badNumbers, (value) => [value, why]), ...reasons],
  complete: [
    ...rows('options', given(badObjects), (value) => [value]),
    ...rows('key', badKeys, (key) => [{ key }]),
  ],
  void: reasons.map(([what, [, options], code]): Row => [what, [options], code]),
}

const terminalTable: Record<string, readonly Row[]> = {
  begin: [
    ...rows('input', badObjects, (value) => [value]),
    ...rows('store', badTexts(64), (store) => [{ ...shop, store }]),
    ...rows('currency', badCurrencies, (currency) => [{ ...shop, currency }]),
    ...rows('reference', given(badTexts(64)), (reference) => [{ ...shop, reference }]),
    ...rows('key', badKeys, (key) => [{ ...shop, key }]),
    ['a misspelt field', [{ ...shop, stor: 'x' }], 'PK_E_BAD_ARGUMENT'],
  ],
  sell: [
    ...rows('cart', badObjects, (value) => [value]),
    ...rows('store', badTexts(64), (store) => [{ ...coffees, store }]),
    ...rows('currency', badCurrencies, (currency) => [{ ...coffees, currency }]),
    ...rows('reference', given(badTexts(64)), (reference) => [{ ...coffees, reference }]),
    ...rows('key', badKeys, (key) => [{ ...coffees, key }]),
    ...rows('lines', badObjects.slice(0, 3), (lines) => [{ ...coffees, lines }]),
    ...rows('a line', badObjects, (value) => [{ ...coffees, lines: [value] }]),
    ...rows('sku', badTexts(64), (sku) => [{ ...coffees, lines: [{ ...line, sku }] }]),
    ...rows('text', given(badTexts(256)), (text) => [{ ...coffees, lines: [{ ...line, text }] }]),
    ...rows('quantity', badDecimals('PK_E_BAD_QUANTITY'), (quantity) => [
      { ...coffees, lines: [{ ...line, quantity }] },
    ]),
    ...rows('unitPrice', badDecimals('PK_E_BAD_PRICE'), (unitPrice) => [
      { ...coffees, lines: [{ ...line, unitPrice }] },
    ]),
    ...rows('tenders', badObjects.slice(0, 3), (tenders) => [{ ...coffees, tenders }]),
    ...rows('a tender', badObjects, (value) => [{ ...coffees, tenders: [value] }]),
    ...rows('amount', badAmounts, (amount) => [{ ...coffees, tenders: [{ ...cash, amount }] }]),
    ...rows('tender reference', given(badTexts(64)), (reference) => [
      { ...coffees, tenders: [{ ...cash, reference }] },
    ]),
    ['kind', [{ ...coffees, tenders: [{ kind: 'gold', amount: 1 }] }], 'PK_E_BAD_ARGUMENT'],
    ['a misspelt field', [{ ...coffees, line: [] }], 'PK_E_BAD_ARGUMENT'],
  ],
  receipt: [
    ...rows('receiptNumber', badNumbers.slice(0, 5), (value) => [value]),
    ['receiptNumber: unknown', [99], 'PK_E_NOT_FOUND'],
  ],
}

async function tryTable(
  t: Parameters<typeof refusal>[0],
  terminal: Terminal,
  target: Sale | Terminal,
  table: Record<string, readonly Row[]>,
): Promise<number> {
  const methods = target as unknown as Record<string, (...args: readonly unknown[]) => unknown>
  const before = terminal.status().sequence
  let count = 0
  for (const [method, cases] of Object.entries(table)) {
    for (const [what, args, code] of cases) {
      for (const name of [method, `${method}Sync`]) {
        const error = await errorOf(() => methods[name]?.(...args))
        if (error === undefined || !isPosError(error)) {
          t.fail(`${name}, ${what}: gave ${String(error)} instead of ${code}`)
          continue
        }
        t.is(error.code, code, `${name}, ${what}: ${error.message}`)
        t.true(Object.keys(error.facts).length > 0, `${name}, ${what}: no facts`)
        count += 1
      }
    }
  }
  t.is(terminal.status().sequence, before, 'nothing was written')
  return count
}

async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
    return undefined
  } catch (error) {
    return error
  }
}

test('every malformed argument of a sale is refused by name, and the sale goes on', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin({ store: 'shop', currency: 'EUR' })
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 100 })
  const count = await tryTable(t, terminal, sale, saleTable)
  t.log(`${count} calls refused`)
  await sale.tender({ kind: 'cash', amount: 100 })
  t.is((await sale.complete()).receiptNumber, 1)
})

test('every malformed argument of a terminal is refused by name, and the terminal goes on', async (t) => {
  const terminal = await terminalFor(t)
  const count = await tryTable(t, terminal, terminal, terminalTable)
  t.log(`${count} calls refused`)
  t.is((await terminal.sell(coffees)).receiptNumber, 1)
})

test('a promise is never thrown: a refusal is always a rejection', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin({ store: 'shop', currency: 'EUR' })
  const bad = undefined as never
  const promises = [
    terminal.begin(bad),
    terminal.sell(bad),
    terminal.receipt(bad),
    sale.addLine(bad),
    sale.setQuantity(bad, bad, bad),
    sale.voidLine(bad, bad),
    sale.tender(bad),
    sale.confirmTender(bad),
    sale.declineTender(bad, bad),
    sale.voidTender(bad, bad),
    sale.complete(null as never),
    sale.void(bad),
    openTerminal(null as never),
    verifyStore(null as never),
    listSales(bad, bad),
  ]
  for (const outcome of await Promise.allSettled(promises)) {
    t.is(outcome.status, 'rejected')
    if (outcome.status === 'rejected') t.true(isPosError(outcome.reason, 'PK_E_BAD_ARGUMENT'))
  }
})

test('a misspelt option is named, with the one that was meant', async (t) => {
  const root = tempStore(t)
  const options = { root, id: 'T1', durabilty: 'sale' } as object
  const error = await refusal(t, () => openTerminal(options), 'PK_E_BAD_ARGUMENT')
  t.is(error.message, 'options has no option "durabilty"; did you mean "durability"?')
  t.deepEqual(error.facts, {
    argument: 'durabilty',
    allowed: [
      'root',
      'id',
      'durability',
      'segmentBytes',
      'create',
      'signing',
      'archive',
      'attendance',
    ],
  })
  const far = await refusal(
    t,
    () => openTerminal({ root, colour: 'red' } as object),
    'PK_E_BAD_ARGUMENT',
  )
  t.regex(far.message, /it has "root", "id", "durability"/)
})

test('malformed options, ids and paths open nothing', async (t) => {
  const root = tempStore(t)
  const file = path.join(root, 'a-file')
  writeFileSync(file, 'not a folder')
  const cases: readonly (readonly [object | null | string, ErrorCode])[] = [
    [null, 'PK_E_BAD_ARGUMENT'],
    ['options', 'PK_E_BAD_ARGUMENT'],
    [{ root, id: 7 }, 'PK_E_BAD_ARGUMENT'],
    [{ root: 7, id: 'T1' }, 'PK_E_BAD_ARGUMENT'],
    [{ root: '', id: 'T1' }, 'PK_E_BAD_ARGUMENT'],
    [{ root: file, id: 'T1' }, 'PK_E_IO'],
    [{ root: `${root}/a\0b`, id: 'T1' }, 'PK_E_IO'],
    [{ root: `${root}/${long(300)}`, id: 'T1' }, 'PK_E_IO'],
    ...['', '.', '..', '../x', 'a/b', 'a\\b', 'a b', 'ä', 'a\0', long(33), 'T1\n'].map(
      (id) => [{ root, id }, 'PK_E_BAD_ID'] as const,
    ),
    [{ root }, 'PK_E_BAD_ID'],
    [{ root, id: 'T1', durability: 'always' }, 'PK_E_BAD_ARGUMENT'],
    [{ root, id: 'T1', durability: 1 }, 'PK_E_BAD_ARGUMENT'],
    [{ root, id: 'T1', create: 'yes' }, 'PK_E_BAD_ARGUMENT'],
    [{ root, id: 'T1', segmentBytes: '65536' }, 'PK_E_BAD_ARGUMENT'],
    [{ root, id: 'T1', segmentBytes: 65_537 }, 'PK_E_BAD_ARGUMENT'],
    [{ root, id: 'T1', segmentBytes: 4096 }, 'PK_E_BAD_ARGUMENT'],
    [{ root, id: 'T1', segmentBytes: -65_536 }, 'PK_E_BAD_ARGUMENT'],
    [{ root, id: 'T1', segmentBytes: 2 ** 31 }, 'PK_E_BAD_ARGUMENT'],
    [{ root, id: 'T1', segmentBytes: 1.5 }, 'PK_E_BAD_ARGUMENT'],
  ]
  for (const [options, code] of cases) {
    for (const open of [openTerminal, openTerminalSync]) {
      const error = (await errorOf(() => open(options as never))) as PosError
      t.is(error?.code, code, `${JSON.stringify(options)}: ${error?.message}`)
    }
  }
  t.deepEqual(listTerminals(path.join(root, 'nowhere')), [])
})

test('a configuration that cannot be read is refused with its path', async (t) => {
  const root = tempStore(t)
  const file = path.join(root, 'local_config.json')
  for (const text of ['{', '[]', 'null', '{"terminalId":7}', '{"terminal":"T1"}', '\xff\xfe']) {
    writeFileSync(file, text, 'latin1')
    const error = await refusal(t, () => openTerminal({ root }), 'PK_E_BAD_CONFIG')
    t.is(error.facts.path, file)
  }
  writeFileSync(file, '{"terminalId":"../escape"}')
  await refusal(t, () => openTerminal({ root }), 'PK_E_BAD_ID')
  const folder = path.join(root, 'terminals/T1')
  mkdirSync(folder, { recursive: true })
  for (const text of ['{"durability":"often"}', '{"segmentBytes":-1}', '{"segmentBytes":"big"}']) {
    writeFileSync(path.join(folder, 'local_config.json'), text)
    await refusal(t, () => openTerminal({ root, id: 'T1' }), 'PK_E_BAD_CONFIG')
  }
})

test('malformed questions about a journal are refused', async (t) => {
  const root = tempStore(t)
  await (await openTerminal({ root, id: 'T1' })).close()
  const anchor = long(64)
  const cases: readonly (readonly [() => unknown, ErrorCode])[] = [
    [() => verifyStore({ root, terminal: '../T1' }), 'PK_E_BAD_ID'],
    [() => verifyStore({ root, terminal: 'T2' }), 'PK_E_NOT_FOUND'],
    [() => verifyStore({ root: path.join(root, 'nowhere') }), 'PK_E_IO'],
    [() => verifyStore({ root, anchor }), 'PK_E_BAD_ARGUMENT'],
    [() => verifyStore({ root, anchor: '' }), 'PK_E_BAD_ARGUMENT'],
    [() => verifyStore({ root, anker: anchor } as object), 'PK_E_BAD_ARGUMENT'],
    [() => verifyStore({ root, onProgress: 'tell me' } as object), 'PK_E_BAD_ARGUMENT'],
    [() => listSales(root, '..'), 'PK_E_BAD_ID'],
    [() => listSales(root, 'T2'), 'PK_E_NOT_FOUND'],
    [() => listTerminals(7 as never), 'PK_E_BAD_ARGUMENT'],
    [() => listTerminals(''), 'PK_E_BAD_ARGUMENT'],
    [() => inspectJournal({ root, terminal: '..' }).next(), 'PK_E_BAD_ID'],
    [() => inspectJournal({ root, terminal: 'T2' }).next(), 'PK_E_NOT_FOUND'],
    [() => inspectJournal({ root } as never).next(), 'PK_E_BAD_ARGUMENT'],
    [() => inspectJournal({ root, terminal: 'T1', from: -1 }).next(), 'PK_E_BAD_ARGUMENT'],
    [
      () => inspectJournal({ root, terminal: 'T1', follow: 'yes' } as never).next(),
      'PK_E_BAD_ARGUMENT',
    ],
  ]
  for (const [call, code] of cases) await refusal(t, call, code)
})
