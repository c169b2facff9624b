/** `pos-kernel script`: operations, one JSON object a line, on one terminal; one answer a line. */
import { createReadStream } from 'node:fs'
import { type Command, Option } from 'commander'
import { isPosError } from '../kernel/errors.js'
import type { Durability } from '../kernel/terminal.js'
import { asKnown, exitCodeOf, exitCodes } from './failure.js'
import { globalsOf } from './globals.js'
import { streamJson } from './output.js'
import { Interpreter } from './script/interpreter.js'
import { linesOf, type SourceLine } from './script/lines.js'
import { nameOf, operationOf, parseLine } from './script/operation.js'

interface Options {
  readonly strict?: true
  readonly durability?: Durability
  readonly testClock?: true
}

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('script')
    .summary('run operations from a file or stdin on one terminal')
    .description(
      'Runs operations, one JSON object a line, on one terminal, and prints one answer a line: ' +
        '{"ok":true,"op":...} or {"ok":false,"op":...,"code":...,"message":...,"facts":{...}}. A ' +
        'refused operation changes nothing and the script goes on.',
    )
    .argument('<file>', 'the script; - reads stdin')
    .option('--strict', 'stop at the first refusal with exit 1')
    .addOption(
      new Option('--durability <mode>', 'when calls are acknowledged').choices(['record', 'sale']),
    )
    .option('--test-clock', 'allow the operation setClock (for tests)')
    .addHelpText(
      'after',
      `
Operations: begin, addLine, setQuantity, voidLine, tender, confirmTender, declineTender, voidTender,
totals, complete, void, close, sell, receipt, openSales, counters, status. "sale" may be left out
when exactly one is open.

Examples:
  pos-kernel script morning.jsonl --root ./store --terminal REGISTER_01
  pos-kernel script - --root ./store --terminal REGISTER_01 --strict <<'END'
  {"op":"begin","store":"corner-shop","currency":"EUR"}
  {"op":"addLine","sku":"coffee","quantity":2,"unitPrice":320}
  {"op":"tender","kind":"cash","amount":1000}
  {"op":"complete"}
  END`,
    )
    .action(async (file: string, options: Options, command: Command) => {
      const { root, terminal } = globalsOf(command)
      const { durability } = options
      const source: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file)
      const interpreter = new Interpreter(
        { root, id: terminal, durability },
        options.testClock === true,
      )
      try {
        await runScript(interpreter, source, options.strict === true)
      } finally {
        await interpreter.close()
      }
    })
}

async function runScript(
  interpreter: Interpreter,
  source: AsyncIterable<Buffer>,
  isStrict: boolean,
): Promise<void> {
  for await (const line of linesOf(source)) {
    const { answer, error } = await answerTo(interpreter, line)
    await streamJson(answer)
    if (error === undefined) continue
    if (endsScript(error)) {
      process.exitCode = exitCodeOf(error)
      return
    }
    if (isStrict) {
      process.exitCode = exitCodes.refused
      return
    }
  }
}

/** Runs one line; a refusal is an answer too. */
async function answerTo(interpreter: Interpreter, line: SourceLine) {
  let op: string | undefined
  try {
    if ('error' in line) throw line.error
    const value = parseLine(line.text, line.number)
    op = nameOf(value)
    const operation = operationOf(value, line.number)
    return { answer: { ok: true, op, ...(await interpreter.run(operation)) } }
  } catch (thrown) {
    const error = asKnown(thrown)
    const { ok, code, message, facts } = error.toJSON()
    return { answer: { ok, ...(op !== undefined && { op }), code, message, facts }, error }
  }
}

/** A terminal that cannot be opened, or is damaged or out of action, answers nothing any more. */
function endsScript(error: unknown): boolean {
  if (!isPosError(error)) return true
  switch (error.family) {
    case 'lock':
    case 'internal':
      return true
    case 'storage':
      return error.code !== 'PK_E_NO_SPACE'
    case 'money':
    case 'state':
    case 'input':
      return error.code === 'PK_E_BAD_ID' || error.code === 'PK_E_BAD_CONFIG'
  }
}
