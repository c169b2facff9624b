/**
 * The manager's side: a terminal, `MANAGER` by custom, whose journal says what was announced and set.
 * Its lock sees to it that a store has one manager at a time.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ConfigInput } from './coordination.js'
import {
  clearStoreShutdown,
  type StoreTerminal,
  type SystemConfig,
  storeTerminals,
} from './store-state.js'
import type { Terminal } from './terminal.js'

/** How to shut a store down. */
export interface StoreShutdownInput {
  /** Why; 1 to 256 bytes. */
  readonly reason: string
  /** How long open sales may be finished, in milliseconds. */
  readonly graceMs: number
  /** How long to wait for the terminals; the grace and ten seconds when left out. */
  readonly deadlineMs?: number | undefined
  /** Hears of each terminal that has ended. */
  readonly onEnded?: ((terminal: string, state: string) => void) | undefined
}

/** What became of a shutdown. */
export interface StoreShutdownReport {
  /** Id of the announcement. */
  readonly id: string
  /** Terminals that were open when it was announced. */
  readonly terminals: readonly string[]
  /** Those whose journals have the announcement. */
  readonly acknowledged: readonly string[]
  /** Those that are closed. */
  readonly closed: readonly string[]
  /** Those whose process ended without closing them; whoever opens them recovers. */
  readonly crashed: readonly string[]
  /** Those that are still open. */
  readonly stragglers: readonly string[]
  /** How long it took, in milliseconds. */
  readonly tookMs: number
}

/** How to configure a store. */
export interface ConfigureInput extends ConfigInput {
  /** How long to wait for the terminals' acknowledgements; five seconds when left out. */
  readonly deadlineMs?: number | undefined
}

/** What became of a configuration. */
export interface ConfigureReport {
  /** The configuration. */
  readonly config: SystemConfig
  /** Id of the message. */
  readonly id: string
  /** Open terminals that have received it. */
  readonly acknowledged: readonly string[]
  /** Open terminals that have not. */
  readonly stragglers: readonly string[]
}

/** The registry is asked so often. */
const lookMs = 25

/**
 * Announces a shutdown to all other terminals and waits until they have ended, or until the deadline.
 * No terminal is stopped by force: a straggler goes on, and is named.
 *
 * Durable when the promise resolves: the announcement is in the manager's journal.
 *
 * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_LIMIT`
 * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`, `PK_E_NO_SPACE`
 * @example
 * await using manager = await openTerminal({ root: './store', id: 'MANAGER' })
 * const { stragglers } = await shutDownStore(manager, { reason: 'closing time', graceMs: 5000 })
 */
export async function shutDownStore(
  manager: Terminal,
  { reason, graceMs, deadlineMs = graceMs + 10_000, onEnded }: StoreShutdownInput,
): Promise<StoreShutdownReport> {
  const began = performance.now()
  const terminals = await openOthers(manager)
  const { id } = await manager.messages.announceShutdown(reason, graceMs)
  const told = new Set<string>()
  let states: ReadonlyMap<string, string>
  for (;;) {
    states = new Map((await storeTerminals(manager.root)).map((it) => [it.id, it.state]))
    const over = terminals.filter((terminal) => !isOpen(states.get(terminal)))
    for (const terminal of over.filter((terminal) => !told.has(terminal))) {
      told.add(terminal)
      onEnded?.(terminal, states.get(terminal) ?? 'closed')
    }
    if (over.length === terminals.length || performance.now() - began >= deadlineMs) break
    await delay(lookMs)
  }
  const of = (state: string) => terminals.filter((terminal) => states.get(terminal) === state)
  const stragglers = terminals.filter((terminal) => isOpen(states.get(terminal)))
  // The flag stands as long as somebody has to be told.
  if (stragglers.length === 0) await clearStoreShutdown(manager.root)
  return {
    id,
    terminals,
    acknowledged: await receivedBy(manager, id, terminals),
    closed: of('closed'),
    crashed: of('crashed'),
    stragglers,
    tookMs: Math.round(performance.now() - began),
  }
}

/**
 * Gives the store a configuration, tells all other terminals, and waits until those that are open have
 * received it, or until the deadline. Each applies it when it takes effect; one that is closed, when it
 * opens.
 *
 * Durable when the promise resolves: the configuration, in the store and in the manager's journal.
 *
 * @throws {@link SaleStateError} `PK_E_CONFIG_VERSION`
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_BAD_CONFIG`, `PK_E_LIMIT`
 * @throws {@link LockError} `PK_E_OPERATION_LOCKED`
 * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`, `PK_E_NO_SPACE`
 * @example
 * const { config } = await configureStore(manager, { values: { receiptFooter: 'Danke' } })
 */
export async function configureStore(
  manager: Terminal,
  { deadlineMs = 5000, ...input }: ConfigureInput,
): Promise<ConfigureReport> {
  const config = await manager.coordination.setSystemConfig(input)
  await manager.coordination.applySystemConfig()
  const { version, effectiveAt, hash } = config
  const body = { version, effectiveAt, hash }
  const terminals = await openOthers(manager)
  const { id } = await manager.messages.broadcast({ kind: 'ConfigurationChange', body })
  await manager.messages.acknowledged(id, terminals, { timeoutMs: deadlineMs })
  const acknowledged = await receivedBy(manager, id, terminals)
  const stragglers = terminals.filter((terminal) => !acknowledged.includes(terminal))
  return { config, id, acknowledged, stragglers }
}

async function openOthers(manager: Terminal): Promise<readonly string[]> {
  const found: readonly StoreTerminal[] = await storeTerminals(manager.root)
  const open = found.filter(({ id, state }) => id !== manager.id && isOpen(state))
  return open.map(({ id }) => id)
}

async function receivedBy(manager: Terminal, id: string, terminals: readonly string[]) {
  const became = await manager.messages.acknowledgements(id)
  const received = new Set(became.filter((it) => it.state === 'received').map((it) => it.terminal))
  return terminals.filter((terminal) => received.has(terminal))
}

function isOpen(state: string | undefined): boolean {
  return state === 'active' || state === 'draining' || state === 'changing'
}
