/** A progress bar on stderr, where a person is looking; silence everywhere else. */
import { SingleBar } from 'cli-progress'

/** A bar that can be moved and taken away. */
export interface Progress {
  /** Shows how far the work is. */
  update(done: number, total: number): void
  /** Takes the bar away. Harmless when it never came. */
  stop(): void
}

/**
 * A progress bar.
 *
 * @param what - a word before the bar
 * @param unit - what is counted, behind it
 */
export function progressBar(what: string, unit: string): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} }
  const bar = new SingleBar({
    format: `${what} {bar} {value}/{total} ${unit}, {eta_formatted} left`,
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    etaBuffer: 100,
  })
  let isShown = false
  let isOver = false
  return {
    update(done, total) {
      if (isOver) return
      if (!isShown) bar.start(total, done)
      isShown = true
      bar.setTotal(total)
      bar.update(done)
    },
    stop() {
      isOver = true
      if (isShown) bar.stop()
    },
  }
}
