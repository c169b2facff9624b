/**
 * One run of the program `pos-kernel-launch`: the order on its standard input, its answers on its standard output.
 * Launchers of all kinds of apps start their processes through this and differ in what they order.
 *
 * ```text
 * startRun(order) ── order ──► pos-kernel-launch ──► app
 *                 ◄── { pid, startTime, bootId, held } or { error }
 *                 ◄── the record of the end
 * findRun(identity, folder): a run of an earlier supervisor; its end is in `exit.json` once its launcher is gone
 * ```
 *
 * The launcher is detached: it goes on when this process ends, and nobody needs to have read its answers.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { hostError } from '../error.js'
import { type ExitRecord, parseExit, readExit, unseenExit } from './exit.js'
import { identityOf, type ProcessIdentity, parentOf, stillRuns, treeOf } from './identity.js'
import type { Confinement, Held } from './launcher.js'
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
  readonly instanceFolder: string
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
/** Variable in the environment of everything that descends from an app: the folder of its instance. */
const markName = 'POS_KERNEL_INSTANCE_FOLDER'

/** Starts an app. Rejects with `HOST_LAUNCH`, and then nothing of it runs. */
export async function startRun(uuid: string, order: RunOrder): Promise<Run> {
  const child = spawn(launcherProgram(), [], {
    detached: true,
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', () => resolve())
  })
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
  gone.then(() => answers.end())
  child.stdin?.write(`${JSON.stringify(wire(order))}\n`)

  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, answerMs, undefined)
  })
  const line = await Promise.race([answers.next(), late, failed]).finally(() => clearTimeout(timer))
  const answer = line === undefined ? undefined : parseAnswer(line)
  if (answer === undefined || 'error' in answer) {
    // Whatever it is doing: it takes its app along.
    child.kill('SIGKILL')
    const { step, errno, message } = answer?.error ?? {
      step: 'launcher',
      errno: null,
      message: `the launcher said ${line === undefined ? 'nothing' : line}`,
    }
    throw launchError(uuid, step, errno, message)
  }
  const { pid, startTime, bootId, held } = answer
  return new OwnRun({ pid, startTime, bootId }, held, child, answers, order.instanceFolder)
}

/** Finds a run that an earlier supervisor started; undefined when it is gone or is another process by now. */
export function findRun(identity: ProcessIdentity, instanceFolder: string): Run | undefined {
  if (!stillRuns(identity)) return undefined
  const parent = parentOf(identity.pid)
  const launcher = parent === undefined ? undefined : identityOf(parent)
  // An app dies with its launcher, so its parent is its launcher for as long as it runs.
  if (launcher === undefined || !isLauncher(launcher.pid) || !stillRuns(identity)) return undefined
  return new FoundRun(identity, launcher, instanceFolder)
}

/** True for the program that launches: an app whose launcher died is another one's child for the moment that it has left. */
function isLauncher(pid: number): boolean {
  try {
    // The system keeps 15 characters of a name.
    return (
      readFileSync(`/proc/${pid}/comm`, 'latin1').trim() ===
      path.basename(launcherProgram()).slice(0, 15)
    )
  } catch {
    return false
  }
}

/** The confinement in the words of the program: whole numbers. */
function wire(order: RunOrder): unknown {
  const { confinement, mayGainPrivileges, env, ...rest } = order
  const { cpuPercent, reach, ...limits } = confinement
  return {
    ...rest,
    env: { ...env, [markName]: order.instanceFolder },
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
    instanceFolder: string,
  ) {
    this.process = identity
    this.held = held
    this.#launcher = launcher
    this.exited = this.#watch(answers, instanceFolder)
  }

  async #watch(answers: Answers, instanceFolder: string): Promise<ExitRecord> {
    const line = await answers.next()
    const record = line === undefined ? undefined : parseExit(line)
    if (record === undefined) await endOrphans(this.process, instanceFolder)
    this.#isOver = true
    return record ?? readExit(instanceFolder) ?? unseenExit()
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
  #isOver = false

  constructor(identity: ProcessIdentity, launcher: ProcessIdentity, instanceFolder: string) {
    this.process = identity
    this.#launcher = launcher
    this.#watch = watchProcess(launcher)
    this.exited = this.#watch.gone.then(async () => {
      const record = readExit(instanceFolder)
      if (record === undefined) await endOrphans(identity, instanceFolder)
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
  }
}

/** Sends a signal to this very process; false when it is gone. */
function send(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!stillRuns(identity)) return false
  try {
    return process.kill(identity.pid, name)
  } catch {
    return false
  }
}

/** Ends a process whose launcher is gone, and waits until it is. */
async function end(identity: ProcessIdentity): Promise<void> {
  while (stillRuns(identity)) {
    send(identity, 'SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/**
 * Ends what a launcher that was killed left behind: its app dies with it, but not what descends from the app, which
 * nobody is the parent of any more. It is known by its environment; where there is a control group, the governor
 * ends also what changed that.
 */
async function endOrphans(app: ProcessIdentity, instanceFolder: string): Promise<void> {
  await end(app)
  const mark = `${markName}=${instanceFolder}`
  for (;;) {
    const left = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isMarked(name, mark))
    if (left.length === 0) return
    await endTree(left.map(Number))
  }
}

function isMarked(pid: string, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)
  } catch {
    return false
  }
}

function endTree(pids: readonly number[]): Promise<void> {
  return endAll(pids.map(identityOf).filter((found) => found !== undefined))
}

/** Ends these very processes, those that are left. */
export async function endAll(identities: readonly ProcessIdentity[]): Promise<void> {
  await Promise.all(identities.map(end))
}

/** True when it settled in time. */
async function within(settling: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  const done = settling.then(() => true)
  return Promise.race([done, late]).finally(() => clearTimeout(timer))
}
