/** A `replay` command in a process group of its own, to be killed in part or as a whole. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The command, as it is installed. */
export const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** The bundled data. */
export const salesFile = fileURLToPath(new URL('../../examples/data/sales.csv.gz', import.meta.url))

/** The end of a run. */
export interface RunEnd {
  /** Exit code; `null` when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
}

/** One run. */
export class ReplayRun {
  readonly root: string
  /** Resolves when the coordinator is gone; its terminal processes may live a moment longer. */
  readonly end: Promise<RunEnd>
  readonly #child: ChildProcess
  #hasEnded = false

  /** Starts the command on `root`, whose folder also takes the acknowledgements and the messages. */
  constructor(root: string, args: readonly string[]) {
    this.root = root
    const messages = openSync(path.join(root, 'messages.log'), 'a')
    const common = ['replay', salesFile, '--root', root, '--ack-log', ackLogOf(root), '--json']
    this.#child = spawn(process.execPath, [command, ...common, ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', messages],
    })
    closeSync(messages)
    let stdout = ''
    this.#child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    this.end = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code) => {
        this.#hasEnded = true
        resolve({ code, stdout })
      })
    })
  }

  /** The coordinator is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Kills every process of the run at once. False when it has ended already. */
  killAll(): boolean {
    return this.#kill((pid) => process.kill(-pid, 'SIGKILL'))
  }

  /** Kills the coordinator and leaves its terminal processes behind. */
  killCoordinator(): boolean {
    return this.#kill((pid) => process.kill(pid, 'SIGKILL'))
  }

  /** Kills the process of one terminal. False when it has none at this moment. */
  killTerminal(terminal: string): boolean {
    return this.#kill((pid) => {
      const owner = ownerPid(this.root, terminal)
      // The owner record is information, not a handle: only a child of this run is killed.
      if (owner === undefined || parentOf(owner) !== pid) throw new Error('not ours')
      process.kill(owner, 'SIGKILL')
    })
  }

  #kill(kill: (pid: number) => void): boolean {
    const { pid } = this.#child
    if (pid === undefined || this.#hasEnded) return false
    try {
      kill(pid)
      return true
    } catch {
      return false
    }
  }
}

/** The file of acknowledgements of a root. */
export function ackLogOf(root: string): string {
  return path.join(root, 'acknowledged.log')
}

/** Its size now. */
export function ackLogSize(root: string): number {
  return statSync(ackLogOf(root), { throwIfNoEntry: false })?.size ?? 0
}

/** The terminals of a root that have a folder. */
export function terminalsOf(root: string): string[] {
  try {
    return readdirSync(path.join(root, 'terminals')).sort()
  } catch {
    return []
  }
}

/** The process that the owner record of a terminal names. */
export function ownerPid(root: string, terminal: string): number | undefined {
  try {
    const file = path.join(root, 'terminals', terminal, 'terminal.owner.json')
    const { pid } = JSON.parse(readFileSync(file, 'utf8'))
    return typeof pid === 'number' ? pid : undefined
  } catch {
    return undefined
  }
}

/** The parent of a process. */
export function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}
