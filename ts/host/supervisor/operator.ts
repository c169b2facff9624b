/**
 * A person's side of the control socket: the command line and the dashboard ask the supervisor through this, and hear
 * what happens. It holds nothing back and repeats nothing; a connection that ended stays ended, and whoever wants
 * another makes one.
 */
import net from 'node:net'
import { hostError } from '../error.js'
import { HostPlace } from '../place.js'
import { checkSocketFolder } from '../socket.js'
import { Channel, jsonBytes, jsonOf, type RequestOptions } from '../wire/channel.js'
import { type Frame, frameBytes, Kind } from '../wire/frame.js'
import {
  type ControlHello,
  type ControlRequests,
  type ControlWelcome,
  controlProtocol,
} from './control.js'
import { notRunning, readOwner } from './owner.js'
import type { HostEvent, HostStatus } from './status.js'

/** Milliseconds in which a supervisor has to answer a hello. */
const helloMs = 5000

/** What an operator hears after `follow`. */
export interface OperatorEvents {
  /** Something happened. */
  onEvent?(event: HostEvent): void
  /** How everything is, each second. */
  onStatus?(status: HostStatus): void
  /** The connection ended; called once. */
  onEnd?(): void
}

/** A connection to a store's supervisor. */
export class Operator {
  /** What the supervisor said of itself. */
  readonly welcome: ControlWelcome
  readonly #channel: Channel

  private constructor(channel: Channel, welcome: ControlWelcome) {
    this.#channel = channel
    this.welcome = welcome
  }

  /**
   * Connects to the supervisor of a store.
   *
   * @throws {@link HostError} `HOST_NOT_RUNNING`, `HOST_SOCKET_FOLDER`, `HOST_FORBIDDEN`, `HOST_PROTOCOL`, `HOST_IDENTITY`, `HOST_TIMED_OUT`
   */
  static async connect(root: string, events: OperatorEvents = {}): Promise<Operator> {
    const place = new HostPlace(root)
    const { key } = readOwner(place)
    // The key is for this store's supervisor alone.
    checkSocketFolder(place.controlSocket)
    const socket = await connected(place)
    let greeted: (frame: Frame | undefined) => void = () => {}
    const greeting = new Promise<Frame | undefined>((resolve) => {
      greeted = resolve
    })
    const channel = new Channel(socket, {
      onNote: (name, payload) => hear(events, name, jsonOf(payload)),
      // The payload is a view of what was read: it is copied, since it is looked at later.
      onFrame: (frame) => greeted({ ...frame, payload: Buffer.from(frame.payload) }),
      onEnd: () => {
        greeted(undefined)
        events.onEnd?.()
      },
    })
    const timer = setTimeout(() => greeted(undefined), helloMs)
    try {
      const hello: ControlHello = { protocol: controlProtocol, role: 'operator', key }
      channel.send(frameBytes(Kind.hello, 0, '', jsonBytes(hello)))
      const frame = await greeting
      if (frame?.kind === Kind.welcome) return new Operator(channel, welcomeOf(frame))
      if (frame?.kind === Kind.refused) throw refusalOf(frame)
      throw channel.isEnded
        ? notRunning(place, 'its supervisor ended the connection')
        : notRunning(place, `its supervisor did not answer within ${helloMs} ms`)
    } catch (error) {
      channel.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** True once the connection has ended. */
  get isEnded(): boolean {
    return this.#channel.isEnded
  }

  /** Asks the supervisor. Rejects with its refusal, or with what {@link Channel.request} says. */
  async ask<Name extends keyof ControlRequests>(
    name: Name,
    argument: ControlRequests[Name]['argument'],
    options?: RequestOptions,
  ): Promise<ControlRequests[Name]['answer']> {
    const payload = await this.#channel.request(name, jsonBytes(argument), options)
    const answer = jsonOf(payload)
    if (answer !== undefined) return answer as ControlRequests[Name]['answer']
    throw hostError('HOST_PROTOCOL', `the answer to ${name} is no JSON`, { method: name })
  }

  /** Ends the connection. May be called again. */
  close(): void {
    this.#channel.close()
  }
}

/** Asks one thing over a connection of its own. */
export async function askHost<Name extends keyof ControlRequests>(
  root: string,
  name: Name,
  argument: ControlRequests[Name]['argument'],
  options?: RequestOptions,
): Promise<ControlRequests[Name]['answer']> {
  const operator = await Operator.connect(root)
  try {
    return await operator.ask(name, argument, options)
  } finally {
    operator.close()
  }
}

function connected(place: HostPlace): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(place.controlSocket)
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
          ? 'nobody listens on its socket'
          : error.message
      reject(notRunning(place, reason))
    })
  })
}

function hear(events: OperatorEvents, name: string, value: unknown): void {
  if (value === undefined) return
  if (name === 'event') events.onEvent?.(value as HostEvent)
  else if (name === 'status') events.onStatus?.(value as HostStatus)
}

function welcomeOf(frame: Frame): ControlWelcome {
  const welcome = jsonOf(frame.payload) as ControlWelcome | undefined
  if (welcome?.protocol === controlProtocol) return welcome
  const message = `the supervisor speaks version ${welcome?.protocol} of the control protocol, this program version ${controlProtocol}`
  throw hostError('HOST_PROTOCOL', message, { found: welcome?.protocol, known: controlProtocol })
}

function refusalOf(frame: Frame): Error {
  const { code, message, facts } = (jsonOf(frame.payload) ?? {}) as Record<string, unknown>
  return hostError(
    typeof code === 'string' ? code : 'HOST_IDENTITY',
    typeof message === 'string' ? message : 'the supervisor refused this operator',
    (facts ?? {}) as Record<string, unknown>,
  )
}
