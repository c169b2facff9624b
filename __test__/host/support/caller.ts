/** A caller of a control socket, polite or not. */
import net from 'node:net'
import { Channel, jsonBytes, jsonOf } from '../../../ts/host/wire/channel.js'
import { frameBytes, Kind } from '../../../ts/host/wire/frame.js'

/** A connection, and what came over it. */
export interface RawCaller {
  readonly channel: Channel
  /** The answer to the hello. */
  readonly greeting: Promise<{ readonly kind: number; readonly value: Record<string, unknown> }>
  readonly notes: { readonly name: string; readonly value: unknown }[]
  readonly ended: Promise<void>
}

/** Connects, and says something first. */
export async function call(socketPath: string, hello?: unknown): Promise<RawCaller> {
  const socket = net.connect(socketPath)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const notes: { name: string; value: unknown }[] = []
  let greet: (greeting: { kind: number; value: Record<string, unknown> }) => void = () => {}
  let end: () => void = () => {}
  const greeting = new Promise<{ kind: number; value: Record<string, unknown> }>((resolve) => {
    greet = resolve
  })
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const channel = new Channel(socket, {
    onFrame: ({ kind, payload }) => {
      greet({ kind, value: (jsonOf(payload) ?? {}) as Record<string, unknown> })
    },
    onNote: (name, payload) => notes.push({ name, value: jsonOf(payload) }),
    onEnd: () => end(),
  })
  if (hello !== undefined) channel.send(frameBytes(Kind.hello, 0, '', jsonBytes(hello)))
  return { channel, greeting, notes, ended }
}
