/** `pos-kernel store shutdown`: announces it, waits, and says who has not ended. */
import { type Command, Option } from 'commander'
import { shutDownStore } from '../../kernel/manage-store.js'
import { exitCodes } from '../failure.js'
import { globalsOf } from '../globals.js'
import { note, print, printJson } from '../output.js'
import { asManager } from './announcer.js'
import { secondsOf } from './options.js'

interface Options {
  readonly reason: string
  readonly grace: number
  readonly deadline?: number
}

/** Registers the command. */
export function register(store: Command): void {
  store
    .command('shutdown')
    .summary('announce a shutdown and wait until all terminals have ended')
    .description(
      'Announces a shutdown to every terminal: none begins a sale any more, open ones are finished or ' +
        'suspended, everything is synced, and each says so by closing. Nobody is stopped by force: who ' +
        'has not ended at the deadline is named, and the exit code is 1.',
    )
    .option('--reason <text>', 'why, for the journals', 'shutdown')
    .addOption(
      new Option('--grace <seconds>', 'how long open sales may be finished')
        .argParser(secondsOf)
        .default(5000, '5'),
    )
    .option('--deadline <seconds>', 'how long to wait; the grace and 10 s when left out', secondsOf)
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel store shutdown --root ./store --grace 300 --reason "scheduled maintenance"
  pos-kernel store shutdown --root ./store --json`,
    )
    .action(async ({ reason, grace, deadline }: Options, command: Command) => {
      const globals = globalsOf(command)
      const report = await asManager(globals, (manager) =>
        shutDownStore(manager, {
          reason,
          graceMs: grace,
          deadlineMs: deadline,
          onEnded: (terminal, state) => note(`${terminal} is ${state}`),
        }),
      )
      const { terminals, acknowledged, closed, crashed, stragglers, tookMs } = report
      if (globals.json) {
        printJson(report)
      } else {
        print(`${terminals.length} terminals, ${acknowledged.length} acknowledged, in ${tookMs} ms`)
        print(`closed: ${closed.length}`)
        if (crashed.length > 0) print(`crashed: ${crashed.join(', ')}`)
        if (stragglers.length > 0) print(`still open: ${stragglers.join(', ')}`)
      }
      if (stragglers.length > 0) process.exitCode = exitCodes.refused
    })
}
