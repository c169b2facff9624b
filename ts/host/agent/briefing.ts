/**
 * What the supervisor tells the agent, and what it takes from it: the agent runs as a user of its own and reads none of the
 * host's files.
 *
 * ```text
 * agent --- briefing ------------> supervisor     {records, key, port}: the directory, the key of this store, where it was before
 *       --- note listening {port} ->              written down, so that pages are sent there, and the next agent goes there too
 *       --- start {uuid} ---------->              as a message to an app that does not run: not against a person's wish
 *       --- follow ---------------->              from now on the events `ended` and `lost`
 * ```
 */
import { randomBytes } from 'node:crypto'
import { hostError } from '../error.js'
import type { AppManifest } from '../manifest/manifest.js'
import type { HostPlace } from '../place.js'
import { AppDirectory, type AppRecord } from './directory.js'
import { keyOf, readAddress, writeAddress } from './place.js'

/** What an agent begins with. */
export interface Briefing {
  /** The apps. */
  readonly records: readonly AppRecord[]
  /** By which pages are known again: hexadecimal digits. */
  readonly key: string
  /** Where an agent of this store listened before; null where none did. */
  readonly port: number | null
}

/** The supervisor's side. */
export class AgentDesk {
  readonly #place: HostPlace
  readonly #apps: readonly AppManifest[]

  /** @param apps - those of the manifest */
  constructor(place: HostPlace, apps: readonly AppManifest[]) {
    this.#place = place
    this.#apps = apps
  }

  /** For an agent that begins. */
  briefing(): Briefing {
    const key = keyOf(this.#place, () => randomBytes(32)).toString('hex')
    const port = readAddress(this.#place)?.port ?? null
    return { records: AppDirectory.of(this.#apps).records, key, port }
  }

  /** An agent listens; what it says is written down where it is a port. */
  listens(value: unknown): void {
    const { port } = (value ?? {}) as { port?: unknown }
    if (!Number.isInteger(port) || Number(port) <= 0 || Number(port) >= 65_536) return
    try {
      writeAddress(this.#place, { port: Number(port) })
    } catch {
      // A full disk costs pages the way to the agent, not the supervisor.
    }
  }
}

/** What the supervisor answered. It is of the same version, which the hello has shown. */
export function briefingOf(value: unknown): Briefing {
  const { records, key, port } = (value ?? {}) as Partial<Briefing>
  if (Array.isArray(records) && typeof key === 'string') return { records, key, port: port ?? null }
  const message =
    'what the supervisor told the desktop agent is no briefing; start both from one version of pos-kernel'
  throw hostError('HOST_PROTOCOL', message, { found: typeof value, known: 'briefing' })
}
