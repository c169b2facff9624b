/** `pos-kernel store status`: who is there, what waits, what is configured. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import {
  type ShutdownSignal,
  type StoreTerminal,
  type SystemConfig,
  storeConfig,
  storeShutdown,
  storeTerminals,
} from '../../kernel/store-state.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson, table } from '../output.js'
import { secondsOf } from './options.js'

interface Options {
  readonly watch?: number | true
}

interface Status {
  readonly terminals: readonly (StoreTerminal & {
    readonly waiting: number
    readonly dead: number
  })[]
  readonly config: Pick<SystemConfig, 'version' | 'effectiveAt' | 'hash'> | null
  readonly shutdown: ShutdownSignal | null
}

const watchMs = 1000

/** Registers the command. */
export function register(store: Command): void {
  store
    .command('status')
    .summary('who is there, what waits, what is configured')
    .description(
      'Tells of each terminal what its lock says: active, draining, closed, or crashed; how many ' +
        'messages wait for it, and how many are dead. Takes no lock and disturbs nobody. With --watch ' +
        'it goes on until it is interrupted; with --json too, one document a line.',
    )
    .option('--watch [seconds]', 'tell again, each second or as often as said', secondsOf)
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel store status --root ./store
  pos-kernel store status --root ./store --watch 5 --json`,
    )
    .action(async ({ watch }: Options, command: Command) => {
      const globals = globalsOf(command)
      const root = storeOf(globals)
      for (;;) {
        const status = await statusOf(root)
        if (globals.json) printJson(status)
        else show(status)
        if (watch === undefined) return
        await delay(watch === true ? watchMs : Math.max(watch, 50))
      }
    })
}

async function statusOf(root: string): Promise<Status> {
  const [found, config, shutdown] = await Promise.all([
    storeTerminals(root),
    storeConfig(root),
    storeShutdown(root),
  ])
  const inboxes = path.join(root, 'shared', 'cross_terminal_messages', 'terminal_inbox')
  const terminals = found.map((terminal) => ({
    ...terminal,
    waiting: countIn(path.join(inboxes, terminal.id, 'new')),
    dead: countIn(path.join(inboxes, terminal.id, 'dead')),
  }))
  const { version = 0, effectiveAt = '', hash = '' } = config ?? {}
  return { terminals, config: config && { version, effectiveAt, hash }, shutdown }
}

function countIn(folder: string): number {
  try {
    return readdirSync(folder).filter((name) => !name.endsWith('.reason.json')).length
  } catch {
    return 0
  }
}

function show({ terminals, config, shutdown }: Status): void {
  const rows = terminals.map(({ id, state, pid, startedAt, waiting, dead }) => [
    id,
    state,
    pid ?? '',
    startedAt ?? '',
    waiting,
    dead,
  ])
  table(['terminal', 'state', 'pid', 'since', 'waiting', 'dead'], rows)
  if (config !== null) print(`configuration ${config.version}, from ${config.effectiveAt}`)
  if (shutdown !== null) {
    print(`shutdown by ${shutdown.by} until ${shutdown.until}: ${shutdown.reason}`)
  }
}
