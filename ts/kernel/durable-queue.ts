/**
 * Calls that wait for the device, in the order of their records.
 *
 * ```text
 * call -> native: appended, seq 7, wait ----.            keeper thread
 * call -> native: appended, seq 8, wait -----+-> flush() ----> write, one device flush
 * (end of this burst of calls) --------------'                        |
 * promises of 7 and 8 resolve <----------- onDurable(8) <-------------'
 * ```
 * Invariant: a promise resolves only once its sequence is durable, and every promise settles. One
 * flush is asked for a burst, whatever its length, and the process stays alive while one waits.
 */
import { type FactMessage, tellFact } from './diagnostics.js'
import { type BindingLoadError, type PosError, toPosError } from './errors.js'

/** What the queue needs of a native terminal. */
export interface Flusher {
  /**
   * Asks the keeper thread for a flush and returns the newest durable sequence; `onDurable` follows
   * for the rest. With `patient` it flushes a fast device on this thread.
   */
  flush(patient: boolean): number
  /** Keeps the process alive. */
  hold(): void
  /** Lets it end. */
  release(): void
  /** Newest sequence known durable. */
  durableSequence(): number
}

/** Hears of each waiting call that fails. */
export type FailureListener = (operation: string, error: PosError | BindingLoadError) => void

interface Waiter {
  readonly sequence: number
  readonly operation: string
  readonly value: unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
  readonly trace: FactMessage | undefined
}

/** Waiters that are done are dropped from the front of the array in steps of this many. */
const DONE_MAX = 1024

/** How long promises may resolve without a turn of the event loop. */
const PATIENCE_MS = 4

export class DurableQueue {
  readonly #onFailure: FailureListener
  #flusher: Flusher | undefined
  #waiters: Waiter[] = []
  #done = 0
  #isAsked = false
  #isTurnPending = false
  #turnBegan = 0

  constructor(onFailure: FailureListener) {
    this.#onFailure = onFailure
  }

  /** Takes the terminal whose flushes are waited for. */
  attach(flusher: Flusher): void {
    this.#flusher = flusher
  }

  /** Lets go of the terminal, so that its memory can be freed. */
  detach(): void {
    this.#flusher = undefined
  }

  /** Resolves with `value` once the journal is durable up to `sequence`. */
  wait<T>(
    sequence: number,
    operation: string,
    value: T,
    trace: FactMessage | undefined,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiters.length === 0) this.#flusher?.hold()
      this.#waiters.push({ sequence, operation, value, resolve, reject, trace })
      if (this.#isAsked) return
      this.#isAsked = true
      queueMicrotask(this.#ask)
    })
  }

  /** What the native side calls: durable up to there, or never. */
  readonly onDurable = (durable: number, fault?: unknown): void => {
    if (fault === undefined || fault === null) {
      this.settle(durable)
      return
    }
    // What became durable before the failure is as good as ever.
    this.settle(this.#flusher?.durableSequence() ?? durable)
    this.fail(toPosError(fault))
  }

  /** Resolves everything up to a sequence. */
  settle(durable: number): void {
    const waiters = this.#waiters
    let done = this.#done
    for (; done < waiters.length; done += 1) {
      const waiter = waiters[done] as Waiter
      if (waiter.sequence > durable) break
      if (waiter.trace !== undefined) tellFact(waiter.trace)
      waiter.resolve(waiter.value as never)
    }
    this.#advance(done)
  }

  /** Rejects everything that still waits. */
  fail(error: PosError | BindingLoadError): void {
    const waiters = this.#waiters.slice(this.#done)
    // Emptied first: a listener may make new calls, and those are not failed by an old error.
    this.#advance(this.#waiters.length)
    for (const waiter of waiters) {
      this.#onFailure(waiter.operation, error)
      waiter.reject(error)
    }
  }

  readonly #ask = (): void => {
    this.#isAsked = false
    if (this.#flusher === undefined || this.#waiters.length === 0) return
    try {
      this.settle(this.#flusher.flush(this.#isPatient()))
    } catch (thrown) {
      this.fail(toPosError(thrown))
    }
  }

  /**
   * A fast flush on this thread saves two thread switches, but promises that resolve without a turn
   * of the event loop starve it: after some milliseconds a flush is left to `onDurable`.
   */
  #isPatient(): boolean {
    if (!this.#isTurnPending) {
      this.#isTurnPending = true
      this.#turnBegan = performance.now()
      setImmediate(this.#turn)
    }
    return performance.now() - this.#turnBegan < PATIENCE_MS
  }

  readonly #turn = (): void => {
    this.#isTurnPending = false
  }

  #advance(done: number): void {
    if (done === this.#done) return
    if (done === this.#waiters.length) {
      this.#waiters = []
      this.#done = 0
      this.#flusher?.release()
    } else if (done > DONE_MAX) {
      this.#waiters.splice(0, done)
      this.#done = 0
    } else {
      this.#done = done
    }
  }
}
