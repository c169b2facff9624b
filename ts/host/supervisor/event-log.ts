/**
 * What happened, one JSON line each, in two generations of bounded length. The number of an event goes up by one and
 * outlives the supervisor: the next one reads the last line and goes on. A line that a power cut tore is left out.
 */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import type { HostPlace } from '../place.js'
import type { HostEvent } from './status.js'

/** Bytes of one generation. */
const generationBytesMax = 4 * 1024 * 1024
/** Events that one answer holds. */
export const eventsMax = 1000
/** Characters that a sentence may have; what an app says may be long. */
const textMax = 2000

/** The events of a store. */
export class EventLog {
  readonly #path: string
  readonly #before: string
  #file: number
  #bytes: number
  #seq: number
  /** The last line was not written wholly. */
  #isTorn: boolean
  readonly #latest: HostEvent[] = []
  readonly #listeners = new Set<(event: HostEvent) => void>()

  constructor(place: HostPlace) {
    this.#path = place.file('events.jsonl')
    this.#before = place.file('events.1.jsonl')
    this.#latest = [...eventsOf(this.#before), ...eventsOf(this.#path)].slice(-eventsMax)
    this.#seq = this.#latest.at(-1)?.seq ?? 0
    this.#file = openSync(this.#path, 'a', 0o600)
    this.#bytes = statSync(this.#path).size
    // A torn line would swallow the one behind it.
    this.#isTorn = this.#bytes > 0
  }

  /** Number of the last event; 0 before the first. */
  get seq(): number {
    return this.#seq
  }

  /** Keeps an event and tells it to all who follow. */
  say(
    type: HostEvent['type'],
    what: {
      readonly uuid?: string | null
      readonly instance?: string | null
      readonly text: string
      readonly facts?: Readonly<Record<string, unknown>>
    },
  ): HostEvent {
    this.#seq += 1
    const event: HostEvent = {
      seq: this.#seq,
      at: Date.now(),
      uuid: what.uuid ?? null,
      instance: what.instance ?? null,
      type,
      text: what.text.slice(0, textMax),
      facts: what.facts ?? {},
    }
    this.#append(`${JSON.stringify(event)}\n`)
    this.#latest.push(event)
    if (this.#latest.length > eventsMax) this.#latest.shift()
    for (const listener of this.#listeners) listener(event)
    return event
  }

  /** Events from a number on, oldest first; the latest where none is given. */
  list({
    from,
    limit = 100,
  }: {
    readonly from?: number
    readonly limit?: number
  } = {}): HostEvent[] {
    const count = Math.min(limit, eventsMax)
    if (from === undefined) return this.#latest.slice(-count)
    const isKept = (this.#latest[0]?.seq ?? 0) <= from
    const events = isKept ? this.#latest : [...eventsOf(this.#before), ...eventsOf(this.#path)]
    return events.filter(({ seq }) => seq >= from).slice(0, count)
  }

  /** Hears every event from now on. Gives the function that ends it. */
  listen(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#file)
  }

  /** A full disk costs the line on it, not the supervisor: who listens has heard of the event. */
  #append(text: string): void {
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text)
    try {
      if (this.#bytes + bytes.length > generationBytesMax) this.#turn()
      this.#isTorn = true
      const written = writeSync(this.#file, bytes)
      this.#bytes += written
      this.#isTorn = written < bytes.length
    } catch {
      // The next line is tried again, on a line of its own.
    }
  }

  #turn(): void {
    const next = openSync(`${this.#path}.next`, 'a', 0o600)
    renameSync(this.#path, this.#before)
    renameSync(`${this.#path}.next`, this.#path)
    closeSync(this.#file)
    this.#file = next
    this.#bytes = 0
  }
}

function eventsOf(file: string): HostEvent[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as HostEvent]
      } catch {
        return []
      }
    })
}
