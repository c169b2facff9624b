// Sells through a kernel service until it is killed: `sell-served.mjs ROOT`. A line for each sale.
import { connectTerminal } from 'pos-kernel'

const terminal = await connectTerminal({ root: process.argv[2], id: 'T1' })
for (let sales = 1; ; sales += 1) {
  await terminal.sell({
    store: 'shop',
    currency: 'EUR',
    lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
    tenders: [{ kind: 'cash', amount: 1000 }],
  })
  process.stdout.write(`${sales}\n`)
}
