/**
 * Which browser runs pages, and with what it is started: one process tree, one profile and one origin an app.
 *
 * Chromium's own sandbox stays on. It needs an ordinary user and user namespaces, or its setuid helper: where neither
 * is to be had, an app with `isolation: "required"` is refused and another runs with the host's own boundaries alone.
 */
import { accessSync, constants, readFileSync } from 'node:fs'
import path from 'node:path'
import { hostError } from '../error.js'

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'microsoft-edge',
]

/** Path of the browser: `POS_KERNEL_CHROMIUM`, or the first on the PATH. Throws `HOST_UNSUPPORTED`. */
export function browserProgram(): string {
  const named = process.env.POS_KERNEL_CHROMIUM
  if (named !== undefined && named !== '') return path.resolve(named)
  const folders = (process.env.PATH ?? '/usr/bin').split(path.delimiter)
  for (const name of names) {
    for (const folder of folders) {
      const place = path.join(folder, name)
      try {
        accessSync(place, constants.X_OK)
        return place
      } catch {
        // The next place.
      }
    }
  }
  const reason = `none of ${names.join(', ')} is on the PATH`
  throw hostError(
    'HOST_UNSUPPORTED',
    `apps with a url need a browser: ${reason}; install chromium, or name it in POS_KERNEL_CHROMIUM`,
    { what: 'browser', reason },
  )
}

/** True where an ordinary user may make the namespaces of the browser's sandbox. */
export function hasUserNamespaces(): boolean {
  const read = (file: string) => {
    try {
      return Number(readFileSync(file, 'utf8'))
    } catch {
      return Number.NaN
    }
  }
  const isForbidden =
    read('/proc/sys/kernel/unprivileged_userns_clone') === 0 ||
    read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1
  return !isForbidden && read('/proc/sys/user/max_user_namespaces') > 0
}

/** The arguments of a browser of one app. */
export function browserArgs(order: {
  readonly profile: string
  readonly width: number
  readonly height: number
  readonly hasSandbox: boolean
  readonly hasDisplay: boolean
}): string[] {
  return [
    ...(order.hasDisplay ? ['--app=about:blank'] : ['--headless=new', '--disable-gpu']),
    ...(order.hasSandbox ? [] : ['--no-sandbox']),
    '--remote-debugging-pipe',
    `--user-data-dir=${order.profile}`,
    `--window-size=${order.width},${order.height}`,
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-sync',
    '--disable-breakpad',
    '--disable-component-update',
    '--disable-default-apps',
    '--disable-extensions',
    '--disable-features=Translate,MediaRouter,OptimizationHints',
    '--password-store=basic',
    // A till behind another window works on.
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding',
    'about:blank',
  ]
}
