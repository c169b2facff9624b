/** The processes of one app, measured together. */
import type { Hold } from '../limits/governor.js'
import { openFiles, ProcessProbe, proportionalBytes } from './procfs.js'

/** What a tree of processes uses at one moment. */
export interface TreeUsage {
  readonly memory: number
  readonly rss: number
  /** Processor time since this tree was first looked at; never goes back. */
  readonly cpuMs: number
  readonly processes: number
  readonly files: number
}

/** Counting descriptors reads a folder for each process: not at every look. */
const filesEveryMs = 10_000

/** One app's processes. Their sums come from its hold where there is one, and else from procfs. */
export class Tree {
  readonly #hold: Hold | undefined
  readonly #probes = new Map<number, { probe: ProcessProbe; cpuMs: number }>()
  #cpuMs = 0
  #holdCpuMs: number | undefined
  #files = 0
  #filesAt = Number.NEGATIVE_INFINITY

  constructor(hold?: Hold) {
    this.#hold = hold
  }

  /** Measures; undefined when nothing of it lives. */
  async measure(pids: readonly number[], at: number): Promise<TreeUsage | undefined> {
    if (this.#hold === undefined) return this.#measureEach(pids, at)
    const usage = await this.#hold.usage(pids)
    if (usage.processes === 0 && pids.length === 0) return undefined
    this.#cpuMs += Math.max(0, usage.cpuMs - (this.#holdCpuMs ?? usage.cpuMs))
    this.#holdCpuMs = usage.cpuMs
    return { ...usage, cpuMs: this.#cpuMs }
  }

  /** The fair shares of all its processes; undefined when nothing of it lives. */
  async proportional(pids: readonly number[]): Promise<number | undefined> {
    const shares = await Promise.all(pids.map(proportionalBytes))
    const known = shares.filter((share) => share !== undefined)
    return known.length === 0 ? undefined : known.reduce((sum, share) => sum + share, 0)
  }

  /** Lets go of what it opened. */
  close(): void {
    for (const { probe } of this.#probes.values()) probe.close()
    this.#probes.clear()
  }

  async #measureEach(pids: readonly number[], at: number): Promise<TreeUsage | undefined> {
    const isFirst = this.#probes.size === 0
    this.#forgetAllBut(pids)
    let memory = 0
    let rss = 0
    let processes = 0
    for (const pid of pids) {
      const usage = this.#read(pid, isFirst)
      if (usage === undefined) continue
      memory += usage.anonymous
      rss += usage.rss
      processes += 1
    }
    if (processes === 0) return undefined
    if (at - this.#filesAt >= filesEveryMs) {
      this.#filesAt = at
      const counts = await Promise.all(pids.map(openFiles))
      this.#files = counts.reduce((sum, count) => sum + count, 0)
    }
    return { memory, rss, cpuMs: this.#cpuMs, processes, files: this.#files }
  }

  #read(pid: number, isFirst: boolean) {
    let entry = this.#probes.get(pid)
    if (entry === undefined) {
      const probe = ProcessProbe.open(pid)
      if (probe === undefined) return undefined
      // What a child used before it was first seen was used since the look before; what the first one used was not.
      const before = isFirst ? (probe.read()?.cpuMs ?? 0) : 0
      entry = { probe, cpuMs: before }
      this.#probes.set(pid, entry)
    }
    const usage = entry.probe.read()
    if (usage === undefined) {
      entry.probe.close()
      this.#probes.delete(pid)
      return undefined
    }
    this.#cpuMs += Math.max(0, usage.cpuMs - entry.cpuMs)
    entry.cpuMs = usage.cpuMs
    return usage
  }

  #forgetAllBut(pids: readonly number[]): void {
    for (const [pid, { probe }] of this.#probes) {
      if (pids.includes(pid)) continue
      probe.close()
      this.#probes.delete(pid)
    }
  }
}
