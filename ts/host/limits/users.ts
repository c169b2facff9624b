/**
 * A user of its own for each app, where the host is root: what one app writes no other can read, and no app can
 * signal, trace or ask `/proc` about another.
 *
 * The numbers come from a range that belongs to the store: its beginning is made from the store's path, above all
 * numbers that systems and containers give out, and is written down with each app's number in `users.json`. Apps
 * that may open terminals of the store run as the owner of the store's folder instead, without capabilities.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { hostError } from '../error.js'
import type { AppManifest } from '../manifest/manifest.js'
import type { HostPlace } from '../place.js'

/** Where ranges begin, how many there are, and how many apps one holds. */
const uidMin = 1_000_000_000
const ranges = 1_000_000
const rangeSize = 1000

/** A user and its group. */
export interface User {
  readonly uid: number
  readonly gid: number
}

interface Book {
  readonly base: number
  readonly users: Record<string, number>
}

/** The users of one store's apps. */
export class Users {
  readonly #place: HostPlace
  #book: Book | undefined

  constructor(place: HostPlace) {
    this.#place = place
  }

  /** True where this process may change users. */
  static get canChange(): boolean {
    return process.getuid?.() === 0
  }

  /** Who an app runs as. The number is written down before it is used. */
  userOf(app: AppManifest): User {
    const { uuid, kind } = app.startup_app
    if (app.permissions.store || kind === 'terminal') {
      const { uid, gid } = statSync(this.#place.root)
      return { uid, gid }
    }
    const book = this.#read()
    let uid = book.users[uuid]
    if (uid === undefined) {
      const taken = new Set(Object.values(book.users))
      uid = book.base
      while (taken.has(uid)) uid += 1
      if (uid >= book.base + rangeSize) {
        throw hostError(
          'HOST_LIMIT_UNSUPPORTED',
          `${uuid} gets no user of its own: the ${rangeSize} numbers of this store are taken; remove apps that are gone from ${this.#file}`,
          { limit: 'user', ring: 'user', reason: `${rangeSize} users are taken` },
        )
      }
      book.users[uuid] = uid
      this.#write(book)
    }
    return { uid, gid: uid }
  }

  #write(book: Book): void {
    const next = `${this.#file}.new`
    writeFileSync(next, `${JSON.stringify(book)}\n`, { mode: 0o600, flush: true })
    renameSync(next, this.#file)
  }

  get #file(): string {
    return this.#place.file('users.json')
  }

  #read(): Book {
    this.#book ??= this.#written() ?? { base: baseOf(this.#place.root), users: {} }
    return this.#book
  }

  #written(): Book | undefined {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as Book
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw hostError('HOST_STATE', `${this.#file} cannot be read: ${String(error)}`, {
        path: this.#file,
        reason: String(error),
      })
    }
  }
}

function baseOf(root: string): number {
  const digest = createHash('sha256').update(realpathSync(root)).digest()
  return uidMin + (digest.readUInt32BE() % ranges) * rangeSize
}

/**
 * Gives an app's folders to its user. The folder of the instance stays the host's, and the app may write in it but not
 * remove what others put there: its launcher writes how it ended.
 */
export function giveFolders(
  folders: { readonly data: string; readonly instance: string },
  user: User,
): void {
  chownSync(folders.data, user.uid, user.gid)
  chmodSync(folders.data, 0o700)
  chownSync(folders.instance, process.getuid?.() ?? 0, user.gid)
  chmodSync(folders.instance, 0o1770)
}

/** The first of these paths that users without rights cannot read; undefined when they read all. */
export function unreadable(paths: readonly string[]): string | undefined {
  return paths.find((name) => {
    const whole = realpathSync(name)
    return (statSync(whole).mode & 0o004) === 0 || closedFolder(path.dirname(whole)) !== undefined
  })
}

/** The first folder on the way to here, itself counted, that users without rights cannot go through. */
export function closedFolder(folder: string): string | undefined {
  for (let above = realpathSync(folder); ; above = path.dirname(above)) {
    if ((statSync(above).mode & 0o001) === 0) return above
    if (above === path.dirname(above)) return undefined
  }
}
