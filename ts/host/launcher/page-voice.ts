/**
 * What a page says to its supervisor, said for it: the same notes and answers as a Node app's, over a connection that
 * never leaves the process. So the supervisor has one kind of app.
 */
import { Duplex } from 'node:stream'
import type { AppNotes, AppRequests } from '../supervisor/control.js'
import type { AppHealth } from '../supervisor/status.js'
import { Channel, jsonBytes, jsonOf } from '../wire/channel.js'
import type { Page } from './page.js'

/** What the page's own code may offer, and how it is asked. It drains once, whoever asks again. */
const askDrain = (why: string) =>
  `(globalThis[Symbol.for('pos-kernel.drain')] ??= (async () => {
    try {
      await globalThis.posKernel?.drain?.(${JSON.stringify(why)})
      return true
    } catch (error) {
      console.error('the page could not drain:', error)
      return false
    }
  })())`
const askShed = '(async () => Number(await globalThis.posKernel?.shed?.() ?? 0))()'
/** Answered by the event loop of the page, and by nothing else. */
const beat = '({ heap: performance.memory?.usedJSHeapSize ?? 0 })'

/** The connection of a page. */
export class PageVoice {
  /** The supervisor's end. */
  readonly supervisorEnd: Duplex
  readonly #channel: Channel
  readonly #page: Page
  readonly #heartbeatMs: number
  readonly #delays: number[] = []
  #timer: NodeJS.Timeout | undefined
  #isAsking = false

  /** @param onDrained - called when the page has drained and has to end */
  constructor(page: Page, heartbeatMs: number, onDrained: () => void) {
    const [ours, theirs] = pair()
    this.supervisorEnd = theirs
    this.#page = page
    this.#heartbeatMs = heartbeatMs
    this.#channel = new Channel(ours, {
      onRequest: async (name, payload) => {
        const argument = jsonOf(payload) as never
        if (name === 'drain') {
          const answer = await this.#drain(argument)
          onDrained()
          return jsonBytes(answer)
        }
        if (name === 'shed') return jsonBytes(await this.#shed())
        throw new Error(`a page does not know ${name}`)
      },
    })
  }

  /** It serves. */
  ready(): void {
    this.#note('ready', { restored: 'none' })
    this.#timer = setInterval(() => void this.#beat(), this.#heartbeatMs)
    this.#timer.unref()
  }

  /** The connection ends. */
  close(): void {
    clearInterval(this.#timer)
    this.#channel.close()
  }

  /** One heartbeat, where the page's loop answers; a page that hangs says nothing, as any app. */
  async #beat(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    const begun = performance.now()
    try {
      const value = (await this.#page.evaluate(beat, 3_600_000)) as { heap?: number } | undefined
      this.#delays.push(performance.now() - begun)
      if (this.#delays.length > 32) this.#delays.shift()
      const sorted = [...this.#delays].sort((a, b) => a - b)
      const health: AppHealth = {
        at: Date.now(),
        loopP50: sorted[Math.floor(sorted.length / 2)] ?? 0,
        loopP99: sorted.at(-1) ?? 0,
        heapUsed: Number(value?.heap ?? 0),
        handles: 0,
        messages: 0,
        terminal: null,
      }
      this.#note('heartbeat', health)
    } catch {
      // The page is going: its end is seen elsewhere.
    } finally {
      this.#isAsking = false
    }
  }

  async #drain(
    argument: AppRequests['drain']['argument'],
  ): Promise<AppRequests['drain']['answer']> {
    clearInterval(this.#timer)
    const saved = await this.#page.evaluate(askDrain(argument.why), argument.deadlineMs)
    return { saved: saved === true }
  }

  async #shed(): Promise<AppRequests['shed']['answer']> {
    return { freedBytes: Number(await this.#page.evaluate(askShed)) }
  }

  #note<Name extends keyof AppNotes>(name: Name, value: AppNotes[Name]): void {
    this.#channel.note(name, jsonBytes(value))
  }
}

/** Two ends: what is written to one is read from the other. */
function pair(): [Duplex, Duplex] {
  const ends: Duplex[] = []
  const make = (other: number) =>
    new Duplex({
      read() {},
      write(bytes, _encoding, done) {
        ends[other]?.push(bytes)
        done()
      },
      final(done) {
        ends[other]?.push(null)
        done()
      },
      destroy(error, done) {
        const peer = ends[other]
        if (peer !== undefined && !peer.destroyed) queueMicrotask(() => peer.destroy())
        done(error)
      },
    })
  ends.push(make(1), make(0))
  return [ends[0] as Duplex, ends[1] as Duplex]
}
