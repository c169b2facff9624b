/**
 * Who has a state: one process at a time. The lock of the operating system is the truth, as it is for a host: it is free as
 * soon as its holder has given it up or is dead, however it died. So the next process reads the state after the last
 * write of the one before it, and nobody has to be believed for that.
 */
import { lstatSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { binding } from '../../native.js'
import { hostError } from '../error.js'

/** Milliseconds between two looks whether the state is free. */
const lookMs = 5

/** The lock of one state. */
export class StateLock {
  readonly #file: string
  #held: { release(): void } | undefined

  /** @param file - is made when the lock is first taken, and never removed */
  constructor(file: string) {
    this.#file = file
  }

  /** True while this has it. */
  get isHeld(): boolean {
    return this.#held !== undefined
  }

  /** Takes it where it is free, and says whether this has it now. */
  take(): boolean {
    this.#held ??= this.#try() ?? undefined
    return this.isHeld
  }

  /** Takes it as soon as it is free, unless `isGivenUp` comes first. */
  async wait(isGivenUp: () => boolean): Promise<void> {
    while (!isGivenUp() && !this.take()) await delay(lookMs)
  }

  /** Frees it. May be called again. */
  release(): void {
    this.#held?.release()
    this.#held = undefined
  }

  #try() {
    try {
      return binding().tryLockFile(this.#file)
    } catch {
      try {
        // A lock is never removed, whoever has it; something else that has its name is.
        if (!lstatSync(this.#file).isFile()) rmSync(this.#file, { force: true, recursive: true })
        return binding().tryLockFile(this.#file)
      } catch (error) {
        const { message } = error as Error
        throw hostError('HOST_STATE', `the state cannot be locked: ${message}`, {
          path: this.#file,
          reason: message,
        })
      }
    }
  }
}
