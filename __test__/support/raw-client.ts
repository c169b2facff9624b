/** A client of a kernel service that is written against the bytes, as one in another language would be. */
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { versions } from '../../ts/index.js'

/** A frame. */
export interface RawFrame {
  readonly kind: number
  readonly number: number
  readonly payload: Buffer
}

/** Kinds of frames. */
export const kinds = {
  hello: 1,
  welcome: 2,
  refused: 3,
  call: 4,
  answer: 5,
  error: 6,
  sell: 7,
  sold: 8,
  operation: 9,
  goodbye: 10,
} as const

/** The bytes of a frame. */
export function frameOf(kind: number, number: number, payload: string | Buffer): Buffer {
  const body = Buffer.from(payload as string)
  const head = Buffer.alloc(13)
  head.writeUInt32LE(body.length + 9, 0)
  head[4] = kind
  head.writeBigUInt64LE(BigInt(number), 5)
  return Buffer.concat([head, body])
}

/** The payload of a greeting. */
export function greeting(terminal: string, said: object = {}, protocol = 1): Buffer {
  const prefix = Buffer.from('PKSV\0\0', 'latin1')
  prefix.writeUInt16LE(protocol, 4)
  const { kernel } = versions()
  const hello = { package: kernel, door: 'native', terminal, session: 'a raw client', ...said }
  return Buffer.concat([prefix, Buffer.from(JSON.stringify(hello))])
}

/** A connection. */
export class RawClient {
  readonly #socket: Socket
  readonly #heard = new EventEmitter()
  #bytes = Buffer.alloc(0)
  #isOver = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes])
      this.#heard.emit('more')
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#isOver = true
      this.#heard.emit('more')
    })
  }

  /** Connects, and says nothing. */
  static async open(path: string): Promise<RawClient> {
    const socket = connect(path)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Connects and sits down at a terminal. */
  static async seated(path: string, terminal: string, said: object = {}): Promise<RawClient> {
    const client = await RawClient.open(path)
    client.send(frameOf(kinds.hello, 0, greeting(terminal, said)))
    const first = await client.next()
    if (first?.kind !== kinds.welcome) throw new Error(`refused: ${first?.payload}`)
    return client
  }

  /** Sends bytes. */
  send(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#socket.pause()
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.destroy()
  }

  /** The next frame; `undefined` when the connection has ended. */
  async next(): Promise<RawFrame | undefined> {
    for (;;) {
      const bytes = this.#bytes
      const end = bytes.length < 4 ? Number.POSITIVE_INFINITY : bytes.readUInt32LE(0) + 4
      if (bytes.length >= end) {
        this.#bytes = bytes.subarray(end)
        const number = Number(bytes.readBigUInt64LE(5))
        return { kind: bytes[4] as number, number, payload: bytes.subarray(13, end) }
      }
      if (this.#isOver) return undefined
      await once(this.#heard, 'more')
    }
  }

  /** What a frame is answered with, as JSON. */
  async ask(kind: number, number: number, payload: string | Buffer) {
    this.send(frameOf(kind, number, payload))
    const answer = await this.next()
    if (answer === undefined) throw new Error('the connection has ended')
    return { kind: answer.kind, said: JSON.parse(answer.payload.toString()) }
  }
}
