/** Time and randomness as the core is given them, so that a test can own both. */
import { randomUUID } from 'node:crypto'

/** A clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls once after so many milliseconds; gives the function that calls it off. */
  after(milliseconds: number, call: () => void): () => void
  /** A name that nobody can guess. */
  uuid(): string
}

/** The machine's clock. Its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (milliseconds, call) => {
    const timer = setTimeout(call, milliseconds)
    timer.unref()
    return () => clearTimeout(timer)
  },
  uuid: () => randomUUID(),
}
