/** The app of the supervisor's benchmark: reads its state, counts its run in it, and says on a socket that it serves. */
import net from 'node:net'

const [, , kind, socket] = process.argv
if (kind === 'host') {
  const { connectHost } = await import('../../dist/host/app/index.js')
  const host = await connectHost()
  const { value = { runs: 0 } } = await host.state.restore()
  const state = { runs: value.runs + 1 }
  await host.state.save(state)
  host.ready()
  say({ restored: host.state.restoredFrom })
} else {
  say({})
  setInterval(() => {}, 1000)
}

function say(more) {
  const peer = net.connect(socket)
  peer.on('error', () => {})
  peer.end(JSON.stringify({ pid: process.pid, ...more }))
}
