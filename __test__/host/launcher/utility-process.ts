/**
 * A stand-in for the utility processes of Electron: real processes, and what Electron says of them. Not Electron: what only
 * that can show, the tests cannot. What it does is written from Electron 45.4:
 *
 * - `docs/api/utility-process.md`: options of `fork`, `pid`, `stdout`, `kill` (SIGTERM), `spawn`, `exit`, `error`.
 * - `docs/api/app.md`, `child-process-gone`, "unexpectedly disappears"; `electron_api_app.cc`: it is said for what
 *   Chromium calls crashed, killed, abnormal or not launched, never for a normal end.
 * - `spec/api-utility-process-spec.ts`: in its details `serviceName` is `node.mojom.NodeService`, and `name` is the
 *   `serviceName` that was given to `fork`; `exit` after `process.exit(2)` is 2, after a script that is not there 1.
 * - `electron_api_utility_process.cc`: `exit` after a signal is the status of waitpid, and 0 where `kill()` sent it;
 *   `fork` throws before the app is ready; a message to a process that is gone is dropped.
 * - `lib/browser/api/utility-process.ts`: after `exit` the streams have lost all listeners, and are null.
 * - Chromium's `base/process/kill_posix.cc`: which signals are a crash, which a kill, and that the status is waitpid's.
 * - The faults: issues 42283 (`exit` says 0 of a crash) and 44012 (`exit` is said twice).
 */
import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import os from 'node:os'
import { PassThrough } from 'node:stream'
import type {
  ElectronParts,
  GoneDetails,
  UtilityProcessLike,
} from '../../../ts/host/launcher/electron.js'

/** Which faults it has. */
export interface Faults {
  /** `exit` is said twice. */
  readonly exitTwice?: boolean
  /** `exit` says this code, whatever happened. */
  readonly wrongCode?: number
  /** Nothing is said of how it went. */
  readonly noGone?: boolean
  /** What is said comes so many milliseconds late. */
  readonly lateMs?: number
  /** `exit` is said so many milliseconds before `child-process-gone`. */
  readonly goneLateMs?: number
  /** The app is not ready yet. */
  readonly readyMs?: number
}

const preload = new URL('apps/utility-preload.mjs', import.meta.url).href
const crashes: readonly string[] = [
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGTRAP',
  'SIGSYS',
]
const kills: readonly string[] = ['SIGKILL', 'SIGINT', 'SIGTERM']

class UtilityProcess extends EventEmitter implements UtilityProcessLike {
  stdout: PassThrough | null = new PassThrough()
  stderr: PassThrough | null = new PassThrough()
  readonly #child: ChildProcess
  #state: 'new' | 'runs' | 'over' = 'new'
  #isKilled = false

  constructor(
    child: ChildProcess,
    faults: Faults,
    gone: (code: number | null, signal: NodeJS.Signals | null) => void,
  ) {
    super()
    this.#child = child
    child.stdout?.pipe(this.stdout as PassThrough)
    child.stderr?.pipe(this.stderr as PassThrough)
    child.once('spawn', () => {
      this.#state = 'runs'
      this.emit('spawn')
    })
    child.once('exit', (code, signal) => {
      setTimeout(() => {
        const isOrderly = this.#isKilled && (signal === 'SIGTERM' || signal === 'SIGKILL')
        const status = signal === null ? (code ?? 0) : os.constants.signals[signal]
        const said = faults.wrongCode ?? (isOrderly ? 0 : status)
        this.emit('exit', said)
        this.#forget()
        if (faults.exitTwice === true) this.emit('exit', said)
        if (faults.noGone !== true) setTimeout(() => gone(code, signal), faults.goneLateMs ?? 0)
      }, faults.lateMs ?? 0)
    })
  }

  #forget(): void {
    this.#state = 'over'
    for (const stream of [this.stdout, this.stderr]) stream?.removeAllListeners()
    this.stdout = null
    this.stderr = null
  }

  get pid(): number | undefined {
    return this.#state === 'runs' ? this.#child.pid : undefined
  }

  postMessage(message: unknown): void {
    if (this.#child.connected) this.#child.send(message as object)
  }

  kill(): boolean {
    if (this.#state !== 'runs') return false
    this.#isKilled = this.#child.kill('SIGTERM')
    return this.#isKilled
  }
}

/** Parts of Electron with these faults. */
export function electronWith(faults: Faults): ElectronParts {
  const app = new EventEmitter()
  let isReady = faults.readyMs === undefined
  const ready = new Promise<void>((resolve) => {
    setTimeout(() => {
      isReady = true
      resolve()
    }, faults.readyMs ?? 0)
  })
  return {
    app: Object.assign(app, { whenReady: () => ready }),
    utilityProcess: {
      fork: (modulePath, args = [], options = {}) => {
        if (!isReady) throw new TypeError('utilityProcess cannot be created before app is ready.')
        const child = fork(modulePath, args, {
          env: options.env,
          execArgv: [`--import=${preload}`, ...(options.execArgv ?? [])],
          cwd: options.cwd,
          stdio: ['ignore', options.stdio ?? 'inherit', options.stdio ?? 'inherit', 'ipc'],
        })
        const { serviceName: name = 'Node Utility Process' } = options
        return new UtilityProcess(child, faults, (code, signal) => {
          const reason = reasonOf(code, signal)
          if (reason === undefined) return
          const exitCode = signal === null ? (code ?? 0) << 8 : os.constants.signals[signal]
          const serviceName = 'node.mojom.NodeService'
          const details: GoneDetails = { type: 'Utility', reason, exitCode, serviceName, name }
          app.emit('child-process-gone', {}, details)
        })
      },
    },
  }
}

/** What Chromium calls the end of a process; undefined for a normal one. */
function reasonOf(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (signal === null) return code === 0 ? undefined : 'abnormal-exit'
  if (crashes.includes(signal)) return 'crashed'
  return kills.includes(signal) ? 'killed' : undefined
}
