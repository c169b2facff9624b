/** What the process host stands on: the launcher, each ring of limits, each boundary around an app. */
import { existsSync, readFileSync } from 'node:fs'
import { isHostError } from '../../host/error.js'
import { electronLacks } from '../../host/launcher/electron-parts.js'
import { launcherProgram } from '../../host/launcher/program.js'
import { probeBoundaries, probeRings } from '../../host/limits/probe.js'
import { broken, type Check, fine, risky } from './check.js'

/** The checks of the host. Each tries the thing out: groups are made and removed, a program is started and ended. */
export async function checkHost(): Promise<readonly Check[]> {
  try {
    const launcher = fine('host launcher', launcherProgram())
    return [
      launcher,
      ...checkRings(),
      ...(await checkBoundaries()),
      checkChromium(),
      electronNote(),
    ]
  } catch (error) {
    if (!isHostError(error, 'HOST_UNSUPPORTED')) throw error
    return [
      risky('host launcher', String(error.facts.reason), 'needed for "pos-kernel host" alone'),
    ]
  }
}

function checkRings(): readonly Check[] {
  const { rings, groups } = probeRings('doctor')
  groups?.close()
  const checks = (['memory', 'cpu', 'processes'] as const).map((limit) => {
    const [best, ...others] = rings[limit] as readonly string[]
    const name = `host limit: ${limit}`
    if (best === undefined) return risky(name, 'nothing holds it', mendOf(rings.missing))
    const value = [best, ...others].join(', then ')
    const isHard = best !== 'poll' && best !== 'launcher'
    return isHard ? fine(name, value) : risky(name, value, mendOf(rings.missing))
  })
  const missing = rings.missing.map(({ ring, reason, mend }) =>
    // One version of control groups is enough.
    groups !== undefined && ring.startsWith('cgroup')
      ? fine(`host ring: ${ring}`, `not used: ${reason}`)
      : risky(`host ring: ${ring}`, reason, mend),
  )
  return [...checks, ...missing]
}

const mendOf = (missing: readonly { readonly mend: string }[]) =>
  missing.map(({ mend }) => mend).join('; or ')

async function checkBoundaries(): Promise<readonly Check[]> {
  const held = await probeBoundaries()
  if (typeof held === 'string') {
    return [broken('host boundaries', held, 'apps cannot be started until this is mended')]
  }
  const isRoot = process.getuid?.() === 0
  return [
    isRoot
      ? fine('host boundary: user', 'each app gets a user of its own')
      : risky(
          'host boundary: user',
          'apps run as the user of the host',
          'start the host as root, which then gives each app a user of its own',
        ),
    held.noNewPrivs
      ? fine('host boundary: no_new_privs', 'no program that an app starts gains rights')
      : risky('host boundary: no_new_privs', 'not held', 'use Linux 3.5 or newer'),
    held.landlock === 'full'
      ? fine(
          'host boundary: Landlock',
          'an app reaches its own folders and what its manifest names',
        )
      : risky(
          'host boundary: Landlock',
          held.landlock === 'partial' ? 'held in part: the kernel is older' : 'not in this kernel',
          'use Linux 6.10 or newer with landlock among its security modules',
        ),
    ...(isRoot || held.landlock !== 'none'
      ? []
      : [
          risky(
            'host boundary: records',
            'an app can write what the host knows of its run',
            'start the host as root, or use a kernel with Landlock',
          ),
        ]),
  ]
}

/** What no machine gives an app that Electron starts. */
function electronNote(): Check {
  const { survival, confinement } = electronLacks
  return fine('host under Electron', `not around its apps: ${confinement.join(', ')}; ${survival}`)
}

/** Chromium's own sandbox needs namespaces of an ordinary user. */
function checkChromium(): Check {
  const name = 'host boundary: Chromium sandbox'
  const advice = 'pages run without the browser sandbox until ordinary users may make namespaces'
  const number = (file: string) =>
    existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
  const namespaces = number('/proc/sys/user/max_user_namespaces')
  if (namespaces === undefined) return risky(name, 'the kernel has no user namespaces', advice)
  if (namespaces === 0) return risky(name, 'user.max_user_namespaces is 0', advice)
  if (number('/proc/sys/kernel/unprivileged_userns_clone') === 0)
    return risky(name, 'kernel.unprivileged_userns_clone is 0', advice)
  if (number('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1)
    return risky(name, 'kernel.apparmor_restrict_unprivileged_userns is 1', advice)
  return fine(name, `${namespaces} user namespaces`)
}
