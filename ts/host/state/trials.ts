/**
 * How often a state was tried: a state that kills whoever restores it must not do so for ever.
 *
 * Each restore counts as a crash until it is known not to be one: the app has lived for ten seconds with the state,
 * or has ended in order. So nobody needs to see a crash for it to be counted.
 *
 * ```text
 * restore    1        2        3        4          5
 * gives   current  current  current  previous   empty, and the count begins again
 * ```
 */
import fs from 'node:fs/promises'
import path from 'node:path'
import { readUntrustedJson } from '../untrusted.js'

/** Restores of the current snapshot that may end in a crash one after the other. */
export const currentTrials = 3
/** A state with which the app has lived so long did not kill it; milliseconds. */
export const trialMs = 10_000
/** Restores after which no snapshot is left to try. */
const trialsMax = currentTrials + 1

/** The count of restores that no life of ten seconds and no end in order has followed. */
export class Trials {
  readonly #file: string

  constructor(folder: string) {
    this.#file = path.join(folder, 'trials.json')
  }

  /** The count. A file that cannot be read counts nothing. */
  async count(): Promise<number> {
    const { restores } = (await readUntrustedJson(this.#file, 1024)) ?? {}
    return Number.isInteger(restores) ? Math.min(Math.max(restores as number, 0), trialsMax) : 0
  }

  /** Counts a restore, before the app has the state. */
  async begin(count: number): Promise<void> {
    const draft = `${this.#file}.tmp`
    try {
      // Not synced: a power cut forgets a crash, and the next one counts in its place.
      await fs.writeFile(draft, JSON.stringify({ restores: count + 1, at: Date.now() }))
      await fs.rename(draft, this.#file)
    } catch {
      // A full disk, or a folder under this name. The app begins all the same; the next restore finds a free name.
      await fs.rm(draft, { force: true, recursive: true }).catch(() => {})
      await this.end()
    }
  }

  /** Forgets all: the state was good, or is gone. */
  async end(): Promise<void> {
    await fs.rm(this.#file, { force: true, recursive: true }).catch(() => {})
  }
}
