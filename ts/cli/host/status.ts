/** `pos-kernel host status`: how the host and each app are. */
import type { Command } from 'commander'
import { askHost } from '../../host/supervisor/operator.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson, table } from '../output.js'
import { appHead, appRow, hostLine } from './text.js'

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('status')
    .summary('how the host and each app are')
    .description(
      'Tells how the host, its broker and each app are: state and why, memory and CPU beside their limits, event loop, ' +
        'restarts; of terminals their sales and journals. With --json as the supervisor says it.',
    )
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel host status --root ./store
  pos-kernel host status --root ./store --json`,
    )
    .action(async (_options: object, command: Command) => {
      const globals = globalsOf(command)
      const status = await askHost(storeOf(globals), 'status', {})
      if (globals.json) {
        printJson(status)
        return
      }
      const now = Date.now()
      print(hostLine(status, now))
      table(
        appHead,
        status.apps.map((app) => appRow(app, now)),
      )
    })
}
