/**
 * How long an app that failed waits before it is tried again, when its failures are forgotten, and when it has
 * failed too often.
 *
 * ```text
 * failure in a row   1   2              3              4              n
 * waits up to        0   backoffMs      2 backoffMs    4 backoffMs    backoffMs x 2^(n-2), at most backoffMaxMs
 * ```
 *
 * The first failure after health is answered at once: a till stands still meanwhile. From the second on the delay is
 * drawn evenly from 0 to its bound, so that apps which failed together do not come back together. A run that was
 * healthy for `max(60 s, 10 x last delay)` begins a new row.
 */
import type { AppManifest } from '../manifest/manifest.js'

type Restart = AppManifest['restart']

/** Milliseconds of health after which no failure is remembered, whatever the delays were. */
const forgetMsMin = 60_000

/** What is remembered of an app's failures. */
export interface Failures {
  /** Times of those within the period. */
  readonly recent: readonly number[]
  /** Failures since the last time that the app was healthy for long enough. */
  readonly inARow: number
  /** The delay that was drawn last. */
  readonly lastDelayMs: number
  /** It was tried again out of quarantine and has not been healthy for long enough since. */
  readonly isOnTrial: boolean
}

/** Nothing is held against it. */
export const noFailures: Failures = { recent: [], inARow: 0, lastDelayMs: 0, isOnTrial: false }

/** What comes of a failure. */
export type Verdict =
  | { readonly isQuarantined: false; readonly failures: Failures; readonly delayMs: number }
  | { readonly isQuarantined: true; readonly failures: Failures }

/** Milliseconds of health after which the row of failures ends. */
export function forgetMs(failures: Failures): number {
  return Math.max(forgetMsMin, 10 * failures.lastDelayMs)
}

/** Judges a failure at `at` of a run that was healthy for `healthyMs`. `draw` is from 0 up to 1. */
export function judge(
  restart: Restart,
  before: Failures,
  { at, healthyMs, draw }: { at: number; healthyMs: number; draw: number },
): Verdict {
  const isForgotten = healthyMs >= forgetMs(before)
  const { inARow, isOnTrial } = isForgotten ? noFailures : before
  const recent = [...before.recent.filter((time) => time > at - restart.periodMs), at]
  const failures = { recent, inARow: inARow + 1, lastDelayMs: before.lastDelayMs, isOnTrial }
  if (isOnTrial || recent.length >= restart.intensity) {
    return { isQuarantined: true, failures: { ...failures, isOnTrial: true } }
  }
  const delayMs = Math.floor(draw * boundMs(restart, failures.inARow))
  return { isQuarantined: false, failures: { ...failures, lastDelayMs: delayMs }, delayMs }
}

/** The longest that the n-th failure in a row may wait. */
export function boundMs({ backoffMs, backoffMaxMs }: Restart, inARow: number): number {
  return inARow < 2 ? 0 : Math.min(backoffMaxMs, backoffMs * 2 ** (inARow - 2))
}
