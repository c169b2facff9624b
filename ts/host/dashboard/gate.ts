/**
 * Who may come in. The page listens on the loopback address alone, but so does everything else on this machine, and
 * every page that a browser of this machine has open can send requests to it. So:
 *
 * - the `Host` header must name this machine and port: a name of the internet that was pointed here (DNS rebinding) does not;
 * - an `Origin` header must be this page's own, and `Sec-Fetch-Site` must not say that another site asks;
 * - everything but the empty page itself needs the key, in the `Authorization` header. There is no cookie: cookies of
 *   127.0.0.1 are shared by all its ports, and a header is never sent by a browser on its own, so that no foreign page
 *   can press a button.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { hostError } from '../error.js'

/** What guards one dashboard. */
export class Gate {
  readonly #hosts: ReadonlySet<string>
  readonly #keyHash: Buffer

  constructor(port: number, key: string) {
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`])
    this.#keyHash = hashOf(key)
  }

  /**
   * Refuses a request that another site makes, or that believes it speaks to another.
   *
   * @throws {@link HostError} `HOST_FORBIDDEN`
   */
  checkOrigin({ headers }: IncomingMessage): void {
    const { host = '', origin } = headers
    const site = headers['sec-fetch-site']
    if (!this.#hosts.has(host.toLowerCase())) {
      throw hostError('HOST_FORBIDDEN', 'this is no name of the dashboard; use its own address', {
        header: 'host',
        value: host.slice(0, 100),
      })
    }
    if (origin !== undefined && origin !== `http://${host.toLowerCase()}`) {
      throw hostError('HOST_FORBIDDEN', 'another site may not ask the dashboard', {
        header: 'origin',
        value: origin.slice(0, 100),
      })
    }
    if (site !== undefined && site !== 'same-origin' && site !== 'none') {
      throw hostError('HOST_FORBIDDEN', 'another site may not ask the dashboard', {
        header: 'sec-fetch-site',
        value: String(site).slice(0, 100),
      })
    }
  }

  /**
   * Refuses a request without the key.
   *
   * @throws {@link HostError} `HOST_IDENTITY`
   */
  checkKey({ headers }: IncomingMessage): void {
    const shown = /^Bearer ([0-9a-f]{64})$/.exec(headers.authorization ?? '')?.[1]
    if (shown !== undefined && timingSafeEqual(hashOf(shown), this.#keyHash)) return
    const message = 'the key is missing or wrong: open the address that the host printed'
    throw hostError('HOST_IDENTITY', message, { header: 'authorization' })
  }
}

/** Of equal length whatever came, so that comparing says nothing about the key. */
function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
