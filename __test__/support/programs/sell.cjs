// The same through require: `sell.cjs ROOT`. Also proves that both doors give the same classes.
const { openTerminal, openTerminalSync, PosError } = require('pos-kernel')

async function main() {
  const imported = await import('pos-kernel')
  if (imported.PosError !== PosError) throw new Error('two copies of the error classes')
  const terminal = await openTerminal({ root: process.argv[2], id: 'T1' })
  const receipt = terminal.sellSync({
    store: 'shop',
    currency: 'EUR',
    lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
    tenders: [{ kind: 'cash', amount: 1000 }],
  })
  try {
    openTerminalSync({ root: process.argv[2], id: 'T1' })
  } catch (error) {
    console.log(error instanceof PosError, error.code)
  }
  console.log(receipt.receiptNumber)
  terminal.closeSync()
}

main()
