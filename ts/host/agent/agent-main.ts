/**
 * The agent's process. It is an app of the host like any other, started, watched and started again by the supervisor;
 * on the bus it is `host/agent`, with the token of its run. What it needs to know, and what it has done, is between it and
 * the supervisor (`briefing.ts`): it runs as a user that can read none of the host's files.
 */
import { readBootstrap } from '../app/bootstrap.js'
import { bootstrapOfParent } from '../app/electron.js'
import { HostApp } from '../app/host-app.js'
import { connectBus } from '../bus/client.js'
import { hostError } from '../error.js'
import { agentAddress } from '../fdc3/link.js'
import { connectBroker } from './admission.js'
import { AppDirectory } from './directory.js'
import { readAnswer } from './questions.js'
import { serveAgent } from './serve.js'
import { SupervisorLink } from './supervisor-link.js'

const bootstrap = readBootstrap() ?? (await bootstrapOfParent())
if (bootstrap === undefined) {
  throw hostError('HOST_NOT_HOSTED', 'the desktop agent is started by a host', {
    variable: 'POS_KERNEL_HOST_FD',
  })
}
const host = new HostApp(bootstrap, true)
await host.connect()
const supervisor = new SupervisorLink(host)
const { records, key, port } = await supervisor.briefing()
const { sockets, token } = bootstrap
const bus = await connectBus({ socket: sockets.bus, instance: agentAddress, token })
const served = await serveAgent({
  bus,
  directory: new AppDirectory(records),
  start: (uuid) => supervisor.start(uuid),
  report: ({ text }) => console.error(text),
  pages: {
    key: Buffer.from(key, 'hex'),
    admit: (admission) => connectBroker(sockets.bus, admission),
    ...(port === null ? {} : { port }),
  },
})
if (served.gateway !== undefined) supervisor.listening(served.gateway.port)
supervisor.follow((instance) => served.ended(instance))
host.onAsked('questions', () => served.asking.questions())
host.onAsked('answer', (argument) => {
  const { id, choice } = readAnswer(argument)
  return { taken: served.asking.answer(id, choice) }
})
host.onDrain(async () => {
  await served.close()
  await bus.close()
})
host.ready()
