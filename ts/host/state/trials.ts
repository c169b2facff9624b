/**
 * How often a state was tried: a state that kills whoever restores it must not do so for ever.
 *
 * Each restore counts as a crash until it is known not to be one: the app has lived for ten seconds with the state,
 * has ended in order, or the host says that the run was ended from outside. So nobody needs to see a crash for it to be
 * counted, and whoever kills an app four times takes no state back. A power cut counts: nobody knows what brought it.
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

/** What is known of the runs that have the state, where there is a host. */
export interface Runs {
  /** This run. */
  readonly name: () => string
  /** True where a run had no part in its end; waits for the end. */
  readonly wasEndedFromOutside: (name: string) => Promise<boolean>
}

/** The count of restores that no life of ten seconds, no end in order and none from outside has followed. */
export class Trials {
  readonly #file: string
  readonly #runs: Runs | undefined

  constructor(folder: string, runs?: Runs) {
    this.#file = path.join(folder, 'trials.json')
    this.#runs = runs
  }

  /** The count. A file that cannot be read counts nothing. */
  async count(): Promise<number> {
    const { restores, run } = (await readUntrustedJson(this.#file, 1024)) ?? {}
    if (!Number.isInteger(restores)) return 0
    const count = Math.min(Math.max(restores as number, 0), trialsMax)
    const isSpared = count > 0 && typeof run === 'string' && (await this.#isSpared(run))
    return isSpared ? count - 1 : count
  }

  /** True for a run that had no part in its end, and for this one: it counts once. */
  async #isSpared(run: string): Promise<boolean> {
    if (this.#runs === undefined) return false
    return run === this.#runs.name() || this.#runs.wasEndedFromOutside(run)
  }

  /** Counts a restore, before the app has the state. */
  async begin(count: number): Promise<void> {
    const draft = `${this.#file}.tmp`
    try {
      // Not synced: a power cut forgets a crash, and the next one counts in its place.
      const trial = { restores: count + 1, run: this.#runs?.name(), at: Date.now() }
      await fs.writeFile(draft, JSON.stringify(trial))
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
