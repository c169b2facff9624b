/**
 * Refusals, told without a flood: of one peer ten in a second, then once, at the end of the second, the last of those that were left
 * out, with their number. Whoever is refused decides how often; what that costs the log, and who reads it, is decided here.
 */

/** Refusals of one peer that are told in a second. */
export const refusalsMax = 10
const secondMs = 1000

interface Second<T> {
  count: number
  last: T | undefined
}

/** Tells of refusals. */
export class Refusals<T> {
  readonly #tell: (refusal: T, leftOut: number) => void
  readonly #seconds = new Map<string, Second<T>>()

  /** @param tell - told of a refusal, and how many of the same peer before it were left out */
  constructor(tell: (refusal: T, leftOut: number) => void) {
    this.#tell = tell
  }

  /** A peer was refused. */
  add(peer: string, refusal: T): void {
    const second = this.#seconds.get(peer) ?? this.#begin(peer)
    second.count += 1
    if (second.count <= refusalsMax) this.#tell(refusal, 0)
    else second.last = refusal
  }

  #begin(peer: string): Second<T> {
    const second: Second<T> = { count: 0, last: undefined }
    this.#seconds.set(peer, second)
    setTimeout(() => {
      this.#seconds.delete(peer)
      const { count, last } = second
      if (last !== undefined) this.#tell(last, count - refusalsMax - 1)
    }, secondMs).unref()
    return second
  }
}
