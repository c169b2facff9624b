// Registers that sell side by side on one thread, for `bench store`:
// `node store-child.mjs ROOT store|alone REGISTERS SECONDS` prints one line of JSON.
//
// `alone` is one terminal that waits for each sale on its own thread; `store` is a store process whose
// registers each begin the next sale when the last is durable.

const { openStore, openTerminal } = await import(new URL('../dist/index.js', import.meta.url).href)
const [root, deployment, registers, seconds] = process.argv.slice(2)
const articles = [
  ['22423', 'REGENCY CAKESTAND 3 TIER', 1275],
  ['85123A', 'WHITE HANGING HEART T-LIGHT HOLDER', 255],
  ['47566', 'PARTY BUNTING', 495],
  ['84879', 'ASSORTED COLOUR BIRD ORNAMENT', 169],
  ['20725', 'LUNCH BAG RED RETROSPOT', 165],
]
const lines = articles.map(([sku, text, unitPrice]) => ({ sku, text, quantity: 1, unitPrice }))
const tenders = [{ kind: 'cash', amount: 2500 }]
const cart = (number) => ({
  store: 'STORE_001',
  currency: 'EUR',
  reference: `R-${String(number).padStart(8, '0')}`,
  key: `sale-${String(number).padStart(8, '0')}`,
  lines,
  tenders,
})
const ids = Array.from({ length: Number(registers) }, (_, index) => `REGISTER_${index}`)
const latencies = []
const times = { durability: 'sale' }

async function selling(till, until) {
  for (let number = 0; performance.now() < until; number += 1) {
    const asked = performance.now()
    const receipt = await till.sell(cart(number))
    if (receipt.gross !== 2359) throw new Error(`${receipt.gross}`)
    latencies.push(performance.now() - asked)
  }
}

const store = deployment === 'store' ? await openStore({ root }) : undefined
const tills = await Promise.all(
  ids.map((id) =>
    store === undefined
      ? openTerminal({ root, id, ...times })
      : store.openTerminal({ id, ...times }),
  ),
)
const before = store?.stats()
const begun = performance.now()
const until = begun + Number(seconds) * 1000
if (store === undefined) {
  for (let number = 0; performance.now() < until; number += 1) {
    const asked = performance.now()
    tills[0].sellSync(cart(number))
    latencies.push(performance.now() - asked)
  }
} else {
  await Promise.all(tills.map((till) => selling(till, until)))
}
const taken = performance.now() - begun
const after = store?.stats()
latencies.sort((a, b) => a - b)
const at = (share) => Math.round(1000 * latencies[Math.floor((latencies.length - 1) * share)])
console.log(
  JSON.stringify({
    deployment,
    registers: tills.length,
    sales: latencies.length,
    salesPerSecond: Math.round((latencies.length * 1000) / taken),
    p50Us: at(0.5),
    p99Us: at(0.99),
    logFlushes: (after?.logFlushes ?? 0) - (before?.logFlushes ?? 0),
    logSyncs: (after?.logSyncs ?? 0) - (before?.logSyncs ?? 0),
  }),
)
for (const till of tills) await till.close()
await store?.close()
