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

/** A process on the bus. It comes back by itself when the broker was restarted, and subscribes again. */
export interface Bus {
  /** The name under which others find this process. */
  readonly address: string
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
  /** Hears what is sent to this process. */
  onMessage(handler: (payload: Buffer, sender: BusSender) => void): void
  /** Answers what this process is asked. What the handler throws goes back as it is. */
  onRequest(
    handler: (
      payload: Buffer,
      sender: BusSender,
      signal: AbortSignal,
    ) => Promise<Uint8Array> | Uint8Array,
  ): void
  /** Hears that the broker went and came back. */
  onConnection(handler: (isConnected: boolean) => void): void
  /** Sends a message that outlives every crash: durable when this resolves, handled once in effect. */
  post(
    toTerminal: string,
    kind: string,
    body: unknown,
    options?: { readonly key?: string; readonly timeToLiveMs?: number },
  ): Promise<{ readonly id: string }>
  /** Leaves the bus. May be called again. */
  close(): Promise<void>
}
