/** Runs the lines of a script: each is answered, and a refusal is an answer too. */
import { isPosError } from '../../kernel/errors.js'
import { openAt, type TerminalOptions } from '../../kernel/terminal.js'
import { Interpreter } from '../../script/interpreter.js'
import { nameOf, operationOf, parseLine } from '../../script/operation.js'
import { asKnown, exitCodeOf, exitCodes } from '../failure.js'
import { streamJson } from '../output.js'
import { linesOf, type SourceLine } from './lines.js'

/** What to run, and how. */
export interface Script {
  readonly source: AsyncIterable<Buffer>
  readonly terminal: TerminalOptions
  /** The first refusal ends it. */
  readonly isStrict: boolean
  /** `setClock` is allowed. */
  readonly hasTestClock: boolean
}

/** Runs a script to its end and sets the exit code. The terminal is closed whatever happens. */
export async function runScript(script: Script): Promise<void> {
  const { terminal, hasTestClock } = script
  const interpreter = new Interpreter({
    open: (wallNs) => openAt(terminal, wallNs),
    hasTestClock,
    mayReadFiles: true,
  })
  try {
    await answerAll(interpreter, script)
  } finally {
    await interpreter.close()
  }
}

async function answerAll(interpreter: Interpreter, { source, isStrict }: Script): Promise<void> {
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
