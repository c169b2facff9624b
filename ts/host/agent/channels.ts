/**
 * Channels and the contexts on them.
 *
 * Three kinds: the user channels that there always are, app channels that are made by being asked for, and private
 * channels, which only those can use who created them or were given them as the result of an intent. A channel
 * remembers the last context of each type. What an app broadcasts never comes back to it.
 */
import { type Core, eventOf } from './core.js'
import {
  appChannelsMax,
  contextTypesMax,
  listenersMax,
  nameLengthMax,
  privateChannelsMax,
} from './limits.js'
import type { Channel, Context, Requests } from './message.js'
import { Refusal } from './message.js'
import type { ContextListener, Peer } from './peer.js'
import { type Reply, reply } from './reply.js'

interface ChannelState {
  readonly id: string
  readonly type: 'user' | 'app' | 'private'
  readonly displayMetadata?: Channel['displayMetadata']
  /** By type; the one that was broadcast last is last. */
  readonly contexts: Map<string, Context>
  /** Of a private channel: who may use it. */
  readonly members: Set<string>
}

const colors = ['red', 'orange', 'yellow', 'green', 'cyan', 'blue', 'magenta', 'purple'] as const

/** The eight user channels that the standard recommends. */
export const recommendedChannels: readonly Channel[] = colors.map((color, index) => ({
  id: `fdc3.channel.${index + 1}`,
  type: 'user',
  displayMetadata: { name: `Channel ${index + 1}`, color, glyph: `${index + 1}` },
}))

/** All channels of an agent. */
export class Channels {
  readonly #core: Core
  readonly #channels = new Map<string, ChannelState>()
  readonly #userChannels: readonly Channel[]
  #appChannels = 0

  constructor(core: Core, userChannels: readonly Channel[]) {
    this.#core = core
    this.#userChannels = userChannels
    for (const { id, displayMetadata } of userChannels) this.#create(id, 'user', displayMetadata)
  }

  /** For people: every channel that is not private, with the types of context on it and who listens. */
  status(): { id: string; type: string; contextTypes: string[]; instances: string[] }[] {
    return [...this.#channels.values()]
      .filter(({ type }) => type !== 'private')
      .map((channel) => ({
        id: channel.id,
        type: channel.type,
        contextTypes: [...channel.contexts.keys()],
        instances: [...this.#core.peers.values()]
          .filter((peer) => peer.userChannelId === channel.id || this.#listensOn(peer, channel))
          .map(({ instanceId }) => instanceId),
      }))
  }

  getUserChannels(): Reply {
    return reply({ userChannels: this.#userChannels })
  }

  getOrCreate(_peer: Peer, { payload }: Requests['getOrCreateChannelRequest']): Reply {
    const { channelId } = payload
    let channel = this.#channels.get(channelId)
    if (channel === undefined) {
      if (this.#appChannels >= appChannelsMax || channelId.length > nameLengthMax)
        throw new Refusal('CreationFailed')
      channel = this.#create(channelId, 'app')
      this.#appChannels += 1
    }
    if (channel.type === 'private') throw new Refusal('AccessDenied')
    return reply({ channel: visible(channel) })
  }

  createPrivate(peer: Peer): Reply {
    let own = 0
    for (const { type, members } of this.#channels.values()) {
      if (type === 'private' && members.has(peer.instanceId)) own += 1
    }
    if (own >= privateChannelsMax) throw new Refusal('CreationFailed')
    const channel = this.#create(this.#core.clock.uuid(), 'private')
    channel.members.add(peer.instanceId)
    return reply({ privateChannel: { id: channel.id, type: 'private' } })
  }

  /** An intent gave this channel: whoever raised it may use it from now on. */
  share(channelId: string, from: Peer, to: string): void {
    const channel = this.#channels.get(channelId)
    if (channel?.type === 'private' && channel.members.has(from.instanceId)) channel.members.add(to)
  }

  join(peer: Peer, { payload }: Requests['joinUserChannelRequest']): Reply {
    if (this.#channels.get(payload.channelId)?.type !== 'user') throw new Refusal('NoChannelFound')
    this.#move(peer, payload.channelId, 'itself')
    return reply()
  }

  leave(peer: Peer): Reply {
    this.#move(peer, null, 'itself')
    return reply()
  }

  /** Somebody else, such as a person, puts an instance on a user channel or takes it off with null. */
  moveFromOutside(peer: Peer, channelId: string | null): void {
    if (channelId !== null && this.#channels.get(channelId)?.type !== 'user')
      throw new Refusal('NoChannelFound')
    this.#move(peer, channelId, 'outside')
  }

  current(peer: Peer): Reply {
    const channel = peer.userChannelId === null ? undefined : this.#channels.get(peer.userChannelId)
    return reply({ channel: channel === undefined ? null : visible(channel) })
  }

  currentContext(peer: Peer, { payload }: Requests['getCurrentContextRequest']): Reply {
    const channel = this.#usable(peer, payload.channelId)
    return reply({ context: contextOn(channel, payload.contextType) ?? null })
  }

  broadcast(peer: Peer, { payload }: Requests['broadcastRequest']): Reply {
    const channel = this.#usable(peer, payload.channelId)
    const { context } = payload
    channel.contexts.delete(context.type)
    channel.contexts.set(context.type, context)
    if (channel.contexts.size > contextTypesMax) {
      channel.contexts.delete(channel.contexts.keys().next().value as string)
    }
    const to: string[] = []
    for (const other of this.#core.peers.values()) {
      if (other !== peer && this.#listensOn(other, channel, context.type)) to.push(other.instanceId)
    }
    if (to.length > 0) {
      const event = { channelId: channel.id, context, originatingApp: peer.identifier }
      this.#core.post(to, eventOf(this.#core, 'broadcastEvent', event))
    }
    return reply()
  }

  addContextListener(peer: Peer, { payload }: Requests['addContextListenerRequest']): Reply {
    const { channelId, contextType } = payload
    const channel = channelId === null ? undefined : this.#usable(peer, channelId)
    const listenerUUID = this.#newListener(peer)
    peer.contextListeners.set(listenerUUID, { channelId, contextType })
    if (channel?.type === 'private') {
      this.#tellMembers(channel, peer, 'privateChannelOnAddContextListenerEvent', { contextType })
    }
    return reply({ listenerUUID }, () => {
      // The official client 2.2.0 names the user channel that it is on and leaves it to the agent to send what is
      // there already. A listener of the channel itself looks the same from here.
      if (channel?.type !== 'user' || peer.userChannelId !== channel.id) return
      const context = contextOn(channel, contextType)
      if (context === undefined) return
      const event = { channelId: channel.id, context }
      this.#core.post([peer.instanceId], eventOf(this.#core, 'broadcastEvent', event))
    })
  }

  removeContextListener(
    peer: Peer,
    { payload }: Requests['contextListenerUnsubscribeRequest'],
  ): Reply {
    const listener = peer.contextListeners.get(payload.listenerUUID)
    peer.contextListeners.delete(payload.listenerUUID)
    if (listener !== undefined) this.#tellUnsubscribed(peer, listener)
    return reply()
  }

  addEventListener(peer: Peer, { payload }: Requests['addEventListenerRequest']): Reply {
    const listenerUUID = this.#newListener(peer)
    peer.eventListeners.set(listenerUUID, payload.type)
    return reply({ listenerUUID })
  }

  removeEventListener(peer: Peer, { payload }: Requests['eventListenerUnsubscribeRequest']): Reply {
    peer.eventListeners.delete(payload.listenerUUID)
    return reply()
  }

  addPrivateListener(
    peer: Peer,
    { payload }: Requests['privateChannelAddEventListenerRequest'],
  ): Reply {
    const channel = this.#usable(peer, payload.privateChannelId)
    if (channel.type !== 'private') throw new Refusal('NoChannelFound')
    const listenerUUID = this.#newListener(peer)
    const isFirst = ![...peer.privateListeners.values()].some(
      ({ channelId, type }) =>
        channelId === channel.id && type !== 'disconnect' && type !== 'unsubscribe',
    )
    const type = payload.listenerType
    peer.privateListeners.set(listenerUUID, { channelId: channel.id, type })
    return reply({ listenerUUID }, () => {
      // Listeners that others added before this one was there are told too, once.
      if (!isFirst || type === 'disconnect' || type === 'unsubscribe') return
      for (const other of this.#core.peers.values()) {
        if (other === peer) continue
        for (const { channelId, contextType } of other.contextListeners.values()) {
          if (channelId !== channel.id) continue
          this.#tell([peer.instanceId], channel, 'privateChannelOnAddContextListenerEvent', {
            contextType,
          })
        }
      }
    })
  }

  removePrivateListener(
    peer: Peer,
    { payload }: Requests['privateChannelUnsubscribeEventListenerRequest'],
  ): Reply {
    peer.privateListeners.delete(payload.listenerUUID)
    return reply()
  }

  disconnectPrivate(peer: Peer, { payload }: Requests['privateChannelDisconnectRequest']): Reply {
    const channel = this.#usable(peer, payload.channelId)
    if (channel.type !== 'private') throw new Refusal('NoChannelFound')
    this.#leavePrivate(peer, channel)
    return reply()
  }

  /** The instance is gone: whoever shares a private channel with it is told. */
  forget(peer: Peer): void {
    for (const channel of [...this.#channels.values()]) {
      if (channel.type === 'private' && channel.members.has(peer.instanceId))
        this.#leavePrivate(peer, channel)
    }
  }

  #create(
    id: string,
    type: ChannelState['type'],
    displayMetadata?: Channel['displayMetadata'],
  ): ChannelState {
    const channel: ChannelState = {
      id,
      type,
      ...(displayMetadata === undefined ? {} : { displayMetadata }),
      contexts: new Map(),
      members: new Set(),
    }
    this.#channels.set(id, channel)
    return channel
  }

  #usable(peer: Peer, channelId: string): ChannelState {
    const channel = this.#channels.get(channelId)
    if (channel === undefined) throw new Refusal('NoChannelFound')
    if (channel.type === 'private' && !channel.members.has(peer.instanceId))
      throw new Refusal('AccessDenied')
    return channel
  }

  #newListener(peer: Peer): string {
    if (peer.listeners >= listenersMax) {
      this.#core.report({
        kind: 'limit',
        instanceId: peer.instanceId,
        text: `${peer.instanceId} has ${peer.listeners} listeners and may have no more`,
        facts: { limit: listenersMax },
      })
      throw new Refusal('CreationFailed')
    }
    return this.#core.clock.uuid()
  }

  #listensOn(peer: Peer, channel: ChannelState, contextType?: string): boolean {
    for (const listener of peer.contextListeners.values()) {
      if (
        contextType !== undefined &&
        listener.contextType !== null &&
        listener.contextType !== contextType
      )
        continue
      if (listener.channelId === channel.id) return true
      if (peer.userChannelId !== channel.id) continue
      // A listener of the user channel moves with its app; the client keeps to itself which it was made on.
      if (listener.channelId === null || this.#channels.get(listener.channelId)?.type === 'user')
        return true
    }
    return false
  }

  #move(peer: Peer, channelId: string | null, by: 'itself' | 'outside'): void {
    if (peer.userChannelId === channelId) return
    peer.userChannelId = channelId
    // The client fetches what is on a channel whenever it hears of a change, its own included: it would hand its app
    // the same context twice. So an app hears of its own change only where it asked to.
    const isAsked = [...peer.eventListeners.values()].some(
      (type) => type === null || type === 'USER_CHANNEL_CHANGED',
    )
    if (by === 'itself' && !isAsked) return
    this.#core.post(
      [peer.instanceId],
      eventOf(this.#core, 'channelChangedEvent', { newChannelId: channelId }),
    )
  }

  #leavePrivate(peer: Peer, channel: ChannelState): void {
    for (const [id, listener] of [...peer.contextListeners]) {
      if (listener.channelId !== channel.id) continue
      peer.contextListeners.delete(id)
      this.#tellUnsubscribed(peer, listener)
    }
    for (const [id, listener] of [...peer.privateListeners]) {
      if (listener.channelId === channel.id) peer.privateListeners.delete(id)
    }
    channel.members.delete(peer.instanceId)
    this.#tellMembers(channel, peer, 'privateChannelOnDisconnectEvent', {})
    if (channel.members.size === 0) this.#channels.delete(channel.id)
  }

  #tellUnsubscribed(peer: Peer, { channelId, contextType }: ContextListener): void {
    const channel = channelId === null ? undefined : this.#channels.get(channelId)
    if (channel?.type !== 'private') return
    this.#tellMembers(channel, peer, 'privateChannelOnUnsubscribeEvent', { contextType })
  }

  /**
   * Tells the others on a private channel who listen for events of it. An instance is sent every kind: the official
   * client 2.2.0 registers a listener for all of them as one for `addContextListener`, and picks for itself.
   */
  #tellMembers(channel: ChannelState, from: Peer, type: string, facts: object): void {
    const to: string[] = []
    for (const other of this.#core.peers.values()) {
      if (other === from || !channel.members.has(other.instanceId)) continue
      for (const { channelId } of other.privateListeners.values()) {
        if (channelId !== channel.id) continue
        to.push(other.instanceId)
        break
      }
    }
    this.#tell(to, channel, type, facts)
  }

  #tell(to: readonly string[], channel: ChannelState, type: string, facts: object): void {
    if (to.length > 0)
      this.#core.post(to, eventOf(this.#core, type, { privateChannelId: channel.id, ...facts }))
  }
}

function visible({ id, type, displayMetadata }: ChannelState): Channel {
  return displayMetadata === undefined ? { id, type } : { id, type, displayMetadata }
}

/** The last context of this type, or of any. */
function contextOn(channel: ChannelState, contextType: string | null): Context | undefined {
  if (contextType !== null) return channel.contexts.get(contextType)
  return [...channel.contexts.values()].at(-1)
}
