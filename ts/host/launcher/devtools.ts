/**
 * The DevTools protocol over a Unix socket: JSON messages, each ended by a zero byte, as a browser speaks on its
 * debugging pipe. The launcher program holds that pipe and passes its bytes on, so that a page outlives whoever
 * drives it, and so that nobody but the store's user can.
 */
import net from 'node:net'
import { hostError } from '../error.js'

/** Milliseconds that a method may take unless said. */
const answerMsDefault = 10_000
/** Bytes that one message of the browser may have. */
const messageBytesMax = 64 * 1024 * 1024

/** A value of the protocol. */
export type DevToolsParams = Readonly<Record<string, unknown>>

interface Waiting {
  readonly method: string
  readonly timer: NodeJS.Timeout
  resolve(result: Record<string, unknown>): void
  reject(error: Error): void
}

/** A connection to a browser. */
export class DevTools {
  readonly #socket: net.Socket
  readonly #waiting = new Map<number, Waiting>()
  readonly #listeners = new Set<
    (method: string, params: DevToolsParams, session: string | undefined) => void
  >()
  #pieces: Buffer[] = []
  #pieceBytes = 0
  #lastId = 0

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const id of [...this.#waiting.keys()]) this.#fail(id, 'the browser ended')
    })
  }

  /** Connects to the socket that the launcher holds. */
  static connect(path: string): Promise<DevTools> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(path)
      const onError = (error: Error) =>
        reject(
          hostError('HOST_DEVTOOLS', `the browser's socket does not answer: ${error.message}`, {
            method: 'connect',
            message: error.message,
          }),
        )
      socket.once('error', onError)
      socket.once('connect', () => {
        socket.off('error', onError)
        resolve(new DevTools(socket))
      })
    })
  }

  /** Calls a method, in a session where one is given. Rejects with `HOST_DEVTOOLS`. */
  call(
    method: string,
    params: DevToolsParams = {},
    session?: string,
    timeoutMs = answerMsDefault,
  ): Promise<Record<string, unknown>> {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(
          hostError('HOST_DEVTOOLS', `${method}: the browser ended`, { method, message: 'ended' }),
        )
        return
      }
      const timer = setTimeout(() => this.#fail(id, `no answer within ${timeoutMs} ms`), timeoutMs)
      this.#waiting.set(id, { method, timer, resolve, reject })
      const message = { id, method, params, ...(session !== undefined && { sessionId: session }) }
      this.#socket.write(`${JSON.stringify(message)}\0`)
    })
  }

  /** Hears events. Gives the function that ends it. */
  onEvent(
    listener: (method: string, params: DevToolsParams, session: string | undefined) => void,
  ): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Lets go of the browser, which goes on. May be called again. */
  close(): void {
    this.#socket.destroy()
  }

  #take(bytes: Buffer): void {
    let rest = bytes
    for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0)) {
      this.#pieces.push(rest.subarray(0, end))
      const message = Buffer.concat(this.#pieces).toString('utf8')
      this.#pieces = []
      this.#pieceBytes = 0
      rest = rest.subarray(end + 1)
      this.#handle(message)
    }
    if (rest.length === 0) return
    this.#pieces.push(rest)
    this.#pieceBytes += rest.length
    // A browser that sends without end is not listened to.
    if (this.#pieceBytes > messageBytesMax) this.#socket.destroy()
  }

  #handle(text: string): void {
    const message = parsed(text)
    if (message === undefined) return
    if (typeof message.id === 'number') {
      const waiting = this.#waiting.get(message.id)
      if (waiting === undefined) return
      if (message.error !== undefined) {
        this.#fail(message.id, String((message.error as { message?: unknown }).message))
        return
      }
      clearTimeout(waiting.timer)
      this.#waiting.delete(message.id)
      waiting.resolve((message.result ?? {}) as Record<string, unknown>)
    } else if (typeof message.method === 'string') {
      const session = typeof message.sessionId === 'string' ? message.sessionId : undefined
      for (const listener of this.#listeners)
        listener(message.method, (message.params ?? {}) as DevToolsParams, session)
    }
  }

  #fail(id: number, why: string): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    clearTimeout(waiting.timer)
    this.#waiting.delete(id)
    waiting.reject(
      hostError('HOST_DEVTOOLS', `${waiting.method}: ${why}`, {
        method: waiting.method,
        message: why,
      }),
    )
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
