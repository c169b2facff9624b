/**
 * What the supervisor keeps of the agent in the host's folder: `agent.json`, where pages find it, and `agent.key`, by which it
 * knows pages again; only the host's user can read the key.
 */
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { HostPlace } from '../place.js'

const keyBytesMin = 32

/** Where pages find the agent. */
export interface AgentAddress {
  /** On the loopback. */
  readonly port: number
}

/** Where pages find the agent; undefined before it was there once. */
export function readAddress(place: HostPlace): AgentAddress | undefined {
  try {
    const { port } = JSON.parse(readFileSync(place.file('agent.json'), 'utf8')) as {
      port?: unknown
    }
    return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536
      ? { port }
      : undefined
  } catch {
    return undefined
  }
}

/** Writes it down: a restarted agent takes the same port, so that pages find it again. */
export function writeAddress(place: HostPlace, address: AgentAddress): void {
  replace(place.file('agent.json'), `${JSON.stringify(address)}\n`)
}

/**
 * The address that a browser is sent to for a run of a page: the shell, with the run's token behind the `#`, which no
 * server sees. Send it there over DevTools, not on the command line, which other users can read. Undefined while
 * no agent has been there.
 */
export function shellUrl(place: HostPlace, instance: string, token: string): string | undefined {
  const address = readAddress(place)
  if (address === undefined) return undefined
  return `http://127.0.0.1:${address.port}/app/${encodeURIComponent(instance)}#${token}`
}

/** The key of this store; made when there is none. */
export function keyOf(place: HostPlace, make: () => Buffer): Buffer {
  const file = place.file('agent.key')
  try {
    const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex')
    if (key.length >= keyBytesMin) return key
  } catch {
    // The first agent of this store makes one.
  }
  const key = make()
  replace(file, `${key.toString('hex')}\n`)
  return key
}

function replace(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, text, { mode: 0o600 })
  chmodSync(temporary, 0o600)
  renameSync(temporary, file)
}
