/**
 * The terminals of a kernel service: those of one store, which share its log. Each is opened once, whoever
 * comes for it, and closed with the service.
 */
import { posError } from '../kernel/errors.js'
import { openStore, type Store, type StoreTerminalOptions } from '../kernel/store.js'
import type { NearTerminal } from '../kernel/terminal.js'

/** How the terminals of a service are opened; the id comes from the client. */
export type ServedOptions = Omit<StoreTerminalOptions, 'id'>

/** The terminals of a service by id. */
export class ServedTerminals {
  readonly #root: string
  readonly #options: ServedOptions
  readonly #allowed: ReadonlySet<string> | undefined
  readonly #testWallNs: bigint | undefined
  #store: Promise<Store> | undefined
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
    const opening = this.#open(id)
    this.#opening.set(id, opening)
    opening.catch(() => this.#opening.delete(id))
    return opening
  }

  /** Closes them all, and their store. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#opening.values())
    this.#opening.clear()
    const store = await this.#store?.catch(() => undefined)
    await store?.close()
  }

  async #open(id: string): Promise<NearTerminal> {
    this.#store ??= openStore({ root: this.#root })
    const opening = this.#store
    // Whoever asks next may find that nobody has the store any more.
    const store = await opening.catch((thrown: unknown) => {
      if (this.#store === opening) this.#store = undefined
      throw thrown
    })
    return store.openNear({ ...this.#options, id }, this.#testWallNs)
  }
}

function notServed(terminal: string, allowed: readonly string[]): Error {
  const message = `terminal ${terminal} is not served here; there are ${allowed.join(', ')}`
  return posError('PK_E_NOT_ALLOWED', message, { terminal, allowed })
}
