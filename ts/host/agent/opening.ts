/** Apps and instances: what is known of them, and the opening of more. */
import { type Core, eventOf, type Waiters } from './core.js'
import type { AppRecord } from './directory.js'
import type { AppMetadata, Context, Requests } from './message.js'
import { Refusal } from './message.js'
import type { ContextListener, Peer } from './peer.js'
import { type Reply, reply } from './reply.js'

/** What the agent says of itself. */
export interface Implementation {
  readonly fdc3Version: string
  readonly provider: string
  readonly providerVersion: string
}

/** Opens apps and says what there is. */
export class Opening {
  readonly #core: Core
  readonly #connected: Waiters
  readonly #implementation: Implementation
  /** Contexts that a started instance has to be given with its first listener that takes them. */
  readonly #presents = new Map<string, Present[]>()

  constructor(core: Core, connected: Waiters, implementation: Implementation) {
    this.#core = core
    this.#connected = connected
    this.#implementation = implementation
  }

  getInfo(peer: Peer): Reply {
    return reply({ implementationMetadata: this.implementationMetadata(peer) })
  }

  /** What the agent says of itself to this instance. */
  implementationMetadata(peer: Peer): object {
    return {
      ...this.#implementation,
      optionalFeatures: {
        DesktopAgentBridging: false,
        OriginatingAppMetadata: true,
        UserChannelMembershipAPIs: true,
      },
      appMetadata: this.metadata(peer.appId, peer.instanceId),
    }
  }

  /** What others may know of an app, or of an instance of it. */
  metadata(appId: string, instanceId?: string): AppMetadata {
    const metadata = this.#core.directory.get(appId)?.metadata ?? { appId }
    return instanceId === undefined ? metadata : { ...metadata, instanceId }
  }

  getAppMetadata(_peer: Peer, { payload }: Requests['getAppMetadataRequest']): Reply {
    const { appId, instanceId } = payload.app
    const record = this.#core.directory.get(appId)
    if (record === undefined) throw new Refusal('TargetAppUnavailable')
    if (instanceId !== undefined && !this.#isOf(instanceId, record))
      throw new Refusal('TargetInstanceUnavailable')
    return reply({ appMetadata: this.metadata(record.appId, instanceId) })
  }

  findInstances(_peer: Peer, { payload }: Requests['findInstancesRequest']): Reply {
    const record = this.#core.directory.get(payload.app.appId)
    const found = record === undefined ? [] : this.instancesOf(record)
    return reply({ appIdentifiers: found.map(({ identifier }) => identifier) })
  }

  /** Connected instances of an app. */
  instancesOf({ appId }: AppRecord): Peer[] {
    return [...this.#core.peers.values()].filter((peer) => peer.appId === appId)
  }

  async open(peer: Peer, { payload }: Requests['openRequest']): Promise<Reply> {
    const { app, context } = payload
    const record = this.#core.directory.get(app.appId)
    if (record === undefined) throw new Refusal('AppNotFound')
    if (app.instanceId !== undefined && !this.#isOf(app.instanceId, record))
      throw new Refusal('AppNotFound')
    const instanceId = app.instanceId ?? (await this.start(record, 'ErrorOnLaunch'))
    if (context === undefined) {
      // An app that speaks no FDC3 is open all the same.
      await this.#connected.until(instanceId, () => true, 'AppTimeout', peer).catch(() => undefined)
    } else {
      await this.#give(instanceId, context, peer)
    }
    return reply({ appIdentifier: { appId: record.appId, instanceId } })
  }

  /** Starts an app; gives its instance, which has not connected yet perhaps. */
  async start(record: AppRecord, refusal: string): Promise<string> {
    try {
      return await this.#core.start(record.uuid)
    } catch (error) {
      this.#core.report({
        kind: 'start-failed',
        instanceId: null,
        text: `${record.appId} was not started: ${error instanceof Error ? error.message : String(error)}`,
        facts: {
          appId: record.appId,
          uuid: record.uuid,
          code: (error as { code?: unknown })?.code,
        },
      })
      throw new Refusal(refusal)
    }
  }

  /** A listener was added: what was meant for this instance goes to it. */
  listening(peer: Peer, listener: ContextListener): void {
    for (const present of [...(this.#presents.get(peer.instanceId) ?? [])])
      present.offer(peer, listener)
  }

  /** Gives a context to an instance that was opened with it; resolves when it has gone out. */
  #give(instanceId: string, context: Context, from: Peer): Promise<void> {
    const originatingApp = from.identifier
    return new Promise((resolve, reject) => {
      const presents = this.#presents.get(instanceId) ?? []
      const end = () => {
        callOff()
        presents.splice(presents.indexOf(present), 1)
        if (presents.length === 0) this.#presents.delete(instanceId)
      }
      const present: Present = {
        offer: (peer, { channelId, contextType }) => {
          if (contextType !== null && contextType !== context.type) return false
          // The client takes it for the listener that it belongs to by the channel that was named.
          if (channelId !== null && channelId !== peer.userChannelId) return false
          end()
          const event = { channelId, context, originatingApp }
          this.#core.post([instanceId], eventOf(this.#core, 'broadcastEvent', event))
          resolve()
          return true
        },
        refuse: () => {
          end()
          reject(new Refusal('AppTimeout'))
        },
      }
      const callOff = this.#core.clock.after(this.#core.listenerMs, present.refuse)
      this.#presents.set(instanceId, presents)
      presents.push(present)
      const running = this.#core.peers.get(instanceId)
      for (const listener of running?.contextListeners.values() ?? []) {
        if (running !== undefined && present.offer(running, listener)) break
      }
    })
  }

  /** The instance is gone for good. */
  forget(instanceId: string): void {
    for (const present of [...(this.#presents.get(instanceId) ?? [])]) present.refuse()
  }

  #isOf(instanceId: string, { appId }: AppRecord): boolean {
    return this.#core.peers.get(instanceId)?.appId === appId
  }
}

interface Present {
  /** True when the listener took it. */
  offer(peer: Peer, listener: ContextListener): boolean
  refuse(): void
}
