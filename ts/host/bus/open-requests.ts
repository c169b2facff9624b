/**
 * What a process has asked and is not answered yet. One timer stands for all deadlines: it is set for the earliest, and
 * looks again when it is due.
 */
import { hostError } from '../error.js'

/** A request. */
export interface OpenRequest {
  /** Who or what was asked, for people. */
  readonly method: string
  resolve(payload: Buffer): void
  reject(error: Error): void
  /** Milliseconds to wait. */
  readonly timeoutMs: number
  /** Gives it up. */
  readonly signal: AbortSignal | undefined
}

interface Waiting extends OpenRequest {
  readonly due: number
  readonly onAbort: (() => void) | undefined
}

/** The open requests of a process. */
export class OpenRequests {
  readonly #waiting = new Map<number, Waiting>()
  readonly #onGivenUp: (id: number) => void
  #lastId = 0
  #timer: NodeJS.Timeout | undefined
  #timerDue = Number.POSITIVE_INFINITY

  /** `onGivenUp` is told of a request that nobody waits for any more. */
  constructor(onGivenUp: (id: number) => void) {
    this.#onGivenUp = onGivenUp
  }

  /** Waits for the answer to a request; gives its number. */
  add(request: OpenRequest): number {
    const id = this.#nextId()
    const { method, signal, timeoutMs } = request
    const onAbort = signal && (() => this.#giveUp(id, cancelled(method)))
    if (onAbort !== undefined) signal?.addEventListener('abort', onAbort, { once: true })
    const due = performance.now() + timeoutMs
    this.#waiting.set(id, { ...request, due, onAbort })
    if (due < this.#timerDue) this.#setTimer(due)
    return id
  }

  /** The request that is answered now, and is open no longer; undefined when it was given up. */
  settled(id: number): OpenRequest | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return undefined
    this.#waiting.delete(id)
    const { signal, onAbort } = waiting
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    return waiting
  }

  /** Nobody will answer any more. */
  rejectAll(errorOf: (method: string) => Error): void {
    clearTimeout(this.#timer)
    this.#timerDue = Number.POSITIVE_INFINITY
    for (const id of [...this.#waiting.keys()]) {
      const request = this.settled(id)
      request?.reject(errorOf(request.method))
    }
  }

  #giveUp(id: number, error: Error): void {
    const request = this.settled(id)
    if (request === undefined) return
    this.#onGivenUp(id)
    request.reject(error)
  }

  #setTimer(due: number): void {
    clearTimeout(this.#timer)
    this.#timerDue = due
    this.#timer = setTimeout(() => this.#sweep(), Math.max(0, due - performance.now()) + 1)
    this.#timer.unref()
  }

  #sweep(): void {
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    this.#timerDue = next
    for (const [id, { method, due, timeoutMs }] of this.#waiting) {
      if (due > now) {
        next = Math.min(next, due)
        continue
      }
      const message = `${method} did not answer within ${Math.round(timeoutMs)} ms`
      this.#giveUp(id, hostError('HOST_TIMED_OUT', message, { method, timeoutMs }))
    }
    if (next < this.#timerDue) this.#setTimer(next)
  }

  #nextId(): number {
    do {
      this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1
    } while (this.#waiting.has(this.#lastId))
    return this.#lastId
  }
}

/** The error of a request that its caller has given up. */
export function cancelled(method: string): Error {
  return hostError('HOST_CANCELLED', `${method} was given up`, { method })
}
