/**
 * Intents: who could resolve one, who does, and how its result finds the way back.
 *
 * ```text
 * raiser                      agent                        target
 *   | -- raiseIntentRequest --> |  who? start it, wait for     |
 *   |                           |  its listener                |
 *   |                           | ------ intentEvent --------> |
 *   | <- raiseIntentResponse -- |                              |
 *   |                           | <--- intentResultRequest --- |
 *   | <- raiseIntentResult- --- | ---- intentResultResponse -> |
 * ```
 */
import type { Channels } from './channels.js'
import { type Core, eventOf, type Waiters } from './core.js'
import { listenersMax, waitingMax } from './limits.js'
import type {
  AppIdentifier,
  AppIntent,
  AppMetadata,
  Context,
  IntentResult,
  Requests,
} from './message.js'
import { Refusal } from './message.js'
import type { Opening } from './opening.js'
import type { Peer } from './peer.js'
import { type Reply, reply } from './reply.js'
import type { IntentResolver } from './resolver.js'

/** An intent that was delivered and whose result has not come. */
interface Delivered {
  readonly intent: string
  readonly raiser: string
  readonly target: string
  readonly requestUuid: string
}

/** Gives a result to whoever raised the intent. */
type TellResult = (delivered: Delivered, payload: object) => void

/** Finds, raises and answers intents. */
export class Intents {
  readonly #core: Core
  readonly #opening: Opening
  readonly #channels: Channels
  readonly #listening: Waiters
  readonly #resolver: IntentResolver
  readonly #tellResult: TellResult
  readonly #delivered = new Map<string, Delivered>()

  constructor(parts: {
    readonly core: Core
    readonly opening: Opening
    readonly channels: Channels
    readonly listening: Waiters
    readonly resolver: IntentResolver
    readonly tellResult: TellResult
  }) {
    this.#core = parts.core
    this.#opening = parts.opening
    this.#channels = parts.channels
    this.#listening = parts.listening
    this.#resolver = parts.resolver
    this.#tellResult = parts.tellResult
  }

  /** Intents that were delivered and whose result has not come. */
  get open(): number {
    return this.#delivered.size
  }

  find(_peer: Peer, { payload }: Requests['findIntentRequest']): Reply {
    const { intent, context, resultType } = payload
    const [found] = this.#options(intent, context?.type, resultType)
    if (found === undefined) throw new Refusal('NoAppsFound')
    return reply({ appIntent: found })
  }

  findByContext(_peer: Peer, { payload }: Requests['findIntentsByContextRequest']): Reply {
    const { context } = payload
    const appIntents = this.#options(undefined, context.type)
    if (appIntents.length === 0) throw new Refusal('NoAppsFound')
    return reply({ appIntents })
  }

  addListener(peer: Peer, { payload }: Requests['addIntentListenerRequest']): Reply {
    if (peer.listeners >= listenersMax) throw new Refusal('IntentDeliveryFailed')
    const listenerUUID = this.#core.clock.uuid()
    peer.intentListeners.set(listenerUUID, payload.intent)
    return reply({ listenerUUID }, () => this.#listening.look(peer))
  }

  removeListener(peer: Peer, { payload }: Requests['intentListenerUnsubscribeRequest']): Reply {
    peer.intentListeners.delete(payload.listenerUUID)
    return reply()
  }

  raise(peer: Peer, { payload, meta }: Requests['raiseIntentRequest']): Promise<Reply> {
    const { intent, context, app } = payload
    return this.#raise(peer, { intent, context, app, requestUuid: meta.requestUuid })
  }

  raiseForContext(
    peer: Peer,
    { payload, meta }: Requests['raiseIntentForContextRequest'],
  ): Promise<Reply> {
    const { context, app } = payload
    return this.#raise(peer, { intent: undefined, context, app, requestUuid: meta.requestUuid })
  }

  /** A handler is done. Only the instance that was given the intent can say so. */
  result(peer: Peer, { payload }: Requests['intentResultRequest']): Reply {
    const { intentEventUuid, intentResult } = payload
    const delivered = this.#delivered.get(intentEventUuid)
    if (delivered === undefined) return reply()
    if (delivered.target !== peer.instanceId) {
      this.#core.report({
        kind: 'forged',
        instanceId: peer.instanceId,
        text: `${peer.instanceId} gave a result for an intent that was delivered to ${delivered.target}`,
        facts: { intent: delivered.intent, target: delivered.target },
      })
      return reply()
    }
    this.#delivered.delete(intentEventUuid)
    const { channel } = intentResult as { channel?: IntentResult['channel'] }
    if (channel !== undefined) this.#channels.share(channel.id, peer, delivered.raiser)
    this.#tellResult(delivered, { intentResult })
    return reply()
  }

  /** The instance is gone: what it would have answered is answered for it, what it waits for is let go. */
  forget({ instanceId }: Peer): void {
    for (const [eventUuid, delivered] of [...this.#delivered]) {
      if (delivered.raiser === instanceId) this.#delivered.delete(eventUuid)
      if (delivered.target !== instanceId) continue
      this.#delivered.delete(eventUuid)
      this.#tellResult(delivered, { error: 'NoResultReturned' })
    }
  }

  async #raise(
    peer: Peer,
    raised: {
      readonly intent: string | undefined
      readonly context: Context
      readonly app: AppIdentifier | undefined
      readonly requestUuid: string
    },
  ): Promise<Reply> {
    if (peer.waiting >= waitingMax) {
      this.#core.report({
        kind: 'limit',
        instanceId: peer.instanceId,
        text: `${peer.instanceId} waits for ${peer.waiting} intents and may raise no more`,
        facts: { limit: waitingMax },
      })
      throw new Refusal('IntentDeliveryFailed')
    }
    peer.waiting += 1
    try {
      const { intent, app } = await this.#choose(peer, raised)
      const target = await this.#target(app, intent)
      this.#deliver(peer, target, intent, raised.context, raised.requestUuid)
      return reply({ intentResolution: { intent, source: target.identifier } })
    } finally {
      peer.waiting -= 1
    }
  }

  /** Which intent, and which app or instance: the only one there is, or the resolver's choice. */
  async #choose(
    peer: Peer,
    {
      intent,
      context,
      app,
    }: {
      readonly intent: string | undefined
      readonly context: Context
      readonly app: AppIdentifier | undefined
    },
  ): Promise<{ readonly intent: string; readonly app: AppIdentifier }> {
    const record = app === undefined ? undefined : this.#core.directory.get(app.appId)
    if (app !== undefined && record === undefined) throw new Refusal('TargetAppUnavailable')
    if (app?.instanceId !== undefined) {
      const target = this.#core.peers.get(app.instanceId)
      if (target === undefined || target.appId !== record?.appId)
        throw new Refusal('TargetInstanceUnavailable')
    }
    const options = this.#options(intent, context.type)
      .map((option) => ({
        ...option,
        apps: option.apps.filter((found) => isMeant(found, record?.appId, app?.instanceId)),
      }))
      .filter(({ apps }) => apps.length > 0)
    if (options.length === 0) throw new Refusal('NoAppsFound')
    const certain = onlyChoice(options)
    if (certain !== undefined) return certain
    const choice = await this.#ask(peer, context, options)
    const offered = options
      .find(({ intent: { name } }) => name === choice.intent)
      ?.apps.some(
        ({ appId, instanceId }) =>
          appId === choice.app.appId && instanceId === choice.app.instanceId,
      )
    if (offered !== true)
      throw this.#resolverFailed(peer, `it chose ${JSON.stringify(choice)}, which was not offered`)
    return choice
  }

  async #ask(
    peer: Peer,
    context: Context,
    options: readonly AppIntent[],
  ): Promise<{ readonly intent: string; readonly app: AppIdentifier }> {
    let choice: Awaited<ReturnType<IntentResolver>>
    try {
      choice = await this.#resolver({ from: peer.identifier, context, options })
    } catch (error) {
      if (error instanceof Refusal) throw error
      throw this.#resolverFailed(peer, error instanceof Error ? error.message : String(error))
    }
    if (choice === undefined) throw new Refusal('UserCancelledResolution')
    return choice
  }

  #resolverFailed(peer: Peer, reason: string): Refusal {
    this.#core.report({
      kind: 'resolver',
      instanceId: peer.instanceId,
      text: `the resolver did not decide an intent of ${peer.instanceId}: ${reason}`,
      facts: { reason },
    })
    return new Refusal('ResolverUnavailable')
  }

  /** The instance that gets it: there already, or started; with its listener in place. */
  async #target(app: AppIdentifier, intent: string): Promise<Peer> {
    let { instanceId } = app
    if (instanceId === undefined) {
      const record = this.#core.directory.get(app.appId)
      if (record === undefined) throw new Refusal('TargetAppUnavailable')
      instanceId = await this.#opening.start(record, 'IntentDeliveryFailed')
    }
    return this.#listening.until(instanceId, (peer) => peer.hears(intent), 'IntentDeliveryFailed')
  }

  #deliver(from: Peer, to: Peer, intent: string, context: Context, requestUuid: string): void {
    const event = eventOf(this.#core, 'intentEvent', {
      intent,
      context,
      originatingApp: from.identifier,
      raiseIntentRequestUuid: requestUuid,
    })
    const delivered = { intent, raiser: from.instanceId, target: to.instanceId, requestUuid }
    this.#delivered.set(event.meta.eventUuid, delivered)
    this.#core.post([to.instanceId], event)
  }

  /**
   * Intents with who could resolve each: running instances first, then the apps that could be started. An instance
   * counts when its app says that it resolves the intent with this context, or when its app says nothing of the
   * intent and the instance listens for it.
   */
  #options(
    intent: string | undefined,
    contextType: string | undefined,
    resultType?: string,
  ): AppIntent[] {
    const byIntent = new Map<string, { displayName: string; apps: AppMetadata[] }>()
    const optionOf = (name: string, displayName = name) => {
      const option = byIntent.get(name) ?? { displayName, apps: [] }
      byIntent.set(name, option)
      return option
    }
    const declared = this.#core.directory.find(intent, contextType, resultType)
    for (const { record, listens } of declared) {
      const option = optionOf(listens.intent, listens.displayName)
      const result = listens.resultType === undefined ? {} : { resultType: listens.resultType }
      for (const { instanceId } of this.#opening.instancesOf(record)) {
        option.apps.push({ ...this.#opening.metadata(record.appId, instanceId), ...result })
      }
    }
    if (intent !== undefined && resultType === undefined) {
      for (const peer of this.#core.peers.values()) {
        if (!peer.hears(intent) || this.#declares(peer.appId, intent)) continue
        optionOf(intent).apps.push(this.#opening.metadata(peer.appId, peer.instanceId))
      }
    }
    for (const { record, listens } of declared) {
      const result = listens.resultType === undefined ? {} : { resultType: listens.resultType }
      optionOf(listens.intent).apps.push({ ...this.#opening.metadata(record.appId), ...result })
    }
    return [...byIntent].map(([name, { displayName, apps }]) => ({
      intent: { name, displayName },
      apps,
    }))
  }

  #declares(appId: string, intent: string): boolean {
    return (
      this.#core.directory.get(appId)?.listensFor.some((listens) => listens.intent === intent) ===
      true
    )
  }
}

function isMeant(
  found: AppIdentifier,
  appId: string | undefined,
  instanceId: string | undefined,
): boolean {
  if (appId !== undefined && found.appId !== appId) return false
  return instanceId === undefined || found.instanceId === instanceId
}

/** What is not worth a question: one intent and one app, with one running instance or none. */
function onlyChoice(
  options: readonly AppIntent[],
): { intent: string; app: AppIdentifier } | undefined {
  const [option] = options
  if (option === undefined || options.length > 1) return undefined
  if (new Set(option.apps.map(({ appId }) => appId)).size > 1) return undefined
  const running = option.apps.filter(({ instanceId }) => instanceId !== undefined)
  const app = running[0] ?? option.apps[0]
  if (app === undefined || running.length > 1) return undefined
  const { appId, instanceId } = app
  return {
    intent: option.intent.name,
    app: instanceId === undefined ? { appId } : { appId, instanceId },
  }
}
