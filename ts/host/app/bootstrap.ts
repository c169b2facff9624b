/**
 * What the launcher tells an app at its start: one JSON text on an inherited pipe, so that the token of the run stands
 * neither in the environment nor in the arguments, which others can read.
 */
import fs from 'node:fs'
import { hostError } from '../error.js'

/** The environment variable that names the file descriptor. */
export const bootstrapVariable = 'POS_KERNEL_HOST_FD'

/** What an app is told. */
export interface Bootstrap {
  /** The run: `<uuid>.<generation>`, or `<uuid>.spare-<n>` for a spare until it becomes one. */
  readonly instance: string
  /** Secret of this run: whoever shows it on a socket is this instance. 64 hexadecimal digits. */
  readonly token: string
  /** The app. */
  readonly uuid: string
  readonly sockets: { readonly control: string; readonly bus: string }
  /** The app's own folder; its state is in `state` in it. */
  readonly dataFolder: string
  /** The folder of this run: what the app leaves when it fails goes there. */
  readonly instanceFolder: string
  readonly heartbeatMs: number
  /** An event loop that stands so long is hung. */
  readonly hangMs: number
  /** So long an app goes on without a supervisor. */
  readonly orphanMs: number
  readonly kind: 'app' | 'terminal'
  /** The terminal that it opens, and the store's folder; for kind `terminal`. */
  readonly terminal?: string
  readonly root?: string
  /** `startup_app` of the manifest. */
  readonly app: Readonly<Record<string, unknown>>
}

/**
 * Reads the pipe, once: it is closed then, and the variable is gone from the environment, so that no child takes
 * itself for the app. Undefined where this process was not started by a host.
 */
export function readBootstrap(): Bootstrap | undefined {
  const { [bootstrapVariable]: variable } = process.env
  if (variable === undefined) return undefined
  delete process.env[bootstrapVariable]
  const descriptor = Number(variable)
  let text = ''
  try {
    text = fs.readFileSync(descriptor, 'utf8')
    fs.closeSync(descriptor)
  } catch (error) {
    throw unreadable(`file descriptor ${variable}: ${(error as Error).message}`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw unreadable(`${text.length} characters that are no JSON`)
  }
  return bootstrapOf(value)
}

/** The value as a bootstrap; it comes from the launcher, and a wrong one means that versions do not fit. */
export function bootstrapOf(value: unknown): Bootstrap {
  if (typeof value !== 'object' || value === null) throw unreadable('no object')
  const fields = value as Record<string, unknown>
  const sockets = (fields.sockets ?? {}) as Record<string, unknown>
  const wrong = [
    ...['instance', 'token', 'uuid', 'dataFolder', 'instanceFolder'].filter(
      (name) => typeof fields[name] !== 'string',
    ),
    ...['heartbeatMs', 'hangMs', 'orphanMs'].filter((name) => !isPeriod(fields[name])),
    ...['control', 'bus']
      .filter((name) => typeof sockets[name] !== 'string')
      .map((name) => `sockets.${name}`),
    ...(fields.kind === 'app' || fields.kind === 'terminal' ? [] : ['kind']),
  ]
  if (wrong.length > 0) throw unreadable(`wrong or missing: ${wrong.join(', ')}`)
  return { app: {}, ...fields } as unknown as Bootstrap
}

function isPeriod(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function unreadable(found: string): Error {
  const message = `what the launcher told this app cannot be read: ${found}; run the launcher and the app from one version of pos-kernel`
  return hostError('HOST_PROTOCOL', message, { found, known: bootstrapVariable })
}
