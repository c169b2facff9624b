/**
 * One connection of the broker: what comes in piece by piece, what goes out, and the requests between it and others.
 *
 * A peer has a turn of so many frames, then others have theirs, and beside others it has a pace (`pace.ts`): a flood
 * waits in the socket of whoever makes it. A peer that does not read what it is answered is not read either.
 */
import type net from 'node:net'
import type { hostError } from '../error.js'
import { jsonBytes } from '../wire/channel.js'
import { FrameSplitter, Kind } from '../wire/frame.js'
import { Outbox } from '../wire/outbox.js'
import type { BusIdentity } from './contract.js'
import { burstFrames, type Paced } from './pace.js'
import { Room } from './room.js'

/** A hello has at most so many bytes; nothing longer is read of a caller that nobody knows. */
export const helloBytesMax = 4096
/** Bytes of answers that may wait for a peer before it is not read any more. */
export const pauseBytes = 256 * 1024
/** Bytes of answers that may wait for a peer; an answer beyond becomes a fault. */
export const answerBytesMax = 4 * 1024 * 1024
/** Bytes that may wait for a peer in all; beyond, it is cut off. */
export const waitingBytesMax = 16 * 1024 * 1024

export const noName = Buffer.alloc(0)

/** A request on its way. */
export interface Ask {
  readonly asker: Peer
  readonly askerId: number
  readonly receiver: Peer
  readonly id: number
}

/** What a peer tells the broker. */
export interface PeerEvents {
  /** Frames can be taken from `peer.frames`. */
  onReadable(peer: Peer): void
  /** It has read what it was answered: its frames can be passed on again. */
  onDrained(peer: Peer): void
  /** Frames were added; `outbox.flush` is due. */
  onWritten(outbox: Outbox): void
  /** The connection is gone; called once. */
  onGone(peer: Peer): void
}

/** A peer. */
export class Peer implements Paced {
  readonly socket: net.Socket
  readonly frames = new FrameSplitter(helloBytesMax)
  readonly outbox: Outbox
  readonly room = new Room<Peer>()
  /** Null until the peer has shown who it is. */
  identity: BusIdentity | null = null
  /** The process at the other end, as the system says; undefined where it does not. */
  pid: number | undefined
  /** Its name as it stands in the frames that it sends. */
  stamp: Buffer = noName
  /** Requests that it was asked and has not answered, by the broker's number. */
  readonly asked = new Map<number, Ask>()
  /** Requests that it asked, by its own number. */
  readonly asks = new Map<number, Ask>()
  /** Messages that it was sent, whose senders are not told yet that they were taken. */
  readonly withheld = new Map<Peer, number[]>()
  readonly topics = new Set<string>()
  lastAskedId = 0
  allowance = burstFrames
  allowedAt = 0
  sent = 0
  received = 0
  /** Published messages that it had no room for, and how many of them it was told. */
  missed = 0
  missedTold = 0
  /** True while frames that came wait for the peer's next turn; its socket is not read. */
  isPostponed = false
  /** True while they wait until the peer has read what it was answered. */
  isStalled = false
  /** The receiver that it wrote to last, by the bytes of the address: most write to the same again. */
  lastTo: Buffer = noName
  lastReceiver: Peer | undefined
  lastRoutes = 0
  readonly #events: PeerEvents
  #isGone = false

  constructor(socket: net.Socket, events: PeerEvents) {
    this.socket = socket
    this.#events = events
    this.outbox = new Outbox(socket, (outbox) => events.onWritten(outbox))
    socket.on('data', (bytes: Buffer) => {
      this.frames.push(bytes)
      events.onReadable(this)
    })
    socket.on('drain', () => {
      if (this.isStalled) events.onDrained(this)
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#end())
  }

  /** Its name, for people. */
  get name(): string | null {
    return this.identity?.instance ?? null
  }

  /** True once the connection is gone. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** A number for a request to this peer. */
  nextAskedId(): number {
    do {
      this.lastAskedId = this.lastAskedId === 0xffff_ffff ? 1 : this.lastAskedId + 1
    } while (this.asked.has(this.lastAskedId))
    return this.lastAskedId
  }

  /** Says that something was refused. */
  fault(id: number, code: Parameters<typeof hostError>[0], message: string, facts: object): void {
    this.outbox.add(Kind.fault, id, noName, jsonBytes({ code, message, facts }))
  }

  /** Ends the connection at once. */
  cut(): void {
    this.socket.destroy()
    this.#end()
  }

  #end(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#events.onGone(this)
  }
}
