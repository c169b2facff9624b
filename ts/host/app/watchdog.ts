/**
 * The watchdog of an app's event loop: a native thread that waits for beats, and the JavaScript that it has run in the midst
 * of what keeps the loop. See `crates/node/src/watchdog.rs`.
 */
import { binding } from '../../native.js'

/** Frames of the stack that are kept. */
const framesMax = 64

/** Watches until the function that it gives is called. What the watchdog finds goes into `folder`. */
export function watchLoop(hangMs: number, folder: string): () => void {
  const watchdog = binding().startWatchdog({ hangMs, folder }, writeStack)
  const timer = setInterval(() => watchdog.beat(), watchdog.beatMs).unref()
  return () => {
    clearInterval(timer)
    watchdog.stop()
  }
}

/** Runs between two turns of the loop that does not end. */
function writeStack(): void {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = framesMax
  const error = new Error('the event loop stands')
  Error.captureStackTrace(error, writeStack)
  Error.stackTraceLimit = stackTraceLimit
  process.report.writeReport('node-hang.json', error)
}
