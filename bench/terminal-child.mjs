// A Node host of one terminal: opens it, rings up one sale, says so, and idles until its input ends.
const [root, id] = process.argv.slice(2)
if (root !== 'bare') {
  const { openTerminal } = await import('pos-kernel')
  const terminal = await openTerminal({ root, id })
  await terminal.sell({
    store: 'bench',
    currency: 'EUR',
    lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
    tenders: [{ kind: 'cash', amount: 1000 }],
  })
  process.on('exit', () => terminal.closeSync())
}
process.stdin.on('end', () => process.exit(0)).resume()
process.stdout.write('ready\n')
