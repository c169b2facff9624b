/** `pos-kernel store audit`: the aggregated audit log of a store, its check, and reports from it. */
import { type Command, Option } from 'commander'
import { isPosError } from '../../kernel/errors.js'
import { listTerminals } from '../../kernel/inspect.js'
import {
  type AuditCheck,
  type AuditFault,
  type AuditMerge,
  auditStore,
  checkStoreAudit,
  followStoreAudit,
  reportStore,
  type StoreReport,
  type StoreReportKind,
  type StoreTransfers,
} from '../../kernel/store-audit.js'
import { exitCodes } from '../failure.js'
import { globalsOf, noTerminal, storeOf } from '../globals.js'
import { note, print, printJson, streamJson, table } from '../output.js'
import { progressBar } from '../progress.js'

/** Problems shown; `--json` shows up to a thousand. */
const SHOWN_MAX = 20

interface Options {
  readonly follow?: true
  readonly verify?: true
  readonly report?: StoreReportKind
  readonly anchor?: string
  readonly archive?: string
}

/** Registers the command. */
export function register(store: Command): void {
  store
    .command('audit')
    .summary('merge all journals into one chained log, check it, report from it')
    .description(
      'Merges what is new in the journals of all terminals, in order and verified, into ' +
        'ROOT/shared/aggregated_audit.log. Takes no lock of a terminal, so it runs beside tills that ' +
        'sell; one process at a time merges. What is wrong with one journal is told, and the others ' +
        'are merged: exit 1.',
    )
    .option('--follow', 'go on merging as the tills sell; Ctrl+C ends it. One JSON line a merge')
    .addOption(
      new Option(
        '--verify',
        'check the log, hold it against the journals and these against each other; writes nothing',
      ).conflicts(['follow', 'report']),
    )
    .addOption(
      new Option('--report <kind>', 'merge, then add up all tills')
        .choices(['x', 'hours', 'skus'])
        .conflicts('follow'),
    )
    .option('--anchor <hash>', 'with --verify: a head noted earlier that must still be there')
    .option('--archive <dir>', 'a folder of archives beside ROOT/archive')
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel store audit --root ./store
  pos-kernel store audit --root ./store --follow --json
  pos-kernel store audit --root ./store --verify
  pos-kernel store audit --root ./store --report x`,
    )
    .action(async (options: Options, command: Command) => {
      const globals = globalsOf(command)
      const root = storeOf(globals)
      const json = globals.json === true
      const { archive } = options
      if (listTerminals(root).length === 0) throw noTerminal(root)
      if (options.verify) await verify({ root, archive, anchor: options.anchor }, json)
      else if (options.follow) await follow({ root, archive }, json)
      else if (options.report !== undefined) await report({ root, archive }, options.report, json)
      else await merge({ root, archive }, json)
    })
}

interface Store {
  readonly root: string
  readonly archive: string | undefined
}

async function merge(store: Store, json: boolean): Promise<void> {
  const merged = await mergeNow(store)
  if (json) printJson(merged)
  else showMerge(merged)
  process.exitCode = merged.ok ? exitCodes.done : exitCodes.refused
}

async function mergeNow(store: Store): Promise<AuditMerge> {
  const progress = progressBar('merging', 'records')
  const onProgress = (done: number, of: number) => progress.update(done, of)
  return auditStore({ ...store, onProgress }).finally(() => progress.stop())
}

async function follow(store: Store, json: boolean): Promise<void> {
  const ending = new AbortController()
  const end = () => ending.abort()
  process.once('SIGINT', end).once('SIGTERM', end)
  for await (const merged of followStoreAudit({ ...store, signal: ending.signal })) {
    if (json) await streamJson(merged)
    else showMerge(merged)
  }
}

async function verify(
  options: Store & { readonly anchor: string | undefined },
  json: boolean,
): Promise<void> {
  const progress = progressBar('checking', 'bytes')
  const onProgress = (done: number, of: number) => progress.update(done, of)
  const check = await checkStoreAudit({ ...options, onProgress }).finally(() => progress.stop())
  if (json) printJson(check)
  else showCheck(check)
  process.exitCode = check.ok ? exitCodes.done : exitCodes.refused
}

async function report(store: Store, kind: StoreReportKind, json: boolean): Promise<void> {
  let faults: readonly AuditFault[] = []
  try {
    faults = (await mergeNow(store)).faults
  } catch (error) {
    // Another process merges already: its log is as new as ours would be.
    if (!isPosError(error) || error.code !== 'PK_E_AUDIT_IN_USE') throw error
  }
  const told = await reportStore({ ...store, reports: [kind] })
  if (json) printJson({ ...told, faults })
  else showReport(told, kind)
  if (!json) showFaults(faults)
  process.exitCode = faults.length === 0 ? exitCodes.done : exitCodes.refused
}

function showMerge({ frames, records, terminals, cutBytes, head, faults }: AuditMerge): void {
  if (cutBytes > 0) note(`${cutBytes} bytes of a torn block were cut; the journals still have them`)
  print(`${frames} frames with ${records} records of ${terminals} terminals are new`)
  print(`head ${head.hash}, line ${head.line}, block ${head.block}`)
  showFaults(faults)
}

function showFaults(faults: readonly AuditFault[]): void {
  for (const { terminal, segment, offset, sequence, code, message } of faults) {
    const where = segment === 0 ? '' : ` segment ${segment} at byte ${offset},`
    print(`${terminal}:${where} record ${sequence}: ${code}: ${message}`)
  }
}

function showCheck(check: AuditCheck): void {
  const rows = check.terminals.map(({ id, frames, sequence, behind, problems }) => {
    return [id, frames, sequence, behind, problems.length]
  })
  table(['terminal', 'frames', 'up to record', 'behind', 'problems'], rows)
  for (const { line, offset, code, message } of check.problems.slice(0, SHOWN_MAX)) {
    print(`line ${line} at byte ${offset}: ${code}: ${message}`)
  }
  for (const { id, problems, noted } of check.terminals) {
    showFaults(problems.map((problem) => ({ terminal: id, ...problem })))
    if (noted !== undefined) print(`${id}: the log notes ${noted.code}: ${noted.message}`)
  }
  showTransfers(check.transfers)
  print(`head ${check.head.hash}, line ${check.head.line}, ${check.late} frames late`)
  const complete = check.complete ? 'and has all of them' : 'and is behind'
  print(check.ok ? `the log agrees with the journals ${complete}` : 'PROBLEMS FOUND')
}

function showTransfers(transfers: StoreTransfers): void {
  const { cashSent, cashReceived, cashTakenBack, salesTakenOver, onTheirWay, unjudged } = transfers
  for (const { terminal, sequence, code, ticket, message } of transfers.problems.slice(
    0,
    SHOWN_MAX,
  )) {
    print(`${terminal}: record ${sequence}: ${code}: ${ticket}: ${message}`)
  }
  if (cashSent + cashReceived + transfers.salesSuspended + salesTakenOver > 0) {
    const cash = `cash sent ${cashSent} times, received ${cashReceived}, taken back ${cashTakenBack}`
    print(`between tills: ${cash}; sales taken over ${salesTakenOver}`)
  }
  for (const { ticket, from, to, currency, amount, at } of onTheirWay.slice(0, SHOWN_MAX)) {
    const what = currency === undefined ? 'a suspended sale' : `${currency} ${amount}`
    print(
      `on its way: ${what} from ${from}${to === undefined ? '' : ` to ${to}`}, ${ticket}, ${at}`,
    )
  }
  const hidden = onTheirWay.length - SHOWN_MAX
  if (hidden > 0) print(`on their way: ${hidden} more; --json shows all`)
  for (const { currency, count, amount } of transfers.cashOnItsWay) {
    print(`on its way in all: ${currency} ${amount} in ${count} amounts`)
  }
  if (unjudged > 0) print(`${unjudged} takings cannot be judged: what tells of them is not at hand`)
}

function showReport(report: StoreReport, kind: StoreReportKind): void {
  if (report.currencies.length + report.hours.length + report.skus.length === 0) {
    print('nothing was sold yet')
  } else if (kind === 'hours') {
    const rows = report.hours.map((it) => [it.hour, it.currency, it.receipts, it.net, it.gross])
    table(['hour', 'currency', 'receipts', 'net', 'gross'], rows)
  } else if (kind === 'skus') {
    const rows = report.skus.map((it) => {
      return [it.sku, it.currency, it.lines, it.quantity, it.net, it.gross]
    })
    table(['sku', 'currency', 'lines', 'quantity', 'net', 'gross'], rows)
  } else {
    for (const { currency, total, period } of report.currencies) {
      const names = Object.keys(total).filter((name) => typeof amountOf(total, name) === 'number')
      const rows = names.map((name) => [name, amountOf(total, name), amountOf(period, name)])
      const tenders = Object.entries(total.tenders).map(([tender, sum]) => {
        return [tender, sum.amount, period.tenders[tender]?.amount ?? 0]
      })
      table([currency, 'in all', 'since the last Z'], [...rows, ...tenders] as [string, number][])
    }
  }
}

function amountOf(sums: object, name: string): unknown {
  return (sums as Record<string, unknown>)[name]
}
