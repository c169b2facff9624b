/**
 * An app that ends as its first argument says, soon after it serves: `throw`, `leak`, `spin`; or `stay`, for what is done
 * to it from outside. Of the loop that never ends the moment at which it begins is in the file `began`.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { connectHost } from '../../dist/host/app/index.js'

const [kind] = process.argv.slice(2)
const host = await connectHost()
host.ready()

function spin() {
  writeFileSync(path.join(host.dataFolder, 'began'), String(process.hrtime.bigint()))
  for (;;);
}

const kept = []
const ends = {
  throw: () => {
    throw new Error('the printer is on fire')
  },
  leak: () => setInterval(() => kept.push(Buffer.alloc(8 * 1024 * 1024, 1)), 5),
  spin,
  stay: () => setInterval(() => {}, 1000),
}
// At any moment between two heartbeats.
setTimeout(ends[kind], 50 + Math.random() * 500)
