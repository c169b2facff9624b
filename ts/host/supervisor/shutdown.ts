/**
 * An ordered end: what an app depends on ends after it. The intent is on the device before the first app is asked, and
 * the result when the last has ended; a supervisor that finds an intent without a result goes on with it.
 */
import type { HostPlace } from '../place.js'
import type { ShutdownResult } from './control.js'
import { readIntent, writeIntent } from './records.js'
import type { Seat } from './seat.js'

/** A shutdown. */
export class Shutdown {
  readonly #place: HostPlace
  readonly #id: string
  readonly #reason: string
  readonly #deadlineMs: number
  readonly #at = Date.now()

  constructor(options: {
    readonly place: HostPlace
    readonly id: string
    readonly reason: string
    readonly deadlineMs: number
  }) {
    this.#place = options.place
    this.#id = options.id
    this.#reason = options.reason
    this.#deadlineMs = options.deadlineMs
    writeIntent(this.#place, this.#intent())
  }

  /** The shutdown that a supervisor before this one began and did not end. */
  static pending(
    place: HostPlace,
  ): { readonly id: string; readonly reason: string; readonly deadlineMs: number } | undefined {
    const intent = readIntent(place)
    return intent === undefined || intent.result !== undefined ? undefined : intent
  }

  /** Ends everything. With `isStrict` one after the other, else each as soon as nobody needs it any more. */
  async run({
    seats,
    broker,
    isStrict,
  }: {
    readonly seats: readonly Seat[]
    readonly broker: Seat
    readonly isStrict: boolean
  }): Promise<ShutdownResult> {
    const ended: ShutdownResult['ended'][number][] = []
    const ends = new Map<string, Promise<void>>()
    const reversed = [...seats].reverse()
    await Promise.all(seats.map((seat) => seat.endSpares()))
    let before: Promise<void> = Promise.resolve()
    for (const seat of reversed) {
      const needing = reversed.filter(({ app }) => app.dependsOn.includes(seat.uuid))
      const waits = isStrict ? [before] : needing.map(({ uuid }) => ends.get(uuid))
      before = Promise.all(waits).then(async () => {
        const end = await this.#stop(seat)
        if (end !== undefined) ended.push(end)
      })
      ends.set(seat.uuid, before)
    }
    await Promise.all(ends.values())
    // The broker carries messages until the last app has ended.
    await this.#stop(broker)
    return { ended, ms: Date.now() - this.#at }
  }

  /** It is over: no supervisor takes it up again. Durable when this returns. */
  end({ ended, ms }: ShutdownResult): void {
    writeIntent(this.#place, { ...this.#intent(), result: { ended: [...ended], ms } })
  }

  async #stop(seat: Seat): Promise<ShutdownResult['ended'][number] | undefined> {
    const began = Date.now()
    const instance = seat.life.main?.instance
    const why = this.#reason
    let acknowledged = false
    seat.dispatch({ type: 'stop', why, deadlineMs: this.#deadlineMs, after: 'rest' })
    await seat.until(() => {
      if (seat.life.main?.instance === instance) acknowledged = seat.life.main?.hasDrained ?? false
      return seat.hasRuns ? undefined : true
    })
    if (instance === undefined) return undefined
    const reason = seat.life.lastEnd?.reason ?? 'unknown'
    return { uuid: seat.uuid, instance, reason, acknowledged, ms: Date.now() - began }
  }

  #intent() {
    return {
      version: 1 as const,
      id: this.#id,
      at: this.#at,
      reason: this.#reason,
      deadlineMs: this.#deadlineMs,
    }
  }
}
