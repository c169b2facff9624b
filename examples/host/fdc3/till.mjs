/**
 * A till. It shows each item as it is scanned (a context on a user channel), asks who the customer is (an intent with a
 * result), sells, and shows that it is paid. It knows neither the display nor the loyalty program: they are whoever
 * listens.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { connectHost, openHostTerminal } from 'pos-kernel/host/app'
import { getAgent } from 'pos-kernel/host/fdc3'

const goods = [
  { sku: 'coffee', name: 'Coffee', price: 320 },
  { sku: 'tea', name: 'Tea', price: 280 },
  { sku: 'cake', name: 'Cake', price: 410 },
]
const cards = ['1001', '1002', '9999']

const host = await connectHost()
const { terminal } = await openHostTerminal()
const fdc3 = await getAgent()

await fdc3.joinUserChannel('fdc3.channel.1')
await fdc3.addContextListener('display.shown', ({ basket, total }) => {
  console.log(`the display shows basket ${basket}: ${euros(total)}`)
})
await fdc3.addIntentListener('GiveReceipt', async ({ id }) => {
  console.log(`receipt of basket ${id.number} is printed`)
})
host.ready()

for (let number = 1; !host.isDraining; number += 1) {
  const lines = []
  for (let count = 0; count <= number % goods.length; count += 1) {
    lines.push(goods[(number + count) % goods.length])
    await fdc3.broadcast(basketOf(number, lines))
    await delay(300)
  }
  const member = await memberOf(cards[number % cards.length])
  const total = totalOf(lines)
  await terminal.sell({
    store: 'corner-shop',
    currency: 'EUR',
    lines: lines.map(({ sku, price }) => ({ sku, quantity: 1, unitPrice: price })),
    tenders: [{ kind: 'card', amount: total }],
  })
  await fdc3.broadcast({ ...basketOf(number, lines), isPaid: true, member })
  console.log(`basket ${number} is paid: ${euros(total)}, ${member?.name ?? 'no member'}`)
  await delay(2000)
}

/** Who has this card; undefined when nobody does, or nobody can say. A sale does not wait for it to be otherwise. */
async function memberOf(number) {
  try {
    const card = { type: 'loyalty.card', id: { number } }
    const resolution = await fdc3.raiseIntent('FindMember', card)
    return (await resolution.getResult()) ?? undefined
  } catch (error) {
    console.log(`card ${number} was not looked up: ${error.message}`)
    return undefined
  }
}

function basketOf(number, lines) {
  return {
    type: 'till.basket',
    id: { number: String(number) },
    lines: lines.map(({ name, price }) => ({ name, price })),
    total: totalOf(lines),
    isPaid: false,
  }
}

function totalOf(lines) {
  return lines.reduce((sum, { price }) => sum + price, 0)
}

function euros(minor) {
  return `${(minor / 100).toFixed(2)} EUR`
}
