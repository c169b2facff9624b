/**
 * A Node app of a host, by its argument: `cook` answers orders with its own name; `till` raises one order after the other
 * and writes down, a line each, who answered it or why nobody did.
 */
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectHost } from '../../../../dist/host/app/index.js'
import { getAgent } from '../../../../dist/host/fdc3/index.js'

const [role] = process.argv.slice(2)
const host = await connectHost()
const fdc3 = await getAgent()
if (role === 'cook') {
  await fdc3.addIntentListener('ShowOrder', async ({ id }) => ({
    type: 'till.receipt',
    id: { number: id.number, of: host.uuid },
  }))
}
host.ready()
for (let number = 1; role === 'till' && !host.isDraining; number += 1) {
  const order = { type: 'till.order', name: 'Table 4', id: { number: String(number) } }
  const outcome = await fdc3.raiseIntent('ShowOrder', order).then(
    async (resolution) => (await resolution.getResult()).id.of,
    (error) => error.message,
  )
  appendFileSync(path.join(host.dataFolder, 'outcomes'), `${outcome}\n`)
  await delay(20)
}
