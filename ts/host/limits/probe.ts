/**
 * What this machine can hold, tried out and not guessed: groups are made and removed, and the launcher starts a program
 * with every boundary around it and tells which of them stood.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isHostError } from '../error.js'
import type { Held } from '../launcher/launcher.js'
import { launcherProgram } from '../launcher/program.js'
import { startRun } from '../launcher/run.js'
import { openCgroup1 } from './cgroup1.js'
import { openCgroup2 } from './cgroup2.js'
import type { Rings } from './governor.js'
import type { Controller, GroupMeans } from './group.js'
import { Users } from './users.js'

/** Means of holding limits, the best first. */
export type Means = 'cgroup2' | 'cgroup1' | 'rlimit' | 'poll'

/** What was found. */
export interface Probe {
  readonly rings: Rings
  /** The groups that are used: version 2 where both are there. */
  readonly groups: GroupMeans | undefined
}

/** The part of a group's path that is one store's. */
export function storeName(root: string): string {
  return createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 12)
}

/**
 * Tries out what holds limits here.
 *
 * @param only - use nothing but this: for tests and for measuring one means at a time
 */
export function probeRings(store: string, only?: Means): Probe {
  const found: GroupMeans[] = []
  const missing: Rings['missing'][number][] = []
  const ways = [
    ['cgroup2', openCgroup2, cgroup2Mend],
    ['cgroup1', openCgroup1, 'mount the hierarchies and give this user a folder in each'],
  ] as const
  for (const [ring, open, mend] of ways) {
    if (only !== undefined && only !== ring) continue
    const means = tryGroups(open(store))
    if (typeof means === 'string') missing.push({ ring, reason: means, mend })
    else found.push(means)
  }
  const [groups, ...others] = found
  for (const other of others) other.close()
  const holds = (controller: Controller) =>
    groups?.controllers.has(controller) === true ? [groups.version] : []
  const isLinux = process.platform === 'linux'
  const may = (means: Means) => isLinux && (only === undefined || only === means)
  if (!isLinux) {
    const reason = `${process.platform} has no limits of processes that hold memory`
    missing.push({ ring: 'rlimit', reason, mend: 'run the host on Linux' })
  }
  if (!Users.canChange && isLinux) {
    missing.push({
      ring: 'rlimit of processes',
      reason:
        'the kernel counts all processes of a user together, and apps have no user of their own',
      mend: 'run the host as root, or give it a control group with the controller pids',
    })
  }
  return {
    groups,
    rings: {
      memory: [
        ...holds('memory'),
        ...(may('rlimit') ? (['rlimit'] as const) : []),
        ...(may('rlimit') || may('poll') ? (['poll'] as const) : []),
      ],
      cpu: [...holds('cpu'), ...(isLinux ? (['launcher'] as const) : [])],
      processes: [
        ...holds('pids'),
        ...(may('rlimit') && Users.canChange ? (['rlimit'] as const) : []),
      ],
      missing,
    },
  }
}

const cgroup2Mend =
  'boot with cgroup version 2, and start the host with "systemd-run --scope -p Delegate=yes" or as root'

/** Makes a group, sets each limit, and removes it. */
function tryGroups(means: GroupMeans | string): GroupMeans | string {
  if (typeof means === 'string') return means
  const group = means.make(`probe-${process.pid}`)
  try {
    group.limit({ memory: 128 * 1024 * 1024, cpu: 50, processes: 64 })
    return means
  } catch (error) {
    const { code, path: file } = error as NodeJS.ErrnoException
    return `${file} cannot be set: ${code}`
  } finally {
    void group.remove()
  }
}

/** Starts a program with every boundary around it and says which stood; or why it could not be started. */
export async function probeBoundaries(): Promise<Held | string> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-probe-'))
  try {
    const run = await startRun('probe', {
      program: realpathSync(launcherProgram()),
      args: [],
      env: {},
      cwd: '/',
      outLog: { path: path.join(folder, 'out.log'), bytesMax: 65_536 },
      runFolder: folder,
      confinement: {
        groups: [],
        reach: { read: ['/'], write: [], tcp: false },
        ...(Users.canChange ? { user: { uid: 65_534, gid: 65_534 } } : {}),
      },
    })
    await run.exited
    return run.held ?? 'the launcher did not say'
  } catch (error) {
    return isHostError(error) ? error.message : String(error)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
