/** What the parts of the agent share: who is connected, how to say something, what is waited for. */
import type { Clock } from './clock.js'
import type { AppDirectory } from './directory.js'
import { waitingMax } from './limits.js'
import type { AgentMessage } from './message.js'
import { Refusal } from './message.js'
import type { Peer } from './peer.js'
import type { AgentProblem } from './problem.js'

/** The agent's common ground. */
export interface Core {
  readonly clock: Clock
  readonly directory: AppDirectory
  /** Connected instances by instanceId, the longest connected first. */
  readonly peers: ReadonlyMap<string, Peer>
  /** Milliseconds that an app has to connect and to listen after it was started. */
  readonly listenerMs: number
  /** Sends one message to these instances. */
  post(to: readonly string[], message: AgentMessage): void
  /** Starts an app; gives its instance's id. */
  start(uuid: string): Promise<string>
  report(problem: AgentProblem): void
}

/** An event message. */
export function eventOf(
  core: Core,
  type: string,
  payload: object,
): AgentMessage & { readonly meta: { readonly eventUuid: string } } {
  return {
    type,
    payload,
    meta: { timestamp: new Date(core.clock.now()).toISOString(), eventUuid: core.clock.uuid() },
  }
}

/**
 * Waits for something that an instance has to do: to connect, to add a listener. Ends with a refusal after
 * the time or when the instance is gone; never waits for ever.
 */
export class Waiters {
  readonly #core: Core
  readonly #waiting = new Map<string, Set<Waiter>>()

  constructor(core: Core) {
    this.#core = core
  }

  /** Resolves once `isDone` holds for the instance; asked now and at each `look`. */
  until(
    instanceId: string,
    isDone: (peer: Peer) => boolean,
    refusal: string,
    from?: Peer,
  ): Promise<Peer> {
    const now = this.#core.peers.get(instanceId)
    if (now !== undefined && isDone(now)) return Promise.resolve(now)
    if (from !== undefined && from.waiting >= waitingMax)
      return Promise.reject(new Refusal(refusal))
    if (from !== undefined) from.waiting += 1
    return new Promise((resolve, reject) => {
      const end = () => {
        if (from !== undefined) from.waiting -= 1
        callOff()
        const waiters = this.#waiting.get(instanceId)
        waiters?.delete(waiter)
        if (waiters?.size === 0) this.#waiting.delete(instanceId)
      }
      const waiter: Waiter = {
        look: (peer) => {
          if (!isDone(peer)) return
          end()
          resolve(peer)
        },
        refuse: () => {
          end()
          reject(new Refusal(refusal))
        },
      }
      const callOff = this.#core.clock.after(this.#core.listenerMs, waiter.refuse)
      const waiters = this.#waiting.get(instanceId) ?? new Set()
      this.#waiting.set(instanceId, waiters.add(waiter))
    })
  }

  /** Something changed at this instance. */
  look(peer: Peer): void {
    for (const waiter of [...(this.#waiting.get(peer.instanceId) ?? [])]) waiter.look(peer)
  }

  /** The instance is gone for good. */
  refuse(instanceId: string): void {
    for (const waiter of [...(this.#waiting.get(instanceId) ?? [])]) waiter.refuse()
  }
}

interface Waiter {
  look(peer: Peer): void
  refuse(): void
}
