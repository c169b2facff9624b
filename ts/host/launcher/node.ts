/**
 * Apps that Node runs: a module in a process of its own.
 *
 * The runtime is told to leave a report of an end for want of memory, by a fault or by an error that nobody caught
 * (`report.*.json` in the folder of the instance), and one on SIGUSR2, which a watchdog sends to a loop that stands. The heap is told of the limit so
 * that the collector works harder before it; the limit itself is held from outside.
 */
import path from 'node:path'
import type { Bootstrap } from '../app/bootstrap.js'
import { hostError } from '../error.js'
import type { AppManifest } from '../manifest/manifest.js'
import type { ProcessIdentity } from './identity.js'
import type { Launched, Launcher, LaunchOrder, RunFolders } from './launcher.js'
import { findRun, type Run, type RunOrder, startRun } from './run.js'

/** Bytes of one generation of an app's output; there are two. */
export const outLogBytesMax = 4 * 1024 * 1024
/** File descriptor of the bootstrap text, as the app finds it. */
export const bootstrapFd = 3
/** The heap may grow to this share of the memory limit, and leaves at least so much for code, buffers and stacks. */
const heapShare = 0.75
const besideHeap = 56 * 1024 * 1024
const MiB = 1024 * 1024

/** Starts Node apps of one store. */
export class NodeLauncher implements Launcher {
  readonly name = 'node'
  readonly #root: string
  readonly #outLogBytesMax: number

  /** @param options - `root` is the store's folder, as apps that may open terminals are told it */
  constructor(options: { root: string; outLogBytesMax?: number }) {
    this.#root = options.root
    this.#outLogBytesMax = options.outLogBytesMax ?? outLogBytesMax
  }

  takes(app: AppManifest): boolean {
    return app.startup_app.script !== undefined
  }

  async launch(order: LaunchOrder): Promise<Launched> {
    const { app, instance, folders } = order
    const { uuid, script } = app.startup_app
    if (script === undefined) {
      throw hostError('HOST_LAUNCH', `${uuid} could not be started: it has no script`, {
        uuid,
        step: 'order',
        errno: null,
      })
    }
    const run = await startRun(uuid, {
      program: process.execPath,
      args: [...runtimeArgs(app, folders.instance), script, ...app.startup_app.args],
      env: appEnvironment(app, folders, { POS_KERNEL_HOST_FD: String(bootstrapFd) }),
      cwd: folders.data,
      bootstrap: JSON.stringify(bootstrapOf(order, this.#root)),
      outLog: { path: path.join(folders.log, 'out.log'), bytesMax: this.#outLogBytesMax },
      runFolder: folders.run,
      orphan: orphanOf(app),
      confinement: order.confinement,
    })
    return launched(instance, run)
  }

  async adopt(
    _app: AppManifest,
    instance: string,
    identity: ProcessIdentity,
    folders: RunFolders,
  ): Promise<Launched | undefined> {
    const run = findRun(identity, folders.run)
    return run === undefined ? undefined : launched(instance, run)
  }
}

/**
 * What the launcher does for an app that nobody watches. A Node app ends itself after the same time; this is for one that
 * cannot, and for pages.
 */
export function orphanOf({ orphanMs, recycle }: AppManifest): NonNullable<RunOrder['orphan']> {
  return { afterMs: orphanMs, graceMs: recycle.drainMs }
}

/** A run as the supervisor sees it. */
export function launched(instance: string, run: Run): Launched {
  return {
    instance,
    process: run.process,
    ...(run.held === undefined ? {} : { held: run.held }),
    exited: run.exited,
    pids: async () => run.pids(),
    signal: (name) => run.signal(name),
    kill: () => run.kill(),
    release: () => run.release(),
  }
}

/** What the app is told of itself. */
export function bootstrapOf(order: LaunchOrder, root: string): Bootstrap {
  const { app, instance, token, sockets, folders } = order
  const { startup_app: startup, health, permissions, orphanMs } = app
  const isOfStore = permissions.store || startup.kind === 'terminal'
  return {
    instance,
    token,
    uuid: startup.uuid,
    sockets,
    dataFolder: folders.data,
    instanceFolder: folders.instance,
    heartbeatMs: health.heartbeatMs,
    hangMs: health.hangMs,
    orphanMs,
    kind: startup.kind,
    ...(startup.terminal === undefined ? {} : { terminal: startup.terminal }),
    ...(isOfStore ? { root } : {}),
    app: startup,
  }
}

/**
 * The environment of an app: what programs need to find their way, and what its manifest says. What else is in the
 * supervisor's own environment, keys among it, is not for apps.
 */
export function appEnvironment(
  app: AppManifest,
  folders: LaunchOrder['folders'],
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const passed = Object.entries(process.env).filter(
    ([name, value]) =>
      value !== undefined && /^(?:PATH|LANG|LANGUAGE|LC_\w+|TZ|NODE_ENV)$/.test(name),
  )
  return {
    ...(Object.fromEntries(passed) as Record<string, string>),
    HOME: folders.data,
    TMPDIR: folders.instance,
    ...app.startup_app.env,
    ...more,
  }
}

function runtimeArgs(app: AppManifest, reportFolder: string): string[] {
  const { nodeArgs } = app.startup_app
  const { maxMemory } = app.resourceLimits
  const reports = [
    '--report-on-fatalerror',
    '--report-uncaught-exception',
    '--report-on-signal',
    '--report-signal=SIGUSR2',
    '--report-exclude-network',
    `--report-directory=${reportFolder}`,
  ]
  const isHeapGiven = nodeArgs.some((arg) => /^--max[-_](?:old[-_]space|heap)[-_]size/.test(arg))
  const heap =
    maxMemory === undefined || isHeapGiven
      ? []
      : [
          `--max-old-space-size=${Math.floor(Math.min(maxMemory * heapShare, maxMemory - besideHeap) / MiB)}`,
        ]
  return [...heap, ...reports, ...permissionArgs(app), ...nodeArgs]
}

const runtimeFlags = [...process.allowedNodeEnvironmentFlags]
/** Node's permission model shuts everything but what is named; files and the network are Landlock's, which holds against any code. */
const permissionModel = [
  runtimeFlags.includes('--permission') ? '--permission' : '--experimental-permission',
  ...runtimeFlags
    .filter((flag) => flag.startsWith('--allow-') && flag !== '--allow-child-process')
    .map((flag) => (flag.startsWith('--allow-fs-') ? `${flag}=*` : flag)),
  // Three lines at each start, about what stands here.
  '--disable-warning=ExperimentalWarning',
  '--disable-warning=SecurityWarning',
]

/** An app that may not start processes is told so by its runtime: `ERR_ACCESS_DENIED`. */
function permissionArgs({ permissions }: AppManifest): readonly string[] {
  return permissions.childProcess ? [] : permissionModel
}
