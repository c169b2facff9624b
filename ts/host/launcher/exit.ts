/**
 * How a process ended, as the operating system and the launcher saw it. What that means is for `report/reason.ts`.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'

/** The end of an instance; `exit.json` of its run holds the same. */
export interface ExitRecord {
  /** Exit code; null when a signal ended it, or when nobody saw. */
  readonly code: number | null
  /** Signal that ended it, as `SIGKILL`; null when there was none, or nobody saw. */
  readonly signal: string | null
  /** Who ended it, where that was the launcher: it held resident memory to `pollBytes`, was told to, or nobody was there. */
  readonly endedBy: 'poll-limit' | 'asked' | 'orphan' | null
  /** True when the group's counter of out-of-memory kills went up. */
  readonly oomKilled: boolean
  /** True when it is in no group that counts, and the kernel ended any process of the machine for want of memory while it ran. */
  readonly oomNearby: boolean
  /** Most resident bytes that it had; null when nobody saw. */
  readonly maxRssBytes: number | null
  /** Milliseconds of processor that it and its waited-for children used; null when nobody saw. */
  readonly cpuMs: number | null
  /** Milliseconds since 1970 at which it was seen gone. */
  readonly at: number
}

/** The end of an instance whose launcher did not live to see it. */
export function unseenExit(): ExitRecord {
  return {
    code: null,
    signal: null,
    endedBy: null,
    oomKilled: false,
    oomNearby: false,
    maxRssBytes: null,
    cpuMs: null,
    at: Date.now(),
  }
}

/** What the launcher wrote in the folder of a run; undefined when it wrote nothing. */
export function readExit(runFolder: string): ExitRecord | undefined {
  try {
    return parseExit(readFileSync(path.join(runFolder, 'exit.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** The end of what a run printed, as its launcher wrote it when the run had ended; empty where it did not. */
export function lastWordsOf(runFolder: string): string {
  try {
    return readFileSync(path.join(runFolder, 'last.log'), 'utf8')
  } catch {
    return ''
  }
}

/** Reads a line or a file of the launcher; undefined when it is no record of an end. */
export function parseExit(text: string): ExitRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<ExitRecord>
    return typeof value.at === 'number' && 'code' in value && 'signal' in value
      ? { ...unseenExit(), ...value }
      : undefined
  } catch {
    return undefined
  }
}
