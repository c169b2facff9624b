/**
 * The end of a process that is no child of this one. The kernel tells it at once, by a descriptor of the process that one
 * native thread waits on for all of them; where the binding cannot, the process is looked at from time to time.
 */
import { binding } from '../../native.js'
import { type ProcessIdentity, stillRuns } from './identity.js'

/** How often to look where nothing tells. */
const lookMs = 50

/** Waits for the end of a process. */
export interface Watch {
  /** Settles when the process is gone; never after `close`. */
  readonly gone: Promise<void>
  /** Stops waiting. */
  close(): void
}

/** Waits for the end of a process; `gone` is settled already when it does not run. */
export function watchProcess(identity: ProcessIdentity): Watch {
  let close = () => {}
  const gone = new Promise<void>((resolve) => {
    try {
      const watch = binding().watchProcess(identity.pid, identity.startTime, resolve)
      if (watch === null) return resolve()
      close = () => binding().unwatchProcess(watch)
    } catch {
      const timer = setInterval(() => {
        if (stillRuns(identity)) return
        clearInterval(timer)
        resolve()
      }, lookMs)
      close = () => clearInterval(timer)
    }
  })
  return { gone, close: () => close() }
}
