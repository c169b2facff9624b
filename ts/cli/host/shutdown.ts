/** `pos-kernel host shutdown`: all apps in order, then the host. */
import type { Command } from 'commander'
import { askHost } from '../../host/supervisor/operator.js'
import { exitCodes } from '../failure.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson, table } from '../output.js'
import { secondsOf } from '../store/options.js'

interface Options {
  readonly deadline?: number
  readonly reason?: string
}

const waitMs = 300_000

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('shutdown')
    .summary('end all apps in order, then the host')
    .description(
      'Apps drain, those that others depend on last; who is not done by the deadline is ended. Prints who acknowledged. Exits ' +
        'with 1 when one had to be ended.',
    )
    .option(
      '--deadline <seconds>',
      'time for all of it; as the manifest says unless given',
      secondsOf,
    )
    .option('--reason <text>', 'why, for the apps and the events')
    .addHelpText('after', '\nExample:\n  pos-kernel host shutdown --root ./store --deadline 30')
    .action(async ({ deadline, reason }: Options, command: Command) => {
      const globals = globalsOf(command)
      const argument = {
        ...(deadline !== undefined && { deadlineMs: deadline }),
        ...(reason !== undefined && { reason }),
      }
      const timeoutMs = (deadline ?? 0) + waitMs
      const result = await askHost(storeOf(globals), 'shutdown', argument, { timeoutMs })
      const ended = result.ended.filter(({ acknowledged }) => !acknowledged)
      if (globals.json) {
        printJson({ ok: ended.length === 0, ...result })
      } else {
        table(
          ['app', 'instance', 'reason', 'acknowledged', 'ms'],
          result.ended.map((app) => [
            app.uuid,
            app.instance,
            app.reason,
            app.acknowledged ? 'yes' : 'no',
            Math.round(app.ms),
          ]),
        )
        print(`the host has ended in ${Math.round(result.ms)} ms`)
      }
      if (ended.length > 0) process.exitCode = exitCodes.refused
    })
}
