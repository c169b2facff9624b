#!/usr/bin/env node
/**
 * `pos-kernel <command> [--root DIR] [--terminal ID] [--json]`.
 *
 * What lives here: the list of commands, the options that all of them share, and the one place
 * where a failure becomes an exit code. What must not: the work of any command; each has a file of
 * its own beside this one, with a function `register`.
 *
 * With `--json`, stdout carries JSON and nothing else, errors included; notes and progress go to
 * stderr. Read `failure.ts` for the exit codes.
 */
import { Command, CommanderError } from 'commander'
import { posError } from '../kernel/errors.js'
import { packageVersion } from '../kernel/inspect.js'
import { register as registerAnchor } from './anchor.js'
import { register as registerArchive } from './archive.js'
import { register as registerBench } from './bench.js'
import { register as registerDoctor } from './doctor.js'
import { register as registerExport } from './export.js'
import { exitCodes, fail } from './failure.js'
import { register as registerHost } from './host.js'
import { register as registerInspect } from './inspect.js'
import { register as registerMinimize } from './minimize.js'
import { register as registerReplay } from './replay.js'
import { register as registerRules } from './rules.js'
import { register as registerScript } from './script.js'
import { register as registerStore } from './store.js'
import { register as registerVerify } from './verify.js'

// A reader that has seen enough (`| head`) is no failure. What was acknowledged is in the journal.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})

const isJson = process.argv.includes('--json')

const program = new Command('pos-kernel')
  .description(
    'A point-of-sale kernel that does not lose a sale: commands for its journals and rules.',
  )
  .version(packageVersion(), '--version', 'print the version')
  .option('--root <dir>', 'root folder of the store (else POS_KERNEL_ROOT, else ./pos_kernel_data)')
  .option('--terminal <id>', 'terminal id (else POS_TERMINAL_ID, else as each command says)')
  .option('--json', 'print JSON and nothing else on stdout')
  .helpOption('--help', 'print help for a command')
  .helpCommand('help [command]', 'print help for a command')
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 the thing checked is bad or the operation was refused, 2 wrong usage,
3 I/O or damage.

Examples:
  pos-kernel doctor --root ./store
  pos-kernel verify --root ./store
  echo '{"op":"status"}' | pos-kernel script - --root ./store --terminal TILL_01`,
  )
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()
  .configureOutput({
    writeErr: (text) => {
      if (!isJson) process.stderr.write(text)
    },
  })

registerReplay(program)
registerScript(program)
registerVerify(program)
registerInspect(program)
registerRules(program)
registerExport(program)
registerAnchor(program)
registerArchive(program)
registerDoctor(program)
registerStore(program)
registerHost(program)
registerMinimize(program)
registerBench(program)

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) fail(error, isJson)
  else if (error.exitCode !== 0 || error.code === 'commander.help') misuse(error)
}

/** Wrong usage: commander has already said what on stderr, unless JSON was asked for. */
function misuse(error: CommanderError): void {
  if (isJson) {
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
    fail(posError('PK_E_BAD_ARGUMENT', `${message}; see pos-kernel --help`, {}), isJson)
  }
  process.exitCode = exitCodes.usage
}
