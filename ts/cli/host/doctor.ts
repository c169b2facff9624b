/** `pos-kernel host doctor`: whether this machine can run a host, and what of limits and boundaries is real here. */
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import { browserProgram } from '../../host/launcher/browser.js'
import { launcherProgram } from '../../host/launcher/program.js'
import { HostPlace } from '../../host/place.js'
import { askHost } from '../../host/supervisor/operator.js'
import { broken, type Check, fine, reasonOf, risky } from '../doctor/check.js'
import { exitCodes } from '../failure.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson } from '../output.js'
import { governorOf } from './governor.js'

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('doctor')
    .summary('whether this machine can run a host, and which limits are real here')
    .description(
      'Checks what a host stands on and says what to fix: the launcher, sockets, browser, the rings of limits and the host ' +
        'itself. Exit 1 when something has to be fixed.',
    )
    .addHelpText('after', '\nExample:\n  pos-kernel host doctor --root ./store')
    .action(async (_options: object, command: Command) => {
      const globals = globalsOf(command)
      const root = storeOf(globals)
      const checks = [
        checkLauncher(),
        await checkSocket(root),
        checkBrowser(),
        ...(await checkRings(root)),
        await checkHost(root),
      ]
      const ok = checks.every((check) => check.ok)
      if (globals.json) printJson({ ok, checks })
      else show(ok, checks)
      process.exitCode = ok ? exitCodes.done : exitCodes.refused
    })
}

function checkLauncher(): Check {
  try {
    return fine('launcher', launcherProgram())
  } catch (error) {
    return broken('launcher', reasonOf(error), 'without it no app can be started')
  }
}

/** Listens for a moment where the host would: the path may be too long, or on a file system without sockets. */
async function checkSocket(root: string): Promise<Check> {
  const { controlSocket } = new HostPlace(root)
  const length = Buffer.byteLength(controlSocket)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-doctor-'))
  const server = net.createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path.join(folder, 'x.sock'), resolve)
    })
    return fine('sockets', `${controlSocket}, ${length} bytes`)
  } catch (error) {
    return broken('sockets', reasonOf(error), 'apps and commands reach the host by local sockets')
  } finally {
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true, force: true })
  }
}

function checkBrowser(): Check {
  try {
    return fine('browser', browserProgram())
  } catch (error) {
    return risky('browser', reasonOf(error), 'apps with a url need it; those with a script do not')
  }
}

async function checkRings(root: string): Promise<readonly Check[]> {
  const { rings } = await governorOf(root)
  const held = (['memory', 'cpu', 'processes'] as const).flatMap((name) => {
    const means = rings[name]
    return means.length === 0 ? [] : [fine(`limit ${name}`, means.join(', then '))]
  })
  const missing = rings.missing.map(({ ring, reason, mend }) => risky(`ring ${ring}`, reason, mend))
  return [...held, ...missing]
}

async function checkHost(root: string): Promise<Check> {
  try {
    const { pid, apps, epoch } = await askHost(root, 'status', {})
    return fine('host', `process ${pid}, supervisor ${epoch}, ${apps.length} apps`)
  } catch (error) {
    return fine('host', reasonOf(error))
  }
}

function show(ok: boolean, checks: readonly Check[]): void {
  const width = Math.max(...checks.map(({ name }) => name.length))
  for (const { name, level, value, advice } of checks) {
    print(`${level.padEnd(4)}  ${name.padEnd(width)}  ${value}`)
    if (advice !== undefined) print(`${' '.repeat(width + 8)}-> ${advice}`)
  }
  print(ok ? 'fit to run a host' : 'fix what is marked "fail"')
}
