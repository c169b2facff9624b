// Ends in one of the ways a host can end: `ending.mjs ROOT WAY`.
import { openTerminal, openTerminalSync } from 'pos-kernel'

const [root, way] = process.argv.slice(2)
const cart = {
  store: 'shop',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
  tenders: [{ kind: 'cash', amount: 1000 }],
}
const terminal = await openTerminal({ root, id: 'T1' })
await terminal.sell(cart)
console.log('sold 1')

const ways = {
  // Everything is closed: nothing may keep the process.
  closed: () => terminal.close(),
  closedSync: () => terminal.closeSync(),
  // Nothing waits: an open terminal alone may not keep the process.
  left: () => {},
  // Something waits: the process must stay until it is answered.
  waiting: () => {
    terminal.sell(cart).then(({ receiptNumber }) => console.log(`sold ${receiptNumber}`))
  },
  waitingSync: () => {
    openTerminalSync({ root, id: 'T2' })
      .sell(cart)
      .then(() => console.log('sold on T2'))
  },
  opening: () => {
    openTerminal({ root, id: 'T2' }).then(({ id }) => console.log(`opened ${id}`))
  },
  exit: () => {
    for (let count = 0; count < 100; count += 1) terminal.sell(cart)
    process.exit(7)
  },
  throws: () => {
    terminal.sell(cart)
    throw new Error('a fault of the host')
  },
  kill: () => {
    for (let count = 0; count < 100; count += 1) terminal.sell(cart)
    process.kill(process.pid, 'SIGKILL')
  },
  exitWhileClosing: () => {
    terminal.close()
    process.exit(0)
  },
  reopen: async () => {
    for (let count = 0; count < 20; count += 1) {
      const other = await openTerminal({ root, id: 'T2' })
      await other.sell(cart)
      await other.close()
    }
    await terminal.close()
    console.log('reopened')
  },
}
await ways[way]()
