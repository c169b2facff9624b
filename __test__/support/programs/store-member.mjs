// A terminal that has joined its store, with a sale open, until it is told to end: `store-member.mjs ROOT ID`.
import { joinStore, openTerminal } from 'pos-kernel'

const [root, id] = process.argv.slice(2)
const terminal = await openTerminal({ root, id, durability: 'sale' })
const membership = await joinStore(terminal, { signalGraceMs: 50 })
const sale = await terminal.begin({ store: 'S', currency: 'EUR' })
await sale.addLine({ sku: 'tea', quantity: 1, unitPrice: 250 })
console.log(JSON.stringify({ event: 'ready' }))
const hold = setInterval(() => {}, 1000)
console.log(JSON.stringify({ event: 'ended', ...(await membership.ended) }))
clearInterval(hold)
