/**
 * Locks of single operations, `temp/coordination_locks/NAME.lock`: the same that the kernel takes, so
 * that a program of the host and a terminal exclude each other. They need the optional package `fs-ext`.
 */
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { posError } from './errors.js'
import type { OperationFacts } from './facts.js'
import { text, wrong } from './input.js'

/** How to take an operation's lock. */
export interface OperationLockOptions {
  /** Who takes it, for those who have to wait; `pid` and the process id when left out. */
  readonly owner?: string
  /** How long to wait for it, in milliseconds; 5,000 when left out. */
  readonly waitMs?: number
}

const pauseMaxMs = 20

/**
 * Runs something while it holds the lock of an operation. The lock is freed when it is done, and when
 * the process ends, however it ends.
 *
 * @param name - 1 to 64 of `A-Z a-z 0-9 _ -`
 * @throws {@link LockError} `PK_E_OPERATION_LOCKED` with its holder
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT`
 * @throws {@link StorageError} `PK_E_IO` without the package `fs-ext`
 * @example
 * await withOperationLock('./store', 'price_list', async () => {
 *   console.log('nobody else does this now')
 * })
 */
export async function withOperationLock<T>(
  root: string,
  name: string,
  work: () => T | Promise<T>,
  options: OperationLockOptions = {},
): Promise<T> {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(text('name', name))) {
    throw wrong('name', name, '1 to 64 of A-Z, a-z, 0-9, _ and -')
  }
  const flock = loadFlock()
  const folder = path.join(text('root', root), 'temp', 'coordination_locks')
  await mkdir(folder, { recursive: true })
  const record = path.join(folder, `${name}.owner.json`)
  const file = await open(path.join(folder, `${name}.lock`), 'a+')
  try {
    const until = performance.now() + (options.waitMs ?? 5000)
    // Waiting inside flock would hold a thread of the pool: so it is asked again and again.
    for (let pause = 1; !(await isTaken(flock, file.fd)); pause = Math.min(pause * 2, pauseMaxMs)) {
      if (performance.now() >= until) throw await locked(name, record)
      await delay(pause)
    }
    const owner = options.owner ?? `pid ${process.pid}`
    const said = { owner, pid: process.pid, since: new Date().toISOString() }
    await writeFile(`${record}.tmp`, `${JSON.stringify(said, undefined, 2)}\n`)
    await rename(`${record}.tmp`, record)
    return await work()
  } finally {
    await file.close()
  }
}

type Flock = typeof import('fs-ext').flock

function isTaken(flock: Flock, fd: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    flock(fd, 'exnb', (error) => {
      const { code } = (error ?? {}) as NodeJS.ErrnoException
      if (!error) resolve(true)
      else if (code === 'EAGAIN' || code === 'EWOULDBLOCK') resolve(false)
      else reject(posError('PK_E_IO', error.message, { operation: 'lock' }, error))
    })
  })
}

async function locked(name: string, record: string): Promise<Error> {
  let owner: OperationFacts['owner']
  try {
    owner = JSON.parse(await readFile(record, 'utf8')) as OperationFacts['owner']
  } catch {
    // It is information; without it less is said.
  }
  const who = owner === undefined ? 'another process' : `${owner.owner} (pid ${owner.pid})`
  const message = `${who} holds the lock ${name}; wait until it is done`
  return posError('PK_E_OPERATION_LOCKED', message, { name, ...(owner && { owner }) })
}

function loadFlock(): Flock {
  try {
    return (createRequire(import.meta.url)('fs-ext') as typeof import('fs-ext')).flock
  } catch (cause) {
    const message = 'locks of operations need the optional package: run "npm install fs-ext"'
    throw posError('PK_E_IO', message, { operation: 'load', path: 'fs-ext' }, cause)
  }
}
