/** Server-sent events: everything that happens, to every page that is open. A page that does not read is let go and comes again. */
import type { ServerResponse } from 'node:http'
import { hostError } from '../error.js'
import type { Feed } from './feed.js'
import { head } from './reply.js'

/** Pages that may be open at a time. */
export const streamsMax = 16
/** Bytes that may wait for a page that does not read. */
const waitingBytesMax = 4 * 1024 * 1024
const beatMs = 10_000
/** Samples of the small charts that a page begins with: a minute. */
const sparkCount = 60

/** The open pages of a dashboard. */
export class Streams {
  readonly #feed: Feed
  readonly #open = new Set<ServerResponse>()
  readonly #beat: NodeJS.Timeout

  constructor(feed: Feed) {
    this.#feed = feed
    feed.on('status', (status) => this.#say('status', status))
    feed.on('event', (event) => this.#say('event', event))
    feed.on('link', (link) => this.#say('link', link))
    this.#beat = setInterval(() => this.#write(': beat\n\n'), beatMs)
    this.#beat.unref()
  }

  /** Opens a stream; throws `HOST_BUSY` when there are too many. */
  open(response: ServerResponse, facts: object): void {
    if (this.#open.size >= streamsMax) {
      const message = `${streamsMax} pages of this dashboard are open; close one`
      throw hostError('HOST_BUSY', message, { limit: streamsMax })
    }
    head(response, 200, 'text/event-stream; charset=utf-8')
    response.on('close', () => {
      this.#open.delete(response)
      this.#feed.setSeen(this.#open.size > 0)
    })
    this.#open.add(response)
    this.#feed.setSeen(true)
    const { status, events, link } = this.#feed
    const hello = { ...facts, events, link, sparks: this.#sparks() }
    response.write(textOf('hello', hello))
    if (status !== null) response.write(textOf('status', status))
  }

  /** Ends all of them. */
  stop(): void {
    clearInterval(this.#beat)
    for (const response of this.#open) response.end()
  }

  /** The last minute of every app: memory and CPU. */
  #sparks(): Record<string, { memory: (number | null)[]; cpu: (number | null)[] }> {
    const apps = this.#feed.status?.apps ?? []
    return Object.fromEntries(
      apps.map(({ uuid }) => {
        const { columns, coarse } = this.#feed.history(uuid)
        const last = (name: string) => coarse[columns.indexOf(name) + 1]?.slice(-sparkCount) ?? []
        return [uuid, { memory: last('memory'), cpu: last('cpu') }]
      }),
    )
  }

  /** Serialised once, however many listen. */
  #say(name: string, value: unknown): void {
    if (this.#open.size > 0) this.#write(textOf(name, value))
  }

  #write(text: string): void {
    for (const response of this.#open) {
      if (response.writableLength > waitingBytesMax) response.destroy()
      else response.write(text)
    }
  }
}

function textOf(name: string, value: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`
}
