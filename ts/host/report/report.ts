/**
 * Crash bundles: of each run that failed, one folder with what is known of its end. A person reads it, `report` prints it, and
 * nothing in the host depends on it.
 *
 * ```text
 * <root>/host/reports/<instance>/
 *   report.json   reason, sentence, exit, what was asked, status, samples, events, stacks, counters, terminal, state
 *   log.txt       the last 64 KiB that the app printed
 * ```
 *
 * At most 64 bundles of at most 64 MiB together; the oldest go first. A bundle stands there whole or not at all. Read
 * `reason.ts` first (the words), then `evidence.ts` (what a run leaves).
 */
import fs from 'node:fs/promises'
import path from 'node:path'
import { hostError } from '../error.js'
import type { ExitRecord } from '../launcher/exit.js'
import type { RunFolders } from '../launcher/launcher.js'
import type { HostPlace } from '../place.js'
import { generationNamed, snapshotHeadBytes } from '../state/snapshot.js'
import type { AppSample, AppStatus, HostEvent, TerminalHealth } from '../supervisor/status.js'
import { readUntrusted, readUntrustedJson } from '../untrusted.js'
import { type Evidence, readEvidence } from './evidence.js'
import { type Asked, type EndFacts, type EndReason, reasonOf } from './reason.js'
import { sentenceOf } from './sentence.js'

/** Bundles that are kept. */
export const reportsMax = 64
/** Bytes of all of them together. */
export const reportsBytesMax = 64 * 1024 * 1024
/** Bytes of the log that a bundle keeps. */
export const logBytesMax = 64 * 1024
/** Samples and events that a bundle keeps. */
export const rowsMax = 120
/** Bytes of `report.json`, for whoever reads one. */
const reportBytesMax = 16 * 1024 * 1024

/** What the supervisor knows of a run that ended. */
export interface ReportOrder extends Omit<EndFacts, 'evidence'> {
  /** The run. */
  readonly instance: string
  readonly uuid: string
  /** The folders of its process: for what was a spare, the spare's. */
  readonly folders: RunFolders
  /** When it was started; null when nobody knows. */
  readonly startedAt: number | null
  /** The last status before the end; null where there was none. */
  readonly status: AppStatus | null
  /** The newest last. */
  readonly samples: readonly AppSample[]
  /** The newest last. */
  readonly events: readonly HostEvent[]
  /** Counters of its control groups, by name. */
  readonly counters?: Readonly<Record<string, number>>
  /** What it left, where that was read already. */
  readonly evidence?: Evidence
}

/** `report.json`. */
export interface CrashReport {
  readonly version: 1
  readonly instance: string
  readonly uuid: string
  readonly at: number
  readonly startedAt: number | null
  readonly reason: EndReason
  readonly sentence: string
  readonly exit: ExitRecord
  readonly asked: Asked | null
  readonly memoryLimit: number | null
  readonly javascriptStack: readonly string[]
  readonly nativeStack: readonly string[]
  readonly evidence: Evidence
  readonly status: AppStatus | null
  /** Of a terminal: its sales, its journal and the recovery of its opening. */
  readonly terminal: TerminalHealth | null
  /** Generation of the last state that was saved; null where there is none. */
  readonly stateGeneration: number | null
  readonly counters: Readonly<Record<string, number>>
  readonly samples: readonly AppSample[]
  readonly events: readonly HostEvent[]
}

/** A bundle as it is read. */
export interface ReadReport {
  readonly folder: string
  readonly report: CrashReport
  readonly log: string
}

/** A row of the list. */
export type ReportRow = Pick<CrashReport, 'instance' | 'uuid' | 'at' | 'reason' | 'sentence'>

/** Judges an end and keeps its bundle. Rejects only where the host's own folder refuses. */
export async function writeReport(place: HostPlace, order: ReportOrder): Promise<CrashReport> {
  const { instance, uuid, folders } = order
  const evidence = order.evidence ?? (await readEvidence(folders))
  const [stateGeneration, log] = await Promise.all([
    generationOf(place.app(uuid, 'data', 'state', 'current')),
    logOf(place.app(uuid, 'log')),
  ])
  const report = reportOf(order, evidence, stateGeneration)
  const folder = place.file('reports', instance)
  const draft = `${folder}.draft`
  await fs.rm(draft, { recursive: true, force: true })
  // A log may hold what is no other app's business.
  await fs.mkdir(draft, { recursive: true, mode: 0o700 })
  await fs.writeFile(path.join(draft, 'report.json'), `${JSON.stringify(report, undefined, 1)}\n`, {
    mode: 0o600,
  })
  await fs.writeFile(path.join(draft, 'log.txt'), log, { mode: 0o600 })
  await fs.rm(folder, { recursive: true, force: true })
  await fs.rename(draft, folder)
  await removeOldest(place.file('reports'), instance)
  return report
}

/**
 * Reads a bundle.
 *
 * @throws {@link HostError} `HOST_UNKNOWN_INSTANCE`
 */
export async function readReport(place: HostPlace, instance: string): Promise<ReadReport> {
  const folder = place.file('reports', instance)
  const report = isName(instance)
    ? await readUntrustedJson(path.join(folder, 'report.json'), reportBytesMax)
    : undefined
  if (report?.version !== 1) {
    const message = `there is no report of ${instance}; "report" without a name lists those there are`
    throw hostError('HOST_UNKNOWN_INSTANCE', message, { instance })
  }
  const log = await readUntrusted(path.join(folder, 'log.txt'), logBytesMax, 'tail')
  return {
    folder,
    report: report as unknown as CrashReport,
    log: typeof log === 'string' ? '' : log.toString('utf8'),
  }
}

/** The bundles that are kept, the newest first. */
export async function listReports(place: HostPlace): Promise<ReportRow[]> {
  const rows: ReportRow[] = []
  for (const instance of await namesIn(place.file('reports'))) {
    try {
      const { report } = await readReport(place, instance)
      const { uuid, at, reason, sentence } = report
      rows.push({ instance, uuid, at, reason, sentence })
    } catch {
      // Removed in between, or no bundle.
    }
  }
  return rows.sort((a, b) => b.at - a.at)
}

function reportOf(
  order: ReportOrder,
  evidence: Evidence,
  stateGeneration: number | null,
): CrashReport {
  const { instance, uuid, startedAt, exit, asked, wasInTime, memoryLimit, status } = order
  const facts = { exit, asked, wasInTime, memoryLimit, evidence }
  const reason = reasonOf(facts)
  return {
    version: 1,
    instance,
    uuid,
    at: exit.at,
    startedAt,
    reason,
    sentence: sentenceOf(instance, reason, facts, startedAt === null ? null : exit.at - startedAt),
    exit,
    asked,
    memoryLimit,
    javascriptStack: scriptStackOf(reason, evidence),
    nativeStack: (evidence.runtime ?? evidence.hangStack)?.nativeStack ?? [],
    evidence,
    status,
    terminal: status?.health?.terminal ?? null,
    stateGeneration,
    counters: order.counters ?? {},
    samples: order.samples.slice(-rowsMax),
    events: order.events.slice(-rowsMax),
  }
}

function scriptStackOf(reason: EndReason, evidence: Evidence): readonly string[] {
  const { fatal, runtime, hangStack } = evidence
  if (reason === 'hang' && hangStack !== null) return hangStack.javascriptStack
  if (fatal !== null) return fatal.stack.split('\n')
  return (runtime ?? hangStack)?.javascriptStack ?? []
}

async function generationOf(file: string): Promise<number | null> {
  const head = await readUntrusted(file, snapshotHeadBytes, 'head')
  return typeof head === 'string' ? null : (generationNamed(head) ?? null)
}

/** The end of what the app printed; with what stands in the older file where the newer was just begun. */
async function logOf(folder: string): Promise<Buffer> {
  const read = async (name: string, bytesMax: number) => {
    const bytes = await readUntrusted(path.join(folder, name), bytesMax, 'tail')
    return typeof bytes === 'string' ? Buffer.alloc(0) : bytes
  }
  const newer = await read('out.log', logBytesMax)
  if (newer.length === logBytesMax) return newer
  return Buffer.concat([await read('out.1.log', logBytesMax - newer.length), newer])
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isDirectory() && isName(entry.name))
    .map(({ name }) => name)
}

/** Names of instances and nothing that leaves the folder. */
function isName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name) && !name.endsWith('.draft')
}

async function removeOldest(folder: string, newest: string): Promise<void> {
  const bundles: { name: string; at: number; bytes: number }[] = []
  for (const name of await namesIn(folder)) {
    const bundle = await bundleOf(path.join(folder, name))
    if (bundle !== undefined) bundles.push({ name, ...bundle })
  }
  bundles.sort((a, b) => b.at - a.at)
  let bytes = 0
  for (const [index, bundle] of bundles.entries()) {
    bytes += bundle.bytes
    if (index < reportsMax && bytes <= reportsBytesMax) continue
    if (bundle.name === newest) continue
    await fs.rm(path.join(folder, bundle.name), { recursive: true, force: true })
  }
}

async function bundleOf(folder: string): Promise<{ at: number; bytes: number } | undefined> {
  try {
    const { mtimeMs } = await fs.stat(folder)
    let bytes = 0
    for (const name of await fs.readdir(folder))
      bytes += (await fs.stat(path.join(folder, name))).size
    return { at: mtimeMs, bytes }
  } catch {
    return undefined
  }
}
