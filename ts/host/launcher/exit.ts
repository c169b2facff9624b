/**
 * How a process ended, as the operating system and the launcher saw it. What that means is for `report/reason.ts`.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'

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

/** Bytes that a record of an end may have. */
const exitBytesMax = 64 * 1024

/** The end of an instance whose launcher did not live to see it. */
export function unseenExit(): ExitRecord {
  return {
    code: null,
    signal: null,
    endedBy: null,
    oomKilled: false,
    maxRssBytes: null,
    cpuMs: null,
    at: Date.now(),
  }
}

/**
 * What the launcher wrote in the folder of an instance; undefined when it wrote nothing. A file that another user
 * put there is not the launcher's: the app may write in that folder.
 */
export function readExit(instanceFolder: string): ExitRecord | undefined {
  const file = path.join(instanceFolder, 'exit.json')
  let descriptor: number | undefined
  try {
    // No link is followed, and nothing is waited for: what stands there may be of the app.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const found = fstatSync(descriptor)
    const isOurs = process.getuid === undefined || found.uid === process.getuid()
    if (!isOurs || !found.isFile() || found.size > exitBytesMax) return undefined
    return parseExit(readFileSync(descriptor, 'utf8'))
  } catch {
    return undefined
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
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
