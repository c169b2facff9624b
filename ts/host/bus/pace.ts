/**
 * Who has to wait for others. As long as nobody else has anything to say, a peer may send as fast as it can; beside others
 * it has a pace, so that what a flood costs the broker is a small part of its time and a neighbour hardly sees it.
 *
 * A peer within its pace is never made to wait.
 */

/** Frames in a millisecond that a peer may send beside others; a frame counts once more for each KiB. */
export const paceFrames = 200
/** Frames that it may send at once after a pause. */
export const burstFrames = 1000
/** Milliseconds for which a peer that said something counts as one that may say more. */
const othersMs = 20

/** What is kept of a peer. */
export interface Paced {
  /** Frames that it may still send; below 0 when it sent more while it was alone. */
  allowance: number
  /** When that was worked out. */
  allowedAt: number
}

/** The pace of all peers. */
export class Pace<Peer extends Paced> {
  // The last two who said something within their pace: one of them is not the peer that is asked about.
  #last: Peer | undefined
  #lastAt = 0
  #before: Peer | undefined
  #beforeAt = 0

  /** True when it is others' turn. */
  mustWait(peer: Peer, now: number): boolean {
    const earned = (now - peer.allowedAt) * paceFrames
    peer.allowance = Math.min(burstFrames, peer.allowance + earned)
    peer.allowedAt = now
    return peer.allowance < 0 && this.#hasOthers(peer, now)
  }

  /** A peer has sent so many frames with so many bytes; `hasSaid` where they were more than room given back. */
  spend(peer: Peer, frames: number, bytes: number, hasSaid: boolean, now: number): void {
    peer.allowance = Math.max(-paceFrames, peer.allowance - frames - bytes / 1024)
    if (!hasSaid || peer.allowance < 0) return
    if (this.#last !== peer) {
      this.#before = this.#last
      this.#beforeAt = this.#lastAt
      this.#last = peer
    }
    this.#lastAt = now
  }

  /** Forgets a peer that is gone. */
  forget(peer: Peer): void {
    if (this.#before === peer) this.#before = undefined
    if (this.#last === peer) {
      this.#last = this.#before
      this.#lastAt = this.#beforeAt
      this.#before = undefined
    }
  }

  #hasOthers(peer: Peer, now: number): boolean {
    const isOther = (other: Peer | undefined, at: number) =>
      other !== undefined && other !== peer && now - at < othersMs
    return isOther(this.#last, this.#lastAt) || isOther(this.#before, this.#beforeAt)
  }
}
