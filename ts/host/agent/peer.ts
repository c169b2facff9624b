/** A connected instance of an app, and everything that ends with it. */
import type { AppIdentifier } from './message.js'

/** A listener for contexts; `channelId` null follows the user channel of its app. */
export interface ContextListener {
  readonly channelId: string | null
  readonly contextType: string | null
}

/** A listener for what happens on a private channel. */
export interface PrivateListener {
  readonly channelId: string
  readonly type: string | null
}

/** An instance that is connected. */
export class Peer {
  readonly appId: string
  readonly instanceId: string
  /** The user channel that it is on. */
  userChannelId: string | null = null
  readonly contextListeners = new Map<string, ContextListener>()
  readonly intentListeners = new Map<string, string>()
  readonly eventListeners = new Map<string, string | null>()
  readonly privateListeners = new Map<string, PrivateListener>()
  /** Intents and openings that it waits for. */
  waiting = 0
  /** When it was last heard of, and when an answer to a heartbeat is overdue. */
  heardAt: number

  constructor(identity: { readonly appId: string; readonly instanceId: string }, now: number) {
    this.appId = identity.appId
    this.instanceId = identity.instanceId
    this.heardAt = now
  }

  /** It, as others name it. */
  get identifier(): Required<Pick<AppIdentifier, 'appId' | 'instanceId'>> {
    return { appId: this.appId, instanceId: this.instanceId }
  }

  /** How many listeners it has. */
  get listeners(): number {
    return (
      this.contextListeners.size +
      this.intentListeners.size +
      this.eventListeners.size +
      this.privateListeners.size
    )
  }

  /** True when it listens for this intent now. */
  hears(intent: string): boolean {
    for (const heard of this.intentListeners.values()) if (heard === intent) return true
    return false
  }
}
