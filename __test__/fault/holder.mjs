/** A process that owns a terminal until it is told to close it, or killed. */
import { setTimeout as delay } from 'node:timers/promises'
import { openTerminal } from 'pos-kernel'

const [root, id] = process.argv.slice(2)
const terminal = await openTerminal({ root, id, durability: 'sale' })
await terminal.sell({
  store: 'HOLDER',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 1, unitPrice: 320 }],
  tenders: [{ kind: 'cash', amount: 320 }],
})
// An idle owner writes a durable mark and prepares the next segment; after both it is still.
const isStill = ({ flushes }) => flushes.mark > 0 && flushes.prepare > 0
while (!isStill(terminal.stats())) await delay(5)
process.on('disconnect', () => process.exit(0))
process.on('message', async () => {
  await terminal.close()
  process.exit(0)
})
process.send('still')
