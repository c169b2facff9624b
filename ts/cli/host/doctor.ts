/** `pos-kernel host doctor`: whether this machine can run a host, and what of limits and boundaries is real here. */
import { existsSync, rmSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import type { Command } from 'commander'
import { isHostError } from '../../host/error.js'
import { browserProgram } from '../../host/launcher/browser.js'
import { HostPlace } from '../../host/place.js'
import { checkSocketFolder } from '../../host/socket.js'
import { askHost } from '../../host/supervisor/operator.js'
import { broken, type Check, fine, reasonOf, risky } from '../doctor/check.js'
import { checkHost } from '../doctor/host.js'
import { exitCodes } from '../failure.js'
import { globalsOf, storeOf } from '../globals.js'
import { print, printJson } from '../output.js'

/** Registers the command. */
export function register(host: Command): void {
  host
    .command('doctor')
    .summary('whether this machine can run a host, and which limits are real here')
    .description(
      'Checks what a host stands on and says what to fix: the launcher, each ring of limits and each boundary, tried out; the ' +
        'sockets of this store, a browser, and whether its host answers. Exit 1 when something has to be fixed.',
    )
    .addHelpText('after', '\nExample:\n  pos-kernel host doctor --root ./store')
    .action(async (_options: object, command: Command) => {
      const globals = globalsOf(command)
      const root = storeOf(globals)
      const checks = [
        ...(await checkHost()),
        await checkSocket(root),
        checkBrowser(),
        await checkSupervisor(root),
      ]
      const ok = checks.every((check) => check.ok)
      if (globals.json) printJson({ ok, checks })
      else show(ok, checks)
      process.exitCode = ok ? exitCodes.done : exitCodes.refused
    })
}

/** Listens for a moment beside where the host does: its file system may have no sockets. */
async function checkSocket(root: string): Promise<Check> {
  const { controlSocket } = new HostPlace(root)
  const folder = path.dirname(controlSocket)
  if (!existsSync(folder)) return fine('host sockets', `${controlSocket}, once there is a host`)
  try {
    checkSocketFolder(controlSocket)
  } catch (error) {
    return broken(
      'host sockets',
      reasonOf(error),
      'commands and the host use no folder of another user',
    )
  }
  const trial = path.join(folder, `.doctor-${process.pid}.sock`)
  const server = net.createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(trial, resolve)
    })
    return fine('host sockets', controlSocket)
  } catch (error) {
    const advice = 'apps and commands reach the host by local sockets: put the store elsewhere'
    return broken('host sockets', reasonOf(error), advice)
  } finally {
    await new Promise((resolve) => server.close(resolve))
    rmSync(trial, { force: true })
  }
}

function checkBrowser(): Check {
  try {
    return fine('host browser', browserProgram())
  } catch (error) {
    return risky('host browser', reasonOf(error), 'needed for apps with a url alone')
  }
}

async function checkSupervisor(root: string): Promise<Check> {
  try {
    const { pid, apps, epoch } = await askHost(root, 'status', {})
    return fine('host', `process ${pid}, supervisor ${epoch}, ${apps.length} apps`)
  } catch (error) {
    if (isHostError(error, 'HOST_NOT_RUNNING')) return fine('host', 'none runs for this store')
    return risky('host', reasonOf(error), 'whoever started the host can stop and start it again')
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
