/**
 * The client of a kernel service: a {@link Terminal} whose journal another process has.
 *
 * It is the same class as that of a terminal of this process, with another crossing under it. Read
 * `link.ts` for how calls travel.
 */
import path from 'node:path'
import { tellError } from '../kernel/diagnostics.js'
import { toPosError } from '../kernel/errors.js'
import { checkNames, numberOf, optionalText, wrong } from '../kernel/input.js'
import { type OpenFacts, rootOf, Terminal } from '../kernel/terminal.js'
import { type NativeConnectOptions, packageVersion } from '../native.js'
import { DistantCrossing } from './distant-crossing.js'
import { Link } from './link.js'

/** How to connect to a terminal of a kernel service. */
export interface ConnectOptions {
  /** Root folder of the store; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
  readonly root?: string | undefined
  /** Path of the socket; else `service/service.sock` in the root. */
  readonly socket?: string | undefined
  /** Terminal id; else `POS_TERMINAL_ID`. */
  readonly id?: string | undefined
  /**
   * Milliseconds for which calls wait for a connection that broke to come back, 0 to 3,600,000; 10,000
   * when left out.
   */
  readonly patienceMs?: number | undefined
}

const optionNames = new Set(['root', 'socket', 'id', 'patienceMs'])
const PATIENCE_MS = 10_000
const PATIENCE_MS_MAX = 3_600_000

/**
 * Connects to a terminal of a kernel service that runs on this machine. What comes back is used as if
 * the terminal were of this process: every call, its `Sync` twin and its errors are the same.
 *
 * A terminal has one client at a time. When the connection breaks, it is made again; a call under way
 * is sent again when it only reads, has an idempotency key, or was certainly not taken, and is
 * otherwise rejected with `PK_E_OUTCOME_UNKNOWN`. Closing gives the terminal back: the service keeps
 * it open, and the next client goes on where this one ended.
 *
 * @throws {@link SaleStateError} `PK_E_SERVICE_DOWN` when none answers, `PK_E_NOT_ALLOWED` for the user
 * or the terminal, `PK_E_UNSUPPORTED` where there are no Unix sockets
 * @throws {@link LockError} `PK_E_TERMINAL_IN_USE` with the client that has it
 * @throws {@link InputError} `PK_E_PROTOCOL_VERSION`, `PK_E_LIMIT`, `PK_E_BAD_ARGUMENT`, `PK_E_BAD_ID`
 * @throws {@link StorageError} as {@link openTerminal}, when the service opens it for this client
 * @example
 * await using terminal = await connectTerminal({ root: './store', id: 'TILL_01' })
 * const receipt = await terminal.sell(cart)
 */
export async function connectTerminal(options: ConnectOptions = {}): Promise<Terminal> {
  try {
    return connected(await Link.open(checkedOptions(options)))
  } catch (thrown) {
    throw refusal(thrown)
  }
}

/**
 * As {@link connectTerminal}, on the calling thread.
 *
 * @example
 * const terminal = connectTerminalSync({ root: './store', id: 'TILL_01' })
 */
export function connectTerminalSync(options: ConnectOptions = {}): Terminal {
  try {
    return connected(Link.openSync(checkedOptions(options)))
  } catch (thrown) {
    throw refusal(thrown)
  }
}

function connected(link: Link): Terminal {
  const facts = link.welcome() as OpenFacts
  return new Terminal(new DistantCrossing(link, facts.id), facts)
}

function checkedOptions(options: ConnectOptions): NativeConnectOptions {
  checkNames('options', options, optionNames)
  const root = rootOf(options.root)
  const socket = optionalText('socket', options.socket)
  if (socket === '') throw wrong('socket', socket, 'the path of a socket')
  const id = optionalText('id', options.id) ?? (process.env.POS_TERMINAL_ID || undefined)
  if (id === undefined) throw wrong('id', id, 'the id of a terminal, or set POS_TERMINAL_ID')
  const patienceMs = numberOf('patienceMs', options.patienceMs ?? PATIENCE_MS)
  if (patienceMs > PATIENCE_MS_MAX) {
    throw wrong('patienceMs', patienceMs, `0 to ${PATIENCE_MS_MAX}`)
  }
  const wanted = { root, terminal: id, package: packageVersion(), patienceMs }
  return socket === undefined ? wanted : { ...wanted, socket: path.resolve(socket) }
}

function refusal(thrown: unknown) {
  const error = toPosError(thrown)
  tellError({ operation: 'connect', error })
  return error
}
