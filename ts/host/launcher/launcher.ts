/**
 * How an app becomes a process, and what the supervisor may ask of any kind of process. Node programs, pages in
 * a browser of their own, and Electron's utility processes are all launched through this one interface, and one
 * suite of tests holds all of them to it.
 *
 * A launcher decides nothing. It starts what it is told, says truly when that is gone and how, and is never asked
 * to restart anything.
 */
import type { Duplex } from 'node:stream'
import type { AppManifest } from '../manifest/manifest.js'
import type { ExitRecord } from './exit.js'
import type { ProcessIdentity } from './identity.js'

/** The two folders of a run. */
export interface RunFolders {
  /** Where the app may write what it leaves. */
  readonly instance: string
  /** Where the launcher writes what is true; no app can. */
  readonly run: string
}

/** What a launcher is given. */
export interface LaunchOrder {
  /** The app. */
  readonly app: AppManifest
  /** `<uuid>.<generation>`. */
  readonly instance: string
  /** Secret of this run: whoever shows it on a socket is this instance. 64 hexadecimal digits. */
  readonly token: string
  /** Folders that exist already, with their owners set. */
  readonly folders: RunFolders & { readonly data: string; readonly log: string }
  /** Where the app finds the supervisor and the broker. */
  readonly sockets: { readonly control: string; readonly bus: string }
  /** Control groups that the process is to be in before its first instruction; and limits of the process. */
  readonly confinement: Confinement
}

/** What is put around a process before it runs. Empty where the machine has nothing of the kind. */
export interface Confinement {
  /** Files `cgroup.procs` that the process writes itself into. */
  readonly groups: readonly string[]
  /** RLIMIT_DATA in bytes. */
  readonly dataBytes?: number
  /** RLIMIT_NPROC. */
  readonly processes?: number
  /** RLIMIT_NOFILE. */
  readonly files?: number
  /** CPU in percent of one core, held by the launcher itself where no group holds it. */
  readonly cpuPercent?: number
  /** Resident bytes over which the launcher ends the app itself, where nothing better holds. */
  readonly pollBytes?: number
  /** User and group that the process runs as; only root may give it. */
  readonly user?: { readonly uid: number; readonly gid: number }
  /** Folders that stay within reach, where the machine can shut out the rest (Landlock). */
  readonly reach?: {
    readonly read: readonly string[]
    readonly write: readonly string[]
    /** The app is not started unless the kernel holds all of it. */
    readonly required?: boolean
    /** TCP stays within reach; true unless given. */
    readonly tcp?: boolean
    /** Sockets without a file stay within reach: a display may listen there. */
    readonly abstractSockets?: boolean
  }
}

/** The boundaries around a process that its launcher could really draw. */
export interface Held {
  /** `full`; `partial` on an older kernel; `none` where the kernel has no Landlock; `off` when not ordered. */
  readonly landlock: 'full' | 'partial' | 'none' | 'off'
  /** No program that it starts gains rights by its file. */
  readonly noNewPrivs: boolean
  /** User that it runs as. */
  readonly user: number
  /** Control groups that it is in. */
  readonly groups: number
}

/** A process tree that was started, or found again after the supervisor's own death. */
export interface Launched {
  /** The run. */
  readonly instance: string
  /** The process that runs the app: a Node process, or the browser process of a page. */
  readonly process: ProcessIdentity
  /** What holds around it, as its launcher saw it; absent for a process that was found again. */
  readonly held?: Held
  /** Settles once, when that process is gone, with what is known of how. Never rejects. */
  readonly exited: Promise<ExitRecord>
  /** The processes whose memory and time count as the app's, at this moment. */
  pids(): Promise<readonly number[]>
  /** Sends a signal to the app; false when it is gone. */
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGUSR2' | 'SIGSTOP' | 'SIGCONT'): boolean
  /** Ends the whole tree at once; resolves when nothing of it is left. */
  kill(): Promise<void>
  /** Lets go without ending it: the supervisor leaves, the app goes on. */
  release(): void
  /**
   * Only for pages: the supervisor's end of a connection on which the launcher says for the page what an app says for
   * itself on the control socket. No `hello`: who it is, is known.
   */
  readonly voice?: Duplex
  /** Only for pages: runs JavaScript in the page and gives its value as JSON. */
  evaluate?(expression: string): Promise<unknown>
}

/** What the apps of a launcher cannot have that those behind a launcher program of their own have. */
export interface Lacks {
  /**
   * Why its apps end with the process of the host. A supervisor that leaves stops them in order before, and none is
   * found again.
   */
  readonly survival?: string
  /** Parts of a confinement that it cannot put around an app: none is ordered of it, and an order with one is refused. */
  readonly confinement: readonly (keyof Confinement)[]
}

/** Parts of a confinement that were ordered, and that a launcher cannot put around an app. */
export function lackingOf(
  { lacks }: Pick<Launcher, 'lacks'>,
  confinement: Partial<Confinement>,
): (keyof Confinement)[] {
  return (lacks?.confinement ?? []).filter((part) => confinement[part] !== undefined)
}

/** A way to start apps. */
export interface Launcher {
  /** For events and reports. */
  readonly name: 'node' | 'chromium' | 'electron'
  /** Where its apps are less than those of the others; absent where they are not. */
  readonly lacks?: Lacks
  /** True for apps that this launcher starts. */
  takes(app: AppManifest): boolean
  /** Starts an app; rejects with `HOST_LAUNCH`, and then nothing of it runs. */
  launch(order: LaunchOrder): Promise<Launched>
  /** Finds a running instance again; undefined when it is gone or is another process with the same number. */
  adopt(
    app: AppManifest,
    instance: string,
    identity: ProcessIdentity,
    folders: RunFolders,
  ): Promise<Launched | undefined>
}
