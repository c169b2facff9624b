// `bench service`: sales through the kernel service from eight processes, beside the same sales by one
// Node process on its own terminals, and the round trip of a small call.
//
//   node bench/service.mjs [--quick] [--json] [--rounds N] [--seconds S] [--dir DIR]
//
// Both sides have eight terminals with the same number of sales in flight on each, in durability
// `record`, on one disk, in interleaved rounds. The ratio is between medians of one run.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CHILD = join(HERE, 'service-child.mjs')
const TERMINALS = Array.from({ length: 8 }, (_, index) => `TILL_${index + 1}`)
const IN_FLIGHT = 64
const GOAL = 0.6

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    dir: { type: 'string', default: resolve(HERE, 'results') },
  },
})
const rounds = Number(given.rounds ?? (given.quick ? 1 : 3))
const seconds = Number(given.seconds ?? (given.quick ? 0.5 : 2))

mkdirSync(given.dir, { recursive: true })
const own = []
const served = []
const trips = []
for (let round = 0; round < rounds; round += 1) {
  own.push(await inStore(sellOwn))
  const { rate, trip } = await inStore(sellServed)
  served.push(rate)
  trips.push(trip)
}
report()

/** A store of its own for one measurement. */
async function inStore(measure) {
  const root = mkdtempSync(join(given.dir, 'service-'))
  try {
    return await measure(root)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** One process, eight terminals of its own. */
async function sellOwn(root) {
  const seller = await started({ role: 'own', root, ids: TERMINALS })
  const { sales, ms } = await asked(seller, { sell: seconds, inFlight: IN_FLIGHT })
  await ended(seller)
  return (sales * 1000) / ms
}

/** A service, and eight processes with a terminal each. */
async function sellServed(root) {
  const service = await started({ role: 'serve', root, ids: TERMINALS })
  const clients = await Promise.all(
    TERMINALS.map((id) => started({ role: 'client', root, ids: [id] })),
  )
  const trip = await asked(clients[0], { trips: given.quick ? 2_000 : 5_000 })
  const sold = await Promise.all(
    clients.map((client) => asked(client, { sell: seconds, inFlight: IN_FLIGHT })),
  )
  await Promise.all(clients.map(ended))
  await ended(service)
  const rate = sold.reduce((sum, { sales, ms }) => sum + (sales * 1000) / ms, 0)
  return { rate, trip }
}

async function started(task) {
  const child = fork(CHILD, [JSON.stringify(task)], { execArgv: [] })
  await once(child, 'message')
  return child
}

async function asked(child, question) {
  child.send(question)
  const [answer] = await once(child, 'message')
  return answer
}

async function ended(child) {
  const gone = once(child, 'exit')
  child.send({ end: true })
  const [code] = await gone
  if (code !== 0) throw new Error(`a process of the benchmark ended with ${code}`)
}

function report() {
  const figures = {
    ownSalesPerSecond: Math.round(median(own)),
    servedSalesPerSecond: Math.round(median(served)),
    share: Number((median(served) / median(own)).toFixed(3)),
    goal: GOAL,
    waitingTripUs: {
      p50: median(trips.map(({ p50 }) => p50)),
      p99: median(trips.map(({ p99 }) => p99)),
    },
    terminals: TERMINALS.length,
    inFlight: IN_FLIGHT,
    rounds,
    seconds,
  }
  if (given.json) {
    console.log(JSON.stringify(figures))
    return
  }
  const { ownSalesPerSecond, servedSalesPerSecond, share, waitingTripUs } = figures
  console.log(
    `${TERMINALS.length} terminals, ${IN_FLIGHT} sales in flight on each, medians of ${rounds} rounds`,
  )
  console.log(`one process on its own terminals   ${ownSalesPerSecond} sales/s`)
  console.log(`eight processes over the service   ${servedSalesPerSecond} sales/s`)
  console.log(`share                              ${share} (goal ${GOAL})`)
  console.log(
    `round trip of a small call         p50 ${waitingTripUs.p50} us, p99 ${waitingTripUs.p99} us`,
  )
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
