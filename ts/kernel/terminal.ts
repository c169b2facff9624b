/**
 * A terminal: one owner, one journal, the sales on it.
 *
 * Opening takes the terminal's lock and recovers what its last owner left; from then on this
 * process is the only one that writes to it, and the thread that opened it the only one that uses
 * it. Read `sale.ts` for what can be done with a sale, `durable-queue.ts` for how calls that are
 * made together share one flush.
 */
import path from 'node:path'
import { binding, type NativeOpenOptions, type NativeTerminal, packageVersion } from '../native.js'
import { type PolicyAnswer, policyAnswer, type ReceiptAnswer, receiptOf } from './answers.js'
import { Coordination } from './coordination.js'
import { type Crossing, type NativeAnswer, NearCrossing } from './crossing.js'
import { tellClose, tellError, tellOpen } from './diagnostics.js'
import { DurableQueue } from './durable-queue.js'
import { isPosError, toPosError } from './errors.js'
import {
  type Expiry,
  type ExpiryAnswer,
  expiryAnswer,
  expiryOf,
  type WaitingSale,
} from './handover.js'
import {
  checkNames,
  type Keyed,
  keyOf,
  numberOf,
  optionalFlag,
  optionalText,
  text,
  wrong,
} from './input.js'
import { Messages } from './messages.js'
import { SalePacker } from './packed-sale.js'
import { type Policy, type PolicyInput, policyOf } from './policy.js'
import { Proof } from './proof.js'
import type { Circle, Receipt } from './receipt.js'
import { type BeginReturnInput, beginReturnOf } from './returns.js'
import {
  type RulesAnswer,
  type RulesInForce,
  rulesAnswer,
  rulesInForce,
  tablesOf,
} from './rules.js'
import { Sale } from './sale.js'
import { type BeginInput, beginOf, type Cart } from './sale-input.js'
import type { TaxTotals } from './tax.js'
import { Till } from './till.js'

/**
 * When a call is acknowledged. `record`: every call that makes a fact is on the device first.
 * `sale`: lines and confirmed cash are with the operating system, which survives the death of the
 * process; completions, voids and every card or pending tender are on the device first.
 */
export type Durability = 'record' | 'sale'

/** How to open a terminal. */
export interface TerminalOptions {
  /** Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
  readonly root?: string | undefined
  /**
   * Terminal id, 1 to 32 of `A-Z a-z 0-9 _ -`; else `POS_TERMINAL_ID`, else `terminalId` in
   * `local_config.json` of the root.
   */
  readonly id?: string | undefined
  /** When calls are acknowledged; else `local_config.json` of the terminal, else `record`. */
  readonly durability?: Durability | undefined
  /**
   * Size of a journal segment: 65,536 to 1,073,741,824 in steps of 4,096; 4 MiB when left out. A
   * segment that exists keeps its size.
   */
  readonly segmentBytes?: number | undefined
  /** Makes the terminal when it does not exist; true when left out. */
  readonly create?: boolean | undefined
  /**
   * `software` signs each receipt with an Ed25519 key in the terminal's folder, readable by its owner
   * alone and made when there is none. `off`, or left out: the terminal does not sign by itself; a
   * device outside may still be attached.
   */
  readonly signing?: 'off' | 'software' | undefined
  /** Folder in which each terminal has the folder of its archive; else `archive` in the root. */
  readonly archive?: string | undefined
  /** What has to be there before a sale may begin; nothing when left out. */
  readonly attendance?: Attendance | undefined
}

/** What has to be there before a sale may begin. */
export interface Attendance {
  /** An operator is signed on: for sales, the drawer, reports and copies. */
  readonly operator?: boolean | undefined
  /** A shift is open: for sales. */
  readonly shift?: boolean | undefined
}

/** The owner of a terminal before this one. */
export interface PreviousOwner {
  /** Process id. */
  readonly pid: number
  /** Host name. */
  readonly host: string
  /** Kernel version. */
  readonly version: string
  /** Version of the host layer. */
  readonly hostVersion?: string
  /** Owner epoch in the journal. */
  readonly epoch: number
  /** When it opened the terminal, ISO 8601 in UTC. */
  readonly openedAt: string
  /** It closed the terminal; false when it died. */
  readonly released: boolean
}

/** A torn tail that was cut from the journal: bytes that no acknowledged call had written. */
export interface CutTail {
  /** Segment it stood in. */
  readonly segment: number
  /** Where it began. */
  readonly offset: number
  /** How many bytes. */
  readonly bytes: number
  /** File in the journal's folder that keeps them. */
  readonly keptAs: string
}

/** What was found when the terminal was opened. */
export interface RecoveryReport {
  /** The last owner had closed the terminal, or there was none. */
  readonly clean: boolean
  /** The terminal did not exist before. */
  readonly firstOpen: boolean
  /** Owner epoch: one more than the last owner's. */
  readonly epoch: number
  /** The last owner, where a record of it was found. */
  readonly previousOwner?: PreviousOwner
  /** The torn tail, where one was cut. */
  readonly cut?: CutTail
  /** Numbers of the sales that came back open. */
  readonly sales: readonly number[]
  /** How many records were replayed. */
  readonly records: number
  /** Newest sequence that the journal itself proved durable. */
  readonly durableSequence: number
}

/**
 * Perpetual totals of one currency, taxes included where nothing else is said. They never fall and are
 * never reset.
 */
export interface Counters {
  /** Currency. */
  readonly currency: string
  /** Amounts sold, in minor units. */
  readonly sales: number
  /** Amounts returned, in minor units, counted upwards. */
  readonly returns: number
  /** Sold less returned, in minor units. */
  readonly net: number
  /** Taxes on what was sold, in minor units. */
  readonly salesTax: number
  /** Taxes on what was returned, in minor units, counted upwards. */
  readonly returnsTax: number
  /** What cash rounding has added, in minor units; it alone may fall. */
  readonly rounding: number
  /** The same of each tax, by class and rate. */
  readonly taxes: readonly TaxTotals[]
  /** Completed sales. */
  readonly receipts: number
  /** Voided sales. */
  readonly voids: number
}

/** Where a terminal stands. */
export interface TerminalStatus {
  /** Terminal id. */
  readonly id: string
  /** Its folder. */
  readonly dir: string
  /** When calls are acknowledged. */
  readonly durability: Durability
  /** Owner epoch. */
  readonly epoch: number
  /** Sequence of the last record. */
  readonly sequence: number
  /** Sequence of the last record that is known durable. */
  readonly durableSequence: number
  /** Chain link of the last frame, 64 hexadecimal digits: an anchor for `verify`. */
  readonly head: string
  /** Segment in use. */
  readonly segment: number
  /** How many sales are open. */
  readonly openSales: number
  /** The next receipt number. */
  readonly nextReceipt: number
  /**
   * Room for new work: `ok`; `low` when the next segment could not be made ready; `full` when only
   * what is open can still be finished.
   */
  readonly space: 'ok' | 'low' | 'full'
  /** A disk failure has ended this terminal; close it and open it again. */
  readonly poisoned: boolean
  /** The operator signed on; absent when nobody is. */
  readonly operator?: string
  /** Sales begin as training. */
  readonly training: boolean
  /** Number of the shift under way; absent when none is open. */
  readonly shift?: number
  /** How long a device flush takes, smoothed, in nanoseconds. */
  readonly flushNs: number
  /** The slowest device flush since the terminal was opened, in nanoseconds. */
  readonly flushWorstNs: number
  /** How many idempotency keys are remembered at most. */
  readonly keysMax: number
}

/** Device flushes since the terminal was opened, by cause. */
export interface FlushCounts {
  /** Calls that waited, in durability `sale`. */
  readonly sale: number
  /** Calls that waited, in durability `record`. */
  readonly record: number
  /** Durable marks of an idle journal. */
  readonly mark: number
  /** Checkpoints; they ride on other flushes. */
  readonly checkpoint: number
  /** Sealing a segment and starting the next. */
  readonly roll: number
  /** Preparing segments ahead of their use. */
  readonly prepare: number
  /** Opening the terminal. */
  readonly open: number
  /** Closing it. */
  readonly close: number
}

/** Work done since the terminal was opened. */
export interface TerminalStats {
  /** Frames appended to the journal. */
  readonly frames: number
  /** Records in them. */
  readonly records: number
  /** Writes. */
  readonly writes: number
  /** Bytes written. */
  readonly bytes: number
  /** Device flushes by cause. */
  readonly flushes: FlushCounts
}

/**
 * Opens a terminal and recovers what its last owner left.
 *
 * Durable when the promise resolves: the opening, with what was recovered, is in the journal.
 *
 * @throws {@link LockError} `PK_E_TERMINAL_IN_USE` with the owner's facts
 * @throws {@link InputError} `PK_E_BAD_ID`, `PK_E_BAD_ARGUMENT`, `PK_E_BAD_CONFIG`
 * @throws {@link SaleStateError} `PK_E_NOT_FOUND` with `create: false`
 * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_CHAIN_BROKEN`, `PK_E_VERSION`,
 * `PK_E_INCONSISTENT`, `PK_E_KEY_FILE`, `PK_E_IO`, `PK_E_NO_SPACE`
 * @throws {@link BindingLoadError} when the native binding cannot be loaded
 * @example
 * await using terminal = await openTerminal({ root: './store', id: 'REGISTER_01' })
 * if (!terminal.recovery.clean) console.log('recovered', terminal.recovery)
 */
export function openTerminal(options: TerminalOptions = {}): Promise<Terminal> {
  return openAt(options, undefined)
}

/**
 * As {@link openTerminal}, on the calling thread.
 *
 * @example
 * const terminal = openTerminalSync({ root: './store', id: 'REGISTER_01' })
 */
export function openTerminalSync(options: TerminalOptions = {}): Terminal {
  return opening(() => {
    const checked = checkedOptions(options)
    const queue = queueOf(options)
    const native = binding().openTerminalSync(checked, queue.onDurable)
    return nearTerminal(native, queue, checked.root).terminal
  })
}

/**
 * As {@link openTerminal}, with a clock that starts at a wall time of tests.
 *
 * @internal
 */
export async function openAt(
  options: TerminalOptions,
  testWallNs: bigint | undefined,
): Promise<Terminal> {
  const { terminal } = await openNear(options, testWallNs)
  return terminal
}

/** A terminal of this process, and the way to its native side. */
export interface NearTerminal {
  readonly terminal: Terminal
  readonly crossing: Crossing
}

/**
 * Opens a terminal in this process, for whoever has calls of its own to make: a kernel service.
 *
 * @internal
 */
export async function openNear(
  options: TerminalOptions,
  testWallNs: bigint | undefined,
): Promise<NearTerminal> {
  try {
    const checked = checkedOptions(options)
    if (testWallNs !== undefined) checked.testWallNs = testWallNs.toString()
    const queue = queueOf(options)
    const native = await binding().openTerminal(checked, queue.onDurable)
    return nearTerminal(native, queue, checked.root)
  } catch (thrown) {
    throw refusal(thrown)
  }
}

/**
 * A terminal over its native side.
 *
 * @internal
 */
export function nearTerminal(
  native: NativeTerminal,
  queue: DurableQueue,
  root: string,
): NearTerminal {
  const { id, durability } = native.status()
  const crossing = new NearCrossing(native, queue, id)
  const recovery = native.recovery()
  const facts = { id, root, durability: durability as Durability, recovery }
  return { terminal: new Terminal(crossing, facts), crossing }
}

/** What a terminal is, for as long as it is open. */
export interface OpenFacts {
  /** Terminal id. */
  readonly id: string
  /** Root folder, absolute. */
  readonly root: string
  /** When calls are acknowledged. */
  readonly durability: Durability
  /** What was found when it was opened. */
  readonly recovery: RecoveryReport
}

/**
 * An open terminal. {@link openTerminal} makes one.
 *
 * It belongs to the thread that opened it. The process ends by itself while a terminal is open and
 * no call waits; the next owner then recovers, as after a crash. Close it to end in order.
 *
 * @example
 * const terminal = await openTerminal({ root: './store', id: 'REGISTER_01' })
 * const receipt = await terminal.sell({
 *   store: 'corner-shop',
 *   currency: 'EUR',
 *   lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
 *   tenders: [{ kind: 'cash', amount: 1000 }],
 * })
 * console.log(receipt.receiptNumber, receipt.change)
 * await terminal.close()
 */
export class Terminal extends Till implements AsyncDisposable {
  /** Terminal id. */
  readonly id: string
  /** Root folder, absolute. */
  readonly root: string
  /** When calls are acknowledged. */
  readonly durability: Durability
  /** What was found when the terminal was opened. */
  readonly recovery: RecoveryReport
  /** Signatures, anchors, archives. */
  readonly proof: Proof
  /** Messages to and from the other terminals of the store. */
  readonly messages: Messages
  /** The store's configuration, and ending in order. */
  readonly coordination: Coordination
  readonly #crossing: Crossing
  readonly #packer = new SalePacker()
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(crossing: Crossing, { id, root, durability, recovery }: OpenFacts) {
    super(crossing)
    this.id = id
    this.root = root
    this.durability = durability
    this.recovery = recovery
    this.#crossing = crossing
    this.proof = new Proof(crossing)
    this.messages = new Messages(crossing, root)
    this.coordination = new Coordination(crossing)
    tellOpen({ terminal: id, root, recovery })
  }

  /**
   * Sets the rules by which sales of a currency are priced from here on. Sales that are open keep
   * theirs. Without a policy, prices are net, nothing is rounded for cash, and returns need no receipt.
   *
   * Durable when the promise resolves, in both durability modes.
   *
   * @throws {@link MoneyError} `PK_E_BAD_POLICY`, `PK_E_BAD_CURRENCY`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT` (16 currencies), `PK_E_BAD_KEY`
   * @throws {@link SaleStateError} `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link StorageError} `PK_E_NO_SPACE`, `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * await terminal.setPolicy({
   *   currency: 'CHF',
   *   prices: 'gross',
   *   taxScope: 'perRate',
   *   taxRounding: 'halfUp',
   *   cashStep: 5,
   * })
   */
  setPolicy(policy: PolicyInput, options?: Keyed): Promise<PolicyAnswer> {
    const call = this.#setPolicy(policy, options)
    return this.#crossing.later('setPolicy', undefined, call, policyAnswer)
  }

  /** As {@link setPolicy}, waiting on the calling thread. */
  setPolicySync(policy: PolicyInput, options?: Keyed): PolicyAnswer {
    const call = this.#setPolicy(policy, options)
    return this.#crossing.now('setPolicy', undefined, call, policyAnswer)
  }

  /**
   * The rules by which sales of a currency are priced from here on; `undefined` when none are set.
   *
   * @throws {@link MoneyError} `PK_E_BAD_CURRENCY`
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @example
   * if (terminal.policy('CHF')?.cashStep !== 5) console.log('cash is not rounded to 5 Rappen')
   */
  policy(currency: string): Policy | undefined {
    const ask = (native: NativeTerminal) => native.policy(text('currency', currency))
    return (this.#crossing.ask('policy', ask) ?? undefined) as Policy | undefined
  }

  /**
   * Sets the rule tables that lines that are new or changed, tenders and sales are judged by from here
   * on; no tables end all rules. What was taken before stays. The guide "Rules" tells the format of a
   * table, and when each is asked.
   *
   * Durable when the promise resolves, in both durability modes. Compiles on the calling thread.
   *
   * @param tables - the texts of up to sixteen tables, each JSON or CSV, with `at`
   * @throws {@link InputError} `PK_E_BAD_RULES` with table, line, row and column; `PK_E_LIMIT` (16
   *   tables, 64 KiB of them or a sixteenth of a segment), `PK_E_BAD_ARGUMENT`, `PK_E_BAD_KEY`
   * @throws {@link SaleStateError} `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link StorageError} `PK_E_NO_SPACE`, `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * const { readFileSync } = await import('node:fs')
   * await terminal.setRules([readFileSync('age-limits.csv', 'utf8')])
   */
  setRules(tables: readonly string[], options?: Keyed): Promise<RulesAnswer> {
    const call = this.#setRules(tables, options)
    return this.#crossing.later('setRules', undefined, call, rulesAnswer)
  }

  /** As {@link setRules}, waiting on the calling thread. */
  setRulesSync(tables: readonly string[], options?: Keyed): RulesAnswer {
    const call = this.#setRules(tables, options)
    return this.#crossing.now('setRules', undefined, call, rulesAnswer)
  }

  /**
   * The rules that the terminal judges by; `undefined` when none were ever set.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @example
   * for (const { table, at } of terminal.rules()?.tables ?? []) console.log(table, at)
   */
  rules(): RulesInForce | undefined {
    const native = this.#crossing.ask('rules', (native) => native.rules())
    return native ? rulesInForce(native) : undefined
  }

  /**
   * Begins a sale. It is priced by the policy that is set for its currency at this moment.
   *
   * Durable when the promise resolves in durability `record`; with the operating system, and so
   * safe from the death of the process, in durability `sale`.
   *
   * @throws {@link MoneyError} `PK_E_BAD_CURRENCY`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT` (64 open sales),
   * `PK_E_BAD_KEY`
   * @throws {@link SaleStateError} `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link StorageError} `PK_E_NO_SPACE`, `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * const sale = await terminal.begin({ store: 'corner-shop', currency: 'EUR', key: 'order-4711' })
   */
  begin(input: BeginInput): Promise<Sale> {
    return this.#crossing.later('begin', undefined, this.#begin(input), this.#begun(input))
  }

  /** As {@link begin}, waiting on the calling thread. */
  beginSync(input: BeginInput): Sale {
    return this.#crossing.now('begin', undefined, this.#begin(input), this.#begun(input))
  }

  /**
   * Begins a sale that takes lines of a receipt back, in its store and its currency.
   *
   * Durable as {@link begin}.
   *
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND` when there is no such terminal or receipt,
   * `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} `PK_E_BAD_ID`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_IO`, `PK_E_NO_SPACE`
   * @example
   * const back = await terminal.beginReturn({ terminal: 'REGISTER_02', receiptNumber: 17 })
   */
  beginReturn(input: BeginReturnInput): Promise<Sale> {
    const call = async (native: NativeTerminal) => {
      const { terminal, receiptNumber, key } = beginReturnOf(input, this.id)
      return native.beginReturn(terminal, receiptNumber, key)
    }
    return this.#crossing.away('beginReturn', undefined, call, this.#handle)
  }

  /** As {@link beginReturn}, waiting on the calling thread. */
  beginReturnSync(input: BeginReturnInput): Sale {
    const call = (native: NativeTerminal) => {
      const { terminal, receiptNumber, key } = beginReturnOf(input, this.id)
      return native.beginReturnSync(terminal, receiptNumber, key)
    }
    return this.#crossing.now('beginReturn', undefined, call, this.#handle)
  }

  /**
   * Resumes a suspended sale by its ticket: under its own number where it was suspended, under a new
   * one at another terminal of the store. A ticket is good once.
   *
   * Durable when the promise resolves, in both durability modes.
   *
   * @throws {@link SaleStateError} `PK_E_ALREADY_RESUMED` with the terminal where it went on,
   * `PK_E_NOT_FOUND`, `PK_E_CLOSED`, `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT` for what is no ticket, `PK_E_BAD_ID`, `PK_E_LIMIT`
   * @throws {@link StorageError} `PK_E_IO`, `PK_E_CORRUPT`, `PK_E_NO_SPACE`
   * @example
   * for (const { ticket } of await terminal.suspendedSales()) {
   *   const sale = await terminal.resume(ticket)
   *   console.log(sale.id, sale.totals().due)
   * }
   */
  resume(ticket: string, options?: Keyed): Promise<Sale> {
    const call = async (native: NativeTerminal) =>
      native.resume(text('ticket', ticket), keyOf(options))
    return this.#crossing.away('resume', undefined, call, this.#handle)
  }

  /** As {@link resume}, waiting on the calling thread. */
  resumeSync(ticket: string, options?: Keyed): Sale {
    const call = (native: NativeTerminal) =>
      native.resumeSync(text('ticket', ticket), keyOf(options))
    return this.#crossing.now('resume', undefined, call, this.#handle)
  }

  /**
   * The sales that wait in the store for their tickets, at any terminal.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @throws {@link StorageError} `PK_E_IO`
   * @example
   * for (const { ticket, gross } of await terminal.suspendedSales()) console.log(ticket, gross)
   */
  suspendedSales(): Promise<readonly WaitingSale[]> {
    return this.#crossing.read('suspendedSales', async (native) => native.suspendedSales())
  }

  /** As {@link suspendedSales}, reading on the calling thread. */
  suspendedSalesSync(): readonly WaitingSale[] {
    return this.#crossing.ask('suspendedSales', (native) => native.suspendedSalesSync())
  }

  /**
   * Journals which suspended sales of this terminal have gone on at others, and gives their numbers:
   * they are over here. Opening does it too.
   *
   * Durable when the promise resolves, in both durability modes.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @throws {@link StorageError} `PK_E_IO`, `PK_E_NO_SPACE`
   * @throws {@link InputError} `PK_E_BAD_CONFIG` for a file of the store that is no claim
   * @example
   * const goneOn = await terminal.collectTransfers()
   */
  collectTransfers(): Promise<readonly number[]> {
    return this.#crossing.read('collectTransfers', async (native) => native.collectTransfers())
  }

  /** As {@link collectTransfers}, waiting on the calling thread. */
  collectTransfersSync(): readonly number[] {
    return this.#crossing.ask('collectTransfers', (native) => native.collectTransfersSync())
  }

  /**
   * Voids the sales to which nothing has happened for so long, by a clock that nobody can set, counted
   * while the terminal is open. A sale with a live tender never expires, nor does a suspended one.
   *
   * Durable when the promise resolves, in both durability modes.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @throws {@link StorageError} `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * const { sales } = await terminal.expire({ idleMs: 15 * 60_000, reason: 'nobody went on' })
   */
  expire(expiry: Expiry): Promise<ExpiryAnswer> {
    return this.#crossing.later('expire', undefined, this.#expire(expiry), expiryAnswer)
  }

  /** As {@link expire}, waiting on the calling thread. */
  expireSync(expiry: Expiry): ExpiryAnswer {
    return this.#crossing.now('expire', undefined, this.#expire(expiry), expiryAnswer)
  }

  /**
   * Rings up a whole sale: begin, lines, discounts, tenders and completion in one frame, one write
   * and one flush. It is in the journal whole or not at all.
   *
   * Durable when the promise resolves, in both durability modes.
   *
   * @throws {@link MoneyError} `PK_E_BAD_CURRENCY`, `PK_E_BAD_QUANTITY`, `PK_E_BAD_PRICE`,
   * `PK_E_BAD_RATE`, `PK_E_BAD_AMOUNT`, `PK_E_OVERFLOW`
   * @throws {@link SaleStateError} `PK_E_UNDERPAID`, `PK_E_EMPTY_SALE`, `PK_E_NOTHING_DUE`,
   * `PK_E_MIXED_RETURNS`, `PK_E_UNBOUND_RETURN`, `PK_E_APPROVAL_REQUIRED`, `PK_E_CLOSED`,
   * `PK_E_IDEMPOTENCY_MISMATCH`
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT`, `PK_E_BAD_KEY`
   * @throws {@link StorageError} `PK_E_NO_SPACE`, `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * const receipt = await terminal.sell({
   *   store: 'corner-shop',
   *   currency: 'EUR',
   *   lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
   *   tenders: [{ kind: 'cash', amount: 1000 }],
   *   key: 'order-4711',
   * })
   */
  sell(cart: Cart): Promise<ReceiptAnswer> {
    return this.#crossing.later(
      'sell',
      undefined,
      (native) => this.#packer.sell(native, cart),
      ({ receipt }) => receipt,
    )
  }

  /** As {@link sell}, waiting on the calling thread. */
  sellSync(cart: Cart): ReceiptAnswer {
    return this.#crossing.now(
      'sell',
      undefined,
      (native) => this.#packer.sell(native, cart),
      ({ receipt }) => receipt,
    )
  }

  /**
   * The open sales, by number: those of this process and those that came back.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @example
   * for (const sale of terminal.openSales()) {
   *   if (sale.recovered) await sale.void({ reason: 'the till was restarted' })
   * }
   */
  openSales(): readonly Sale[] {
    const heads = this.#crossing.ask('openSales', (native) => native.openSales())
    return heads.map((head) => new Sale(this.#crossing, head.sale, head))
  }

  /**
   * Whether a key is remembered: a call with it is answered here as it was before. Whoever spreads calls
   * over several terminals asks this first, so that a call which is made again goes where it went.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`
   * @example
   * if (terminal.knowsKey('order-4711')) console.log(terminal.id)
   */
  knowsKey(key: string): boolean {
    return this.#crossing.ask('knowsKey', (native) => native.knowsKey(text('key', key)))
  }

  /**
   * A handle to a sale by its number, open or finished. On a finished one a call with a key that was
   * used before still gets its stored answer: a host that was cut off asks again this way.
   *
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_CLOSED`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`
   * @example
   * const receipt = await terminal.sale(17).complete({ key: 'order-4711' })
   */
  sale(id: number): Sale {
    this.#crossing.ask('sale', (native) => {
      try {
        native.totals(numberOf('sale', id))
      } catch (thrown) {
        if (!isPosError(toPosError(thrown), 'PK_E_ALREADY_FINAL')) throw thrown
      }
    })
    return new Sale(this.#crossing, id)
  }

  /**
   * A receipt by its number, read from the journal.
   *
   * @param circle - `training` for the receipts of training, which have numbers of their own
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`, `PK_E_CLOSED`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`
   * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_IO`
   * @example
   * const receipt = await terminal.receipt(1)
   */
  async receipt(receiptNumber: number, circle: Circle = 'sale'): Promise<Receipt> {
    const read = async (native: NativeTerminal) =>
      native.receipt(numberOf('receiptNumber', receiptNumber), text('circle', circle))
    return receiptOf(await this.#crossing.read('receipt', read))
  }

  /** As {@link receipt}, reading on the calling thread. */
  receiptSync(receiptNumber: number, circle: Circle = 'sale'): Receipt {
    const read = (native: NativeTerminal) =>
      native.receiptSync(numberOf('receiptNumber', receiptNumber), text('circle', circle))
    return receiptOf(this.#crossing.ask('receipt', read))
  }

  /**
   * Perpetual totals, one entry a currency, by currency.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @example
   * for (const { currency, net } of terminal.counters()) console.log(currency, net)
   */
  counters(): readonly Counters[] {
    return this.#crossing.ask('counters', (native) => native.counters())
  }

  /**
   * Where the terminal stands.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @example
   * if (terminal.status().space !== 'ok') console.log('free some disk space')
   */
  status(): TerminalStatus {
    return this.#crossing.ask('status', (native) => native.status()) as TerminalStatus
  }

  /**
   * Writes, bytes and device flushes since the terminal was opened. Answers after closing too.
   *
   * @example
   * const { writes, flushes } = terminal.stats()
   */
  stats(): TerminalStats {
    return this.#crossing.stats()
  }

  /**
   * Closes the terminal and frees its lock. Calls that still wait are settled first. Sales that are
   * open stay so and come back when the terminal is opened again. Closing twice does nothing.
   *
   * Durable when the promise resolves: everything, and the close itself.
   *
   * @throws {@link StorageError} `PK_E_OUTCOME_UNKNOWN`, `PK_E_POISONED`, `PK_E_IO`; the lock is
   * freed all the same
   * @example
   * await terminal.close()
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** As {@link close}, on the calling thread. */
  closeSync(): void {
    const isFirst = this.#closing === undefined
    this.#closing ??= Promise.resolve()
    void this.messages.close()
    this.#crossing.closeSync()
    if (isFirst) tellClose({ terminal: this.id, root: this.root })
  }

  /** Closes the terminal at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    // Refused from here on, whatever the sockets still say.
    const [closed] = await Promise.allSettled([this.#crossing.close(), this.messages.close()])
    if (closed.status === 'rejected') throw closed.reason
    tellClose({ terminal: this.id, root: this.root })
  }

  #setPolicy(policy: PolicyInput, options: Keyed | undefined) {
    return (native: NativeTerminal) => native.setPolicy(policyOf(policy), keyOf(options))
  }

  #setRules(tables: readonly string[], options: Keyed | undefined) {
    return (native: NativeTerminal) => native.setRules(tablesOf(tables), keyOf(options))
  }

  #begin(input: BeginInput) {
    return (native: NativeTerminal) => {
      const { store, currency, reference, key } = beginOf(input)
      return native.begin(store, currency, reference, key)
    }
  }

  #expire(expiry: Expiry) {
    return (native: NativeTerminal) => {
      const { idleMs, reason } = expiryOf(expiry)
      return native.expire(idleMs, reason)
    }
  }

  /** A handle that asks when it is asked. */
  readonly #handle = ({ sale, replayed }: NativeAnswer & { readonly sale: number }) =>
    new Sale(this.#crossing, sale, undefined, replayed)

  #begun(input: BeginInput) {
    return ({ sale, replayed }: NativeAnswer & { readonly sale: number }) => {
      const { store, currency, reference } = input
      // A sale that was begun before may have come back, or be over: its handle asks when needed.
      const known = replayed ? undefined : { store, currency, reference, recovered: false }
      return new Sale(this.#crossing, sale, known, replayed)
    }
  }
}

const optionNames = new Set([
  'root',
  'id',
  'durability',
  'segmentBytes',
  'create',
  'signing',
  'archive',
  'attendance',
])
const attendanceNames = new Set(['operator', 'shift'])

/**
 * The root folder that an option means: itself, else `POS_KERNEL_ROOT`, else `./pos_kernel_data`.
 * Absolute, so that a later change of the working folder does not move the store.
 */
export function rootOf(option: unknown): string {
  const given = optionalText('root', option)
  if (given === '') throw wrong('root', given, 'a folder')
  return path.resolve(given ?? (process.env.POS_KERNEL_ROOT || './pos_kernel_data'))
}

/** @internal */
export function checkedOptions(options: TerminalOptions): NativeOpenOptions & { root: string } {
  checkNames('options', options, optionNames)
  const { segmentBytes } = options
  if (segmentBytes !== undefined && !Number.isSafeInteger(segmentBytes)) {
    throw wrong('segmentBytes', segmentBytes, '65536 to 1073741824 in steps of 4096')
  }
  const checked: NativeOpenOptions & { root: string } = {
    root: rootOf(options.root),
    hostVersion: `pos-kernel ${packageVersion()}, node ${process.versions.node}`,
  }
  const id = optionalText('id', options.id)
  const durability = optionalText('durability', options.durability)
  const create = optionalFlag('create', options.create)
  if (id !== undefined) checked.id = id
  if (durability !== undefined) checked.durability = durability
  if (segmentBytes !== undefined) checked.segmentBytes = segmentBytes
  if (create !== undefined) checked.create = create
  const signing = optionalText('signing', options.signing)
  if (signing !== undefined && signing !== 'off' && signing !== 'software') {
    throw wrong('signing', signing, '"off" or "software"')
  }
  if (signing === 'software') checked.sign = true
  const archive = optionalText('archive', options.archive)
  if (archive === '') throw wrong('archive', archive, 'a folder')
  if (archive !== undefined) checked.archive = path.resolve(archive)
  if (options.attendance !== undefined) {
    checkNames('attendance', options.attendance, attendanceNames)
    checked.needsOperator = optionalFlag('operator', options.attendance.operator) ?? false
    checked.needsShift = optionalFlag('shift', options.attendance.shift) ?? false
  }
  return checked
}

/** @internal */
export function queueOf({ id }: TerminalOptions): DurableQueue {
  return new DurableQueue((operation, error) => {
    tellError({ ...(id !== undefined && { terminal: id }), operation, error })
  })
}

/** @internal */
export function opening<T>(open: () => T): T {
  try {
    return open()
  } catch (thrown) {
    throw refusal(thrown)
  }
}

/** @internal */
export function refusal(thrown: unknown) {
  const error = toPosError(thrown)
  tellError({ operation: 'open', error })
  return error
}
