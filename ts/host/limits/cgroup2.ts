/**
 * Control groups of version 2: one hierarchy, in it a group for each instance.
 *
 * ```text
 * <top>/pos-kernel/<store>/<instance>/      root, where this process may write at the top of the hierarchy
 * <own group>/pos-kernel/<store>/<instance>/   else; the own group must have been given to this user
 * ```
 *
 * `memory.high` is not set: above it the kernel makes an app slower and slower, and one that is asked to drain then
 * cannot. The soft watermark is looked at instead.
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
  waitUntilEmpty,
} from './group.js'

const wanted = ['memory', 'cpu', 'pids'] as const

/** What of version 2 this process may use for a store; or why nothing. */
export function openCgroup2(store: string): GroupMeans | string {
  const mount = mountsOf(read('/proc/self/mountinfo') ?? '').find(({ type }) => type === 'cgroup2')
  const own = ownGroups(read('/proc/self/cgroup') ?? '').get('')
  if (mount === undefined || own === undefined) return 'the kernel has no cgroup version 2 mounted'
  const offered = wordsIn(path.join(mount.folder, 'cgroup.controllers'))
  const controllers = wanted.filter((name) => offered.includes(name))
  if (controllers.length === 0) return `${mount.folder} is mounted without memory, cpu and pids`
  const reasons: string[] = []
  for (const base of new Set([mount.folder, placeIn(mount, own)])) {
    const made = openBelow(base, store, controllers)
    if (typeof made !== 'string') return new Cgroup2(made.folder, new Set(made.controllers))
    reasons.push(made)
  }
  return reasons.join('; ')
}

function openBelow(
  base: string,
  store: string,
  controllers: readonly Controller[],
): { folder: string; controllers: readonly Controller[] } | string {
  const folder = path.join(base, 'pos-kernel', store)
  try {
    mkdirSync(folder, { recursive: true })
    // A controller is handed down from group to group.
    for (const above of [base, path.dirname(folder), folder]) {
      const missing = controllers.filter(
        (name) => !wordsIn(path.join(above, 'cgroup.subtree_control')).includes(name),
      )
      if (missing.length > 0)
        set(above, 'cgroup.subtree_control', missing.map((name) => `+${name}`).join(' '))
    }
    return { folder, controllers }
  } catch (error) {
    tryRemove(folder)
    tryRemove(path.dirname(folder))
    const { code, path: file } = error as NodeJS.ErrnoException
    return `${file ?? folder}: ${code}`
  }
}

const wordsIn = (file: string) => (read(file) ?? '').trim().split(' ')

class Cgroup2 implements GroupMeans {
  readonly version = 'cgroup2'
  readonly controllers: ReadonlySet<Controller>
  readonly #folder: string

  constructor(folder: string, controllers: ReadonlySet<Controller>) {
    this.#folder = folder
    this.controllers = new Set([...controllers, 'cpuacct'])
  }

  make(instance: string): Group {
    const folder = path.join(this.#folder, instance)
    mkdirSync(folder, { recursive: true })
    return new Group2(folder, this.controllers)
  }

  find(instance: string): Group | undefined {
    const folder = path.join(this.#folder, instance)
    return existsSync(folder) ? new Group2(folder, this.controllers) : undefined
  }

  instances(): string[] {
    return groupsBelow(this.#folder)
  }

  close(): void {
    tryRemove(this.#folder)
    tryRemove(path.dirname(this.#folder))
  }
}

class Group2 implements Group {
  readonly procs: readonly string[]
  readonly #folder: string
  readonly #gauges = new Gauges()
  readonly #controllers: ReadonlySet<Controller>

  constructor(folder: string, controllers: ReadonlySet<Controller>) {
    this.#folder = folder
    this.#controllers = controllers
    this.procs = [path.join(folder, 'cgroup.procs')]
  }

  limit({ memory, cpu, processes }: GroupLimits): void {
    if (this.#controllers.has('memory')) {
      set(this.#folder, 'memory.max', memory ?? 'max')
      // A kernel without swap has no such file.
      if (existsSync(path.join(this.#folder, 'memory.swap.max')))
        set(this.#folder, 'memory.swap.max', memory === undefined ? 'max' : 0)
      set(this.#folder, 'memory.oom.group', 1)
    }
    if (this.#controllers.has('cpu')) {
      const { quotaUs, periodUs } = quotaOf(cpu ?? 100)
      set(this.#folder, 'cpu.max', `${cpu === undefined ? 'max' : quotaUs} ${periodUs}`)
    }
    if (this.#controllers.has('pids')) set(this.#folder, 'pids.max', processes ?? 'max')
  }

  usage(): { memory: number; cpuMs: number } {
    const stat = this.#gauges.read(path.join(this.#folder, 'memory.stat'))
    const cpu = this.#gauges.read(path.join(this.#folder, 'cpu.stat'))
    return {
      memory: counterOf(stat, 'anon') + counterOf(stat, 'shmem'),
      cpuMs: counterOf(cpu, 'usage_usec') / 1000,
    }
  }

  pids(): number[] {
    return numbersIn(path.join(this.#folder, 'cgroup.procs'))
  }

  members(): number[] {
    return this.pids()
  }

  oomKills(): number {
    return counterIn(path.join(this.#folder, 'memory.events'), 'oom_kill')
  }

  async killAll(): Promise<void> {
    const pids = () => this.pids()
    const kill = path.join(this.#folder, 'cgroup.kill')
    if (!existsSync(kill)) return killUntilEmpty(pids)
    set(this.#folder, 'cgroup.kill', 1)
    await waitUntilEmpty(pids)
  }

  remove(): Promise<boolean> {
    this.close()
    return removeFolder(this.#folder)
  }

  close(): void {
    this.#gauges.close()
  }
}
