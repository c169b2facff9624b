/**
 * A loyalty program. It knows who has which card (an intent with a result), counts what members pay (a user channel), and
 * tells everybody the offer of the moment (an app channel). It keeps its members through restarts, and serves the page
 * of the customer display.
 */
import { connectHost } from 'pos-kernel/host/app'
import { getAgent } from 'pos-kernel/host/fdc3'
import { servePage } from './page.mjs'

const [port] = process.argv.slice(2)
const offers = ['Cake today for 3.50', 'Tea today for 2.20']

const host = await connectHost()
const { value } = await host.state.restore()
const points = value?.points ?? { 1001: 120, 1002: 0 }
host.state.keep(() => ({ points }))

await servePage(Number(port))
const fdc3 = await getAgent()

await fdc3.addIntentListener('FindMember', async ({ id }) => {
  const held = points[id.number]
  console.log(`card ${id.number}: ${held === undefined ? 'nobody' : `${held} points`}`)
  if (held === undefined) return undefined
  return { type: 'loyalty.member', id, name: `member ${id.number}`, points: held }
})
await fdc3.addIntentListener('GiveReceipt', async ({ id }) => {
  console.log(`receipt of basket ${id.number} is sent to the member`)
})

await fdc3.joinUserChannel('fdc3.channel.1')
await fdc3.addContextListener('till.basket', ({ isPaid, total, member }) => {
  if (isPaid && member !== undefined) points[member.id.number] += Math.floor(total / 100)
})

const channel = await fdc3.getOrCreateChannel('shop.offers')
let turn = 0
const tell = () => {
  turn += 1
  return channel.broadcast({ type: 'shop.offer', name: offers[turn % offers.length] })
}
await tell()
setInterval(() => tell().catch((error) => console.log(`no offer: ${error.message}`)), 5000)
host.ready()
