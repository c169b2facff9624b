/**
 * Who a page is. Two secrets: the token of the run, which the launcher gave to the shell and which opens the gateway; and
 * the `instanceUuid` that a page is given with its identity, by which it is known again after a reload. The second
 * is worked out from the identity with a key of this store, so that an agent that was restarted knows it too.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** The `instanceUuid` of an instance. Nobody can work it out without the key. */
export function instanceUuidOf(key: Buffer, appId: string, instanceId: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([appId, instanceId]))
    .digest('base64url')
}

/** True when this is the instance's. */
export function isInstanceUuid(
  key: Buffer,
  appId: string,
  instanceId: string,
  found: string,
): boolean {
  const expected = Buffer.from(instanceUuidOf(key, appId, instanceId))
  const given = Buffer.from(found)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/**
 * True when a page's address fits an app's: what stands in the record (origin, path, search, hash) is in the address.
 * The rule of the standard for pages that have more in their address than the directory says.
 */
export function fitsUrl(recordUrl: string, found: string): boolean {
  if (!URL.canParse(recordUrl) || !URL.canParse(found)) return false
  const record = new URL(recordUrl)
  const url = new URL(found)
  if (record.origin !== url.origin || record.origin === 'null') return false
  const path = withoutSlash(record.pathname)
  if (path !== '' && path !== withoutSlash(url.pathname)) return false
  if (record.hash !== '' && record.hash !== url.hash) return false
  return [...record.searchParams].every(([name, value]) => url.searchParams.get(name) === value)
}

/** The origin of an address; undefined where it has none. */
export function originOf(url: string): string | undefined {
  const origin = URL.canParse(url) ? new URL(url).origin : 'null'
  return origin === 'null' ? undefined : origin
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}
