/**
 * A till of a host: it sells a coffee now and then until it is drained, and finishes the sale that is open.
 *
 *     pos-kernel host start examples/host/store.json --root ./store
 */
import { setTimeout as delay } from 'node:timers/promises'
import { connectHost, openHostTerminal } from 'pos-kernel/host/app'

const host = await connectHost()
const { terminal } = await openHostTerminal()
host.ready()

while (!host.isDraining) {
  await terminal.sell({
    store: 'corner-shop',
    currency: 'EUR',
    lines: [{ sku: 'coffee', quantity: 1, unitPrice: 320 }],
    tenders: [{ kind: 'cash', amount: 500 }],
  })
  await delay(100 + Math.random() * 400)
}
