/**
 * What Linux says of a process, read from procfs without a library. The files of a process are opened once and read
 * again and again: that costs a few microseconds, and an open file stays that process's, even when its number
 * is used again. The proportional share of memory costs a thousand times as much, since the kernel walks every mapping for it.
 */
import { readFileSync, statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { Gauge } from './gauge.js'

/** Bytes of a page where the machine does not say. */
const pageBytesUsual = 4096
/** Milliseconds of a tick of the processor times: Linux shows 100 a second on every machine that Node runs on. */
const tickMs = 10

/** A process at one moment. */
export interface ProcessUsage {
  /** Resident bytes that no file backs: heap, stacks, buffers. */
  readonly anonymous: number
  /** Resident bytes of all kinds, those shared with others counted whole. */
  readonly rss: number
  /** Processor time since it started. */
  readonly cpuMs: number
}

/** A process that is looked at often. */
export class ProcessProbe {
  readonly pid: number
  readonly #stat: Gauge
  readonly #statm: Gauge

  private constructor(pid: number, stat: Gauge, statm: Gauge) {
    this.pid = pid
    this.#stat = stat
    this.#statm = statm
  }

  /** Opens the files of a process; undefined when it is gone. */
  static open(pid: number): ProcessProbe | undefined {
    const stat = Gauge.open(`/proc/${pid}/stat`)
    const statm = Gauge.open(`/proc/${pid}/statm`)
    if (stat !== undefined && statm !== undefined) return new ProcessProbe(pid, stat, statm)
    stat?.close()
    statm?.close()
    return undefined
  }

  /** Reads it; undefined when it is gone. */
  read(): ProcessUsage | undefined {
    const stat = this.#stat.read()
    const statm = this.#statm.read()
    return stat === undefined || statm === undefined ? undefined : usageOf(stat, statm)
  }

  /** Lets it go. Call it once. */
  close(): void {
    this.#stat.close()
    this.#statm.close()
  }
}

/** Takes both files apart; undefined when they are none. */
export function usageOf(stat: string, statm: string): ProcessUsage | undefined {
  // The name of the program is in brackets and may hold anything, brackets and blanks too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const pages = statm.split(' ')
  if (fields.length < 20 || pages.length < 3) return undefined
  const ticks = Number(fields[11]) + Number(fields[12])
  const [, resident = 0, shared = 0] = pages.map(Number)
  return {
    anonymous: Math.max(0, resident - shared) * pageBytes,
    rss: resident * pageBytes,
    cpuMs: ticks * tickMs,
  }
}

/** Open descriptors; 0 when the process is gone or another user's. */
export async function openFiles(pid: number): Promise<number> {
  try {
    const folder = `/proc/${pid}/fd`
    // Since Linux 6.2 the folder's size is their number.
    return statSync(folder).size || (await readdir(folder)).length
  } catch {
    return 0
  }
}

/** The process's fair share of the memory that it has in common with others, in bytes; undefined when it is gone. */
export async function proportionalBytes(pid: number): Promise<number | undefined> {
  try {
    const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(
      await readFile(`/proc/${pid}/smaps_rollup`, 'latin1'),
    )?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined
  }
}

const pageBytes = pageBytesOf()

/** The auxiliary vector of a process has the size of a page under key 6. */
function pageBytesOf(): number {
  try {
    const vector = readFileSync('/proc/self/auxv')
    for (let at = 0; at + 16 <= vector.length; at += 16) {
      if (vector.readBigUInt64LE(at) === 6n) return Number(vector.readBigUInt64LE(at + 8))
    }
  } catch {
    // No procfs: nothing is measured here in any case.
  }
  return pageBytesUsual
}
