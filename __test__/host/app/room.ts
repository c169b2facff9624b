/** What an app needs around it: folders, a supervisor that listens, and the pipe with what the launcher says. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import type { Bootstrap } from '../../../ts/host/app/bootstrap.js'
import { controlProtocol } from '../../../ts/host/supervisor/control.js'
import { Channel, jsonBytes, jsonOf } from '../../../ts/host/wire/channel.js'
import { frameBytes, Kind } from '../../../ts/host/wire/frame.js'

const token = 'ab'.repeat(32)

/** A note that an app sent. */
export interface Heard {
  readonly name: string
  readonly value: Record<string, unknown>
}

/** The supervisor's end of the control socket, with nothing behind it. */
export class ControlServer {
  readonly notes: Heard[] = []
  readonly hellos: Record<string, unknown>[] = []
  readonly #server: net.Server
  readonly #wakers = new Set<() => void>()
  #channel: Channel | undefined
  /** What a caller is refused with; undefined to welcome. */
  refusal: { code: string; message: string; facts: object } | undefined

  private constructor() {
    this.#server = net.createServer((socket) => this.#take(socket))
  }

  static async listen(at: string): Promise<ControlServer> {
    const server = new ControlServer()
    server.#server.listen(at)
    await once(server.#server, 'listening')
    return server
  }

  /** Waits until `find` finds something in what was heard; the test's own limit ends the wait. */
  async until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        this.#wakers.add(resolve)
      })
    }
  }

  note(name: string): Promise<Heard> {
    return this.until(() => this.notes.find((note) => note.name === name))
  }

  async request(name: string, argument: unknown): Promise<unknown> {
    const channel = await this.until(() => this.#channel)
    return jsonOf(await channel.request(name, jsonBytes(argument), { timeoutMs: 60_000 }))
  }

  async close(): Promise<void> {
    this.#channel?.close()
    this.#channel = undefined
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  #take(socket: net.Socket): void {
    const channel = new Channel(socket, {
      onFrame: (frame) => {
        if (frame.kind !== Kind.hello) return
        this.hellos.push(jsonOf(frame.payload) as Record<string, unknown>)
        if (this.refusal !== undefined) {
          channel.send(frameBytes(Kind.refused, 0, '', jsonBytes(this.refusal)))
        } else {
          const welcome = { protocol: controlProtocol, epoch: 1, heartbeatMs: 50, hangMs: 1000 }
          channel.send(frameBytes(Kind.welcome, 0, '', jsonBytes(welcome)))
          this.#channel = channel
        }
        this.#wake()
      },
      onNote: (name, payload) => {
        this.notes.push({ name, value: jsonOf(payload) as Record<string, unknown> })
        this.#wake()
      },
      onEnd: () => {
        if (this.#channel === channel) this.#channel = undefined
        this.#wake()
      },
    })
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
    this.#wakers.clear()
  }
}

/** Folders of one app, and a supervisor for it. All of it, and every process, is gone after the test. */
export class AppRoom {
  readonly bootstrap: Bootstrap
  readonly folder: string
  readonly #children: App[] = []
  readonly #supervisors: ControlServer[] = []

  constructor(t: ExecutionContext, more: Partial<Bootstrap> = {}) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-app-'))
    const dataFolder = path.join(this.folder, 'data')
    const instanceFolder = path.join(this.folder, 'instance')
    fs.mkdirSync(dataFolder)
    fs.mkdirSync(instanceFolder)
    this.bootstrap = {
      instance: 'clock.1',
      token,
      uuid: 'clock',
      sockets: {
        control: path.join(this.folder, 'control.sock'),
        bus: path.join(this.folder, 'bus.sock'),
      },
      dataFolder,
      instanceFolder,
      heartbeatMs: 50,
      hangMs: 1000,
      orphanMs: 60_000,
      kind: 'app',
      app: { uuid: 'clock', name: 'Clock' },
      ...more,
    }
    t.teardown(async () => {
      for (const child of this.#children) await child.kill()
      for (const supervisor of this.#supervisors) await supervisor.close()
      fs.rmSync(this.folder, { recursive: true, force: true })
    })
  }

  async supervisor(): Promise<ControlServer> {
    const supervisor = await ControlServer.listen(this.bootstrap.sockets.control)
    this.#supervisors.push(supervisor)
    return supervisor
  }

  /** Starts a program of this folder as the launcher would. */
  start(program: string, ...args: string[]): App {
    return this.run([programPath(program), ...args])
  }

  run(nodeArgs: readonly string[], bootstrap: unknown = this.bootstrap): App {
    const loader = '--import=@oxc-node/core/register'
    const child = spawn(process.execPath, [loader, ...nodeArgs], {
      env: { ...process.env, POS_KERNEL_HOST_FD: '3' },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    const pipe = child.stdio[3] as Writable
    pipe.on('error', () => {})
    pipe.end(typeof bootstrap === 'string' ? bootstrap : JSON.stringify(bootstrap))
    const app = new App(child)
    this.#children.push(app)
    return app
  }

  /** A JSON file that the app left in the folder of its run. */
  left(name: string): Record<string, unknown> {
    return JSON.parse(fs.readFileSync(path.join(this.bootstrap.instanceFolder, name), 'utf8'))
  }
}

/** A started program. */
export class App {
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly process: ChildProcess
  output = ''

  constructor(process: ChildProcess) {
    this.process = process
    for (const stream of [process.stdout, process.stderr])
      stream?.on('data', (bytes) => {
        this.output += bytes
      })
    this.ended = new Promise((resolve) => {
      process.once('close', (code, signal) => resolve({ code, signal }))
    })
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.ended
  }
}

/** The path of a program beside this file. */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))
}
