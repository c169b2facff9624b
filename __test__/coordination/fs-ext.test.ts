/**
 * The kernel and `fs-ext` take the same locks: what one holds, the other is refused, both ways, for
 * each kind of lock that a host may want to look at.
 */
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  auditStore,
  type ErrorCode,
  followStoreAudit,
  openStore,
  openTerminal,
  withOperationLock,
} from '../../ts/index.js'
import { refusal, tempStore } from '../support/store.js'

type FlockSync = typeof import('fs-ext').flockSync

const flockSync = load()
const [withFsExt, why] =
  flockSync === undefined
    ? [test.skip, ' (not run: fs-ext is missing; run npm install fs-ext with a C++ compiler)']
    : [test, '']

function load(): FlockSync | undefined {
  try {
    return (createRequire(import.meta.url)('fs-ext') as typeof import('fs-ext')).flockSync
  } catch {
    return undefined
  }
}

/** A lock as the host's side takes it; `false` is what `fs-ext` says when somebody else has it. */
class HostLock {
  readonly #fd: number

  constructor(file: string) {
    this.#fd = openSync(file, 'r+')
  }

  isTaken(): boolean {
    try {
      ;(flockSync as FlockSync)(this.#fd, 'exnb')
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN' || code === 'EWOULDBLOCK') return false
      throw error
    }
  }

  free(): void {
    ;(flockSync as FlockSync)(this.#fd, 'un')
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function hostLock(t: ExecutionContext, root: string, file: string): HostLock {
  const lock = new HostLock(path.join(root, file))
  t.teardown(() => lock.close())
  return lock
}

interface Lock {
  readonly what: string
  readonly file: string
  /** Does what has the kernel hold it, and gives what ends that. */
  readonly hold: (root: string) => Promise<() => unknown>
  readonly refused: ErrorCode
}

const locks: readonly Lock[] = [
  {
    what: 'the lock of a terminal',
    file: 'terminals/T1/terminal.lock',
    async hold(root) {
      const terminal = await openTerminal({ root, id: 'T1' })
      return () => terminal.close()
    },
    refused: 'PK_E_TERMINAL_IN_USE',
  },
  {
    what: 'the lock of a store process',
    file: 'shared/store.lock',
    async hold(root) {
      const store = await openStore({ root })
      return () => store.close()
    },
    refused: 'PK_E_STORE_IN_USE',
  },
  {
    what: 'the lock of the aggregated audit',
    file: 'shared/aggregated_audit.lock',
    async hold(root) {
      const following = followStoreAudit({ root })
      await following.next()
      return () => following.return()
    },
    refused: 'PK_E_AUDIT_IN_USE',
  },
]

/** A store where each of the locks was held once, so that their files are there. */
async function store(t: ExecutionContext): Promise<string> {
  const root = tempStore(t)
  await (await openTerminal({ root, id: 'T1' })).close()
  await (await openStore({ root })).close()
  await auditStore({ root })
  return root
}

for (const { what, file, hold, refused } of locks) {
  withFsExt(`${what}: the kernel and fs-ext exclude each other${why}`, async (t) => {
    const root = await store(t)
    const host = hostLock(t, root, file)
    const end = await hold(root)
    t.false(host.isTaken(), 'the kernel holds it')
    await end()
    t.true(host.isTaken(), 'the kernel freed it')
    const error = await refusal(t, () => hold(root), refused)
    t.is(error.family, 'lock')
    host.free()
    await (await hold(root))()
  })
}

withFsExt(`the lock of an operation: fs-ext holds it, the kernel says so${why}`, async (t) => {
  const root = tempStore(t)
  await using terminal = await openTerminal({ root, id: 'T1' })
  const configure = () => terminal.coordination.setSystemConfig({ values: { footer: 'thanks' } })
  await withOperationLock(
    root,
    'system_config',
    async () => {
      const error = await refusal(t, configure, 'PK_E_OPERATION_LOCKED')
      t.is(error.facts.name, 'system_config')
      t.is(error.facts.owner?.owner, 'price import')
      t.is(terminal.coordination.systemConfig(), undefined, 'nothing was changed')
    },
    { owner: 'price import' },
  )
  t.is((await configure()).version, 1)
})

withFsExt(`the lock of an operation: the kernel holds it, fs-ext is refused${why}`, async (t) => {
  const root = tempStore(t)
  await using terminal = await openTerminal({ root, id: 'T1' })
  const configure = () => terminal.coordination.setSystemConfig({ values: { footer: 'thanks' } })
  await configure()
  const host = hostLock(t, root, 'temp/coordination_locks/system_config.lock')
  // The kernel holds it for the two file syncs of a call, on a thread of its own.
  let refusals = 0
  for (let rounds = 0; rounds < 200 && refusals === 0; rounds += 1) {
    let isDone = false
    const configured = configure().finally(() => {
      isDone = true
    })
    while (!isDone) {
      if (host.isTaken()) host.free()
      else refusals += 1
      await new Promise(setImmediate)
    }
    await configured
  }
  t.true(refusals > 0)
})
