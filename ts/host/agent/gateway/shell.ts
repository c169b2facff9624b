/**
 * The shell: runs in a browser, around one page of an app. It shows the page in a frame, answers the page's
 * `getAgent()` (Web Connection Protocol, steps 1 to 6), and carries its messages between a message port and the
 * WebSocket of the gateway.
 *
 * It listens to its own frame alone, and only while that shows the app's origin. The page's `Session` lives here, so a
 * page need not know that the socket or the agent went and came back.
 */
import { type Message, Session } from '../../fdc3/session.js'
import type { GatewayLink, PageIdentity, ShellLink } from './page-link.js'

/** What is used of a browser. */
interface Browser {
  readonly document: {
    readonly documentElement: {
      readonly dataset: Readonly<Record<string, string>>
      readonly style: Style
    }
    readonly body: { append(node: unknown): void; readonly style: Style }
    createElement(name: 'iframe'): Frame
  }
  readonly location: { readonly hash: string; readonly host: string; readonly pathname: string }
  readonly history: { replaceState(state: null, unused: '', url: string): void }
  readonly sessionStorage: {
    getItem(key: string): string | null
    setItem(key: string, value: string): void
  }
  readonly WebSocket: new (url: string) => Socket
  readonly crypto: { randomUUID(): string }
  addEventListener(type: 'message', listener: (event: WindowMessage) => void): void
}
type Style = Record<'margin' | 'border' | 'width' | 'height' | 'display' | 'overflow', string>
interface Frame {
  src: string
  name: string
  title: string
  readonly style: Style
  readonly contentWindow: {
    postMessage(message: unknown, origin: string, ports: Port[]): void
  } | null
}
interface WindowMessage {
  readonly source: unknown
  readonly origin: string
  readonly data: unknown
}
interface Port {
  onmessage: ((event: { readonly data: unknown }) => void) | null
  postMessage(message: unknown): void
  close(): void
}
interface Socket {
  readonly readyState: number
  onopen: (() => void) | null
  onclose: ((event: { readonly code: number }) => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  send(text: string): void
}

const browser = globalThis as unknown as Browser
const retryMsMin = 100
const retryMsMax = 2000
const refusedCode = 4401
const replacedCode = 4409

const { instance = '', url = '' } = browser.document.documentElement.dataset
const appOrigin = new URL(url).origin
const token = takeToken()
let fdc3Version = '2.2'
let socket: Socket | undefined
let isOpen = false
let connection: Connection | undefined

connect(retryMsMin)
const frame = showFrame()
browser.addEventListener('message', (event) => {
  const data = event.data as { type?: unknown; meta?: { connectionAttemptUuid?: unknown } } | null
  if (
    event.source !== frame.contentWindow ||
    event.origin !== appOrigin ||
    data?.type !== 'WCP1Hello'
  )
    return
  const attempt = data.meta?.connectionAttemptUuid
  if (typeof attempt !== 'string') return
  connection?.close()
  connection = new Connection(attempt)
})

/** The token comes behind the `#`, which no server is sent; it does not stay in the address. */
function takeToken(): string {
  const key = `pos-kernel ${instance}`
  const given = browser.location.hash.slice(1)
  if (given !== '') browser.sessionStorage.setItem(key, given)
  browser.history.replaceState(null, '', browser.location.pathname)
  return given === '' ? (browser.sessionStorage.getItem(key) ?? '') : given
}

function showFrame(): Frame {
  const { document } = browser
  for (const { style } of [document.documentElement, document.body]) {
    Object.assign(style, { margin: '0', height: '100%', overflow: 'hidden' })
  }
  const shown = document.createElement('iframe')
  Object.assign(shown.style, { border: '0', width: '100%', height: '100%', display: 'block' })
  // The official client keeps what it was named under its window's name: it stays the same when the shell is reloaded.
  const key = `pos-kernel frame ${instance}`
  shown.name = browser.sessionStorage.getItem(key) ?? browser.crypto.randomUUID()
  browser.sessionStorage.setItem(key, shown.name)
  shown.title = instance
  shown.src = url
  document.body.append(shown)
  return shown
}

function connect(retryMs: number): void {
  const next = new browser.WebSocket(`ws://${browser.location.host}/agent`)
  socket = next
  next.onopen = () => say({ link: 'open', instance, token })
  next.onmessage = ({ data }) => hear(JSON.parse(String(data)) as Message | GatewayLink)
  next.onclose = ({ code }) => {
    const wasOpen = isOpen
    isOpen = false
    connection?.lost()
    if (code === refusedCode || code === replacedCode) return
    setTimeout(() => connect(wasOpen ? retryMsMin : Math.min(retryMs * 2, retryMsMax)), retryMs)
  }
}

function say(message: Message | ShellLink): void {
  if (socket?.readyState === 1) socket.send(JSON.stringify(message))
}

function hear(message: Message | GatewayLink): void {
  if (!('link' in message)) {
    connection?.fromAgent(message)
    return
  }
  switch (message.link) {
    case 'opened':
      isOpen = true
      fdc3Version = message.fdc3Version
      connection?.opened()
      break
    case 'validated':
      connection?.validated(message.message, message.identity)
      break
    case 'joined':
      connection?.joined()
      break
    case 'lost':
      connection?.lost()
      break
    case 'refused':
      connection?.close()
      break
  }
}

/** A page that said hello. */
class Connection {
  readonly #port: Port
  readonly #session: Session
  #validation: ShellLink | undefined
  #identity: PageIdentity | undefined
  #isLost = false
  #isJoining = false
  #isClosed = false

  constructor(connectionAttemptUuid: string) {
    const { port1, port2 } = new MessageChannel() as unknown as { port1: Port; port2: Port }
    this.#port = port1
    this.#session = new Session({
      send: say,
      deliver: (message) => port1.postMessage(message),
      uuid: () => browser.crypto.randomUUID(),
      now: () => Date.now(),
      after: (milliseconds, call) => setTimeout(call, milliseconds),
    })
    port1.onmessage = ({ data }) => this.#hearPage(data)
    const handshake = {
      type: 'WCP3Handshake',
      payload: { fdc3Version, intentResolverUrl: false, channelSelectorUrl: false },
      meta: { connectionAttemptUuid, timestamp: new Date() },
    }
    frame.contentWindow?.postMessage(handshake, appOrigin, [port2])
  }

  /** The gateway listens, perhaps once more. */
  opened(): void {
    if (this.#identity !== undefined) this.#resume()
    else if (this.#validation !== undefined) say(this.#validation)
  }

  /** The gateway's answer to who the page is. */
  validated(message: object, identity: PageIdentity | undefined): void {
    this.#identity = identity
    this.#port.postMessage(message)
    if (identity === undefined) this.close()
    else this.#session.joined()
  }

  /** A new agent took it up, or the old one again. */
  joined(): void {
    this.#isLost = false
    this.#isJoining = false
    this.#session.joined()
  }

  /** The socket is gone, or the agent let the page go. */
  lost(): void {
    this.#isLost = true
    this.#isJoining = false
    this.#session.lost()
  }

  fromAgent(message: Message): void {
    this.#session.fromAgent(message)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#identity !== undefined) say({ link: 'goodbye' })
    this.#port.close()
  }

  #hearPage(data: unknown): void {
    const { type } = (data ?? {}) as { type?: unknown }
    if (this.#isClosed || typeof type !== 'string') return
    if (type === 'WCP6Goodbye') {
      this.close()
    } else if (type === 'WCP4ValidateAppIdentity') {
      if (this.#validation !== undefined) return
      this.#validation = { link: 'validate', origin: appOrigin, message: data }
      if (isOpen) say(this.#validation)
    } else if (this.#identity !== undefined) {
      // What a port carries may hold dates and more; the agent is sent JSON.
      this.#session.fromClient(JSON.parse(JSON.stringify(data)) as Message)
      if (this.#isLost && isOpen) this.#resume()
    }
  }

  #resume(): void {
    if (this.#isJoining || this.#identity === undefined) return
    this.#isJoining = true
    const { instanceId, instanceUuid } = this.#identity
    say({ link: 'resume', instanceId, instanceUuid })
  }
}
