/** Keeps `supervisor.json`: after a change, soon; never two writes at once, and none for each of many changes. */
import { open, rename } from 'node:fs/promises'
import path from 'node:path'
import type { HostPlace } from '../place.js'
import type { SupervisorRecord } from './records.js'
import type { Seat } from './seat.js'

/** Milliseconds that a change waits for others. */
const gatherMs = 20

/** The record of a supervisor. */
export class Memory {
  readonly #path: string
  readonly #record: SupervisorRecord
  readonly #seats: readonly Seat[]
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #written = ''

  constructor(place: HostPlace, record: SupervisorRecord, seats: readonly Seat[]) {
    this.#path = place.file('supervisor.json')
    this.#record = record
    this.#seats = seats
  }

  /** Something changed. */
  changed(): void {
    this.#timer ??= setTimeout(() => void this.keep().catch(() => {}), gatherMs)
  }

  /** Keeps everything as it is now; durable when this resolves. */
  keep(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write())
    return this.#writing
  }

  /** Keeps what is not kept yet, and nothing after that. */
  async end(): Promise<void> {
    if (this.#timer !== undefined) await this.keep()
    await this.#writing
  }

  async #write(): Promise<void> {
    for (const seat of this.#seats) this.#record.apps[seat.uuid] = seat.memory()
    const text = `${JSON.stringify(this.#record)}\n`
    if (text === this.#written) return
    const next = `${this.#path}.tmp`
    const file = await open(next, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(next, this.#path)
    const folder = await open(path.dirname(this.#path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
    this.#written = text
  }
}
