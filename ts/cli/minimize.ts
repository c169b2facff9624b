/** `pos-kernel minimize FILE.pla|-`: a PLA in, the smallest one that is found for it out. */
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { type Command, Option } from 'commander'
import { posError } from '../kernel/errors.js'
import {
  type Minimized,
  type MinimizeMode,
  type MinimizeProgress,
  minimize,
} from '../kernel/logic.js'
import { globalsOf } from './globals.js'
import { note, print, printJson } from './output.js'

interface MinimizeCommand {
  readonly exact?: true
  readonly fast?: true
  readonly strong?: true
  readonly out?: string
  readonly stats?: true
  readonly many?: true
  readonly write: 'f' | 'fd' | 'fr' | 'fdr'
  readonly timeLimit?: number
  readonly memoryLimit?: number
  readonly threads?: number
}

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('minimize')
    .argument('<file>', 'a PLA file; "-" reads standard input')
    .summary('minimise a logic table')
    .description(
      'Reads a PLA (all types, multi-valued inputs, labels) and writes the smallest table with the ' +
        'same meaning that it finds, with the labels of the input. Every answer is compared with ' +
        'its question before it is written.',
    )
    .addOption(
      new Option('--exact', 'prove the minimum, or say how close it is').conflicts([
        'fast',
        'strong',
      ]),
    )
    .addOption(new Option('--fast', 'one pass only').conflicts('strong'))
    .option('--strong', 'many more rounds than without it')
    .option('--out <file>', 'where to write the table; standard output when left out')
    .option('--stats', 'say what it cost and what came of it')
    .option('--many', 'the file holds several functions, each ended by .e; the answers follow')
    .addOption(
      new Option('--write <type>', 'the sets that the table lists: f on, d either, r off')
        .choices(['f', 'fd', 'fr', 'fdr'])
        .default('f'),
    )
    .option('--time-limit <seconds>', 'end with the best answer after this time', seconds)
    .option(
      '--memory-limit <mib>',
      'memory that covers may take, in MiB; 1024 when left out',
      mebibytes,
    )
    .option('--threads <n>', 'threads; the answer has the same bytes for any number', threads)
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel minimize rules.pla --stats
  pos-kernel minimize rules.pla --exact --time-limit 60 --out smallest.pla
  pos-kernel minimize tables.pla --many --out smallest.pla
  cat rules.pla | pos-kernel minimize - --stats --json`,
    )
    .action(async (file: string, options: MinimizeCommand, command: Command) => {
      const { out, stats } = options
      const isJson = globalsOf(command).json === true
      const given = file === '-' ? await buffer(process.stdin) : await readFile(file)
      const answers: Minimized[] = []
      for (const table of options.many ? functionsOf(given) : [given]) {
        answers.push(await answerOf(file, table, options))
      }
      const pla = answers.map((answer) => answer.pla).join('')
      if (out !== undefined) await put(out, pla)
      if (isJson) {
        const isTextAsked = stats === undefined && out === undefined
        const documents = answers.map((answer) => ({
          ...figures(answer),
          ...(isTextAsked && { pla: answer.pla }),
        }))
        printJson(options.many ? { functions: documents } : (documents[0] as object))
        return
      }
      if (out === undefined) process.stdout.write(pla)
      // Where the table itself goes to standard output, nothing else may.
      const tellStats = out === undefined ? note : print
      if (stats) for (const answer of answers) for (const line of sentences(answer)) tellStats(line)
    })
}

async function answerOf(
  file: string,
  table: Uint8Array,
  options: MinimizeCommand,
): Promise<Minimized> {
  const answer = await minimize(table, {
    mode: modeOf(options),
    write: options.write,
    timeLimitMs: options.timeLimit,
    memoryLimitBytes: options.memoryLimit,
    threads: options.threads,
    onProgress: process.stderr.isTTY ? tell : undefined,
  })
  for (const text of answer.notes) note(`${file}: ${text}`)
  if (answer.stoppedEarly) note('a limit ended the run: a longer one may find fewer products')
  return answer
}

/**
 * The functions of a file, one by one. Each begins with as many empty lines as there are lines before
 * it, so that an error says the line of the file.
 */
function* functionsOf(file: Buffer): Generator<Buffer> {
  // One character a byte, so that every byte comes out as it went in.
  const lines = file.toString('latin1').split('\n')
  let first = 0
  for (let end = 1; end <= lines.length; end += 1) {
    const isLast = end === lines.length
    if (!isLast && !/^\s*\.(e|end)\s*(#|$)/.test(lines[end - 1] as string)) continue
    const own = lines.slice(first, end)
    // Nothing but blanks after the last function is no function; an empty file is one that says so.
    if (first === 0 || own.some((line) => /^\s*[^\s#]/.test(line))) {
      yield Buffer.from(`${'\n'.repeat(first)}${own.join('\n')}\n`, 'latin1')
    }
    first = end
  }
}

function modeOf({ exact, fast, strong }: MinimizeCommand): MinimizeMode {
  if (exact) return 'exact'
  if (fast) return 'fast'
  return strong ? 'strong' : 'normal'
}

function tell({ phase, products }: MinimizeProgress): void {
  note(`${phase}: ${products} products`)
}

/** The document of `--stats --json`. */
function figures(answer: Minimized) {
  const { layout, type, productsIn, productsOut, literalsIn, literalsOut } = answer
  const { proved, seconds, verified } = answer
  return {
    inputs: layout.binary + layout.valued.length,
    outputs: layout.outputs,
    type,
    productsIn,
    productsOut,
    literalsIn,
    literalsOut,
    exact: proved,
    seconds,
    verified,
  }
}

function sentences(answer: Minimized): string[] {
  const { layout, type, productsIn, productsOut, literalsIn, literalsOut } = answer
  const valued = layout.valued.length === 0 ? '' : `, values ${layout.valued.join(' ')}`
  const bound = answer.proved ? 'a minimum' : `no table has fewer than ${answer.lowerBound}`
  const literals = (['in', 'mv', 'out'] as const).map(
    (part) => `${part} ${literalsIn[part]} -> ${literalsOut[part]}`,
  )
  return [
    `type      ${type}, ${layout.binary} binary inputs${valued}, ${layout.outputs} outputs`,
    `products  ${productsIn} -> ${productsOut}, ${bound}`,
    `literals  ${literals.join(', ')}`,
    `seconds   ${answer.seconds.toFixed(6)}, verified`,
  ]
}

/** Writes a file that is never seen half-written. What is no regular file is written as it is. */
async function put(file: string, content: string): Promise<void> {
  const there = await stat(file).catch(() => undefined)
  if (there !== undefined && !there.isFile()) return writeFile(file, content)
  const draft = `${file}.${randomUUID()}.tmp`
  try {
    await writeFile(draft, content, { flush: true, flag: 'wx' })
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

function seconds(given: string): number {
  return Math.ceil(positive('--time-limit', given, 'seconds') * 1000)
}

function mebibytes(given: string): number {
  return Math.ceil(positive('--memory-limit', given, 'MiB') * 1024 * 1024)
}

function threads(given: string): number {
  return positive('--threads', given, 'threads')
}

function positive(argument: string, given: string, unit: string): number {
  const value = Number(given)
  if (given.trim() !== '' && value > 0 && value < 1e9) return value
  const message = `${argument} ${given} is not a number of ${unit} above 0`
  throw posError('PK_E_BAD_ARGUMENT', message, { argument, value: given })
}
