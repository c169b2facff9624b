/** A supervisor in a process of its own: `supervise-child.mjs ROOT MANIFEST`. Prints one JSON line when it answers. */
import { readFileSync } from 'node:fs'
import { startHost } from '../../dist/host/index.js'

const [root, manifest] = process.argv.slice(2)
const began = performance.now()
const host = await startHost({
  root,
  manifest: JSON.parse(readFileSync(manifest, 'utf8')),
})
const { epoch, adopted } = host.status()
console.log(JSON.stringify({ epoch, adopted, ms: performance.now() - began }))
process.on('SIGTERM', () => void host.shutdown())
await host.closed
process.exit(0)
