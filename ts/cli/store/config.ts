/** `pos-kernel store config`: shows the configuration of a store, or sets the next one. */
import { type Command, Option } from 'commander'
import { configureStore } from '../../kernel/manage-store.js'
import { storeConfig } from '../../kernel/store-state.js'
import { exitCodes } from '../failure.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson } from '../output.js'
import { asManager } from './announcer.js'
import { numberOf, objectOf, secondsOf } from './options.js'

interface Options {
  readonly set?: Readonly<Record<string, unknown>>
  readonly effectiveAt?: string
  readonly revision?: number
  readonly wait: number
}

/** Registers the command. */
export function register(store: Command): void {
  store
    .command('config')
    .summary('show the configuration of a store, or set the next one')
    .description(
      'Shows the configuration of a store. With --set it replaces it: the next version is written, all ' +
        'terminals are told, and each journals it when it takes effect. Exits with 1 when an open ' +
        'terminal has not received it in time.',
    )
    .option('--set <json>', 'the values, as a JSON object; @FILE reads them from a file', objectOf)
    .option('--effective-at <moment>', 'when it takes effect, such as 2026-11-26T12:00:00.000Z')
    .option('--revision <n>', 'its version, higher than the last; else the next', numberOf)
    .addOption(
      new Option('--wait <seconds>', 'wait for the terminals')
        .argParser(secondsOf)
        .default(5000, '5'),
    )
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel store config --root ./store
  pos-kernel store config --set '{"receiptFooter":"Danke"}' --root ./store`,
    )
    .action(async ({ set, effectiveAt, revision, wait }: Options, command: Command) => {
      const globals = globalsOf(command)
      if (set === undefined) {
        const config = await storeConfig(storeOf(globals))
        if (globals.json) printJson(config)
        else print(config === null ? 'nothing is configured' : JSON.stringify(config, undefined, 2))
        return
      }
      const report = await asManager(globals, (manager) =>
        configureStore(manager, {
          values: set,
          version: revision,
          ...(effectiveAt !== undefined && { effectiveAt }),
          deadlineMs: wait,
        }),
      )
      const { config, acknowledged, stragglers } = report
      if (globals.json) {
        printJson(report)
      } else {
        print(`version ${config.version} takes effect at ${config.effectiveAt}`)
        print(`${acknowledged.length} terminals have received it`)
        if (stragglers.length > 0) print(`not yet: ${stragglers.join(', ')}`)
      }
      if (stragglers.length > 0) process.exitCode = exitCodes.refused
    })
}
