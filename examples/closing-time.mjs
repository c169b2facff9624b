/**
 * Closing time at a store that sells: every terminal a process of its own that rings up its share of three months of
 * real invoices; a manager sets a configuration, announces the end with a grace, and some tills are killed with
 * SIGKILL in that moment. The next morning everybody goes on where they were. Then the totals are those of the data,
 * the journals verify, and the store's audit has every record, in order.
 *
 *     node examples/closing-time.mjs [--terminals 8] [--kills 2] [--grace 5]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  auditStore,
  checkStoreAudit,
  configureStore,
  openTerminal,
  reportStore,
  shutDownStore,
  storeTerminals,
  verifyStore,
} from 'pos-kernel'

/** What the data says about itself: the table "Figures" of examples/data/README.md. */
const figures = { receipts: 4894, gross: 203874259 - 23172266 }
/** Milliseconds between two sales of a till on the first day: the store is to be busy when it closes. */
const pace = 5

const { terminals, kills, grace } = readArguments()
const root = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-closing-'))
const storeFile = path.join(root, 'store.json')
const problems = []

try {
  const ids = Array.from(
    { length: terminals },
    (_, index) => `TILL_${String(index + 1).padStart(3, '0')}`,
  )
  const replay = fileURLToPath(new URL('data/sales.csv.gz', import.meta.url))
  const openStore = (paceMs) => {
    writeFileSync(
      storeFile,
      JSON.stringify({ root, terminals: ids.map((id) => ({ id, replay, paceMs })) }),
    )
    return runStore(ids.length)
  }
  await closeTheStore(await openStore(pace))
  await finishTheSales(await openStore(0))
  await judge()
} catch (error) {
  problems.push(error.stack ?? String(error))
} finally {
  rmSync(root, { recursive: true, force: true })
}
for (const problem of problems) console.log(`PROBLEM: ${problem}`)
console.log(problems.length === 0 ? 'PASS: nothing lost, nothing doubled' : 'FAIL')
process.exitCode = problems.length === 0 ? 0 : 1

function readArguments() {
  const number = (name, fallback, least, most) => {
    const value = Number(given[name] ?? fallback)
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value
    refuse(`--${name} is ${given[name]}; it is a whole number from ${least} to ${most}`)
  }
  const refuse = (why) => {
    console.error(`closing-time: ${why}`)
    console.error('usage: node examples/closing-time.mjs [--terminals 8] [--kills 2] [--grace 5]')
    process.exit(2)
  }
  const string = { type: 'string' }
  let given = {}
  try {
    given = parseArgs({ options: { terminals: string, kills: string, grace: string } }).values
  } catch (error) {
    refuse(error.message)
  }
  const terminals = number('terminals', 8, 1, 200)
  return {
    terminals,
    kills: number('kills', Math.min(2, terminals), 0, terminals),
    grace: number('grace', 5, 0, 3600),
  }
}

/** `pos-kernel store run`, and what it tells: resolves when all terminals are ready. */
async function runStore(count) {
  const program = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
  const child = spawn(process.execPath, [program, 'store', 'run', storeFile, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const events = []
  const over = once(child, 'close')
  const lines = createInterface({ input: child.stdout })
  /** Resolves when so many terminals have told this, or none can any more. */
  const told = async (event, many) => {
    const has = () => events.filter((each) => each.event === event).length >= many
    while (!has() && child.exitCode === null) await Promise.race([once(lines, 'line'), over])
    if (!has()) throw new Error(`the store ended before ${many} terminals were ${event}`)
  }
  lines.on('line', (line) => events.push(JSON.parse(line)))
  await told('ready', count)
  return { child, over, told, events }
}

/** The manager configures, announces the end, and tills are killed while it is announced. */
async function closeTheStore({ over }) {
  const open = await storeTerminals(root)
  console.log(`${open.length} terminals sell, each in a process of its own; store ${root}`)
  const victims = open.slice(0, kills)
  const manager = await openTerminal({ root, id: 'MANAGER' })
  try {
    const { config, acknowledged } = await configureStore(manager, {
      values: { receiptFooter: 'Danke' },
    })
    console.log(
      `configuration ${config.version}: acknowledged by ${acknowledged.length} of ${open.length}`,
    )
    if (acknowledged.length !== open.length)
      problems.push('a terminal did not acknowledge the configuration')
    const closing = shutDownStore(manager, { reason: 'closing time', graceMs: grace * 1000 })
    for (const { pid } of victims) process.kill(pid, 'SIGKILL')
    const told = await closing
    console.log(
      `shutdown with ${grace} s of grace, ${kills} killed meanwhile: ${told.acknowledged.length} acknowledged, ` +
        `${told.closed.length} closed, ${told.crashed.length} crashed, ${told.stragglers.length} stragglers, ` +
        `in ${Math.round(told.tookMs)} ms`,
    )
    if (told.stragglers.length > 0) problems.push(`stragglers: ${told.stragglers.join(', ')}`)
    if (told.closed.length < open.length - kills)
      problems.push('a terminal that was not killed did not close')
  } finally {
    await manager.close()
  }
  await over
}

/** The next morning: what was killed is recovered, and the rest of the invoices is rung up. */
async function finishTheSales({ child, over, told, events }) {
  const recovered = events.filter((each) => each.event === 'ready' && !each.clean)
  await told('replayed', terminals)
  child.kill('SIGTERM')
  await over
  console.log(`the next morning: ${recovered.length} terminals recovered, all invoices rung up`)
}

/** Journals, audit and totals. */
async function judge() {
  const verified = await verifyStore({ root })
  const receipts = verified.terminals.reduce((sum, terminal) => sum + terminal.receipts, 0)
  console.log(
    `journals: ${verified.terminals.length} verify ${verified.ok ? 'ok' : 'NOT'}, ${receipts} receipts`,
  )
  if (!verified.ok) problems.push('a journal does not verify')

  const merged = await auditStore({ root })
  const check = await checkStoreAudit({ root })
  const state = `${check.ok ? 'ok' : 'NOT ok'}, ${check.complete ? 'complete' : 'NOT complete'}, ${check.late} late`
  console.log(`audit of the store: ${merged.records} records merged; check ${state}`)
  if (!merged.ok || !check.ok || !check.complete)
    problems.push('the audit of the store does not hold')

  const { currencies } = await reportStore({ root, reports: ['x'] })
  const gross = currencies.reduce((sum, { total }) => sum + total.gross, 0)
  for (const [name, found, expected] of [
    ['receipts', receipts, figures.receipts],
    ['gross, pence', gross, figures.gross],
  ]) {
    console.log(`${name.padEnd(14)}${String(found).padStart(12)}  the data has ${expected}`)
    if (found !== expected) problems.push(`${name}: ${found}, the data has ${expected}`)
  }
}
