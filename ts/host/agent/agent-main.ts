/**
 * The agent's process. It is an app of the host like any other, started, watched and started again by the supervisor;
 * on the bus it is `host/agent`, with the token of its run. It reads the manifest that the host was started with,
 * asks the supervisor to start apps, and writes where pages find it into `host/agent.json`.
 *
 * Arguments: the store's folder.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { readBootstrap } from '../app/bootstrap.js'
import { HostApp } from '../app/host-app.js'
import { connectBus } from '../bus/client.js'
import { hostError } from '../error.js'
import { agentAddress } from '../fdc3/link.js'
import { parseManifest } from '../manifest/manifest.js'
import { HostPlace } from '../place.js'
import { connectBroker } from './admission.js'
import { AppDirectory } from './directory.js'
import { keyOf, readAddress, writeAddress } from './place.js'
import { readAnswer } from './questions.js'
import { serveAgent } from './serve.js'
import { SupervisorLink } from './supervisor-link.js'

const bootstrap = readBootstrap()
const [root] = process.argv.slice(2)
if (bootstrap === undefined || root === undefined) {
  throw hostError('HOST_NOT_HOSTED', 'the desktop agent is started by a host', {
    variable: 'POS_KERNEL_HOST_FD',
  })
}
const place = new HostPlace(root)
const host = new HostApp(bootstrap, true)
await host.connect()
const manifest = parseManifest(JSON.parse(readFileSync(place.file('manifest.json'), 'utf8')), root)
const { sockets, token } = bootstrap
const bus = await connectBus({ socket: sockets.bus, instance: agentAddress, token })
const supervisor = new SupervisorLink(root, { onEnded: (instance) => served.ended(instance) })
const port = readAddress(place)?.port
const served = await serveAgent({
  bus,
  directory: AppDirectory.of(manifest.apps),
  start: (uuid) => supervisor.start(uuid),
  report: ({ text }) => console.error(text),
  pages: {
    key: keyOf(place, () => randomBytes(32)),
    admit: (admission) => connectBroker(sockets.bus, admission),
    ...(port === undefined ? {} : { port }),
  },
})
if (served.gateway !== undefined) writeAddress(place, { port: served.gateway.port })
supervisor.follow()
host.onAsked('questions', () => served.asking.questions())
host.onAsked('answer', (argument) => {
  const { id, choice } = readAnswer(argument)
  return { taken: served.asking.answer(id, choice) }
})
host.onDrain(async () => {
  supervisor.close()
  await served.close()
  await bus.close()
})
host.ready()
