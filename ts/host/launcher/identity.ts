/**
 * Who a process is. Its number alone says little: numbers are used again, after a reboot from the beginning.
 * What is read here are a few words of `/proc`, at once and without waiting.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** A process, beyond doubt on this machine. */
export interface ProcessIdentity {
  /** Number of the process. */
  readonly pid: number
  /** Ticks after the boot at which it started: field 22 of its stat file. */
  readonly startTime: number
  /** The boot that those ticks count from. */
  readonly bootId: string
}

/** The process of this number now; undefined when there is none, or it has ended and only its number is left. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = statOf(pid)
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined
  return { pid, startTime: stat.startTime, bootId: bootId() }
}

/** True while this very process runs. */
export function stillRuns(identity: ProcessIdentity): boolean {
  const now = identityOf(identity.pid)
  return now !== undefined && now.startTime === identity.startTime && now.bootId === identity.bootId
}

/** Number of a process's parent. */
export function parentOf(pid: number): number | undefined {
  return statOf(pid)?.parent
}

/** A process and all that descend from it; empty when it is gone. */
export function treeOf(pid: number): number[] {
  if (statOf(pid) === undefined) return []
  const found = [pid]
  for (const one of found) found.push(...childrenOf(one))
  return found
}

let listsChildren: boolean | undefined

function childrenOf(pid: number): number[] {
  listsChildren ??= existsSync(`/proc/self/task/${process.pid}/children`)
  try {
    return listsChildren ? listed(pid) : searched(pid)
  } catch {
    return []
  }
}

function listed(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1')
      .split(' ')
      .filter((word) => word !== '')
      .map(Number),
  )
}

/** The longer way, for kernels that do not list children (`CONFIG_PROC_CHILDREN`). */
function searched(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => statOf(candidate)?.parent === pid)
}

interface Stat {
  readonly state: string
  readonly parent: number
  readonly startTime: number
}

/** The name in the second field may hold spaces and brackets: the fields are counted from the last bracket. */
function statOf(pid: number): Stat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    state: fields[0] ?? 'X',
    parent: Number(fields[1]),
    startTime: Number(fields[19]),
  }
}

let boot: string | undefined

/** The boot that this is. */
export function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  return boot
}
