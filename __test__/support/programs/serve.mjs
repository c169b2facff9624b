// A kernel service of a test: `serve.mjs OPTIONS [TEST OPTIONS]`, both JSON. Says where it serves, and
// stops in order at SIGTERM.
import { once } from 'node:events'

const { serveFor } = await import(new URL('../../../dist/service/serve.js', import.meta.url).href)
const [options = '{}', test = '{}'] = process.argv.slice(2)
const { testWallNs, ...limits } = JSON.parse(test)
const stopped = once(process, 'SIGTERM')
try {
  const service = await serveFor(JSON.parse(options), {
    limits,
    ...(testWallNs !== undefined && { testWallNs: BigInt(testWallNs) }),
  })
  process.stdout.write(`${JSON.stringify({ socket: service.socket, pid: process.pid })}\n`)
  await stopped
  await service.stop()
} catch (error) {
  process.stdout.write(`${JSON.stringify(error)}\n`)
  process.exitCode = 1
}
