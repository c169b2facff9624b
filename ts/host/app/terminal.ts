/**
 * A terminal in a process of its own: its health goes out with the heartbeats and its recovery with `ready`, and when the app
 * is to end it takes no new sale, finishes or suspends what is open and gives its lock back.
 */
import type { JoinOptions, Membership } from '../../kernel/join-store.js'
import type { Terminal, TerminalOptions } from '../../kernel/terminal.js'
import { hostError } from '../error.js'
import type { TerminalHealth } from '../supervisor/status.js'
import { connectHost } from './connect.js'

/** Part of the time to drain in which open sales may be finished; the rest is for suspending and closing. */
const gracePart = 0.8
const reasonBytesMax = 256
const dayMs = 86_400_000

/** How a terminal is opened and joined; where it lies is in the manifest. */
export interface HostTerminalOptions
  extends Omit<TerminalOptions, 'root' | 'id'>,
    Omit<JoinOptions, 'signalGraceMs'> {}

/** A terminal that the host knows. */
export interface HostTerminal {
  /** The terminal. */
  readonly terminal: Terminal
  /** Its part in the store. */
  readonly membership: Membership
}

/**
 * Opens the terminal that the manifest names, joins it to its store and has the host watch it.
 *
 * @throws {@link HostError} `HOST_NOT_HOSTED`, `HOST_UNSUPPORTED` for an app of another kind
 * @throws as `openTerminal` and `joinStore` of the package
 * @example
 * const host = await connectHost()
 * const { terminal } = await openHostTerminal({ onDrain: () => screen.show('closing') })
 * host.ready()
 */
export async function openHostTerminal(options: HostTerminalOptions = {}): Promise<HostTerminal> {
  const host = await connectHost()
  const { register } = host
  if (register === undefined) {
    const message = `${host.uuid} is no terminal; give its startup_app kind "terminal" and terminal, the id of its register`
    throw hostError('HOST_UNSUPPORTED', message, { what: 'openHostTerminal', reason: 'kind app' })
  }
  const { openTerminal } = await import('../../kernel/terminal.js')
  const { onMessage, onDrain, onConfig, ...opening } = options
  const terminal = await openTerminal({ ...opening, root: register.root, id: register.terminal })
  return watchTerminal(terminal, { onMessage, onDrain, onConfig })
}

/** Has the host watch a terminal that is open already, and joins it to its store. */
export async function watchTerminal(
  terminal: Terminal,
  options: Omit<JoinOptions, 'signalGraceMs'> = {},
): Promise<HostTerminal> {
  const host = await connectHost()
  const { joinStore } = await import('../../kernel/join-store.js')
  const membership = await joinStore(terminal, options)
  host.reportTerminal(healthOf(terminal), terminal.recovery)
  host.onDrain(async ({ why, deadlineMs }) => {
    const graceMs = Math.min(Math.floor(deadlineMs * gracePart), dayMs)
    await membership.shutDown({ reason: cut(why), graceMs })
  })
  // The store's manager may end it too.
  void membership.ended.then(({ reason }) => {
    if (!host.isDraining) void host.drain(reason)
  })
  return { terminal, membership }
}

/** Reads a terminal's health; once it is closed, what it last was. */
function healthOf(terminal: Terminal): () => TerminalHealth {
  const receipts = () => terminal.counters().reduce((sum, { receipts }) => sum + receipts, 0)
  const before = receipts()
  let health: TerminalHealth = {
    id: terminal.id,
    sales: 0,
    openSales: terminal.recovery.sales.length,
    journal: 'ok',
    recovery: terminal.recovery,
  }
  return () => {
    try {
      const { openSales, poisoned } = terminal.status()
      const journal = poisoned ? 'failed' : 'ok'
      health = { ...health, sales: receipts() - before, openSales, journal }
    } catch {
      // It was closed.
    }
    return health
  }
}

/** Of a text as many whole characters as the journal takes. */
function cut(text: string): string {
  let bytes = 0
  let whole = ''
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > reasonBytesMax) break
    whole += character
  }
  return whole === '' ? 'the host drains it' : whole
}
