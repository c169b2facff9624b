/**
 * Messages for apps that do not run: kept for a moment while the supervisor starts the app, in bounded number, and
 * given to it when it comes, in their order; or refused. A broker that has just begun keeps them for every process
 * that it expects: after a broker's death, all come back within a moment, but not all at once.
 */
import type { Peer } from './peer.js'

/** Bytes that are kept for one app. */
export const heldBytesMax = 256 * 1024
/** Messages that are kept for one app. */
export const heldCountMax = 1024
/** Milliseconds for which they are kept while an app is started. */
export const holdMs = 10_000
/** Milliseconds after its own start in which a broker waits for those who were on the bus before. */
export const comebackMs = 2000

/** A message or a request that waits for its receiver. */
export interface Held {
  readonly sender: Peer
  readonly kind: number
  readonly id: number
  readonly payload: Buffer
}

interface Waiting {
  readonly held: Held[]
  bytes: number
  readonly timer: NodeJS.Timeout
}

/** What waits, by app. */
export class Holds {
  readonly #waiting = new Map<string, Waiting>()
  readonly #onLate: (uuid: string) => void

  /** `onLate` is called when an app did not come in time; what was kept is still there. */
  constructor(onLate: (uuid: string) => void) {
    this.#onLate = onLate
  }

  /** Keeps a message: `first` when it is the first for its app, `full` when there is no room. */
  keep(uuid: string, held: Held, ms: number): 'first' | 'kept' | 'full' {
    const waiting = this.#waiting.get(uuid)
    const bytes = held.payload.length
    if (waiting === undefined) {
      const timer = setTimeout(() => this.#onLate(uuid), ms)
      this.#waiting.set(uuid, { held: [held], bytes, timer })
      return 'first'
    }
    if (waiting.bytes + bytes > heldBytesMax || waiting.held.length >= heldCountMax) return 'full'
    waiting.held.push(held)
    waiting.bytes += bytes
    return 'kept'
  }

  /** Gives what was kept for an app, in its order, and keeps it no longer. */
  take(uuid: string): readonly Held[] {
    const waiting = this.#waiting.get(uuid)
    if (waiting === undefined) return []
    clearTimeout(waiting.timer)
    this.#waiting.delete(uuid)
    return waiting.held
  }

  /** Forgets a request that was given up. */
  cancel(sender: Peer, id: number): void {
    for (const waiting of this.#waiting.values()) {
      const index = waiting.held.findIndex((it) => it.sender === sender && it.id === id)
      if (index < 0) continue
      const [held] = waiting.held.splice(index, 1)
      waiting.bytes -= held?.payload.length ?? 0
      return
    }
  }

  /** Forgets all that waits. */
  close(): void {
    for (const uuid of [...this.#waiting.keys()]) this.take(uuid)
  }
}
