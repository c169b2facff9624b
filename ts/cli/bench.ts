/** `pos-kernel bench`: our sale beside other stores, in one run. Needs a checkout of the repository. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Command, Option } from 'commander'
import { posError } from '../kernel/errors.js'
import { exitCodes } from './failure.js'
import { globalsOf } from './globals.js'

const names = ['sale'] as const

interface BenchOptions {
  readonly quick?: boolean
  readonly long?: boolean
  readonly nativeOnly?: boolean
  readonly nodeOnly?: boolean
  readonly rounds?: string
  readonly seconds?: string
  readonly dir?: string
}

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('bench')
    .argument('[name]', `which benchmark: ${names.join(', ')}`, 'sale')
    .summary('measure a sale beside SQLite, LMDB, LevelDB and RocksDB')
    .description(
      'Rings up the same sales in pos-kernel and in the stores that a till could use instead, ' +
        'natively and from Node, in interleaved rounds on one disk. Builds the other stores first, ' +
        'which takes many minutes once. Every ratio is between figures of one run.',
    )
    .option('--quick', 'two short rounds, to see that everything works; the figures mean little')
    .option('--long', 'recovery of a million sales too')
    .option('--rounds <n>', 'interleaved rounds; 4 when left out')
    .option('--seconds <s>', 'selling time of one store in one round; 1 when left out')
    .option('--dir <dir>', 'a folder on the disk to measure; bench/results when left out')
    .addOption(new Option('--native-only', 'only the native side').conflicts('nodeOnly'))
    .addOption(new Option('--node-only', 'only the Node side'))
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel bench sale
  pos-kernel bench sale --quick --node-only
  pos-kernel bench sale --json > results.json`,
    )
    .action(async (name: string, options: BenchOptions, command: Command) => {
      if (!names.some((known) => known === name)) {
        throw posError('PK_E_BAD_ARGUMENT', `there is no benchmark "${name}"; there is "sale"`, {
          argument: 'name',
          value: name,
        })
      }
      const script = fileURLToPath(new URL(`../../bench/${name}.mjs`, import.meta.url))
      if (!existsSync(script)) {
        const message = `${script} is not there: benchmarks run in a checkout of the repository`
        throw posError('PK_E_NOT_FOUND', message, { path: script })
      }
      const child = spawn(process.execPath, [script, ...flags(options, globalsOf(command).json)], {
        stdio: ['ignore', 'inherit', 'inherit'],
      })
      const [code] = await once(child, 'exit')
      process.exitCode = code === 0 ? exitCodes.done : exitCodes.io
    })
}

function flags(options: BenchOptions, json: boolean | undefined): string[] {
  const { quick, long, nativeOnly, nodeOnly, rounds, seconds, dir } = options
  const switches: [string, boolean | undefined][] = [
    ['--quick', quick],
    ['--long', long],
    ['--native-only', nativeOnly],
    ['--node-only', nodeOnly],
    ['--json', json],
  ]
  const texts: [string, string | undefined][] = [
    ['--rounds', rounds],
    ['--seconds', seconds],
    ['--dir', dir],
  ]
  return [
    ...switches.filter(([, on]) => on).map(([flag]) => flag),
    ...texts.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value])),
  ]
}
