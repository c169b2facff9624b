/** `pos-kernel doctor`: looks at everything that a store stands on and says what to fix. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { broken, type Check, reasonOf } from './doctor/check.js'
import { checkFlushes, checkRoom, checkType } from './doctor/file-system.js'
import { checkHost } from './doctor/host.js'
import { checkLocks } from './doctor/lock.js'
import { checkBinding, checkClock, checkNode, checkPlatform } from './doctor/machine.js'
import { checkFiles, checkRoot } from './doctor/permissions.js'
import { exitCodes } from './failure.js'
import { globalsOf, storeOf } from './globals.js'
import { print, printJson } from './output.js'

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('doctor')
    .summary('check platform, binding, disk, locks, clock, permissions; say what to fix')
    .description(
      'Checks everything that a store stands on and says what to fix: platform, Node, binding, ' +
        'rights, file system, room, disk flushes, locks, clock; and for the process host its launcher, ' +
        'limits and boundaries. Works in a folder of its own below the root and removes it. Exit 1 when something has to be fixed.',
    )
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel doctor --root ./store
  pos-kernel doctor --root ./store --json`,
    )
    .action(async (_options: object, command: Command) => {
      const globals = globalsOf(command)
      const checks = await examine(storeOf(globals))
      const ok = checks.every((check) => check.ok)
      if (globals.json) printJson({ ok, checks })
      else show(ok, checks)
      process.exitCode = ok ? exitCodes.done : exitCodes.refused
    })
}

async function examine(root: string): Promise<readonly Check[]> {
  const base = standingFolder(root)
  const binding = checkBinding()
  const rights = await checkRoot(root, base)
  const checks = [checkPlatform(), checkNode(), binding, rights]
  checks.push(await checkType(base), await checkRoom(base))
  if (rights.ok) checks.push(...(await examineDisk(base, binding.ok)))
  checks.push(await checkClock(root), await checkFiles(root))
  checks.push(...(await checkHost()))
  return checks
}

/** The checks that have to write something. */
async function examineDisk(base: string, hasBinding: boolean): Promise<readonly Check[]> {
  try {
    const folder = await mkdtemp(path.join(base, '.pos-kernel-doctor-'))
    try {
      const flushes = await checkFlushes(folder)
      return hasBinding ? [flushes, ...(await checkLocks(folder))] : [flushes]
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  } catch (error) {
    return [broken('disk', reasonOf(error), `nothing can be written in ${base}; free or change it`)]
  }
}

/** The root, or the nearest folder above it that exists. */
function standingFolder(root: string): string {
  let folder = root
  while (!existsSync(folder) && path.dirname(folder) !== folder) folder = path.dirname(folder)
  return folder
}

function show(ok: boolean, checks: readonly Check[]): void {
  const width = Math.max(...checks.map(({ name }) => name.length))
  for (const { name, level, value, advice } of checks) {
    print(`${level.padEnd(4)}  ${name.padEnd(width)}  ${value}`)
    if (advice !== undefined) print(`${' '.repeat(width + 8)}-> ${advice}`)
  }
  print(ok ? 'fit to sell' : 'fix what is marked "fail"')
}
