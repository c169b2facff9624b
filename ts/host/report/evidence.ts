/**
 * What a run left of its end. All of it was said by the app or by its runtime, so none of it is trusted: what has another
 * form than it should is not there, and what is too long is cut.
 *
 * ```text
 * fatal.json       an error that nobody caught, and the last messages         app/crash.ts
 * node-fatal.json  the runtime failed: no memory, or a fault of its own        Node, report on fatal error
 * report.*.json    the same, before the app had connected
 * hang.json        the event loop stood: how the thread was                    the watchdog's thread
 * node-hang.json   the JavaScript that kept it                                 crates/node/src/interrupt.rs
 * last.log         in the folder of the host: the runtime's last words, where it could write nothing else
 * ```
 */
import fs from 'node:fs/promises'
import path from 'node:path'
import type { FatalNote, TracedMessage } from '../app/crash.js'
import { lastWordsOf } from '../launcher/exit.js'
import type { RunFolders } from '../launcher/launcher.js'
import { readUntrustedJson } from '../untrusted.js'

/** Bytes of one of these files. */
const fileBytesMax = 4 * 1024 * 1024
const linesMax = 128
const textMax = 16_384

/** What Node wrote when it failed, or when it was asked. */
export interface RuntimeReport {
  /** What led to it: `OOMError`, `FatalError`, `Exception`, `API`. */
  readonly trigger: string
  /** What V8 said. */
  readonly event: string
  readonly message: string
  readonly javascriptStack: readonly string[]
  readonly nativeStack: readonly string[]
  readonly heapUsed: number | null
  readonly heapLimit: number | null
}

/** `hang.json`. */
export interface HangNote {
  /** When the watchdog knew. */
  readonly at: number
  readonly hangMs: number
  /** When the loop went on; null when it did not. */
  readonly endedAt: number | null
  /** State letter of the thread: `R` runs, `S` waits, `D` waits for a device. */
  readonly state: string | null
  /** Processor time since the last beat, in hundredths of a second. */
  readonly cpuTicks: number
  /** Where in the kernel it waits. */
  readonly waitsIn: string | null
  /** The call of the system that it is in, its arguments, stack and instruction pointer; or `running`. */
  readonly syscall: string | null
  /** Where its own code waits: a file, and the offset in it. */
  readonly frame: string | null
  readonly kernelStack: readonly string[]
}

/** All that was left. */
export interface Evidence {
  readonly fatal: FatalNote | null
  readonly runtime: RuntimeReport | null
  readonly hang: HangNote | null
  readonly hangStack: RuntimeReport | null
  /** The line with which the runtime said that it ends for want of memory; null where there is none. */
  readonly lastWords: string | null
}

/** A run that left nothing. */
export const noEvidence: Evidence = {
  fatal: null,
  runtime: null,
  hang: null,
  hangStack: null,
  lastWords: null,
}

type Json = Record<string, unknown>

/** Reads what a run left. */
export async function readEvidence({ instance, run }: RunFolders): Promise<Evidence> {
  const read = (name: string) => readUntrustedJson(path.join(instance, name), fileBytesMax)
  const [fatal, connected, hang, hangStack] = await Promise.all(
    ['fatal.json', 'node-fatal.json', 'hang.json', 'node-hang.json'].map(read),
  )
  const early = connected === undefined ? await earlyReport(instance) : undefined
  const runtime = connected ?? (early === undefined ? undefined : await read(early))
  return {
    fatal: fatal === undefined ? null : fatalOf(fatal),
    runtime: runtime === undefined ? null : runtimeOf(runtime),
    hang: hang === undefined ? null : hangOf(hang),
    hangStack: hangStack === undefined ? null : runtimeOf(hangStack),
    lastWords: lastWordsIn(lastWordsOf(run)),
  }
}

/** The last report under the name that Node gives. */
async function earlyReport(folder: string): Promise<string | undefined> {
  const names = await fs.readdir(folder).catch(() => [])
  return names
    .filter((name) => name.startsWith('report.') && name.endsWith('.json'))
    .sort()
    .at(-1)
}

/**
 * Where memory ends, V8 and the C++ library may have none left for a report: what they print before they abort is then all
 * there is, and they print these texts and no code.
 */
function lastWordsIn(text: string): string | null {
  const found =
    /^(?:FATAL ERROR: .*|# Fatal .*out of memory.*|terminate called after .*bad_alloc.*)$/gm
  return text.match(found)?.at(-1) ?? null
}

function fatalOf(json: Json): FatalNote {
  return {
    at: numberOf(json.at) ?? 0,
    kind: json.kind === 'rejection' ? 'rejection' : 'exception',
    name: textOf(json.name),
    code: textOf(json.code),
    message: textOf(json.message),
    stack: textOf(json.stack),
    isMemory: json.isMemory === true,
    messages: listOf(json.messages).map(messageOf),
  }
}

function messageOf(value: unknown): TracedMessage {
  const json = objectOf(value)
  return {
    at: numberOf(json.at) ?? 0,
    direction: json.direction === 'out' ? 'out' : 'in',
    peer: textOf(json.peer),
    what: textOf(json.what),
    bytes: numberOf(json.bytes) ?? 0,
  }
}

function runtimeOf(json: Json): RuntimeReport {
  const header = objectOf(json.header)
  const script = objectOf(json.javascriptStack)
  const heap = objectOf(json.javascriptHeap)
  return {
    trigger: textOf(header.trigger),
    event: textOf(header.event),
    message: textOf(script.message),
    javascriptStack: listOf(script.stack).map(textOf),
    nativeStack: listOf(json.nativeStack).map((value) => {
      const { pc, symbol } = objectOf(value)
      return `${textOf(pc)} ${textOf(symbol)}`.trim()
    }),
    heapUsed: numberOf(heap.usedMemory),
    heapLimit: numberOf(heap.memoryLimit),
  }
}

function hangOf(json: Json): HangNote {
  const thread = objectOf(json.thread)
  const { file, offset } = objectOf(thread.frame)
  return {
    at: numberOf(json.at) ?? 0,
    hangMs: numberOf(json.hangMs) ?? 0,
    endedAt: numberOf(json.endedAt),
    state: textOrNull(thread.state),
    cpuTicks: numberOf(thread.cpuTicks) ?? 0,
    waitsIn: textOrNull(thread.waitsIn),
    syscall: textOrNull(thread.syscall),
    frame: typeof file === 'string' ? `${textOf(file)} + ${textOf(offset)}` : null,
    kernelStack: textOf(thread.kernelStack).split('\n').filter(Boolean).slice(0, linesMax),
  }
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, linesMax) : []
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, textMax) : ''
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? textOf(value) : null
}
