/**
 * What the agent says over the bus. Serialised once for all who get it; in order for each. Who has no room is tried
 * again with what waits for it; who reads nothing for too long is let go.
 */
import type { Bus } from '../bus/bus.js'
import { isHostError } from '../error.js'

const retryMs = 20
/** Messages and bytes that wait for one instance. */
const waitingMessagesMax = 2000
const waitingBytesMax = 8 * 1024 * 1024

/** What becomes of messages that do not arrive. */
export interface OutgoingEnds {
  /** Nobody of this name is on the bus. */
  onGone(to: string): void
  /** It has read nothing for so long that this much waited. */
  onStuck(to: string, waiting: number): void
}

interface Waiting {
  messages: Buffer[]
  bytes: number
}

/** Sends to instances. */
export class Outgoing {
  readonly #bus: Bus
  readonly #ends: OutgoingEnds
  readonly #waiting = new Map<string, Waiting>()

  constructor(bus: Bus, ends: OutgoingEnds) {
    this.#bus = bus
    this.#ends = ends
  }

  /** Sends bytes to one instance. */
  send(to: string, bytes: Buffer): void {
    const waiting = this.#waiting.get(to)
    if (waiting === undefined) {
      this.#bus.send(to, bytes).catch((error: unknown) => this.#failed(to, bytes, error))
      return
    }
    waiting.messages.push(bytes)
    waiting.bytes += bytes.length
    if (waiting.messages.length <= waitingMessagesMax && waiting.bytes <= waitingBytesMax) return
    this.#waiting.delete(to)
    this.#ends.onStuck(to, waiting.messages.length)
  }

  /** Forgets what waits for an instance. */
  drop(to: string): void {
    this.#waiting.delete(to)
  }

  #failed(to: string, bytes: Buffer, error: unknown): void {
    if (!isHostError(error, 'HOST_BUSY')) {
      // Without a broker everybody joins again when it is back.
      if (isHostError(error, 'HOST_UNREACHABLE')) this.#ends.onGone(to)
      return
    }
    const waiting = this.#waiting.get(to)
    if (waiting !== undefined) {
      // Another that was under way at the same time failed before: both go again, this one after it.
      waiting.messages.push(bytes)
      waiting.bytes += bytes.length
      return
    }
    const first: Waiting = { messages: [bytes], bytes: bytes.length }
    this.#waiting.set(to, first)
    setTimeout(() => void this.#again(to, first), retryMs)
  }

  async #again(to: string, waiting: Waiting): Promise<void> {
    while (this.#waiting.get(to) === waiting) {
      const [bytes] = waiting.messages
      if (bytes === undefined) {
        this.#waiting.delete(to)
        return
      }
      try {
        await this.#bus.send(to, bytes)
      } catch (error) {
        if (isHostError(error, 'HOST_BUSY')) {
          setTimeout(() => void this.#again(to, waiting), retryMs)
          return
        }
        this.#waiting.delete(to)
        if (isHostError(error, 'HOST_UNREACHABLE')) this.#ends.onGone(to)
        return
      }
      waiting.messages.shift()
      waiting.bytes -= bytes.length
    }
  }
}
