// A disk that stops taking writes under an open terminal: `broken-disk.mjs ROOT`. The file size
// limit of the process is set to nothing, so that every write fails with EFBIG.
import { execFileSync } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { openTerminal } from 'pos-kernel'

// Unheard, this signal would end the process.
process.on('SIGXFSZ', () => {})

const limit = (bytes) => {
  execFileSync('prlimit', [`--pid=${process.pid}`, `--fsize=${bytes}:unlimited`])
}
const say = (value) => console.log(JSON.stringify(value))
const outcome = (promise) =>
  promise.then(
    ({ receiptNumber }) => ({ receiptNumber }),
    ({ code, family, facts }) => ({ code, family, facts }),
  )
const cart = {
  store: 'shop',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
  tenders: [{ kind: 'cash', amount: 1000 }],
}

const terminal = await openTerminal({ root: process.argv[2], id: 'T1' })
say(await outcome(terminal.sell(cart)))
const sale = await terminal.begin({ store: 'shop', currency: 'EUR' })
// An idle journal is marked durable; that write must not be the one that fails.
const { mark } = terminal.stats().flushes
for (let tries = 0; tries < 200 && terminal.stats().flushes.mark === mark; tries += 1) {
  await setTimeout(10)
}
limit(0)
say(await Promise.all([outcome(terminal.sell(cart)), outcome(terminal.sell(cart))]))
limit('unlimited')
// The disk takes writes again; the terminal must not.
say(await outcome(terminal.sell(cart)))
say(await outcome(sale.addLine({ sku: 'a', quantity: 1, unitPrice: 1 })))
try {
  terminal.sellSync(cart)
} catch ({ code }) {
  say({ code })
}
say({ poisoned: terminal.status().poisoned })
say(await outcome(terminal.close()))
say(await outcome(terminal.sell(cart)))

const next = await openTerminal({ root: process.argv[2], id: 'T1' })
say({ clean: next.recovery.clean, sales: next.recovery.sales })
say(await outcome(next.sell(cart)))
await next.close()
