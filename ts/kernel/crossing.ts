/**
 * The one way from a call of the public API to the native terminal and back.
 *
 * What lives here: what a crossing is, and the one to a terminal of this process: the choice between
 * waiting in a promise and waiting on the thread, the errors of both, and the end of everything when
 * the terminal is closed. What must not: any knowledge of what a call means. The other crossing, to a
 * terminal of a kernel service, is `service/distant-crossing.ts`.
 */
import type { NativeTerminal } from '../native.js'
import { type FactMessage, isTracing, tellError, tellFact } from './diagnostics.js'
import type { DurableQueue } from './durable-queue.js'
import { type BindingLoadError, type PosError, posError, toPosError } from './errors.js'

/** What every native answer to a fact carries. */
export interface NativeAnswer {
  /** Sequence of its last record. */
  readonly seq: number
  /** It is not durable yet, and the durability mode wants it to be. */
  readonly wait: boolean
  /** It is the stored answer of an earlier call. */
  readonly replayed: boolean
}

/**
 * From the public API to a terminal, wherever it is.
 *
 * `call` makes one call of the native terminal and gives what that gives. Of a terminal elsewhere
 * every call gives a promise in {@link Crossing.later}, {@link Crossing.away} and
 * {@link Crossing.read}, and its answer itself in the others, which wait on the thread.
 */
export interface Crossing {
  /** Terminal id. */
  readonly id: string
  /** {@link Crossing.close} was called. */
  readonly isClosed: boolean
  /** Makes a fact; the promise resolves when it is as durable as the mode promises. */
  later<N extends NativeAnswer, T>(
    operation: string,
    sale: number | undefined,
    call: (native: NativeTerminal) => N,
    answer: (native: N) => T,
  ): Promise<T>
  /** Makes a fact; returns when it is as durable as the mode promises. */
  now<N extends NativeAnswer, T>(
    operation: string,
    sale: number | undefined,
    call: (native: NativeTerminal) => N,
    answer: (native: N) => T,
  ): T
  /**
   * Makes a fact by a call that reads files or waits for other tills. It runs off the event loop, and
   * what it makes is durable when it answers.
   */
  away<N extends NativeAnswer, T>(
    operation: string,
    sale: number | undefined,
    call: (native: NativeTerminal) => Promise<N>,
    answer: (native: N) => T,
  ): Promise<T>
  /** Asks something that only touches memory. */
  ask<T>(operation: string, call: (native: NativeTerminal) => T): T
  /** Asks something that reads the disk. */
  read<T>(operation: string, call: (native: NativeTerminal) => Promise<T>): Promise<T>
  /** What the terminal has done so far. Answers after closing too. */
  stats(): ReturnType<NativeTerminal['stats']>
  /** Closes; calls made from now on are refused, those that wait are settled first. */
  close(): Promise<void>
  /** As {@link close}, on the calling thread. */
  closeSync(): void
  /** The error that a caller gets, told to whoever listens. */
  failure(operation: string, thrown: unknown): PosError | BindingLoadError
}

/** To a terminal of this process. */
export class NearCrossing implements Crossing {
  readonly id: string
  readonly #native: NativeTerminal
  readonly #queue: DurableQueue
  #isClosed = false

  constructor(native: NativeTerminal, queue: DurableQueue, id: string) {
    this.#native = native
    this.#queue = queue
    this.id = id
    queue.attach(native)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Makes a fact; the promise resolves when it is as durable as the mode promises. */
  later<N extends NativeAnswer, T>(
    operation: string,
    sale: number | undefined,
    call: (native: NativeTerminal) => N,
    answer: (native: N) => T,
  ): Promise<T> {
    try {
      const native = call(this.#open())
      const trace = isTracing() ? traceOf(this.id, operation, sale, native) : undefined
      if (native.wait) return this.#queue.wait(native.seq, operation, answer(native), trace)
      if (trace !== undefined) tellFact(trace)
      return Promise.resolve(answer(native))
    } catch (thrown) {
      return Promise.reject(this.failure(operation, thrown))
    }
  }

  /** Makes a fact; returns when it is as durable as the mode promises. */
  now<N extends NativeAnswer, T>(
    operation: string,
    sale: number | undefined,
    call: (native: NativeTerminal) => N,
    answer: (native: N) => T,
  ): T {
    try {
      const native = call(this.#open())
      if (native.wait) this.#native.waitSync(native.seq)
      if (isTracing()) tellFact(traceOf(this.id, operation, sale, native))
      return answer(native)
    } catch (thrown) {
      throw this.failure(operation, thrown)
    }
  }

  /**
   * Makes a fact by a call that reads files or waits for other tills. It runs off the event loop, and
   * what it makes is durable when it answers.
   */
  async away<N extends NativeAnswer, T>(
    operation: string,
    sale: number | undefined,
    call: (native: NativeTerminal) => Promise<N>,
    answer: (native: N) => T,
  ): Promise<T> {
    try {
      const native = await call(this.#open())
      if (isTracing()) tellFact(traceOf(this.id, operation, sale, native))
      return answer(native)
    } catch (thrown) {
      throw this.failure(operation, thrown)
    }
  }

  /** Asks something that only touches memory. */
  ask<T>(operation: string, call: (native: NativeTerminal) => T): T {
    try {
      return call(this.#open())
    } catch (thrown) {
      throw this.failure(operation, thrown)
    }
  }

  /** Asks something that reads the disk. */
  async read<T>(operation: string, call: (native: NativeTerminal) => Promise<T>): Promise<T> {
    try {
      return await call(this.#open())
    } catch (thrown) {
      throw this.failure(operation, thrown)
    }
  }

  /** What the terminal has done so far. Answers after closing too. */
  stats(): ReturnType<NativeTerminal['stats']> {
    return this.#native.stats()
  }

  /** Closes; calls made from now on are refused, those that wait are settled first. */
  async close(): Promise<void> {
    this.#isClosed = true
    try {
      await this.#native.close()
      this.#end(undefined)
    } catch (thrown) {
      throw this.#end(thrown)
    }
  }

  /** As {@link close}, on the calling thread. */
  closeSync(): void {
    this.#isClosed = true
    try {
      this.#native.closeSync()
      this.#end(undefined)
    } catch (thrown) {
      throw this.#end(thrown)
    }
  }

  /** The error that a caller gets, told to whoever listens. */
  failure(operation: string, thrown: unknown): PosError | BindingLoadError {
    const error = toPosError(thrown)
    tellError({ terminal: this.id, operation, error })
    return error
  }

  #end(thrown: unknown): unknown {
    // Closing has made everything durable that it could: that settles those who wait, and a close
    // that failed is the answer of the others.
    this.#queue.settle(this.#native.durableSequence())
    const error = thrown === undefined ? this.#closed() : this.failure('close', thrown)
    this.#queue.fail(error)
    this.#queue.detach()
    return error
  }

  #open(): NativeTerminal {
    if (this.#isClosed) throw this.#closed()
    return this.#native
  }

  #closed(): PosError {
    const message = `terminal ${this.id} is closed; open it again`
    return posError('PK_E_CLOSED', message, { terminal: this.id })
  }
}

/** What listeners hear of a fact. */
export function traceOf(
  terminal: string,
  operation: string,
  sale: number | undefined,
  native: NativeAnswer,
): FactMessage {
  const number = sale ?? (native as NativeAnswer & { sale?: number }).sale ?? 0
  return {
    terminal,
    operation,
    sale: number,
    sequence: native.seq,
    durable: native.wait,
    replayed: native.replayed,
  }
}
