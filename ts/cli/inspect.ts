/** `pos-kernel inspect`: the records of a journal, decoded, for people or as JSON lines. */
import { type Command, InvalidArgumentError } from 'commander'
import { inspectJournal, type JournalRecord } from '../kernel/inspect.js'
import { globalsOf, storeOf, terminalOf } from './globals.js'
import { note, stream } from './output.js'

interface Options {
  readonly from?: number
  readonly follow?: true
}

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('inspect')
    .summary('print the records of a journal, decoded')
    .description(
      'Prints the records of a journal, decoded: one JSON object a line with --json, one line for ' +
        'people without. Takes no lock. The terminal may be left out when the store has only one.',
    )
    .option('--from <sequence>', 'first record to print', sequenceOf)
    .option('--follow', 'wait for more at the end; Ctrl+C ends it')
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel inspect --root ./store --terminal REGISTER_01
  pos-kernel inspect --root ./store --terminal REGISTER_01 --from 1000 --json
  pos-kernel inspect --root ./store --follow`,
    )
    .action(async ({ from, follow }: Options, command: Command) => {
      const globals = globalsOf(command)
      const root = storeOf(globals)
      const terminal = terminalOf(globals)
      const ending = new AbortController()
      const end = () => ending.abort()
      if (follow) process.once('SIGINT', end).once('SIGTERM', end)
      const { signal } = ending
      const asLine = globals.json ? JSON.stringify : lineOf
      for await (const record of inspectJournal({ root, terminal, from, follow, signal })) {
        // For people it is no line of the journal.
        if ('code' in record && !globals.json) note(record.problem)
        else await stream(asLine(record))
      }
    })
}

function sequenceOf(text: string): number {
  const sequence = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(sequence) && sequence > 0) return sequence
  throw new InvalidArgumentError('It is not a whole number from 1.')
}

function lineOf(record: JournalRecord): string {
  if ('problem' in record) return `segment ${record.segment}: ${record.problem}`
  const { sequence, at, kind, fact, checkpoint, error, version } = record
  const fields = Object.entries(fact ?? checkpoint ?? {}).map(
    ([name, value]) => `${name}=${shown(value)}`,
  )
  if (error !== undefined) fields.push(`error=${error}`)
  if (version !== undefined) fields.push(`version=${version}`)
  return `${String(sequence).padStart(8)}  ${at}  ${String(kind).padEnd(16)}  ${fields.join(' ')}`
}

/** A text without blanks as it is, everything else as JSON: each field then ends at a blank. */
function shown(value: unknown): string {
  return typeof value === 'string' && !/[\s"]/.test(value) ? value : JSON.stringify(value)
}
