/**
 * One connection of a kernel service: its requests are run on its terminal in the order in which they
 * came, and each is answered once what it did is as durable as the mode promises.
 */
import { isPosError, type PosError, posError, toPosError } from '../kernel/errors.js'
import { plain } from '../kernel/plain.js'
import type { NearTerminal } from '../kernel/terminal.js'
import type { BindingLoadError, NativeTerminal } from '../native.js'
import type { Interpreter } from '../script/interpreter.js'
import { type MethodName, methodOf } from './methods.js'
import { type Frame, kinds, saleOf } from './packet.js'

const ANSWER_NUMBERS = 18
const SEQUENCE = 9
const WAIT = 10
const REPLAYED = 11

/** Where answers go. */
export interface Answers {
  /** A value, as JSON. */
  value(desk: Desk, number: number, value: unknown): void
  /** An error, as JSON. */
  error(desk: Desk, number: number, error: PosError | BindingLoadError): void
  /** A packed receipt. */
  sold(desk: Desk, number: number, texts: string, numbers: Float64Array, count: number): void
}

/** A connection that sits at a terminal. */
export class Desk {
  /** Number of the connection. */
  readonly connection: number
  readonly #near: NearTerminal
  readonly #answers: Answers
  #interpreter: Promise<Interpreter> | undefined
  #operations = 0
  #lastOperation: Promise<void> = Promise.resolve()

  constructor(connection: number, near: NearTerminal, answers: Answers) {
    this.connection = connection
    this.#near = near
    this.#answers = answers
  }

  /** Runs a request. It is answered, whatever it is. */
  run(frame: Frame): void {
    try {
      if (frame.kind === kinds.sell) this.#sell(frame)
      else if (frame.kind === kinds.call) this.#call(frame)
      else this.#operate(frame)
    } catch (thrown) {
      this.#fail(frame.number, thrown)
    }
  }

  #call({ number, payload }: Frame): void {
    const [name, ...args] = argumentsOf(payload)
    const method = methodOf(name)
    if (method === undefined) throw notAllowed(name)
    const operation = name as MethodName
    const { crossing } = this.#near
    const call = (native: NativeTerminal) => called(native, operation, args)
    switch (method.way) {
      case 'fact':
        this.#answer(number, crossing.later(operation, undefined, call as never, same))
        break
      case 'away':
        this.#answer(number, crossing.away(operation, undefined, call as never, same))
        break
      case 'read':
        this.#answer(
          number,
          crossing.read(operation, async (native) => call(native)),
        )
        break
      case 'ask':
        this.#answers.value(this, number, crossing.ask(operation, call))
    }
  }

  #sell({ number, payload }: Frame): void {
    const lines = payload.length < 4 ? 0 : linesOf(payload)
    const packed = saleOf(payload, ANSWER_NUMBERS + lines)
    if (packed === undefined) throw badFrame('a packed sale is cut short')
    const { texts, numbers } = packed
    const call = (native: NativeTerminal) => {
      const words = native.sell(texts, numbers)
      const [seq, wait, replayed] = [numbers[SEQUENCE], numbers[WAIT], numbers[REPLAYED]]
      return { seq: seq as number, wait: wait === 1, replayed: replayed === 1, words }
    }
    const selling = this.#near.crossing.later('sell', undefined, call, ({ words }) => words)
    selling.then(
      (words) => this.#answers.sold(this, number, words, numbers, ANSWER_NUMBERS + lines),
      (thrown) => this.#fail(number, thrown),
    )
  }

  /** Operations have what was used last in common, so each waits for the one before it. */
  #operate({ number, payload }: Frame): void {
    this.#operations += 1
    const line = this.#operations
    const source = payload.toString()
    this.#lastOperation = this.#lastOperation.then(async () => {
      const { nameOf, operationOf, parseLine } = await import('../script/operation.js')
      let op: string | undefined
      try {
        const value = parseLine(source, line)
        op = nameOf(value)
        const operation = operationOf(value, line)
        const answer = await (await this.#script()).run(operation)
        this.#answers.value(this, number, { ok: true, op, ...answer })
      } catch (thrown) {
        const { code, message, facts } = toPosError(thrown)
        const said = { ok: false, ...(op !== undefined && { op }), code, message, facts }
        this.#answers.value(this, number, said)
      }
    })
  }

  #script(): Promise<Interpreter> {
    this.#interpreter ??= import('../script/interpreter.js').then(({ Interpreter }) => {
      const open = async () => this.#near.terminal
      return new Interpreter({ open, hasTestClock: false, mayReadFiles: false })
    })
    return this.#interpreter
  }

  #answer(number: number, coming: Promise<unknown>): void {
    coming.then(
      (value) => this.#answers.value(this, number, value),
      (thrown) => this.#fail(number, thrown),
    )
  }

  #fail(number: number, thrown: unknown): void {
    this.#answers.error(this, number, toPosError(thrown))
  }
}

/** An answer as JSON. The binding makes a bigint of some integers, which JSON has no form for. */
export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch {
    return JSON.stringify(plain(value))
  }
}

/** Calls a method; arguments that the binding cannot read are the client's, not a fault of ours. */
function called(native: NativeTerminal, name: MethodName, args: readonly unknown[]): unknown {
  try {
    return (native[name] as (...args: unknown[]) => unknown)(...args)
  } catch (thrown) {
    if (isPosError(thrown) || !isMisread(thrown)) throw thrown
    const message = `an argument of ${name} cannot be read: ${thrown.message}`
    throw posError('PK_E_BAD_ARGUMENT', message, { argument: name })
  }
}

function isMisread(thrown: unknown): thrown is Error {
  if (thrown instanceof TypeError) return true
  if (!(thrown instanceof Error) || !('code' in thrown)) return false
  return thrown.code === 'InvalidArg' || /Expected$/.test(String(thrown.code))
}

function argumentsOf(payload: Buffer): unknown[] {
  let value: unknown
  try {
    value = JSON.parse(payload.toString())
  } catch {
    throw badFrame('a call is not JSON')
  }
  if (!Array.isArray(value)) throw badFrame('a call is not a list of a method and its arguments')
  return value
}

/** The lines of a packed sale, as it says; the binding judges whether they are there. */
function linesOf(payload: Buffer): number {
  const at = 4 + payload.readUInt32LE(0)
  const lines = at + 8 <= payload.length ? payload.readDoubleLE(at) : 0
  return Number.isInteger(lines) && lines >= 0 && lines <= payload.length ? lines : 0
}

function badFrame(found: string): Error {
  return posError('PK_E_BAD_FRAME', `the call cannot be read: ${found}`, { found })
}

function notAllowed(name: unknown): Error {
  const method = typeof name === 'string' ? name.slice(0, 40) : typeof name
  const message = `clients of a kernel service may not call "${method}"`
  return posError('PK_E_NOT_ALLOWED', message, { method })
}

function same<T>(value: T): T {
  return value
}
