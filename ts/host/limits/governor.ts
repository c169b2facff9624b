/**
 * Who holds an app to its limits on this machine. Three rings of memory: a soft watermark at which the app is asked
 * to shed and is then recycled; RLIMIT_DATA on each process, which ends in the runtime's own report; and a control
 * group over the whole tree, which the kernel holds. Of CPU: a quota of the group, or the launcher, which stops and
 * continues the tree.
 */
import type { Confinement, Lacks } from '../launcher/launcher.js'
import type { AppManifest } from '../manifest/manifest.js'

/** What a machine can hold. */
export interface Rings {
  readonly memory: readonly ('cgroup2' | 'cgroup1' | 'rlimit' | 'poll')[]
  readonly cpu: readonly ('cgroup2' | 'cgroup1' | 'launcher')[]
  readonly processes: readonly ('cgroup2' | 'cgroup1' | 'rlimit')[]
  /** One sentence for each means that is not there, and what would make it be. */
  readonly missing: readonly {
    readonly ring: string
    readonly reason: string
    readonly mend: string
  }[]
}

/** What keeps an app from the rest of the machine, where this machine has it. */
export interface Boundaries {
  /** `own`: a user of its own; `store`: the owner of the store's folder, without capabilities; `same`: the supervisor's. */
  readonly user: 'own' | 'store' | 'same'
  /** The file system and TCP are shut but for what the manifest names. */
  readonly reach: boolean
  /** One sentence for each boundary and limit that this app could not be given. */
  readonly missing: readonly string[]
}

/** What was prepared for one instance. */
export interface Hold {
  /** For the launch order. */
  readonly confinement: Confinement
  /** What it is kept from; absent where nothing of the kind was tried. */
  readonly boundaries?: Boundaries
  /** The means that hold, for `AppStatus.rings`. */
  readonly rings: { readonly memory: string; readonly cpu: string }
  /** Anonymous bytes and processor time of the whole tree, from the group where there is one. */
  usage(pids: readonly number[]): Promise<{
    readonly memory: number
    readonly rss: number
    readonly cpuMs: number
    readonly processes: number
    readonly files: number
  }>
  /** Numbers of all its processes, as the group had them a moment ago; undefined where no group tells. */
  members?(): readonly number[] | undefined
  /** Times that the kernel ended something of it for want of memory. */
  oomKills(): Promise<number>
  /** Changes the limits of what runs. */
  change(limits: AppManifest['resourceLimits'], pids: readonly number[]): Promise<void>
  /** Ends everything in the group, where there is one; true when the group did it. */
  killAll(): Promise<boolean>
  /** Removes what was prepared, when nothing of the instance is left. May be called again. */
  remove(): Promise<void>
}

/** Prepares limits. */
export interface Governor {
  readonly rings: Rings
  /**
   * Prepares an instance; rejects with `HOST_LIMIT_UNSUPPORTED` where isolation is `required` and a limit cannot be held.
   *
   * @param lacks - what the launcher of the app cannot put around it: it is not ordered, and said to be missing
   */
  prepare(
    app: AppManifest,
    instance: string,
    isolation: 'best' | 'required' | 'none',
    lacks?: Lacks,
  ): Promise<Hold>
  /** The hold of an instance that runs already. */
  adopt(app: AppManifest, instance: string): Promise<Hold>
  /** Removes groups of instances that are not in `alive`. */
  sweep(alive: ReadonlySet<string>): Promise<void>
  /** Removes what was made for the store as a whole, where no app is left in it. */
  close?(): void
}
