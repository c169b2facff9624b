/** `pos-kernel store serve`: a store process behind a local socket. */
import { once } from 'node:events'
import { type Command, Option } from 'commander'
import { wrong } from '../../kernel/input.js'
import type { Durability } from '../../kernel/terminal.js'
import { type KernelService, serveStore } from '../../service/serve.js'
import { globalsOf } from '../globals.js'
import { note, print, printJson } from '../output.js'

interface Options {
  readonly socket?: string
  readonly terminals?: string
  readonly any?: true
  readonly allowUid?: readonly string[]
  readonly durability?: Durability
}

/** Registers the subcommand. */
export function register(store: Command): void {
  store
    .command('serve')
    .summary('serve the terminals of a store to other processes of this machine')
    .description(
      'Opens terminals and serves them at a local socket until SIGTERM or SIGINT. Stopping is in ' +
        'order: what was taken is answered and durable, then the terminals are closed. With --json ' +
        'it prints one line when it serves and one when it has stopped.',
    )
    .option('--socket <path>', 'path of the socket; service/service.sock in the root when left out')
    .option('--terminals <ids>', 'ids with commas between; those of the store when left out')
    .addOption(new Option('--any', 'open whatever terminal a client names').conflicts('terminals'))
    .option('--allow-uid <uid...>', 'users that may connect besides the own one')
    .addOption(
      new Option('--durability <mode>', 'when calls are acknowledged').choices(['record', 'sale']),
    )
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel store serve --root ./store --terminals TILL_01,TILL_02
  pos-kernel store serve --root ./store --any --allow-uid 1001`,
    )
    .action(async (options: Options, command: Command) => {
      const { root, json } = globalsOf(command)
      const { socket, terminals, any, durability } = options
      const stopped = signal()
      const service = await serveStore({
        root,
        socket,
        durability,
        terminals: any === true ? 'any' : terminals?.split(','),
        allowUids: (options.allowUid ?? []).map(uidOf),
      })
      tell(service, json)
      await stopped
      await service.stop()
      if (json) printJson({ state: 'stopped', root: service.root })
      else note('stopped: everything that was taken is answered, and the terminals are closed')
    })
}

function tell({ root, socket, terminals }: KernelService, json: true | undefined): void {
  if (json) {
    printJson({ state: 'serving', root, socket, terminals, pid: process.pid })
    return
  }
  print(`serving ${root} at ${socket}`)
  print(`terminals: ${terminals.length === 0 ? 'those that clients name' : terminals.join(', ')}`)
}

/** The signal that ends it; heard from the beginning, so that none is missed while it opens. */
async function signal(): Promise<void> {
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
}

function uidOf(text: string): number {
  const uid = Number(text)
  if (/^\d+$/.test(text) && uid < 2 ** 32) return uid
  throw wrong('--allow-uid', text, 'a user id, 0 to 4294967295')
}
