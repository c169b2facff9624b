/**
 * Launchers as they are found on the machine: by their name, their user, and the folder of their run, which is their
 * one argument. So a supervisor finds also those that no record speaks of.
 */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { identityOf, type ProcessIdentity } from './identity.js'
import { launcherProgram } from './program.js'

/** A launcher that runs. */
export interface FoundLauncher {
  readonly process: ProcessIdentity
  /** `apps/<uuid>/runs/<run>` of its host. */
  readonly runFolder: string
}

/** All launchers of this user whose run is one of the host in this folder, and of no other. */
export function launchersOfHost(hostFolder: string): FoundLauncher[] {
  const apps = real(path.join(hostFolder, 'apps'))
  return readdirSync('/proc').flatMap((name) => {
    const folder = /^\d+$/.test(name) ? runFolderOf(Number(name)) : undefined
    if (folder === undefined) return []
    const runs = path.dirname(folder)
    const isOurs = path.basename(runs) === 'runs' && real(path.resolve(runs, '..', '..')) === apps
    const process = identityOf(Number(name))
    return isOurs && process !== undefined ? [{ process, runFolder: folder }] : []
  })
}

/** The launchers of a run: one, and for a moment its child that is no app yet. */
export function launchersOfRun(runFolder: string): ProcessIdentity[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || !isLauncherOf(Number(name), runFolder)) return []
    return identityOf(Number(name)) ?? []
  })
}

/** True for the launcher of this run: an app whose launcher died is another one's child for the moment that it has left. */
export function isLauncherOf(pid: number, runFolder: string): boolean {
  const found = runFolderOf(pid)
  return found !== undefined && real(found) === real(runFolder)
}

/** The folder that a launcher of this user was given; undefined for any other process. */
function runFolderOf(pid: number): string | undefined {
  try {
    // The system keeps 15 characters of a name.
    const name = path.basename(launcherProgram()).slice(0, 15)
    if (readFileSync(`/proc/${pid}/comm`, 'latin1').trim() !== name) return undefined
    if (statSync(`/proc/${pid}`).uid !== process.geteuid?.()) return undefined
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] || undefined
  } catch {
    return undefined
  }
}

/** The path that a path stands for; itself where there is none. */
function real(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return path.resolve(folder)
  }
}
