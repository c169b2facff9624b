/** A terminal under the host, as the benchmark of many opens it. */
import { connectHost } from '../../dist/host/app/index.js'
import { openTerminal } from '../../dist/index.js'

const host = await connectHost()
const { root, terminal: id } = host.register
const terminal = await openTerminal({ root, id })
host.onDrain(() => terminal.close())
host.ready()
