/** Brokers of tests, in this process and in one of their own, and apps on their bus. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { Broker, tokenHashOf } from '../../ts/host/bus/broker.js'
import type { Bus } from '../../ts/host/bus/bus.js'
import { connectBus } from '../../ts/host/bus/client.js'
import type { BusApp, BusIdentity, BusRefusal } from '../../ts/host/bus/contract.js'
import { Channel, jsonBytes, jsonOf } from '../../ts/host/wire/channel.js'
import { type Frame, FrameReader, frameBytes, frameOf, Kind } from '../../ts/host/wire/frame.js'
import { projectRoot } from './child.js'

/** An empty folder, short enough for the path of a socket. */
export function tempFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pk-bus-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** A token. */
export function newToken(): string {
  return randomBytes(32).toString('hex')
}

/** Waits for a fact, up to 30 seconds. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 3000; tries += 1) {
    if (await isSo()) return
    await delay(10)
  }
  throw new Error(`it did not come to pass: ${what}`)
}

/** The code that a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'none'
}

/** A bus of a test. */
export interface TestBus {
  readonly socket: string
  readonly broker: Broker
  readonly refusals: readonly BusRefusal[]
  readonly started: readonly string[]
  /** An app that comes onto the bus. */
  join(instance: string, rights?: Rights): Promise<Bus>
  /** A connection that says what it likes. */
  raw(instance?: string, rights?: Rights): Promise<RawPeer>
  /** Makes an instance known and gives its token. */
  know(instance: string, rights?: Rights): string
  /** The instance that serves an app. */
  serve(uuid: string, instance: string | null): void
  /** The process of an instance becomes known. */
  locate(instance: string, pid: number): void
  /** What is done when somebody writes to an app that does not run. */
  onStart: (uuid: string) => Promise<unknown>
}

/** Permissions of an instance. */
export type Rights = Partial<Pick<BusIdentity, 'publish' | 'subscribe' | 'pid'>>

/** A broker in this process. */
export async function testBus(t: ExecutionContext): Promise<TestBus> {
  const socket = path.join(tempFolder(t), 'bus.sock')
  const refusals: BusRefusal[] = []
  const started: string[] = []
  const book = new AddressBook()
  const broker = new Broker({
    socket,
    onRefused: (refusal) => refusals.push(refusal),
    start: (uuid) => {
      started.push(uuid)
      return bus.onStart(uuid)
    },
  })
  await broker.listen()
  t.teardown(() => broker.close())
  const tell = () => broker.setIdentities(book.peers, book.apps)
  const bus: TestBus = {
    socket,
    broker,
    refusals,
    started,
    onStart: async () => {},
    know(instance, rights) {
      const token = book.know(instance, rights)
      tell()
      return token
    },
    serve(uuid, instance) {
      book.serve(uuid, instance)
      tell()
    },
    locate(instance, pid) {
      book.locate(instance, pid)
      tell()
    },
    async join(instance, rights) {
      const joined = await connectBus({ socket, instance, token: bus.know(instance, rights) })
      t.teardown(() => joined.close())
      return joined
    },
    async raw(instance, rights) {
      const raw = await RawPeer.connect(socket)
      t.teardown(() => raw.socket.destroy())
      if (instance !== undefined) await raw.hello(instance, bus.know(instance, rights))
      return raw
    },
  }
  return bus
}

/** Who is known to a broker. */
export class AddressBook {
  readonly #peers = new Map<string, BusIdentity>()
  readonly #apps = new Map<string, string | null>()

  know(instance: string, rights: Rights = {}): string {
    const token = newToken()
    this.#peers.set(instance, { instance, tokenHash: tokenHashOf(token), ...rights })
    return token
  }

  locate(instance: string, pid: number): void {
    const peer = this.#peers.get(instance)
    if (peer !== undefined) this.#peers.set(instance, { ...peer, pid })
  }

  serve(uuid: string, instance: string | null): void {
    this.#apps.set(uuid, instance)
  }

  get peers(): BusIdentity[] {
    return [...this.#peers.values()]
  }

  get apps(): BusApp[] {
    return [...this.#apps].map(([uuid, instance]) => ({ uuid, instance }))
  }
}

/** A peer that writes frames by hand. */
export class RawPeer {
  readonly socket: net.Socket
  readonly frames: Frame[] = []
  isEnded = false

  constructor(socket: net.Socket) {
    this.socket = socket
    const reader = new FrameReader()
    socket.on('data', (bytes: Buffer) => {
      for (const frame of reader.read(bytes) ?? []) this.frames.push(frameOf(frame))
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isEnded = true
    })
  }

  static async connect(path: string): Promise<RawPeer> {
    const socket = net.connect(path)
    await once(socket, 'connect')
    return new RawPeer(socket)
  }

  async hello(instance: string, token: string): Promise<void> {
    this.say(Kind.hello, 0, '', jsonBytes({ protocol: 1, instance, token }))
    await until('welcome', () => this.frames.some(({ kind }) => kind === Kind.welcome))
  }

  say(kind: Kind, id: number, name: string, payload?: Uint8Array): boolean {
    return this.socket.write(frameBytes(kind, id, name, payload))
  }

  /** Waits for the end of the connection. */
  async end(): Promise<void> {
    await until('the end of a connection', () => this.isEnded)
  }
}

/** A broker process and the supervisor's side of its control socket. */
export class BrokerProcess {
  readonly folder: string
  readonly root: string | undefined
  readonly book = new AddressBook()
  readonly notes: { readonly name: string; readonly value: unknown }[] = []
  readonly #token = newToken()
  readonly #server: net.Server
  #channel: Channel | undefined
  child: ChildProcess | undefined

  private constructor(folder: string, root: string | undefined) {
    this.folder = folder
    this.root = root
    this.#server = net.createServer((socket) => this.#welcome(socket))
  }

  static async start(t: ExecutionContext, root?: string): Promise<BrokerProcess> {
    const broker = new BrokerProcess(tempFolder(t), root)
    t.teardown(() => broker.close())
    broker.#server.listen(broker.sockets.control)
    await once(broker.#server, 'listening')
    broker.spawn()
    await broker.tell()
    return broker
  }

  get sockets(): { readonly control: string; readonly bus: string } {
    return {
      control: path.join(this.folder, 'control.sock'),
      bus: path.join(this.folder, 'bus.sock'),
    }
  }

  /** Starts the process. */
  spawn(): void {
    const child = spawn(
      process.execPath,
      ['--import=@oxc-node/core/register', path.join(projectRoot, 'ts/host/bus/broker-main.ts')],
      {
        cwd: projectRoot,
        env: { ...process.env, POS_KERNEL_HOST_FD: '3' },
        stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      },
    )
    const bootstrap = {
      instance: 'host/broker',
      token: this.#token,
      sockets: this.sockets,
      ...(this.root !== undefined && { root: this.root }),
    }
    ;(child.stdio[3] as net.Socket).end(JSON.stringify(bootstrap))
    this.child = child
  }

  /** Kills the process and starts another. */
  async crash(): Promise<void> {
    const { child } = this
    if (child === undefined) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    this.#channel = undefined
    this.spawn()
    await this.tell()
  }

  /** Ends the connection to the broker, as the death of a supervisor does. */
  abandon(): void {
    this.#channel?.close()
    this.#channel = undefined
  }

  /** Tells the broker who may be on the bus. */
  async tell(): Promise<void> {
    await until('the broker says hello', () => this.#channel !== undefined)
    const { peers, apps } = this.book
    await this.#channel?.request('identities', jsonBytes({ peers, apps }), { timeoutMs: 60_000 })
  }

  /** An app on its bus. */
  async join(t: ExecutionContext, instance: string): Promise<Bus> {
    const token = this.book.know(instance)
    await this.tell()
    const bus = await connectBus({ socket: this.sockets.bus, instance, token })
    t.teardown(() => bus.close())
    return bus
  }

  async close(): Promise<void> {
    this.child?.kill('SIGKILL')
    this.#channel?.close()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #welcome(socket: net.Socket): void {
    const channel = new Channel(socket, {
      onFrame: ({ kind, payload }) => {
        const hello = jsonOf(payload) as { part?: string; token?: string }
        if (kind !== Kind.hello || hello.token !== this.#token) return channel.close()
        channel.send(frameBytes(Kind.welcome, 0, '', jsonBytes({ protocol: 1, epoch: 1 })))
        this.#channel = channel
      },
      onNote: (name, payload) => this.notes.push({ name, value: jsonOf(payload) }),
      onRequest: () => jsonBytes({ instance: null }),
    })
  }
}
