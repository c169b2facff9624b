/**
 * Messages between the terminals of a store.
 *
 * A message is durable unless it says that it is not: it stands in the inbox of its terminal, on the
 * device, before `send` resolves, and its terminal receives it once, open or not, now or when it opens.
 * A transient one (`transient: true`: presence, a progress bar, who is typing) goes to terminals that
 * listen at this moment, over a socket alone, in tens of microseconds; nobody keeps it.
 *
 * ```text
 * send  ----> inbox, durable ----> bell over the socket ----> receive -> handler -> accept (journal)
 *                                  peer down: found at the next look, or when it opens
 * send transient ------------------> message over the socket ----> handler
 * ```
 * Read `link/link.ts` for the sockets; the inbox is the kernel's.
 */
import { randomUUID } from 'node:crypto'
import { type FSWatcher, mkdirSync, watch } from 'node:fs'
import path from 'node:path'
import type { NativeOutgoing, NativeTerminal } from '../native.js'
import type { Crossing } from './crossing.js'
import { posError, toPosError } from './errors.js'
import { checkNames, list, numberOf, optionalFlag, text, wrong } from './input.js'
import { type Frame, frameBytes, frameBytesMax, isTransientKind } from './link/frames.js'
import { Link } from './link/link.js'
import { type Acknowledgement, acknowledgements, storeTerminals } from './store-state.js'

/** A message as it is received. */
export interface Message {
  /** Its id, which can be used as an idempotency key for what it asks. */
  readonly id: string
  /** Terminal that sent it. */
  readonly from: string
  /** Terminal that it goes to; `*` for all others. */
  readonly to: string
  /** `SystemShutdown`, `ConfigurationChange`, `GlobalAuditRequest`, `ManagerReport`, or `x.` and a name. */
  readonly kind: string
  /** When it was sent, ISO 8601 in UTC. */
  readonly sentAt: string
  /** When it is worth nothing any more. */
  readonly expiresAt?: string
  /** What it says. */
  readonly body: unknown
  /** It came over the socket alone; absent for a durable one. */
  readonly transient?: true
}

/** A message to all others. */
export interface Announcement {
  /** One of the kernel's kinds, or `x.` and up to 62 of `a-z 0-9 . _ -`. */
  readonly kind: string
  /** What it says: anything that JSON can, up to 256 KiB. */
  readonly body: unknown
  /** Milliseconds after which it is worth nothing any more; for ever when left out. */
  readonly ttlMs?: number | undefined
  /** It goes to those who listen now, and is kept by nobody; kinds `x.` alone. */
  readonly transient?: boolean | undefined
}

/** A message to one terminal. */
export interface Letter extends Announcement {
  /** Terminal id. */
  readonly to: string
}

/** A message was sent. */
export interface Sent {
  /** Its id. */
  readonly id: string
  /** Of a transient one: a peer that listens has it. Of a durable one always true: the inbox has it. */
  readonly delivered: boolean
}

/** A message was sent to all others. */
export interface SentToAll {
  /** Its id. */
  readonly id: string
  /** The terminals that have it: in their inboxes, or, of a transient one, over their sockets. */
  readonly sent: readonly string[]
  /** Inboxes that would not take it. */
  readonly refused: readonly {
    /** Terminal id. */
    readonly terminal: string
    /** Why. */
    readonly code: string
    /** The same in words. */
    readonly message: string
  }[]
}

/**
 * Does what a message asks. The message is accepted when it returns or resolves. When it throws, the
 * message comes again, up to five times; then it is given up.
 */
export type MessageHandler = (message: Message) => void | Promise<void>

const letterNames = new Set(['to', 'kind', 'body', 'ttlMs', 'transient'])
const announcementNames = new Set(['kind', 'body', 'ttlMs', 'transient'])
const batch = 64
const attemptsMax = 5
/** Where the system does not tell what comes into a folder, an inbox is looked into so often: a host of C rings no bell. */
const lookMs = 1000
/** Where it does, in case that it told something to nobody: a folder on another machine's disk may be changed there. */
const lookAllTheSameMs = 10_000
/** What the system tells of was most often told by a bell, or is what was taken out: no hurry. */
const hintMs = 100
/** Who listens is asked anew after so long. */
const peersMs = 1000

/** The messages of a terminal. `terminal.messages` is one. */
export class Messages {
  readonly #crossing: Crossing
  readonly #root: string
  readonly #link: Link
  #handler: MessageHandler | undefined
  #looking: Promise<void> | undefined
  #isAskedAgain = false
  #timer: NodeJS.Timeout | undefined
  #watch: FSWatcher | undefined
  #hinted: NodeJS.Timeout | undefined
  readonly #attempts = new Map<string, number>()
  #peers: { readonly at: number; readonly ids: readonly string[] } | undefined
  readonly #waiters = new Map<string, Set<() => void>>()

  /** @internal */
  constructor(crossing: Crossing, root: string) {
    this.#crossing = crossing
    this.#root = root
    this.#link = new Link(root, crossing.id, (frame) => this.#hear(frame))
  }

  /**
   * Sends a message to a terminal of the same store.
   *
   * Durable when the promise resolves, unless it is transient: its terminal will receive it, once.
   *
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND` for a terminal that the store has not,
   * `PK_E_INBOX_FULL`, `PK_E_CLOSED`
   * @throws {@link InputError} `PK_E_BAD_MESSAGE`, `PK_E_BAD_ID`, `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT`
   * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`, `PK_E_NO_SPACE`
   * @example
   * await terminal.messages.send({ to: 'TILL_02', kind: 'x.note', body: { text: 'more coins' } })
   */
  async send(letter: Letter): Promise<Sent> {
    checkNames('message', letter, letterNames)
    const to = text('to', letter.to)
    if (optionalFlag('transient', letter.transient)) {
      const { id, bytes } = this.#transient(letter, to)
      return { id, delivered: await this.#link.say(to, bytes) }
    }
    const outgoing = outgoingOf(letter)
    const { id } = await this.#call<Message>('send', (native) => native.send(to, outgoing))
    await this.#link.ring(to)
    return { id, delivered: true }
  }

  /**
   * Sends a message to all other terminals of the store, open or not; a transient one to those that
   * listen.
   *
   * Durable when the promise resolves, unless it is transient: those that it names will receive it, once.
   *
   * @throws as {@link send}; an inbox that does not take it is told in the answer
   * @example
   * const { sent } = await terminal.messages.broadcast({ kind: 'x.price', body: { sku: 'tea' } })
   */
  async broadcast(announcement: Announcement): Promise<SentToAll> {
    checkNames('message', announcement, announcementNames)
    if (optionalFlag('transient', announcement.transient)) {
      const { id, bytes } = this.#transient(announcement, '*')
      const peers = await this.#listening()
      const heard = await Promise.all(peers.map((peer) => this.#link.say(peer, bytes)))
      return { id, sent: peers.filter((_, index) => heard[index]), refused: [] }
    }
    const outgoing = outgoingOf(announcement)
    return this.#spread('broadcast', (native) => native.broadcast(outgoing))
  }

  /** As {@link broadcast}, of what the kernel itself announces. @internal */
  async announceShutdown(reason: string, graceMs: number): Promise<SentToAll> {
    return this.#spread('announceShutdown', (native) => native.announceShutdown(reason, graceMs))
  }

  /**
   * Listens: the handler gets each message, in the order of its sender, and what it has done is
   * accepted. A terminal has one handler. Messages that wait already come at once. The process may end
   * while it listens.
   *
   * A durable message is accepted after the handler: a process that dies in between gets it again. What
   * it asks of the kernel happens once when its id is the idempotency key.
   *
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT` for a second handler
   * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`
   * @example
   * await terminal.messages.onMessage((message) => console.log(message.kind, message.body))
   */
  async onMessage(handler: MessageHandler): Promise<void> {
    if (typeof handler !== 'function') throw wrong('handler', handler, 'a function')
    if (this.#handler !== undefined) throw wrong('handler', handler, 'one handler only')
    this.#handler = handler
    try {
      await this.#link.listen()
    } catch (thrown) {
      this.#handler = undefined
      throw this.#crossing.failure('onMessage', asFile(thrown))
    }
    this.#watchInbox()
    this.#look()
  }

  /**
   * The messages that wait, in the order in which they have to be accepted. For hosts that ask instead
   * of listening.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`
   * @example
   * const waiting = await terminal.messages.receive()
   * await terminal.messages.accept(waiting.map(({ id }) => id))
   */
  receive(most: number = batch): Promise<readonly Message[]> {
    return this.#call('receive', (native) => native.receive(numberOf('most', most)))
  }

  /**
   * Accepts up to 64 messages; answers how many were new.
   *
   * Durable when the promise resolves: each stands in the journal, once.
   *
   * @throws {@link InputError} `PK_E_BAD_MESSAGE`, `PK_E_BAD_ARGUMENT` for one before an earlier one of
   * its sender, `PK_E_LIMIT`
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND` for one that does not wait, `PK_E_CLOSED`
   * @throws {@link StorageError} `PK_E_IO`, `PK_E_NO_SPACE`, `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * await terminal.messages.accept([message.id])
   */
  async accept(ids: readonly string[]): Promise<number> {
    const texts = list('ids', ids).map((id) => text('id', id))
    const count = await this.#crossing.read('accept', (native) => native.accept(texts))
    this.#tellSenders(texts)
    return count
  }

  /**
   * Gives a message up: it is moved to the folder `dead` of the inbox, with this reason.
   *
   * @throws {@link InputError} `PK_E_BAD_MESSAGE`, `PK_E_BAD_TEXT`
   * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`
   * @example
   * await terminal.messages.giveUp(message.id, 'there is no such printer')
   */
  async giveUp(id: string, reason: string): Promise<void> {
    const why = text('reason', reason)
    await this.#crossing.read('giveUp', (native) => native.giveUp(text('id', id), why))
    this.#tellSenders([id])
  }

  /**
   * What became of a message that this terminal sent.
   *
   * @throws {@link InputError} `PK_E_BAD_MESSAGE`
   * @throws {@link StorageError} `PK_E_IO`
   * @example
   * const became = await terminal.messages.acknowledgements(message.id)
   * console.log(became.filter(({ state }) => state === 'waiting').length)
   */
  acknowledgements(id: string): Promise<readonly Acknowledgement[]> {
    return acknowledgements(this.#root, id)
  }

  /**
   * Waits until a message was received by, or is dead at, all of these terminals, or until the time is
   * over; answers what became of it.
   *
   * @example
   * const { id, sent } = await terminal.messages.broadcast({ kind: 'x.note', body: 1 })
   * const became = await terminal.messages.acknowledged(id, sent, { timeoutMs: 5000 })
   */
  async acknowledged(
    id: string,
    terminals: readonly string[],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<readonly Acknowledgement[]> {
    const until = performance.now() + timeoutMs
    for (;;) {
      const heard = this.#next(id, Math.min(100, until - performance.now()))
      const became = await this.acknowledgements(id)
      const settled = new Set(
        became.filter((it) => it.state !== 'waiting').map((it) => it.terminal),
      )
      if (terminals.every((terminal) => settled.has(terminal)) || performance.now() >= until) {
        heard.cancel()
        return became
      }
      await heard.promise
    }
  }

  /** Resolves once what is being handled is accepted. Not for a handler to wait for. @internal */
  async idle(): Promise<void> {
    await this.#looking
  }

  /** Stops listening; what waits stays. @internal */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    clearTimeout(this.#hinted)
    this.#watch?.close()
    this.#handler = undefined
    await this.#link.close()
  }

  async #spread(
    operation: string,
    call: (native: NativeTerminal) => Promise<string>,
  ): Promise<SentToAll> {
    type Spread = Omit<SentToAll, 'id'> & { readonly message: Message }
    const { message, sent, refused } = await this.#call<Spread>(operation, call)
    await Promise.all(sent.map((peer) => this.#link.ring(peer)))
    return { id: message.id, sent, refused }
  }

  async #call<T>(operation: string, call: (native: NativeTerminal) => Promise<string>): Promise<T> {
    return JSON.parse(await this.#crossing.read(operation, async (native) => call(native))) as T
  }

  #transient({ kind, body }: Announcement, to: string): { id: string; bytes: Buffer } {
    // A closed terminal says nothing any more.
    this.#crossing.ask('send', () => undefined)
    if (!isTransientKind(kind)) {
      const found = 'only kinds of the host, x. and a name, can be transient'
      throw posError('PK_E_BAD_MESSAGE', `a message cannot be sent: ${found}`, { found })
    }
    const id = randomUUID()
    const from = this.#crossing.id
    const sentAt = new Date().toISOString()
    const bytes = frameBytes({ t: 'message', message: { id, from, to, kind, sentAt, body } })
    if (bytes !== undefined) return { id, bytes }
    const facts = { what: 'bytes of a message', value: frameBytesMax + 1, limit: frameBytesMax }
    throw posError('PK_E_LIMIT', `a message is over the limit of ${frameBytesMax} bytes`, facts)
  }

  async #listening(): Promise<readonly string[]> {
    if (this.#peers !== undefined && performance.now() - this.#peers.at < peersMs) {
      return this.#peers.ids
    }
    const found = await storeTerminals(this.#root)
    const open = found.filter(({ state }) => state === 'active' || state === 'draining')
    const ids = open.map(({ id }) => id).filter((id) => id !== this.#crossing.id)
    this.#peers = { at: performance.now(), ids }
    return ids
  }

  #hear(frame: Frame): void {
    switch (frame.t) {
      case 'bell':
        this.#look()
        return
      case 'done':
        for (const wake of this.#waiters.get(frame.id) ?? []) wake()
        return
      case 'message':
        this.#handleTransient({ ...frame.message, transient: true })
    }
  }

  #handleTransient(message: Message): void {
    if (message.to !== '*' && message.to !== this.#crossing.id) return
    // It has no second attempt: whoever handles it hears of its own failure.
    void (async () => this.#handler?.(message))().catch((thrown) => {
      this.#crossing.failure('onMessage', thrown)
    })
  }

  /** A terminal at rest is woken by what comes and hardly ever by a clock. */
  #watchInbox(): void {
    const inbox = inboxOf(this.#root, this.#crossing.id)
    try {
      // The first sender completes it, and makes it durable with what it puts there.
      mkdirSync(inbox, { recursive: true })
      this.#watch = watch(inbox, { persistent: false }, () => {
        this.#hinted ??= setTimeout(() => {
          this.#hinted = undefined
          this.#look()
        }, hintMs).unref()
      })
      this.#watch.on('error', () => {
        this.#watch?.close()
        this.#lookEvery(lookMs)
      })
      this.#lookEvery(lookAllTheSameMs)
    } catch {
      // So many folders are watched already that the system watches no more.
      this.#lookEvery(lookMs)
    }
  }

  #lookEvery(ms: number): void {
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.#look(), ms).unref()
  }

  #look(): void {
    if (this.#looking !== undefined) {
      this.#isAskedAgain = true
      return
    }
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = undefined
      if (!this.#isAskedAgain) return
      this.#isAskedAgain = false
      this.#look()
    })
  }

  async #lookOnce(): Promise<void> {
    try {
      for (;;) {
        if (this.#handler === undefined || this.#crossing.isClosed) return
        const waiting = await this.receive(batch)
        if (waiting.length === 0 || !(await this.#handle(waiting))) return
      }
    } catch (thrown) {
      // It was told already; the next bell or look tries again.
      toPosError(thrown)
    }
  }

  /** Handles messages in order and accepts those that are done; false when one has to come again. */
  async #handle(waiting: readonly Message[]): Promise<boolean> {
    const done: string[] = []
    for (const message of waiting) {
      try {
        await this.#handler?.(message)
        this.#attempts.delete(message.id)
        done.push(message.id)
      } catch (thrown) {
        this.#crossing.failure('onMessage', thrown)
        await this.#settle(done)
        return this.#failed(message, thrown)
      }
      if (this.#handler === undefined) break
    }
    await this.#settle(done)
    return true
  }

  async #settle(done: readonly string[]): Promise<void> {
    // The handler may have closed the terminal: then the next owner finds the message again.
    if (done.length > 0 && !this.#crossing.isClosed) await this.accept(done)
  }

  async #failed({ id }: Message, thrown: unknown): Promise<boolean> {
    const attempts = (this.#attempts.get(id) ?? 0) + 1
    this.#attempts.set(id, attempts)
    if (attempts < attemptsMax) {
      setTimeout(() => this.#look(), 50 * 2 ** attempts).unref()
      return false
    }
    this.#attempts.delete(id)
    const said = thrown instanceof Error ? thrown.message : String(thrown)
    const plain = said.replace(/\p{Cc}+/gu, ' ').slice(0, 80)
    await this.giveUp(id, `its handler failed ${attempts} times: ${plain}`)
    return true
  }

  #tellSenders(ids: readonly string[]): void {
    const by = this.#crossing.id
    for (const id of ids) {
      const from = /^[0-9a-f]{16}-(.+)-[0-9a-f]{14}$/.exec(id)?.[1]
      const bytes = frameBytes({ t: 'done', id, by })
      if (from !== undefined && from !== by && bytes !== undefined) void this.#link.say(from, bytes)
    }
  }

  /** The next news of a message, or the end of a time. */
  #next(id: string, ms: number): { promise: Promise<void>; cancel: () => void } {
    let cancel = () => {}
    const promise = new Promise<void>((resolve) => {
      const waiters = this.#waiters.get(id) ?? new Set()
      this.#waiters.set(id, waiters)
      const end = () => {
        clearTimeout(timer)
        waiters.delete(end)
        if (waiters.size === 0) this.#waiters.delete(id)
        resolve()
      }
      const timer = setTimeout(end, Math.max(0, ms))
      waiters.add(end)
      cancel = end
    })
    return { promise, cancel }
  }
}

/** Where the kernel puts what a terminal has to receive. */
function inboxOf(root: string, id: string): string {
  return path.join(root, 'shared', 'cross_terminal_messages', 'terminal_inbox', id, 'new')
}

function outgoingOf({ kind, body, ttlMs }: Announcement): NativeOutgoing {
  const json = JSON.stringify(body)
  if (json === undefined) {
    const found = 'its body is nothing that JSON can say'
    throw posError('PK_E_BAD_MESSAGE', `a message cannot be sent: ${found}`, { found })
  }
  const outgoing: NativeOutgoing = { kind: text('kind', kind), body: json }
  if (ttlMs !== undefined) outgoing.ttlMs = numberOf('ttlMs', ttlMs)
  return outgoing
}

/** A failure of Node's sockets and files as one of ours. */
function asFile(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !('syscall' in thrown)) return thrown
  const { syscall, code, path } = thrown as NodeJS.ErrnoException
  const facts = {
    operation: syscall ?? 'listen',
    ...(path && { path }),
    ...(code && { osCode: code }),
  }
  return posError('PK_E_IO', thrown.message, facts, thrown)
}
