/** A terminal as apps are written: opens its register, sells once, and says so. */
import { connectHost } from '../../../../dist/host/app/index.js'
import { openTerminal } from '../../../../dist/index.js'

const host = await connectHost()
const { root, terminal: id } = host.register
const terminal = await openTerminal({ root, id })
const receipt = await terminal.sell({
  store: 'corner-shop',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 1, unitPrice: 320 }],
  tenders: [{ kind: 'cash', amount: 400 }],
})
await host.state.save({ gross: receipt.gross })
host.ready()
