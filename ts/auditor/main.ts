#!/usr/bin/env node
/**
 * `pos-kernel-audit --root DIR [--terminal ID] [--anchor HASH] [--key KEY]... [--archive DIR]
 * [--json]`.
 *
 * What lives here: the command line of the auditor, and how its report looks. What must not: any
 * judgement, and any package but those that the auditor itself needs, so that the program runs
 * where the kernel does not.
 *
 * Exit codes: 0 everything holds, 1 problems were found, 2 nothing was audited: wrong usage, no
 * such store, or a file that cannot be read.
 */
import { parseArgs } from 'node:util'
import type { AuditReport, TerminalAudit, TransferAudit } from './report.js'
import { auditStore } from './store.js'

const exitCodes = { holds: 0, problems: 1, notAudited: 2 } as const

/** Problems shown for one terminal; `--json` shows up to a thousand. */
const SHOWN_MAX = 20

const usage = `Usage: pos-kernel-audit --root DIR [--terminal ID] [--anchor HASH] [--key KEY]...
                        [--archive DIR] [--json]

Audits the journals of a store, without the kernel, a lock or a written byte.

  --root DIR       root folder of the store
  --terminal ID    one terminal; all of the store when left out
  --anchor HASH    a hash of a receipt or an earlier report that must still be there
  --key KEY        a public key that is trusted to sign, in hexadecimal; may be given again
  --archive DIR    folder of archives beside ROOT/archive; each terminal has a folder in it
  --json           print the report as JSON and nothing else on stdout
  --help           print this

Exit codes: 0 everything holds, 1 problems were found, 2 nothing was audited.
`

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await run()
} catch (error) {
  process.exitCode = exitCodes.notAudited
  process.stderr.write(`pos-kernel-audit: ${error instanceof Error ? error.message : error}\n`)
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      root: { type: 'string' },
      terminal: { type: 'string' },
      anchor: { type: 'string' },
      key: { type: 'string', multiple: true },
      archive: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) {
    process.stdout.write(usage)
    return
  }
  const { root, terminal, anchor, key: keys, archive, json } = values
  if (root === undefined) throw new Error('which store? Say --root DIR; see --help')
  const report = await auditStore({ root, terminal, anchor, keys, archive })
  process.exitCode = report.ok ? exitCodes.holds : exitCodes.problems
  process.stdout.write(json === true ? `${JSON.stringify(report)}\n` : shown(report))
}

function shown({ ok, terminals, transfers }: AuditReport): string {
  const verdict = ok
    ? 'everything holds'
    : 'PROBLEMS FOUND: copy the store before anything else is done'
  const lines = [...terminals.flatMap(linesOf), ...(transfers ? linesBetween(transfers) : [])]
  return `${[...lines, verdict].join('\n')}\n`
}

/** Nothing, where nothing ever moved between terminals. */
function linesBetween(transfers: TransferAudit): string[] {
  const { cashSent, cashReceived, cashTakenBack, salesTakenOver, unjudged } = transfers
  const lines: string[] = []
  if (cashSent + cashReceived + transfers.salesSuspended + salesTakenOver > 0) {
    const cash = `cash sent ${cashSent} times, received ${cashReceived}, taken back ${cashTakenBack}`
    lines.push(`between terminals: ${cash}; sales taken over ${salesTakenOver}`)
  }
  for (const { currency, count, amount } of transfers.cashOnItsWay) {
    lines.push(`between terminals: ${currency} ${amount} minor units on their way, ${count} times`)
  }
  const waiting = transfers.onTheirWay.filter(({ currency }) => currency === undefined)
  if (waiting.length > 0) lines.push(`between terminals: ${waiting.length} suspended sales wait`)
  if (unjudged > 0) lines.push(`between terminals: ${unjudged} takings cannot be judged`)
  for (const one of transfers.problems.slice(0, SHOWN_MAX)) {
    const { terminal, sequence, fault, ticket, message } = one
    lines.push(`${terminal}: record ${sequence}: ${fault}: ${ticket}: ${message}`)
  }
  const hidden = transfers.problemCount - Math.min(transfers.problemCount, SHOWN_MAX)
  if (hidden > 0) lines.push(`between terminals: ${hidden} more; --json shows up to a thousand`)
  return lines
}

function linesOf(audit: TerminalAudit): string[] {
  const { id, records, segments, receipts, openSales, totals, tornBytes, head } = audit
  const lines = [
    `${id}: ${records} records in ${segments} segments, ${receipts} receipts, ${openSales} open sales`,
  ]
  for (const { currency, sales, returns, receipts: completed, voids, taxes } of totals) {
    const counts = `${completed} receipts, ${voids} voids`
    lines.push(`${id}: ${currency} sold ${sales}, returned ${returns} minor units; ${counts}`)
    for (const { class: name, ratePpm, soldNet, soldTax, returnedNet, returnedTax } of taxes) {
      const sold = `${soldTax} on ${soldNet} sold`
      const returned = `${returnedTax} on ${returnedNet} returned`
      lines.push(`${id}: ${currency} tax ${name} of ${ratePpm / 10_000} %: ${sold}, ${returned}`)
    }
  }
  if (tornBytes > 0) {
    lines.push(`${id}: ${tornBytes} bytes behind the last frame, never proven durable`)
  }
  if (audit.archived !== undefined) {
    const { segment, lastSequence } = audit.archived
    const read = `${audit.archiveSegments} segments were read from the archive`
    lines.push(`${id}: archived up to segment ${segment}, record ${lastSequence}; ${read}`)
  }
  if (audit.signing !== undefined) {
    const { algorithm, key, signatures, late, unsigned, signedSequence } = audit.signing
    const counts = `${signatures} receipts signed (${late} late), ${unsigned} unsigned`
    lines.push(
      `${id}: ${counts}, vouched for up to record ${signedSequence} by ${algorithm} ${key}`,
    )
  }
  for (const { kind, segment, offset, sequence, invariant, message } of audit.problems.slice(
    0,
    SHOWN_MAX,
  )) {
    const place = segment === 0 ? '' : ` segment ${segment} at byte ${offset}, record ${sequence}:`
    lines.push(`${id}:${place} ${kind}${invariant ? ` (${invariant})` : ''}: ${message}`)
  }
  const hidden = audit.problemCount - Math.min(audit.problemCount, SHOWN_MAX)
  if (hidden > 0) lines.push(`${id}: ${hidden} more; --json shows up to a thousand`)
  lines.push(`${id} head ${head}`)
  return lines
}
