/**
 * What a terminal does as one of several: it takes the store's configuration over, and ends when it is
 * told to. `join-store.ts` does all of it as messages ask; `manage-store.ts` is the other side.
 */
import type { NativeTerminal } from '../native.js'
import type { Crossing } from './crossing.js'
import { checkNames, numberOf, optionalText, text, wrong } from './input.js'
import type { SystemConfig } from './store-state.js'

/** How a terminal ends. */
export interface Drain {
  /** Why. */
  readonly reason: string
  /** Until when what is open may be finished, ISO 8601 in UTC. */
  readonly until: string
  /** The terminal that asked for it; absent when its own host did. */
  readonly by?: string
}

/** How to end. */
export interface DrainInput {
  /** Why; 1 to 256 bytes for the journal and for whoever is refused. */
  readonly reason: string
  /** How long what is open may be finished, in milliseconds, up to a day. */
  readonly graceMs: number
  /** The terminal that asked for it. */
  readonly by?: string | undefined
}

/** What became of open sales. */
export interface Drained {
  /** Tickets of the sales that were suspended. */
  readonly suspended: readonly string[]
  /** Sales with live tenders: they stay open and come back when the terminal is opened again. */
  readonly left: readonly number[]
}

/** A new configuration. */
export interface ConfigInput {
  /** Its values, up to 64 KiB. */
  readonly values: Readonly<Record<string, unknown>>
  /** Higher than the last; the next one when left out. */
  readonly version?: number | undefined
  /** When it takes effect, ISO 8601 in UTC with milliseconds; at once when left out. */
  readonly effectiveAt?: string | undefined
}

/** The configuration of a store, as a terminal sees it. */
export interface Configured {
  /** The one in the store's file; null before the first. */
  readonly config: SystemConfig | null
  /** It takes effect later. */
  readonly pending: boolean
  /** It took effect by this call. */
  readonly applied: boolean
}

const drainNames = new Set(['reason', 'graceMs', 'by'])
const configNames = new Set(['values', 'version', 'effectiveAt'])

/** What a terminal does as one of several. `terminal.coordination` is one. */
export class Coordination {
  readonly #crossing: Crossing

  /** @internal */
  constructor(crossing: Crossing) {
    this.#crossing = crossing
  }

  /**
   * Begins to end: new sales are refused with `PK_E_SHUTTING_DOWN`, what is open can be finished. A
   * terminal that ends already goes on as it began to.
   *
   * Durable when the promise resolves.
   *
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT` for over a day
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @throws {@link StorageError} `PK_E_NO_SPACE`, `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * await terminal.coordination.beginDrain({ reason: 'closing time', graceMs: 60_000 })
   */
  beginDrain(input: DrainInput): Promise<Drain> {
    return this.#call('beginDrain', (native) => {
      checkNames('options', input, drainNames)
      const graceMs = numberOf('graceMs', input.graceMs)
      return native.beginDrain(text('reason', input.reason), graceMs, optionalText('by', input.by))
    })
  }

  /**
   * How the terminal ends; undefined as long as it does not.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @example
   * if (terminal.coordination.drain() !== undefined) console.log('no new sales')
   */
  drain(): Drain | undefined {
    const drain = this.#crossing.ask('drain', (native) => native.drain())
    return drain ? (JSON.parse(drain) as Drain) : undefined
  }

  /**
   * Suspends what is still open, as far as it can be suspended.
   *
   * Durable when the promise resolves.
   *
   * @throws {@link InputError} `PK_E_BAD_TEXT`
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @throws {@link StorageError} `PK_E_IO`, `PK_E_NO_SPACE`, `PK_E_POISONED`
   * @example
   * const { suspended } = await terminal.coordination.suspendOpen('closing time')
   */
  suspendOpen(reason: string): Promise<Drained> {
    return this.#call('suspendOpen', (native) => native.suspendOpen(text('reason', reason)))
  }

  /**
   * Gives the store a configuration. Each terminal takes it over, from the moment on at which it takes
   * effect; `configureStore` tells them.
   *
   * Durable when the promise resolves: in the journal of this terminal, and in the store's file.
   *
   * @throws {@link SaleStateError} `PK_E_CONFIG_VERSION`, `PK_E_CLOSED`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_BAD_CONFIG`, `PK_E_LIMIT`
   * @throws {@link LockError} `PK_E_OPERATION_LOCKED`
   * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`, `PK_E_NO_SPACE`, `PK_E_POISONED`
   * @example
   * const config = await manager.coordination.setSystemConfig({ values: { receiptFooter: 'Danke' } })
   */
  setSystemConfig(input: ConfigInput): Promise<SystemConfig> {
    return this.#call('setSystemConfig', (native) => {
      checkNames('configuration', input, configNames)
      const { values, version, effectiveAt } = input
      if (typeof values !== 'object' || values === null || Array.isArray(values)) {
        throw wrong('values', values, 'an object')
      }
      const number = version === undefined ? undefined : numberOf('version', version)
      const at = optionalText('effectiveAt', effectiveAt)
      return native.setSystemConfig(JSON.stringify(values), number, at)
    })
  }

  /**
   * Takes the store's configuration over, once it takes effect.
   *
   * Durable when the promise resolves: which values hold here from when on is in the journal.
   *
   * @throws {@link SaleStateError} `PK_E_CONFIG_VERSION` when it is older than the one in force
   * @throws {@link InputError} `PK_E_BAD_CONFIG`
   * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`, `PK_E_NO_SPACE`, `PK_E_POISONED`
   * @example
   * const { applied, config } = await terminal.coordination.applySystemConfig()
   * if (applied) console.log(config?.values)
   */
  applySystemConfig(): Promise<Configured> {
    return this.#call('applySystemConfig', (native) => native.applySystemConfig())
  }

  /**
   * Version and hash of the configuration in force at this terminal; undefined before the first.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @example
   * console.log(terminal.coordination.systemConfig()?.version)
   */
  systemConfig(): Pick<SystemConfig, 'version' | 'hash'> | undefined {
    const config = this.#crossing.ask('systemConfig', (native) => native.systemConfig())
    return config ? (JSON.parse(config) as Pick<SystemConfig, 'version' | 'hash'>) : undefined
  }

  async #call<T>(operation: string, call: (native: NativeTerminal) => Promise<string>): Promise<T> {
    return JSON.parse(await this.#crossing.read(operation, async (native) => call(native))) as T
  }
}
