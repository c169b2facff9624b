/** Sells on one terminal and prints the kernel's own counts, for a tracer to compare with. */
import { openTerminal } from 'pos-kernel'

const [root, count] = process.argv.slice(2)
const terminal = await openTerminal({ root, id: 'FLUSH', durability: 'sale' })
const lines = [1, 2, 3, 4, 5].map((number) => ({
  sku: `sku-${number}`,
  quantity: 1,
  unitPrice: 100,
}))
for (let index = 0; index < Number(count); index += 1) {
  await terminal.sell({
    store: 'FLUSH',
    currency: 'EUR',
    lines,
    tenders: [{ kind: 'cash', amount: 500 }],
  })
}
await terminal.close()
console.log(JSON.stringify(terminal.stats()))
