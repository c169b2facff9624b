/** `pos-kernel host dashboard`: a dashboard by itself, for a host that runs elsewhere or is yet to come. */
import { once } from 'node:events'
import { type Command, InvalidArgumentError } from 'commander'
import { startDashboard } from '../../host/dashboard/dashboard.js'
import { globalsOf, storeOf } from '../globals.js'
import { note, print, printJson } from '../output.js'

interface Options {
  readonly port?: number
}

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('dashboard')
    .summary('serve the dashboard of a host')
    .description(
      'Serves the dashboard of the store at the loopback address until it is interrupted. It waits for a host, and for the ' +
        'next one. The address that it prints has the key behind its #: whoever opens it may press every button.',
    )
    .option('--port <n>', 'port; any that is free unless given', portOf)
    .addHelpText('after', '\nExample:\n  pos-kernel host dashboard --root ./store --port 8600')
    .action(async ({ port }: Options, command: Command) => {
      const globals = globalsOf(command)
      const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
      const dashboard = await startDashboard({
        root: storeOf(globals),
        ...(port !== undefined && { port }),
      })
      if (globals.json)
        printJson({ state: 'serving', address: dashboard.address, key: dashboard.key })
      else print(dashboard.address)
      await stopped
      await dashboard.stop()
      if (!globals.json) note('stopped')
    })
}

/** A port of TCP; 0 is any that is free. */
export function portOf(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port < 65_536) return port
  throw new InvalidArgumentError('Give a port, 0 to 65535.')
}
