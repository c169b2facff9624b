import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import fc from 'fast-check'
import { decimalText, inSmallerUnit, multiply, parseDecimal } from '../ts/cli/replay/decimal.js'
import { readInvoices } from '../ts/cli/replay/file.js'
import type { Invoices } from '../ts/cli/replay/invoice.js'
import { isPosError } from '../ts/kernel/errors.js'

const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'
const bundled = fileURLToPath(new URL('../examples/data/sales.csv.gz', import.meta.url))

let folder = ''
let files = 0

test.before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'pos-kernel-invoice-'))
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

async function fileOf(content: string | Buffer): Promise<string> {
  files += 1
  const file = path.join(folder, `${files}.csv`)
  await writeFile(file, content)
  return file
}

async function read(...rows: string[]): Promise<Invoices> {
  return readInvoices(await fileOf(`${[header, ...rows].join('\n')}\n`))
}

function row(invoice: string, quantity: string, price: string, more: Record<string, string> = {}) {
  const { sku = '85123A', text = 'HANGING HEART', date = '2010-12-01 08:26:00' } = more
  return [invoice, sku, text, quantity, date, price, '17850.0', 'United Kingdom'].join(',')
}

function pence(pounds: string): string | undefined {
  const value = parseDecimal(pounds)
  return value && decimalText(inSmallerUnit(value, 2))
}

test('prices in pounds become exact decimals in pence', (t) => {
  t.is(pence('2.55'), '255')
  t.is(pence('0.001'), '0.1')
  t.is(pence('1.5'), '150')
  t.is(pence('12'), '1200')
  t.is(pence('0.0'), '0')
  t.is(pence('2.5500'), '255')
  t.is(pence('-11062.06'), '-1106206')
  t.is(pence('0.12345678'), '12.345678')
})

test('what is not a plain decimal is not read', (t) => {
  for (const text of ['', '-', '.5', '1.', '+1', '1e3', ' 1', '1 ', '1,5', '0x1', 'NaN', '٣']) {
    t.is(parseDecimal(text), undefined, JSON.stringify(text))
  }
  t.is(parseDecimal('9'.repeat(41)), undefined)
})

test('a decimal that is printed is read back', (t) => {
  const decimal = fc.record({ mantissa: fc.bigInt(-(10n ** 15n), 10n ** 15n), scale: fc.nat(6) })
  fc.assert(
    fc.property(decimal, ({ mantissa, scale }) => {
      const value = parseDecimal(decimalText({ mantissa, scale }))
      return (
        value !== undefined &&
        value.mantissa * 10n ** BigInt(scale) === mantissa * 10n ** BigInt(value.scale)
      )
    }),
  )
  t.pass()
})

test('a product rounds half away from zero, as the lines of the kernel do', (t) => {
  const product = (quantity: string, price: string) => {
    const [a, b] = [parseDecimal(quantity), parseDecimal(price)]
    return a && b && multiply(a, b)
  }
  t.is(product('6', '255'), 1530n)
  t.is(product('1', '2.5'), 3n)
  t.is(product('-1', '2.5'), -3n)
  t.is(product('1', '2.4'), 2n)
  t.is(product('-1', '0.1'), 0n)
  t.is(product('0.5', '0.5'), 0n)
})

test('lines of one invoice are gathered wherever they stand', async (t) => {
  const { invoices, skipped, adjusted } = await read(
    row('536365', '6', '2.55'),
    row('C536379', '-1', '27.50'),
    row('536365', '8', '3.39', { text: '' }),
    row('A563185', '1', '11062.06', { sku: 'B' }),
  )
  t.deepEqual(skipped, [])
  t.deepEqual(adjusted, [])
  t.deepEqual(
    invoices.map(({ number, kind, gross }) => ({ number, kind, gross })),
    [
      { number: '536365', kind: 'sale', gross: 4242 },
      { number: 'C536379', kind: 'return', gross: -2750 },
      { number: 'A563185', kind: 'adjustment', gross: 1106206 },
    ],
  )
  t.deepEqual(invoices[0]?.lines, [
    { sku: '85123A', text: 'HANGING HEART', quantity: '6', unitPrice: '255' },
    { sku: '85123A', quantity: '8', unitPrice: '339' },
  ])
})

test('a negative price becomes a negative quantity, and is said', async (t) => {
  const { invoices, adjusted } = await read(row('A563186', '1', '-11062.06'))
  t.deepEqual(invoices[0]?.lines[0], {
    sku: '85123A',
    text: 'HANGING HEART',
    quantity: '-1',
    unitPrice: '1106206',
  })
  t.is(invoices[0]?.gross, -1106206)
  t.deepEqual(adjusted, [
    {
      invoice: 'A563186',
      reason: 'row 2: quantity 1 at a negative price was rung up as quantity -1 at 1106206 pence',
    },
  ])
})

test('a bad row takes its invoice out and names row and column; the rest goes on', async (t) => {
  const { invoices, skipped } = await read(
    row('1', '1', '1.00'),
    row('2', 'six', '1.00'),
    row('2', '1', '1.00'),
    row('3', '1', '1,00'),
    row('4', '1', '1.00', { date: '2010-02-30 08:26:00' }),
    row('5', '1', '1.00', { text: 'x'.repeat(257) }),
    row('6', '1', '1.00', { sku: '' }),
    row('7', '0', '1.00'),
    row('X8', '1', '1.00'),
    row('9', '1', '1.123456789'),
    row('10', '1', '1.00', { text: 'bell\u{7}' }),
    row('11', '9007199254740993', '1.00'),
    '12,too,few',
    row('13', '1', '1.00'),
  )
  t.deepEqual(
    invoices.map(({ number }) => number),
    ['1', '13'],
  )
  t.deepEqual(skipped, [
    { invoice: '2', reason: 'row 3, Quantity: "six" is not a decimal number' },
    { invoice: '3', reason: 'row 5 has 9 columns, the header has 8' },
    { invoice: '4', reason: 'row 6, InvoiceDate: "2010-02-30 08:26:00" is not a date and time' },
    { invoice: '5', reason: 'row 7, Description: it has 257 bytes, over the limit of 256' },
    { invoice: '6', reason: 'row 8, StockCode: it is empty' },
    { invoice: '7', reason: 'row 9, Quantity: it is zero' },
    {
      invoice: 'X8',
      reason:
        'row 10, InvoiceNo: "X8" is not an invoice number (digits, C and digits, or A and digits)',
    },
    { invoice: '9', reason: 'row 11, UnitPrice: "1.123456789" has more than 8 decimal places' },
    { invoice: '10', reason: 'row 12, Description: it holds a control character' },
    {
      invoice: '11',
      reason: 'its lines come to 900719925474099300 pence, which is not a safe integer',
    },
    { invoice: '12', reason: 'row 14 has 3 columns, the header has 8' },
  ])
})

test('rows are counted as lines of the file, whatever stands between them', async (t) => {
  const { invoices, skipped } = await read(
    row('1', '1', '1.00'),
    '',
    row('2', '1', '1.00', { text: '"two\nlines"' }),
    '',
    row('3', 'x', '1.00'),
  )
  t.is(invoices.length, 1)
  t.deepEqual(skipped, [
    { invoice: '2', reason: 'row 4: a quoted field runs over 2 lines' },
    { invoice: '3', reason: 'row 7, Quantity: "x" is not a decimal number' },
  ])
})

test('several bad rows of one invoice are one finding that counts them', async (t) => {
  const { skipped } = await read(row('1', 'a', '1'), row('1', 'b', '1'), row('1', 'c', '1'))
  t.deepEqual(skipped, [
    { invoice: '1', reason: 'row 2, Quantity: "a" is not a decimal number (and 2 more)' },
  ])
})

test('a text in another encoding is refused instead of being mangled', async (t) => {
  const latin1 = Buffer.from(
    `${header}\n${row('1', '1', '1.00', { text: 'CAF\u{e9}' })}\n`,
    'latin1',
  )
  const { invoices, skipped } = await readInvoices(await fileOf(latin1))
  t.deepEqual(invoices, [])
  t.regex(skipped[0]?.reason ?? '', /^row 2, Description: ".*" is not UTF-8$/)
})

test('a quote that swallows rows takes out every invoice it touches', async (t) => {
  const { invoices, skipped } = await read(
    row('1', '1', '1.00'),
    row('2', '1', '1.00', { text: '"no end' }),
    row('3', '1', '1.00'),
    row('1', '1', '1.00', { text: '"quoted"' }),
    row('4', '1', '1.00'),
  )
  t.deepEqual(
    invoices.map(({ number }) => number),
    ['4'],
  )
  t.deepEqual(skipped.map(({ invoice }) => invoice).sort(), ['1', '2', '3'])
  t.deepEqual(
    skipped.find(({ invoice }) => invoice === '3'),
    {
      invoice: '3',
      reason: 'row 4 stands inside a quoted field that opens in row 3',
    },
  )
})

test('quotes, commas and spaces of a text are kept', async (t) => {
  const { invoices } = await read(
    row('1', '1', '1.00', { text: '" 3 ""FAIRY"" CAKES, RED "' }),
    row('1', '1', '1.00', { text: 'INCH 5" BOX' }),
  )
  t.deepEqual(
    invoices[0]?.lines.map(({ text }) => text),
    [' 3 "FAIRY" CAKES, RED ', 'INCH 5" BOX'],
  )
})

test('columns may stand in any order, with others beside them, behind a byte order mark', async (t) => {
  const text =
    '\u{feff}UnitPrice,InvoiceNo,Colour,Quantity,StockCode,Description,InvoiceDate\r\n' +
    '2.55,536365,red,6,85123A,HEART,12/1/2010 8:26\r\n'
  const { invoices, skipped } = await readInvoices(await fileOf(text))
  t.deepEqual(skipped, [])
  t.is(invoices[0]?.gross, 1530)
})

test('what is no table of invoices is refused as a whole', async (t) => {
  const cases = [
    '',
    'a,b,c\n1,2,3\n',
    header.replace('UnitPrice', 'Price'),
    Buffer.from([0, 1, 2, 3, 255, 254]),
    `${header}\n${row('1', '1', '1.00', { text: '"never closed' })}\n`,
  ]
  for (const content of cases) {
    const error = await t.throwsAsync(readInvoices(await fileOf(content)))
    t.true(isPosError(error, 'PK_E_BAD_ARGUMENT'), String(error))
  }
})

test('a file that cannot be read or unpacked says so', async (t) => {
  const whole = gzipSync(`${header}\n${row('1', '1', '1.00')}\n`)
  const cases = [
    path.join(folder, 'missing.csv'),
    folder,
    await fileOf(whole.subarray(0, whole.length - 9)),
    await fileOf(Buffer.concat([whole.subarray(0, 12), Buffer.alloc(20, 7)])),
  ]
  for (const file of cases) {
    const error = await t.throwsAsync(readInvoices(file))
    t.true(isPosError(error, 'PK_E_IO'), `${file}: ${String(error)}`)
  }
})

test('the bundled file is read whole, packed by its first bytes', async (t) => {
  const { invoices, skipped, adjusted } = await readInvoices(bundled)
  t.deepEqual(skipped, [])
  t.deepEqual(adjusted, [])
  const sums = { sale: [0, 0, 0], return: [0, 0, 0], adjustment: [0, 0, 0] }
  for (const { kind, lines, gross } of invoices) {
    const sum = sums[kind]
    sum[0] = (sum[0] ?? 0) + 1
    sum[1] = (sum[1] ?? 0) + lines.length
    sum[2] = (sum[2] ?? 0) + gross
  }
  t.deepEqual(sums, {
    sale: [4089, 103431, 203874259],
    return: [805, 1904, -23172266],
    adjustment: [0, 0, 0],
  })
})
