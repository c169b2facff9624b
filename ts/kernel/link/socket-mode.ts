/** Who may connect to a socket: the mode of its file. */
import { chmodSync, closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs'

/** `O_PATH` of Linux: the file itself, not what it opens; Node has no name for it. */
const openPath = 0o10000000

/**
 * Sets the mode of a socket's file. What somebody may have put in its place, a link to another file say, is not
 * followed: that fails and changes nothing.
 */
export function setSocketMode(socket: string, mode: number): void {
  if (process.platform !== 'linux') {
    if (!lstatSync(socket).isSocket()) throw new Error(`${socket} is no socket`)
    chmodSync(socket, mode)
    return
  }
  const descriptor = openSync(socket, openPath | constants.O_NOFOLLOW)
  try {
    if (!fstatSync(descriptor).isSocket()) throw new Error(`${socket} is no socket`)
    chmodSync(`/proc/self/fd/${descriptor}`, mode)
  } finally {
    closeSync(descriptor)
  }
}
