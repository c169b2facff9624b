/** `pos-kernel export`: journals in open formats, to be read and proved without this program. */
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type Command, Option } from 'commander'
import { posError } from '../kernel/errors.js'
import type { Business } from '../kernel/export.js'
import { listTerminals } from '../kernel/inspect.js'
import { type ExportSummary, formats } from './export/format.js'
import { exitCodes } from './failure.js'
import { globalsOf, noTerminal, storeOf } from './globals.js'
import { print, printJson, table } from './output.js'

interface Options {
  readonly format: string
  readonly out: string
  readonly archive?: string
  readonly business?: string
}

/** Registers the command. */
export function register(program: Command): void {
  const names = formats.map(({ name }) => name)
  const about = formats.map(({ name, about: text }) => `  ${name.padEnd(8)} ${text}`).join('\n')
  program
    .command('export')
    .summary('write journals in an open format')
    .description(
      'Writes the journal of one terminal (--terminal) or of a whole store in an open format, its ' +
        'archive included. Takes no lock. Exit 3 when something could not be read.',
    )
    .addOption(new Option('--format <name>', 'format').choices(names).makeOptionMandatory())
    .requiredOption('--out <dir>', 'folder to write into; it is made when it does not exist')
    .option('--archive <dir>', 'a folder of archives beside ROOT/archive')
    .option(
      '--business <file>',
      'JSON with name, street, postCode, city, country, taxNumber, vatId',
    )
    .addHelpText(
      'after',
      `
Formats:
${about}

Examples:
  pos-kernel export --root ./store --format jsonl --out ./export
  pos-kernel export --root ./store --terminal REGISTER_01 --format jsonl --out ./export --json
  pos-kernel export --root ./store --format dsfinvk --business ./business.json --out ./dsfinvk`,
    )
    .action(async (options: Options, command: Command) => {
      const globals = globalsOf(command)
      const root = storeOf(globals)
      const terminals = globals.terminal === undefined ? listTerminals(root) : [globals.terminal]
      if (terminals.length === 0) throw noTerminal(root)
      const format = formats.find(({ name }) => name === options.format)
      if (format === undefined) throw new Error(`there is no format ${options.format}`)
      const out = path.resolve(options.out)
      const business = options.business === undefined ? undefined : businessIn(options.business)
      mkdirSync(out, { recursive: true })
      const summary = await format.write({
        root,
        terminals,
        archive: options.archive,
        out,
        business,
      })
      const ok = summary.terminals.every(({ problems }) => problems.length === 0)
      if (globals.json) printJson({ ok, format: format.name, out, ...summary })
      else show(out, summary)
      process.exitCode = ok ? exitCodes.done : exitCodes.io
    })
}

/** Who runs the till, from a file; its names and values are the kernel's to judge. */
function businessIn(file: string): Business {
  const wrong = (why: string) =>
    posError('PK_E_BAD_CONFIG', `${file} cannot be read as JSON: ${why}`, { path: file })
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Business
  } catch (fault) {
    throw wrong(fault instanceof Error ? fault.message : String(fault))
  }
}

function show(out: string, { files, terminals }: ExportSummary): void {
  table(
    ['file', 'bytes', 'sha256'],
    files.map(({ file, bytes, sha256 }) => [file, bytes, sha256]),
  )
  for (const { id, records, head, problems } of terminals) {
    print(`${id}: ${records} records, head ${head}`)
    for (const problem of problems) print(`${id}: ${problem}`)
  }
  print(`written to ${out}`)
}
