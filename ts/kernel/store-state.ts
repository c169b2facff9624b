/**
 * A store from outside: who is there, what is configured, what became of a message. Nothing here needs
 * an open terminal, and nothing here takes a lock that would keep one from opening.
 */
import { binding } from '../native.js'
import { toPosError } from './errors.js'
import { text } from './input.js'

/**
 * What a terminal is doing, as its lock says: `changing` (it opens or closes right now), `active`,
 * `draining` (it finishes what is open), `closed`, or `crashed` (its last owner ended without closing
 * it; whoever opens it recovers).
 */
export type TerminalState = 'changing' | 'active' | 'draining' | 'closed' | 'crashed'

/** A terminal of a store, with its owner or its last one. */
export interface StoreTerminal {
  /** Terminal id. */
  readonly id: string
  /** What it is doing. */
  readonly state: TerminalState
  /** Process id of the owner; absent without an owner record. */
  readonly pid?: number
  /** When it opened the terminal, ISO 8601 in UTC. */
  readonly startedAt?: string
  /** Host name. */
  readonly host?: string
  /** Kernel version. */
  readonly version?: string
  /** Version of the host layer. */
  readonly hostVersion?: string | null
  /** Owner epoch. */
  readonly epoch?: number
}

/** The configuration of a store. */
export interface SystemConfig {
  /** Version, from 1; versions only rise. */
  readonly version: number
  /** When it takes effect, ISO 8601 in UTC. */
  readonly effectiveAt: string
  /** The values, of the host's own. */
  readonly values: Readonly<Record<string, unknown>>
  /** BLAKE3 of the values, in hexadecimal. */
  readonly hash: string
}

/** An announced shutdown. */
export interface ShutdownSignal {
  /** The terminal that announced it. */
  readonly by: string
  /** Why. */
  readonly reason: string
  /** When, ISO 8601 in UTC. */
  readonly announcedAt: string
  /** Until when what is open may be finished. */
  readonly until: string
}

/** What became of a message at one terminal. */
export interface Acknowledgement {
  /** Terminal id. */
  readonly terminal: string
  /** It was not received yet; it stands in the terminal's journal; it could not be received. */
  readonly state: 'waiting' | 'received' | 'dead'
  /** Why it is dead. */
  readonly reason?: string
}

/**
 * The terminals of a store, by id. The file `active_terminals.json`, which says the same of those that
 * are open, is written anew with `refresh`.
 *
 * @throws {@link StorageError} `PK_E_IO`; with `refresh`, `PK_E_SHARED_FILE`
 * @example
 * for (const { id, state } of await storeTerminals('./store')) console.log(id, state)
 */
export function storeTerminals(
  root: string,
  options: { readonly refresh?: boolean } = {},
): Promise<readonly StoreTerminal[]> {
  return asked(() => binding().storeTerminals(text('root', root), options.refresh ?? false))
}

/**
 * The configuration in a store's file; null before the first. It need not be in force yet.
 *
 * @throws {@link InputError} `PK_E_BAD_CONFIG` when it was changed by hand
 * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`
 * @example
 * const config = await storeConfig('./store')
 * console.log(config?.values)
 */
export function storeConfig(root: string): Promise<SystemConfig | null> {
  return asked(() => binding().storeConfig(text('root', root)))
}

/**
 * The announced shutdown of a store; null while there is none.
 *
 * @throws {@link InputError} `PK_E_BAD_CONFIG`
 * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`
 * @example
 * const shutdown = await storeShutdown('./store')
 * if (shutdown !== null) console.log(`closes at ${shutdown.until}`)
 */
export function storeShutdown(root: string): Promise<ShutdownSignal | null> {
  return asked(() => binding().storeShutdown(text('root', root)))
}

/**
 * What became of a message, by the terminals that it was put before. A terminal keeps its last 1,024
 * messages; of older ones it says nothing.
 *
 * @throws {@link InputError} `PK_E_BAD_MESSAGE` for what is no id
 * @throws {@link StorageError} `PK_E_IO`
 * @example
 * const { id } = await terminal.messages.send({ to: 'TILL_02', kind: 'x.note', body: 'hello' })
 * console.log(await acknowledgements('./store', id))
 */
export function acknowledgements(root: string, id: string): Promise<readonly Acknowledgement[]> {
  return asked(() => binding().messageAcknowledgements(text('root', root), text('id', id)))
}

/** Says that an announced shutdown is over. @internal */
export function clearStoreShutdown(root: string): Promise<null> {
  return asked(() => binding().clearStoreShutdown(root))
}

/** Answers cross as JSON texts. */
async function asked<T>(ask: () => Promise<string>): Promise<T> {
  try {
    return JSON.parse(await ask()) as T
  } catch (thrown) {
    throw toPosError(thrown)
  }
}
