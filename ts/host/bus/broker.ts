/**
 * The broker: passes frames from one process to another by their names alone. It never reads a payload, never keeps
 * a message for a receiver that has no room, and says itself who a message is from.
 *
 * ```text
 * app A --- request 7, "pos-clock" ---> broker --- request 31, "app-a.2" ---> pos-clock.3
 * app A <-- answer 7 ------------------ broker <-- answer 31 ----------------
 * ```
 * Numbers of requests are of one connection. The broker gives a request a number of its own for its receiver, so
 * an answer goes to whoever asked and to nobody else, whatever the answering app makes up.
 *
 * Invariants: what waits in the broker for a receiver is bounded (`room.ts`, `peer.ts`); a frame is passed on in its
 * sender's order; an answer is passed on once; who breaks the rules is cut off and reported, and nobody else notices.
 *
 * Read `peer.ts` for one connection, `turns.ts` for who is heard when, `room.ts` for back-pressure, `hold.ts` for apps that do not run yet,
 * `contract.ts` for what the supervisor says, `broker-main.ts` for the process.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import net from 'node:net'
import { binding } from '../../native.js'
import { hostError, isHostError } from '../error.js'
import { checkSocketFolder, listenOn } from '../socket.js'
import { jsonBytes, jsonOf } from '../wire/channel.js'
import { frameBytesMax, headBytes, Kind, readU32 } from '../wire/frame.js'
import {
  type BrokerHealth,
  type BusApp,
  type BusHello,
  type BusIdentity,
  type BusRefusal,
  busProtocol,
} from './contract.js'
import { comebackMs, Holds, holdMs } from './hold.js'
import { answerBytesMax, noName, Peer, waitingBytesMax } from './peer.js'
import { windowBytes } from './room.js'
import { isPermitted, Topics, topicBytesMax } from './topics.js'
import { Turns } from './turns.js'

/** Milliseconds within which a caller shows who it is. */
const helloMs = 2000
/** Callers that have not shown yet who they are. */
const strangersMax = 128
/** Requests that a peer may have under way. */
export const asksMax = 4096
/** Topics that a peer may hear. */
export const topicsMax = 1024

/** What a broker needs. */
export interface BrokerOptions {
  /** Path of the socket to listen on. */
  readonly socket: string
  /** Starts an app that somebody writes to; a rejection is the answer to who wrote. */
  start?(uuid: string): Promise<unknown>
  /** Hears of peers that were refused or cut off. */
  onRefused?(refusal: BusRefusal): void
}

/** A broker. */
export class Broker {
  readonly #options: BrokerOptions
  readonly #server: net.Server
  readonly #identities = new Map<string, BusIdentity>()
  readonly #parts = new Map<string, BusIdentity>()
  #apps = new Map<string, string | null>()
  readonly #connected = new Map<string, Peer>()
  /** Instances that came since this broker listens. */
  readonly #seen = new Set<string>()
  readonly #peers = new Set<Peer>()
  /** Callers whose names nobody has said anything of yet, and what they said. */
  readonly #unknown = new Map<Peer, Buffer>()
  /** Whoever says who may be on the bus is away. */
  #isAlone = false
  readonly #topics = new Topics<Peer>()
  readonly #holds = new Holds((uuid) =>
    this.#release(uuid, 'HOST_UNREACHABLE', `${uuid} did not come onto the bus in time`),
  )
  readonly #turns = new Turns(
    (peer, bytes, start, end) => this.#take(peer, bytes, start, end),
    (peer) => {
      const limit = peer.frames.bytesMax
      this.#break(peer, 'HOST_PROTOCOL', 'what it sent is no frame', { limit })
    },
  )
  /** Goes up whenever an address may lead elsewhere. */
  #routes = 1
  #strangers = 0
  #isListening = false
  #listeningSince = 0
  readonly #counts = { busy: 0, missed: 0, refused: 0 }

  constructor(options: BrokerOptions) {
    this.#options = options
    this.#server = net.createServer((socket) => this.#welcome(socket))
  }

  /** Begins to listen. A socket that a dead broker left is taken over. */
  async listen(): Promise<void> {
    const { socket } = this.#options
    checkSocketFolder(socket)
    if (process.platform !== 'win32' && (await answers(socket))) {
      const message = `a broker listens on ${socket} already`
      throw hostError('HOST_RUNNING', message, { socket })
    }
    // Where apps run as users of their own, all of them have to reach it: who they are, their tokens say.
    await listenOn(this.#server, socket, { mode: process.getuid?.() === 0 ? 0o666 : 0o600 })
    this.#server.removeAllListeners('error').on('error', () => {})
    this.#isListening = true
    this.#listeningSince = performance.now()
  }

  /** True from `listen` to `close`. */
  get isListening(): boolean {
    return this.#isListening
  }

  /** All who may be on the bus from now on, and all apps. Who is not in it is cut off. */
  setIdentities(peers: readonly BusIdentity[], apps: readonly BusApp[]): void {
    this.#identities.clear()
    for (const peer of peers) this.#identities.set(peer.instance, peer)
    for (const name of this.#seen) if (!this.#identities.has(name)) this.#seen.delete(name)
    this.#apps = new Map(apps.map(({ uuid, instance }) => [uuid, instance]))
    this.#routes += 1
    for (const [instance, peer] of this.#connected) {
      const now = this.#identities.get(instance) ?? this.#parts.get(instance)
      if (now === undefined || now.tokenHash !== peer.identity?.tokenHash) peer.cut()
      else if (isOtherProcess(peer, now)) {
        this.#break(peer, 'HOST_IDENTITY', `it is process ${peer.pid}, not ${now.pid}`, {
          instance,
        })
      } else peer.identity = now
    }
    for (const { uuid, instance } of apps) {
      if (instance !== null && this.#connected.has(instance)) this.#deliver(uuid)
    }
    this.#isAlone = false
    for (const [peer, payload] of [...this.#unknown]) {
      this.#unknown.delete(peer)
      this.#hello(peer, payload)
    }
  }

  /** Until it is told again who may be on the bus, whose name it does not know waits for that instead of being refused. */
  alone(): void {
    this.#isAlone = true
  }

  /** A part of the host in the broker's own process may come, with this token. */
  addPart(part: string, token: string): void {
    this.#parts.set(part, { instance: part, tokenHash: tokenHashOf(token) })
  }

  /** What it counted. */
  health(): BrokerHealth {
    const connected = [...this.#connected]
    return {
      at: Date.now(),
      peers: connected.length,
      frames: this.#turns.frames,
      bytes: this.#turns.bytes,
      ...this.#counts,
      waitingBytes: connected.reduce((sum, [, peer]) => sum + peer.outbox.waitingBytes, 0),
      byInstance: Object.fromEntries(
        connected.map(([instance, peer]) => [
          instance,
          { sent: peer.sent, received: peer.received, waiting: peer.outbox.waitingBytes },
        ]),
      ),
    }
  }

  /** Ends: all connections, and the socket. */
  async close(): Promise<void> {
    this.#holds.close()
    this.#turns.close()
    for (const peer of [...this.#peers]) peer.cut()
    if (!this.#isListening) return
    this.#isListening = false
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  // Connections.

  #welcome(socket: net.Socket): void {
    if (this.#strangers >= strangersMax) {
      socket.destroy()
      this.#refused(
        null,
        'HOST_BUSY',
        'a caller was sent away: too many have not said who they are',
        {
          limit: strangersMax,
        },
      )
      return
    }
    this.#strangers += 1
    const peer = new Peer(socket, {
      onReadable: (it) => this.#turns.take(it),
      onDrained: (it) => this.#turns.goOn(it),
      onWritten: (outbox) => this.#turns.flushSoon(outbox),
      onGone: (it) => {
        clearTimeout(timer)
        this.#gone(it)
      },
    })
    const timer = setTimeout(() => {
      if (peer.identity !== null) return
      const what = this.#unknown.has(peer) ? 'nobody said who it is' : 'it did not say who it is'
      this.#break(peer, 'HOST_IDENTITY', `${what} in time`, { timeoutMs: helloMs })
    }, helloMs)
    this.#peers.add(peer)
  }

  /** The first frame: whoever shows the token of an instance is that instance. */
  #hello(peer: Peer, payload: Buffer): void {
    const hello = (jsonOf(payload) ?? {}) as Partial<Record<keyof BusHello, unknown>>
    const { protocol, instance, token } = hello
    if (protocol !== busProtocol) {
      const facts = { found: protocol, known: [busProtocol] }
      this.#refuse(peer, 'HOST_PROTOCOL', `the bus speaks version ${busProtocol}`, facts)
      return
    }
    const name = typeof instance === 'string' ? instance.slice(0, 64) : ''
    const identity = this.#identities.get(name) ?? this.#parts.get(name)
    if (identity === undefined && this.#isAlone) {
      this.#unknown.set(peer, Buffer.from(payload))
      return
    }
    if (identity === undefined || typeof token !== 'string' || !isToken(token, identity)) {
      this.#refuse(peer, 'HOST_IDENTITY', `the caller is not ${name || 'anybody'}`, {
        instance: name,
      })
      return
    }
    peer.pid = pidOf(peer.socket)
    if (isOtherProcess(peer, identity)) {
      const message = `${name} is process ${identity.pid}; process ${peer.pid} showed its token`
      this.#refuse(peer, 'HOST_IDENTITY', message, { instance: name, pid: peer.pid })
      return
    }
    // A process that comes again before its old connection was seen to be gone.
    this.#connected.get(name)?.cut()
    this.#strangers -= 1
    peer.identity = identity
    peer.stamp = Buffer.from(name)
    peer.frames.bytesMax = frameBytesMax
    this.#connected.set(name, peer)
    this.#seen.add(name)
    this.#routes += 1
    const welcome = jsonBytes({ protocol: busProtocol, instance: name, windowBytes })
    peer.outbox.add(Kind.welcome, 0, noName, welcome)
    this.#deliver(name)
    for (const [uuid, serving] of this.#apps) if (serving === name) this.#deliver(uuid)
  }

  #refuse(peer: Peer, code: string, message: string, facts: BusRefusal['facts']): void {
    peer.outbox.add(Kind.refused, 0, noName, jsonBytes({ code, message, facts }))
    peer.outbox.flush()
    peer.socket.end()
    this.#refused(null, code, message, facts)
    peer.cut()
  }

  /** Cuts off a peer that broke the rules. */
  #break(peer: Peer, code: string, what: string, facts: BusRefusal['facts'] = {}): void {
    const { name } = peer
    peer.cut()
    this.#refused(name, code, `${name ?? 'a caller'} was cut off: ${what}`, facts)
  }

  #refused(instance: string | null, code: string, text: string, facts: BusRefusal['facts']): void {
    this.#counts.refused += 1
    this.#options.onRefused?.({ instance, code, text, facts })
  }

  #gone(peer: Peer): void {
    this.#peers.delete(peer)
    this.#unknown.delete(peer)
    this.#turns.forget(peer)
    if (peer.identity === null) {
      this.#strangers -= 1
      return
    }
    const name = peer.identity.instance
    if (this.#connected.get(name) === peer) this.#connected.delete(name)
    this.#routes += 1
    for (const topic of peer.topics) this.#topics.remove(topic, peer)
    for (const ask of peer.asks.values()) {
      ask.receiver.asked.delete(ask.id)
      ask.receiver.outbox.add(Kind.cancel, ask.id, noName)
    }
    for (const { asker, askerId } of peer.asked.values()) {
      asker.asks.delete(askerId)
      const message = `${name} was gone before it answered; it may have done it or not`
      asker.fault(askerId, 'HOST_DISCONNECTED', message, { to: name })
    }
    for (const [sender, ids] of peer.withheld) {
      const message = `${name} was gone; it may have had the message or not`
      for (const id of ids) sender.fault(id, 'HOST_DISCONNECTED', message, { to: name })
    }
    for (const other of this.#peers) {
      other.room.forget(peer)
      other.withheld.delete(peer)
    }
  }

  // Frames.

  #take(peer: Peer, bytes: Buffer, start: number, end: number): void {
    const kind = bytes[start + 4] as number
    const nameEnd = start + headBytes + (bytes[start + 5] as number)
    if (peer.identity === null) {
      if (kind === Kind.hello) this.#hello(peer, bytes.subarray(nameEnd, end))
      else this.#break(peer, 'HOST_IDENTITY', 'it did not say who it is first', { kind })
      return
    }
    const id = readU32(bytes, start + 8)
    switch (kind) {
      case Kind.note:
      case Kind.request:
        this.#pass(peer, kind, id, bytes, start, nameEnd, end)
        return
      case Kind.answer:
      case Kind.fault:
        this.#answer(peer, kind, id, bytes, nameEnd, end)
        return
      case Kind.cancel:
        this.#cancel(peer, id)
        return
      case Kind.credit:
        if (end - nameEnd !== 4 || !peer.room.give(readU32(bytes, nameEnd))) {
          this.#break(peer, 'HOST_PROTOCOL', 'it gave back room that it had not been sent')
          return
        }
        if (peer.withheld.size > 0) this.#tellTaken(peer)
        if (peer.missed !== peer.missedTold) this.#tellMissed(peer)
        return
      case Kind.publish:
        this.#publish(peer, id, bytes, start, nameEnd, end)
        return
      case Kind.subscribe:
      case Kind.unsubscribe:
        this.#subscribe(peer, kind, id, bytes.toString('utf8', start + headBytes, nameEnd))
        return
      default:
        this.#break(peer, 'HOST_PROTOCOL', 'a frame of this kind is not for it to send', { kind })
    }
  }

  /** A message or a request goes to its receiver, waits for it, or is refused. */
  #pass(
    peer: Peer,
    kind: typeof Kind.note | typeof Kind.request,
    id: number,
    bytes: Buffer,
    start: number,
    nameEnd: number,
    end: number,
  ): void {
    const receiver = this.#receiver(peer, bytes, start + headBytes, nameEnd)
    if (receiver !== undefined) {
      this.#hand(peer, receiver, kind, id, bytes, nameEnd, end)
      return
    }
    const to = bytes.toString('utf8', start + headBytes, nameEnd)
    const isExpected =
      (this.#identities.has(to) || this.#parts.has(to)) &&
      !this.#seen.has(to) &&
      performance.now() - this.#listeningSince < comebackMs
    if (isExpected || (this.#apps.has(to) && this.#options.start !== undefined)) {
      this.#hold(peer, to, kind, id, Buffer.from(bytes.subarray(nameEnd, end)))
      return
    }
    peer.fault(id, 'HOST_UNREACHABLE', `nobody is at ${to} now`, { to })
  }

  #receiver(peer: Peer, bytes: Buffer, from: number, to: number): Peer | undefined {
    const last = peer.lastTo
    if (peer.lastRoutes === this.#routes && last.length === to - from) {
      let index = 0
      while (index < last.length && last[index] === bytes[from + index]) index += 1
      if (index === last.length) return peer.lastReceiver
    }
    const name = bytes.toString('utf8', from, to)
    const found = this.#connected.get(this.#apps.get(name) ?? name)
    peer.lastTo = Buffer.from(bytes.subarray(from, to))
    peer.lastReceiver = found
    peer.lastRoutes = this.#routes
    return found
  }

  #hand(
    peer: Peer,
    receiver: Peer,
    kind: typeof Kind.note | typeof Kind.request,
    id: number,
    bytes: Buffer,
    nameEnd: number,
    end: number,
  ): void {
    const { stamp } = peer
    const length = headBytes + stamp.length + end - nameEnd
    if (length > frameBytesMax) {
      const message = `a frame of ${length} bytes with its sender; at most ${frameBytesMax}`
      peer.fault(id, 'HOST_TOO_LARGE', message, { bytes: length, limit: frameBytesMax })
      return
    }
    if (kind === Kind.request && (id === 0 || peer.asks.has(id))) {
      this.#break(peer, 'HOST_PROTOCOL', 'a number of a request is used twice', { id })
      return
    }
    if (
      (kind === Kind.request && peer.asks.size >= asksMax) ||
      receiver.outbox.waitingBytes > waitingBytesMax ||
      !receiver.room.take(peer, length)
    ) {
      this.#busy(
        peer,
        receiver.name ?? '',
        id,
        receiver.outbox.waitingBytes,
        receiver.room.underWay,
      )
      return
    }
    receiver.received += 1
    if (kind === Kind.note) {
      receiver.outbox.add(Kind.note, 0, stamp, bytes, nameEnd, end)
      if (id === 0) return
      if (!receiver.room.isCrowded(peer)) {
        peer.outbox.add(Kind.answer, id, noName)
        return
      }
      const withheld = receiver.withheld.get(peer)
      if (withheld === undefined) receiver.withheld.set(peer, [id])
      else withheld.push(id)
      return
    }
    const askedId = receiver.nextAskedId()
    const ask = { asker: peer, askerId: id, receiver, id: askedId }
    receiver.asked.set(askedId, ask)
    peer.asks.set(id, ask)
    receiver.outbox.add(Kind.request, askedId, stamp, bytes, nameEnd, end)
  }

  /** A receiver has gone on: those whose messages crowded it can send more. */
  #tellTaken(receiver: Peer): void {
    for (const [sender, ids] of receiver.withheld) {
      if (receiver.room.isCrowded(sender)) continue
      receiver.withheld.delete(sender)
      for (const id of ids) sender.outbox.add(Kind.answer, id, noName)
    }
  }

  #busy(peer: Peer, to: string, id: number, waitingBytes: number, underWayBytes: number): void {
    this.#counts.busy += 1
    if (id === 0) return
    const message = `${to} has no room for more; try again when it has read`
    peer.fault(id, 'HOST_BUSY', message, { to, waitingBytes, underWayBytes })
  }

  #answer(
    peer: Peer,
    kind: typeof Kind.answer | typeof Kind.fault,
    id: number,
    bytes: Buffer,
    nameEnd: number,
    end: number,
  ): void {
    const ask = peer.asked.get(id)
    if (ask === undefined) {
      // The answer to a request that was given up; or one that was never asked.
      if (id === 0 || id > peer.lastAskedId) {
        this.#break(peer, 'HOST_PROTOCOL', 'it answered what it was not asked', { id })
      }
      return
    }
    peer.asked.delete(id)
    const { asker, askerId } = ask
    asker.asks.delete(askerId)
    const { waitingBytes } = asker.outbox
    if (waitingBytes + end - nameEnd > answerBytesMax && end - nameEnd > shortBytes) {
      this.#counts.busy += 1
      const message = `the answer of ${peer.name} has no room: read what came before`
      asker.fault(askerId, 'HOST_BUSY', message, { to: asker.name, waitingBytes, isAnswered: true })
      return
    }
    asker.received += 1
    asker.outbox.add(kind, askerId, noName, bytes, nameEnd, end)
    if (waitingBytes > waitingBytesMax) this.#stuffed(asker)
  }

  #cancel(peer: Peer, id: number): void {
    const ask = peer.asks.get(id)
    if (ask === undefined) {
      this.#holds.cancel(peer, id)
      return
    }
    peer.asks.delete(id)
    ask.receiver.asked.delete(ask.id)
    ask.receiver.outbox.add(Kind.cancel, ask.id, noName)
  }

  #stuffed(peer: Peer): void {
    const facts = { waitingBytes: peer.outbox.waitingBytes, limit: waitingBytesMax }
    this.#break(peer, 'HOST_BUSY', 'it does not read what it is sent', facts)
  }

  // Topics.

  #publish(
    peer: Peer,
    id: number,
    bytes: Buffer,
    start: number,
    nameEnd: number,
    end: number,
  ): void {
    const topic = bytes.toString('utf8', start + headBytes, nameEnd)
    if (!this.#mayUse(peer, 'publish', id, topic)) return
    const { stamp } = peer
    const name = Buffer.concat([stamp, space, bytes.subarray(start + headBytes, nameEnd)])
    const length = headBytes + name.length + end - nameEnd
    if (length > frameBytesMax) {
      const message = `a frame of ${length} bytes with its sender; at most ${frameBytesMax}`
      peer.fault(id, 'HOST_TOO_LARGE', message, { bytes: length, limit: frameBytesMax })
      return
    }
    for (const hearer of this.#topics.hearers(topic)) {
      if (!hearer.room.take(peer, length)) {
        this.#miss(hearer)
        continue
      }
      hearer.received += 1
      hearer.outbox.add(Kind.publish, 0, name, bytes, nameEnd, end)
    }
    if (id !== 0) peer.outbox.add(Kind.answer, id, noName)
  }

  /** A subscriber had no room; it is told how many it missed when it has read on. */
  #miss(hearer: Peer): void {
    this.#counts.missed += 1
    hearer.missed += 1
  }

  #tellMissed(peer: Peer): void {
    const count = Buffer.allocUnsafe(4)
    count.writeUInt32LE(peer.missed >>> 0)
    peer.missedTold = peer.missed
    peer.outbox.add(Kind.missed, 0, noName, count)
  }

  #subscribe(peer: Peer, kind: number, id: number, topic: string): void {
    if (kind === Kind.unsubscribe) {
      if (peer.topics.delete(topic)) this.#topics.remove(topic, peer)
    } else {
      if (!this.#mayUse(peer, 'subscribe', id, topic)) return
      if (peer.topics.size >= topicsMax && !peer.topics.has(topic)) {
        const message = `${peer.name} hears ${topicsMax} topics already`
        peer.fault(id, 'HOST_BUSY', message, { to: 'host/broker', limit: topicsMax })
        return
      }
      peer.topics.add(topic)
      this.#topics.add(topic, peer)
    }
    peer.outbox.add(Kind.answer, id, noName)
  }

  #mayUse(peer: Peer, permission: 'publish' | 'subscribe', id: number, topic: string): boolean {
    const { instance, [permission]: permitted = ['*'] } = peer.identity as BusIdentity
    if (topic.length === 0 || Buffer.byteLength(topic) > topicBytesMax) {
      const message = `a topic has 1 to ${topicBytesMax} bytes`
      peer.fault(id, 'HOST_ARGUMENT', message, { method: permission, path: 'topic', value: topic })
      return false
    }
    const isOfHost = topic.startsWith('host/') && permission === 'publish'
    if (isOfHost ? instance.startsWith('host/') : isPermitted(permitted, topic)) return true
    const message = `${instance} may not ${permission} ${topic}`
    const uuid = instance.replace(/\.\d+$/, '')
    peer.fault(id, 'HOST_FORBIDDEN', message, { uuid, permission, topic })
    return false
  }

  // Apps that do not run.

  #hold(
    peer: Peer,
    to: string,
    kind: typeof Kind.note | typeof Kind.request,
    id: number,
    payload: Buffer,
  ): void {
    const isApp = this.#apps.has(to)
    const ms = isApp ? holdMs : comebackMs
    const kept = this.#holds.keep(to, { sender: peer, kind, id, payload }, ms)
    if (kept === 'full') {
      this.#busy(peer, to, id, 0, 0)
      return
    }
    if (kept === 'kept' || !isApp) return
    this.#options.start?.(to).catch((error: unknown) => {
      const code = isHostError(error) ? error.code : 'HOST_UNREACHABLE'
      const message = error instanceof Error ? error.message : String(error)
      this.#release(to, code, `${to} could not be started: ${message}`)
    })
  }

  /** The app, or the instance, is there: it gets what waited for it. */
  #deliver(uuid: string): void {
    const receiver = this.#connected.get(this.#apps.get(uuid) ?? uuid)
    if (receiver === undefined) return
    for (const { sender, kind, id, payload } of this.#holds.take(uuid)) {
      if (sender.isGone) continue
      const as = kind === Kind.request ? Kind.request : Kind.note
      this.#hand(sender, receiver, as, id, payload, 0, payload.length)
    }
  }

  #release(uuid: string, code: string, message: string): void {
    for (const { sender, id } of this.#holds.take(uuid)) {
      if (!sender.isGone && id !== 0) sender.fault(id, code, message, { to: uuid })
    }
  }
}

/** An answer up to this length always passes: a fault in its place would not be shorter. */
const shortBytes = 512
const space = Buffer.from(' ')

/** What the broker knows of a token. */
export function tokenHashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function isToken(token: string, { tokenHash }: BusIdentity): boolean {
  const [found, wanted] = [Buffer.from(tokenHashOf(token)), Buffer.from(tokenHash)]
  return found.length === wanted.length && timingSafeEqual(found, wanted)
}

/** A token that came into other hands is of no use in another process, where the system says which one it is. */
function isOtherProcess({ pid }: Peer, identity: BusIdentity): boolean {
  return pid !== undefined && identity.pid !== undefined && pid !== identity.pid
}

/** The process at the other end; undefined where the system or the binding does not say. */
function pidOf(socket: net.Socket): number | undefined {
  const { fd } = (socket as { _handle?: { fd?: number } })._handle ?? {}
  if (process.platform !== 'linux' || fd === undefined || fd < 0) return undefined
  try {
    return binding().peerCredentials(fd).pid
  } catch {
    return undefined
  }
}

/** True when somebody listens there. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(socket)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}
