/**
 * A Node app of a host, `kitchen` or `till` by its argument. The kitchen hears baskets and answers orders; the till
 * sends a basket, and on a question of anybody it raises an intent, and sends what came of it as a context.
 */
import { connectHost } from '../../../../dist/host/app/index.js'
import { getAgent } from '../../../../dist/host/fdc3/index.js'

const [role] = process.argv.slice(2)
const host = await connectHost()
const fdc3 = await getAgent()
await fdc3.joinUserChannel('fdc3.channel.1')
if (role === 'kitchen') {
  let basket
  await fdc3.addContextListener('till.basket', ({ id }) => {
    basket = id.number
  })
  await fdc3.addIntentListener('ShowOrder', async ({ id }, { source }) => ({
    type: 'till.receipt',
    id: { number: id.number, basket, for: source.appId },
  }))
} else {
  await fdc3.addContextListener('till.question', async ({ id }) => {
    const resolution = await fdc3.raiseIntent('ShowAnswer', { type: 'till.answer', id })
    const { source } = resolution
    const result = await resolution.getResult()
    await fdc3.broadcast({ type: 'till.outcome', id: { source: source.instanceId, ...result.id } })
  })
  await fdc3.broadcast({ type: 'till.basket', id: { number: '17' } })
}
host.ready()
