/** An app of a host: answers orders, and writes down whom. */
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { connectHost } from '../../../../dist/host/app/index.js'
import { getAgent } from '../../../../dist/host/fdc3/index.js'

const host = await connectHost()
const fdc3 = await getAgent()
await fdc3.addIntentListener('ShowOrder', async (_order, { source }) => {
  appendFileSync(path.join(host.dataFolder, 'orders'), `${source.appId}\n`)
  return { type: 'till.receipt' }
})
host.ready()
