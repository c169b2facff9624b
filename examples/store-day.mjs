/**
 * A store's quarter in one go: three months of real invoices rung up on four terminal processes, of
 * which one is killed with SIGKILL in the middle. It comes back, nothing is lost, nothing is
 * doubled, the journals verify, and the totals are those of the data.
 *
 *     node examples/store-day.mjs [--root DIR]
 *
 * Without --root the store lives in a temporary folder that is removed at the end.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { inspectJournal, listSales, listTerminals, openTerminal, verifyStore } from 'pos-kernel'

const terminals = 4
const victim = 'REGISTER_02'
/** Invoices that are acknowledged before the victim is killed. */
const killAfter = 2000
/** Length of a line of acknowledgement, about: the size of the file says how far the replay is. */
const acknowledgementBytes = 22

/** What the data says about itself: the table "Figures" of examples/data/README.md. */
const figures = {
  invoices: 4894,
  sales: 4089,
  returns: 805,
  adjustments: 0,
  saleLines: 103431,
  returnLines: 1904,
  salesMinor: 203874259,
  returnsMinor: -23172266,
  adjustmentsMinor: 0,
}

const names = {
  invoices: 'invoices',
  sales: 'sale invoices',
  returns: 'cancellations',
  adjustments: 'adjustments',
  saleLines: 'sale lines',
  returnLines: 'cancelled lines',
  salesMinor: 'sold, pence',
  returnsMinor: 'cancelled, pence',
  adjustmentsMinor: 'adjusted, pence',
}

const receiptWidth = 44
const receiptLinesShown = 8

const values = readArguments()
const isKept = values.root !== undefined
const root = isKept
  ? path.resolve(values.root)
  : mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-store-'))
if (existsSync(path.join(root, 'terminals'))) {
  console.error(`${root} holds a store already; give a new folder, there must be something to sell`)
  process.exit(2)
}
mkdirSync(root, { recursive: true })
const data = fileURLToPath(new URL('data/sales.csv.gz', import.meta.url))
const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const acknowledgements = path.join(root, 'acknowledged.log')

const problems = []
try {
  await storeDay()
} catch (error) {
  problems.push(error.stack ?? String(error))
} finally {
  if (!isKept) rmSync(root, { recursive: true, force: true })
}
for (const problem of problems) console.log(`PROBLEM: ${problem}`)
console.log(problems.length === 0 ? 'PASS: nothing lost, nothing doubled' : 'FAIL')
process.exitCode = problems.length === 0 ? 0 : 1

function readArguments() {
  try {
    return parseArgs({ options: { root: { type: 'string' } } }).values
  } catch (error) {
    console.error(`store-day: ${error.message}`)
    console.error('usage: npm start -- [--root DIR]')
    process.exit(2)
  }
}

async function storeDay() {
  heading('A store with four terminals rings up three months of real sales')
  const where = isKept ? '' : ' (removed at the end; --root DIR keeps it)'
  console.log(`store ${root}${where}`)
  const summary = await replayWithAKill()
  heading('Totals, beside those of the data')
  compareTotals(summary)
  heading('Terminals')
  await reviewTerminals(summary)
  heading(`The last receipt of ${victim} before it was killed`)
  await showReceipt()
  heading('Result')
  await compareAcknowledgements()
  const report = await verifyStore({ root })
  for (const { id, problems: found } of report.terminals) {
    for (const { segment, offset, message } of found) {
      problems.push(`${id}: segment ${segment} at byte ${offset}: ${message}`)
    }
  }
  const records = report.terminals.reduce((sum, terminal) => sum + terminal.records, 0)
  if (report.ok) console.log(`${grouped(records)} records verified: checksums, chain, counters`)
  else problems.push('a journal does not verify')
  const { seconds, syncs, invoices } = summary
  const rate = Math.round(invoices / seconds)
  console.log(`${invoices} sales in ${seconds} s: ${rate} durable sales a second, killing included`)
  console.log(
    `${syncs} device flushes answered for, ${(syncs / invoices).toFixed(3)} for each sale`,
  )
}

/** Rings everything up and kills one terminal's process on the way. */
async function replayWithAKill() {
  const args = ['replay', data, '--root', root, '--terminals', String(terminals)]
  args.push('--durability', 'sale', '--ack-log', acknowledgements, '--json')
  const child = spawn(process.execPath, [command, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  let code
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => {
      code = exitCode
      resolve()
    })
  })
  const size = () => statSync(acknowledgements, { throwIfNoEntry: false })?.size ?? 0
  while (code === undefined && size() < killAfter * acknowledgementBytes) {
    await Promise.race([ended, delay(2)])
  }
  if (code === undefined) {
    const owner = path.join(root, 'terminals', victim, 'terminal.owner.json')
    const { pid } = JSON.parse(readFileSync(owner, 'utf8'))
    process.kill(pid, 'SIGKILL')
    const count = readFileSync(acknowledgements, 'utf8').split('\n').length - 1
    console.log(`killed ${victim}, process ${pid}, with SIGKILL after ${count} sales`)
  } else {
    problems.push('the replay ended before anything could be killed')
  }
  await ended
  if (code !== 0) throw new Error(`replay ended with exit code ${code}: ${stdout}`)
  return JSON.parse(stdout)
}

function compareTotals(summary) {
  console.log(`${''.padEnd(18)}${'rung up'.padStart(12)}${'data'.padStart(12)}`)
  for (const [key, expected] of Object.entries(figures)) {
    const found = summary[key]
    if (found !== expected) problems.push(`${names[key]}: ${found}, the data has ${expected}`)
    const columns = [found, expected].map((value) => grouped(value).padStart(12)).join('')
    console.log(`${names[key].padEnd(18)}${columns}${found === expected ? '' : '  DIFFERS'}`)
  }
  for (const { invoice, reason } of summary.skipped) {
    problems.push(`invoice ${invoice} was skipped: ${reason}`)
  }
}

async function reviewTerminals(summary) {
  const { terminals: reports } = await verifyStore({ root })
  console.log('terminal     records  receipts  flushes  starts  recovered')
  for (const { id, records, receipts } of reports) {
    const { syncs, restarts, recoveries } = summary.terminals.find((found) => found.id === id)
    const columns = [
      id.padEnd(11),
      grouped(records).padStart(9),
      grouped(receipts).padStart(10),
      grouped(syncs).padStart(9),
      String(restarts + 1).padStart(8),
      String(recoveries).padStart(11),
    ]
    console.log(columns.join(''))
    const expected = id === victim ? 1 : 0
    if (recoveries !== expected) problems.push(`${id} recovered ${recoveries} times`)
  }
  for await (const { kind, fact } of inspectJournal({ root, terminal: victim })) {
    if (kind !== 'TerminalOpened' || fact.clean) continue
    const { previous, cut } = fact
    const torn = cut ? `${cut.bytes} torn bytes were cut and kept` : 'no torn bytes'
    const owner = `process ${fact.owner.pid} recovered what process ${previous?.pid} left`
    console.log(`${victim}: ${owner}: ${torn}`)
  }
}

/** Opens the terminal once more, as a till does in the morning, and prints from its journal. */
async function showReceipt() {
  const terminal = await openTerminal({ root, id: victim, durability: 'sale' })
  try {
    if (!terminal.recovery.clean) problems.push(`${victim} was not left clean`)
    const numbers = []
    for await (const { kind, fact, epoch } of inspectJournal({ root, terminal: victim })) {
      if (kind === 'SaleCompleted' && epoch === 1 && fact.lines > 2) numbers.push(fact.receipt)
    }
    const number = numbers.at(-1)
    if (number === undefined) problems.push(`${victim} sold nothing before it was killed`)
    else printReceipt(await terminal.receipt(number))
  } finally {
    await terminal.close()
  }
}

/** Every acknowledgement must be in the journal that it names, and no invoice in two places. */
async function compareAcknowledgements() {
  const places = new Map()
  for (const terminal of listTerminals(root)) {
    const sales = await listSales(root, terminal)
    for (const [index, { reference, receiptNumber }] of sales.entries()) {
      if (receiptNumber !== index + 1) problems.push(`${terminal}: no receipt ${index + 1}`)
      if (places.has(reference)) problems.push(`invoice ${reference} was rung up twice`)
      places.set(reference, `${terminal}\t${receiptNumber}`)
    }
  }
  const lines = readFileSync(acknowledgements, 'utf8').trimEnd().split('\n')
  for (const line of lines) {
    const [invoice, ...place] = line.split('\t')
    if (places.get(invoice) !== place.join('\t')) problems.push(`acknowledged and lost: ${invoice}`)
  }
  const unheard = places.size - lines.length
  const before = unheard === 0 ? '' : `, ${unheard} more durable whose answer died with the process`
  console.log(`${lines.length} acknowledged, all of them in the journals${before}`)
}

function printReceipt(receipt) {
  const { store, reference, at, lines, tenders, gross, receiptNumber, hash } = receipt
  const line = (left, right = '') => {
    const room = receiptWidth - right.length - 1
    console.log(`  | ${left.slice(0, room).padEnd(room)} ${right} |`)
  }
  const rule = () => console.log(`  +${'-'.repeat(receiptWidth + 2)}+`)
  rule()
  line(store, `receipt ${receiptNumber}`)
  line(at.slice(0, 19).replace('T', ' '), `invoice ${reference}`)
  line('')
  for (const { sku, text, quantity, unitPrice, amount } of lines.slice(0, receiptLinesShown)) {
    line((text ?? sku).trim())
    line(`  ${quantity} x ${pounds(unitPrice)}`, pounds(amount))
  }
  const more = lines.length - receiptLinesShown
  if (more > 0) {
    const rest = lines.slice(receiptLinesShown).reduce((sum, { amount }) => sum + amount, 0)
    line(`... and ${more} more lines`, pounds(rest))
  }
  line('')
  line('TOTAL GBP', pounds(gross))
  for (const { kind, amount } of tenders) line(kind, pounds(amount))
  line('')
  line(`chain ${hash.slice(0, 32)}`)
  rule()
}

/** Whole pence as pounds, by moving the point; parts of a penny stay behind it. */
function pounds(pence) {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(pence))
  const digits = whole.padStart(3, '0')
  return `${sign}${grouped(digits.slice(0, -2))}.${digits.slice(-2)}${fraction}`
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

function heading(text) {
  console.log(`\n${text}\n${'='.repeat(text.length)}`)
}
