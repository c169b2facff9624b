/**
 * The governor of this machine: control groups where there are any, limits of the process beneath them, the launcher
 * where there is neither; and a user and a reach of its own for each app.
 *
 * ```text
 *               soft watermark     RLIMIT_DATA of each process        the group, over the whole tree
 *   memory  ───────────┼──────────────────────┼──────────────────────────────┼────►
 *            shed, drain, recycle   the runtime ends with a report    the kernel ends it
 * ```
 *
 * RLIMIT_DATA counts what is mapped as data, used or not, and a Node process maps 40 to 120 MiB that it does not use:
 * stacks of threads, room of heaps. So each process begins with a wide limit, and once it is looked at gets what it has
 * mapped plus what the app may still take, less a little: a leak then ends with a report of the runtime, just before
 * the kernel would end it without one.
 */
import { mkdirSync } from 'node:fs'
import { binding } from '../../native.js'
import { hostError } from '../error.js'
import { type Confinement, type Lacks, lackingOf } from '../launcher/launcher.js'
import { type AppManifest, wholeBytes } from '../manifest/manifest.js'
import { Tree } from '../monitor/tree.js'
import type { HostPlace } from '../place.js'
import type { Boundaries, Governor, Hold, Rings } from './governor.js'
import { type Group, read } from './group.js'
import { type Means, type Probe, probeRings, storeName } from './probe.js'
import { reachOf, runtimeFolders } from './reach.js'
import { closedFolder, Users, unreadable } from './users.js'

const MiB = 1024 * 1024
/** RLIMIT_DATA before the process was looked at: what it may take, and more than any Node process maps unused. */
const mappedUnusedMax = 256 * MiB
/** So much before the group's limit the process's own is reached: kernel memory of the app is charged there too. */
const reportRoom = 6 * MiB
/** A process's own limit is set anew so often. */
const tuneEveryMs = 1000
/** Who is in the group is read anew so often. */
const membersEveryMs = 2000
/** Processes and threads of an app whose manifest does not say: far more than an app needs, far fewer than hurt. */
export const processesUsual = 512

/** What a governor is opened with. */
export interface GovernorOptions {
  readonly place: HostPlace
  /** Hold by nothing but this: for tests and for measuring one means at a time. */
  readonly only?: Means
}

/** Opens the governor of this machine for a store. */
export function openGovernor(options: GovernorOptions): SystemGovernor {
  mkdirSync(options.place.folder, { recursive: true, mode: 0o711 })
  return new SystemGovernor(options.place, probeRings(storeName(options.place.root), options.only))
}

/** Prepares limits and boundaries. */
export class SystemGovernor implements Governor {
  readonly rings: Rings
  readonly #place: HostPlace
  readonly #probe: Probe
  readonly #users: Users

  constructor(place: HostPlace, probe: Probe) {
    this.#place = place
    this.#probe = probe
    this.#users = new Users(place)
    this.rings = probe.rings
  }

  async prepare(
    app: AppManifest,
    instance: string,
    isolation: 'best' | 'required' | 'none',
    lacks?: Lacks,
  ): Promise<Hold> {
    const { resourceLimits: limits } = app
    const rings = ringsWithout(this.rings, lacks)
    const required = isolation === 'required'
    if (required) this.#demand(app, rings)
    const { user, boundaries } = this.#boundariesOf(app, isolation)
    const reach = boundaries.reach
      ? { reach: { ...reachOf(this.#place, app, instance), required } }
      : {}
    const asked: Partial<Confinement> = {
      ...this.#processLimits(app, boundaries.user === 'own'),
      ...(user === undefined ? {} : { user }),
      ...reach,
    }
    const lacking = lackingOf({ ...(lacks === undefined ? {} : { lacks }) }, asked)
    const missing = lacking.map(
      (part) => `${part}: ${meanings[part]}; the launcher of this app cannot give it`,
    )
    if (required && missing.length > 0) {
      throw unsupported(app, lacking.join(', '), missing.join('; '))
    }
    for (const part of lacking) delete asked[part]
    const drawn: Boundaries = {
      user: asked.user === undefined ? 'same' : boundaries.user,
      reach: asked.reach !== undefined,
      missing: [...boundaries.missing, ...missing],
    }
    const group = this.#probe.groups?.make(instance)
    try {
      group?.limit(groupLimits(app, limits))
    } catch (error) {
      await group?.remove()
      throw unsupported(app, 'group', String(error))
    }
    const confinement: Confinement = { groups: group?.procs ?? [], ...asked }
    return new SystemHold(app, confinement, drawn, rings, group)
  }

  async adopt(app: AppManifest, instance: string): Promise<Hold> {
    const group = this.#probe.groups?.find(instance)
    const boundaries: Boundaries = { user: 'same', reach: false, missing: [foundAgain] }
    return new SystemHold(app, { groups: [] }, boundaries, this.rings, group)
  }

  async sweep(alive: ReadonlySet<string>): Promise<void> {
    const { groups } = this.#probe
    const gone = groups?.instances().filter((instance) => !alive.has(instance)) ?? []
    await Promise.all(
      gone.map(async (instance) => {
        const group = groups?.find(instance)
        await group?.killAll()
        await group?.remove()
      }),
    )
  }

  /** Removes the groups of this store that are empty. Call it when its last app is gone. */
  close(): void {
    this.#probe.groups?.close()
  }

  /** Refuses an app that asks for what nothing here holds. */
  #demand(app: AppManifest, rings: Rings): void {
    const { maxMemory, maxCPU, maxProcesses } = app.resourceLimits
    const asked = [
      ['maxMemory', maxMemory, rings.memory.filter((means) => means !== 'poll')],
      ['maxCPU', maxCPU, rings.cpu],
      ['maxProcesses', maxProcesses, rings.processes],
    ] as const
    for (const [limit, value, means] of asked) {
      if (value !== undefined && means.length === 0) throw unsupported(app, limit, this.#why())
    }
  }

  #why(): string {
    return this.rings.missing.map(({ ring, reason }) => `${ring}: ${reason}`).join('; ')
  }

  #boundariesOf(
    app: AppManifest,
    isolation: 'best' | 'required' | 'none',
  ): { user: Confinement['user']; boundaries: Boundaries } {
    const open: Boundaries = { user: 'same', reach: false, missing: [] }
    if (isolation === 'none') return { user: undefined, boundaries: open }
    const missing: string[] = []
    let user: Confinement['user']
    let kind: Boundaries['user'] = 'same'
    if (!Users.canChange) missing.push('user: only root gives an app a user of its own')
    else {
      user = this.#users.userOf(app)
      const own = user.uid >= 1_000_000_000
      const { script } = app.startup_app
      const needed =
        script === undefined ? [] : [process.execPath, script, ...runtimeFolders(script)]
      const hidden = own ? (closedFolder(this.#place.folder) ?? unreadable(needed)) : undefined
      if (hidden === undefined) kind = own ? 'own' : 'store'
      else {
        missing.push(`user: other users cannot come to ${hidden}; let them, or move it`)
        user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
      }
    }
    if (isolation === 'required' && missing.length > 0) {
      throw unsupported(app, 'user', missing.join('; '))
    }
    return { user, boundaries: { user: kind, reach: true, missing } }
  }

  #processLimits(app: AppManifest, hasOwnUser: boolean): Partial<Confinement> {
    const { maxMemory, maxCPU, maxProcesses, maxFiles } = app.resourceLimits
    const { memory, cpu } = this.rings
    const isNode = app.startup_app.script !== undefined
    const isGrouped = memory[0] === 'cgroup1' || memory[0] === 'cgroup2'
    return {
      ...(maxFiles === undefined ? {} : { files: maxFiles }),
      ...(hasOwnUser && this.rings.processes.includes('rlimit')
        ? { processes: maxProcesses ?? processesUsual }
        : {}),
      ...(maxMemory !== undefined && isNode && memory.includes('rlimit')
        ? { dataBytes: maxMemory + mappedUnusedMax }
        : {}),
      ...(maxMemory !== undefined && !isGrouped && memory.includes('poll')
        ? { pollBytes: wholeBytes(app, maxMemory) }
        : {}),
      ...(maxCPU !== undefined && cpu[0] === 'launcher' ? { cpuPercent: maxCPU } : {}),
    }
  }
}

/** What is around an app that was found again. */
const foundAgain =
  'the supervisor before this one drew what is around it, and what that is was not kept'

/** What a part of a confinement is, for people. */
const meanings: Readonly<Record<keyof Confinement, string>> = {
  groups: 'control groups',
  dataBytes: 'the data limit of each process',
  processes: 'the limit of processes of its user',
  files: 'maxFiles',
  cpuPercent: 'maxCPU without a control group',
  pollBytes: 'maxMemory without a control group',
  user: 'a user of its own',
  reach: 'a reach of its own in the file system and the network',
}

/** The means that are left where a launcher lacks some. */
function ringsWithout(rings: Rings, lacks: Lacks | undefined): Rings {
  const parts = { rlimit: 'dataBytes', poll: 'pollBytes', launcher: 'cpuPercent' } as const
  const isThere = (means: string) =>
    !(means in parts) || lacks?.confinement.includes(parts[means as keyof typeof parts]) !== true
  return {
    ...rings,
    memory: rings.memory.filter(isThere),
    cpu: rings.cpu.filter(isThere),
    processes: rings.processes.filter(
      (means) => means !== 'rlimit' || lacks?.confinement.includes('processes') !== true,
    ),
  }
}

/** The means that hold an app's limits. */
function ringsOf(app: AppManifest, rings: Rings): Hold['rings'] {
  const { maxMemory, maxCPU } = app.resourceLimits
  const best = (means: readonly string[], asked: number | undefined) =>
    asked === undefined ? 'none' : (means[0] ?? 'none')
  return { memory: best(rings.memory, maxMemory), cpu: best(rings.cpu, maxCPU) }
}

function unsupported(app: AppManifest, limit: string, reason: string) {
  const { uuid } = app.startup_app
  return hostError(
    'HOST_LIMIT_UNSUPPORTED',
    `${uuid}: ${limit} cannot be held on this machine: ${reason}; see "pos-kernel doctor"`,
    { uuid, limit, ring: limit, reason },
  )
}

function groupLimits(app: AppManifest, limits: AppManifest['resourceLimits']) {
  const { maxMemory, maxCPU, maxProcesses } = limits
  return {
    ...(maxMemory === undefined ? {} : { memory: wholeBytes(app, maxMemory) }),
    ...(maxCPU === undefined ? {} : { cpu: maxCPU }),
    processes: maxProcesses ?? processesUsual,
  }
}

class SystemHold implements Hold {
  readonly confinement: Confinement
  readonly boundaries: Boundaries
  readonly rings: Hold['rings']
  readonly #app: AppManifest
  readonly #group: Group | undefined
  readonly #tree = new Tree()
  readonly #tunes: boolean
  #limits: AppManifest['resourceLimits']
  #tunedAt = Number.NEGATIVE_INFINITY
  #members: readonly number[] | undefined
  #membersAt = Number.NEGATIVE_INFINITY

  constructor(
    app: AppManifest,
    confinement: Confinement,
    boundaries: Boundaries,
    rings: Rings,
    group: Group | undefined,
  ) {
    this.#app = app
    this.#limits = app.resourceLimits
    this.#tunes = rings.memory.includes('rlimit') && app.startup_app.script !== undefined
    this.confinement = confinement
    this.boundaries = boundaries
    this.rings = ringsOf(app, rings)
    this.#group = group
  }

  async usage(pids: readonly number[]) {
    const now = performance.now()
    const inside = this.members() ?? pids
    const each = (await this.#tree.measure(inside, Date.now())) ?? nothing
    const whole = this.#group?.usage()
    const memory = whole?.memory ?? each.memory
    if (now - this.#tunedAt >= tuneEveryMs) {
      this.#tunedAt = now
      this.#tune(inside, memory)
    }
    return {
      memory,
      rss: each.rss,
      cpuMs: whole?.cpuMs ?? each.cpuMs,
      processes: each.processes,
      files: each.files,
    }
  }

  members(): readonly number[] | undefined {
    const now = performance.now()
    if (this.#group !== undefined && now - this.#membersAt >= membersEveryMs) {
      this.#membersAt = now
      this.#members = this.#group.members()
    }
    return this.#members
  }

  async oomKills(): Promise<number> {
    return this.#group?.oomKills() ?? 0
  }

  async change(limits: AppManifest['resourceLimits'], pids: readonly number[]): Promise<void> {
    try {
      this.#group?.limit(groupLimits(this.#app, limits))
      this.#limits = limits
      this.#tunedAt = Number.NEGATIVE_INFINITY
      this.#membersAt = Number.NEGATIVE_INFINITY
      await this.usage(pids)
    } catch (error) {
      throw unsupported(this.#app, 'change', error instanceof Error ? error.message : String(error))
    }
  }

  /** Gives each process what it has mapped and what all together may still take. */
  #tune(pids: readonly number[], used: number): void {
    const { maxMemory } = this.#limits
    if (maxMemory === undefined || !this.#tunes) return
    const room = Math.max(0, maxMemory - used - reportRoom)
    for (const pid of pids) {
      const mapped = mappedBytes(pid)
      if (mapped === undefined) continue
      try {
        binding().setDataLimit(pid, mapped + room)
      } catch {
        // It has ended since, or belongs to another user; the group and the wide limit hold it.
      }
    }
  }

  async killAll(): Promise<boolean> {
    await this.#group?.killAll()
    return this.#group !== undefined
  }

  async remove(): Promise<void> {
    this.#tree.close()
    this.#group?.close()
    if (this.#group === undefined) return
    if (this.#group.pids().length > 0) await this.#group.killAll()
    await this.#group.remove()
  }
}

const nothing = { memory: 0, rss: 0, cpuMs: 0, processes: 0, files: 0 }

/** Bytes that a process has mapped as data; undefined when it is gone. */
function mappedBytes(pid: number): number | undefined {
  const found = /^VmData:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return found === undefined ? undefined : Number(found) * 1024
}
