/**
 * Apps as utility processes of Electron: the app's logic in a process of its own, started by Electron's main process,
 * in which this runs.
 *
 * What Electron says of an end is not believed alone: a crash has been reported with exit code 0, and one exit twice.
 * So an instance is over when its process is gone from the machine, whoever said it first; of what was said,
 * `child-process-gone` counts more than `exit`; and everything is taken once. `child-process-gone` is silent about an
 * end with code 0.
 *
 * Nothing stands between Electron and a utility process, so it differs from an app behind a launcher program in what
 * `lacks` says: it ends with the main process, and it cannot be confined before its first instruction. Its control
 * groups and its data limit are put around the running process, before it is told who it is.
 *
 * Not run on a real Electron: held to the launchers' contract on a stand-in with real processes, and to Electron's own
 * typings by the compiler. `docs/guide/electron.md` says what that leaves open.
 */
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { binding } from '../../native.js'
import { bootstrapMessage } from '../app/electron.js'
import { hostError, isHostError } from '../error.js'
import type { AppManifest } from '../manifest/manifest.js'
import { replaceFile } from '../supervisor/records.js'
import {
  type ElectronParts,
  electronLacks,
  type GoneDetails,
  type UtilityProcessLike,
} from './electron-parts.js'
import { endAll, endLeft, endTree, markName, send, within } from './ending.js'
import type { ExitRecord } from './exit.js'
import { identityOf, type ProcessIdentity, stillRuns, treeOf } from './identity.js'
import {
  type Confinement,
  type Launched,
  type Launcher,
  type LaunchOrder,
  lackingOf,
  type RunFolders,
} from './launcher.js'
import { appEnvironment, bootstrapOf, outLogBytesMax } from './node.js'
import { OutLog } from './out-log.js'
import { signalName } from './signal.js'
import { watchProcess } from './watch.js'

export type { ElectronParts, GoneDetails, UtilityProcessLike } from './electron-parts.js'

/** Milliseconds that an instance may take to get a process. */
const spawnMsMax = 10_000
/** Milliseconds that Electron may take to say how a process ended that is gone already. */
const saidMsMax = 500
/** Milliseconds between two looks at how much memory a process has had. */
const lookMs = 1000
/** Bytes of a report of V8's that are kept. */
const reportBytesMax = 4 * 1024 * 1024

/** Processes that were forked here: part of the name by which Electron speaks of one. */
let forked = 0

/** Starts apps as utility processes. */
export class ElectronLauncher implements Launcher {
  readonly name = 'electron'
  readonly lacks = electronLacks
  readonly #electron: ElectronParts
  readonly #root: string
  readonly #outLogBytesMax: number
  /** By the name under which Electron speaks of a process. */
  readonly #listeners = new Map<string, (details: GoneDetails) => void>()

  /** @param options - `root` is the store's folder, as apps that may open terminals are told it */
  constructor(electron: ElectronParts, options: { root: string; outLogBytesMax?: number }) {
    this.#electron = electron
    this.#root = options.root
    this.#outLogBytesMax = options.outLogBytesMax ?? outLogBytesMax
    electron.app.on('child-process-gone', (_event, { ...details }) => {
      if (details.type === 'Utility') this.#listeners.get(details.name ?? '')?.(details)
    })
  }

  takes(app: AppManifest): boolean {
    return app.startup_app.script !== undefined
  }

  async launch(order: LaunchOrder): Promise<Launched> {
    const { app, folders, instance } = order
    const script = this.#checked(order)
    await this.#electron.app.whenReady()
    forked += 1
    const said = new Said()
    const name = `${instance} ${forked}`
    this.#listeners.set(name, (details) => said.gone(details))
    const log = new OutLog(folders.log, this.#outLogBytesMax)
    try {
      const child = this.#fork(order, script, name)
      said.listen(child)
      log.take([child.stdout, child.stderr])
      // Electron takes all listeners from the streams when it has said `exit`, whatever is still in them.
      child.on('exit', () => setImmediate(() => log.retake()))
      const identity = await begun(child, said, order)
      const running = new UtilityApp(order, identity, said, log)
      void running.exited.then(() => this.#listeners.delete(name))
      // The secret of the run goes over the channel that only this child has.
      child.postMessage({ [bootstrapMessage]: bootstrapOf(order, this.#root) })
      return running
    } catch (error) {
      this.#listeners.delete(name)
      throw isHostError(error) ? error : launchError(app.startup_app.uuid, 'fork', String(error))
    }
  }

  /**
   * A utility process does not outlive the main process that forked it, so there is nothing to take over. What is left of it
   * is ended: Electron ends the process, nobody ends what descends from it.
   */
  async adopt(
    _app: AppManifest,
    _instance: string,
    identity: ProcessIdentity,
    { run }: RunFolders,
  ): Promise<undefined> {
    if (stillRuns(identity)) await endTree(treeOf(identity.pid))
    await endLeft(run)
  }

  /** What is wrong with an order is said before anything runs. Gives the script. */
  #checked({ app, folders, confinement }: LaunchOrder): string {
    const { script, uuid } = app.startup_app
    if (process.platform !== 'linux') {
      const reason = `processes are known by /proc, and this is ${process.platform}`
      const message = `${uuid} is not started: ${reason}`
      throw hostError('HOST_UNSUPPORTED', message, { what: 'electron', reason })
    }
    if (script === undefined) throw launchError(uuid, 'order', 'it has no script')
    const lacking = lackingOf(this, confinement)
    if (lacking.length > 0) {
      const names = lacking.join(', ')
      const reason =
        'Electron gives no utility process that; take it out of the manifest, or run the host without Electron'
      throw hostError('HOST_LIMIT_UNSUPPORTED', `${uuid}: ${names}: ${reason}`, {
        uuid,
        limit: names,
        ring: this.name,
        reason,
      })
    }
    for (const [step, place, mode] of [
      ['script', script, constants.R_OK],
      ['cwd', folders.data, constants.X_OK],
    ] as const) {
      try {
        accessSync(place, mode)
      } catch (error) {
        const { errno = null, message } = error as NodeJS.ErrnoException
        throw launchError(uuid, step, message, errno)
      }
    }
    return script
  }

  #fork({ app, folders }: LaunchOrder, script: string, serviceName: string): UtilityProcessLike {
    const { args, nodeArgs } = app.startup_app
    return this.#electron.utilityProcess.fork(script, [...args], {
      env: appEnvironment(app, folders, { [markName]: folders.run }),
      execArgv: [...nodeArgs],
      cwd: folders.data,
      serviceName,
      stdio: 'pipe',
    })
  }
}

/** What Electron says of one process, each thing taken once. */
class Said {
  #gone: GoneDetails | undefined
  #exitCode: number | undefined
  #report: string | undefined
  #hear: () => void = () => undefined

  listen(child: UtilityProcessLike): void {
    child.on('exit', (code) => {
      this.#exitCode ??= code
      this.#hear()
    })
    child.on('error', (_type, _location, report) => {
      this.#report ??= report
    })
  }

  gone(details: GoneDetails): void {
    this.#gone ??= details
    this.#hear()
  }

  /** Calls `hear` when there is something new. */
  onMore(hear: () => void): void {
    this.#hear = hear
  }

  /** Why there is no process, where that was said. */
  get failure(): string | undefined {
    if (this.#gone !== undefined) return `${this.#gone.reason} (${this.#gone.exitCode})`
    return this.#exitCode === undefined ? undefined : `ended with ${this.#exitCode}`
  }

  /** V8's last report. */
  get report(): string | undefined {
    return this.#report
  }

  /** How it ended: waits a moment for the word that counts more. */
  async ending(): Promise<Pick<ExitRecord, 'code' | 'signal' | 'oomKilled'>> {
    if (this.#gone === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, saidMsMax)
        this.onMore(() => {
          if (this.#gone === undefined) return
          clearTimeout(timer)
          resolve()
        })
      })
    }
    const oomKilled = this.#gone?.reason === 'oom'
    if (this.#gone === undefined) {
      return { code: this.#exitCode ?? null, signal: null, oomKilled }
    }
    const { exitCode } = this.#gone
    const signal = exitCode & 0x7f
    return signal === 0
      ? { code: exitCode >> 8, signal: null, oomKilled }
      : { code: null, signal: signalName(signal), oomKilled }
  }
}

class UtilityApp implements Launched {
  readonly instance: string
  readonly process: ProcessIdentity
  readonly exited: Promise<ExitRecord>
  readonly #said: Said
  readonly #log: OutLog
  readonly #folders: RunFolders
  readonly #timer: NodeJS.Timeout
  #maxRssBytes: number | null = null
  #isEndedByUs = false
  #isOver = false

  constructor(order: LaunchOrder, identity: ProcessIdentity, said: Said, log: OutLog) {
    this.instance = order.instance
    this.process = identity
    this.#said = said
    this.#log = log
    this.#folders = order.folders
    this.#look()
    this.#timer = setInterval(() => this.#look(), lookMs)
    this.#timer.unref()
    this.exited = watchProcess(identity).gone.then(() => this.#over())
  }

  async pids(): Promise<readonly number[]> {
    return this.#isOver ? [] : treeOf(this.process.pid)
  }

  signal(name: NodeJS.Signals): boolean {
    return !this.#isOver && send(this.process, name)
  }

  async kill(): Promise<void> {
    if (!this.#isOver) {
      const tree = treeOf(this.process.pid)
      // Electron's own kill() sends SIGTERM alone.
      if (this.signal('SIGKILL')) this.#isEndedByUs = true
      await endTree(tree)
    }
    await this.exited
  }

  /** Whoever leaves a host has stopped its utility processes before; see `lacks.survival`. */
  release(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    this.#maxRssBytes = kilobytes(this.process.pid, 'VmHWM') ?? this.#maxRssBytes
  }

  async #over(): Promise<ExitRecord> {
    const at = Date.now()
    clearInterval(this.#timer)
    await endAll([this.process])
    await endLeft(this.#folders.run)
    this.#isOver = true
    const record: ExitRecord = {
      ...(await this.#said.ending()),
      oomNearby: false,
      endedBy: this.#isEndedByUs ? 'asked' : null,
      maxRssBytes: this.#maxRssBytes,
      cpuMs: null,
      at,
    }
    await within(this.#log.written, saidMsMax)
    this.#log.destroy()
    await this.#keep(record)
    return record
  }

  /** Writes down how it ended. The app may write in the folder of its report: nothing that it put there is followed. */
  async #keep(record: ExitRecord): Promise<void> {
    const { report } = this.#said
    try {
      if (report !== undefined && Buffer.byteLength(report) <= reportBytesMax) {
        const file = path.join(this.#folders.instance, 'report.electron.json')
        await rm(file, { force: true })
        await writeFile(file, report, { flag: 'wx', mode: 0o600 })
      }
      await writeFile(path.join(this.#folders.run, 'last.log'), this.#log.lastWords, {
        mode: 0o600,
      })
      replaceFile(path.join(this.#folders.run, 'exit.json'), record)
    } catch {
      // The folders are gone with the app; the record is told all the same.
    }
  }
}

/** Waits until a process runs, and puts around it what can be. Where that fails, nothing of it is left. */
async function begun(
  child: UtilityProcessLike,
  said: Said,
  { app, confinement }: LaunchOrder,
): Promise<ProcessIdentity> {
  const { uuid } = app.startup_app
  const pid = await new Promise<number>((resolve, reject) => {
    const refuse = (why: string) => {
      clearTimeout(timer)
      child.kill()
      reject(launchError(uuid, 'spawn', why))
    }
    const timer = setTimeout(() => refuse(`no process within ${spawnMsMax} ms`), spawnMsMax)
    said.onMore(() => refuse(said.failure ?? 'ended'))
    child.on('spawn', () => {
      clearTimeout(timer)
      said.onMore(() => undefined)
      if (child.pid === undefined) refuse('it has no process')
      else resolve(child.pid)
    })
  })
  const identity = identityOf(pid)
  if (identity === undefined) throw launchError(uuid, 'spawn', 'it ended at its start')
  try {
    confine(pid, confinement)
  } catch (error) {
    await endTree(treeOf(pid))
    const { errno = null, message, path: file } = error as NodeJS.ErrnoException
    const step = file === undefined ? 'dataBytes' : 'groups'
    throw launchError(uuid, step, message, errno)
  }
  return identity
}

/** Puts around a running process what can be put there. */
function confine(pid: number, { groups, dataBytes }: Confinement): void {
  for (const group of groups) writeFileSync(group, String(pid))
  if (dataBytes === undefined) return
  // Its data segment of now was mapped before there was a limit.
  binding().setDataLimit(pid, dataBytes + (kilobytes(pid, 'VmData') ?? 0))
}

/** A line of the status of a process in bytes; undefined when it is gone. */
function kilobytes(pid: number, name: 'VmData' | 'VmHWM'): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
    return found === undefined ? undefined : Number(found) * 1024
  } catch {
    return undefined
  }
}

function launchError(uuid: string, step: string, why: string, errno: number | null = null) {
  return hostError('HOST_LAUNCH', `${uuid} could not be started: ${step}: ${why}`, {
    uuid,
    step,
    errno,
  })
}
