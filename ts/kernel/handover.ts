/** Sales that wait for their ticket, go on at another till of the store, or expire. */
import type { NativeExpired } from '../native.js'
import type { Answer } from './answers.js'
import { checkNames, text, wrong } from './input.js'

/** A sale was suspended. */
export interface SuspendAnswer extends Answer {
  /** Number of the sale. */
  readonly sale: number
  /** What it is resumed by: print it, or show it on the other tills. It is good once. */
  readonly ticket: string
}

/** A sale that waits somewhere in the store. */
export interface WaitingSale {
  /** What it is resumed by. */
  readonly ticket: string
  /** Terminal where it was suspended. */
  readonly terminal: string
  /** Number of the sale there. */
  readonly sale: number
  /** The host's own number for it. */
  readonly reference?: string
  /** Currency. */
  readonly currency: string
  /** What it comes to, in minor units. */
  readonly gross: number
  /** Lines that count. */
  readonly lines: number
  /** Why it was suspended. */
  readonly reason: string
  /** When, ISO 8601 in UTC. */
  readonly at: string
}

/** Where a sale was suspended that went on here. */
export interface TakenOver {
  /** Terminal id. */
  readonly terminal: string
  /** Number of the sale there. */
  readonly sale: number
  /** The ticket that it was resumed by. */
  readonly ticket: string
}

/** Which sales expire, and why. */
export interface Expiry {
  /** Nothing has happened to them for so many milliseconds. */
  readonly idleMs: number
  /** 1 to 256 bytes for the journal. */
  readonly reason: string
}

/** Sales have expired. */
export interface ExpiryAnswer extends Answer {
  /** Their numbers. */
  readonly sales: readonly number[]
}

export function expiryAnswer(native: NativeExpired): ExpiryAnswer {
  return { sales: native.sales, sequence: native.seq, replayed: native.replayed }
}

const expiryNames = new Set(['idleMs', 'reason'])

/** Checks which sales expire. */
export function expiryOf(expiry: Expiry) {
  checkNames('expiry', expiry, expiryNames)
  const { idleMs, reason } = expiry
  if (!Number.isSafeInteger(idleMs) || idleMs < 0) {
    throw wrong('idleMs', idleMs, 'a whole number of milliseconds')
  }
  return { idleMs, reason: text('reason', reason) }
}
