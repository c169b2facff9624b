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
import path from 'node:path'
import { openTerminal, type Terminal } from '../../kernel/terminal.js'
import { hostError } from '../error.js'
import { jsonBytes, jsonOf } from '../wire/channel.js'
import type { BusSender } from './bus.js'
import { postTerminal } from './letter.js'
import { keyOfApp, SentKeys } from './sent-keys.js'

const keyPattern = /^[\x21-\x7e]{1,64}$/
/** The kernel's own kinds are for the host and its terminals to send. */
const kindPattern = /^x\.[a-z0-9._-]{1,62}$/
/** A message of the kernel has at most 256 KiB; what is around the body has less than one. */
const bodyBytesMax = 255 * 1024
/** A hundred years: a moment can be written up to the year 2262. */
const timeToLiveMsMax = 100 * 366 * 86_400_000

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
  /** By inbox. */
  readonly #sent = new Map<string, SentKeys>()

  constructor(root: string) {
    this.#root = root
  }

  /** Does what a request on the bus orders, and gives its answer. */
  async answer(payload: Buffer, sender: BusSender): Promise<Uint8Array> {
    return jsonBytes({ id: await this.send(orderOf(payload), appOf(sender)) })
  }

  /** Sends a message; durable when this resolves. */
  async send(order: Order, fromApp: string): Promise<string> {
    const { to } = order
    // Who has the terminal is the only one that sends in its name: what is not in the inbox then is on its way from nowhere else.
    const terminal = await this.#open()
    const keys = this.#sent.get(to) ?? new SentKeys(inboxOf(this.#root, to))
    this.#sent.set(to, keys)
    try {
      return await keys.once(keyOfApp(fromApp, order.key), () => post(terminal, order, fromApp))
    } catch (error) {
      // Names of inboxes that are none are not kept.
      if (keys.isEmpty && this.#sent.get(to) === keys) this.#sent.delete(to)
      throw error
    }
  }

  /** Closes its terminal. */
  async close(): Promise<void> {
    const terminal = this.#terminal
    this.#terminal = undefined
    if (terminal !== undefined) await (await terminal).close()
  }

  #open(): Promise<Terminal> {
    this.#terminal ??= openTerminal({ root: this.#root, id: postTerminal }).catch((error) => {
      this.#terminal = undefined
      throw error
    })
    return this.#terminal
  }
}

async function post(
  terminal: Terminal,
  { to, kind, body, key, ttlMs }: Order,
  fromApp: string,
): Promise<string> {
  const sent = await terminal.messages.send({ to, kind, body: { fromApp, key, body }, ttlMs })
  return sent.id
}

function inboxOf(root: string, to: string): string {
  return path.join(root, 'shared', 'cross_terminal_messages', 'terminal_inbox', to)
}

function appOf({ instance }: BusSender): string {
  return instance.startsWith('host/') ? instance : instance.slice(0, instance.lastIndexOf('.'))
}

function orderOf(payload: Buffer): Order {
  const value = (jsonOf(payload) ?? {}) as Record<string, unknown>
  const { to, kind, body, key, ttlMs } = value
  if (typeof to !== 'string' || !/^[A-Za-z0-9_-]{1,32}$/.test(to)) throw refused('toTerminal', to)
  if (typeof kind !== 'string' || !kindPattern.test(kind)) throw refused('kind', kind)
  if (typeof key !== 'string' || !keyPattern.test(key)) throw refused('key', key)
  if (body === undefined) throw refused('body', body)
  const bytes = jsonBytes(body).length
  if (bytes > bodyBytesMax) {
    const message = `post: a body of ${bytes} bytes; at most ${bodyBytesMax}: send a reference to larger content`
    throw hostError('HOST_TOO_LARGE', message, { bytes, limit: bodyBytesMax })
  }
  if (ttlMs !== undefined && !isTimeToLive(ttlMs)) throw refused('timeToLiveMs', ttlMs)
  return { to, kind, body, key, ttlMs }
}

function isTimeToLive(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= timeToLiveMsMax
}

function refused(name: string, value: unknown): Error {
  const shown = (JSON.stringify(value) ?? 'missing').slice(0, 80)
  const message = `post: ${name} is ${shown}, which is refused`
  return hostError('HOST_ARGUMENT', message, { method: 'post', path: name, value: shown })
}
