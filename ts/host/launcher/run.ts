/**
 * One run of the program `pos-kernel-launch`: the order on its standard input, its answers on its standard output.
 * Launchers of all kinds of apps start their processes through this and differ in what they order.
 *
 * ```text
 * startRun(order) ── order ──► pos-kernel-launch ──► app
 *                 ◄── { pid, startTime, bootId, held } or { error }
 *                 ◄── the record of the end
 * findRun(identity, folder): a run of an earlier supervisor; its end is in `exit.json` once its launcher is gone
 * endLauncher(found): a run that no supervisor has a record of
 * ```
 *
 * The launcher is detached: it goes on when this process ends, and nobody needs to have read its answers.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { hostError } from '../error.js'
import { endAll, endLeft, endTree, markName, send, within } from './ending.js'
import { type ExitRecord, parseExit, readExit, unseenExit } from './exit.js'
import { identityOf, type ProcessIdentity, parentOf, stillRuns, treeOf } from './identity.js'
import type { Confinement, Held } from './launcher.js'
import { type FoundLauncher, isLauncherOf } from './launchers.js'
import { holdOrders } from './orders.js'
import { launcherProgram } from './program.js'
import { type Watch, watchProcess } from './watch.js'

/** What the program is told, but for the confinement, which it takes in its own words. */
export interface RunOrder {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Text that the app finds on file descriptor 3. */
  readonly bootstrap?: string
  /** Descriptors 3 and 4 become a DevTools pipe that is served on this socket. */
  readonly devtools?: { readonly socket: string }
  readonly outLog: { readonly path: string; readonly bytesMax: number }
  /** Folder of the run, which no app can write: the launcher's argument, and where it writes. */
  readonly runFolder: string
  /** When a run without a supervisor is asked to end, and how long it then has. For ever unless given. */
  readonly orphan?: { readonly afterMs: number; readonly graceMs: number }
  readonly confinement: Confinement
  /** A program that gains rights by its file, as a setuid sandbox, keeps that way open. */
  readonly mayGainPrivileges?: boolean
}

/** A running app with its launcher. */
export interface Run {
  readonly process: ProcessIdentity
  /** What holds around it; undefined for a run that was found again. */
  readonly held: Held | undefined
  readonly exited: Promise<ExitRecord>
  signal(name: NodeJS.Signals): boolean
  kill(): Promise<void>
  release(): void
  pids(): readonly number[]
}

/** A launcher answers in milliseconds; on a machine that is busy beyond measure it may take this long. */
const answerMs = 30_000
/** A launcher that was told to end its app and did not in this time is ended with it. */
const killMs = 5000

/** Starts an app. Rejects with `HOST_LAUNCH`, and then nothing of it runs. */
export async function startRun(uuid: string, order: RunOrder, patienceMs = answerMs): Promise<Run> {
  const child = spawn(launcherProgram(), [order.runFolder], {
    detached: true,
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const until = (event: 'exit' | 'close') =>
    new Promise<void>((resolve) => {
      child.once(event, () => resolve())
      child.once('error', () => resolve())
    })
  const gone = until('exit')
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(launchError(uuid, 'launcher', error.errno ?? null, error.message)),
    )
  })
  failed.catch(() => undefined)
  // A launcher that ended before it read the order says why on the other pipe, or by being gone.
  child.stdin?.on('error', () => undefined)
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const answers = new Answers()
  lines.on('line', (line) => answers.add(line))
  until('close').then(() => answers.end())
  child.stdin?.write(`${JSON.stringify(wire(order))}\n`)

  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, patienceMs, undefined)
  })
  const line = await Promise.race([answers.next(), late, failed]).finally(() => clearTimeout(timer))
  const answer = line === undefined ? undefined : parseAnswer(line)
  if (answer === undefined || 'error' in answer) {
    // Whatever it is doing: it takes its app along, and a child that is no app yet is ended.
    child.kill('SIGKILL')
    await gone
    if (answer === undefined) await endLeft(order.runFolder)
    const { step, errno, message } = answer?.error ?? {
      step: 'launcher',
      errno: null,
      message: `the launcher said ${line === undefined ? 'nothing' : line}`,
    }
    throw launchError(uuid, step, errno, message)
  }
  const { pid, startTime, bootId, held } = answer
  return new OwnRun({ pid, startTime, bootId }, held, child, answers, order.runFolder)
}

/** Finds a run that an earlier supervisor started; undefined when it is gone or is another process by now. */
export function findRun(identity: ProcessIdentity, runFolder: string): Run | undefined {
  if (!stillRuns(identity)) return undefined
  const parent = parentOf(identity.pid)
  const launcher = parent === undefined ? undefined : identityOf(parent)
  // An app dies with its launcher, so its parent is its launcher for as long as it runs.
  if (launcher === undefined || !isLauncherOf(launcher.pid, runFolder)) return undefined
  return stillRuns(identity) ? new FoundRun(identity, launcher, runFolder) : undefined
}

/** Ends a launcher with its app; resolves when nothing of the run is left. */
export async function endLauncher({ process: launcher, runFolder }: FoundLauncher): Promise<void> {
  const watch = watchProcess(launcher)
  send(launcher, 'SIGUSR1')
  if (!(await within(watch.gone, killMs))) await endAll([launcher])
  watch.close()
  await endLeft(runFolder)
}

/** The confinement in the words of the program: whole numbers. */
function wire(order: RunOrder): unknown {
  const { confinement, mayGainPrivileges, env, runFolder, ...rest } = order
  const { cpuPercent, reach, ...limits } = confinement
  return {
    ...rest,
    env: { ...env, [markName]: runFolder },
    confinement: {
      ...limits,
      ...(cpuPercent === undefined ? {} : { cpuPpm: Math.max(1, Math.round(cpuPercent * 10_000)) }),
      ...(reach === undefined ? {} : { reach: { tcp: true, ...reach } }),
      ...(mayGainPrivileges === true ? { mayGainPrivileges } : {}),
    },
  }
}

interface Started extends ProcessIdentity {
  readonly held: Held
}

interface Refused {
  readonly error: { readonly step: string; readonly errno: number | null; readonly message: string }
}

function parseAnswer(line: string): Started | Refused | undefined {
  try {
    const answer = JSON.parse(line) as Partial<Started & Refused>
    if (answer.error !== undefined) return answer as Refused
    return typeof answer.pid === 'number' ? (answer as Started) : undefined
  } catch {
    return undefined
  }
}

function launchError(uuid: string, step: string, errno: number | null, message: string) {
  return hostError('HOST_LAUNCH', `${uuid} could not be started: ${step}: ${message}`, {
    uuid,
    step,
    errno,
  })
}

/** The lines of a launcher, waited for one by one. */
class Answers {
  readonly #lines: string[] = []
  readonly #waiting: ((line: string | undefined) => void)[] = []
  #ended = false

  add(line: string): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#lines.push(line)
    else waiting(line)
  }

  end(): void {
    this.#ended = true
    for (const waiting of this.#waiting.splice(0)) waiting(undefined)
  }

  /** The next line; undefined when there will be none. */
  next(): Promise<string | undefined> {
    const line = this.#lines.shift()
    if (line !== undefined || this.#ended) return Promise.resolve(line)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** A run whose launcher is a child of this process. */
class OwnRun implements Run {
  readonly process: ProcessIdentity
  readonly held: Held
  readonly exited: Promise<ExitRecord>
  readonly #launcher: ChildProcess
  #isOver = false

  constructor(
    identity: ProcessIdentity,
    held: Held,
    launcher: ChildProcess,
    answers: Answers,
    runFolder: string,
  ) {
    this.process = identity
    this.held = held
    this.#launcher = launcher
    this.exited = this.#watch(answers, runFolder)
  }

  async #watch(answers: Answers, runFolder: string): Promise<ExitRecord> {
    const line = await answers.next()
    const record = line === undefined ? undefined : parseExit(line)
    if (record === undefined) {
      await endAll([this.process])
      await endLeft(runFolder)
    }
    this.#isOver = true
    return record ?? readExit(runFolder) ?? unseenExit()
  }

  pids(): readonly number[] {
    return this.#isOver ? [] : treeOf(this.process.pid)
  }

  signal(name: NodeJS.Signals): boolean {
    return !this.#isOver && send(this.process, name)
  }

  async kill(): Promise<void> {
    if (this.#isOver) return
    const tree = this.pids()
    this.#launcher.stdin?.write('kill\n')
    if (await within(this.exited, killMs)) return
    // Its launcher does not answer: it is ended, which ends the app, and what descends from that one by one.
    this.#launcher.kill('SIGKILL')
    await endTree(tree)
    await this.exited
  }

  release(): void {
    this.#launcher.stdin?.destroy()
    this.#launcher.stdout?.destroy()
    this.#launcher.unref()
  }
}

/** A run whose launcher was started by an earlier supervisor: told by signals, its end read from its file. */
class FoundRun implements Run {
  readonly process: ProcessIdentity
  readonly held = undefined
  readonly exited: Promise<ExitRecord>
  readonly #launcher: ProcessIdentity
  readonly #watch: Watch
  readonly #letGo: () => void
  #isOver = false

  constructor(identity: ProcessIdentity, launcher: ProcessIdentity, runFolder: string) {
    this.process = identity
    this.#launcher = launcher
    this.#watch = watchProcess(launcher)
    const letGo = holdOrders(runFolder)
    this.#letGo = letGo
    this.exited = this.#watch.gone.then(async () => {
      const record = readExit(runFolder)
      if (record === undefined) {
        await endAll([identity])
        await endLeft(runFolder)
      }
      letGo()
      this.#isOver = true
      return record ?? unseenExit()
    })
  }

  pids(): readonly number[] {
    return this.#isOver || !stillRuns(this.process) ? [] : treeOf(this.process.pid)
  }

  signal(name: NodeJS.Signals): boolean {
    return !this.#isOver && send(this.process, name)
  }

  async kill(): Promise<void> {
    if (this.#isOver) return
    const tree = this.pids()
    send(this.#launcher, 'SIGUSR1')
    if (await within(this.exited, killMs)) return
    send(this.#launcher, 'SIGKILL')
    await endTree(tree)
    await this.exited
  }

  release(): void {
    this.#watch.close()
    this.#letGo()
  }
}
