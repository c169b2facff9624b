/** What a terminal's process tells the one that started it. */
import type { Ended } from '../../kernel/join-store.js'

/** One event. */
export type HostEvent =
  | { readonly event: 'ready'; readonly epoch: number; readonly clean: boolean }
  | { readonly event: 'configured'; readonly version: number; readonly hash: string }
  | { readonly event: 'message'; readonly kind: string; readonly from: string; readonly id: string }
  | { readonly event: 'replayed'; readonly sales: number; readonly resumed: number }
  | { readonly event: 'draining'; readonly reason: string; readonly by?: string }
  | ({ readonly event: 'ended'; readonly sales: number } & Ended)
  | { readonly event: 'failed'; readonly code: string; readonly message: string }
