/** Whether the locks of this file system do what the kernel trusts them to do. */
import { open } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { isPosError } from '../../kernel/errors.js'
import { openTerminal } from '../../kernel/terminal.js'
import { broken, type Check, fine, reasonOf, risky } from './check.js'

const id = 'DOCTOR'

/**
 * Opens a terminal of its own below `folder`, tries to open it twice, and looks at its lock from the
 * host's side with `fs-ext`.
 */
export async function checkLocks(folder: string): Promise<readonly Check[]> {
  try {
    await using _owner = await openTerminal({ root: folder, id })
    return [await checkSecondOwner(folder), await checkHostLocks(folder)]
  } catch (error) {
    const advice = 'a terminal cannot be opened on this disk; use another one'
    return [broken('lock', reasonOf(error), advice)]
  }
}

async function checkSecondOwner(root: string): Promise<Check> {
  const name = 'lock'
  try {
    await using _second = await openTerminal({ root, id })
    const advice = 'locks do not lock here: two tills could write one journal; use another disk'
    return broken(name, 'a second owner was let in', advice)
  } catch (error) {
    if (isPosError(error, 'PK_E_TERMINAL_IN_USE')) return fine(name, 'a second owner is refused')
    return broken(name, reasonOf(error), 'locks fail here; use another disk')
  }
}

async function checkHostLocks(root: string): Promise<Check> {
  const name = 'fs-ext'
  const flock = loadFlock()
  if (flock === undefined) {
    const advice = 'optional: run "npm install fs-ext" with a C++ compiler at hand to add it'
    return risky(name, 'not installed', advice)
  }
  const file = await open(path.join(root, 'terminals', id, 'terminal.lock'), 'r+')
  try {
    await flock(file.fd, 'exnb')
    const advice = "the host does not see the kernel's locks here; use another disk"
    return broken(name, 'took a lock that the kernel holds', advice)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const isRefused = code === 'EAGAIN' || code === 'EWOULDBLOCK'
    return isRefused
      ? fine(name, "sees the kernel's locks")
      : broken(name, reasonOf(error), 'locks fail here; use another disk')
  } finally {
    await file.close()
  }
}

/** The optional package; undefined where it is not installed or was built for another Node. */
function loadFlock() {
  try {
    const { flock } = createRequire(import.meta.url)('fs-ext') as typeof import('fs-ext')
    return promisify<number, 'exnb'>(flock)
  } catch {
    return undefined
  }
}
