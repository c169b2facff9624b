// A store process with four terminals that sell for ever, side by side, and say what was acknowledged.
import { openStore } from '../../../ts/index.ts'

const [root] = process.argv.slice(2)
const store = await openStore({ root })
const ids = [0, 1, 2, 3].map((index) => `REGISTER_${index}`)
const tills = await Promise.all(ids.map((id) => store.openTerminal({ id })))

async function sellForEver(till) {
  for (let round = 0; ; round += 1) {
    const key = `${process.pid}-${round}`
    const { receiptNumber } = await till.sell({
      store: 'corner-shop',
      currency: 'EUR',
      key,
      lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
      tenders: [{ kind: 'cash', amount: 1000 }],
    })
    process.stdout.write(`${till.id} ${receiptNumber} ${key}\n`)
  }
}

await Promise.all(tills.map(sellForEver))
