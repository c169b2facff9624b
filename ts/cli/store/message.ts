/** `pos-kernel store message`: sends one, or tells what became of one. */
import type { Command } from 'commander'
import { acknowledgements } from '../../kernel/store-state.js'
import { exitCodes } from '../failure.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson, table } from '../output.js'
import { asManager } from './announcer.js'
import { jsonOf, secondsOf } from './options.js'

interface Options {
  readonly to?: string
  readonly body?: unknown
  readonly ttl?: number
  readonly wait?: number
  readonly became?: true
}

/** Registers the command. */
export function register(store: Command): void {
  store
    .command('message')
    .argument('<kind>', 'x. and a name, ManagerReport or GlobalAuditRequest; with --became an id')
    .summary('send a message to a terminal or to all, or tell what became of one')
    .description(
      'Sends a message, durably: to one terminal, or to all others. With --wait it tells who has ' +
        'received it by then, and exits with 1 when somebody has not. With --became it tells what ' +
        'became of a message that was sent before.',
    )
    .option('--to <id>', 'terminal; all others when left out')
    .option('--body <json>', 'what it says, as JSON; @FILE reads it from a file', jsonOf)
    .option('--ttl <seconds>', 'how long it is worth something', secondsOf)
    .option('--wait <seconds>', 'wait for those who are to receive it', secondsOf)
    .option('--became', 'tell what became of the message with this id')
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel store message x.note --body '{"text":"more coins at till 2"}' --root ./store
  pos-kernel store message x.note --to TILL_02 --body '"hello"' --wait 5 --json`,
    )
    .action(async (kind: string, options: Options, command: Command) => {
      const globals = globalsOf(command)
      if (options.became) {
        const became = await acknowledgements(storeOf(globals), kind)
        if (globals.json) printJson({ id: kind, became })
        else show(became)
        return
      }
      const report = await asManager(globals, async ({ messages }) => {
        const { to, ttl, wait } = options
        const message = {
          kind,
          body: options.body ?? null,
          ...(ttl !== undefined && { ttlMs: ttl }),
        }
        const { id, sent, refused } =
          to === undefined
            ? await messages.broadcast(message)
            : { ...(await messages.send({ ...message, to })), sent: [to], refused: [] }
        if (wait === undefined) return { id, sent, refused }
        const became = await messages.acknowledged(id, sent, { timeoutMs: wait })
        return { id, sent, refused, became }
      })
      const { sent, refused, became } = report
      if (globals.json) {
        printJson(report)
      } else {
        print(`${report.id} for ${sent.length} terminals`)
        for (const { terminal, message } of refused) print(`${terminal}: ${message}`)
        if (became !== undefined) show(became)
      }
      const isWaitedFor = became?.some(({ state }) => state !== 'received') ?? false
      if (isWaitedFor || refused.length > 0) process.exitCode = exitCodes.refused
    })
}

function show(became: readonly { terminal: string; state: string; reason?: string }[]): void {
  const rows = became.map(({ terminal, state, reason }) => [terminal, state, reason ?? ''])
  table(['terminal', 'state', 'reason'], rows)
}
