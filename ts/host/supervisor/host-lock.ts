/**
 * `host.lock`: one supervisor a store. The lock of the operating system is the truth: it is free when its holder is
 * dead, however it died, so there is nothing stale to judge; the file is never deleted and never renamed.
 * `host.owner.json` beside it says who has it, and holds the key of its operators.
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { binding } from '../../native.js'
import { hostError } from '../error.js'
import type { HostPlace } from '../place.js'
import { replaceFile } from './records.js'

/** A store that is owned. */
export interface HostLock {
  /** What an operator shows in its hello: 64 hexadecimal digits. */
  readonly key: string
  /** Gives the store back. May be called again. */
  release(): void
}

/** Takes a store, or rejects with `HOST_RUNNING` and who has it. */
export async function lockHost(place: HostPlace): Promise<HostLock> {
  const lock = binding().tryLockFile(place.file('host.lock'))
  if (lock === null) throw await running(place)
  const key = randomBytes(32).toString('hex')
  replaceFile(place.file('host.owner.json'), { pid: process.pid, startedAt: Date.now(), key })
  return { key, release: () => lock.release() }
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
