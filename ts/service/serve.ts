/**
 * A kernel service: one process that has the journals, behind a local socket.
 *
 * The socket, its peers and their back-pressure are the binding's; here its work is run, a batch at a
 * time, and what the batch answers is sent at once. Read `desk.ts` for what becomes of a request.
 */
import { posError, toPosError } from '../kernel/errors.js'
import { checkNames, list, optionalText, text, wrong } from '../kernel/input.js'
import { listTerminals } from '../kernel/inspect.js'
import { rootOf } from '../kernel/terminal.js'
import { binding, type NativeService, type NativeServiceLimits, packageVersion } from '../native.js'
import { type Answers, Desk, jsonOf } from './desk.js'
import { type Frame, kinds, Packet, type Work, workOf } from './packet.js'
import { type ServedOptions, ServedTerminals } from './served-terminals.js'

/** How to serve a store. */
export interface ServeOptions extends ServedOptions {
  /** Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
  readonly root?: string | undefined
  /** Path of the socket, at most 103 bytes; else `service/service.sock` in the root. */
  readonly socket?: string | undefined
  /**
   * The terminals that clients may use, each opened at once and made where it does not exist; `any`
   * opens whatever a client names. When left out: those that the store has.
   */
  readonly terminals?: readonly string[] | 'any' | undefined
  /** User ids that may connect besides the one of this process. Only where the system tells. */
  readonly allowUids?: readonly number[] | undefined
}

/** What only tests set. */
export interface ServeTestOptions {
  readonly limits?: NativeServiceLimits
  readonly testWallNs?: bigint
}

const optionNames = new Set([
  'root',
  'socket',
  'terminals',
  'allowUids',
  'durability',
  'segmentBytes',
  'create',
  'signing',
  'archive',
  'attendance',
])

/**
 * Serves a store to other processes of this machine.
 *
 * The terminals are open, and the socket listens, when the promise resolves.
 *
 * @throws {@link LockError} `PK_E_SERVICE_IN_USE` when another process serves there,
 * `PK_E_TERMINAL_IN_USE` when one has a terminal open
 * @throws {@link InputError} `PK_E_LIMIT` for a socket path that is too long, `PK_E_BAD_ARGUMENT`, and
 * as {@link openTerminal}
 * @throws {@link SaleStateError} `PK_E_UNSUPPORTED` where there are no Unix sockets
 * @throws {@link StorageError} as {@link openTerminal}
 * @example
 * await using service = await serveStore({ root: './store', terminals: ['TILL_01', 'TILL_02'] })
 * console.log(service.socket)
 */
export function serveStore(options: ServeOptions = {}): Promise<KernelService> {
  return serveFor(options, {})
}

/** As {@link serveStore}, with what tests set. */
export async function serveFor(
  options: ServeOptions,
  { limits, testWallNs }: ServeTestOptions,
): Promise<KernelService> {
  checkNames('options', options, optionNames)
  const { root: _, socket, terminals, allowUids, ...terminal } = options
  const root = rootOf(options.root)
  const ids = terminals === 'any' ? undefined : idsOf(terminals, root)
  const served = new ServedTerminals(root, terminal, ids, testWallNs)
  const path = optionalText('socket', socket)
  const allowed = uidsOf(allowUids)
  const service = new KernelService(root, served, (onWork) =>
    binding().startService(
      {
        root,
        allowed,
        package: packageVersion(),
        ...(path !== undefined && { socket: path }),
        ...(limits !== undefined && { limits }),
      },
      onWork,
    ),
  )
  try {
    await Promise.all((ids ?? []).map((id) => served.get(id)))
  } catch (thrown) {
    await service.stop()
    throw toPosError(thrown)
  }
  return service
}

/** A store that is served. {@link serveStore} makes one. */
export class KernelService implements AsyncDisposable {
  /** Root folder, absolute. */
  readonly root: string
  /** Path of the socket. */
  readonly socket: string
  readonly #native: NativeService
  readonly #served: ServedTerminals
  readonly #desks = new Map<number, Desk | Frame[]>()
  readonly #packet = new Packet()
  readonly #answers: Answers
  #isSending = false
  #stopping: Promise<void> | undefined

  /** @internal */
  constructor(root: string, served: ServedTerminals, start: (onWork: () => void) => NativeService) {
    this.root = root
    this.#served = served
    this.#answers = {
      value: ({ connection }, number, value) => {
        this.#put(connection, kinds.answer, number, (packet) => packet.text(jsonOf(value)))
      },
      error: ({ connection }, number, error) => this.#tell(connection, kinds.error, number, error),
      sold: ({ connection }, number, texts, numbers, count) => {
        this.#put(connection, kinds.sold, number, (packet) => packet.sale(texts, numbers, count))
      },
    }
    try {
      this.#native = start(() => this.#work())
    } catch (thrown) {
      throw toPosError(thrown)
    }
    this.socket = this.#native.socket()
  }

  /** Ids of the terminals that are open. */
  get terminals(): readonly string[] {
    return this.#served.ids
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#native.connections()
  }

  /**
   * Stops in order: nobody connects and nothing is taken any more, what was taken is answered, then
   * the terminals are closed. Stopping twice is stopping once.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Stops at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    await this.#native.stop()
    await this.#served.close()
  }

  #work(): void {
    for (const work of workOf(this.#native.take())) {
      const desk = this.#desks.get(work.connection)
      if (desk instanceof Desk && work.kind !== kinds.goodbye) desk.run(work)
      else this.#seat(work, desk)
    }
  }

  /** A connection comes, leaves, or asks for something before its terminal is open. */
  #seat({ connection, kind, number, payload }: Work, waiting: Desk | Frame[] | undefined): void {
    if (kind === kinds.goodbye) {
      this.#desks.delete(connection)
    } else if (kind === kinds.hello) {
      const wanted = JSON.parse(payload.toString()) as { terminal: string }
      this.#desks.set(connection, [])
      void this.#welcome(connection, wanted.terminal)
    } else if (Array.isArray(waiting)) {
      waiting.push({ kind, number, payload: Buffer.from(payload) })
    }
  }

  async #welcome(connection: number, id: string): Promise<void> {
    try {
      if (this.#stopping !== undefined) throw this.#down()
      const near = await this.#served.get(id)
      const { terminal } = near
      const { root, durability, recovery } = terminal
      const facts = { id: terminal.id, root, durability, recovery, package: packageVersion() }
      this.#put(connection, kinds.welcome, 0, (packet) => packet.text(jsonOf(facts)))
      const waiting = this.#desks.get(connection)
      // It has left meanwhile.
      if (!Array.isArray(waiting)) return
      const desk = new Desk(connection, near, this.#answers)
      this.#desks.set(connection, desk)
      for (const frame of waiting) desk.run(frame)
    } catch (thrown) {
      this.#tell(connection, kinds.refused, 0, toPosError(thrown))
    }
  }

  #down(): Error {
    const { socket } = this
    const cause = 'it is stopping'
    const message = `the kernel service at ${socket} is stopping; connect again when it is back`
    return posError('PK_E_SERVICE_DOWN', message, { socket, cause, osCode: null })
  }

  #tell(connection: number, kind: number, number: number, error: Error & { toJSON(): object }) {
    this.#put(connection, kind, number, (packet) => packet.text(jsonOf(error.toJSON())))
  }

  #put(connection: number, kind: number, number: number, put: (packet: Packet) => void): void {
    const packet = this.#packet
    const at = packet.beginFrame(connection, kind, number)
    put(packet)
    packet.endFrame(at)
    if (this.#isSending) return
    this.#isSending = true
    queueMicrotask(this.#send)
  }

  readonly #send = (): void => {
    this.#isSending = false
    this.#native.answer(this.#packet.bytes)
    this.#packet.cut(0)
  }
}

function idsOf(terminals: ServeOptions['terminals'], root: string): readonly string[] {
  if (terminals !== undefined) return list('terminals', terminals).map((id) => text('terminal', id))
  const found = listTerminals(root)
  if (found.length > 0) return found
  const message = `${root} has no terminals: name those to serve, or allow any`
  throw posError('PK_E_NOT_FOUND', message, { path: root })
}

function uidsOf(allowed: ServeOptions['allowUids']): number[] {
  return list('allowUids', allowed ?? []).map((uid) => {
    if (typeof uid === 'number' && Number.isInteger(uid) && uid >= 0 && uid < 2 ** 32) return uid
    throw wrong('allowUid', uid, 'a user id, 0 to 4294967295')
  })
}
