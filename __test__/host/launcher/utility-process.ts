/**
 * A stand-in for Electron's utility processes: real processes, and what Electron says of them with the faults that its
 * users reported. Not Electron: what only that can show, the tests cannot.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import os from 'node:os'
import type { ElectronParts, UtilityProcessLike } from '../../../ts/host/launcher/electron.js'

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
}

class UtilityProcess extends EventEmitter implements UtilityProcessLike {
  readonly #child: ChildProcess
  #isOver = false

  constructor(
    child: ChildProcess,
    faults: Faults,
    gone: (code: number | null, signal: NodeJS.Signals | null) => void,
  ) {
    super()
    this.#child = child
    child.once('spawn', () => this.emit('spawn'))
    child.once('exit', (code, signal) => {
      this.#isOver = true
      setTimeout(() => {
        this.emit('exit', faults.wrongCode ?? code ?? 0)
        if (faults.exitTwice === true) this.emit('exit', faults.wrongCode ?? code ?? 0)
        if (faults.noGone !== true) gone(code, signal)
      }, faults.lateMs ?? 0)
    })
  }

  get pid(): number | undefined {
    return this.#isOver ? undefined : this.#child.pid
  }

  postMessage(message: unknown): void {
    if (this.#isOver) throw new Error('posted to a process that is gone')
    this.#child.send(message as object)
  }

  kill(): boolean {
    return this.#child.kill('SIGTERM')
  }
}

/** Parts of Electron with these faults. */
export function electronWith(faults: Faults): ElectronParts {
  const app = new EventEmitter()
  return {
    app: app as ElectronParts['app'],
    utilityProcess: {
      fork: (modulePath, args = [], options = {}) => {
        const child = fork(modulePath, args, {
          env: options.env,
          execArgv: options.execArgv ?? [],
          cwd: options.cwd,
          stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        })
        return new UtilityProcess(child, faults, (code, signal) => {
          const status = signal === null ? (code ?? 0) << 8 : os.constants.signals[signal]
          const reason =
            signal === 'SIGKILL'
              ? 'killed'
              : signal !== null
                ? 'crashed'
                : code === 0
                  ? 'clean-exit'
                  : 'abnormal-exit'
          app.emit(
            'child-process-gone',
            {},
            { type: 'Utility', reason, exitCode: status, serviceName: options.serviceName },
          )
        })
      },
    },
  }
}
