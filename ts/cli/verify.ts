/** `pos-kernel verify`: the audit of a terminal or a whole store, beside its owner. */
import type { Command } from 'commander'
import { type VerifyReport, verifyStore } from '../kernel/inspect.js'
import { exitCodes } from './failure.js'
import { globalsOf, noTerminal, storeOf } from './globals.js'
import { print, printJson, table } from './output.js'
import { progressBar } from './progress.js'

/** Problems shown for one terminal; `--json` shows up to a thousand. */
const SHOWN_MAX = 20

interface Options {
  readonly anchor?: string
  readonly key: readonly string[]
  readonly archive?: string
}

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('verify')
    .summary('check journals: checksums, hash chain, sequence, invariants, counters')
    .description(
      'Checks checksums, hash chain, sequence, invariants and counters of one terminal ' +
        '(--terminal) or of a whole store. Takes no lock and writes nothing, so it runs beside a ' +
        'till that is selling. Exit 1 when anything is wrong.',
    )
    .option('--anchor <hash>', 'a hash of an earlier receipt or report that must still be there')
    .option('--key <hex>', 'a public key that is trusted to sign; may be given again', gather, [])
    .option('--archive <dir>', 'a folder of archives beside ROOT/archive')
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel verify --root ./store
  pos-kernel verify --root ./store --terminal REGISTER_01 --json
  pos-kernel verify --root ./store --key 5f0cd66fb4b2a6ce7a8a4ae7e4e4f6ce9e7d4ec3e9b0c2f1f9a0d6d5b2c1a0f9
  pos-kernel verify --root ./store --anchor 2ea7709455c91a8cba3ade21e15a4bba0264bd59f2ca17f99017d4cd0a214e00`,
    )
    .action(async (options: Options, command: Command) => {
      const globals = globalsOf(command)
      const root = storeOf(globals)
      const progress = progressBar('verifying', 'segments')
      const report = await verifyStore({
        root,
        terminal: globals.terminal,
        anchor: options.anchor,
        keys: options.key,
        archive: options.archive,
        onProgress: ({ segmentsDone, segments }) => progress.update(segmentsDone, segments),
      }).finally(() => progress.stop())
      if (report.terminals.length === 0) throw noTerminal(root)
      if (globals.json) printJson(report)
      else show(report)
      process.exitCode = report.ok ? exitCodes.done : exitCodes.refused
    })
}

function gather(key: string, keys: readonly string[]): readonly string[] {
  return [...keys, key]
}

function show({ ok, terminals }: VerifyReport): void {
  const head = ['terminal', 'records', 'segments', 'receipts', 'torn bytes', 'problems']
  const rows = terminals.map((terminal) => [
    terminal.id,
    terminal.records,
    terminal.segments,
    terminal.receipts,
    terminal.tornBytes,
    terminal.problemCount,
  ])
  table(head, rows)
  for (const { id, problems, problemCount } of terminals) {
    for (const { segment, offset, sequence, code, message } of problems.slice(0, SHOWN_MAX)) {
      const where = segment === 0 ? '' : ` segment ${segment} at byte ${offset},`
      print(`${id}:${where} record ${sequence}: ${code}: ${message}`)
    }
    const hidden = problemCount - Math.min(problemCount, SHOWN_MAX)
    if (hidden > 0) print(`${id}: ${hidden} more; --json shows up to a thousand`)
  }
  for (const { id, signing, archived, archiveSegments } of terminals) {
    if (archived !== undefined) {
      const read = `${archiveSegments} segments were read from an archive`
      print(`${id} archived up to segment ${archived.segment}; ${read}`)
    }
    if (signing === undefined) continue
    const { signatures, late, unsigned, signedSequence, algorithm, key } = signing
    const counts = `${signatures} receipts signed (${late} late), ${unsigned} unsigned`
    print(`${id} ${counts}; ${algorithm} ${key} vouches up to record ${signedSequence}`)
  }
  for (const { id, head: link } of terminals) print(`${id} head ${link}`)
  print(ok ? 'everything holds' : 'PROBLEMS FOUND: copy the store before anything else is done')
}
