/**
 * An app of a host: it counts seconds, and goes on counting after a restart, a crash or an end of the host.
 *
 *     pos-kernel host start examples/host/clock.json --root ./store
 */
import { connectHost } from 'pos-kernel/host/app'

const host = await connectHost()
const { value = { seconds: 0 } } = await host.state.restore()
const state = { seconds: value.seconds }

// What `keep` gives is saved when the app drains, and whenever `save` says so.
host.state.keep(() => state)
setInterval(async () => {
  state.seconds += 1
  if (state.seconds % 5 === 0) await host.state.save(state)
  console.log(`${state.seconds} seconds`)
}, 1000)
host.ready()
