/**
 * Control groups of version 1: a hierarchy for each controller, and in each a group for each instance.
 *
 * ```text
 * <hierarchy>/<own group>/pos-kernel/<store>/<instance>/
 * ```
 */
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { Gauges } from '../monitor/gauge.js'
import {
  type Controller,
  counterIn,
  counterOf,
  type Group,
  type GroupLimits,
  type GroupMeans,
  groupsBelow,
  killUntilEmpty,
  mountsOf,
  numbersIn,
  ownGroups,
  placeIn,
  quotaOf,
  read,
  removeFolder,
  set,
  tryRemove,
} from './group.js'

const wanted: readonly Controller[] = ['memory', 'cpu', 'cpuacct', 'pids']

/** What of version 1 this process may use for a store; or why nothing. */
export function openCgroup1(store: string): GroupMeans | string {
  const own = ownGroups(read('/proc/self/cgroup') ?? '')
  const mounts = mountsOf(read('/proc/self/mountinfo') ?? '')
  const folders = new Map<Controller, string>()
  let reason = 'the kernel has no hierarchy of cgroup version 1 mounted'
  for (const controller of wanted) {
    const mount = mounts.find(
      ({ type, options }) => type === 'cgroup' && options.includes(controller),
    )
    const group = own.get(controller)
    if (mount === undefined || group === undefined) continue
    const folder = path.join(placeIn(mount, group), 'pos-kernel', store)
    try {
      mkdirSync(folder, { recursive: true })
      folders.set(controller, folder)
    } catch (error) {
      reason = `${folder} cannot be made: ${(error as NodeJS.ErrnoException).code}`
    }
  }
  return folders.size === 0 ? reason : new Cgroup1(folders)
}

class Cgroup1 implements GroupMeans {
  readonly version = 'cgroup1'
  readonly controllers: ReadonlySet<Controller>
  readonly #folders: ReadonlyMap<Controller, string>

  constructor(folders: ReadonlyMap<Controller, string>) {
    this.#folders = folders
    this.controllers = new Set(folders.keys())
  }

  make(instance: string): Group {
    const folders = this.#below(instance)
    for (const folder of folders.values()) mkdirSync(folder, { recursive: true })
    return new Group1(folders)
  }

  find(instance: string): Group | undefined {
    const folders = [...this.#below(instance)].filter(([, folder]) => existsSync(folder))
    return folders.length === 0 ? undefined : new Group1(new Map(folders))
  }

  instances(): string[] {
    return [...new Set([...this.#folders.values()].flatMap(groupsBelow))]
  }

  close(): void {
    for (const folder of this.#folders.values()) {
      tryRemove(folder)
      tryRemove(path.dirname(folder))
    }
  }

  #below(instance: string): ReadonlyMap<Controller, string> {
    return new Map([...this.#folders].map(([name, folder]) => [name, path.join(folder, instance)]))
  }
}

class Group1 implements Group {
  readonly procs: readonly string[]
  readonly #folders: ReadonlyMap<Controller, string>
  readonly #gauges = new Gauges()

  constructor(folders: ReadonlyMap<Controller, string>) {
    this.#folders = folders
    // Controllers that are mounted together have one folder.
    this.procs = [...new Set(folders.values())].map((folder) => path.join(folder, 'cgroup.procs'))
  }

  limit({ memory, cpu, processes }: GroupLimits): void {
    const memoryFolder = this.#folders.get('memory')
    if (memoryFolder !== undefined) limitMemory(memoryFolder, memory)
    const cpuFolder = this.#folders.get('cpu')
    if (cpuFolder !== undefined) {
      const { quotaUs, periodUs } =
        cpu === undefined ? { quotaUs: -1, periodUs: 20_000 } : quotaOf(cpu)
      // The old quota may be more than the kernel takes in the new period.
      set(cpuFolder, 'cpu.cfs_quota_us', -1)
      set(cpuFolder, 'cpu.cfs_period_us', periodUs)
      set(cpuFolder, 'cpu.cfs_quota_us', quotaUs)
    }
    const pidsFolder = this.#folders.get('pids')
    if (pidsFolder !== undefined) set(pidsFolder, 'pids.max', processes ?? 'max')
  }

  usage(): { memory: number; cpuMs: number } {
    const stat = this.#gauge('memory', 'memory.stat')
    return {
      memory: counterOf(stat, 'rss') + counterOf(stat, 'shmem'),
      cpuMs: Number(this.#gauge('cpuacct', 'cpuacct.usage') ?? 0) / 1e6,
    }
  }

  pids(): number[] {
    return [...new Set(this.procs.flatMap(numbersIn))]
  }

  members(): number[] {
    const [procs] = this.procs
    return procs === undefined ? [] : numbersIn(procs)
  }

  oomKills(): number {
    const folder = this.#folders.get('memory')
    return folder === undefined ? 0 : counterIn(path.join(folder, 'memory.oom_control'), 'oom_kill')
  }

  async killAll(): Promise<void> {
    const folder = this.#folders.get('pids')
    // From now on nothing in it forks.
    if (folder !== undefined && existsSync(folder)) set(folder, 'pids.max', 0)
    await killUntilEmpty(() => this.pids())
  }

  async remove(): Promise<boolean> {
    this.close()
    const gone = await Promise.all([...new Set(this.#folders.values())].map(removeFolder))
    return gone.every(Boolean)
  }

  close(): void {
    this.#gauges.close()
  }

  #gauge(controller: Controller, name: string): string | undefined {
    const folder = this.#folders.get(controller)
    return folder === undefined ? undefined : this.#gauges.read(path.join(folder, name))
  }
}

/** Memory, and memory with swap where the kernel counts it: neither may be more than the other allows on the way. */
function limitMemory(folder: string, bytes: number | undefined): void {
  const value = bytes ?? -1
  const both = existsSync(path.join(folder, 'memory.memsw.limit_in_bytes'))
  const current = Number(read(path.join(folder, 'memory.limit_in_bytes')))
  const grows = value === -1 || value > current
  if (both && grows) set(folder, 'memory.memsw.limit_in_bytes', value)
  set(folder, 'memory.limit_in_bytes', value)
  if (both && !grows) set(folder, 'memory.memsw.limit_in_bytes', value)
  if (!both && bytes !== undefined) set(folder, 'memory.swappiness', 0)
}
