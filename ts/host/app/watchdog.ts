/**
 * The watchdog of an app's event loop: a native thread that waits for beats, and has where the JavaScript stands written down in
 * the midst of what keeps the loop. See `crates/node/src/watchdog.rs`.
 */
import { binding } from '../../native.js'

/** Watches the event loop of this thread, from its first beat on. */
export interface Watchdog {
  /** The loop goes round; it does so again within so many milliseconds. */
  beat(nextMs: number): void
  /** Watches no more. */
  stop(): void
}

/**
 * Watches a loop that stands once its beat is missing for `hangMs`. What the watchdog finds goes into `folder`, the report of
 * the stack into that of reports.
 */
export function watchLoop(hangMs: number, folder: string): Watchdog {
  return binding().startWatchdog({ hangMs, folder })
}
