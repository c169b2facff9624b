// One process of `bench service`: `own` sells on terminals of its own, `serve` is the service, `client`
// sells through it. Tasks come as messages, answers go back the same way.

import { connectTerminal, openTerminal, serveStore } from '../dist/index.js'
import { nthSale } from './sale-payload.mjs'

const { role, root, ids } = JSON.parse(process.argv[2])
const WARM_UP_SALES = 4_000
let number = Number(ids[0].slice(-1)) * 1_000_000

const service = role === 'serve' ? await serveStore({ root, terminals: ids }) : undefined
const open = role === 'own' ? openTerminal : connectTerminal
const terminals = service ? [] : await Promise.all(ids.map((id) => open({ root, id })))
process.on('message', async (task) => {
  if (task.sell !== undefined) process.send(await sell(task))
  else if (task.trips !== undefined) process.send(trips(task.trips))
  else {
    await Promise.all(terminals.map((terminal) => terminal.close()))
    await service?.stop()
    process.disconnect()
  }
})
process.send('ready')

/** Sells for some seconds, so many at a time on each terminal. */
async function sell({ sell: seconds, inFlight }) {
  await lanes(inFlight, (sales) => sales < WARM_UP_SALES * terminals.length)
  const began = performance.now()
  const end = began + seconds * 1000
  const sales = await lanes(inFlight, () => performance.now() < end)
  return { sales, ms: performance.now() - began }
}

async function lanes(inFlight, goesOn) {
  let sales = 0
  const lane = async (terminal) => {
    while (goesOn(sales)) {
      await terminal.sell(cartOf(nthSale(number++)))
      sales += 1
    }
  }
  await Promise.all(
    terminals.flatMap((terminal) => Array.from({ length: inFlight }, () => lane(terminal))),
  )
  return sales
}

/** Round trips of a call that only reads, the thread waiting. */
function trips(count) {
  const [terminal] = terminals
  const times = []
  for (let trip = 0; trip < count; trip += 1) {
    const began = process.hrtime.bigint()
    terminal.policy('EUR')
    times.push(Number(process.hrtime.bigint() - began) / 1000)
  }
  times.sort((a, b) => a - b)
  const at = (share) => Number(times[Math.floor(count * share)].toFixed(1))
  return { p50: at(0.5), p99: at(0.99) }
}

function cartOf(sale) {
  return {
    store: sale.store,
    currency: sale.currency,
    reference: sale.reference,
    lines: sale.lines.map(({ sku, text, quantity, unitPrice }) => ({
      sku,
      text,
      quantity,
      unitPrice,
    })),
    tenders: [{ kind: sale.tender.kind, amount: sale.tender.amount }],
  }
}
