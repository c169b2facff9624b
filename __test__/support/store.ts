/** Stores of tests: each in a folder of its own, gone when its test is over. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import {
  type Cart,
  connectTerminal,
  type ErrorCode,
  isPosError,
  openStore,
  openTerminal,
  type PosError,
  type Store,
  type Terminal,
  type TerminalOptions,
} from '../../ts/index.js'
import { type Served, served } from './served.js'

/** An empty folder for a store. */
export function tempStore(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const door = process.env.POS_KERNEL_TEST_DOOR

/** The tests are run on terminals of a kernel service. */
export const isServed = door === 'service'
/** The tests are run on terminals of store processes. */
const isShared = door === 'store'

/** A terminal that is closed when its test is over, in a store of its own where none is named. */
export async function terminalFor(
  t: ExecutionContext,
  options: TerminalOptions = {},
): Promise<Terminal> {
  if (isServed) return servedFor(t, { root: tempStore(t), id: 'T1', ...options })
  if (isShared) return sharedFor(t, { root: tempStore(t), id: 'T1', ...options })
  const terminal = await openTerminal({ root: tempStore(t), id: 'T1', ...options })
  t.teardown(() => terminal.close())
  return terminal
}

const shared = new Map<string, { store: Promise<Store>; users: number }>()

/** A terminal of a store process, which ends with the last of them: what comes behind finds it closed. */
async function sharedFor(
  t: ExecutionContext,
  { root = '', ...options }: TerminalOptions,
): Promise<Terminal> {
  const process = shared.get(root) ?? { store: openStore({ root }), users: 0 }
  shared.set(root, process)
  process.users += 1
  const store = await process.store
  const close = async () => {
    process.users -= 1
    if (process.users > 0) return
    shared.delete(root)
    await store.close()
  }
  let terminal: Terminal
  try {
    terminal = await store.openTerminal(options)
  } catch (error) {
    await close()
    throw error
  }
  return endingWith(t, terminal, close)
}

/** A terminal, behind whose close something else is to do. */
function endingWith(t: ExecutionContext, terminal: Terminal, after: () => Promise<void>): Terminal {
  const close = terminal.close.bind(terminal)
  let isOpen = true
  terminal.close = async () => {
    if (!isOpen) return
    isOpen = false
    await close()
    await after()
  }
  t.teardown(() => terminal.close())
  return terminal
}

/** The service of a store, and the terminals that are used through it. */
interface StoreService {
  readonly service: Promise<Served>
  users: number
}

const services = new Map<string, StoreService>()

/** A terminal of the store's service, which ends with the last of them: what comes behind finds it closed. */
async function servedFor(
  t: ExecutionContext,
  { id = '', root = '', ...options }: TerminalOptions,
): Promise<Terminal> {
  const found = services.get(root)
  const store = found ?? { service: served(t, { ...options, root, terminals: 'any' }), users: 0 }
  services.set(root, store)
  store.users += 1
  const service = await store.service
  const terminal = await connectTerminal({ root, id })
  return endingWith(t, terminal, async () => {
    store.users -= 1
    if (store.users > 0) return
    services.delete(root)
    await service.stop()
  })
}

/** Waits until the owner of a terminal is idle: it has prepared its next segment, its last write. */
export async function ownerIdle(root: string, id: string): Promise<void> {
  const journal = path.join(root, 'terminals', id, 'transaction.wal')
  const bytes = (name: string) =>
    statSync(path.join(journal, name), { throwIfNoEntry: false })?.size
  while (bytes('manifest.next') !== bytes('manifest')) await delay(10)
}

/** Two coffees, paid with a ten. */
export const coffees = {
  store: 'corner-shop',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
  tenders: [{ kind: 'cash', amount: 1000 }],
} as const satisfies Cart

/** The error that a call gives, which must be of the kernel and have this code. */
export async function refusal<Code extends ErrorCode>(
  t: ExecutionContext,
  call: () => unknown,
  code: Code,
): Promise<PosError<Code>> {
  try {
    await call()
  } catch (error) {
    if (!isPosError(error)) throw error
    t.is(error.code, code, error.message)
    return error as PosError<Code>
  }
  throw new Error(`the call was answered; ${code} was expected`)
}
