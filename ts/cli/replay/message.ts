/**
 * What the coordinator and its terminal processes say to each other, over Node's own channel.
 *
 * ```text
 * coordinator                       terminal process
 *      | ---- open ----------------------> |  takes the lock, recovers, voids what was left open
 *      | <------------------------ ready - |
 *      | ---- ring (one invoice) --------> |  a few are on their way at any time
 *      | <-------- rung | refused -------- |  once it is durable
 *      | ---- end -----------------------> |  closes the terminal
 *      | <------------------------ ended - |
 * ```
 * `failed` may come at any time and is the last thing a process says. A process whose channel breaks
 * has lost its coordinator: it closes its terminal and ends.
 */
import type { Invoice } from './invoice.js'

/** When a call is acknowledged; the kernel's own two modes. */
export type Durability = 'record' | 'sale'

/** How a terminal process works. */
export interface TerminalOrder {
  readonly root: string
  readonly terminal: string
  readonly durability: Durability
  /** Ring up call by call, instead of each invoice in one call. */
  readonly byCall: boolean
  /** File that gets a line for each invoice once its promise has resolved. */
  readonly ackLog?: string
}

/** From the coordinator. */
export type ToTerminal =
  | { readonly kind: 'open'; readonly order: TerminalOrder }
  | { readonly kind: 'ring'; readonly invoice: Invoice }
  | { readonly kind: 'end' }

/** A failure, made of plain values. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly facts: object
}

/** From a terminal process. */
export type FromTerminal =
  | {
      readonly kind: 'ready'
      /** The last owner had closed the terminal, or there was none. */
      readonly clean: boolean
      /** Owner epoch. */
      readonly epoch: number
      /** Open sales of a replay that came back and were voided. */
      readonly voided: number
    }
  | {
      readonly kind: 'rung'
      readonly invoice: string
      readonly receipt: number
      readonly lines: number
      readonly gross: number
      /** Device flushes of this process so far. */
      readonly syncs: number
    }
  | { readonly kind: 'refused'; readonly invoice: string; readonly reason: string }
  | { readonly kind: 'ended'; readonly syncs: number }
  | { readonly kind: 'failed'; readonly failure: Failure }
