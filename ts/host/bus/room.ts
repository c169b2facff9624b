/**
 * The room that a receiver has: bytes that it may be sent before it says that it has handled some. It is what keeps
 * the broker's memory bounded, and what keeps one sender from filling it for all others.
 *
 * ```text
 * window  = room + what each sender has under way here
 * a frame is taken while   under way of its sender + its length <= room
 * ```
 * A message that leaves its sender with much under way is taken, but its sender is told so only when the receiver has
 * gone on: who waits for that goes at the receiver's pace, and who does not runs into the end of its room.
 *
 * So one sender alone may take half of the window, two a third each, and a sender that begins always finds some. A
 * receiver gives room back in the order in which it was taken, near enough: what it gives is counted to the frames
 * that came first.
 */

/** Bytes of a window: a frame of any length fits an empty one. */
export const windowBytes = 2 * 1024 * 1024
/** With more under way, a sender is told of its messages only when the receiver has gone on. */
export const crowdedBytes = 256 * 1024

interface Share {
  bytes: number
}

/** The room of one receiver. */
export class Room<Sender> {
  #left = windowBytes
  readonly #shares = new Map<Sender, Share>()
  /** Frames under way in their order, those of one sender that follow each other as one. */
  readonly #owners: Share[] = []
  readonly #counts: number[] = []
  #first = 0

  /** Takes room for a frame; false when there is none for this sender. */
  take(sender: Sender, bytes: number): boolean {
    let share = this.#shares.get(sender)
    if (share === undefined) {
      share = { bytes: 0 }
      this.#shares.set(sender, share)
    }
    if (share.bytes + bytes > this.#left) return false
    share.bytes += bytes
    this.#left -= bytes
    const last = this.#owners.length - 1
    if (last >= this.#first && this.#owners[last] === share) {
      this.#counts[last] = (this.#counts[last] as number) + bytes
    } else {
      this.#owners.push(share)
      this.#counts.push(bytes)
    }
    return true
  }

  /** True while so much of a sender is under way that it should wait. */
  isCrowded(sender: Sender): boolean {
    return (this.#shares.get(sender)?.bytes ?? 0) > crowdedBytes
  }

  /** The receiver has handled so many bytes; false when it was not sent as many. */
  give(bytes: number): boolean {
    if (this.#left + bytes > windowBytes) return false
    this.#left += bytes
    let rest = bytes
    while (rest > 0) {
      const count = this.#counts[this.#first] as number
      const share = this.#owners[this.#first] as Share
      const part = Math.min(count, rest)
      share.bytes -= part
      rest -= part
      if (part === count) this.#first += 1
      else this.#counts[this.#first] = count - part
    }
    if (this.#first > 1024 || this.#first === this.#owners.length) {
      this.#owners.splice(0, this.#first)
      this.#counts.splice(0, this.#first)
      this.#first = 0
    }
    return true
  }

  /** Forgets a sender that is gone; what it has under way still counts against the window. */
  forget(sender: Sender): void {
    this.#shares.delete(sender)
  }

  /** Bytes that the receiver has not handled yet. */
  get underWay(): number {
    return windowBytes - this.#left
  }
}
