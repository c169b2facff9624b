/** What the agent asks of the supervisor, over the connection that every app has: its beginning, apps to be started, which runs ended. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostApp } from '../app/host-app.js'
import { hostError, isHostError } from '../error.js'
import type { HostEvent } from '../supervisor/status.js'
import { type Briefing, briefingOf } from './briefing.js'

const retryMs = 200
/** Milliseconds that an app has from the order to start it until it serves. */
const startMs = 60_000

/** The agent's side. */
export class SupervisorLink {
  readonly #host: HostApp

  constructor(host: HostApp) {
    this.#host = host
  }

  /** What the agent begins with; waits for a supervisor that is away. */
  async briefing(): Promise<Briefing> {
    for (;;) {
      try {
        return briefingOf(await this.#host.ask('briefing', {}))
      } catch (error) {
        if (!isHostError(error, 'HOST_DISCONNECTED')) throw error
      }
      await sleep(retryMs)
    }
  }

  /** Starts an app; gives the instance that serves then, also when it ran already. */
  async start(uuid: string): Promise<string> {
    const answer = await this.#host.ask('start', { uuid }, { timeoutMs: startMs })
    const { instance } = (answer ?? {}) as { instance?: unknown }
    if (typeof instance === 'string') return instance
    throw hostError('HOST_LAUNCH', `${uuid} was not started`, { uuid, step: 'start', errno: '' })
  }

  /** Says where pages find the agent, to each supervisor. */
  listening(port: number): void {
    this.#host.onWelcome(() => this.#host.tell('listening', { port }))
  }

  /** Hears of runs that end, from now on and from each supervisor. */
  follow(onEnded: (instance: string) => void): void {
    this.#host.onNote((name, value) => {
      const { type, instance } = (value ?? {}) as Partial<HostEvent>
      if (name !== 'event' || (type !== 'ended' && type !== 'lost')) return
      if (typeof instance === 'string') onEnded(instance)
    })
    // One that goes away meanwhile is followed by one that is asked again.
    this.#host.onWelcome(() => void this.#host.ask('follow', {}).catch(() => {}))
  }
}
