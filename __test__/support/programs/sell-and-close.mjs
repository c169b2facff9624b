// Sells once and closes: `sell-and-close.mjs ROOT`.
import { openTerminal } from 'pos-kernel'

const terminal = await openTerminal({ root: process.argv[2], id: 'T1' })
const receipt = await terminal.sell({
  store: 'shop',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
  tenders: [{ kind: 'cash', amount: 1000 }],
})
console.log(receipt.receiptNumber)
await terminal.close()
