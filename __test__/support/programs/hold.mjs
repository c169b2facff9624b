// Opens a terminal, sells once, and keeps it until stdin ends: `hold.mjs ROOT`.
import { openTerminal } from 'pos-kernel'

const terminal = await openTerminal({ root: process.argv[2], id: 'T1' })
await terminal.sell({
  store: 'shop',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
  tenders: [{ kind: 'cash', amount: 1000 }],
})
console.log('open')
process.stdin.on('end', () => terminal.close()).resume()
