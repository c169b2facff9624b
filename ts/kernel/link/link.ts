/**
 * The real-time path between terminals: each that listens has a socket, and connects to the others'
 * when it has something to say. Nothing here is durable. What a socket does not carry, because its peer
 * is down or does not read, is lost if it was transient, and found in the inbox if it was not.
 */
import net from 'node:net'
import { addressOf, clearAddress, isSafe } from './address.js'
import { type Frame, FrameReader, frameBytes } from './frames.js'
import { setSocketMode } from './socket-mode.js'

/** Bytes that may wait for a peer that does not read. */
const waitingBytesMax = 4 * 1024 * 1024
/** A peer that was down is not asked again for so long, but by a bell. */
const downMs = 200

/** The sockets of one terminal. */
export class Link {
  readonly #root: string
  readonly #id: string
  readonly #onFrame: (frame: Frame) => void
  readonly #peers = new Map<string, Peer>()
  readonly #guests = new Set<net.Socket>()
  #server: net.Server | undefined

  constructor(root: string, id: string, onFrame: (frame: Frame) => void) {
    this.#root = root
    this.#id = id
    this.#onFrame = onFrame
  }

  /** Begins to listen. The process may end all the same. */
  async listen(): Promise<void> {
    const address = addressOf(this.#root, this.#id)
    await clearAddress(address)
    const server = net.createServer((socket) => this.#welcome(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(address, resolve)
    })
    server.removeAllListeners('error').on('error', () => {})
    server.unref()
    this.#server = server
    if (process.platform !== 'win32') setSocketMode(address, 0o600)
  }

  /** Says something to a terminal; true once the operating system has taken it for a peer that is there. */
  say(to: string, bytes: Buffer): Promise<boolean> {
    let peer = this.#peers.get(to)
    if (peer === undefined) {
      peer = new Peer(addressOf(this.#root, to))
      this.#peers.set(to, peer)
    }
    return peer.say(bytes)
  }

  /** Tells a terminal to look into its inbox. */
  ring(to: string): Promise<boolean> {
    return this.say(to, bell)
  }

  /** Ends: nobody is heard any more. */
  async close(): Promise<void> {
    for (const peer of this.#peers.values()) peer.close()
    this.#peers.clear()
    for (const guest of this.#guests) guest.destroy()
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  #welcome(socket: net.Socket): void {
    const reader = new FrameReader()
    this.#guests.add(socket)
    socket.unref()
    socket.on('error', () => {})
    socket.on('close', () => this.#guests.delete(socket))
    socket.on('data', (bytes: Buffer) => {
      const frames = reader.read(bytes)
      // Whoever speaks another language is not listened to.
      if (frames === undefined) socket.destroy()
      else for (const frame of frames) this.#onFrame(frame)
    })
  }
}

const bell = frameBytes({ t: 'bell' }) as Buffer

/** The way to one other terminal. */
class Peer {
  readonly #address: string
  #socket: net.Socket | undefined
  #connecting: Promise<net.Socket | undefined> | undefined
  #downUntil = 0
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #written: Promise<boolean> | undefined
  #writing = 0

  constructor(address: string) {
    this.#address = address
  }

  async say(bytes: Buffer): Promise<boolean> {
    const socket = this.#socket ?? (await this.#connect(bytes === bell))
    if (socket === undefined || socket.destroyed) return false
    if (socket.writableLength + this.#gatheredBytes > waitingBytesMax) return false
    this.#gathered.push(bytes)
    this.#gatheredBytes += bytes.length
    this.#written ??= this.#writeSoon(socket)
    return this.#written
  }

  /** Writes what is said in one turn of the event loop together: one call of the system for all of it. */
  async #writeSoon(socket: net.Socket): Promise<boolean> {
    await new Promise<void>((resolve) => process.nextTick(resolve))
    const bytes = Buffer.concat(this.#gathered)
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#written = undefined
    // Whoever waits for an answer keeps the process; an idle socket does not.
    this.#writing += 1
    socket.ref()
    return new Promise((resolve) => {
      socket.write(bytes, (error) => {
        this.#writing -= 1
        if (this.#writing === 0) socket.unref()
        resolve(error === undefined || error === null)
      })
    })
  }

  close(): void {
    this.#socket?.destroy()
  }

  #connect(isUrgent: boolean): Promise<net.Socket | undefined> {
    if (!isUrgent && performance.now() < this.#downUntil) return Promise.resolve(undefined)
    this.#connecting ??= new Promise<net.Socket | undefined>((resolve) => {
      // Nothing is said to whoever made the folder first.
      if (!isSafe(this.#address)) {
        this.#downUntil = performance.now() + downMs
        resolve(undefined)
        return
      }
      const socket = net.connect(this.#address)
      socket.once('connect', () => {
        socket.unref()
        this.#socket = socket
        resolve(socket)
      })
      socket.on('error', () => {
        this.#downUntil = performance.now() + downMs
        resolve(undefined)
      })
      socket.on('close', () => {
        this.#socket = undefined
        resolve(undefined)
      })
      // Nothing comes back this way; read on, so that the end is seen.
      socket.resume()
    }).finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }
}
