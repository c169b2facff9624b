// pos-kernel from Node, behind the interface of peers/stores.mjs: a sale in one call, and call by call
// as a till rings it up. Durability `sale`.

import { fileURLToPath } from 'node:url'

const PACKAGE = new URL('../dist/index.js', import.meta.url).href
// Damage is done to the native store: the files are the same.
const workloads = ['one', 'in-flight', 'cpu', 'memory']
const isRebuiltAtOpen = (name) => name === 'terminal.lock' || name === 'terminal.owner.json'

export const peers = [
  {
    name: 'pos-kernel',
    workloads,
    stampsOwnTimes: true,
    isRebuiltAtOpen,
    open: (dir) => open(dir, WholeSales),
  },
  {
    name: 'pos-kernel-calls',
    workloads: ['one', 'in-flight', 'cpu'],
    stampsOwnTimes: true,
    isRebuiltAtOpen,
    open: (dir) => open(dir, CallByCall),
  },
]

/** What `measureNode` takes. */
export const ours = peers.map(({ name }) => ({ module: import.meta.url, name }))

/** Where this module is, for messages. */
export const path = fileURLToPath(import.meta.url)

async function open(dir, Till) {
  const { openTerminal } = await import(PACKAGE)
  return new Till(await openTerminal({ root: dir, id: 'REGISTER_01', durability: 'sale' }))
}

class WholeSales {
  constructor(terminal) {
    this.terminal = terminal
  }

  sell(sale) {
    return this.sellAsync(sale)
  }

  sellAsync(sale) {
    return this.terminal.sell({
      store: sale.store,
      currency: sale.currency,
      reference: sale.reference,
      key: sale.key,
      lines: sale.lines.map(lineOf),
      tenders: [{ kind: sale.tender.kind, amount: sale.tender.amount }],
    })
  }

  async last() {
    const { nextReceipt } = this.terminal.status()
    if (nextReceipt === 1) return undefined
    return numberOf(await this.terminal.receipt(nextReceipt - 1))
  }

  async readEvery(visit) {
    const { nextReceipt } = this.terminal.status()
    for (let number = 1; number < nextReceipt; number += 1) {
      const receipt = await this.terminal.receipt(number)
      visit(numberOf(receipt), canonical(receipt))
    }
  }

  admits() {
    const { cut } = this.terminal.recovery
    return cut && `${cut.bytes} bytes cut at ${cut.offset} of segment ${cut.segment}`
  }

  close() {
    return this.terminal.close()
  }
}

class CallByCall extends WholeSales {
  async sellAsync(sale) {
    const { store, currency, reference } = sale
    const open = await this.terminal.begin({ store, currency, reference })
    for (const line of sale.lines) await open.addLine(lineOf(line))
    await open.tender({ kind: sale.tender.kind, amount: sale.tender.amount })
    await open.complete({ key: sale.key })
    open.close()
  }
}

function lineOf({ sku, text, quantity, unitPrice }) {
  return { sku, text, quantity, unitPrice }
}

function numberOf(receipt) {
  return Number(receipt.reference.slice('R-'.length))
}

function canonical(receipt) {
  const [tender] = receipt.tenders
  return JSON.stringify({
    sale: numberOf(receipt),
    terminal: 'T-07',
    reference: receipt.reference,
    key: receipt.key,
    store: receipt.store,
    currency: receipt.currency,
    began: 0,
    lines: receipt.lines.map((line) => ({
      line: line.line,
      kind: 'sale',
      sku: line.sku,
      text: line.text,
      quantity: Number(line.quantity),
      unitPrice: Number(line.unitPrice),
      amount: line.amount,
      voided: line.voided !== undefined,
      at: 0,
    })),
    tender: { kind: tender.kind, amount: tender.amount, change: receipt.change, at: 0 },
    gross: receipt.gross,
    completed: 0,
  })
}
