/** A process of `fdc3.mjs`: the broker, the desktop agent, or an app with the official client. */
import { AppDirectory } from '../../dist/host/agent/directory.js'
import { serveAgent } from '../../dist/host/agent/serve.js'
import { Broker, tokenHashOf } from '../../dist/host/bus/broker.js'
import { connectBus } from '../../dist/host/bus/client.js'
import { getAgent } from '../../dist/host/fdc3/index.js'
import { parseManifest } from '../../dist/host/manifest/manifest.js'

const channelId = 'bench'
const underWay = 64
let serve = () => {}

process.on('disconnect', () => process.exit())
process.once('message', async (task) => {
  serve = (await roles[task.role](task)) ?? serve
  process.on('message', async (order) => process.send((await serve(order)) ?? {}))
  process.send('ready')
})

const now = () => Number(process.hrtime.bigint() / 1000n)

const roles = {
  async broker({ socket, tokens }) {
    const broker = new Broker({ socket, start: async () => {}, onRefused: () => {} })
    await broker.listen()
    const peers = Object.entries(tokens).map(([instance, token]) => ({
      instance,
      tokenHash: tokenHashOf(token),
    }))
    broker.setIdentities(peers, [])
  },

  async agent({ socket, token }) {
    const bus = await connectBus({ socket, instance: 'host/agent', token })
    const intents = { listensFor: { Bench: { contexts: ['bench'] } } }
    const apps = ['from', 'to'].map((uuid) => ({
      startup_app: { uuid, name: uuid, script: 'app.mjs' },
      ...(uuid === 'to' ? { fdc3: { intents } } : {}),
    }))
    const directory = AppDirectory.of(parseManifest({ apps }, '/').apps)
    await serveAgent({ bus, directory, start: async (uuid) => `${uuid}.1` })
  },

  async to({ socket, instance, token }) {
    const bus = await connectBus({ socket, instance, token })
    const fdc3 = await getAgent({ bus })
    const channel = await fdc3.getOrCreateChannel(channelId)
    let seen = []
    let onSeen = () => {}
    await channel.addContextListener('bench', (context) => {
      seen.push(now() - Number(context.id.at))
      onSeen()
    })
    await fdc3.addIntentListener('Bench', async (context) => context)
    return ({ begin, end }) => {
      if (begin) seen = []
      if (end === undefined) return {}
      return new Promise((resolve) => {
        onSeen = () => {
          if (seen.length >= end) resolve({ broadcasts: seen })
        }
        onSeen()
      })
    }
  },

  async from({ socket, instance, token }) {
    const bus = await connectBus({ socket, instance, token })
    const fdc3 = await getAgent({ bus })
    const channel = await fdc3.getOrCreateChannel(channelId)
    const broadcast = () => channel.broadcast({ type: 'bench', id: { at: `${now()}` } })
    return async ({ broadcasts, stream, intents }) => {
      for (let sent = 0; sent < (broadcasts ?? 0); sent += 1) {
        await broadcast()
        await new Promise((resolve) => setImmediate(resolve))
      }
      let left = stream ?? 0
      const pump = async () => {
        while (left > 0) {
          left -= 1
          await broadcast()
        }
      }
      await Promise.all(Array.from({ length: underWay }, pump))
      const taken = []
      for (let raised = 0; raised < (intents ?? 0); raised += 1) {
        const began = now()
        const resolution = await fdc3.raiseIntent('Bench', { type: 'bench' })
        await resolution.getResult()
        taken.push(now() - began)
      }
      return { intents: taken }
    }
  },
}
