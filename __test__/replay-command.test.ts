import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { inspectJournal, listSales, listTerminals, openTerminal, verifyStore } from '../ts/index.js'

const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const bundled = fileURLToPath(new URL('../examples/data/sales.csv.gz', import.meta.url))
const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'

const nothing = {
  invoices: 0,
  sales: 0,
  returns: 0,
  adjustments: 0,
  saleLines: 0,
  returnLines: 0,
  adjustmentLines: 0,
  salesMinor: 0,
  returnsMinor: 0,
  adjustmentsMinor: 0,
  resumed: 0,
  skipped: [],
  adjusted: [],
}

function newFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-replay-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function fileOf(folder: string, ...rows: string[]): string {
  const file = path.join(folder, 'sales.csv')
  writeFileSync(file, `${[header, ...rows].join('\n')}\n`)
  return file
}

function row(invoice: string, quantity: number, price: string, text = 'HANGING HEART'): string {
  return `${invoice},85123A,${text},${quantity},2010-12-01 08:26:00,${price},17850.0,United Kingdom`
}

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [command, 'replay', ...args], { stdio: 'pipe' })
}

async function endOf(child: ChildProcess) {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

async function replay(...args: string[]) {
  const { code, stdout, stderr } = await endOf(start(...args, '--json'))
  return { code, stderr, result: JSON.parse(stdout) }
}

/** Every file below a folder with its time and size: what a run that does nothing leaves alone. */
function listing(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort().map((name) => {
    const { mtimeMs, size } = statSync(path.join(folder, name))
    return `${name} ${size} ${mtimeMs}`
  })
}

test.serial(
  'the bundled data comes to its own figures, and a second run does nothing',
  async (t) => {
    const root = newFolder(t)
    const first = await replay(bundled, '--root', root, '--terminals', '4')
    t.is(first.code, 0, first.stderr)
    const figures = {
      ...nothing,
      invoices: 4894,
      sales: 4089,
      returns: 805,
      saleLines: 103431,
      returnLines: 1904,
      salesMinor: 203874259,
      returnsMinor: -23172266,
    }
    t.like(first.result, figures)
    t.true(first.result.syncs >= 4894)
    t.deepEqual(
      first.result.terminals.map(({ id }: { id: string }) => id),
      ['REGISTER_01', 'REGISTER_02', 'REGISTER_03', 'REGISTER_04'],
    )
    const before = listing(root)
    const second = await replay(bundled, '--root', root, '--terminals', '4')
    t.is(second.code, 0, second.stderr)
    t.like(second.result, { ...figures, resumed: 4894, syncs: 0 })
    t.deepEqual(listing(root), before)
    t.true((await verifyStore({ root })).ok)
  },
)

test.serial(
  'sales, returns, write-offs and adjustments are rung up as what they are',
  async (t) => {
    const folder = newFolder(t)
    const file = fileOf(
      folder,
      row('536365', 6, '2.55'),
      row('C536379', -1, '27.50'),
      row('536365', 3, '0.001'),
      row('536589', -10, '0.0', ''),
      row('A563185', 1, '11062.06'),
      row('A563186', 1, '-11062.06'),
    )
    for (const mode of [[], ['--by-call'], ['--durability', 'record'], ['--terminals', '2']]) {
      const root = path.join(folder, `store${mode.join('')}`)
      const { code, result, stderr } = await replay(file, '--root', root, ...mode)
      t.is(code, 0, stderr)
      t.like(result, {
        ...nothing,
        invoices: 5,
        sales: 2,
        returns: 1,
        adjustments: 2,
        saleLines: 3,
        returnLines: 1,
        adjustmentLines: 2,
        salesMinor: 1530,
        returnsMinor: -2750,
        adjustmentsMinor: 0,
        adjusted: [
          {
            invoice: 'A563186',
            reason:
              'row 7: quantity 1 at a negative price was rung up as quantity -1 at 1106206 pence',
          },
        ],
      })
      const sales = await Promise.all(listTerminals(root).map((id) => listSales(root, id)))
      const gross = new Map(sales.flat().map((sale) => [sale.reference, sale.gross]))
      t.deepEqual(
        [...gross].sort(),
        [
          ['536365', 1530],
          ['536589', 0],
          ['A563185', 1106206],
          ['A563186', -1106206],
          ['C536379', -2750],
        ].sort(),
      )
    }
  },
)

test.serial('a receipt holds what the row said, and is paid in cash', async (t) => {
  const folder = newFolder(t)
  const file = fileOf(folder, row('536365', 3, '0.335', ' HEART  '), row('536365', -1, '2.00', ''))
  const root = path.join(folder, 'store')
  t.is((await replay(file, '--root', root)).code, 0)
  const terminal = await openTerminal({ root, id: 'REGISTER_01' })
  t.teardown(() => terminal.close())
  const receipt = await terminal.receipt(1)
  t.like(receipt, {
    currency: 'GBP',
    reference: '536365',
    key: 'invoice:536365',
    gross: -99,
    change: 0,
  })
  t.like(receipt.lines[0], { text: ' HEART  ', quantity: '3', unitPrice: '33.5', amount: 101 })
  t.like(receipt.lines[1], { quantity: '-1', unitPrice: '200', amount: -200 })
  t.is(receipt.lines[1]?.text, undefined)
  t.deepEqual(
    receipt.tenders.map(({ kind, amount }) => [kind, amount]),
    [['cash', -99]],
  )
})

test.serial('what cannot be rung up is skipped with a reason, and the rest goes on', async (t) => {
  const folder = newFolder(t)
  const tooMany = Array.from({ length: 8193 }, () => row('3', 1, '1.00'))
  const rows = [row('1', 1, '1.00'), row('2', 0, '1.00'), ...tooMany, row('4', 1, '1.00')]
  const file = fileOf(folder, ...rows)
  for (const mode of [[], ['--by-call']]) {
    const root = path.join(folder, `store${mode.join('')}`)
    const { code, result, stderr } = await replay(file, '--root', root, ...mode)
    t.is(code, 0, stderr)
    t.like(result, { invoices: 2, saleLines: 2, salesMinor: 200 })
    t.is(result.skipped.length, 2)
    t.deepEqual(result.skipped[0], { invoice: '2', reason: 'row 3, Quantity: it is zero' })
    t.is(result.skipped[1].invoice, '3')
    t.regex(result.skipped[1].reason, /^PK_E_LIMIT: .*8192/)
    const terminal = await openTerminal({ root, id: 'REGISTER_01' })
    t.deepEqual(terminal.openSales(), [])
    await terminal.close()
  }
})

test.serial(
  'an invoice that stands in a journal with another total is left alone and named',
  async (t) => {
    const folder = newFolder(t)
    const root = path.join(folder, 'store')
    await replay(fileOf(folder, row('1', 1, '1.00')), '--root', root)
    const changed = fileOf(folder, row('1', 2, '1.00'), row('2', 1, '5.00'))
    const { code, result } = await replay(changed, '--root', root)
    t.is(code, 0)
    t.like(result, { invoices: 1, salesMinor: 500, resumed: 0 })
    t.is(result.skipped.length, 1)
    t.regex(result.skipped[0].reason, /receipt 1 of REGISTER_01 .* for 100; .* for 200/)
  },
)

test.serial(
  'a sale that a killed run left open is voided; a sale of another program is not',
  async (t) => {
    const folder = newFolder(t)
    const root = path.join(folder, 'store')
    const file = fileOf(folder, row('1', 1, '1.00'), row('2', 1, '2.00'))
    const line = { sku: 'x', quantity: 1, unitPrice: 700 }
    // What a kill leaves behind: on a terminal that the next run does not even use.
    const left = await openTerminal({ root, id: 'REGISTER_09', durability: 'record' })
    const ours = await left.begin({ store: 'ONLINE RETAIL', currency: 'GBP', reference: '1' })
    await ours.addLine(line)
    await ours.tender({ kind: 'cash', amount: 700 })
    const foreign = await left.begin({
      store: 'corner-shop',
      currency: 'GBP',
      reference: 'table 4',
    })
    await foreign.addLine(line)
    await left.close()
    const { code, result } = await replay(file, '--root', root, '--by-call')
    t.is(code, 0)
    t.like(result, { invoices: 2, salesMinor: 300, resumed: 0 })
    const reasons: unknown[] = []
    for await (const record of inspectJournal({ root, terminal: 'REGISTER_09' })) {
      if (!('problem' in record) && record.kind === 'SaleVoided') reasons.push(record.fact?.reason)
    }
    t.deepEqual(reasons, ['replay resumed'])
    const again = await openTerminal({ root, id: 'REGISTER_09' })
    t.teardown(() => again.close())
    t.deepEqual(
      again.openSales().map(({ reference }) => reference),
      ['table 4'],
    )
  },
)

test.serial('an interrupted run ends in order and can be resumed', async (t) => {
  const root = newFolder(t)
  const log = path.join(root, 'acknowledged.log')
  const args = [bundled, '--root', root, '--terminals', '2', '--by-call', '--ack-log', log]
  const child = start(...args, '--json')
  const ending = endOf(child)
  while (!existsSync(log) || readFileSync(log).length === 0) await delay(2)
  child.kill('SIGTERM')
  const { code, stdout, stderr } = await ending
  t.is(code, 130)
  t.regex(stderr, /run the same command again/)
  const { invoices } = JSON.parse(stdout)
  t.true(invoices > 0)
  t.true(invoices < 4894)
  for (const id of ['REGISTER_01', 'REGISTER_02']) {
    const terminal = await openTerminal({ root, id })
    t.true(terminal.recovery.clean)
    t.deepEqual(terminal.openSales(), [])
    await terminal.close()
  }
  const { result } = await replay(bundled, '--root', root)
  t.like(result, { invoices: 4894, salesMinor: 203874259, resumed: invoices })
})

test('a terminal that somebody else holds is refused after a while', async (t) => {
  const folder = newFolder(t)
  const root = path.join(folder, 'store')
  const terminal = await openTerminal({ root, id: 'REGISTER_02' })
  t.teardown(() => terminal.close())
  const file = fileOf(folder, row('1', 1, '1.00'))
  const { code, result } = await replay(file, '--root', root, '--terminals', '2')
  t.is(code, 1)
  t.like(result, { ok: false, code: 'PK_E_TERMINAL_IN_USE' })
  t.is(result.facts.owner.pid, process.pid)
  t.deepEqual(await listSales(root, 'REGISTER_01'), [])
})

test.serial('what is wrong with the command or its file has a code and an exit code', async (t) => {
  const folder = newFolder(t)
  const file = fileOf(folder, row('1', 1, '1.00'))
  const notATable = path.join(folder, 'text.txt')
  writeFileSync(notATable, 'hello\nworld\n')
  const cases: readonly (readonly [string[], number, string])[] = [
    [[path.join(folder, 'missing.csv')], 3, 'PK_E_IO'],
    [[folder], 3, 'PK_E_IO'],
    [[notATable], 2, 'PK_E_BAD_ARGUMENT'],
    [[file, '--terminals', '0'], 2, 'PK_E_BAD_ARGUMENT'],
    [[file, '--terminals', '65'], 2, 'PK_E_BAD_ARGUMENT'],
    [[file, '--durability', 'never'], 2, 'PK_E_BAD_ARGUMENT'],
    [[file, '--terminal', 'REGISTER_01'], 2, 'PK_E_BAD_ARGUMENT'],
    [[file, '--root', path.join(file, 'no-folder')], 3, 'PK_E_IO'],
    [[file, '--ack-log', folder], 3, 'PK_E_IO'],
  ]
  for (const [args, exitCode, errorCode] of cases) {
    const root = args.includes('--root') ? [] : ['--root', path.join(folder, 'store')]
    const { code, result } = await replay(...args, ...root)
    t.is(code, exitCode, args.join(' '))
    t.like(result, { ok: false, code: errorCode }, args.join(' '))
  }
})
