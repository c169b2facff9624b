/**
 * `host.owner.json`: which supervisor a store has, and the key with which its operators speak to it. Only the store's
 * user can read it. The lock says whether that supervisor lives; this says who it is.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { hostError } from '../error.js'
import type { HostPlace } from '../place.js'

const ownerSchema = z.looseObject({
  pid: z.int().positive(),
  startedAt: z.number(),
  key: z.string().regex(/^[0-9a-f]{64}$/),
})

/** What the record says. */
export interface HostOwner {
  /** Process of the supervisor. */
  readonly pid: number
  /** Milliseconds since 1970 at which it took the store. */
  readonly startedAt: number
  /** What an operator shows in its hello: 64 hexadecimal digits, new with each supervisor. */
  readonly key: string
}

/**
 * Reads the record.
 *
 * @throws {@link HostError} `HOST_NOT_RUNNING` when there is none, `HOST_FORBIDDEN` when it is another user's, `HOST_STATE` when it
 * is damaged
 */
export function readOwner(place: HostPlace): HostOwner {
  const path = place.file('host.owner.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw notRunning(place, 'no supervisor has owned it')
    const message = `${path} cannot be read (${code}): only the user who started the host may command it`
    throw hostError('HOST_FORBIDDEN', message, { path, osCode: code })
  }
  const owner = ownerSchema.safeParse(jsonOf(text))
  if (owner.success) return owner.data
  const reason = owner.error.issues[0]?.message
  const message = `${path} is damaged: ${reason}; restart the host, which writes it anew`
  throw hostError('HOST_STATE', message, { path, reason })
}

/** The refusal of a store whose supervisor does not answer. */
export function notRunning(place: HostPlace, reason: string): Error {
  const message = `no host runs for the store ${place.root}: ${reason}; start it with "pos-kernel host start MANIFEST"`
  return hostError('HOST_NOT_RUNNING', message, { socket: place.controlSocket, reason })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
