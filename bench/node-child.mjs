// One measurement of one store, in a process of its own. Started by node-peers.mjs with one JSON
// argument { command, peer: { module, name }, dir, … }; answers with JSON lines.
//
// A process for each measurement: memory starts clean, a crash is a result and not the end, and the
// shim that slows or skips flushes touches nothing but the store under measurement.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ring } from './peers/stores.mjs'
import { nthSale, withoutTimes } from './sale-payload.mjs'

// The raw flush and the writer take turns. Short turns, because the machine's load changes from one
// second to the next; but a writer with many in flight loses a little at the end of each turn.
const TURN_RAW_MS = 40
const TURN_ONE_MS = 160
const TURN_TOGETHER_MS = 400
// A slow flush needs longer until its median means something.
const TURN_FLUSHES_MIN = 8
const WARM_UP_MS = 150
const CPU_WARM_UP_SALES = 2_000
const CPU_SALES = 20_000

const task = JSON.parse(process.argv[2])
async function pace({ kind, waiting, dir, seconds, memorySales, flushDelayMs }) {
  const store = join(dir, 'store')
  mkdirSync(store)
  if (kind === 'memory') return memory(store, memorySales)
  const peer = await findPeer()
  if (kind === 'cpu') return cpu(peer, store)
  const disk = new Neighbour(dir, flushDelayMs)
  const run = await sellFor(peer, store, kind, waiting, seconds * 1_000, disk)
  const flushes = disk.close()
  const flushUs = percentile(flushes, 0.5)
  const flushRate = 1e6 / (flushes.reduce((sum, time) => sum + time, 0) / flushes.length)
  const p50 = percentile(run.times, 0.5)
  const rate = run.sales / (run.elapsedMs / 1_000)
  answer('rate', rate, 'sales/s')
  answer('p50', p50, 'us')
  answer('p99', percentile(run.times, 0.99), 'us')
  answer('raw_flush_p50', flushUs, 'us')
  if (kind === 'one') {
    answer('p50_in_raw_flushes', p50 / flushUs, 'ratio')
    answer('share_of_raw_rate', rate / flushRate, 'ratio')
  } else {
    // The ideal: every flush carries everybody who waits.
    answer('share_of_ideal', rate / (waiting / (flushUs / 1e6)), 'ratio')
  }
}

async function sellFor(peer, dir, kind, waiting, millis, disk) {
  const store = await peer.open(dir)
  let number = 1
  const sell = {
    one: (times, end) => sellOneByOne(store, () => number++, times, end),
    'in-flight': (times, end) =>
      store.sellAsync
        ? sellInLanes(store, waiting, () => number++, times, end)
        : sellInGroups(store, waiting, () => number++, times, end),
    'in-flight-batched': (times, end) => sellInGroups(store, waiting, () => number++, times, end),
  }[kind]
  await sell([], performance.now() + WARM_UP_MS)
  const times = []
  const turnMs = Math.max(kind === 'one' ? TURN_ONE_MS : TURN_TOGETHER_MS, disk.turnMs)
  let sales = 0
  let elapsedMs = 0
  disk.turn()
  while (elapsedMs < millis) {
    const began = performance.now()
    sales += await sell(times, began + Math.min(turnMs, millis - elapsedMs))
    elapsedMs += performance.now() - began
    disk.turn()
  }
  await store.close()
  return { times, sales, elapsedMs }
}

/** The raw disk beside the writer: the time of each flush, in microseconds. */
class Neighbour {
  #ring
  #times = []
  #number = 1

  constructor(dir, flushDelayMs) {
    this.#ring = new Ring(join(dir, 'neighbour'))
    this.turnMs = Math.max(TURN_RAW_MS, flushDelayMs * TURN_FLUSHES_MIN)
  }

  turn() {
    const end = performance.now() + this.turnMs
    while (performance.now() < end) {
      const sale = nthSale(this.#number++)
      const start = performance.now()
      this.#ring.sell(sale)
      this.#times.push((performance.now() - start) * 1_000)
    }
  }

  close() {
    this.#ring.close()
    return this.#times
  }
}

/** These three sell until `end`, note each sale's time in microseconds, and return how many. */
async function sellOneByOne(store, next, times, end) {
  let sales = 0
  while (performance.now() < end) {
    const sale = nthSale(next())
    const start = performance.now()
    const sold = store.sell(sale)
    // Only a promise is waited for: a store that blocks pays no turn of the microtask queue.
    if (sold !== undefined) await sold
    times.push((performance.now() - start) * 1_000)
    sales += 1
  }
  return sales
}

/** Each of the `waiting` lanes sells its next sale when its last one is durable. */
async function sellInLanes(store, waiting, next, times, end) {
  let sales = 0
  const lane = async () => {
    while (performance.now() < end) {
      const sale = nthSale(next())
      const start = performance.now()
      await store.sellAsync(sale)
      times.push((performance.now() - start) * 1_000)
      sales += 1
    }
  }
  await Promise.all(Array.from({ length: waiting }, lane))
  return sales
}

/** The application puts what waits into one transaction; a sale's time is the time of its group. */
async function sellInGroups(store, waiting, next, times, end) {
  let count = 0
  while (performance.now() < end) {
    const sales = Array.from({ length: waiting }, () => nthSale(next()))
    const start = performance.now()
    const sold = store.sellTogether(sales)
    if (sold !== undefined) await sold
    times.push((performance.now() - start) * 1_000)
    count += waiting
  }
  return count
}

/** Runs under the shim that keeps flushes from the device. Counts every thread of the process. */
async function cpu(peer, dir) {
  const store = await peer.open(dir)
  const sellTo = async (first, last) => {
    for (let number = first; number <= last; number += 1) {
      const sold = store.sell(nthSale(number))
      if (sold !== undefined) await sold
    }
  }
  await sellTo(1, CPU_WARM_UP_SALES)
  const began = performance.now()
  const processorBegan = process.cpuUsage()
  await sellTo(CPU_WARM_UP_SALES + 1, CPU_WARM_UP_SALES + CPU_SALES)
  const processor = process.cpuUsage(processorBegan)
  const elapsedMs = performance.now() - began
  await store.close()
  answer('cpu_per_sale', (processor.user + processor.system) / CPU_SALES, 'us')
  answer('time_per_sale', (elapsedMs * 1_000) / CPU_SALES, 'us')
}

async function memory(dir, sales) {
  // The generator of sales is warm before: what it keeps belongs to the benchmark.
  for (let number = 1; number <= sales; number += 1) JSON.stringify(nthSale(number))
  const bare = memoryNow()
  const peer = await findPeer()
  const store = await peer.open(dir)
  for (let number = 1; number <= sales; number += 1) {
    const sold = store.sell(nthSale(number))
    if (sold !== undefined) await sold
  }
  const selling = memoryNow()
  await store.close()
  answer('private', selling.private, 'KiB')
  answer('resident', selling.resident, 'KiB')
  answer('private_above_bare', selling.private - bare.private, 'KiB')
  answer('resident_above_bare', selling.resident - bare.resident, 'KiB')
  answer('sales_before', sales, 'sales')
}

/**
 * What the system counts for this process, garbage collected first (started with --expose-gc).
 * Private are the pages that it alone has and has written to, as on the native side.
 */
function memoryNow() {
  globalThis.gc()
  const text = readFileSync('/proc/self/smaps_rollup', 'utf8')
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { private: field('Private_Dirty'), resident: field('Rss') }
}

/** Sells one by one, each durable, says so, and waits to be killed. */
async function fill({ dir, sales }) {
  const peer = await findPeer()
  const store = await peer.open(dir)
  for (let number = 1; number <= sales; number += 1) {
    const sold = store.sell(nthSale(number))
    if (sold !== undefined) await sold
  }
  print({ sales })
  setInterval(() => {}, 3_600_000)
}

/** Opens what is there, reads every sale, compares every byte. */
async function tryOpen({ dir, sales }) {
  const peer = await findPeer()
  const seen = new Uint8Array(sales + 1)
  let right = 0
  let wrong = 0
  const look = (number, text) => {
    // Other content, twice the same sale, and sales that were never sold are all wrong.
    if (!(number >= 1 && number <= sales) || seen[number]) {
      wrong += 1
      return
    }
    seen[number] = 1
    const sale = nthSale(number)
    const expected = JSON.stringify(peer.stampsOwnTimes ? withoutTimes(sale) : sale)
    if (text === expected) right += 1
    else wrong += 1
  }
  try {
    const store = await peer.open(dir)
    await store.readEvery(look)
    const missing = sales - seen.reduce((sum, one) => sum + one, 0)
    print({ right, wrong, missing, admits: store.admits?.() ?? null })
  } catch (error) {
    print({ error: String(error?.message ?? error) })
  }
  // Without closing: what a damaged store does when it is closed is not the question.
  process.exit(0)
}

async function findPeer() {
  const { module, name } = task.peer
  const { peers } = await import(module)
  const found = peers.find((peer) => peer.name === name)
  if (found === undefined) throw new Error(`no peer called ${name} in ${module}`)
  return found
}

/** A store measured without the shim that was asked for would look as if it ignored flushes. */
function checkShim() {
  const wanted = process.env.SLOWSYNC_DELAY_US || process.env.SLOWSYNC_SKIP
  if (wanted && !readFileSync('/proc/self/maps', 'utf8').includes('slowsync.so')) {
    throw new Error('the flush shim was asked for but is not loaded')
  }
}

function percentile(times, share) {
  const sorted = Float64Array.from(times).sort()
  return sorted[Math.round((sorted.length - 1) * share)] ?? 0
}

function answer(metric, value, unit) {
  print({ metric, value, unit })
}

function print(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

// Last, so that every class above is there.
checkShim()
await { pace, fill, try: tryOpen }[task.command](task)
