/**
 * The state of an app: saved whole, restored after its end whatever that was.
 *
 * ```text
 * <data>/state/
 *   current        the newest snapshot that was acknowledged; it stands there at every moment after the first save
 *   previous       the one before it
 *   draft          one that is being written; worth nothing
 *   trials.json    restores that ended in a crash, see trials.ts
 *   lock           held by the process that has the state, see lock.ts
 *   evidence/      snapshots that were damaged, or that killed the app; the newest four
 * ```
 *
 * A save writes `draft` and syncs it, gives `current` the second name `previous`, then renames `draft` to `current` and
 * syncs the folder. A cut at any point leaves a whole `current`.
 *
 * Nothing is read or written without the lock. It is taken with the first restore or save and given up by `close`, after the
 * last save, or by the end of the process; from then on this process writes nothing more. So a run that takes the place
 * of another begins from the last state of that one, whoever was started first and whoever is killed meanwhile.
 */
import fs from 'node:fs/promises'
import path from 'node:path'
import { hostError, isHostError } from '../error.js'
import { readUntrusted } from '../untrusted.js'
import { StateLock } from './lock.js'
import { type Snapshot, snapshotBytes, snapshotHeadBytes, snapshotOf } from './snapshot.js'
import { currentTrials, type Runs, Trials, trialMs } from './trials.js'

/** Bytes that the JSON text of a state may have where nothing else is said: 16 MiB. */
export const stateBytesDefault = 16 * 1024 * 1024
/** Snapshots that are kept as evidence. */
export const evidenceMax = 4

/** Which snapshot an app began from. */
export type RestoredFrom = 'none' | 'current' | 'previous' | 'empty'

/** What an app begins from. */
export interface Restored<T> {
  /**
   * `none`: there was never a state. `current`: the last that was saved. `previous`: the one before it, since the last is
   * damaged or has killed the app three times. `empty`: there were some, none of which can be used.
   */
  readonly from: RestoredFrom
  /** The state; undefined for `none` and `empty`. */
  readonly value: T | undefined
  /** Position in the app's journal that the state is of. */
  readonly offset: number
  /** The app's own version of the form of its state. */
  readonly version: number
  /** Counts the saves; 0 where there is no state. */
  readonly generation: number
  /** Why it is not the last that was saved; empty when it is. */
  readonly why: string
}

/** What a save says beside the state. */
export interface SaveOptions {
  /** Position in the app's journal that the state is of, a safe integer from 0; 0 unless said. */
  readonly offset?: number
  /** The app's own version of the form of its state, from 0 to 2^32 - 1; 0 unless said. */
  readonly version?: number
}

/** How a state store is made. */
export interface StateOptions {
  /** Bytes that the JSON text of a state may have; 16 MiB unless said. */
  readonly bytesMax?: number
  /**
   * Called when another process has the state, which is then waited for. Without this a restore and a save are refused with
   * `HOST_STATE_HELD` instead.
   */
  readonly onHeld?: () => void
  /** What the host knows of the runs of the app; without this a kill from outside counts as a crash. */
  readonly runs?: Runs
}

interface Found {
  readonly name: 'current' | 'previous'
  readonly snapshot: Snapshot
  readonly value: unknown
}

interface Waiting {
  readonly draft: Omit<Snapshot, 'generation'>
  readonly done: PromiseWithResolvers
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

/** The state of one app. One process at a time has it, which the lock sees to. */
export class StateStore {
  /** Folder that holds it. */
  readonly folder: string
  readonly #bytesMax: number
  readonly #trials: Trials
  readonly #lock: StateLock
  readonly #onHeld: (() => void) | undefined
  #taking: Promise<void> | undefined
  #isWaiting = false
  #restoring: Promise<unknown> | undefined
  #isClosed = false
  #from: RestoredFrom = 'none'
  #generation: number | undefined
  #waiting: Waiting | undefined
  #saving: Promise<void> | undefined
  #keeper: (() => unknown) | undefined
  #keeperOptions: (() => SaveOptions) | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param dataFolder - the app's own folder; the state is in `state` in it */
  constructor(
    dataFolder: string,
    { bytesMax = stateBytesDefault, onHeld, runs }: StateOptions = {},
  ) {
    this.folder = path.join(dataFolder, 'state')
    this.#bytesMax = bytesMax
    this.#onHeld = onHeld
    this.#trials = new Trials(this.folder, runs)
    this.#lock = new StateLock(path.join(this.folder, 'lock'))
  }

  /** True while a restore or a save waits for the process that has the state. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** What the last {@link restore} of this process gave. */
  get restoredFrom(): RestoredFrom {
    return this.#from
  }

  /** Generation of the last snapshot that was restored or saved; 0 before. */
  get generation(): number {
    return this.#generation ?? 0
  }

  /**
   * Gives the state that the app had. It never fails for what the files hold: a damaged snapshot is kept as
   * evidence, and the answer says what was taken instead. Under a host it waits until the run before this one has saved its
   * last state and has given it up. Whatever else an app keeps in its folder is best opened after that.
   *
   * @throws {@link HostError} `HOST_STATE_HELD` by itself, while another process has the state; `HOST_STATE` after
   * {@link close}, or where the state cannot be locked
   * @example
   * const { value = { sales: 0 }, offset } = await host.state.restore<{ sales: number }>()
   */
  async restore<T = unknown>(): Promise<Restored<T>> {
    const restoring = this.#take().then(() => this.#restore<T>())
    this.#restoring = restoring
    try {
      return await restoring
    } finally {
      if (this.#restoring === restoring) this.#restoring = undefined
    }
  }

  async #restore<T>(): Promise<Restored<T>> {
    const count = await this.#trials.count()
    const { current, previous, refused } = await this.#load()
    const good: Found[] = []
    for (const found of [current, previous]) {
      if (found === undefined) continue
      // A save that was cut left one snapshot under both names.
      const isCurrent = found.snapshot.generation === this.#generation
      if (count < currentTrials || (!isCurrent && count === currentTrials)) {
        good.push(found)
        continue
      }
      const { generation } = found.snapshot
      refused.push(
        `the app crashed soon after each of ${count} restores, generation ${generation} the last`,
      )
      await this.#setAside(found.name)
    }
    const [best] = good
    this.#from = best?.name ?? (refused.length > 0 ? 'empty' : 'none')
    if (best === undefined) await this.#trials.end()
    else await this.#try(count)
    return {
      from: this.#from,
      value: best?.value as T | undefined,
      offset: best?.snapshot.offset ?? 0,
      version: best?.snapshot.version ?? 0,
      generation: best?.snapshot.generation ?? 0,
      why: refused.join('; '),
    }
  }

  /**
   * Saves the state, taken as it is at the call. Durable when the promise resolves. Of saves that wait for each other only
   * the last is written, and all resolve with it.
   *
   * @throws {@link HostError} `HOST_STATE_TOO_LARGE`; `HOST_ARGUMENT` for what is no JSON; `HOST_STATE` when the disk refuses
   * and after {@link close}; `HOST_STATE_HELD` as {@link restore}. The state that was saved before is then still there.
   */
  save(value: unknown, { offset = 0, version = 0 }: SaveOptions = {}): Promise<void> {
    let draft: Omit<Snapshot, 'generation'>
    try {
      draft = { value: this.#bytesOf(value), ...checkedNumbers(offset, version) }
    } catch (error) {
      return Promise.reject(error)
    }
    if (this.#isClosed) return Promise.reject(givenUp(this.folder))
    const done = this.#waiting?.done ?? withResolvers()
    this.#waiting = { draft, done }
    this.#saving ??= this.#saveAll()
    return done.promise
  }

  /**
   * Names the state, so that the host can save it when the app drains. The functions are called then.
   *
   * @example
   * host.state.keep(() => counts, () => ({ offset: journal.offset }))
   */
  keep(value: () => unknown, options: () => SaveOptions = () => ({})): void {
    this.#keeper = value
    this.#keeperOptions = options
  }

  /**
   * Saves what {@link keep} named; false when nothing was named. An app that ends before it had its state has none to save:
   * what it named then is not what it would have begun from.
   */
  async saveKept(): Promise<boolean> {
    if (this.#keeper === undefined || this.#restoring !== undefined) return false
    await this.#makeFolder()
    if (this.#isClosed || !this.#lock.take()) return false
    await this.save(this.#keeper(), this.#keeperOptions?.() ?? {})
    return true
  }

  /** Ends in order: what waits is saved, the restore counts as good, and the state is given up. May be called again. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#restoring?.catch(() => {})
    await this.#saving?.catch(() => {})
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      await this.#trials.end()
    }
    this.letGo()
  }

  /**
   * Gives the state up as the end of the process does: nothing more is saved, and the restore counts as a crash.
   *
   * @internal
   */
  letGo(): void {
    this.#isClosed = true
    this.#lock.release()
  }

  /** From here on this process has the state. */
  #take(): Promise<void> {
    if (this.#isClosed) return Promise.reject(givenUp(this.folder))
    this.#taking ??= this.#takeNow().catch((error: unknown) => {
      this.#taking = undefined
      throw error
    })
    return this.#taking
  }

  async #takeNow(): Promise<void> {
    await this.#makeFolder()
    if (this.#lock.take()) return
    if (this.#onHeld === undefined) throw heldError(this.folder)
    this.#isWaiting = true
    try {
      this.#onHeld()
      await this.#lock.wait(() => this.#isClosed)
    } finally {
      this.#isWaiting = false
    }
    if (!this.#lock.isHeld) throw givenUp(this.folder)
  }

  async #try(count: number): Promise<void> {
    await this.#trials.begin(count)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#trials.end()
    }, trialMs).unref()
  }

  /** What stands there; what is damaged is set aside first. */
  async #load(): Promise<{ current?: Found; previous?: Found; refused: string[] }> {
    const loaded: { current?: Found; previous?: Found; refused: string[] } = { refused: [] }
    for (const name of ['current', 'previous'] as const) {
      const found = await this.#read(name)
      if (typeof found === 'string') {
        loaded.refused.push(`the ${name} snapshot is damaged: ${found}`)
        await this.#setAside(name)
      } else if (found !== undefined) loaded[name] = found
    }
    const { current, previous } = loaded
    this.#generation = Math.max(
      current?.snapshot.generation ?? 0,
      previous?.snapshot.generation ?? 0,
    )
    return loaded
  }

  async #read(name: 'current' | 'previous'): Promise<Found | string | undefined> {
    const bytes = await readUntrusted(this.#path(name), this.#bytesMax + snapshotHeadBytes)
    if (bytes === 'missing') return undefined
    if (typeof bytes === 'string') return `it is ${bytes}`
    const snapshot = snapshotOf(bytes)
    if (typeof snapshot === 'string') return snapshot
    try {
      return { name, snapshot, value: JSON.parse(snapshot.value.toString('utf8')) }
    } catch {
      return 'its value is no JSON'
    }
  }

  async #makeFolder(): Promise<void> {
    try {
      await fs.mkdir(this.folder, { recursive: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw stateError(this.folder, error)
      // Something that is no folder has its name.
      await fs.rename(this.folder, `${this.folder}.damaged`)
      await fs.mkdir(this.folder)
    }
  }

  /** Keeps a snapshot that cannot be used, and of those the newest few. */
  async #setAside(name: 'current' | 'previous'): Promise<void> {
    const evidence = this.#path('evidence')
    try {
      await fs.mkdir(evidence, { recursive: true })
      await fs.rename(this.#path(name), path.join(evidence, `${Date.now()}-${name}`))
      const kept = (await fs.readdir(evidence)).sort(byTime)
      for (const old of kept.slice(0, -evidenceMax))
        await fs.rm(path.join(evidence, old), { force: true, recursive: true })
    } catch {
      // What cannot be kept must not come back either.
      await fs.rm(this.#path(name), { force: true, recursive: true }).catch(() => {})
    }
  }

  async #saveAll(): Promise<void> {
    try {
      while (this.#waiting !== undefined) {
        const { draft, done } = this.#waiting
        this.#waiting = undefined
        try {
          await this.#write(draft)
          done.resolve()
        } catch (error) {
          done.reject(isHostError(error) ? error : stateError(this.folder, error))
        }
      }
    } finally {
      this.#saving = undefined
    }
  }

  async #write(draft: Omit<Snapshot, 'generation'>): Promise<void> {
    if (!this.#lock.isHeld) await this.#take()
    await this.#makeFolder()
    if (this.#generation === undefined) await this.#load()
    const generation = this.generation + 1
    await writeSynced(this.#path('draft'), snapshotBytes({ generation, ...draft }))
    await this.#keepPrevious()
    await fs.rename(this.#path('draft'), this.#path('current'))
    await syncFolder(this.folder)
    this.#generation = generation
  }

  /** `current` is also `previous` until the rename that follows. */
  async #keepPrevious(): Promise<void> {
    const link = this.#path('previous.tmp')
    await fs.rm(link, { force: true, recursive: true })
    try {
      await fs.link(this.#path('current'), link)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      // A file system without second names.
      await fs.copyFile(this.#path('current'), link)
    }
    await fs.rename(link, this.#path('previous'))
  }

  #path(name: string): string {
    return path.join(this.folder, name)
  }

  #bytesOf(value: unknown): Buffer {
    let text: string | undefined
    try {
      text = JSON.stringify(value)
    } catch (error) {
      throw notJson(String(error))
    }
    if (text === undefined) throw notJson(`a ${typeof value} has no JSON text`)
    const bytes = Buffer.byteLength(text)
    if (bytes <= this.#bytesMax) return Buffer.from(text)
    const message = `a state of ${bytes} bytes; at most ${this.#bytesMax}: keep the rest in a journal of the app and save its offset`
    throw hostError('HOST_STATE_TOO_LARGE', message, { bytes, limit: this.#bytesMax })
  }
}

function byTime(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10)
}

function checkedNumbers(offset: number, version: number): { offset: number; version: number } {
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw wrongNumber('offset', offset, 'a safe integer from 0')
  if (!Number.isInteger(version) || version < 0 || version > 0xffff_ffff)
    throw wrongNumber('version', version, 'a whole number from 0 to 4294967295')
  return { offset, version }
}

function wrongNumber(name: string, value: number, limit: string): Error {
  const message = `save: ${name} is ${value}; it must be ${limit}`
  return hostError('HOST_ARGUMENT', message, { method: 'save', path: name, value, limit })
}

function notJson(why: string): Error {
  const message = `save: the state is no JSON: ${why}`
  return hostError('HOST_ARGUMENT', message, { method: 'save', path: 'value', value: why })
}

function heldError(folder: string): Error {
  const message = `the state in ${folder} is another process's; end that one first, or give this app a folder of its own`
  return hostError('HOST_STATE_HELD', message, { path: folder })
}

function givenUp(folder: string): Error {
  const message = `the state in ${folder} was given up when this app was closed; save before that`
  return hostError('HOST_STATE', message, { path: folder, reason: 'closed' })
}

function stateError(folder: string, error: unknown): Error {
  const { code = 'unknown', message } = error as NodeJS.ErrnoException
  return hostError('HOST_STATE', `the state in ${folder} was not saved: ${message}`, {
    path: folder,
    reason: code,
  })
}

async function writeSynced(file: string, bytes: Buffer): Promise<void> {
  // A draft of an earlier life may be anything; it is not followed and not written into.
  await fs.rm(file, { force: true, recursive: true })
  const handle = await fs.open(file, 'wx', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows syncs no folders, and needs it not.
  if (process.platform === 'win32') return
  const handle = await fs.open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function withResolvers(): PromiseWithResolvers {
  let resolve = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<void>((done, fail) => {
    resolve = done
    reject = fail
  })
  return { promise, resolve, reject }
}
