/** How processes are ended that may be gone already, may be another one's by now, and may have left others behind. */
import { readdirSync, readFileSync } from 'node:fs'
import { identityOf, type ProcessIdentity, stillRuns } from './identity.js'
import { launchersOfRun } from './launchers.js'

/** Variable in the environment of everything that descends from an app: the folder of its run. */
export const markName = 'POS_KERNEL_RUN_FOLDER'

/** Sends a signal to this very process; false when it is gone. */
export function send(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!stillRuns(identity)) return false
  try {
    return process.kill(identity.pid, name)
  } catch {
    return false
  }
}

/** Ends these very processes, those that are left; resolves when they are gone. */
export async function endAll(identities: readonly ProcessIdentity[]): Promise<void> {
  await Promise.all(identities.map(end))
}

/** Ends processes by their numbers of now. */
export function endTree(pids: readonly number[]): Promise<void> {
  return endAll(pids.map(identityOf).filter((found) => found !== undefined))
}

/**
 * Ends what a launcher that is gone left behind: its app dies with it, but not a child of it that is no app yet, and not
 * what descends from the app, which nobody is the parent of any more. They are known by their arguments and their
 * environment; where there is a control group, the governor ends also what changed that.
 */
export async function endLeft(runFolder: string): Promise<void> {
  const mark = `${markName}=${runFolder}`
  for (;;) {
    const marked = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isMarked(name, mark))
    const left = [...marked.map(Number), ...launchersOfRun(runFolder).map(({ pid }) => pid)]
    if (left.length === 0) return
    await endTree(left)
  }
}

/** True when it settled in time. */
export async function within(settling: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  const done = settling.then(() => true)
  return Promise.race([done, late]).finally(() => clearTimeout(timer))
}

async function end(identity: ProcessIdentity): Promise<void> {
  while (stillRuns(identity)) {
    send(identity, 'SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

function isMarked(pid: string, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)
  } catch {
    return false
  }
}
