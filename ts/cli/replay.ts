/**
 * `pos-kernel replay`: rings up the invoices of a CSV file on several terminal processes.
 *
 * The columns are those of the Online Retail data set. Each invoice is one sale, in pounds, with its
 * number as the reference; cancellations (`C...`) and adjustments (`A...`) are paid out in cash.
 * Read `replay/coordinator.ts` for how nothing is doubled, `replay/invoice.ts` for how rows are read.
 */
import { SingleBar } from 'cli-progress'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { posError } from '../kernel/errors.js'
import { globalsOf, storeOf } from './globals.js'
import { note, print, printJson, table } from './output.js'
import { replay, TERMINALS_MAX } from './replay/coordinator.js'
import { readInvoices } from './replay/file.js'
import type { InvoiceRemark } from './replay/invoice.js'
import type { Durability } from './replay/message.js'
import type { ReplaySummary } from './replay/tally.js'

interface Options {
  readonly terminals: number
  readonly durability: Durability
  readonly byCall?: true
  readonly ackLog?: string
}

/** Remarks that are printed one by one; `--json` has all of them. */
const REMARKS_SHOWN = 20
/** Exit code of an interrupted command, by the custom of shells. */
const INTERRUPTED = 130

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('replay')
    .summary('ring up the invoices of a CSV file on several terminal processes')
    .description(
      'Rings up the invoices of a CSV file, packed with gzip or not, one sale for each, on ' +
        'terminals REGISTER_01 and up, each a process of its own. The journals are the only ' +
        'memory: running the command again goes on where it was and doubles nothing. An invoice ' +
        'with a bad row is left out whole, with the row and the column as the reason.',
    )
    .argument('<file>', 'InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, ...')
    .option('--terminals <n>', `terminal processes, 1 to ${TERMINALS_MAX}`, terminalCount, 1)
    .addOption(
      new Option('--durability <mode>', 'when a call is acknowledged')
        .choices(['sale', 'record'])
        .default('sale'),
    )
    .option('--by-call', 'ring up call by call, as a clerk does, instead of in one call each')
    .option(
      '--ack-log <file>',
      'append "invoice, terminal, receipt" once it is durable (for tests)',
    )
    .addHelpText(
      'after',
      `
Prices are read as pounds and rung up in pence, paid in cash. Invoices of digits are sales, C and
digits returns, A and digits adjustments.

Examples:
  pos-kernel replay sales.csv.gz --root ./store --terminals 4
  pos-kernel replay sales.csv --root ./store --durability record --by-call --json`,
    )
    .action(async (file: string, options: Options, command: Command) => {
      const globals = globalsOf(command)
      if (globals.terminal !== undefined) throw namesItsTerminals(globals.terminal)
      const summary = await run(file, storeOf(globals), options)
      if (globals.json) printJson(summary)
      else show(summary)
    })
}

async function run(path: string, root: string, options: Options): Promise<ReplaySummary> {
  const { terminals, durability, byCall = false, ackLog } = options
  const file = await readInvoices(path)
  const interrupt = new AbortController()
  const onSignal = () => interrupt.abort()
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  const bar = progressBar()
  try {
    return await replay(file, {
      root,
      terminals,
      durability,
      byCall,
      ...(ackLog !== undefined && { ackLog }),
      signal: interrupt.signal,
      onProgress: bar.update,
    })
  } finally {
    bar.stop()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    if (interrupt.signal.aborted) {
      process.exitCode = INTERRUPTED
      note('interrupted; run the same command again to go on')
    }
  }
}

function terminalCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > TERMINALS_MAX) {
    throw new InvalidArgumentError(`Give a whole number from 1 to ${TERMINALS_MAX}.`)
  }
  return count
}

function namesItsTerminals(terminal: string): Error {
  const message =
    'replay names its terminals itself, REGISTER_01 and up: say how many with --terminals'
  return posError('PK_E_BAD_ARGUMENT', message, { argument: 'terminal', value: terminal })
}

/** A bar with the rate of this run, on stderr, where a person is looking. */
function progressBar(): { update: (done: number, total: number) => void; stop: () => void } {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} }
  const bar = new SingleBar({
    format: 'ringing up {bar} {value}/{total} invoices, {rate}/s, {eta_formatted} left',
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    etaBuffer: 100,
  })
  let start: { at: number; done: number } | undefined
  return {
    update(done, total) {
      if (start === undefined) {
        start = { at: performance.now(), done }
        bar.start(total, done, { rate: 0 })
      }
      const seconds = Math.max(0.001, (performance.now() - start.at) / 1000)
      bar.update(done, { rate: Math.round((done - start.done) / seconds) })
    },
    stop() {
      if (start !== undefined) bar.stop()
    },
  }
}

function show(summary: ReplaySummary): void {
  const { sales, returns, adjustments } = summary
  table(
    ['', 'invoices', 'lines', 'pence'],
    [
      ['sales', sales, summary.saleLines, summary.salesMinor],
      ['returns', returns, summary.returnLines, summary.returnsMinor],
      ['adjustments', adjustments, summary.adjustmentLines, summary.adjustmentsMinor],
    ],
  )
  showRemarks('skipped', summary.skipped)
  showRemarks('adjusted', summary.adjusted)
  const { invoices, resumed, seconds, syncs } = summary
  const rungUp = invoices - resumed
  if (resumed > 0) print(`${resumed} invoices were in the journals already`)
  if (rungUp > 0) {
    const rate = Math.round(rungUp / seconds)
    print(`${rungUp} rung up in ${seconds} s, ${rate}/s, with ${syncs} device flushes`)
  }
}

function showRemarks(what: string, remarks: readonly InvoiceRemark[]): void {
  for (const { invoice, reason } of remarks.slice(0, REMARKS_SHOWN)) {
    print(`${what} ${invoice}: ${reason}`)
  }
  const hidden = remarks.length - Math.min(remarks.length, REMARKS_SHOWN)
  if (hidden > 0) print(`${what}: ${hidden} more; --json shows all`)
}
