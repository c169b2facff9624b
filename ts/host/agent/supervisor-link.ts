/** The agent's connection to the supervisor: it asks for apps to be started and hears which runs ended. */
import { setTimeout as sleep } from 'node:timers/promises'
import { hostError } from '../error.js'
import { Operator } from '../supervisor/operator.js'
import type { HostEvent } from '../supervisor/status.js'

const retryMs = 200
/** Milliseconds that an app has from the order to start it until it serves. */
const startMs = 60_000

/** What is heard. */
export interface SupervisorEnds {
  /** A run ended. */
  onEnded(instance: string): void
}

/** The connection. It comes back when the supervisor was another. */
export class SupervisorLink {
  readonly #root: string
  readonly #ends: SupervisorEnds
  #operator: Promise<Operator> | undefined
  #isClosed = false

  constructor(root: string, ends: SupervisorEnds) {
    this.#root = root
    this.#ends = ends
  }

  /** Starts an app; gives the instance that serves then, also when it ran already. */
  async start(uuid: string): Promise<string> {
    const operator = await this.#connect()
    const { instance } = await operator.ask('start', { uuid }, { timeoutMs: startMs })
    if (instance !== null) return instance
    throw hostError('HOST_LAUNCH', `${uuid} was not started`, { uuid, step: 'start', errno: '' })
  }

  /** Hears of runs that end, from now on and through restarts of the supervisor. */
  follow(): void {
    void this.#follow()
  }

  /** Ends it. May be called again. */
  close(): void {
    this.#isClosed = true
    this.#operator?.then((operator) => operator.close()).catch(() => undefined)
  }

  async #follow(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const operator = await this.#connect()
        await operator.ask('follow', {})
        return
      } catch {
        await sleep(retryMs, undefined, { ref: false })
      }
    }
  }

  #connect(): Promise<Operator> {
    this.#operator ??= Operator.connect(this.#root, {
      onEvent: (event) => this.#hear(event),
      onEnd: () => {
        this.#operator = undefined
        if (!this.#isClosed) this.follow()
      },
    }).catch((error: unknown) => {
      this.#operator = undefined
      throw error
    })
    return this.#operator
  }

  #hear({ type, instance }: HostEvent): void {
    if ((type === 'ended' || type === 'lost') && instance !== null) this.#ends.onEnded(instance)
  }
}
