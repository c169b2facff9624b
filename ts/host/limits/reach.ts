/**
 * What of the file system stays within an app's reach where the kernel has Landlock: what any program needs of the
 * system, the runtime and the app's own package to read; its own folders, and what its manifest names, to write.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { hostError } from '../error.js'
import { browserProgram } from '../launcher/browser.js'
import type { AppManifest } from '../manifest/manifest.js'
import type { HostPlace } from '../place.js'

/** From `ts/host/limits` as from `dist/host/limits`. */
const packageFolder = path.resolve(fileURLToPath(new URL('../../..', import.meta.url)))

const systemRead = [
  ...['/usr', '/lib', '/lib32', '/lib64', '/bin', '/sbin', '/opt', '/etc', '/proc'],
  ...['/sys/devices/system/cpu', '/sys/fs/cgroup', '/run/systemd/resolve'],
  ...['/dev/urandom', '/dev/random', '/dev/zero', '/dev/full'],
]
const systemWrite = ['/dev/null']
/**
 * What a browser needs beside that: shared memory and the graphics processor of the machine, and its own entries of
 * `/proc`, in which it maps the users of the namespaces that its sandbox is made of.
 */
const browserWrite = ['/dev/shm', '/dev/dri', '/proc']

/** Reach of an app. */
export function reachOf(
  place: HostPlace,
  app: AppManifest,
  instance: string,
): { read: string[]; write: string[]; tcp: boolean } {
  const { startup_app: startup, permissions } = app
  const { url } = startup
  const isOfStore = permissions.store || startup.kind === 'terminal'
  const own = url === undefined ? runtimeFolders(startup.script) : pageFolders(url)
  return {
    read: [...systemRead, ...own, ...permissions.read].filter(existsSync),
    write: [
      ...systemWrite,
      ...(url === undefined ? [] : browserWrite.filter(existsSync)),
      place.app(startup.uuid, 'data'),
      place.instance(instance),
      ...permissions.write,
      ...(isOfStore ? storeFolders(place.root, startup.terminal) : []),
    ],
    // A page is fetched over TCP.
    tcp: permissions.network || url !== undefined,
  }
}

/** The browser, and the folder of a page that is a file. */
function pageFolders(url: string): string[] {
  const browser = path.dirname(realpathSync(browserProgram()))
  return [browser, ...(url.startsWith('file:') ? [path.dirname(fileURLToPath(url))] : [])]
}

/** The runtime, this package, the app's package, and the folders that modules are looked up in from there. */
export function runtimeFolders(script: string | undefined): string[] {
  const runtime = path.dirname(path.dirname(realpathSync(process.execPath)))
  const folders = [runtime === '/' ? path.dirname(realpathSync(process.execPath)) : runtime]
  for (const from of [path.join(packageFolder, 'index.js'), script]) {
    if (from !== undefined) folders.push(...moduleFolders(from))
  }
  return [...new Set(folders)]
}

/** The package that a module is in, and each `node_modules` above it; without a package, the module's folder. */
function moduleFolders(from: string): string[] {
  const found: string[] = []
  let own: string | undefined
  const begin = existsSync(from) ? realpathSync(from) : from
  for (let folder = path.dirname(begin); ; folder = path.dirname(folder)) {
    if (own === undefined && existsSync(path.join(folder, 'package.json'))) own = folder
    const modules = path.join(folder, 'node_modules')
    if (existsSync(modules)) found.push(realpathSync(modules))
    if (folder === path.dirname(folder)) break
  }
  return [own ?? path.dirname(begin), ...found]
}

/** A store but for what the host keeps in it: keys, other apps' folders, reports. */
function storeFolders(root: string, terminal: string | undefined): string[] {
  // The kernel makes a new entry durable up to the folder that the store is in, which is out of the app's reach.
  makeDurable(root, ['terminals', ...(terminal === undefined ? [] : [terminal])])
  makeDurable(root, ['shared'])
  return readdirSync(root)
    .filter((name) => name !== 'host')
    .map((name) => path.join(root, name))
}

/**
 * Makes folders below a store, its owner's like the store itself, each durable before the next. The owner's apps may write
 * here at this very moment: each folder is opened, no link is followed, and what is given away is what was opened.
 */
function makeDurable(root: string, names: readonly string[]): void {
  const { uid, gid } = statSync(root)
  const open: number[] = [openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)]
  try {
    let shown = root
    for (const name of names) {
      const above = open.at(-1) as number
      const within = `/proc/self/fd/${above}/${name}`
      shown = path.join(shown, name)
      const isNew = isMade(within)
      const folder = openFolder(within, shown)
      open.push(folder)
      if (!isNew) continue
      // What stands there may be another folder by now, and not ours to give.
      if (process.getuid?.() === 0 && fstatSync(folder).uid === 0) fchownSync(folder, uid, gid)
      fsyncSync(above)
    }
  } finally {
    for (const descriptor of open) closeSync(descriptor)
  }
  syncFolder(path.dirname(root))
}

/** Makes a folder; false where something stands there. */
function isMade(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function openFolder(folder: string, shown: string): number {
  try {
    return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException
    const message = `${shown} is a link or no folder (${code}); put a folder in its place`
    throw hostError('HOST_LAUNCH', message, { path: shown, step: 'store', errno })
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
