/**
 * Journals read from outside: audit, decoding, lists. None of these takes a terminal's lock or
 * writes a byte, so they run beside an owner that is selling.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { binding, packageVersion } from '../native.js'
import type { ErrorCode } from './codes.js'
import { toPosError } from './errors.js'
import { checkNames, list, numberOf, optionalFlag, optionalText, text, wrong } from './input.js'
import { plain } from './plain.js'
import { rootOf } from './terminal.js'

export { packageVersion }

/** Records that are decoded at a time; between two such batches the event loop runs. */
const BATCH_RECORDS = 1024
/** How often a followed journal is looked at again. */
const FOLLOW_MS = 200

/** How to verify. */
export interface VerifyOptions {
  /** Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
  readonly root?: string | undefined
  /** One terminal; all of the store when left out. */
  readonly terminal?: string | undefined
  /**
   * The `hash` of a receipt or the `head` of a status, noted earlier: it must still be part of the
   * journal. In a whole store it must be part of one.
   */
  readonly anchor?: string | undefined
  /**
   * Public keys that are trusted to sign, in hexadecimal. With none, signatures are held against the
   * keys that the journals themselves name, and a journal need not be signed.
   */
  readonly keys?: readonly string[] | undefined
  /** A folder of archives beside that of the store; in it, each terminal has a folder of its own. */
  readonly archive?: string | undefined
  /** Told after each segment. */
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined
}

/** How far an audit has come. */
export interface VerifyProgress {
  /** The terminal that is being read. */
  readonly terminal: string
  /** Segments of it that are done. */
  readonly segmentsDone: number
  /** Segments of it in all. */
  readonly segments: number
}

/** One thing that is wrong with a journal. */
export interface VerifyProblem {
  /** Segment; 0 when it concerns the whole journal. */
  readonly segment: number
  /** Byte offset in the segment. */
  readonly offset: number
  /** Sequence there; 0 when none can be named. */
  readonly sequence: number
  /** What kind of thing. */
  readonly code: ErrorCode
  /** A sentence about it. */
  readonly message: string
}

/** What the signatures of a journal vouch for. */
export interface SigningReport {
  /** Name of the key or device that signs, or signed last. */
  readonly signer: string
  /** Algorithm. */
  readonly algorithm: string
  /** Public key, in hexadecimal. */
  readonly key: string
  /** The signer is up. */
  readonly up: boolean
  /** Receipts with a signature that holds. */
  readonly signatures: number
  /** Those of them that were signed late. */
  readonly late: number
  /** Signatures of algorithms that cannot be judged here. */
  readonly unjudged: number
  /** Receipts that stand without a signature. */
  readonly unsigned: number
  /** The newest sequence that a signature which holds vouches for; 0 when there is none. */
  readonly signedSequence: number
}

/** What a journal says was archived. */
export interface ArchivedReport {
  /** The newest archived segment. */
  readonly segment: number
  /** Its last sequence. */
  readonly lastSequence: number
  /** Its last link. */
  readonly link: string
}

/** The audit of one terminal. */
export interface TerminalReport {
  /** Terminal id. */
  readonly id: string
  /** Good records. */
  readonly records: number
  /** Segments. */
  readonly segments: number
  /** Chain link of the last good frame: note it, and `anchor` proves later that nothing was cut. */
  readonly head: string
  /** Sequence of the last good record. */
  readonly lastSequence: number
  /** Receipts given. */
  readonly receipts: number
  /** Bytes behind the last frame that were never durable: torn, or being written. */
  readonly tornBytes: number
  /** Sequence of the first record that was read; above 1, older segments are not at hand. */
  readonly firstSequence: number
  /** What the signatures vouch for; absent when there was never a signer. */
  readonly signing?: SigningReport
  /** What was archived, as the journal says; absent when nothing was. */
  readonly archived?: ArchivedReport
  /** Segments that were read from an archive. */
  readonly archiveSegments: number
  /** What is wrong, in order, up to a thousand entries. */
  readonly problems: readonly VerifyProblem[]
  /** How many things are wrong in all. */
  readonly problemCount: number
}

/** The audit of a store. */
export interface VerifyReport {
  /** Nothing is wrong anywhere. */
  readonly ok: boolean
  /** By terminal. */
  readonly terminals: readonly TerminalReport[]
}

/** A completed sale as it stands in a journal. */
export interface ListedSale {
  /** The host's own number for it. */
  readonly reference: string | null
  /** Receipt number. */
  readonly receiptNumber: number
  /** Currency. */
  readonly currency: string
  /** Total in minor units. */
  readonly gross: number
  /** Sequence of the completion. */
  readonly sequence: number
  /** Lines, voided ones included. */
  readonly lines: number
}

/** A decoded record of a journal, or a place that cannot be read. */
export type JournalRecord = DecodedRecord | UnreadableSegment

/** A decoded record. */
export interface DecodedRecord {
  /** Sequence, from 1. */
  readonly sequence: number
  /** Name of its kind; the number of one that this version does not know. */
  readonly kind: string | number
  /** Wall time, ISO 8601 in UTC. */
  readonly at: string
  /** Owner epoch. */
  readonly epoch: number
  /** Segment. */
  readonly segment: number
  /** Byte offset of its frame. */
  readonly offset: number
  /** Chain link of its frame. */
  readonly hash: string
  /** The fact, by field. */
  readonly fact?: Readonly<Record<string, unknown>>
  /** What a checkpoint sums up. */
  readonly checkpoint?: Readonly<Record<string, unknown>>
  /** Why the body could not be decoded. */
  readonly error?: string
  /** The body in hexadecimal, where decoding it loses something. */
  readonly body?: string
  /** Version of a body that this version does not know. */
  readonly version?: number
}

/** What cannot be shown: a segment that is damaged, or records that are not in the journal yet. */
export interface UnreadableSegment {
  /** Segment; 0 when it concerns the whole journal. `verify` says more. */
  readonly segment: number
  /** What is wrong. */
  readonly problem: string
  /** `PK_E_STORE_UNSETTLED`, for what a store process that is gone has left in its log. */
  readonly code?: ErrorCode
  /** How many writes it has left there. */
  readonly writes?: number
}

/** How to inspect. */
export interface InspectOptions {
  /** Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
  readonly root?: string | undefined
  /** Terminal id. */
  readonly terminal: string
  /** First sequence; 1 when left out. */
  readonly from?: number | undefined
  /** Waits for more at the end instead of ending. */
  readonly follow?: boolean | undefined
  /** Ends a followed inspection: the iteration then ends without an error. */
  readonly signal?: AbortSignal | undefined
}

/** Versions. */
export interface Versions {
  /** Of this package. */
  readonly package: string
  /** Of the native kernel. */
  readonly kernel: string
  /** Of the journal's layout. */
  readonly journalFormat: number
}

const verifyNames = new Set(['root', 'terminal', 'anchor', 'keys', 'archive', 'onProgress'])
const inspectNames = new Set(['root', 'terminal', 'from', 'follow', 'signal'])

/**
 * Verifies a terminal or a whole store: checksums, hash chain, sequence, invariants, counters. Runs
 * on all cores, off the event loop.
 *
 * @throws {@link SaleStateError} `PK_E_NOT_FOUND` when there is no such journal
 * @throws {@link InputError} `PK_E_BAD_ID`, `PK_E_BAD_ARGUMENT`
 * @throws {@link StorageError} `PK_E_IO`, `PK_E_VERSION`; damage is in the report instead
 * @example
 * const report = await verifyStore({ root: './store' })
 * for (const { id, problems } of report.terminals) console.log(id, problems)
 */
export async function verifyStore(options: VerifyOptions = {}): Promise<VerifyReport> {
  return asking(async () => {
    checkNames('options', options, verifyNames)
    const { onProgress } = options
    if (onProgress !== undefined && typeof onProgress !== 'function') {
      throw wrong('onProgress', onProgress, 'a function')
    }
    const terminal = optionalText('terminal', options.terminal)
    const anchor = optionalText('anchor', options.anchor)
    const tell =
      onProgress &&
      ((id: string, segmentsDone: number, segments: number) => {
        onProgress({ terminal: id, segmentsDone, segments })
      })
    const keys = list('keys', options.keys ?? []).map((key) => text('keys', key))
    const archive = optionalText('archive', options.archive)
    const root = rootOf(options.root)
    const report = await binding().verifyStore(root, terminal, anchor, tell, keys, archive)
    return plain(report) as VerifyReport
  })
}

/**
 * The records of a journal, decoded, in order. Reads on the calling thread, in batches. What a store
 * process that is gone has left in its log, and nobody has brought into the journal yet, cannot be
 * shown: that it is there is said once, behind the records, with the code `PK_E_STORE_UNSETTLED`.
 *
 * @throws {@link SaleStateError} `PK_E_NOT_FOUND` when there is no such journal
 * @throws {@link InputError} `PK_E_BAD_ID`, `PK_E_BAD_ARGUMENT`
 * @throws {@link StorageError} `PK_E_IO`, `PK_E_VERSION`
 * @example
 * for await (const record of inspectJournal({ root: './store', terminal: 'REGISTER_01' })) {
 *   if ('problem' in record) console.log(record.segment, record.problem)
 *   else console.log(record.sequence, record.kind, record.fact)
 * }
 */
export async function* inspectJournal(
  options: InspectOptions,
): AsyncGenerator<JournalRecord, void, undefined> {
  const { root, terminal, from, follow, signal } = await asking(async () => {
    checkNames('options', options, inspectNames)
    return {
      root: rootOf(options.root),
      terminal: text('terminal', options.terminal),
      from: options.from === undefined ? 1 : numberOf('from', options.from),
      follow: optionalFlag('follow', options.follow) ?? false,
      signal: options.signal,
    }
  })
  const unreadable = new Set<number>()
  let isEndSeen = false
  for (let next = from; signal?.aborted !== true; ) {
    const batch = await asking(async () =>
      binding().inspectRecords(root, terminal, next, BATCH_RECORDS),
    )
    next = batch.nextSequence
    for (const native of batch.records) {
      const record = recordOf(native)
      if ('problem' in record) {
        // A followed journal is read again and again; each bad segment is worth one line.
        if (unreadable.has(record.segment)) continue
        unreadable.add(record.segment)
      }
      yield record
    }
    if (batch.end && !isEndSeen) {
      isEndSeen = true
      const writes = binding().unsettledWrites(root, terminal)
      if (writes > 0) yield unsettled(root, writes)
    }
    if (!batch.end) {
      await new Promise((resolve) => setImmediate(resolve))
    } else if (follow) {
      await sleep(FOLLOW_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {})
    } else {
      return
    }
  }
}

/**
 * Every completed sale of a terminal, in the order of its receipts.
 *
 * @param root - root folder of the store
 * @param terminal - terminal id
 * @throws {@link SaleStateError} `PK_E_NOT_FOUND` when there is no such journal
 * @throws {@link InputError} `PK_E_BAD_ID`, `PK_E_BAD_ARGUMENT`
 * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_IO`, `PK_E_VERSION`
 * @example
 * const sales = await listSales('./store', 'REGISTER_01')
 * const rungUp = new Set(sales.map((sale) => sale.reference))
 */
export async function listSales(root: string, terminal: string): Promise<readonly ListedSale[]> {
  return asking(async () => {
    const listed = await binding().listSales(rootOf(root), text('terminal', terminal))
    return listed.map(({ reference = null, ...sale }) => ({ reference, ...sale }))
  })
}

/**
 * Ids of the terminals of a store, in order; none when there is no such folder.
 *
 * @param root - root folder of the store
 * @throws {@link StorageError} `PK_E_IO`
 * @example
 * for (const terminal of listTerminals('./store')) console.log(terminal)
 */
export function listTerminals(root: string): readonly string[] {
  try {
    const folder = rootOf(root)
    return existsSync(folder) ? binding().listTerminals(folder) : []
  } catch (thrown) {
    throw toPosError(thrown)
  }
}

/**
 * Versions of what is loaded.
 *
 * @throws {@link BindingLoadError}
 * @example
 * console.log(versions().kernel)
 */
export function versions(): Versions {
  return { package: packageVersion(), ...binding().version() }
}

function unsettled(root: string, writes: number): UnreadableSegment {
  const log = path.join(root, 'shared', 'store.wal')
  const problem =
    `${log} holds ${writes} writes that are not in this journal yet, so records may be missing at ` +
    'its end; open the store, or one of its terminals, and look again'
  return { segment: 0, problem, code: 'PK_E_STORE_UNSETTLED', writes }
}

/** A record with the names that people look for first in front. */
function recordOf(native: Record<string, unknown>): JournalRecord {
  const { sequence, kind, at, fact, checkpoint, ...rest } = plain(native) as Record<string, unknown>
  if (sequence === undefined) return rest as unknown as UnreadableSegment
  const record = { sequence, kind, at, fact, checkpoint, ...rest }
  // Absent fields stay absent.
  for (const name of ['fact', 'checkpoint'] as const) {
    if (record[name] === undefined) delete record[name]
  }
  return record as DecodedRecord
}

async function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (thrown) {
    throw toPosError(thrown)
  }
}
