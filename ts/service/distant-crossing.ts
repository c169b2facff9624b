/**
 * The crossing to a terminal of a kernel service: calls go through a link, and what they mean is the
 * service's to know. A call that may wait is posted and gives a promise; one that may not is sent
 * behind all that were posted, and the thread waits for its answer.
 */

import { type Crossing, type NativeAnswer, traceOf } from '../kernel/crossing.js'
import { isTracing, tellError, tellFact } from '../kernel/diagnostics.js'
import { type BindingLoadError, type PosError, posError, toPosError } from '../kernel/errors.js'
import type { NativeTerminal } from '../native.js'
import type { Link } from './link.js'

type Stats = ReturnType<NativeTerminal['stats']>

/** To a terminal of a kernel service. */
export class DistantCrossing implements Crossing {
  readonly id: string
  readonly #link: Link
  #isClosed = false
  #lastStats: Stats | undefined

  constructor(link: Link, id: string) {
    this.#link = link
    this.id = id
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  later<N extends NativeAnswer, T>(
    operation: string,
    sale: number | undefined,
    call: (native: NativeTerminal) => N,
    answer: (native: N) => T,
  ): Promise<T> {
    // Of a terminal elsewhere each call gives a promise of what it gives here.
    return this.away(operation, sale, call as unknown as Deferred<N>, answer)
  }

  now<N extends NativeAnswer, T>(
    operation: string,
    sale: number | undefined,
    call: (native: NativeTerminal) => N,
    answer: (native: N) => T,
  ): T {
    try {
      const native = call(this.#open().waiting)
      if (isTracing()) tellFact(traceOf(this.id, operation, sale, native))
      return answer(native)
    } catch (thrown) {
      throw this.failure(operation, thrown)
    }
  }

  async away<N extends NativeAnswer, T>(
    operation: string,
    sale: number | undefined,
    call: Deferred<N>,
    answer: (native: N) => T,
  ): Promise<T> {
    try {
      const native = await call(this.#open().posting)
      if (isTracing()) tellFact(traceOf(this.id, operation, sale, native))
      return answer(native)
    } catch (thrown) {
      throw this.failure(operation, thrown)
    }
  }

  ask<T>(operation: string, call: (native: NativeTerminal) => T): T {
    try {
      return call(this.#open().waiting)
    } catch (thrown) {
      throw this.failure(operation, thrown)
    }
  }

  async read<T>(operation: string, call: (native: NativeTerminal) => Promise<T>): Promise<T> {
    try {
      return await call(this.#open().posting)
    } catch (thrown) {
      throw this.failure(operation, thrown)
    }
  }

  /** What the terminal has done in the service. After closing, as it was then. */
  stats(): Stats {
    this.#lastStats = this.#isClosed ? this.#lastStats : this.#link.waiting.stats()
    if (this.#lastStats === undefined) throw this.#closed()
    return this.#lastStats
  }

  async close(): Promise<void> {
    if (this.#isClosed) return this.#link.close()
    const last = this.#link.posting.stats() as unknown as Promise<Stats>
    this.#isClosed = true
    // A service that is gone answers nothing any more; there is nothing to close in it either.
    this.#lastStats = await last.catch(() => undefined)
    await this.#link.close()
  }

  closeSync(): void {
    if (!this.#isClosed) {
      try {
        this.#lastStats = this.#link.waiting.stats()
      } catch {
        // As in close().
      }
    }
    this.#isClosed = true
    this.#link.closeSync()
  }

  failure(operation: string, thrown: unknown): PosError | BindingLoadError {
    const error = toPosError(thrown)
    tellError({ terminal: this.id, operation, error })
    return error
  }

  #open(): Link {
    if (this.#isClosed) throw this.#closed()
    return this.#link
  }

  #closed(): PosError {
    const message = `terminal ${this.id} is closed; connect to it again`
    return posError('PK_E_CLOSED', message, { terminal: this.id })
  }
}

type Deferred<N> = (native: NativeTerminal) => Promise<N>
