/**
 * How a launcher knows of a supervisor that did not start it: that one holds the pipe `orders` in the folder of the run
 * open. The kernel closes it for whoever died, and the launcher's time without a supervisor begins.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import path from 'node:path'

/** Holds the pipe of a run from now on. Gives the function that lets go; it may be called again. */
export function holdOrders(runFolder: string): () => void {
  let descriptor: number | undefined
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW
    descriptor = openSync(path.join(runFolder, 'orders'), flags)
    writeSync(descriptor, 'adopt\n')
  } catch {
    // Nobody reads it: the launcher is gone, which is seen elsewhere.
  }
  return () => {
    if (descriptor !== undefined) closeSync(descriptor)
    descriptor = undefined
  }
}
