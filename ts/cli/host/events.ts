/** `pos-kernel host events`: what happened, and what happens. */
import type { Command } from 'commander'
import { Operator } from '../../host/supervisor/operator.js'
import type { HostEvent } from '../../host/supervisor/status.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson } from '../output.js'
import { numberOf } from '../store/options.js'
import { eventLine } from './text.js'

interface Options {
  readonly follow?: true
  readonly last: number
  readonly app?: string
}

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('events')
    .summary('what happened, and with --follow what happens')
    .description(
      'Prints the latest events of the host, oldest first. With --follow it goes on until it is interrupted or the host ' +
        'ends. With --json one event a line.',
    )
    .option('--last <n>', 'how many of those that were, at most 1000', numberOf, 50)
    .option('--app <uuid>', 'of this app alone')
    .option('--follow', 'go on with what happens')
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel host events --root ./store --app till-01
  pos-kernel host events --root ./store --follow --json`,
    )
    .action(async (options: Options, command: Command) => {
      const globals = globalsOf(command)
      const show = (event: HostEvent) => {
        if (options.app !== undefined && event.uuid !== options.app) return
        if (globals.json) printJson(event)
        else print(eventLine(event))
      }
      await run(storeOf(globals), options, show)
    })
}

async function run(root: string, options: Options, show: (event: HostEvent) => void) {
  const seen = new Set<number>()
  const once = (event: HostEvent) => {
    if (seen.has(event.seq)) return
    seen.add(event.seq)
    show(event)
  }
  // What happens while the past is asked for comes after it.
  let waiting: HostEvent[] | undefined = []
  let ended = () => {}
  const end = new Promise<void>((resolve) => {
    ended = resolve
  })
  const operator = await Operator.connect(root, {
    onEvent: (event) => (waiting === undefined ? once(event) : waiting.push(event)),
    onEnd: () => ended(),
  })
  try {
    if (options.follow) await operator.ask('follow', {})
    const limit = Math.min(options.last, 1000)
    for (const event of await operator.ask('events', { limit })) once(event)
    const held = waiting
    waiting = undefined
    held.forEach(once)
    if (!options.follow) return
    process.once('SIGINT', ended)
    process.once('SIGTERM', ended)
    await end
  } finally {
    operator.close()
  }
}
