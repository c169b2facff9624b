/** A control socket that speaks the real protocol over the real frames, and whose apps a test makes up. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import type { ExecutionContext } from 'ava'
import type { OpenQuestion } from '../../../ts/host/agent/questions.js'
import { hostError } from '../../../ts/host/error.js'
import { HostPlace } from '../../../ts/host/place.js'
import { controlProtocol } from '../../../ts/host/supervisor/control.js'
import type { AppStatus, HostEvent, HostStatus } from '../../../ts/host/supervisor/status.js'
import { Channel, jsonBytes, jsonOf } from '../../../ts/host/wire/channel.js'
import { type Frame, frameBytes, Kind } from '../../../ts/host/wire/frame.js'
import { tempStore } from '../../support/store.js'

/** An app of a status, with what the test says of it. */
export function appStatus(uuid: string, facts: Partial<AppStatus> = {}): AppStatus {
  return {
    uuid,
    name: `App ${uuid}`,
    kind: 'app',
    launcher: 'node',
    state: 'ready',
    why: '',
    instance: `${uuid}.1`,
    pid: 4000,
    startedAt: 1_000_000,
    readyAt: 1_000_500,
    generation: 1,
    restarts: 0,
    retryAt: null,
    lastEnd: null,
    recycles: 0,
    spares: 0,
    limits: { memory: null, softMemory: null, cpu: null },
    rings: { memory: 'none', cpu: 'none' },
    missing: [],
    sample: null,
    health: null,
    ...facts,
  }
}

/** What an operator asked. */
export interface Asked {
  readonly name: string
  readonly argument: Record<string, unknown>
}

/** A control server. */
export interface ControlServer {
  readonly root: string
  readonly place: HostPlace
  /** Its apps; a test changes the list. */
  apps: AppStatus[]
  readonly events: HostEvent[]
  /** Questions of its desktop agent; one that is answered is gone. */
  questions: OpenQuestion[]
  readonly asked: Asked[]
  /** Tells everyone who follows how everything is. */
  tell(): void
  /** Something happens: it is kept, and everyone who follows hears it. */
  happen(event: Omit<HostEvent, 'seq' | 'at'>): void
  /** Ends all connections and stops listening. */
  stop(): Promise<void>
}

/** Starts one for a store of its own; gone when the test is over. */
export async function controlServer(
  t: ExecutionContext,
  apps: readonly AppStatus[],
): Promise<ControlServer> {
  const root = tempStore(t)
  const place = new HostPlace(root)
  const key = randomBytes(32).toString('hex')
  mkdirSync(place.folder, { recursive: true })
  mkdirSync(path.dirname(place.controlSocket), { recursive: true })
  const owner = { pid: process.pid, startedAt: Date.now(), key }
  writeFileSync(place.file('host.owner.json'), JSON.stringify(owner), { mode: 0o600 })
  const channels = new Set<Channel>()
  const followers = new Set<Channel>()
  const server: ControlServer = {
    root,
    place,
    apps: [...apps],
    events: [],
    questions: [],
    asked: [],
    tell() {
      for (const follower of followers) follower.note('status', jsonBytes(statusOf(server)))
    },
    happen(event) {
      const whole = { seq: server.events.length + 1, at: Date.now(), ...event }
      server.events.push(whole)
      for (const follower of followers) follower.note('event', jsonBytes(whole))
    },
    async stop() {
      for (const channel of channels) channel.close()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
  const listener = net.createServer((socket) => {
    const channel = new Channel(socket, {
      onFrame: (frame) => greet(channel, frame, key),
      onRequest: (name, payload) => {
        const argument = jsonOf(Buffer.from(payload)) as Record<string, unknown>
        if (name === 'follow') followers.add(channel)
        return jsonBytes(answer(server, name, argument))
      },
      onEnd: () => {
        channels.delete(channel)
        followers.delete(channel)
      },
    })
    channels.add(channel)
  })
  await new Promise<void>((resolve) => listener.listen(place.controlSocket, resolve))
  t.teardown(async () => {
    await server.stop()
    rmSync(place.controlSocket, { force: true })
  })
  return server
}

function greet(channel: Channel, frame: Frame, key: string): void {
  const hello = jsonOf(Buffer.from(frame.payload)) as { key?: string; protocol?: number }
  if (hello.key === key && hello.protocol === controlProtocol) {
    channel.send(
      frameBytes(Kind.welcome, 0, '', jsonBytes({ protocol: controlProtocol, epoch: 1 })),
    )
    return
  }
  const refusal = { code: 'HOST_IDENTITY', message: 'this is no key of this host', facts: {} }
  channel.send(frameBytes(Kind.refused, 0, '', jsonBytes(refusal)))
  channel.finish()
}

function statusOf({ apps }: ControlServer): HostStatus {
  return {
    pid: process.pid,
    startedAt: 1_000_000,
    epoch: 1,
    adopted: 0,
    state: 'running',
    broker: { state: 'ready', pid: null, restarts: 0, frames: 0 },
    apps,
  }
}

function answer(server: ControlServer, name: string, argument: Record<string, unknown>): unknown {
  server.asked.push({ name, argument })
  if (name === 'status') return statusOf(server)
  if (name === 'events') {
    const { from = 0, limit = 1000 } = argument as { from?: number; limit?: number }
    return server.events.filter(({ seq }) => seq >= from).slice(-limit)
  }
  if (name === 'follow') return { seq: server.events.length }
  if (name === 'samples') return { columns: [], coarse: [], fine: [] }
  if (name === 'questions') return server.questions
  if (name === 'answer') {
    const left = server.questions.filter(({ id }) => id !== argument.id)
    const taken = left.length < server.questions.length
    server.questions = left
    return { taken }
  }
  if (name === 'shutdown') return { ended: [], ms: 1 }
  const known = server.apps.map(({ uuid }) => uuid)
  const uuid = String(argument.uuid)
  if (!known.includes(uuid)) {
    throw hostError('HOST_UNKNOWN_APP', `no app ${uuid} is in the manifest`, { uuid, known })
  }
  if (name === 'release') return { state: 'starting' }
  if (['drain', 'stop', 'kill'].includes(name))
    return { reason: name === 'kill' ? 'killed' : 'stopped' }
  return { instance: `${uuid}.2` }
}
