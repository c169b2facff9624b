/**
 * Turns: no instance is heard twice while another waits. What comes singly is handled at once; what comes in a flood
 * waits in line behind its own kind, and what does not fit into the line is dropped and counted.
 */
import { messageBytesMax } from './limits.js'

/** Messages of one instance that are handled in a row. */
const turnMessages = 64
/** Messages of one instance that may wait. */
const lineMessagesMax = 4096
const lineBytesMax = 16 * messageBytesMax

/** What is done with messages. */
export interface FairEnds<Message> {
  handle(from: string, message: Message): void
  /** So many messages of this instance were dropped since the last call; at most once a second for each. */
  onFlood(from: string, dropped: number): void
}

interface Line<Message> {
  waiting: { readonly message: Message; readonly bytes: number }[]
  bytes: number
  /** Messages that it may have handled before the next turn. */
  budget: number
  dropped: number
  toldAt: number
}

/** One line for each instance, one message of each in turn. */
export class FairQueue<Message> {
  readonly #ends: FairEnds<Message>
  readonly #lines = new Map<string, Line<Message>>()
  #isTurning = false

  constructor(ends: FairEnds<Message>) {
    this.#ends = ends
  }

  /** Takes a message. `keep` is called when it has to outlive this call. */
  push(from: string, bytes: number, message: Message, keep: (message: Message) => Message): void {
    let line = this.#lines.get(from)
    if (line === undefined) {
      line = { waiting: [], bytes: 0, budget: turnMessages, dropped: 0, toldAt: 0 }
      this.#lines.set(from, line)
    }
    this.#turnSoon()
    if (line.waiting.length === 0 && line.budget > 0) {
      line.budget -= 1
      this.#ends.handle(from, message)
    } else if (line.waiting.length < lineMessagesMax && line.bytes + bytes <= lineBytesMax) {
      line.waiting.push({ message: keep(message), bytes })
      line.bytes += bytes
    } else {
      line.dropped += 1
      this.#tell(from, line)
    }
  }

  /** Forgets what waits of an instance. */
  drop(from: string): void {
    this.#lines.delete(from)
  }

  #turnSoon(): void {
    if (this.#isTurning) return
    this.#isTurning = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#isTurning = false
    for (const [from, line] of [...this.#lines]) {
      line.budget = turnMessages
      const now = line.waiting.splice(0, turnMessages)
      for (const { message, bytes } of now) {
        line.bytes -= bytes
        line.budget -= 1
        this.#ends.handle(from, message)
      }
      if (line.waiting.length > 0) this.#turnSoon()
      else if (line.dropped > 0) this.#tell(from, line)
      else this.#lines.delete(from)
    }
  }

  #tell(from: string, line: Line<Message>): void {
    const now = performance.now()
    if (line.toldAt !== 0 && now - line.toldAt < 1000) return
    line.toldAt = now
    const { dropped } = line
    line.dropped = 0
    this.#ends.onFlood(from, dropped)
  }
}
