/**
 * Whether an app hangs, and whether it is time for a fresh run of it. Decisions only; the supervisor measures, asks
 * and acts.
 *
 * A hung loop is counted in looks, not in time: if the supervisor itself stood, one look was late and the heartbeats of
 * that time are still to be read, so only one look counts. An app that its CPU limit keeps stopped does not hang: a
 * stopped process is not counted, and where a group's quota holds it, the app has longer by what the quota takes away.
 */
import { type AppManifest, wholeBytes } from '../manifest/manifest.js'
import type { AppHealth, AppSample } from './status.js'

/** Milliseconds between two looks. */
export const lookMs = 250
/** Milliseconds that an app has to come back to the supervisor, beyond those after which it hangs. */
export const reconnectMs = 10_000
/** Milliseconds that an app has to give memory back before it is recycled. */
export const shedMs = 2000
/** Part of `maxMemory` that is the soft limit where the manifest has none. */
const softPart = 0.85
/** Part of the soft limit from which on an app is looked at closely. */
const nearPart = 0.6
/** Heartbeats that are looked at for the delay of the loop: a minute of the default ones. */
const loopWindowMs = 60_000
/** Of so many heartbeats at most, however often an app beats. */
const loopDelaysMax = 240

/** Milliseconds of silence after which an app hangs. */
export function hangAfterMs(app: AppManifest, isConnected: boolean): number {
  const { maxCPU } = app.resourceLimits
  const slowness = maxCPU === undefined || maxCPU >= 100 ? 1 : 100 / maxCPU
  return app.health.hangMs * slowness + (isConnected ? 0 : reconnectMs)
}

/** True when a line of `/proc/<pid>/stat` says that the process is stopped. */
export function isStopped(stat: string): boolean {
  return /^[tT]/.test(stat.slice(stat.lastIndexOf(')') + 2))
}

/** Bytes from which an app is asked to give memory back; null without a limit. */
export function softMemoryOf(app: AppManifest): number | null {
  const { softMemory, maxMemory } = app.resourceLimits
  if (softMemory !== undefined) return wholeBytes(app, softMemory)
  return maxMemory === undefined ? null : wholeBytes(app, Math.floor(maxMemory * softPart))
}

/** True for an app that may soon be over its soft limit, and for one with a limit that was not measured yet. */
export function isNearLimit(app: AppManifest, sample: AppSample | null): boolean {
  const soft = softMemoryOf(app)
  return soft !== null && (sample === null || sample.memory > soft * nearPart)
}

/** What has to be known of a run to say whether it is time for another. */
export interface RunFacts {
  readonly at: number
  readonly readyAt: number
  readonly health: AppHealth | null
  readonly sample: AppSample | null
  /** It was asked to give memory back at this time and holds as much as before. */
  readonly shedAt: number | null
  /** Delays of the loop, of each heartbeat of the last minute. */
  readonly loopP99: readonly { readonly at: number; readonly ms: number }[]
}

/** Why a run is to be recycled; undefined when it is not. */
export function recycleReason(app: AppManifest, facts: RunFacts): string | undefined {
  const { maxAgeMs, maxMessages, maxLoopDelayMs, maxHandles } = app.recycle
  const { at, readyAt, health, sample, shedAt } = facts
  const soft = softMemoryOf(app)
  if (soft !== null && sample !== null && sample.memory > soft && shedAt !== null) {
    if (at - shedAt >= shedMs) return `it holds ${sample.memory} bytes; its soft limit is ${soft}`
  }
  if (maxAgeMs !== undefined && at - readyAt >= maxAgeMs)
    return `it has served for ${at - readyAt} ms`
  if (health === null) return undefined
  if (maxMessages !== undefined && health.messages >= maxMessages)
    return `it has handled ${health.messages} messages`
  if (maxHandles !== undefined && health.handles >= maxHandles)
    return `it has ${health.handles} files open`
  if (maxLoopDelayMs === undefined) return undefined
  const delay = usualDelay(facts, app.health.heartbeatMs)
  return delay !== undefined && delay > maxLoopDelayMs
    ? `its event loop was late by ${delay} ms for a minute`
    : undefined
}

/** Adds a heartbeat's delay, and drops those that are too old. */
export function withDelay(
  delays: RunFacts['loopP99'],
  { at, loopP99: ms }: AppHealth,
): RunFacts['loopP99'] {
  const recent = delays.filter((delay) => delay.at > at - loopWindowMs).slice(1 - loopDelaysMax)
  return [...recent, { at, ms }]
}

/** The median of the last minute's 99th percentiles; undefined before there is nearly a minute of them. */
function usualDelay({ loopP99, at, readyAt }: RunFacts, heartbeatMs: number): number | undefined {
  const isMinute = at - readyAt >= loopWindowMs && loopP99.length * heartbeatMs >= loopWindowMs / 2
  if (!isMinute) return undefined
  const sorted = loopP99.map(({ ms }) => ms).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
