/**
 * Who is heard when. A peer has a turn of so many frames, then others have theirs; beside others it has a pace
 * (`pace.ts`); and it waits while it does not read what it was answered. Whoever waits is not read: what it sends stays
 * in its own socket. What goes out to anybody in one turn of the event loop goes in one write.
 */
import { Kind } from '../wire/frame.js'
import type { Outbox } from '../wire/outbox.js'
import { Pace } from './pace.js'
import { type Peer, pauseBytes } from './peer.js'

/** Frames that a peer may have passed on before it is the others' turn. */
const turnFrames = 64

/** The turns of all peers. */
export class Turns {
  /** Frames that were taken, and their bytes. */
  frames = 0
  bytes = 0
  readonly #onFrame: (peer: Peer, bytes: Buffer, start: number, end: number) => void
  readonly #onBroken: (peer: Peer) => void
  readonly #pace = new Pace<Peer>()
  /** Those whose turn is the next one, and those who wait for others. */
  #next: Peer[] = []
  #paced: Peer[] = []
  #paceTimer: NodeJS.Timeout | undefined
  #written: Outbox[] = []
  #isDue = false

  /** `onBroken` is told of a peer that sent what is no frame. */
  constructor(
    onFrame: (peer: Peer, bytes: Buffer, start: number, end: number) => void,
    onBroken: (peer: Peer) => void,
  ) {
    this.#onFrame = onFrame
    this.#onBroken = onBroken
  }

  /** A peer has its turn, unless it has to wait. */
  take(peer: Peer): void {
    if (peer.outbox.waitingBytes > pauseBytes) {
      peer.isStalled = true
      postpone(peer)
      return
    }
    const now = performance.now()
    if (this.#pace.mustWait(peer, now)) {
      postpone(peer)
      this.#paced.push(peer)
      this.#paceTimer ??= setTimeout(() => this.#paceOn(), 1)
      return
    }
    const isMore = this.#hear(peer, now)
    if (peer.isGone) return
    if (peer.frames.isBroken) {
      this.#onBroken(peer)
    } else if (isMore) {
      postpone(peer)
      this.#next.push(peer)
      this.#soon()
    } else if (peer.isPostponed) {
      peer.isPostponed = false
      peer.socket.resume()
    }
  }

  /** A peer has read what it was answered. */
  goOn(peer: Peer): void {
    peer.isStalled = false
    this.#next.push(peer)
    this.#soon()
  }

  /** Frames were added that have to go out. */
  flushSoon(outbox: Outbox): void {
    this.#written.push(outbox)
    this.#soon()
  }

  /** Forgets a peer that is gone. */
  forget(peer: Peer): void {
    this.#pace.forget(peer)
  }

  /** Nobody has a turn any more. */
  close(): void {
    clearTimeout(this.#paceTimer)
  }

  /** Takes the frames of one turn; true when there may be more. */
  #hear(peer: Peer, now: number): boolean {
    const { frames } = peer
    let left = turnFrames
    let bytes = 0
    let hasSaid = false
    while (left > 0 && !peer.isGone && frames.next()) {
      left -= 1
      bytes += frames.end - frames.start
      hasSaid ||= frames.bytes[frames.start + 4] !== Kind.credit
      this.#onFrame(peer, frames.bytes, frames.start, frames.end)
    }
    const count = turnFrames - left
    this.frames += count
    this.bytes += bytes
    peer.sent += count
    if (!peer.isGone) this.#pace.spend(peer, count, bytes, hasSaid, now)
    return left === 0
  }

  #paceOn(): void {
    this.#paceTimer = undefined
    const paced = this.#paced
    this.#paced = []
    for (const peer of paced) if (!peer.isGone) this.take(peer)
  }

  #soon(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      const next = this.#next
      this.#next = []
      for (const peer of next) if (!peer.isGone) this.take(peer)
      const written = this.#written
      this.#written = []
      for (const outbox of written) outbox.flush()
    })
  }
}

function postpone(peer: Peer): void {
  if (peer.isPostponed) return
  peer.isPostponed = true
  peer.socket.pause()
}
