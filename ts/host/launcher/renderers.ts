/**
 * The memory of a page: its renderers, each held to the app's limit.
 *
 * A renderer reserves far more than it holds, so what is limited is its data segment: what it has now, less what of
 * it is held, plus the limit. A new site may get a new renderer: they are looked for again and again.
 *
 * The browser keeps its renderers in a user namespace, where even root may not change their limits from outside;
 * their own user may. So the change is made by a small program that runs as that user.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { identityOf, type ProcessIdentity, stillRuns } from './identity.js'

/** Milliseconds between two looks. */
const lookMs = 250

/** A renderer that is held. */
interface HeldRenderer {
  readonly process: ProcessIdentity
  readonly limitBytes: number
  lastBytes: number
}

/** Holds the renderers of one browser. */
export class Renderers {
  readonly #pids: () => readonly number[]
  readonly #maxBytes: number | undefined
  readonly #user: { readonly uid: number; readonly gid: number } | undefined
  /** By number and start: numbers are used again. */
  readonly #held = new Map<string, HeldRenderer>()
  readonly #refused = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(
    pids: () => readonly number[],
    maxBytes: number | undefined,
    user: { readonly uid: number; readonly gid: number } | undefined,
  ) {
    this.#pids = pids
    this.#maxBytes = maxBytes
    this.#user = user
  }

  /** Begins to look. */
  async start(): Promise<void> {
    if (this.#maxBytes === undefined) return
    await this.look()
    this.#timer = setInterval(() => void this.look(), lookMs)
    this.#timer.unref()
  }

  /** Looks for renderers that are new. */
  async look(): Promise<void> {
    const maxBytes = this.#maxBytes
    if (maxBytes === undefined) return
    for (const pid of this.#pids()) {
      const process = identityOf(pid)
      const memory = memoryOf(pid)
      if (process === undefined || memory === undefined) continue
      const key = `${pid} ${process.startTime}`
      const held = this.#held.get(key)
      if (held !== undefined) {
        held.lastBytes = memory.data
        continue
      }
      if (this.#refused.has(key) || !isRenderer(pid)) continue
      const limitBytes = memory.data - memory.anonymous + maxBytes
      if (await setDataLimit(pid, limitBytes, this.#user))
        this.#held.set(key, { process, limitBytes, lastBytes: memory.data })
      else if (stillRuns(process)) this.#refused.add(key)
    }
  }

  /** Ends. */
  stop(): void {
    clearInterval(this.#timer)
  }

  /** True when a renderer that is gone was at its limit when it was last seen. */
  wasAtLimit(): boolean {
    return [...this.#held.values()].some(
      ({ process, limitBytes, lastBytes }) => !stillRuns(process) && lastBytes >= limitBytes * 0.9,
    )
  }

  /** Renderers that are held, and those whose limit could not be set. */
  get counts(): { readonly held: number; readonly refused: number } {
    return { held: this.#held.size, refused: this.#refused.size }
  }
}

function isRenderer(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--type=renderer')
  } catch {
    return false
  }
}

function memoryOf(pid: number): { readonly data: number; readonly anonymous: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const data = /^VmData:\s+(\d+)/m.exec(status)?.[1]
    const anonymous = /^RssAnon:\s+(\d+)/m.exec(status)?.[1]
    if (data === undefined || anonymous === undefined) return undefined
    return { data: Number(data) * 1024, anonymous: Number(anonymous) * 1024 }
  } catch {
    return undefined
  }
}

function setDataLimit(
  pid: number,
  bytes: number,
  user: { readonly uid: number; readonly gid: number } | undefined,
): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(
      'prlimit',
      ['--pid', String(pid), `--data=${bytes}:${bytes}`],
      { ...user, timeout: 5000 },
      (error) => resolve(error === null),
    )
  })
}
