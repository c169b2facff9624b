/** A desktop agent over real processes: a broker here, the agent in a process, each app in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import path from 'node:path'
import type { DesktopAgent } from '@finos/fdc3-standard'
import type { ExecutionContext } from 'ava'
import type { AgentProblem } from '../../ts/host/agent/problem.js'
import { type TestBus, testBus, until } from './bus.js'
import { projectRoot } from './child.js'

const programs = path.join(projectRoot, '__test__/host/agent/programs')

/** What outlives a call in an app. */
export interface Box {
  // biome-ignore lint/suspicious/noExplicitAny: whatever the app put there
  seen: any[]
  // biome-ignore lint/suspicious/noExplicitAny: whatever the app put there
  kept: any
  until(isSo: () => boolean | Promise<boolean>): Promise<void>
}

/** A function that runs in an app. It is sent as text: it can use nothing but its arguments. */
export type Act<Result, Args extends unknown[]> = (
  fdc3: DesktopAgent,
  box: Box,
  ...args: Args
) => Result | Promise<Result>

/** An app that does what a test says. */
export interface Actor {
  readonly instance: string
  run<Result, Args extends unknown[]>(act: Act<Result, Args>, ...args: Args): Promise<Result>
}

/** An app in a process. */
export class ActorProcess implements Actor {
  readonly instance: string
  readonly child: ChildProcess
  readonly #waiting = new Map<
    number,
    { resolve(value: unknown): void; reject(error: Error): void }
  >()
  #count = 0
  isReady = false

  constructor(instance: string, child: ChildProcess) {
    this.instance = instance
    this.child = child
    child.on(
      'message',
      (message: { ready?: boolean; id?: number; value?: unknown; error?: string }) => {
        if (message.ready === true) this.isReady = true
        const waiting = this.#waiting.get(message.id ?? 0)
        this.#waiting.delete(message.id ?? 0)
        if (message.error === undefined) waiting?.resolve(message.value)
        else waiting?.reject(new Error(message.error))
      },
    )
    child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${instance} ended`))
    })
  }

  run<Result, Args extends unknown[]>(act: Act<Result, Args>, ...args: Args): Promise<Result> {
    this.#count += 1
    const id = this.#count
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.child.send({ id, code: act.toString(), args })
    })
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }
}

/** Choices of a rig. */
export interface RigOptions {
  /** Apps of the directory; see `appOf`. */
  readonly apps: readonly object[]
  readonly domain?: string
  readonly heartbeatMs?: number
  readonly silentMs?: number
}

/** An app of a manifest; its role is what it does at its start, see `roles.mjs`. */
export function appOf(uuid: string, fdc3: object = {}, url?: string): object {
  const startup =
    url === undefined ? { uuid, name: uuid, script: 'app.mjs' } : { uuid, name: uuid, url }
  return { startup_app: startup, fdc3 }
}

/** Intents that an app listens for, as a directory writes them. */
export function listensFor(
  intents: Record<string, readonly [contexts: readonly string[], resultType?: string]>,
): object {
  return {
    intents: {
      listensFor: Object.fromEntries(
        Object.entries(intents).map(([intent, [contexts, resultType]]) => [
          intent,
          { displayName: intent, contexts, ...(resultType === undefined ? {} : { resultType }) },
        ]),
      ),
    },
  }
}

/** Broker, agent and apps. */
export class Rig {
  readonly bus: TestBus
  readonly actors = new Map<string, ActorProcess>()
  readonly problems: AgentProblem[] = []
  readonly started: string[] = []
  /** What an app does at its start; its uuid unless said. */
  readonly roles = new Map<string, string>()
  /** Opens a page in place of a process. */
  openPage: ((uuid: string, instance: string, token: string) => Promise<void>) | undefined
  readonly #options: RigOptions
  readonly #key = randomBytes(32).toString('hex')
  readonly #cleanups: (() => unknown)[]
  #agent: ChildProcess | undefined
  #port = 0
  readonly #generations = new Map<string, number>()

  private constructor(bus: TestBus, options: RigOptions, cleanups: (() => unknown)[]) {
    this.bus = bus
    this.#options = options
    this.#cleanups = cleanups
  }

  static async start(options: RigOptions): Promise<Rig> {
    const cleanups: (() => unknown)[] = []
    const t = {
      teardown: (call: () => unknown) => cleanups.push(call),
    } as unknown as ExecutionContext
    const rig = new Rig(await testBus(t), options, cleanups)
    await rig.startAgent()
    return rig
  }

  /** The gateway's port. */
  get port(): number {
    return this.#port
  }

  /** Starts the agent, or another after its death. */
  async startAgent(): Promise<void> {
    const { apps, ...choices } = this.#options
    const order = {
      ...choices,
      socket: this.bus.socket,
      token: this.bus.know('host/agent'),
      manifest: { apps },
      listenerMs: 15_000,
      key: this.#key,
      port: this.#port,
    }
    const agent = spawn(
      process.execPath,
      [path.join(programs, 'agent.mjs'), JSON.stringify(order)],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    )
    this.#agent = agent
    let isReady = false
    agent.on('message', (message: AgentMessage) => {
      if (message.ready === true) {
        this.#port = message.port ?? 0
        isReady = true
      }
      if (message.problem !== undefined) this.problems.push(message.problem)
      if (message.start !== undefined) void this.#start(agent, message.start, message.uuid ?? '')
    })
    await until('the agent is there', () => isReady || agent.exitCode !== null)
  }

  /** Kills the agent. */
  async killAgent(): Promise<void> {
    const agent = this.#agent
    if (agent === undefined) return
    const gone = once(agent, 'exit')
    agent.kill('SIGKILL')
    await gone
  }

  /** A run of an app, by hand. */
  async spawn(uuid: string): Promise<ActorProcess> {
    const actor = this.launch(uuid)
    await until(`${actor.instance} is ready`, () => actor.isReady || actor.child.exitCode !== null)
    return actor
  }

  /** A run of an app that nobody waits for. */
  launch(uuid: string): ActorProcess {
    const instance = this.nextInstance(uuid)
    const role = this.roles.get(uuid) ?? uuid
    const order = { socket: this.bus.socket, instance, token: this.bus.know(instance), role }
    const child = spawn(
      process.execPath,
      [path.join(programs, 'actor.mjs'), JSON.stringify(order)],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    )
    const actor = new ActorProcess(instance, child)
    this.actors.set(instance, actor)
    child.on('exit', () => {
      this.actors.delete(instance)
      if (this.#agent?.connected === true) this.#agent.send({ ended: instance })
    })
    return actor
  }

  /** The name of the next run of an app. */
  nextInstance(uuid: string): string {
    const generation = (this.#generations.get(uuid) ?? 0) + 1
    this.#generations.set(uuid, generation)
    return `${uuid}.${generation}`
  }

  /** The app that the agent started last under this uuid. */
  actor(instance: string): ActorProcess {
    const actor = this.actors.get(instance)
    if (actor === undefined) throw new Error(`${instance} does not run`)
    return actor
  }

  /** Ends all runs of the apps that the agent starts; the others stay. */
  async endApps(...keep: readonly string[]): Promise<void> {
    const ending = [...this.actors.values()].filter(({ instance }) => !keep.includes(instance))
    await Promise.all(ending.map((actor) => actor.end()))
  }

  async close(): Promise<void> {
    await this.endApps()
    await this.killAgent()
    for (const cleanup of this.#cleanups.reverse()) await cleanup()
  }

  async #start(agent: ChildProcess, started: number, uuid: string): Promise<void> {
    this.started.push(uuid)
    try {
      if (this.roles.get(uuid) === 'broken') throw new Error('no such program')
      let instance: string
      if (this.openPage !== undefined && this.#urlOf(uuid) !== undefined) {
        instance = this.nextInstance(uuid)
        await this.openPage(uuid, instance, this.bus.know(instance))
      } else {
        instance = this.launch(uuid).instance
      }
      agent.send({ started, instance })
    } catch (error) {
      agent.send({ started, error: (error as Error).message })
    }
  }

  #urlOf(uuid: string): string | undefined {
    const apps = this.#options.apps as { startup_app: { uuid: string; url?: string } }[]
    return apps.find((app) => app.startup_app.uuid === uuid)?.startup_app.url
  }
}

interface AgentMessage {
  readonly ready?: boolean
  readonly port?: number
  readonly problem?: AgentProblem
  readonly start?: number
  readonly uuid?: string
}
