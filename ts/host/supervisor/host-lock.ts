/**
 * `host.lock`: one supervisor a store. The lock of the operating system is the truth: it is free when its holder is
 * dead, however it died, so there is nothing stale to judge; the file is never deleted and never renamed.
 * `host.owner.json` beside it says who has it, and holds the key of its operators.
 */
import { randomBytes } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { hostError } from '../error.js'
import type { HostPlace } from '../place.js'
import { replaceFile } from './records.js'

/** A store that is owned. */
export interface HostLock {
  /** What an operator shows in its hello: 64 hexadecimal digits. */
  readonly key: string
  /** Gives the store back. May be called again. */
  release(): Promise<void>
}

/** Takes a store, or rejects with `HOST_RUNNING` and who has it. */
export async function lockHost(place: HostPlace): Promise<HostLock> {
  const flock = loadFlock()
  const path = place.file('host.lock')
  const file = await open(path, 'a+', 0o600)
  try {
    if (!(await isTaken(flock, file.fd))) throw await running(place)
    const [mine, there] = [await file.stat(), await stat(path)]
    if (mine.ino !== there.ino || mine.dev !== there.dev) {
      const message = `${path} was replaced while it was locked; nothing may delete it: start again`
      throw hostError('HOST_FAILED', message, { method: 'lock', path })
    }
  } catch (error) {
    await file.close()
    throw error
  }
  const key = randomBytes(32).toString('hex')
  replaceFile(place.file('host.owner.json'), { pid: process.pid, startedAt: Date.now(), key })
  let closing: Promise<void> | undefined
  return {
    key,
    release: () => {
      closing ??= file.close()
      return closing
    },
  }
}

type Flock = typeof import('fs-ext').flock

function isTaken(flock: Flock, fd: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // Never a call that waits: it would hold a thread of the pool.
    flock(fd, 'exnb', (error) => {
      const { code } = (error ?? {}) as NodeJS.ErrnoException
      if (!error) resolve(true)
      else if (code === 'EAGAIN' || code === 'EWOULDBLOCK') resolve(false)
      else reject(hostError('HOST_FAILED', error.message, { method: 'lock', code }))
    })
  })
}

async function running(place: HostPlace): Promise<Error> {
  let owner: { pid?: number; startedAt?: number } = {}
  try {
    owner = JSON.parse(await readFile(place.file('host.owner.json'), 'utf8'))
  } catch {
    // It is information; without it less is said.
  }
  const { pid, startedAt } = owner
  const since = startedAt === undefined ? undefined : new Date(startedAt).toISOString()
  const who = pid === undefined ? 'another process' : `pid ${pid} since ${since}`
  const message = `the store ${place.root} has a host already: ${who}; ask that one, or shut it down first`
  return hostError('HOST_RUNNING', message, { pid, since })
}

function loadFlock(): Flock {
  try {
    return (createRequire(import.meta.url)('fs-ext') as typeof import('fs-ext')).flock
  } catch {
    const message = 'the lock of the host needs the optional package: run "npm install fs-ext"'
    throw hostError('HOST_UNSUPPORTED', message, { what: 'host.lock', reason: 'fs-ext is missing' })
  }
}
