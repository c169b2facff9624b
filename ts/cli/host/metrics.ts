/** `pos-kernel host metrics`: the host in the text format of Prometheus. */
import type { Command } from 'commander'
import { prometheusText } from '../../host/monitor/prometheus.js'
import { askHost } from '../../host/supervisor/operator.js'
import { globalsOf, storeOf } from '../globals.js'
import { printJson } from '../output.js'

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('metrics')
    .summary('the figures of the host as Prometheus text')
    .description(
      'Prints the figures of the host and of every app in the text format of Prometheus, for a collector that reads files; ' +
        'the dashboard serves the same at /metrics. With --json as {"text"}.',
    )
    .addHelpText('after', '\nExample:\n  pos-kernel host metrics --root ./store > host.prom')
    .action(async (_options: object, command: Command) => {
      const globals = globalsOf(command)
      const text = prometheusText(await askHost(storeOf(globals), 'status', {}))
      if (globals.json) printJson({ ok: true, text })
      else process.stdout.write(text)
    })
}
