/**
 * Where the program `pos-kernel-launch` is: beside the package where it was built from source, else in the
 * package of this platform, where the binding is too. `POS_KERNEL_LAUNCH` names another one.
 */
import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { hostError } from '../error.js'

const program = 'pos-kernel-launch'
/** From `ts/host/launcher` as from `dist/host/launcher`. */
const packageFolder = fileURLToPath(new URL('../../..', import.meta.url))

let found: string | undefined

/** Path of the launcher. Rejects with `HOST_UNSUPPORTED` where there is none. */
export function launcherProgram(): string {
  const named = process.env.POS_KERNEL_LAUNCH
  if (named !== undefined && named !== '') return firstOf([path.resolve(named)])
  found ??= find()
  return found
}

function find(): string {
  if (process.platform !== 'linux') {
    const reason = `the launcher of apps is for Linux; this is ${process.platform}`
    throw hostError('HOST_UNSUPPORTED', `the host does not start here: ${reason}`, {
      what: 'launcher',
      reason,
    })
  }
  const places = [path.join(packageFolder, program)]
  try {
    const require = createRequire(import.meta.url)
    places.push(
      path.join(path.dirname(require.resolve(`${platformPackage()}/package.json`)), program),
    )
  } catch {
    // The package of the platform is not installed; the source build may be.
  }
  return firstOf(places)
}

/** The first of these that can be run. */
function firstOf(places: readonly string[]): string {
  for (const place of places) {
    try {
      accessSync(place, constants.X_OK)
      return place
    } catch {
      // The next place.
    }
  }
  const reason = `${program} is not at ${places.join(', nor at ')}`
  throw hostError(
    'HOST_UNSUPPORTED',
    `the host does not start here: ${reason}; install ${platformPackage()}, or run "node scripts/build.mjs launch" in the package`,
    { what: 'launcher', reason },
  )
}

function platformPackage(): string {
  return `pos-kernel-linux-${process.arch}-${libc()}`
}

/** Which C library a binary for this process needs. */
function libc(): 'gnu' | 'musl' {
  const report = process.report?.getReport() as
    | { header: { glibcVersionRuntime?: string } }
    | undefined
  return report?.header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'
}
