/** `pos-kernel store run`: one process for each terminal of a store file, until all have ended. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { exitCodes } from '../failure.js'
import { globalsOf } from '../globals.js'
import { print, printJson } from '../output.js'
import type { HostEvent } from './host-event.js'
import { type HostOrder, readStoreFile } from './store-file.js'

/** How the process of a terminal came to its end. */
interface Outcome {
  readonly terminal: string
  readonly ended: boolean
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

const program = fileURLToPath(new URL('./terminal-host.js', import.meta.url))

/** Registers the command. */
export function register(store: Command): void {
  store
    .command('run')
    .argument('<file>', 'store.json: {"root", "durability", "graceMs", "terminals": [{"id", ...}]}')
    .summary('run a store: one process for each terminal, until all have ended')
    .description(
      'Starts one process for each terminal of the file and prints what each tells: ready, configured, ' +
        'messages, draining, ended. A terminal with "replay" rings up its share of a file of sales as ' +
        '`replay` reads them; one without it idles. None is started again. SIGTERM and SIGINT reach ' +
        'them all: each finishes or suspends its open sales and ends. Exits with 1 when one has not ' +
        'in order.',
    )
    .addHelpText(
      'after',
      `
With --json one event a line, the last one {"event":"over", ...}.

Examples:
  pos-kernel store run store.json --root ./store
  pos-kernel store run store.json --json`,
    )
    .action(async (file: string, _: object, command: Command) => {
      const { root, json = false } = globalsOf(command)
      const outcomes = await run(readStoreFile(file, root), json)
      const bad = outcomes.filter(({ ended }) => !ended)
      if (json) printJson({ event: 'over', terminals: outcomes })
      else print(`${outcomes.length - bad.length} of ${outcomes.length} terminals ended in order`)
      if (bad.length > 0) process.exitCode = exitCodes.refused
    })
}

async function run(orders: readonly HostOrder[], json: boolean): Promise<readonly Outcome[]> {
  const children: ChildProcess[] = []
  const forward = (signal: NodeJS.Signals) => {
    for (const child of children) child.kill(signal)
  }
  process.on('SIGTERM', forward).on('SIGINT', forward)
  try {
    const outcomes = orders.map(async (order): Promise<Outcome> => {
      const child = fork(program, [JSON.stringify(order)], {
        stdio: ['ignore', 'ignore', 2, 'ipc'],
      })
      children.push(child)
      let hasEnded = false
      child.on('message', (event: HostEvent) => {
        if (event.event === 'ended') hasEnded = true
        say(order.id, event, json)
      })
      const [exitCode, signal] = await once(child, 'close')
      return { terminal: order.id, ended: hasEnded && exitCode === 0, exitCode, signal }
    })
    return await Promise.all(outcomes)
  } finally {
    process.off('SIGTERM', forward).off('SIGINT', forward)
  }
}

function say(terminal: string, event: HostEvent, json: boolean): void {
  if (json) printJson({ terminal, ...event })
  else print(`${terminal} ${sentence(event)}`)
}

function sentence(event: HostEvent): string {
  switch (event.event) {
    case 'ready':
      return event.clean ? 'is ready' : 'is ready, and has recovered'
    case 'configured':
      return `has taken configuration ${event.version} over`
    case 'message':
      return `has received ${event.kind} from ${event.from}`
    case 'replayed':
      return `has rung up its share: ${event.sales} sales, ${event.resumed} were there`
    case 'draining':
      return `begins nothing new${event.by ? `, as ${event.by} asked` : ''}: ${event.reason}`
    case 'ended':
      return `has ended: ${event.sales} sales, ${event.suspended.length} suspended, ${event.left.length} left open`
    case 'failed':
      return `has failed: ${event.code}: ${event.message}`
  }
}
