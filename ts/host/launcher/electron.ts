/**
 * Apps as utility processes of Electron: the app's logic in a process of its own, its windows where Electron wants
 * them, in the main process. This runs inside Electron's main process.
 *
 * What Electron says of an end is not believed alone: a crash has been reported with exit code 0, a clean exit with
 * 11, and one exit twice. So an instance is over when its process is gone from the machine, whoever said it first;
 * of what was said, `child-process-gone` counts more than `exit`; and everything is taken once.
 *
 * A utility process cannot be confined before its first instruction. Its data limit and its control group are set on
 * the running process, as early as its number is known.
 *
 * Not run on a real Electron yet: held to the launchers' contract on a stand-in that does what the issues say, and to
 * Electron's own typings.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { bootstrapMessage } from '../app/electron.js'
import { hostError } from '../error.js'
import type { AppManifest } from '../manifest/manifest.js'
import type { ExitRecord } from './exit.js'
import type { ProcessIdentity } from './identity.js'
import type { Launched, Launcher, LaunchOrder } from './launcher.js'
import { bootstrapOf } from './node.js'
import { signalName } from './signal.js'

/** What is used of an Electron utility process. */
export interface UtilityProcessLike {
  readonly pid: number | undefined
  postMessage(message: unknown): void
  kill(): boolean
  on(event: 'spawn', listener: () => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
}

/** What is said of a process that is gone: `exitCode` is what waitpid gave, on POSIX. */
export interface GoneDetails {
  readonly reason: string
  readonly exitCode: number
  readonly serviceName?: string
}

/** The parts of Electron that are used; `{ utilityProcess, app }` of `electron` fits. */
export interface ElectronParts {
  readonly utilityProcess: {
    fork(
      modulePath: string,
      args?: string[],
      options?: {
        env?: Record<string, string>
        execArgv?: string[]
        cwd?: string
        serviceName?: string
        stdio?: 'inherit' | 'ignore' | 'pipe'
      },
    ): UtilityProcessLike
  }
  readonly app: {
    on(
      event: 'child-process-gone',
      listener: (event: unknown, details: GoneDetails) => void,
    ): unknown
  }
}

/** What the launcher needs of the machine; the binding gives both. */
export interface ProcessWatch {
  /** Who a process is; undefined when there is none of this number. */
  identityOf(pid: number): ProcessIdentity | undefined
  /** Resolves when the process is gone. */
  watch(identity: ProcessIdentity): Promise<void>
  /** Sets RLIMIT_DATA of a running process; false where that cannot be. */
  setDataLimit(pid: number, bytes: number): boolean
}

/** Milliseconds that an instance may take to get a process. */
const spawnMsMax = 10_000
/** Milliseconds that Electron may take to say how a process ended that is gone already. */
const saidMsMax = 500

/** Starts apps as utility processes. */
export class ElectronLauncher implements Launcher {
  readonly name = 'electron'
  readonly #electron: ElectronParts
  readonly #machine: ProcessWatch
  readonly #root: string
  readonly #running = new Map<string, UtilityApp>()

  /** @param root - the store's folder, as apps that may open terminals are told it */
  constructor(electron: ElectronParts, machine: ProcessWatch, root: string) {
    this.#root = root
    this.#electron = electron
    this.#machine = machine
    electron.app.on('child-process-gone', (_event, details) => {
      const running = this.#running.get(details.serviceName ?? '')
      running?.said(details)
    })
  }

  takes(app: AppManifest): boolean {
    return app.startup_app.script !== undefined
  }

  async launch(order: LaunchOrder): Promise<Launched> {
    const { script, args, env, nodeArgs, uuid } = order.app.startup_app
    if (script === undefined) {
      throw hostError('HOST_LAUNCH', `${uuid} has no script`, { uuid, step: 'script', errno: null })
    }
    const child = this.#electron.utilityProcess.fork(script, [...args], {
      env: { ...process.env, ...env } as Record<string, string>,
      execArgv: [...nodeArgs],
      cwd: order.folders.data,
      serviceName: order.instance,
    })
    const pid = await spawned(child, uuid)
    const identity = this.#machine.identityOf(pid)
    if (identity === undefined) {
      throw hostError('HOST_LAUNCH', `${uuid} ended at its start`, {
        uuid,
        step: 'spawn',
        errno: null,
      })
    }
    await confine(order, pid, this.#machine)
    const app = new UtilityApp(order.instance, child, identity, this.#machine.watch(identity))
    this.#running.set(order.instance, app)
    void app.exited.then(() => this.#running.delete(order.instance))
    // The secret of the run goes over the channel that only this child has.
    child.postMessage({ [bootstrapMessage]: bootstrapOf(order, this.#root) })
    return app
  }

  /** A utility process ends with Electron's main process: there is nothing to find again. */
  adopt(): Promise<undefined> {
    return Promise.resolve(undefined)
  }
}

class UtilityApp implements Launched {
  readonly instance: string
  readonly process: ProcessIdentity
  readonly exited: Promise<ExitRecord>
  #gone: GoneDetails | undefined
  #exitCode: number | undefined
  #isEndedByUs = false
  #isOver = false
  #wake: () => void = () => {}

  constructor(
    instance: string,
    child: UtilityProcessLike,
    identity: ProcessIdentity,
    watched: Promise<void>,
  ) {
    this.instance = instance
    this.process = identity
    child.on('exit', (code) => {
      this.#exitCode ??= code
      this.#wake()
    })
    this.exited = watched.then(() => this.#record())
  }

  said(details: GoneDetails): void {
    this.#gone ??= details
    this.#wake()
  }

  async pids(): Promise<readonly number[]> {
    return this.#isOver ? [] : [this.process.pid]
  }

  signal(name: NodeJS.Signals): boolean {
    if (this.#isOver) return false
    try {
      process.kill(this.process.pid, name)
      return true
    } catch {
      return false
    }
  }

  async kill(): Promise<void> {
    // Electron's own kill() sends SIGTERM alone.
    if (this.signal('SIGKILL')) this.#isEndedByUs = true
    await this.exited
  }

  release(): void {}

  /** How it ended: from what was said within a moment of its end. */
  async #record(): Promise<ExitRecord> {
    this.#isOver = true
    const at = Date.now()
    if (this.#gone === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, saidMsMax)
        this.#wake = () => {
          // The exit code alone waits on for the word that counts more.
          if (this.#gone === undefined) return
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return {
      ...ending(this.#gone, this.#exitCode),
      endedBy: this.#isEndedByUs ? 'asked' : null,
      maxRssBytes: null,
      cpuMs: null,
      at,
    }
  }
}

/** Code and signal from what Electron said. */
function ending(
  gone: GoneDetails | undefined,
  exitCode: number | undefined,
): Pick<ExitRecord, 'code' | 'signal' | 'oomKilled'> {
  if (gone === undefined) {
    return { code: exitCode ?? null, signal: null, oomKilled: false }
  }
  const signal = process.platform === 'win32' ? 0 : gone.exitCode & 0x7f
  if (gone.reason === 'clean-exit') return { code: 0, signal: null, oomKilled: false }
  if (signal !== 0)
    return { code: null, signal: signalName(signal), oomKilled: gone.reason === 'oom' }
  const code = process.platform === 'win32' ? gone.exitCode : gone.exitCode >> 8
  return { code, signal: null, oomKilled: gone.reason === 'oom' }
}

function spawned(child: UtilityProcessLike, uuid: string): Promise<number> {
  const refused = (why: string) =>
    hostError('HOST_LAUNCH', `${uuid}: ${why}`, { uuid, step: 'spawn', errno: null })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(refused(`no process within ${spawnMsMax} ms`)),
      spawnMsMax,
    )
    child.on('exit', (code) => {
      clearTimeout(timer)
      reject(refused(`ended with ${code} before it ran`))
    })
    child.on('spawn', () => {
      clearTimeout(timer)
      if (child.pid === undefined) reject(refused('has no process'))
      else resolve(child.pid)
    })
  })
}

async function confine(order: LaunchOrder, pid: number, machine: ProcessWatch): Promise<void> {
  const { groups, dataBytes } = order.confinement
  for (const group of groups) await writeFile(group, String(pid))
  if (dataBytes === undefined) return
  // What it holds already was charged before the limit was there.
  const held = /VmData:\s+(\d+) kB/.exec(
    await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''),
  )?.[1]
  machine.setDataLimit(pid, dataBytes + (held === undefined ? 0 : Number(held) * 1024))
}
