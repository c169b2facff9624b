// Sells until it is killed: `sell-on.mjs ROOT`. Says how many sales were acknowledged.
import { openTerminal } from 'pos-kernel'

const terminal = await openTerminal({
  root: process.argv[2],
  id: 'T1',
  segmentBytes: 65_536,
  durability: 'sale',
})
for (let sales = 1; ; sales += 1) {
  await terminal.sell({
    store: 'shop',
    currency: 'EUR',
    lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
    tenders: [{ kind: 'cash', amount: 1000 }],
  })
  process.stdout.write(`${sales}\n`)
}
