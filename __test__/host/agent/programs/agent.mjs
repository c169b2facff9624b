/** A desktop agent in a process of its own, on the broker of a test. The test starts the apps, over the IPC channel. */
import { connectBroker } from '../../../../dist/host/agent/admission.js'
import { AppDirectory } from '../../../../dist/host/agent/directory.js'
import { serveAgent } from '../../../../dist/host/agent/serve.js'
import { connectBus } from '../../../../dist/host/bus/client.js'
import { parseManifest } from '../../../../dist/host/manifest/manifest.js'

const { socket, token, manifest, domain, listenerMs, heartbeatMs, silentMs, key, port } =
  JSON.parse(process.argv[2])
const asked = new Map()
let count = 0

const bus = await connectBus({ socket, instance: 'host/agent', token })
const served = await serveAgent({
  bus,
  directory: AppDirectory.of(parseManifest(manifest, '/').apps, domain),
  start: (uuid) =>
    new Promise((resolve, reject) => {
      asked.set(++count, { resolve, reject })
      process.send({ start: count, uuid })
    }),
  report: (problem) => process.send({ problem }),
  agent: { listenerMs, heartbeatMs, silentMs },
  pages: {
    key: Buffer.from(key, 'hex'),
    port,
    admit: (admission) => connectBroker(socket, admission),
  },
})
process.on('message', ({ started, instance, error, ended }) => {
  if (ended !== undefined) served.ended(ended)
  const { resolve, reject } = asked.get(started) ?? {}
  asked.delete(started)
  if (error === undefined) resolve?.(instance)
  else reject?.(new Error(error))
})
process.on('disconnect', () => process.exit(0))
process.send({ ready: true, port: served.gateway.port })
