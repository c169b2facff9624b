/**
 * Where pages meet the desktop agent: a server on the loopback alone. It serves the shell, a page that shows the app's
 * page in a frame and answers its `getAgent()` by the Web Connection Protocol, and carries what the app says over a
 * WebSocket to the agent.
 *
 * Nothing that is served is a secret. A caller has to name this host in `Host` and, for the socket, in `Origin`, so that
 * neither a page of another origin nor a name that was bound to this address gets in; and the socket says nothing
 * before it was shown the token of a run.
 */
import { readFileSync } from 'node:fs'
import http from 'node:http'
import type net from 'node:net'
import { WebSocketServer } from 'ws'
import { hostError } from '../../error.js'
import { uuidOf } from '../../place.js'
import type { DesktopAgent } from '../agent.js'
import type { AppDirectory } from '../directory.js'
import { FairQueue } from '../fair.js'
import { messageBytesMax } from '../limits.js'
import type { AgentMessage } from '../message.js'
import type { AgentProblem } from '../problem.js'
import { Page, type PageRoom } from './page.js'
import { closeCodes } from './page-link.js'
import { escaped, moduleFile, shellModules } from './shell-page.js'

/** Sockets that may be open at once. */
const socketsMax = 500

/** Who wants to be let in. */
export interface Admission {
  readonly instance: string
  readonly token: string
}

/** What a gateway works with. */
export interface GatewayParts {
  readonly agent: DesktopAgent
  readonly directory: AppDirectory
  /** The key that instance secrets are worked out with; at least 32 bytes. */
  readonly key: Buffer
  /** True when this is the token of the run. */
  admit(admission: Admission): Promise<boolean>
  report(problem: AgentProblem): void
}

/** Choices of a gateway. */
export interface GatewayOptions extends GatewayParts {
  /** Any free one unless said. */
  readonly port?: number
}

/** The server. */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #server = http.createServer((request, response) => this.#serve(request, response))
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    clientTracking: true,
  })
  readonly #pages = new Map<string, Page>()
  readonly #given = new Map<string, number>()
  readonly #fair: FairQueue<string>
  readonly #room: PageRoom

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#fair = new FairQueue({
      handle: (from, text) => this.#handle(from, text),
      onFlood: (from, dropped) =>
        this.#report(
          'flood',
          from,
          `${from} sends more than it may: ${dropped} messages were dropped`,
          { dropped },
        ),
    })
    this.#room = {
      parts: options,
      opened: (page) => {
        const instance = page.instance as string
        this.#pages.get(instance)?.close(closeCodes.replaced, 'another shell of this run came')
        this.#pages.set(instance, page)
      },
      closed: (page) => {
        const { instance } = page
        if (instance !== undefined && this.#pages.get(instance) === page)
          this.#pages.delete(instance)
      },
      nextInstanceId: (instance) => {
        const count = (this.#given.get(instance) ?? 0) + 1
        this.#given.set(instance, count)
        return count === 1 ? instance : `${instance}~${count}`
      },
      take: (page, text) =>
        this.#fair.push(page.instance as string, text.length, text, (kept) => kept),
    }
    this.#server.on('upgrade', (request, socket, head) =>
      this.#upgrade(request, socket as net.Socket, head),
    )
    this.#server.on('clientError', (_error, socket) => socket.destroy())
    this.#server.maxConnections = socketsMax * 2
    this.#server.headersTimeout = 5000
    this.#server.requestTimeout = 5000
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  /** The address of the shell for a run. A browser is sent there with `#<token>` behind it. */
  url(instance: string): string {
    return `http://127.0.0.1:${this.port}/app/${encodeURIComponent(instance)}`
  }

  /** Listens. Takes another port than the one it was told when that is not free. */
  async listen(): Promise<void> {
    const { port = 0 } = this.#options
    try {
      await this.#listenOn(port)
    } catch (error) {
      if (port === 0) throw error
      await this.#listenOn(0)
    }
  }

  /** Sends to those of these instances that are pages. */
  post(to: readonly string[], message: AgentMessage): void {
    let text: string | undefined
    for (const instanceId of to) {
      const page = this.#pages.get(runOf(instanceId))
      if (page?.instanceId !== instanceId) continue
      text ??= JSON.stringify(message)
      page.sendText(text)
    }
  }

  /** The agent let an instance go that said nothing. */
  silent(instanceId: string): void {
    const page = this.#pages.get(runOf(instanceId))
    if (page?.instanceId === instanceId) page.lost()
  }

  /** A run ended: its token is worth nothing any more. */
  ended(instance: string): void {
    this.#pages.get(instance)?.terminate()
    this.#given.delete(instance)
    this.#fair.drop(instance)
  }

  /** Ends every connection. May be called again. */
  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#server.closeAllConnections()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  #listenOn(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException) => {
        const message = `the gateway of pages cannot listen on port ${port} of the loopback: ${error.message}`
        reject(
          hostError('HOST_LAUNCH', message, {
            uuid: 'host-agent',
            step: 'listen',
            errno: error.code,
          }),
        )
      }
      this.#server.once('error', fail)
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', fail)
        resolve()
      })
    })
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    // No URL is built of it: some texts are none, and this is before anybody has shown who it is.
    const pathname = (request.url ?? '/').split('?')[0] ?? '/'
    if (!this.#isThisHost(request.headers.host)) {
      this.#report(
        'origin',
        null,
        `a request for ${this.#short(request.headers.host)} came to the gateway`,
        {
          host: this.#short(request.headers.host),
        },
      )
      refuse(response, 421, 'not this host')
    } else if (request.method !== 'GET') {
      refuse(response, 405, 'only GET')
    } else if (shellModules.has(pathname)) {
      const headers = { ...safe, 'content-type': 'text/javascript; charset=utf-8' }
      response.writeHead(200, headers).end(readFileSync(moduleFile(pathname)))
    } else {
      this.#serveShell(pathname, response)
    }
  }

  #serveShell(pathname: string, response: http.ServerResponse): void {
    const [, instance] = /^\/app\/([A-Za-z0-9_.-]{1,80})$/.exec(pathname) ?? []
    const record =
      instance === undefined ? undefined : this.#options.directory.ofUuid(uuidOf(instance))
    if (instance === undefined || record?.url === undefined) {
      refuse(response, 404, 'no such page')
      return
    }
    const policy = [
      "default-src 'none'",
      "script-src 'self'",
      `connect-src 'self' ws://127.0.0.1:${this.port} ws://localhost:${this.port}`,
      `frame-src ${new URL(record.url).origin}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
    ].join('; ')
    const headers = {
      ...safe,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
    }
    const { title, name = record.appId } = record.metadata
    response.writeHead(200, headers).end(`<!doctype html>
<html lang="en" data-instance="${escaped(instance)}" data-url="${escaped(record.url)}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title ?? name)}</title></head>
<body><script type="module" src="/modules/host/agent/gateway/shell.js"></script></body>
</html>
`)
  }

  #upgrade(request: http.IncomingMessage, socket: net.Socket, head: Buffer): void {
    // A peer that is refused may go without a word.
    socket.on('error', () => socket.destroy())
    const { host, origin } = request.headers
    const isOurs =
      request.url === '/agent' &&
      this.#isThisHost(host) &&
      (origin === `http://127.0.0.1:${this.port}` || origin === `http://localhost:${this.port}`)
    if (!isOurs || this.#sockets.clients.size >= socketsMax) {
      this.#report(
        'origin',
        null,
        `a socket of ${this.#short(origin)} for ${this.#short(host)} was refused`,
        {
          origin: this.#short(origin),
          host: this.#short(host),
        },
      )
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n')
      return
    }
    this.#sockets.handleUpgrade(request, socket, head, (page) => new Page(page, this.#room))
  }

  /** A message of a page, in its turn: the page may have gone meanwhile. */
  #handle(instance: string, text: string): void {
    const page = this.#pages.get(instance)
    if (page?.instanceId === undefined) return
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      this.#report(
        'not-json',
        page.instanceId,
        `${page.instanceId} sent ${text.length} characters that are no JSON`,
        {
          bytes: text.length,
        },
      )
      return
    }
    this.#options.agent.receive(page.instanceId, message)
  }

  #isThisHost(host: string | undefined): boolean {
    return host === `127.0.0.1:${this.port}` || host === `localhost:${this.port}`
  }

  #short(text: string | undefined): string {
    return (text ?? 'nobody').slice(0, 120)
  }

  #report(
    kind: AgentProblem['kind'],
    instanceId: string | null,
    text: string,
    facts: AgentProblem['facts'],
  ): void {
    this.#options.report({ kind, instanceId, text, facts })
  }
}

const safe = {
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

function refuse(response: http.ServerResponse, status: number, reason: string): void {
  response
    .writeHead(status, { ...safe, 'content-type': 'text/plain; charset=utf-8' })
    .end(`${reason}\n`)
}

/** The run that an instance is a page of. */
function runOf(instanceId: string): string {
  const at = instanceId.indexOf('~')
  return at < 0 ? instanceId : instanceId.slice(0, at)
}
