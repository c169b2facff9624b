/**
 * The bus between the apps of a host: a broker in a process of its own passes frames on by their names alone. Nothing
 * here is durable but `post`, which goes through the store's inboxes.
 *
 * ```text
 * pos-clock.3      an instance
 * pos-clock        an app: its instance that serves now
 * host/agent       a part of the host
 * ```
 */

/** Who a message is from, as the broker knows it; an app cannot say it is another. */
export interface BusSender {
  /** Instance, `<uuid>.<generation>`, or a part of the host, `host/<name>`. */
  readonly instance: string
}

/** Choices of a request on the bus. */
export interface BusRequestOptions {
  /** Milliseconds to wait; 10,000 unless said. */
  readonly timeoutMs?: number
  /** Gives the request up; the receiver's `signal` ends too. */
  readonly signal?: AbortSignal
}

/** Choices of a durable message. */
export interface BusPostOptions {
  /** Names the message for its app, so that sending it again changes nothing; 1 to 64 characters. A new one unless said. */
  readonly key?: string
  /** Milliseconds after which it is worth nothing any more. */
  readonly timeToLiveMs?: number
  /** Milliseconds to try, over restarts of the broker; 30,000 unless said. */
  readonly timeoutMs?: number
}

/** A durable message. */
export interface BusPosted {
  /** Its id in the inbox. */
  readonly id: string
  /** Its key. */
  readonly key: string
}

/** What a process on the bus counted since it connected first. */
export interface BusCounts {
  /** Messages, requests and published messages that it handled. */
  readonly handled: number
  /** Those that it sent. */
  readonly sent: number
  /** Published messages that the broker did not keep for it, since it had not handled what came before. */
  readonly missed: number
}

/** A process on the bus. It comes back by itself when the broker was restarted, and subscribes again. */
export interface Bus {
  /** The name under which others find this process. */
  readonly address: string
  /** True while the broker is there. */
  readonly isConnected: boolean
  /** What it counted. */
  readonly counts: BusCounts
  /** Sends bytes to one address. Resolves when the broker has taken them and the receiver has room; see `HOST_BUSY`, `HOST_UNREACHABLE`. */
  send(to: string, payload: Uint8Array): Promise<void>
  /** Asks one address. */
  request(to: string, payload: Uint8Array, options?: BusRequestOptions): Promise<Buffer>
  /** Sends bytes to all who subscribed; serialised once. */
  publish(topic: string, payload: Uint8Array): Promise<void>
  /** Hears a topic, or with `*` at its end all that begin so. Gives the function that ends it. */
  subscribe(
    topic: string,
    onMessage: (payload: Buffer, sender: BusSender, topic: string) => void,
  ): Promise<() => Promise<void>>
  /**
   * Hears what is sent to this process. What came in the first second waits for the handler. With `from`, hears what this
   * one instance or part of the host sends, and the handler for everybody does not.
   */
  onMessage(handler: (payload: Buffer, sender: BusSender) => void, from?: string): void
  /** Answers what this process is asked; waits as above. What the handler throws goes back as it is. */
  onRequest(
    handler: (
      payload: Buffer,
      sender: BusSender,
      signal: AbortSignal,
    ) => Promise<Uint8Array> | Uint8Array,
  ): void
  /** Hears that the broker went and came back. */
  onConnection(handler: (isConnected: boolean) => void): void
  /**
   * Sends a message that outlives every crash: it stands in the inbox of a terminal, durable, when this resolves, and
   * is handled once in effect. The same `key` again is the same message, and gives the same id. Bodies arrive as
   * `letterOf` in `post.ts` reads them.
   */
  post(
    toTerminal: string,
    kind: string,
    body: unknown,
    options?: BusPostOptions,
  ): Promise<BusPosted>
  /** Leaves the bus. May be called again. */
  close(): Promise<void>
}
