/**
 * What the supervisor and the broker say to each other, and what a peer says to the broker first. Payloads are JSON.
 *
 * ```text
 * supervisor                                  broker
 *     |  spawns; bootstrap on file descriptor 3  |
 *     |  <--- hello {role: part, its run} ------ |   over control.sock
 *     |  ---- welcome ------------------------>  |
 *     |  ---- identities {peers, apps} ------->  |   listens on bus.sock from the first of these on
 *     |  <--- note ready ----------------------  |
 *     |  <--- note heartbeat, each second -----  |
 *     |  <--- note refused ------------------->  |   a peer that forged, flooded or spoke nonsense
 *     |  <--- start {uuid} --------------------  |   somebody writes to an app that does not run
 * ```
 * An identity has to be known before its process can come: the supervisor sends `identities` and waits for the answer
 * before it launches. Each list is the whole truth; who is not in it is cut off. A broker that outlives its supervisor may hear
 * of a run of the next one before that one tells it: a name that it does not know waits then, and is not refused.
 */

/** Version of what is said on the bus. */
export const busProtocol = 1

/** What the broker's process reads on file descriptor 3, as JSON to its end: what an app is told, as far as it needs it. */
export interface BrokerBootstrap {
  /** Said on the control socket as its `part`. */
  readonly instance: string
  /** Shown on the control socket. */
  readonly token: string
  readonly sockets: { readonly control: string; readonly bus: string }
  /** The store's folder: durable messages go into its inboxes. Without one there are none. */
  readonly root?: string
  /** Without a supervisor and without an app for so long, the broker ends. 60,000 unless said. */
  readonly orphanMs?: number
}

/** Who may be on the bus. */
export interface BusIdentity {
  /** `<uuid>.<generation>`, or a part of the host, `host/<name>`. */
  readonly instance: string
  /** SHA-256 of its token's text, 64 hexadecimal digits. The broker never knows tokens. */
  readonly tokenHash: string
  /**
   * The process that it runs in, where that is known: then no other may show the token. Never of a page, for which the
   * desktop agent shows it.
   */
  readonly pid?: number
  /** Topics that it may publish and hear, as in the manifest; a part of the host may all. */
  readonly publish?: readonly string[]
  readonly subscribe?: readonly string[]
}

/** An app of the manifest. */
export interface BusApp {
  readonly uuid: string
  /** The instance that serves now; null when none does. */
  readonly instance: string | null
}

/** Requests of the supervisor to the broker. */
export interface BrokerRequests {
  /** It ends, with code 0; as an app is asked. */
  drain: {
    readonly argument: { readonly why: string; readonly deadlineMs: number }
    readonly answer: { readonly saved: boolean }
  }
  /** All who may be on the bus, and all apps. */
  identities: {
    readonly argument: { readonly peers: readonly BusIdentity[]; readonly apps: readonly BusApp[] }
    readonly answer: { readonly peers: number }
  }
}

/** Requests of the broker to the supervisor. */
export interface BrokerAsks {
  /** Starts an app that somebody writes to, as the request of an operator does. */
  start: {
    readonly argument: { readonly uuid: string }
    readonly answer: { readonly instance: string | null }
  }
}

/** Notes of the broker to the supervisor. */
export interface BrokerNotes {
  /** It listens. */
  ready: Record<string, never>
  heartbeat: BrokerHealth
  /** A peer was refused or cut off. */
  refused: BusRefusal
}

/** A peer that was refused or cut off. */
export interface BusRefusal {
  /** Who it was, as the broker knows it; null for a caller that had not shown who it is. */
  readonly instance: string | null
  /** A code of the host. */
  readonly code: string
  /** A sentence for people. */
  readonly text: string
  readonly facts: Readonly<Record<string, unknown>>
}

/** What the broker counted since it began. */
export interface BrokerHealth {
  readonly at: number
  readonly peers: number
  /** Frames that came in, and their bytes. */
  readonly frames: number
  readonly bytes: number
  /** Messages and requests that were refused since their receiver had no room. */
  readonly busy: number
  /** Published messages that a subscriber had no room for. */
  readonly missed: number
  /** Peers that were refused or cut off. */
  readonly refused: number
  /** Bytes that wait in the broker now, for all peers. */
  readonly waitingBytes: number
  /** By instance: frames that it sent, frames that it was sent, bytes that wait for it. */
  readonly byInstance: Readonly<
    Record<string, { readonly sent: number; readonly received: number; readonly waiting: number }>
  >
}

/** The first frame of a peer on the bus. */
export interface BusHello {
  readonly protocol: number
  readonly instance: string
  readonly token: string
}

/** The answer to it. */
export interface BusWelcome {
  readonly protocol: number
  readonly instance: string
  /** Bytes of messages, requests and published messages that the peer may have before it gives credit. */
  readonly windowBytes: number
}
