/**
 * The page of the customer display: the standard's own client in a browser. It hears what the till broadcasts and says
 * what it shows; its buttons raise intents.
 */
import { getAgent } from '@finos/fdc3-get-agent'

const place = (id) => document.getElementById(id)
const fdc3 = await getAgent()
let basket

await fdc3.joinUserChannel('fdc3.channel.1')
await fdc3.addContextListener('till.basket', async (context) => {
  basket = context
  const { id, lines, total, isPaid } = context
  place('lines').replaceChildren(...lines.map(lineOf))
  place('total').textContent = isPaid ? `Paid: ${euros(total)}. Thank you.` : euros(total)
  await fdc3.broadcast({ type: 'display.shown', basket: id.number, total })
})

const offers = await fdc3.getOrCreateChannel('shop.offers')
await offers.addContextListener('shop.offer', ({ name }) => {
  place('offer').textContent = name
})

place('points').addEventListener('click', () =>
  answered(async () => {
    const card = { type: 'loyalty.card', id: { number: '1001' } }
    const resolution = await fdc3.raiseIntent('FindMember', card)
    const member = await resolution.getResult()
    return `${member.name} has ${member.points} points.`
  }),
)
// Both the till and the loyalty program give receipts: whoever looks at the dashboard is asked which it shall be.
place('receipt').addEventListener('click', () =>
  answered(async () => {
    const { source } = await fdc3.raiseIntent('GiveReceipt', basket)
    return `The receipt comes from: ${source.appId}.`
  }),
)

/** Says what came of a button, or why nothing did. */
async function answered(act) {
  try {
    place('said').textContent = await act()
  } catch (error) {
    place('said').textContent = `That did not work: ${error.message}`
  }
}

function lineOf({ name, price }) {
  const line = document.createElement('li')
  const [left, right] = [name, euros(price)].map((text) => {
    const part = document.createElement('span')
    part.textContent = text
    return part
  })
  line.append(left, right)
  return line
}

function euros(minor) {
  return `${(minor / 100).toFixed(2)} €`
}
