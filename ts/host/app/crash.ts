/**
 * The last words of an app. What nobody caught ends the process with code 70; before that, the error and the last messages
 * are written into the folder of the run, synchronously, since nothing later may be counted on.
 */
import fs from 'node:fs'
import path from 'node:path'
import type { AppNotes } from '../supervisor/control.js'

/** Exit code after an error that nobody caught: EX_SOFTWARE of sysexits.h. */
export const fatalExitCode = 70
/** Messages that are kept for the report. */
const messagesMax = 32
/** Characters of a stack or a message that are kept. */
const textMax = 16_384

/** One of the last messages that an app handled or sent; without its content. */
export interface TracedMessage {
  readonly at: number
  readonly direction: 'in' | 'out'
  /** Who it was from, or for whom. */
  readonly peer: string
  /** What it was: `request`, `message`, a topic. */
  readonly what: string
  readonly bytes: number
}

/** `fatal.json`: the error that ended an app. */
export interface FatalNote {
  readonly at: number
  readonly kind: AppNotes['fatal']['kind']
  readonly name: string
  /** `code` of the error; empty when it has none. */
  readonly code: string
  readonly message: string
  readonly stack: string
  /** The runtime found no memory. */
  readonly isMemory: boolean
  readonly messages: readonly TracedMessage[]
}

/** The last messages, the oldest overwritten. */
export class MessageTrace {
  readonly #messages: TracedMessage[] = []
  #count = 0

  /** Remembers one. */
  add(message: TracedMessage): void {
    this.#messages[this.#count++ % messagesMax] = message
  }

  /** The oldest first. */
  last(): TracedMessage[] {
    const start = this.#count % messagesMax
    return this.#count <= messagesMax
      ? [...this.#messages]
      : [...this.#messages.slice(start), ...this.#messages.slice(0, start)]
  }
}

/** Arms the hooks; the function it gives takes them away. */
export function watchForCrash(
  folder: string,
  trace: MessageTrace,
  tell: (note: AppNotes['fatal']) => void,
): () => void {
  const onUncaught = (error: unknown, origin: string) => {
    const note = fatalNoteOf(error, origin, trace)
    const { kind, message, stack } = note
    tell({ kind, message, stack })
    for (const write of [
      () => fs.writeFileSync(path.join(folder, 'fatal.json'), JSON.stringify(note)),
      () => fs.writeSync(2, `${kind === 'rejection' ? 'Unhandled rejection: ' : ''}${stack}\n`),
    ]) {
      try {
        write()
      } catch {
        // A full disk or a closed log: the exit code still says what happened.
      }
    }
    process.exit(fatalExitCode)
  }
  process.on('uncaughtException', onUncaught)
  return () => {
    process.off('uncaughtException', onUncaught)
  }
}

function fatalNoteOf(error: unknown, origin: string, trace: MessageTrace): FatalNote {
  const { name, code, message, stack } = readable(error)
  return {
    at: Date.now(),
    kind: origin === 'unhandledRejection' ? 'rejection' : 'exception',
    name,
    code,
    message: message.slice(0, textMax),
    stack: stack.slice(0, textMax),
    isMemory: isMemory(name, code, message),
    messages: trace.last(),
  }
}

/** V8 gives its error for a buffer that could not be had no code; only its text tells it from another `RangeError`. */
function isMemory(name: string, code: string, message: string): boolean {
  if (code === 'ERR_MEMORY_ALLOCATION_FAILED') return true
  return name === 'RangeError' && message === 'Array buffer allocation failed'
}

/** Anything may be thrown, with getters that throw again. */
function readable(error: unknown): { name: string; code: string; message: string; stack: string } {
  try {
    if (!(error instanceof Error)) {
      const text = String(error)
      return { name: typeof error, code: '', message: text, stack: `thrown: ${text}` }
    }
    const { name, message, stack } = error
    const { code } = error as { code?: unknown }
    return {
      name: String(name),
      code: typeof code === 'string' ? code : '',
      message: String(message),
      stack: typeof stack === 'string' ? stack : `${name}: ${message}`,
    }
  } catch {
    return { name: 'unknown', code: '', message: 'cannot be shown', stack: 'cannot be shown' }
  }
}
