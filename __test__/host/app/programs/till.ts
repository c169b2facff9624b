/** A terminal that sells three times and leaves a fourth sale open. */
import { connectHost, openHostTerminal } from '../../../../ts/host/app/index.js'

const host = await connectHost()
const { terminal } = await openHostTerminal()
const input = { store: 'corner', currency: 'EUR' } as const
for (let n = 0; n < 3; n++)
  await terminal.sell({
    ...input,
    lines: [{ sku: 'coffee', quantity: 1, unitPrice: 320 }],
    tenders: [{ kind: 'cash', amount: 500 }],
  })
const sale = await terminal.begin(input)
await sale.addLine({ sku: 'tea', quantity: 1, unitPrice: 250 })
host.ready()
