/**
 * The watchdog of an app's event loop: a native thread that waits for beats, and has where the JavaScript stands written down in
 * the midst of what keeps the loop. See `crates/node/src/watchdog.rs`.
 */
import { binding } from '../../native.js'

/** Watches until the function that it gives is called. What the watchdog finds goes into `folder`, the report of the stack into that of reports. */
export function watchLoop(hangMs: number, folder: string): () => void {
  const watchdog = binding().startWatchdog({ hangMs, folder })
  const timer = setInterval(() => watchdog.beat(), watchdog.beatMs).unref()
  return () => {
    clearInterval(timer)
    watchdog.stop()
  }
}
