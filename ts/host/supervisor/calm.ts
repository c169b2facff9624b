/**
 * What changes to and fro, told calmly: so many changes in a second at once; of more, what is true then is told when there is room.
 * So the last is always told in the end.
 */

/** Changes in a second. */
export const changesMax = 2
const secondMs = 1000

/** Passes changes on. */
export class Calm<T> {
  readonly #tell: (change: T) => void
  /** When the last ones were told, oldest first. */
  readonly #told: number[] = []
  #held: { readonly change: T } | undefined

  constructor(tell: (change: T) => void) {
    this.#tell = tell
  }

  /** Something changed. */
  change(change: T): void {
    if (this.#held !== undefined) {
      this.#held = { change }
      return
    }
    const waitMs = this.#waitMs()
    if (waitMs <= 0) {
      this.#pass(change)
      return
    }
    this.#held = { change }
    setTimeout(() => this.#release(), waitMs).unref()
  }

  #release(): void {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) this.#pass(held.change)
  }

  #pass(change: T): void {
    this.#told.push(performance.now())
    if (this.#told.length > changesMax) this.#told.shift()
    this.#tell(change)
  }

  #waitMs(): number {
    const [oldest = 0] = this.#told
    return this.#told.length < changesMax ? 0 : oldest + secondMs - performance.now()
  }
}
