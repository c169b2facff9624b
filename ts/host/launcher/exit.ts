/**
 * How a process ended, as the operating system and the launcher saw it. What that means is for `report/reason.ts`.
 */

/** The end of an instance; `exit.json` in its folder holds the same. */
export interface ExitRecord {
  /** Exit code; null when a signal ended it, or when nobody saw. */
  readonly code: number | null
  /** Signal that ended it, as `SIGKILL`; null when there was none, or nobody saw. */
  readonly signal: string | null
  /** Who ended it, where that was the launcher: it held resident memory to `pollBytes`, or was told to. */
  readonly endedBy: 'poll-limit' | 'asked' | null
  /** True when the group's counter of out-of-memory kills went up. */
  readonly oomKilled: boolean
  /** Most resident bytes that it had; null when nobody saw. */
  readonly maxRssBytes: number | null
  /** Milliseconds of processor that it and its waited-for children used; null when nobody saw. */
  readonly cpuMs: number | null
  /** Milliseconds since 1970 at which it was seen gone. */
  readonly at: number
}
