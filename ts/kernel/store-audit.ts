/**
 * The audit of a whole store: one log, merged from the journals of all its terminals, with a chain of
 * its own; its check; and what all tills took together. It runs beside tills that sell, takes none of
 * their locks and writes nothing but the log.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { binding, type NativeAuditAnswer } from '../native.js'
import type { ErrorCode } from './codes.js'
import { toPosError } from './errors.js'
import { checkNames, list, numberOf, optionalText, text, wrong } from './input.js'
import type { VerifyProblem } from './inspect.js'
import { plain } from './plain.js'
import { rootOf } from './terminal.js'

/** How often a followed store is looked at again, unless the caller says otherwise. */
const FOLLOW_MS = 200
/** A store in which nothing happens is looked at so much more rarely, by and by. */
const IDLE_FACTOR = 5

/** Which store. */
export interface StoreOptions {
  /** Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
  readonly root?: string | undefined
  /** A folder of archives beside that of the store; in it, each terminal has a folder of its own. */
  readonly archive?: string | undefined
}

/** How far something has come. */
export type AuditProgress = (done: number, of: number) => void

/** How to merge. */
export interface AuditOptions extends StoreOptions {
  /** Told as it goes: records merged, and about how many there are. */
  readonly onProgress?: AuditProgress | undefined
}

/** How to follow a store. */
export interface FollowOptions extends StoreOptions {
  /** Milliseconds between two looks, up to five times as many while nothing is new; 200 when left out. */
  readonly everyMs?: number | undefined
  /** Ends it: the iteration then ends without an error, and the lock is free. */
  readonly signal?: AbortSignal | undefined
}

/** How to check the log of a store. */
export interface AuditCheckOptions extends StoreOptions {
  /** The `hash` of a head that was noted earlier: it must still be that of a line. */
  readonly anchor?: string | undefined
  /** Told as it goes: bytes of the log that were read, and how many there are. */
  readonly onProgress?: AuditProgress | undefined
}

/** Where a log ends. */
export interface AuditHead {
  /** Number of its last line; 0 while it is empty. */
  readonly line: number
  /** SHA-256 of that line: note it, and `anchor` proves later that nothing was changed before it. */
  readonly hash: string
  /** Size of the log. */
  readonly bytes: number
  /** Number of its last block. */
  readonly block: number
}

/** What stands in the way of one terminal; the others were merged. */
export interface AuditFault extends VerifyProblem {
  /** The terminal. */
  readonly terminal: string
}

/** What a merge did. */
export interface AuditMerge {
  /** Nothing stands in the way of any terminal. */
  readonly ok: boolean
  /** Frames that are new in the log: a frame is what one call wrote. */
  readonly frames: number
  /** Records in them. */
  readonly records: number
  /** Blocks that are new. */
  readonly blocks: number
  /** Terminals with a journal. */
  readonly terminals: number
  /** Bytes of a torn block that were cut when the log was opened. */
  readonly cutBytes: number
  /** Where the log ends. */
  readonly head: AuditHead
  /** What is wrong, by terminal. */
  readonly faults: readonly AuditFault[]
}

/** One thing that is wrong with the log itself. */
export interface AuditLineProblem {
  /** Number that the line should have. */
  readonly line: number
  /** Byte at which it begins. */
  readonly offset: number
  /** `PK_E_AUDIT_LOG`. */
  readonly code: ErrorCode
  /** A sentence about it. */
  readonly message: string
}

/** The log and one terminal. */
export interface AuditedTerminal {
  /** Terminal id. */
  readonly id: string
  /** Frames of it in the log. */
  readonly frames: number
  /** Last sequence in the log. */
  readonly sequence: number
  /** Durable records of its journal that the log does not have yet. */
  readonly behind: number
  /** What the log says is in the way of more. */
  readonly noted?: VerifyProblem
  /** What is wrong with its journal, or between the journal and the log. */
  readonly problems: readonly VerifyProblem[]
}

/** Something that left a terminal and was not taken yet: cash, or a suspended sale. */
export interface OnItsWay {
  /** What it is received or resumed by. */
  readonly ticket: string
  /** The terminal that it left. */
  readonly from: string
  /** Sequence there of the record by which it left. */
  readonly sequence: number
  /** When, by that terminal's clock: ISO 8601 in UTC. */
  readonly at: string
  /** The terminal that cash goes to; a suspended sale waits for any. */
  readonly to?: string
  /** Of cash: ISO 4217 letters. */
  readonly currency?: string
  /** Of cash: minor units. */
  readonly amount?: number
}

/**
 * What does not fit between two journals.
 *
 * | fault | what is wrong |
 * | --- | --- |
 * | `unsent` | it was taken, and its giver's journal did not let it go |
 * | `gone` | it was taken, and its giver has no journal in this store |
 * | `elsewhere` | it was taken by a terminal that it was not sent to |
 * | `changed` | another amount, currency or sale was taken than was let go |
 * | `twice` | it was taken before, here or elsewhere |
 * | `untaken` | its giver was told that it was taken, and the taker's journal does not say so |
 * | `unsettled` | the record that would tell is still in the log of a store process that is gone |
 */
export type TransferFault =
  | 'unsent'
  | 'gone'
  | 'elsewhere'
  | 'changed'
  | 'twice'
  | 'untaken'
  | 'unsettled'

/** One thing that does not fit between two journals. */
export interface TransferProblem {
  /** The terminal whose record does not fit. */
  readonly terminal: string
  /** That record. */
  readonly sequence: number
  /** The ticket of what moved. */
  readonly ticket: string
  /** What is wrong. */
  readonly fault: TransferFault
  /** `PK_E_TRANSFER_CONTRADICTED`, or `PK_E_STORE_UNSETTLED` where the fault is `unsettled`. */
  readonly code: ErrorCode
  /** A sentence about it. */
  readonly message: string
}

/** What moved between the terminals of a store, as their journals say, merged or not. */
export interface StoreTransfers {
  /** Times that cash was sent. */
  readonly cashSent: number
  /** Times that cash was received by the other terminal. */
  readonly cashReceived: number
  /** Times that cash was taken back by its giver. */
  readonly cashTakenBack: number
  /** Times that a sale was suspended. */
  readonly salesSuspended: number
  /** Times that a suspended sale went on at another terminal. */
  readonly salesTakenOver: number
  /** Times that a suspended sale went on where it was suspended. */
  readonly salesResumed: number
  /** What is still on its way or waits, in the order in which it left. No fault. */
  readonly onTheirWay: readonly OnItsWay[]
  /** The cash among it by currency, in minor units. */
  readonly cashOnItsWay: readonly {
    /** ISO 4217 letters. */
    readonly currency: string
    /** How many amounts. */
    readonly count: number
    /** Their sum. */
    readonly amount: number
  }[]
  /** Takings that cannot be judged: what would tell stands in an archive that is away, or is damaged. */
  readonly unjudged: number
  /** What is wrong, up to a thousand entries. */
  readonly problems: readonly TransferProblem[]
}

/** What a check of a log found. */
export interface AuditCheck {
  /** Nothing is wrong. */
  readonly ok: boolean
  /** The log has all that is durable in the journals. */
  readonly complete: boolean
  /** Where its last block ends. */
  readonly head: AuditHead
  /** Frames in it. */
  readonly frames: number
  /** Records in them. */
  readonly records: number
  /** Frames that stand in a later block than their stamp says. */
  readonly late: number
  /** Bytes of a block that is being written, or was torn. */
  readonly unfinishedBytes: number
  /** By terminal. */
  readonly terminals: readonly AuditedTerminal[]
  /** What moved between them. */
  readonly transfers: StoreTransfers
  /** What is wrong with the log itself, up to a thousand entries. */
  readonly problems: readonly AuditLineProblem[]
  /** How many things are wrong in all. */
  readonly problemCount: number
}

/** The parts of a report: what was taken, what was sold in each hour, what was sold of each SKU. */
export type StoreReportKind = 'x' | 'hours' | 'skus'

/** What to report. */
export interface StoreReportOptions extends StoreOptions {
  /** Parts; all when left out. The others stay empty. */
  readonly reports?: readonly StoreReportKind[] | undefined
}

/** Sums of one tax in minor units; what was returned is counted upwards. */
export interface StoreTax {
  /** The tax: its class, its rate in parts per million, and whether prices contain it. */
  readonly tax: {
    /** Name of its class. */
    readonly class: string
    /** Rate in parts per million. */
    readonly ratePpm: number
    /** Prices contain it. */
    readonly inclusive: boolean
  }
  /** Net sold. */
  readonly soldNet: number
  /** Tax on it. */
  readonly soldTax: number
  /** Net returned. */
  readonly returnedNet: number
  /** Tax on it. */
  readonly returnedTax: number
}

/** Confirmed tenders of one kind. */
export interface StoreTenders {
  /** How many. */
  readonly count: number
  /** What they come to, in minor units. */
  readonly amount: number
}

/** Sums of all tills in one currency, in its minor units. Training counts nowhere. */
export interface StoreSums {
  /** Completed sales. */
  readonly receipts: number
  /** Voided sales. */
  readonly voids: number
  /** Sold, taxes included. */
  readonly sales: number
  /** Returned, taxes included, counted upwards. */
  readonly returns: number
  /** Sold less returned, without taxes. */
  readonly net: number
  /** Taxes. */
  readonly tax: number
  /** Sold less returned. */
  readonly gross: number
  /** Discounts. */
  readonly discounts: number
  /** Surcharges. */
  readonly surcharges: number
  /** What cash rounding added. */
  readonly rounding: number
  /** Tips in tenders. */
  readonly tips: number
  /** Change given. */
  readonly change: number
  /** Confirmed tenders by kind. */
  readonly tenders: Readonly<Record<string, StoreTenders>>
  /** Taxes one by one. */
  readonly taxes: readonly StoreTax[]
}

/** What all tills of a store took, as far as its log has merged them. */
export interface StoreReport {
  /** Up to which sequence of each terminal it goes. */
  readonly terminals: Readonly<Record<string, number>>
  /** By currency: since the first day, and since the last Z report of each terminal. */
  readonly currencies: readonly {
    /** ISO 4217 letters. */
    readonly currency: string
    /** Since the first day. */
    readonly total: StoreSums
    /** Since the last Z report of each terminal. */
    readonly period: StoreSums
  }[]
  /** By hour, in UTC, and currency. */
  readonly hours: readonly {
    /** ISO 8601, to the hour. */
    readonly hour: string
    /** ISO 4217 letters. */
    readonly currency: string
    /** Completed sales. */
    readonly receipts: number
    /** Without taxes, in minor units. */
    readonly net: number
    /** With taxes. */
    readonly gross: number
  }[]
  /** By stock-keeping unit and currency. */
  readonly skus: readonly {
    /** Stock-keeping unit. */
    readonly sku: string
    /** ISO 4217 letters. */
    readonly currency: string
    /** Lines that count. */
    readonly lines: number
    /** Their quantities together, a decimal. */
    readonly quantity: string
    /** Without taxes, in minor units. */
    readonly net: number
    /** With taxes. */
    readonly gross: number
  }[]
}

const storeNames = ['root', 'archive']
const auditNames = new Set([...storeNames, 'onProgress'])
const followNames = new Set([...storeNames, 'everyMs', 'signal'])
const checkOptionNames = new Set([...storeNames, 'anchor', 'onProgress'])
const reportNames = new Set([...storeNames, 'reports'])
const allReports: readonly StoreReportKind[] = ['x', 'hours', 'skus']

/**
 * Merges what is durable in the journals of a store, and not in its log yet, into
 * `shared/aggregated_audit.log`. All of it is durable in the log when the promise resolves. What is
 * wrong with one journal is in `faults`, and the others are merged.
 *
 * @throws {@link LockError} `PK_E_AUDIT_IN_USE` while another process merges
 * @throws {@link StorageError} `PK_E_AUDIT_LOG` when the log was changed, `PK_E_VERSION`, `PK_E_IO`,
 * `PK_E_NO_SPACE`
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT`
 * @example
 * const { frames, head, faults } = await auditStore({ root: './store' })
 * console.log(`${frames} frames more; note ${head.hash}`, faults)
 */
export async function auditStore(options: AuditOptions = {}): Promise<AuditMerge> {
  return asking(async () => {
    const { root, archive, onProgress } = inputOf(options, auditNames)
    const audit = binding().openStoreAudit(root, archive)
    try {
      return answerOf<AuditMerge>(await audit.merge(onProgress))
    } finally {
      audit.close()
    }
  })
}

/**
 * As {@link auditStore}, on the calling thread.
 *
 * @throws as {@link auditStore}
 * @example
 * console.log(auditStoreSync({ root: './store' }).frames)
 */
export function auditStoreSync(options: StoreOptions = {}): AuditMerge {
  return askingSync(() => {
    const { root, archive } = inputOf(options, new Set(storeNames))
    const audit = binding().openStoreAudit(root, archive)
    try {
      return answerOf<AuditMerge>(audit.mergeSync())
    } finally {
      audit.close()
    }
  })
}

/**
 * Merges again and again, and tells of each time that something was new or another terminal is in the
 * way. Holds the lock of the log until the iteration ends.
 *
 * @throws as {@link auditStore}
 * @example
 * for await (const { frames } of followStoreAudit({ root: './store', signal: AbortSignal.timeout(60_000) })) console.log(frames)
 */
export async function* followStoreAudit(
  options: FollowOptions = {},
): AsyncGenerator<AuditMerge, void, undefined> {
  const { root, archive, everyMs, signal } = await asking(async () => {
    const input = inputOf(options, followNames)
    const wanted = options.everyMs === undefined ? FOLLOW_MS : numberOf('everyMs', options.everyMs)
    return { ...input, everyMs: Math.max(1, wanted), signal: options.signal }
  })
  const audit = await asking(async () => binding().openStoreAudit(root, archive))
  try {
    let told = ''
    let waitMs = everyMs
    while (signal?.aborted !== true) {
      const merge = await asking(async () => answerOf<AuditMerge>(await audit.merge()))
      const faults = JSON.stringify(merge.faults)
      if (merge.blocks > 0 || faults !== told) yield merge
      told = faults
      waitMs = merge.blocks > 0 ? everyMs : Math.min(waitMs * 2, everyMs * IDLE_FACTOR)
      await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => {})
    }
  } finally {
    audit.close()
  }
}

/**
 * Checks the log of a store: its chain, the order and completeness of what stands in it, that each
 * line is what its journal says, and that the journals agree on what moved between their terminals.
 * Takes no lock, so it runs beside a merge and beside tills that sell.
 *
 * @throws {@link SaleStateError} `PK_E_NOT_FOUND` when there is no log
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT`
 * @throws {@link StorageError} `PK_E_IO`; what is wrong is in the answer
 * @example
 * const { ok, complete, terminals } = await checkStoreAudit({ root: './store' })
 */
export async function checkStoreAudit(options: AuditCheckOptions = {}): Promise<AuditCheck> {
  return asking(async () => {
    const { root, archive, onProgress } = inputOf(options, checkOptionNames)
    const anchor = optionalText('anchor', options.anchor)
    return answerOf<AuditCheck>(await binding().checkStoreAudit(root, archive, anchor, onProgress))
  })
}

/**
 * As {@link checkStoreAudit}, on the calling thread.
 *
 * @throws as {@link checkStoreAudit}
 * @example
 * console.log(checkStoreAuditSync({ root: './store' }).ok)
 */
export function checkStoreAuditSync(
  options: Omit<AuditCheckOptions, 'onProgress'> = {},
): AuditCheck {
  return askingSync(() => {
    const { root, archive } = inputOf(options, new Set([...storeNames, 'anchor']))
    const anchor = optionalText('anchor', options.anchor)
    return answerOf<AuditCheck>(binding().checkStoreAuditSync(root, archive, anchor))
  })
}

/**
 * Adds up what all tills of a store took, as far as its log has merged them: merge first for the
 * newest. Takes no lock.
 *
 * @throws {@link SaleStateError} `PK_E_NOT_FOUND` when there is no log
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT`
 * @throws {@link MoneyError} `PK_E_OVERFLOW`
 * @throws {@link StorageError} `PK_E_AUDIT_LOG`, `PK_E_CORRUPT`, `PK_E_INCONSISTENT`, `PK_E_IO`
 * @example
 * const { currencies } = await reportStore({ root: './store', reports: ['x'] })
 * for (const { currency, total } of currencies) console.log(currency, total.gross)
 */
export async function reportStore(options: StoreReportOptions = {}): Promise<StoreReport> {
  return asking(async () => {
    const { root, archive } = inputOf(options, reportNames)
    return answerOf<StoreReport>(await binding().reportStore(root, archive, reportsOf(options)))
  })
}

/**
 * As {@link reportStore}, on the calling thread.
 *
 * @throws as {@link reportStore}
 * @example
 * console.log(reportStoreSync({ root: './store' }).hours)
 */
export function reportStoreSync(options: StoreReportOptions = {}): StoreReport {
  return askingSync(() => {
    const { root, archive } = inputOf(options, reportNames)
    return answerOf<StoreReport>(binding().reportStoreSync(root, archive, reportsOf(options)))
  })
}

function inputOf(
  options: StoreOptions & { readonly onProgress?: unknown },
  names: ReadonlySet<string>,
): { root: string; archive: string | undefined; onProgress: AuditProgress | undefined } {
  checkNames('options', options, names)
  const { onProgress } = options
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw wrong('onProgress', onProgress, 'a function')
  }
  const archive = optionalText('archive', options.archive)
  return {
    root: rootOf(options.root),
    archive,
    onProgress: onProgress as AuditProgress | undefined,
  }
}

function reportsOf({ reports = allReports }: StoreReportOptions): string[] {
  return list('reports', reports).map((name) => text('reports', name))
}

function answerOf<T>({ value }: NativeAuditAnswer): T {
  return plain(value) as T
}

async function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (thrown) {
    throw toPosError(thrown)
  }
}

function askingSync<T>(ask: () => T): T {
  try {
    return ask()
  } catch (thrown) {
    throw toPosError(thrown)
  }
}
