// A till in a worker thread: opens, sells as it is told, answers by message.
import { parentPort, workerData } from 'node:worker_threads'
import { openTerminal } from 'pos-kernel'

const { root, id, end } = workerData
const cart = {
  store: 'shop',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
  tenders: [{ kind: 'cash', amount: 1000 }],
}

try {
  const terminal = await openTerminal({ root, id })
  parentPort.postMessage({ opened: terminal.recovery.clean })
  parentPort.on('message', async (message) => {
    if (message.sell !== undefined) {
      const selling = Array.from({ length: message.sell }, () => terminal.sell(cart))
      const receipts = await Promise.all(selling)
      parentPort.postMessage({ sold: receipts.map(({ receiptNumber }) => receiptNumber) })
    }
    if (message.forever) {
      for (;;) await terminal.sell(cart)
    }
    if (message.stop) {
      if (end === 'close') await terminal.close()
      parentPort.close()
    }
  })
} catch (error) {
  parentPort.postMessage({ refused: error.code, family: error.family })
}
