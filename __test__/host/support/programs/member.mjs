/** An app of tests, as apps are written: it counts its runs in its state and says so on the bus when it is asked. */
import { connectHost } from '../../../../dist/host/app/index.js'

const host = await connectHost()
const { value = { runs: 0 } } = await host.state.restore()
const state = { runs: value.runs + 1 }
host.state.keep(() => state)
await host.state.save(state)
host.ready()
