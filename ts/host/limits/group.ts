/**
 * Control groups of an instance: what the two versions of the kernel's interface have in common. A group is entered by
 * the process itself before its first instruction, holds everything that descends from it, and is removed after.
 */
import { readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { textOf } from '../monitor/gauge.js'

/** What a group is to hold. Absent: not held. */
export interface GroupLimits {
  /** Bytes. */
  readonly memory?: number
  /** Percent of one core. */
  readonly cpu?: number
  /** Processes and threads. */
  readonly processes?: number
}

/** What is held by groups on this machine. */
export type Controller = 'memory' | 'cpu' | 'cpuacct' | 'pids'

/** The groups of one instance. */
export interface Group {
  /** Files that a process writes itself into. */
  readonly procs: readonly string[]
  /** Sets limits; what is absent is set free. */
  limit(limits: GroupLimits): void
  /** Anonymous bytes and shared memory, and milliseconds of processor, of everything in it. */
  usage(): { readonly memory: number; readonly cpuMs: number }
  /** Numbers of the processes in it. */
  pids(): number[]
  /** The same, cheaply: processes that moved themselves to another group of some hierarchy may be missing. */
  members(): number[]
  /** Processes that the kernel ended in it for want of memory. */
  oomKills(): number
  /** Ends everything in it; resolves when it is empty, or was not in time. */
  killAll(): Promise<void>
  /** Removes it; true when it is gone. */
  remove(): Promise<boolean>
  /** Lets go of the files that `usage` keeps open. May be called again. */
  close(): void
}

/** A version of the interface, on this machine. */
export interface GroupMeans {
  readonly version: 'cgroup1' | 'cgroup2'
  /** What can be held. */
  readonly controllers: ReadonlySet<Controller>
  /** Makes the groups of an instance. */
  make(instance: string): Group
  /** The groups of an instance, if there are any. */
  find(instance: string): Group | undefined
  /** Instances that have groups. */
  instances(): string[]
  /** Removes the folder of this store, when nothing is in it. */
  close(): void
}

/** The period of a quota: 20 ms, at which an app still answers quickly; longer where its share of it is too small. */
export function quotaOf(percent: number): { readonly quotaUs: number; readonly periodUs: number } {
  const periodUs = Math.min(1_000_000, Math.max(20_000, Math.ceil((quotaUsMin * 100) / percent)))
  return { quotaUs: Math.max(quotaUsMin, Math.round((periodUs * percent) / 100)), periodUs }
}

/** The kernel takes no smaller one. */
const quotaUsMin = 1000
/** So long the kernel may take to end what was killed, and to forget it. */
const endMs = 5000

/** Numbers in a file of a group, one a line. */
export function numbersIn(file: string): number[] {
  return (read(file) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number)
}

/** A named counter of a file of lines `name value`; 0 when it is not there. */
export function counterIn(file: string, name: string): number {
  return counterOf(read(file), name)
}

/** A named counter of the text of such a file. */
export function counterOf(text: string | undefined, name: string): number {
  if (text === undefined) return 0
  const sought = `${name} `
  const line = text.startsWith(sought) ? 0 : text.indexOf(`\n${sought}`) + 1
  if (line === 0 && !text.startsWith(sought)) return 0
  const end = text.indexOf('\n', line)
  return Number(text.slice(line + sought.length, end === -1 ? undefined : end))
}

/** A file's text; undefined when it cannot be read. */
export function read(file: string): string | undefined {
  return textOf(file)
}

/** Sends SIGKILL until nothing is in a group. */
export async function killUntilEmpty(pids: () => number[]): Promise<void> {
  const end = Date.now() + endMs
  for (let left = pids(); left.length > 0 && Date.now() < end; left = pids()) {
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It is gone.
      }
    }
    await pause()
  }
}

/** Waits until nothing is in a group that the kernel was told to end. */
export async function waitUntilEmpty(pids: () => number[]): Promise<void> {
  const end = Date.now() + endMs
  while (pids().length > 0 && Date.now() < end) await pause()
}

/** Removes the folder of a group; a process that has ended may take a moment to leave it. */
export async function removeFolder(folder: string): Promise<boolean> {
  const end = Date.now() + endMs
  for (;;) {
    try {
      rmdirSync(folder)
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return true
      if (code !== 'EBUSY' || Date.now() > end) return false
    }
    await pause()
  }
}

/** Removes a folder that may still be in use by others. */
export function tryRemove(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Others are in it.
  }
}

/** Names of the groups below a folder. */
export function groupsBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
  } catch {
    return []
  }
}

/** Writes a value to a file of a group. */
export function set(folder: string, name: string, value: string | number): void {
  writeFileSync(path.join(folder, name), String(value))
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 2))

/** Where this process is, by the lines of `/proc/self/cgroup`: controller, or `''` for version 2, to path. */
export function ownGroups(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, names, ...rest] = line.split(':')
    if (names === undefined) continue
    for (const name of names.split(',')) found.set(name, rest.join(':'))
  }
  return found
}

/** A mounted hierarchy. */
export interface Mount {
  readonly type: 'cgroup' | 'cgroup2'
  readonly folder: string
  /** The path within the hierarchy that is mounted there. */
  readonly top: string
  readonly options: readonly string[]
}

/** Mounted hierarchies, by `/proc/self/mountinfo`. */
export function mountsOf(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ')
    const [, , , top = '/', folder] = (before ?? '').split(' ')
    const [type, , options = ''] = (after ?? '').split(' ')
    if (folder === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return []
    return [{ type, folder, top, options: options.split(',') }]
  })
}

/** Where a group of the hierarchy is in the file system. */
export function placeIn(mount: Mount, group: string): string {
  const below = group.startsWith(mount.top) ? group.slice(mount.top.length) : group
  return path.join(mount.folder, below)
}
