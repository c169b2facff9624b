/** `pos-kernel host report [INSTANCE]`: crash reports, read without a host that runs. */
import type { Command } from 'commander'
import { listReports, readReport } from '../../host/dashboard/report.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson, table } from '../output.js'
import { printable } from './text.js'

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('report')
    .argument('[instance]', 'a run, as the list names it')
    .summary('crash reports: the list, or one to read')
    .description(
      'Lists the crash reports of a store, latest first, or prints one: why the run ended, what was measured before, its last ' +
        'events, its stack, what it printed. Needs no host that runs.',
    )
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel host report --root ./store
  pos-kernel host report till-01.3 --root ./store`,
    )
    .action(async (instance: string | undefined, _options: object, command: Command) => {
      const globals = globalsOf(command)
      const root = storeOf(globals)
      if (instance === undefined) {
        const reports = await listReports(root)
        if (globals.json) printJson(reports)
        else if (reports.length === 0) print('no run has failed')
        else {
          const rows = reports.map((it) => [
            it.instance,
            new Date(it.at).toISOString(),
            it.reason,
            it.sentence,
          ])
          table(['instance', 'at', 'reason', 'what happened'], rows)
        }
        return
      }
      const report = await readReport(root, instance)
      if (globals.json) printJson(report)
      else for (const { name, text } of report.parts) print(`== ${name}\n${printable(text)}`)
    })
}
