/**
 * A store's quarter in one go: three months of real invoices rung up on four terminals, each an app under the
 * process host, of which one is killed with SIGKILL in the middle. The host brings it back, nothing is lost,
 * nothing is doubled, the journals verify, and the totals are those of the data.
 *
 *     node examples/store-day.mjs [--root DIR] [--keep]
 *
 * Without --root the store lives in a temporary folder that is removed at the end. With --keep the terminals
 * open again after the checks, and the host and its dashboard stay up until Ctrl-C.
 */
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { inspectJournal, listSales, listTerminals, openTerminal, verifyStore } from 'pos-kernel'
import { startDashboard, startHost } from 'pos-kernel/host'

const registers = ['REGISTER_01', 'REGISTER_02', 'REGISTER_03', 'REGISTER_04']
const victim = 'REGISTER_02'
/** Invoices that are acknowledged before the victim is killed. */
const killAfter = 2000
/** Length of a line of acknowledgement, about: the size of the file says how far the terminals are. */
const acknowledgementBytes = 22
/** The terminals have so long for all of it, on the slowest machine. */
const sellingMs = 10 * 60_000

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
const script = fileURLToPath(new URL('../dist/cli/replay/hosted-terminal.js', import.meta.url))
const acknowledgements = path.join(root, 'acknowledged.log')
const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
let isInterrupted = false
void interrupted.then(() => {
  isInterrupted = true
})

const problems = []
let host
let dashboard
try {
  await storeDay()
} catch (error) {
  problems.push(error.stack ?? String(error))
} finally {
  await dashboard?.stop()
  await host?.close()
  if (!isKept) rmSync(root, { recursive: true, force: true })
}
if (!values.keep) tellResult()
process.exitCode = problems.length === 0 ? 0 : 1

function tellResult() {
  for (const problem of problems) console.log(`PROBLEM: ${problem}`)
  console.log(problems.length === 0 ? 'PASS: nothing lost, nothing doubled' : 'FAIL')
}

function readArguments() {
  const options = { root: { type: 'string' }, keep: { type: 'boolean' } }
  try {
    return parseArgs({ options }).values
  } catch (error) {
    console.error(`store-day: ${error.message}`)
    console.error('usage: npm start -- [--root DIR] [--keep]')
    process.exit(2)
  }
}

async function storeDay() {
  heading('A store with four terminals rings up three months of real sales')
  const where = isKept ? '' : ' (removed at the end; --root DIR keeps it)'
  console.log(`store ${root}${where}`)
  const summary = await sellWithAKill()
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
  const { seconds, invoices } = summary
  const rate = Math.round(invoices / seconds)
  console.log(`${invoices} sales in ${seconds} s: ${rate} durable sales a second, killing included`)
  if (values.keep) await stayUp()
}

/** Four terminals, and what the host holds them to. */
function manifest() {
  // The file is there before the apps are: each may only write what is named to it.
  appendFileSync(acknowledgements, '')
  const apps = registers.map((terminal, index) => {
    const share = { file: data, index, of: registers.length, ackLog: acknowledgements }
    return {
      startup_app: {
        uuid: terminal.toLowerCase().replace('_', '-'),
        name: `Till ${index + 1}`,
        script,
        args: [JSON.stringify(share)],
        kind: 'terminal',
        terminal,
      },
      resourceLimits: { maxMemory: 512 * 1024 * 1024, maxCPU: 200 },
      permissions: { store: true, read: [data], write: [acknowledgements] },
      orphanMs: 5000,
    }
  })
  return { apps }
}

/** Rings everything up and kills one terminal's process on the way. */
async function sellWithAKill() {
  const began = performance.now()
  host = await startHost({ root, manifest: manifest() })
  dashboard = await startDashboard({ root })
  console.log(`dashboard ${dashboard.address}`)
  const size = () => statSync(acknowledgements).size
  await until(() => size() >= killAfter * acknowledgementBytes, 'the first sales')
  // Terminals are not equally fast to start.
  const ofVictim = () => readFileSync(acknowledgements, 'utf8').split(victim).length - 1
  await until(() => ofVictim() >= killAfter / 20, `the first sales of ${victim}`)
  const before = host.status().apps.find(({ uuid }) => uuid === 'register-02')
  process.kill(before.pid, 'SIGKILL')
  const count = readFileSync(acknowledgements, 'utf8').split('\n').length - 1
  console.log(`killed ${victim}, process ${before.pid}, with SIGKILL after ${count} sales`)
  // Those that were durable and whose answer died with the process are in the journals alone.
  const nearly = (figures.invoices - 50) * acknowledgementBytes
  await until(() => size() >= nearly, 'most of the sales')
  await until(async () => (await soldInvoices()).length >= figures.invoices, 'all sales')
  const seconds = Math.round(performance.now() - began) / 1000
  const { apps } = host.status()
  if (values.keep) {
    for (const { uuid } of apps) await host.ask('drain', { uuid })
  } else {
    const { ended } = await host.shutdown({ reason: 'all is sold' })
    for (const { uuid, reason } of ended) {
      if (reason !== 'stopped') problems.push(`${uuid} did not end in order: ${reason}`)
    }
  }
  return { ...totalsOf(await soldInvoices()), seconds, apps }
}

/** Waits for a fact; an app that is given up, an interrupt and the clock end it. */
async function until(holds, what) {
  const end = performance.now() + sellingMs
  while (!(await holds())) {
    if (isInterrupted) throw new Error(`interrupted while waiting for ${what}`)
    if (performance.now() > end) throw new Error(`waited ${sellingMs} ms in vain for ${what}`)
    const lost = host.status().apps.find(({ state }) => state === 'quarantined')
    if (lost !== undefined) throw new Error(`${lost.uuid} is quarantined: ${lost.why}`)
    await delay(5)
  }
}

/** Every sale of every journal. */
async function soldInvoices() {
  const journals = listTerminals(root).map((terminal) => listSales(root, terminal))
  return (await Promise.all(journals)).flat()
}

/** What stands in the journals, by the kind of invoice. */
function totalsOf(sold) {
  const totals = Object.fromEntries(Object.keys(figures).map((key) => [key, 0]))
  for (const { reference, lines, gross } of sold) {
    const kind = { C: 'returns', A: 'adjustments' }[reference[0]] ?? 'sales'
    totals.invoices += 1
    totals[kind] += 1
    totals[`${kind}Minor`] += gross
    if (kind === 'sales') totals.saleLines += lines
    if (kind === 'returns') totals.returnLines += lines
  }
  return totals
}

/** With --keep: the terminals open again, and everything can be looked at. */
async function stayUp() {
  tellResult()
  for (const { uuid } of host.status().apps) await host.ask('start', { uuid })
  console.log(`\nThe host stays up until Ctrl-C. Dashboard: ${dashboard.address}`)
  await interrupted
}

function compareTotals(summary) {
  console.log(`${''.padEnd(18)}${'rung up'.padStart(12)}${'data'.padStart(12)}`)
  for (const [key, expected] of Object.entries(figures)) {
    const found = summary[key]
    if (found !== expected) problems.push(`${names[key]}: ${found}, the data has ${expected}`)
    const columns = [found, expected].map((value) => grouped(value).padStart(12)).join('')
    console.log(`${names[key].padEnd(18)}${columns}${found === expected ? '' : '  DIFFERS'}`)
  }
}

async function reviewTerminals({ apps }) {
  const { terminals: reports } = await verifyStore({ root })
  console.log('terminal     records  receipts  starts  recovered')
  for (const { id, records, receipts } of reports) {
    const recoveries = await recoveriesOf(id)
    const { generation } = apps.find(({ uuid }) => uuid === id.toLowerCase().replace('_', '-'))
    const columns = [
      id.padEnd(11),
      grouped(records).padStart(9),
      grouped(receipts).padStart(10),
      String(generation).padStart(8),
      String(recoveries.length).padStart(11),
    ]
    console.log(columns.join(''))
    const expected = id === victim ? 1 : 0
    if (recoveries.length !== expected) problems.push(`${id} recovered ${recoveries.length} times`)
  }
  for (const { previous, cut, owner } of await recoveriesOf(victim)) {
    const torn = cut ? `${cut.bytes} torn bytes were cut and kept` : 'no torn bytes'
    const who = `process ${owner.pid} recovered what process ${previous?.pid} left`
    console.log(`${victim}: ${who}: ${torn}`)
  }
}

/** The openings of a journal whose last owner had not closed it. */
async function recoveriesOf(terminal) {
  const found = []
  for await (const { kind, fact } of inspectJournal({ root, terminal })) {
    if (kind === 'TerminalOpened' && !fact.clean) found.push(fact)
  }
  return found
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
