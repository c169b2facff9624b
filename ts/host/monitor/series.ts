/**
 * A bounded series of numbers over time: one ring of columns, oldest out first. Adding never allocates, so that
 * a host of a hundred apps is watched for months in the memory that it took in its first minutes.
 */

/** Columns of numbers by time. Unknown values are NaN. */
export class Series {
  /** Names of the columns after the time. */
  readonly columns: readonly string[]
  /** Samples that it holds at most. */
  readonly capacity: number
  readonly #values: Float64Array
  #next = 0
  #length = 0

  constructor(columns: readonly string[], capacity: number) {
    this.columns = columns
    this.capacity = capacity
    this.#values = new Float64Array(capacity * (columns.length + 1))
  }

  /** Samples that are there. */
  get length(): number {
    return this.#length
  }

  /** The time of the latest sample; -Infinity when there is none. */
  get latestAt(): number {
    return this.#length === 0 ? Number.NEGATIVE_INFINITY : this.#at(this.#length - 1, 0)
  }

  /** Adds a sample. One that is not later than the latest is left out: a clock that was set back makes no loops in a chart. */
  add(at: number, values: readonly number[]): boolean {
    if (at <= this.latestAt) return false
    const width = this.columns.length + 1
    const offset = this.#next * width
    this.#values[offset] = at
    for (let column = 1; column < width; column += 1) {
      this.#values[offset + column] = values[column - 1] ?? Number.NaN
    }
    this.#next = (this.#next + 1) % this.capacity
    this.#length = Math.min(this.#length + 1, this.capacity)
    return true
  }

  /** All samples from `from` on as columns, times first; unknown values are null, as JSON has them. */
  read(from = Number.NEGATIVE_INFINITY): (number | null)[][] {
    const width = this.columns.length + 1
    const result: (number | null)[][] = Array.from({ length: width }, () => [])
    for (let index = 0; index < this.#length; index += 1) {
      if (this.#at(index, 0) < from) continue
      for (let column = 0; column < width; column += 1) {
        const value = this.#at(index, column)
        result[column]?.push(Number.isNaN(value) ? null : value)
      }
    }
    return result
  }

  /** The largest value of a column; NaN when nothing is known. */
  max(column: string): number {
    const place = this.columns.indexOf(column) + 1
    let largest = Number.NaN
    for (let index = 0; index < this.#length; index += 1) {
      const value = this.#at(index, place)
      if (!(value <= largest) && !Number.isNaN(value)) largest = value
    }
    return largest
  }

  #at(index: number, column: number): number {
    const first = this.#next - this.#length + this.capacity
    const row = (first + index) % this.capacity
    return this.#values[row * (this.columns.length + 1) + column] as number
  }
}
