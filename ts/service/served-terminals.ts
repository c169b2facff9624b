/**
 * The terminals of a kernel service: opened once, whoever comes for them, and closed with it.
 *
 * `openForService` is the one place that knows how a terminal of a service is opened.
 */
import { posError } from '../kernel/errors.js'
import { type NearTerminal, openNear, type TerminalOptions } from '../kernel/terminal.js'

/** How the terminals of a service are opened; the id comes from the client. */
export type ServedOptions = Omit<TerminalOptions, 'id' | 'root'>

/** Opens a terminal that a service has. */
function openForService(
  root: string,
  id: string,
  options: ServedOptions,
  testWallNs: bigint | undefined,
): Promise<NearTerminal> {
  return openNear({ ...options, root, id }, testWallNs)
}

/** The terminals of a service by id. */
export class ServedTerminals {
  readonly #root: string
  readonly #options: ServedOptions
  readonly #allowed: ReadonlySet<string> | undefined
  readonly #testWallNs: bigint | undefined
  readonly #opening = new Map<string, Promise<NearTerminal>>()

  /** @param allowed - the terminals that may be opened; any when left out */
  constructor(
    root: string,
    options: ServedOptions,
    allowed: readonly string[] | undefined,
    testWallNs: bigint | undefined,
  ) {
    this.#root = root
    this.#options = options
    this.#allowed = allowed === undefined ? undefined : new Set(allowed)
    this.#testWallNs = testWallNs
  }

  /** Ids of those that are open or being opened. */
  get ids(): string[] {
    return [...this.#opening.keys()].sort()
  }

  /** Gives a terminal, opened by now. One that could not be opened may be asked for again. */
  get(id: string): Promise<NearTerminal> {
    const known = this.#opening.get(id)
    if (known !== undefined) return known
    if (this.#allowed !== undefined && !this.#allowed.has(id)) {
      return Promise.reject(notServed(id, [...this.#allowed]))
    }
    const opening = openForService(this.#root, id, this.#options, this.#testWallNs)
    this.#opening.set(id, opening)
    opening.catch(() => this.#opening.delete(id))
    return opening
  }

  /** Closes them all; the first failure is thrown once all have been tried. */
  async close(): Promise<void> {
    const closing = [...this.#opening.values()].map(async (opening) => {
      const opened = await opening.catch(() => undefined)
      await opened?.terminal.close()
    })
    this.#opening.clear()
    for (const ended of await Promise.allSettled(closing)) {
      if (ended.status === 'rejected') throw ended.reason
    }
  }
}

function notServed(terminal: string, allowed: readonly string[]): Error {
  const message = `terminal ${terminal} is not served here; there are ${allowed.join(', ')}`
  return posError('PK_E_NOT_ALLOWED', message, { terminal, allowed })
}
