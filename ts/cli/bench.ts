/**
 * `pos-kernel bench`: our sale beside other stores, a store of many registers beside one, our minimiser
 * beside the C program, a hundred terminals beside bare processes, each in one run; what rules cost; and the host.
 * Needs a checkout of the repository.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Command, Option } from 'commander'
import { posError } from '../kernel/errors.js'
import { exitCodes } from './failure.js'
import { globalsOf } from './globals.js'

/** The benchmarks, and the options that each of them knows. */
const benches = {
  sale: ['quick', 'long', 'rounds', 'seconds', 'dir', 'nativeOnly', 'nodeOnly'],
  store: ['quick', 'rounds', 'seconds', 'dir', 'nativeOnly', 'nodeOnly'],
  logic: ['quick', 'exact', 'table', 'rounds'],
  terminals: ['quick', 'seconds', 'terminals'],
  service: ['quick', 'rounds', 'seconds', 'dir'],
  rules: [],
  messages: ['quick'],
  host: ['quick'],
} as const satisfies Record<string, readonly (keyof BenchOptions)[]>

const names = Object.keys(benches) as (keyof typeof benches)[]

interface BenchOptions {
  readonly quick?: boolean
  readonly long?: boolean
  readonly exact?: boolean
  readonly table?: boolean
  readonly nativeOnly?: boolean
  readonly nodeOnly?: boolean
  readonly rounds?: string
  readonly seconds?: string
  readonly dir?: string
  readonly terminals?: string
}

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('bench')
    .argument('[name]', `which benchmark: ${names.join(', ')}`, 'sale')
    .argument('[part]', 'host: one part of it alone, as bus')
    .summary(
      'measure sales beside other stores, the minimiser beside the C program, messages beside sockets',
    )
    .description(
      'sale: rings up the same sales in pos-kernel and in the stores that a till could use ' +
        'instead, natively and from Node, in interleaved rounds on one disk. store: a store process ' +
        'of 64 registers beside one that waits for each sale, the same way. logic: minimises the ' +
        'same tables with pos-kernel and with the C program of 1988, file by file and in turns. ' +
        'terminals: a hundred terminal processes in C and in Node, their memory and idle time. ' +
        'service: sells through the kernel service from eight processes, beside one process on its ' +
        'own terminals. ' +
        'rules: compiles rule tables of up to 1,500 rows and asks them. ' +
        'messages: messages between terminals beside bare sockets. ' +
        'host: the process host, part by part, with its gates; bus is the bus between apps. ' +
        'Builds the peers first, which takes many minutes once. Every ratio is between figures of ' +
        'one run.',
    )
    .option('--quick', 'short rounds, to see that everything works; the figures mean little')
    .option('--rounds <n>', 'interleaved rounds; 4 (sale, store) or 3 when left out')
    .option('--exact', 'logic: the proofs of the exact modes too, half an hour')
    .option('--table', 'logic: the normal mode only, every file beside the C program')
    .option('--long', 'sale: recovery of a million sales too')
    .option(
      '--seconds <s>',
      'sale, store: selling time in a round, 1; service: 2; terminals: idle time, 20',
    )
    .option(
      '--dir <dir>',
      'sale, store, service: a folder on the disk; bench/results when left out',
    )
    .option('--terminals <n>', 'terminals: how many processes; 100 when left out')
    .addOption(
      new Option('--native-only', 'sale, store: only the native side').conflicts('nodeOnly'),
    )
    .addOption(new Option('--node-only', 'sale, store: only the Node side'))
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel bench sale
  pos-kernel bench sale --quick --node-only
  pos-kernel bench sale --json > results.json
  pos-kernel bench store
  pos-kernel bench logic
  pos-kernel bench rules
  pos-kernel bench host bus`,
    )
    .action(
      async (name: string, part: string | undefined, options: BenchOptions, command: Command) => {
        checkUsage(name, part, options)
        const script = fileURLToPath(new URL(`../../bench/${name}.mjs`, import.meta.url))
        if (!existsSync(script)) {
          const message = `${script} is not there: benchmarks run in a checkout of the repository`
          throw posError('PK_E_NOT_FOUND', message, { path: script })
        }
        const args = [
          script,
          ...(part === undefined ? [] : [part]),
          ...flags(options, globalsOf(command).json),
        ]
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
        const [code] = await once(child, 'exit')
        process.exitCode = code === 0 ? exitCodes.done : exitCodes.io
      },
    )
}

/** There is such a benchmark, and it knows the options that were given. */
function checkUsage(name: string, part: string | undefined, options: BenchOptions): void {
  const bench = names.find((known) => known === name)
  if (bench === undefined) {
    const message = `there is no benchmark "${name}"; there are ${names.join(', ')}`
    throw posError('PK_E_BAD_ARGUMENT', message, { argument: 'name', value: name, allowed: names })
  }
  if (part !== undefined && bench !== 'host') {
    const message = `bench ${name} has no parts; "${part}" is one word too many`
    throw posError('PK_E_BAD_ARGUMENT', message, { argument: 'part', value: part })
  }
  const known: readonly string[] = benches[bench]
  const other = Object.keys(options).find((option) => option in optionOf && !known.includes(option))
  if (other === undefined) return
  const argument = optionOf[other as keyof BenchOptions]
  const message = `bench ${name} has no option ${argument}; see pos-kernel bench --help`
  throw posError('PK_E_BAD_ARGUMENT', message, { argument })
}

/** The options as they stand on the line. */
const optionOf: Record<keyof BenchOptions, string> = {
  quick: '--quick',
  long: '--long',
  exact: '--exact',
  table: '--table',
  nativeOnly: '--native-only',
  nodeOnly: '--node-only',
  rounds: '--rounds',
  seconds: '--seconds',
  dir: '--dir',
  terminals: '--terminals',
}

function flags(options: BenchOptions, json: boolean | undefined): string[] {
  const given = Object.entries(optionOf).flatMap(([name, flag]) => {
    const value = options[name as keyof BenchOptions]
    if (value === undefined || value === false) return []
    return value === true ? [flag] : [flag, value]
  })
  return json ? [...given, '--json'] : given
}
