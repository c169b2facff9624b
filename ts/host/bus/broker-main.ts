/**
 * The broker's process. It reads its bootstrap from file descriptor 3, or as a utility process of Electron hears it from
 * its parent; it says hello on the control socket, and listens when it was first told who may be on the bus. It outlives the supervisor: it goes on with what it was told last, and
 * comes back to the next one; it ends when there is neither a supervisor nor an app.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import process from 'node:process'
import { bootstrapOfParent } from '../app/electron.js'
import { hostError } from '../error.js'
import { Refusals } from '../refusals.js'
import { controlProtocol } from '../supervisor/control.js'
import { Channel, jsonBytes, jsonOf } from '../wire/channel.js'
import { frameBytes, Kind } from '../wire/frame.js'
import { Broker } from './broker.js'
import { connectBus } from './client.js'
import type { BrokerBootstrap, BusApp, BusIdentity, BusRefusal } from './contract.js'
import { postAddress } from './letter.js'
import type { PostOffice } from './post.js'

const heartbeatMs = 1000
const retryMsMax = 500

const bootstrap = ((await bootstrapOfParent()) ??
  JSON.parse(readFileSync(Number(process.env.POS_KERNEL_HOST_FD ?? 3), 'utf8'))) as BrokerBootstrap
const { sockets, orphanMs = 60_000 } = bootstrap

let supervisor: Channel | undefined
let aloneSince = performance.now()
let starting: Promise<void> | undefined

/** A flood of refusals is not passed on: the supervisor hears no more frames of one caller than it can. */
const refusals = new Refusals<BusRefusal>((refusal, leftOut) => {
  const facts = leftOut === 0 ? refusal.facts : { ...refusal.facts, leftOut }
  supervisor?.note('refused', jsonBytes({ ...refusal, facts }))
})
const broker = new Broker({
  socket: sockets.bus,
  start: async (uuid) => {
    if (supervisor === undefined) {
      throw hostError('HOST_NOT_RUNNING', 'no supervisor is there to start it', {
        socket: sockets.control,
      })
    }
    await supervisor.request('start', jsonBytes({ uuid }))
  },
  onRefused: (refusal) => refusals.add(String(refusal.instance), refusal),
})

follow()
setInterval(beat, heartbeatMs)
process.on('SIGTERM', () => void leave(0))
process.on('SIGINT', () => {})

/** Keeps the connection to the supervisor. */
function follow(retryMs = 10): void {
  const socket = net.connect(sockets.control)
  const again = () => setTimeout(() => follow(Math.min(retryMs * 2, retryMsMax)), retryMs)
  socket.once('error', again)
  socket.once('connect', () => {
    socket.removeListener('error', again)
    let isWelcome = false
    const channel = new Channel(socket, {
      onFrame: ({ kind }) => {
        if (kind !== Kind.welcome) {
          channel.close()
          return
        }
        isWelcome = true
        supervisor = channel
        if (broker.isListening) channel.note('ready', jsonBytes({}))
      },
      onRequest: (name, payload) => answer(name, payload),
      onEnd: () => {
        if (supervisor === channel) {
          supervisor = undefined
          broker.alone()
        }
        setTimeout(() => follow(isWelcome ? 10 : Math.min(retryMs * 2, retryMsMax)), retryMs)
      },
    })
    const hello = {
      protocol: controlProtocol,
      role: 'part',
      part: bootstrap.instance,
      token: bootstrap.token,
      pid: process.pid,
    }
    channel.send(frameBytes(Kind.hello, 0, '', jsonBytes(hello)))
  })
}

/** What the supervisor asks. */
async function answer(name: string, payload: Buffer): Promise<Uint8Array> {
  if (name === 'drain') {
    // The answer goes out first.
    setImmediate(() => void leave(0))
    return jsonBytes({ saved: false })
  }
  if (name !== 'identities') {
    throw hostError('HOST_NO_METHOD', `the broker does not know ${name}`, { method: name })
  }
  const { peers, apps } = identitiesOf(payload)
  broker.setIdentities(peers, apps)
  starting ??= start()
  await starting
  return jsonBytes({ peers: peers.length })
}

/** From the first identities on. */
async function start(): Promise<void> {
  try {
    await broker.listen()
  } catch (error) {
    console.error(String(error))
    process.exit(1)
  }
  if (bootstrap.root !== undefined) await openPost(bootstrap.root)
  supervisor?.note('ready', jsonBytes({}))
}

/** Durable messages, by a part of the host in this process; the kernel is loaded with the first. */
async function openPost(root: string): Promise<void> {
  const token = randomBytes(32).toString('hex')
  broker.addPart(postAddress, token)
  const bus = await connectBus({ socket: sockets.bus, instance: postAddress, token })
  let office: Promise<PostOffice> | undefined
  bus.onRequest(async (payload, sender) => {
    office ??= import('./post.js').then((post) => new post.PostOffice(root))
    return (await office).answer(payload, sender)
  })
}

function beat(): void {
  const health = broker.health()
  supervisor?.note('heartbeat', jsonBytes(health))
  const parts = bootstrap.root === undefined || !broker.isListening ? 0 : 1
  if (supervisor !== undefined || health.peers > parts) aloneSince = performance.now()
  else if (performance.now() - aloneSince > orphanMs) void leave(0)
}

async function leave(code: number): Promise<void> {
  await broker.close()
  process.exit(code)
}

function identitiesOf(payload: Buffer): {
  peers: readonly BusIdentity[]
  apps: readonly BusApp[]
} {
  const { peers, apps } = (jsonOf(payload) ?? {}) as Record<string, unknown>
  if (!Array.isArray(peers) || !Array.isArray(apps)) {
    throw hostError('HOST_ARGUMENT', 'identities needs peers and apps, both lists', {
      method: 'identities',
      path: Array.isArray(peers) ? 'apps' : 'peers',
      value: null,
    })
  }
  return { peers, apps }
}
