/**
 * The keys of one inbox: which messages of apps lie in it, or are on their way into it.
 *
 * The inbox itself is what is remembered: the place of a file is its state, and a file has its key in it. What is kept here is
 * that, and what was sent since. After a failure it is not known whether the message became durable, so the inbox is looked
 * into again before a key that is not known is sent; keys that are known or on their way are known all the while.
 */
import { open, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { jsonOf } from '../wire/channel.js'
import { postTerminal } from './letter.js'

/** Keys that are kept before the inbox is looked into, to forget those that have left it: more than it holds. */
const keysMax = 8192
/** Files that are read at once. */
const readsMax = 32
/** In the order in which a message moves: one that moves meanwhile is seen further on. */
const folders = ['new', 'done', 'dead'] as const
const ending = new RegExp(`^[0-9a-f]{16}-${postTerminal}-[0-9a-f]{14}\\.json$`)

/** The keys of an inbox. */
export class SentKeys {
  readonly #inbox: string
  /** By key: the id of the message. */
  #known = new Map<string, string>()
  readonly #underWay = new Map<string, Promise<string>>()
  #isStale = true
  #reading: Promise<void> | undefined
  #callers = 0
  #sizeMax = keysMax

  constructor(inbox: string) {
    this.#inbox = inbox
  }

  /** True when there is nothing here that could be forgotten. */
  get isEmpty(): boolean {
    return this.#callers === 0 && this.#known.size === 0
  }

  /**
   * The id that a key became; sends it where it is neither in the inbox nor on its way. Rejects as `send` does, and where the inbox
   * cannot be read: then nothing is sent.
   */
  async once(key: string, send: () => Promise<string>): Promise<string> {
    this.#callers += 1
    try {
      return await this.#once(key, send)
    } finally {
      this.#callers -= 1
    }
  }

  async #once(key: string, send: () => Promise<string>): Promise<string> {
    for (;;) {
      const known = this.#known.get(key) ?? this.#underWay.get(key)
      if (known !== undefined) return known
      if (!this.#isStale && this.#reading === undefined) break
      await this.#read()
    }
    // Nothing else runs between the look above and this.
    const sending = this.#send(key, send)
    this.#underWay.set(key, sending)
    return sending
  }

  async #send(key: string, send: () => Promise<string>): Promise<string> {
    try {
      const id = await send()
      this.#known.set(key, id)
      if (this.#known.size > this.#sizeMax) this.#isStale = true
      return id
    } catch (error) {
      // Whether it became durable is not known of every failure: the inbox knows.
      this.#isStale = true
      throw error
    } finally {
      this.#underWay.delete(key)
    }
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readNow(): Promise<void> {
    const before = this.#known
    // A failure from now on is not answered by this look; what is sent from now on is added to what it finds.
    this.#isStale = false
    this.#known = new Map()
    try {
      const keys = new Map([...before].map(([key, id]) => [id, key]))
      for (const folder of folders) {
        const names = await namesIn(path.join(this.#inbox, folder), folder === 'new')
        for (let at = 0; at < names.length; at += readsMax) {
          const some = names.slice(at, at + readsMax).map(async (name) => {
            const id = name.slice(0, -'.json'.length)
            const key = keys.get(id) ?? keyOf(await textOf(this.#inbox, folder, name))
            if (key !== undefined) this.#known.set(key, id)
          })
          await Promise.all(some)
        }
      }
      this.#sizeMax = Math.max(keysMax, 2 * this.#known.size)
    } catch (error) {
      this.#known = new Map([...before, ...this.#known])
      this.#isStale = true
      throw error
    }
  }
}

/** The key of a message under which its app sent it. */
export function keyOfApp(fromApp: string, key: string): string {
  return `${fromApp} ${key}`
}

/** The messages in a folder, made durable where asked: who put them there may have died before it could see to that. */
async function namesIn(folder: string, isSynced: boolean): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => ending.test(name))
    if (isSynced && names.length > 0) await syncFolder(folder)
    return names
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** What a file holds, wherever it has moved meanwhile; undefined when it was forgotten. */
async function textOf(
  inbox: string,
  folder: (typeof folders)[number],
  name: string,
): Promise<Buffer | undefined> {
  for (const where of folders.slice(folders.indexOf(folder))) {
    try {
      return await readFile(path.join(inbox, where, name))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return undefined
}

function keyOf(text: Buffer | undefined): string | undefined {
  const { body } = ((text && jsonOf(text)) ?? {}) as { body?: unknown }
  const { fromApp, key } = (body ?? {}) as { fromApp?: unknown; key?: unknown }
  return typeof fromApp === 'string' && typeof key === 'string' ? keyOfApp(fromApp, key) : undefined
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
