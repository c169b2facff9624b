/**
 * A store process: many terminals in one process, one log in front of their journals.
 *
 * Each terminal keeps its own journal, lock and receipt numbers, the same bytes as in a process of its
 * own; what they share is the device flush. Calls of many terminals that wait at the same time wait
 * for one. Read `terminal.ts` for what a terminal does.
 */
import { binding, type NativeStore } from '../native.js'
import type { DurableQueue } from './durable-queue.js'
import { toPosError } from './errors.js'
import { checkNames, wrong } from './input.js'
import {
  checkedOptions,
  type NearTerminal,
  nearTerminal,
  opening,
  queueOf,
  refusal,
  rootOf,
  type Terminal,
  type TerminalOptions,
} from './terminal.js'

/** How to open a store. */
export interface OpenStoreOptions {
  /** Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
  readonly root?: string | undefined
  /**
   * Size of a segment of the store's log, for a new log: 65,536 to 1,073,741,824 in steps of 4,096; 16
   * MiB when left out. About three segments stand on the disk at a time.
   */
  readonly logSegmentBytes?: number | undefined
}

/** How to open a terminal of a store, whose root is the store's. */
export type StoreTerminalOptions = Omit<TerminalOptions, 'root'>

/** What was found when a store was opened. */
export interface StoreRecovery {
  /** The last owner had closed the store, or there was none. */
  readonly clean: boolean
  /** What the log of the last owner still held, and was written into the journals. */
  readonly broughtIn: readonly BroughtIn[]
}

/** What was written into a terminal's journal. */
export interface BroughtIn {
  /** Terminal id. */
  readonly terminal: string
  /** Writes. */
  readonly writes: number
}

/** What a store did since it was opened. */
export interface StoreStats {
  /** Device flushes of the log that terminals waited for. */
  readonly logFlushes: number
  /** Device flushes of the log of all kinds. */
  readonly logFlushesTotal: number
  /** Writes of the log. */
  readonly logWrites: number
  /** Bytes of those writes. */
  readonly logBytes: number
  /** Syncs of terminals that the log took: divided by `logFlushes`, how many shared one. */
  readonly logSyncs: number
  /** Syncs of the terminals' own files. */
  readonly fileSyncs: number
  /** Oldest segment of the log. */
  readonly oldestSegment: number
  /** Segment of the log in use. */
  readonly segment: number
  /** Terminals that are open. */
  readonly terminals: number
  /** A disk failure has ended the store; close it and open it again. */
  readonly poisoned: boolean
}

/**
 * Opens a store and brings what a crash has left in its log into the journals.
 *
 * Durable when the promise resolves: every journal of the store holds what was acknowledged.
 *
 * @throws {@link LockError} `PK_E_STORE_IN_USE`; `PK_E_TERMINAL_IN_USE` while a process that is ending
 * still holds a terminal
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT`
 * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_MISSING_SEGMENT`, `PK_E_VERSION`, `PK_E_IO`,
 * `PK_E_NO_SPACE`
 * @example
 * await using store = await openStore({ root: './store' })
 * const tills = await Promise.all(['T1', 'T2'].map((id) => store.openTerminal({ id })))
 */
export async function openStore(options: OpenStoreOptions = {}): Promise<Store> {
  try {
    const checked = checkedStore(options)
    const mailbox = new Mailbox()
    const native = await binding().openStore(checked, mailbox.fetch)
    return new Store(native, checked.root, mailbox)
  } catch (thrown) {
    throw refusal(thrown)
  }
}

/**
 * As {@link openStore}, on the calling thread.
 *
 * @example
 * const store = openStoreSync({ root: './store' })
 */
export function openStoreSync(options: OpenStoreOptions = {}): Store {
  return opening(() => {
    const checked = checkedStore(options)
    const mailbox = new Mailbox()
    const native = binding().openStoreSync(checked, mailbox.fetch)
    return new Store(native, checked.root, mailbox)
  })
}

/** Brings what a round of flushes has made durable to the queues of the terminals, in one crossing. */
class Mailbox {
  readonly #queues = new Map<number, DurableQueue>()
  #native: NativeStore | undefined
  #next = 0

  attach(native: NativeStore): void {
    this.#native = native
  }

  /** Gives a queue its number. */
  add(queue: DurableQueue): number {
    const number = this.#next
    this.#next += 1
    this.#queues.set(number, queue)
    return number
  }

  remove(number: number | undefined): void {
    if (number !== undefined) this.#queues.delete(number)
  }

  readonly fetch = (): void => {
    if (this.#native === undefined) return
    const { durable, fault } = this.#native.told()
    for (let index = 0; index < durable.length; index += 2) {
      const sequence = durable[index + 1] ?? -1
      const queue = this.#queues.get(durable[index] ?? -1)
      queue?.onDurable(sequence, sequence < 0 ? fault : undefined)
    }
  }
}

/**
 * An open store. {@link openStore} makes one.
 *
 * It belongs to the thread that opened it, and so do its terminals.
 *
 * @example
 * const store = await openStore({ root: './store' })
 * const till = await store.openTerminal({ id: 'REGISTER_01' })
 * await till.sell({
 *   store: 'corner-shop',
 *   currency: 'EUR',
 *   lines: [{ sku: 'coffee', quantity: 1, unitPrice: 320 }],
 *   tenders: [{ kind: 'cash', amount: 320 }],
 * })
 * console.log(store.stats().logFlushes)
 * await store.close()
 */
export class Store implements AsyncDisposable {
  /** Root folder, absolute. */
  readonly root: string
  /** What was found when the store was opened. */
  readonly recovery: StoreRecovery
  readonly #native: NativeStore
  readonly #mailbox: Mailbox
  /** The newest of each id, with its number: the ones before it are closed. */
  readonly #terminals = new Map<string, readonly [Terminal, number]>()
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(native: NativeStore, root: string, mailbox: Mailbox) {
    this.#native = native
    this.#mailbox = mailbox
    mailbox.attach(native)
    this.root = root
    this.recovery = native.recovery()
  }

  /**
   * Opens a terminal of this store, as {@link openTerminal} does.
   *
   * @throws as {@link openTerminal}; {@link SaleStateError} `PK_E_CLOSED` when the store is closed
   * @example
   * await using store = await openStore({ root: './store' })
   * const till = await store.openTerminal({ id: 'REGISTER_07', durability: 'sale' })
   */
  openTerminal(options: StoreTerminalOptions = {}): Promise<Terminal> {
    return this.openAt(options, undefined)
  }

  /**
   * As {@link openTerminal}, with a clock that starts at a wall time of tests.
   *
   * @internal
   */
  async openAt(options: StoreTerminalOptions, testWallNs: bigint | undefined): Promise<Terminal> {
    const { terminal } = await this.openNear(options, testWallNs)
    return terminal
  }

  /**
   * As {@link openTerminal}, for whoever has calls of its own to make: a kernel service.
   *
   * @internal
   */
  async openNear(
    options: StoreTerminalOptions,
    testWallNs: bigint | undefined,
  ): Promise<NearTerminal> {
    let number: number | undefined
    try {
      const { checked, queue } = this.#checked(options)
      if (testWallNs !== undefined) checked.testWallNs = testWallNs.toString()
      number = this.#mailbox.add(queue)
      const native = await this.#native.openTerminal(checked, number)
      return this.#opened(nearTerminal(native, queue, this.root), number)
    } catch (thrown) {
      this.#mailbox.remove(number)
      throw refusal(thrown)
    }
  }

  /** As {@link openTerminal}, on the calling thread. */
  openTerminalSync(options: StoreTerminalOptions = {}): Terminal {
    let number: number | undefined
    return opening(() => {
      try {
        const { checked, queue } = this.#checked(options)
        number = this.#mailbox.add(queue)
        const native = this.#native.openTerminalSync(checked, number)
        return this.#opened(nearTerminal(native, queue, this.root), number).terminal
      } catch (thrown) {
        this.#mailbox.remove(number)
        throw thrown
      }
    })
  }

  /** What the store did since it was opened. */
  stats(): StoreStats {
    return this.#native.stats()
  }

  /**
   * Closes every terminal of the store, then the store. Closing it twice does nothing.
   *
   * Durable when the promise resolves: everything stands in the journals, and the locks are free.
   *
   * @throws {@link StorageError} `PK_E_OUTCOME_UNKNOWN`, `PK_E_POISONED`, `PK_E_IO`; the locks are free
   * all the same
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** As {@link close}, on the calling thread. */
  closeSync(): void {
    this.#closing ??= Promise.resolve()
    let failure: unknown
    for (const [terminal] of this.#terminals.values()) {
      try {
        terminal.closeSync()
      } catch (thrown) {
        failure ??= thrown
      }
    }
    this.#terminals.clear()
    try {
      this.#native.closeSync()
    } catch (thrown) {
      failure ??= toPosError(thrown)
    }
    if (failure !== undefined) throw failure
  }

  /** Closes the store at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const closing = [...this.#terminals.values()].map(([terminal]) => terminal.close())
    this.#terminals.clear()
    const closed = await Promise.allSettled(closing)
    try {
      await this.#native.close()
    } catch (thrown) {
      throw toPosError(thrown)
    }
    const failed = closed.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  #checked(options: StoreTerminalOptions) {
    checkNames('options', options, terminalNames)
    return { checked: checkedOptions({ ...options, root: this.root }), queue: queueOf(options) }
  }

  #opened(near: NearTerminal, number: number): NearTerminal {
    const { terminal } = near
    this.#mailbox.remove(this.#terminals.get(terminal.id)?.[1])
    this.#terminals.set(terminal.id, [terminal, number])
    return near
  }
}

const storeNames = new Set(['root', 'logSegmentBytes'])
const terminalNames = new Set([
  'id',
  'durability',
  'segmentBytes',
  'create',
  'signing',
  'archive',
  'attendance',
])

function checkedStore(options: OpenStoreOptions) {
  checkNames('options', options, storeNames)
  const { logSegmentBytes } = options
  const checked: { root: string; logSegmentBytes?: number } = { root: rootOf(options.root) }
  if (logSegmentBytes === undefined) return checked
  if (!Number.isSafeInteger(logSegmentBytes) || logSegmentBytes < 0 || logSegmentBytes > 2 ** 30) {
    throw wrong('logSegmentBytes', logSegmentBytes, '65536 to 1073741824 in steps of 4096')
  }
  checked.logSegmentBytes = logSegmentBytes
  return checked
}
