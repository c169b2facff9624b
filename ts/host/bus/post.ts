/**
 * The post office: puts durable messages of apps into the inboxes of the store's terminals, for apps that may not
 * touch the store's folder, and numbers them in the name of one terminal of its own.
 *
 * ```text
 * app -- request host/post {to, kind, body, key} --> post office -- messages.send --> inbox, durable --> bell
 *     <- {id} ------------------------------------
 * ```
 * A message counts once in two steps. Into the inbox: the same key of the same app is the same message; what a post
 * office that died had sent already is found in the inbox itself, where the place of a file is its state. Out of the
 * inbox: the journal of the terminal, as for every message of the kernel.
 */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { openTerminal, type Terminal } from '../../kernel/terminal.js'
import { hostError } from '../error.js'
import { jsonBytes, jsonOf } from '../wire/channel.js'
import type { BusSender } from './bus.js'
import { postTerminal } from './letter.js'

/** Keys of one inbox that are remembered: as many as an inbox keeps messages, waiting and received. */
const keysMax = 8192
const keyPattern = /^[\x21-\x7e]{1,64}$/

/** A durable message to be. */
export interface Order {
  readonly to: string
  readonly kind: string
  readonly body: unknown
  readonly key: string
  readonly ttlMs: number | undefined
}

/** A post office. */
export class PostOffice {
  readonly #root: string
  #terminal: Promise<Terminal> | undefined
  /** By inbox: the id that a key became, or is becoming. */
  readonly #sent = new Map<string, Promise<Map<string, Promise<string>>>>()

  constructor(root: string) {
    this.#root = root
  }

  /** Does what a request on the bus orders, and gives its answer. */
  async answer(payload: Buffer, sender: BusSender): Promise<Uint8Array> {
    return jsonBytes({ id: await this.send(orderOf(payload), appOf(sender)) })
  }

  /** Sends a message; durable when this resolves. */
  async send(order: Order, fromApp: string): Promise<string> {
    const sent = await this.#keysOf(order.to)
    const name = `${fromApp} ${order.key}`
    const known = sent.get(name)
    if (known !== undefined) return known
    const sending = this.#send(order, fromApp)
    sent.set(name, sending)
    if (sent.size > keysMax) sent.delete(sent.keys().next().value as string)
    try {
      return await sending
    } catch (error) {
      // Whether it became durable is not known of every failure: the inbox knows.
      this.#sent.delete(order.to)
      throw error
    }
  }

  /** Closes its terminal. */
  async close(): Promise<void> {
    const terminal = this.#terminal
    this.#terminal = undefined
    if (terminal !== undefined) await (await terminal).close()
  }

  async #send({ to, kind, body, key, ttlMs }: Order, fromApp: string): Promise<string> {
    const terminal = await this.#open()
    const sent = await terminal.messages.send({ to, kind, body: { fromApp, key, body }, ttlMs })
    return sent.id
  }

  #open(): Promise<Terminal> {
    this.#terminal ??= openTerminal({ root: this.#root, id: postTerminal }).catch((error) => {
      this.#terminal = undefined
      throw error
    })
    return this.#terminal
  }

  #keysOf(to: string): Promise<Map<string, Promise<string>>> {
    let keys = this.#sent.get(to)
    if (keys === undefined) {
      keys = this.#read(to)
      this.#sent.set(to, keys)
      keys.catch(() => this.#sent.delete(to))
    }
    return keys
  }

  /** The keys of what lies in an inbox, waiting, received or dead. */
  async #read(to: string): Promise<Map<string, Promise<string>>> {
    const keys = new Map<string, Promise<string>>()
    const inbox = path.join(this.#root, 'shared', 'cross_terminal_messages', 'terminal_inbox', to)
    const ending = new RegExp(`^[0-9a-f]{16}-${postTerminal}-[0-9a-f]{14}\\.json$`)
    for (const folder of ['new', 'done', 'dead']) {
      const names = await readdir(path.join(inbox, folder)).catch(() => [])
      for (const name of names.filter((it) => ending.test(it)).sort()) {
        // A file may move on while it is looked for, from new: looked into first, so none is stepped over.
        const text = await textOf(inbox, folder, name)
        const { body } = (jsonOf(text) ?? {}) as { body?: { fromApp?: unknown; key?: unknown } }
        if (typeof body?.fromApp !== 'string' || typeof body.key !== 'string') continue
        keys.set(`${body.fromApp} ${body.key}`, Promise.resolve(name.slice(0, -'.json'.length)))
      }
    }
    return keys
  }
}

async function textOf(inbox: string, folder: string, name: string): Promise<Buffer> {
  for (const where of [folder, 'done', 'dead']) {
    const text = await readFile(path.join(inbox, where, name)).catch(() => undefined)
    if (text !== undefined) return text
  }
  return Buffer.alloc(0)
}

function appOf({ instance }: BusSender): string {
  return instance.startsWith('host/') ? instance : instance.slice(0, instance.lastIndexOf('.'))
}

function orderOf(payload: Buffer): Order {
  const value = (jsonOf(payload) ?? {}) as Record<string, unknown>
  const { to, kind, body, key, ttlMs } = value
  if (typeof to !== 'string' || !/^[A-Za-z0-9_-]{1,32}$/.test(to)) throw refused('toTerminal', to)
  // The kernel's own kinds are for the host and its terminals to send.
  if (typeof kind !== 'string' || !kind.startsWith('x.')) throw refused('kind', kind)
  if (typeof key !== 'string' || !keyPattern.test(key)) throw refused('key', key)
  if (body === undefined) throw refused('body', body)
  if (ttlMs !== undefined && typeof ttlMs !== 'number') throw refused('timeToLiveMs', ttlMs)
  return { to, kind, body, key, ttlMs }
}

function refused(name: string, value: unknown): Error {
  const message = `post: ${name} is ${JSON.stringify(value)}, which is refused`
  return hostError('HOST_ARGUMENT', message, { method: 'post', path: name, value })
}
