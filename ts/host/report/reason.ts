/** Why an instance ended: one word that a person, a rule and a test can agree on. */
import type { ExitRecord } from '../launcher/exit.js'
import type { Evidence } from './evidence.js'

/**
 * - `finished`: it ended by itself with code 0;
 * - `stopped`: we asked, it drained and ended in time; or nobody was there to watch it for `orphanMs`;
 * - `killed`: we ended it, because it did not in time or because a person said so;
 * - `exception`: an error nobody caught, or another exit code than 0;
 * - `signal`: a signal that we did not send;
 * - `oom`: its own runtime found no memory within the limit of the process, or the kernel took it in its group;
 * - `limit`: it was ended for memory over a limit that we hold by looking;
 * - `hang`: its event loop stood;
 * - `not-ready`: it did not become ready in time;
 * - `not-started`: there never was a process of it that could: its launch failed;
 * - `unknown`: it was gone when we came back, and nobody saw how.
 */
export const endReasons = [
  'finished',
  'stopped',
  'killed',
  'exception',
  'signal',
  'oom',
  'limit',
  'hang',
  'not-ready',
  'not-started',
  'unknown',
] as const

/** A reason. */
export type EndReason = (typeof endReasons)[number]

/** True for the ends that count as a failure: against intensity, for a restart, for a report. */
export function isFailure(reason: EndReason): boolean {
  return reason !== 'finished' && reason !== 'stopped' && reason !== 'killed'
}

/** What the supervisor had asked of a run before it ended. */
export type Asked = 'stop' | 'recycle' | 'kill' | 'hang' | 'not-ready' | 'limit'

/** What is known of an end. */
export interface EndFacts {
  /** How the system and the launcher saw it. */
  readonly exit: ExitRecord
  /** What we had asked; null when nothing. */
  readonly asked: Asked | null
  /** It ended before the deadline of what we had asked. */
  readonly wasInTime: boolean
  /** Bytes that the app may hold; null without a limit. */
  readonly memoryLimit: number | null
  /** What it left in its folder. */
  readonly evidence: Evidence
}

/** Signals by which a runtime ends itself. */
const ownSignals: ReadonlySet<string | null> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGILL',
  'SIGSEGV',
  'SIGTRAP',
])
/**
 * Part of its memory limit that a process held which could not have more. Where RLIMIT_DATA ends one, V8 dies by an abort, a
 * trap or an access to what it did not get, with a report or without: measured, it then held 97 % and more.
 */
const fullPart = 0.9

/**
 * Why it ended. What we did ourselves comes first, and only where the end is the one that we would have brought about; then
 * what the kernel counted; then what the runtime wrote; then the bare exit.
 */
export function reasonOf(facts: EndFacts): EndReason {
  const { exit, asked, wasInTime, evidence } = facts
  const isOurs = exit.signal === 'SIGKILL' || exit.signal === 'SIGTERM' || isUnseen(exit)
  if (exit.endedBy === 'poll-limit') return 'limit'
  if (exit.endedBy === 'orphan' && (isOurs || exit.code === 0)) return 'stopped'
  if (isOurs && (asked === 'hang' || asked === 'not-ready' || asked === 'limit')) return asked
  if (isOurs && asked === 'kill') return 'killed'
  if (isMemory(facts)) return 'oom'
  if (isOurs && (asked === 'stop' || asked === 'recycle'))
    return exit.signal !== 'SIGKILL' && wasInTime ? 'stopped' : 'killed'
  if (exit.signal !== null) return 'signal'
  if (evidence.fatal !== null) return 'exception'
  if (exit.code === null) return 'unknown'
  if (exit.code !== 0) return 'exception'
  return asked === null ? 'finished' : 'stopped'
}

/** Signals by which others end a process; a runtime that fails ends itself by none of them. */
const othersSignals: ReadonlySet<string | null> = new Set([
  'SIGHUP',
  'SIGINT',
  'SIGKILL',
  'SIGTERM',
])

/**
 * True where the app had no part in its end: somebody outside of the host killed it, or its launcher, with which it dies.
 * Not where the kernel ended something of the machine for want of memory meanwhile: that may have been the app.
 */
export function isFromOutside({ exit }: Pick<EndFacts, 'exit'>, reason: EndReason): boolean {
  if (reason === 'unknown') return isUnseen(exit)
  return reason === 'signal' && othersSignals.has(exit.signal) && !exit.oomNearby
}

function isUnseen({ code, signal }: ExitRecord): boolean {
  return code === null && signal === null
}

function isMemory({ exit, memoryLimit, evidence }: EndFacts): boolean {
  const { fatal, runtime, lastWords } = evidence
  if (exit.oomKilled && exit.signal === 'SIGKILL') return true
  if (fatal?.isMemory && exit.signal === null) return true
  if (!ownSignals.has(exit.signal) && !isUnseen(exit)) return false
  if (runtime?.trigger === 'OOMError' || lastWords !== null) return true
  if (memoryLimit === null || exit.maxRssBytes === null) return false
  return exit.maxRssBytes >= memoryLimit * fullPart
}
