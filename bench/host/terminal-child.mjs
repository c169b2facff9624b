/** A terminal under the host, as the benchmark of many opens it. */
import { connectHost, openHostTerminal } from '../../dist/host/app/index.js'

const host = await connectHost()
await openHostTerminal()
host.ready()
