// Sells one sale as another user: `connect-as.mjs SOCKET UID`. The binding is loaded before the user is
// changed, for that user may not read it.
import { connectTerminal, versions } from 'pos-kernel'

const [socket, uid] = process.argv.slice(2)
versions()
process.setgroups([])
process.setgid(Number(uid))
process.setuid(Number(uid))
try {
  const terminal = await connectTerminal({ socket, id: 'T1' })
  const { gross } = await terminal.sell({
    store: 'shop',
    currency: 'EUR',
    lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
    tenders: [{ kind: 'cash', amount: 1000 }],
  })
  await terminal.close()
  process.stdout.write(JSON.stringify({ gross }))
} catch (error) {
  process.stdout.write(JSON.stringify(error))
}
