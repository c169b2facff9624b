/** The machine and the process: platform, Node, binding, clock. */
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { BindingLoadError } from '../../kernel/errors.js'
import { listTerminals, versions } from '../../kernel/inspect.js'
import { broken, type Check, fine, reasonOf, risky } from './check.js'

const NODE_MIN = [20, 19] as const
/** No journal was written before this; a clock that says so was never set. */
const WALL_MIN = Date.parse('2026-01-01T00:00:00Z')
/** An owner record may lie ahead of the clock by this much: two machines never agree exactly. */
const AHEAD_MS_MAX = 60_000

/** The operating system. Linux is where the kernel is proved. */
export function checkPlatform(): Check {
  const value = `${os.type()} ${os.release()} ${process.arch}, ${os.availableParallelism()} cores`
  return process.platform === 'linux'
    ? fine('platform', value)
    : risky(
        'platform',
        value,
        'not run on a real machine of this kind yet; test it before you trust it',
      )
}

/** The version of Node. */
export function checkNode(): Check {
  const value = process.versions.node
  const [major = 0, minor = 0] = value.split('.').map(Number)
  const isEnough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
  return isEnough
    ? fine('node', value)
    : broken('node', value, `install Node ${NODE_MIN.join('.')} or newer`)
}

/** The native binding. */
export function checkBinding(): Check {
  try {
    const { package: packageVersion, kernel, journalFormat } = versions()
    const value = `pos-kernel ${packageVersion}, kernel ${kernel}, journal format ${journalFormat}`
    return packageVersion === kernel
      ? fine('binding', value)
      : risky('binding', value, 'package and binary differ: install them together again')
  } catch (error) {
    const advice = error instanceof BindingLoadError ? `run: ${error.facts.command}` : 'reinstall'
    return broken('binding', reasonOf(error), advice)
  }
}

/** The clock, against the calendar and against what the owners of this store wrote down. */
export async function checkClock(root: string): Promise<Check> {
  const now = Date.now()
  const value = new Date(now).toISOString()
  if (now < WALL_MIN) return broken('clock', value, 'set the clock of this machine')
  const newest = Math.max(...(await Promise.all(openings(root))), 0)
  if (newest > now + AHEAD_MS_MAX) {
    const shown = `${value}, and a terminal was opened at ${new Date(newest).toISOString()}`
    return risky(
      'clock',
      shown,
      'the clock has gone back: set it, or receipts will carry wrong times',
    )
  }
  return fine('clock', value)
}

/** When each terminal of the store was opened last, in milliseconds; 0 where that is not known. */
function openings(root: string): Promise<number>[] {
  return terminalsOf(root).map(async (id) => {
    try {
      const file = path.join(root, 'terminals', id, 'terminal.owner.json')
      const { openedAt } = JSON.parse(await readFile(file, 'utf8')) as { openedAt: string }
      return Date.parse(openedAt) || 0
    } catch {
      return 0
    }
  })
}

/** The terminals of a store; none where it cannot be read, which is another check's finding. */
export function terminalsOf(root: string): readonly string[] {
  try {
    return listTerminals(root)
  } catch {
    return []
  }
}
