/**
 * A kernel service is killed under its clients, and clients are killed under it, again and again. Every
 * sale with an idempotency key is in the journal exactly once; one without is there once when it was
 * answered, and at most once when its client was told that nobody knows.
 */
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import {
  connectTerminal,
  isPosError,
  listSales,
  type Terminal,
  verifyStore,
} from '../../ts/index.js'
import { startProgram } from '../support/child.js'
import { type Served, served } from '../support/served.js'
import { coffees, tempStore } from '../support/store.js'
import { chance, isLong } from './chance.js'

const kills = isLong ? 1000 : 8
const lanes = 4
const terminals = ['T1', 'T2']

/** What the sales of one terminal came to. */
interface Tally {
  readonly keyed: Set<string>
  readonly plain: Set<string>
  readonly unknown: Set<string>
}

test('a service that is killed loses and doubles nothing', async (t) => {
  t.timeout(3_600_000)
  const root = tempStore(t)
  const draw = chance()
  t.log(`seed ${draw.seed}`)
  const serve = () => served(t, { root, terminals })
  let service: Served = await serve()
  let isSelling = true
  const selling = terminals.map(async (id) => {
    const terminal = await connectTerminal({ root, id, patienceMs: 600_000 })
    const tally = { keyed: new Set<string>(), plain: new Set<string>(), unknown: new Set<string>() }
    let number = 0
    const lane = async () => {
      while (isSelling) {
        number += 1
        await sell(terminal, `${id}-${number}`, number % 3 === 0, tally)
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    await terminal.close()
    return { id, tally }
  })
  for (let kill = 0; kill < kills; kill += 1) {
    await delay(draw.between(0, 250))
    await service.kill()
    service = await serve()
  }
  await delay(50)
  isSelling = false
  const tallies = await Promise.all(selling)
  await service.stop()
  let unknown = 0
  for (const { id, tally } of tallies) {
    const found = new Map<string, number>()
    for (const { reference } of await listSales(root, id)) {
      if (reference === null) throw new Error('a sale has no reference')
      found.set(reference, (found.get(reference) ?? 0) + 1)
    }
    t.true(tally.keyed.size > 0 && tally.plain.size > 0)
    for (const key of [...tally.keyed, ...tally.plain]) t.is(found.get(key), 1, key)
    for (const [key, count] of found) {
      t.is(count, 1, key)
      t.true(tally.keyed.has(key) || tally.plain.has(key) || tally.unknown.has(key), key)
    }
    unknown += tally.unknown.size
    t.log(`${id}: ${tally.keyed.size} with a key, ${tally.plain.size} without, all there once`)
  }
  t.log(`${kills} kills, ${unknown} sales whose client was told that nobody knows`)
  t.true((await verifyStore({ root })).ok)
})

test('a client that is killed leaves its terminal to the next', async (t) => {
  t.timeout(3_600_000)
  const root = tempStore(t)
  const draw = chance()
  t.log(`seed ${draw.seed}`)
  const service = await served(t, { root, terminals: ['T1'] })
  let acknowledged = 0
  for (let kill = 0; kill < (isLong ? 200 : 5); kill += 1) {
    const client = startProgram('sell-served.mjs', [root])
    const gone = new Promise((resolve) => client.on('close', resolve))
    let said = ''
    const first = new Promise((resolve) => client.stdout?.once('data', resolve))
    client.stdout?.on('data', (bytes) => {
      said += bytes
    })
    await first
    await delay(draw.between(0, 60))
    client.kill('SIGKILL')
    await gone
    acknowledged += said.split('\n').filter((line) => line !== '').length
  }
  const terminal = await connectTerminal({ root, id: 'T1' })
  const receipts = terminal.status().nextReceipt - 1
  t.true(acknowledged > 0)
  t.true(receipts >= acknowledged, `${receipts} receipts, ${acknowledged} acknowledged`)
  t.like(await terminal.sell(coffees), { receiptNumber: receipts + 1 })
  await terminal.close()
  await service.stop()
  t.true((await verifyStore({ root })).ok)
})

async function sell(terminal: Terminal, key: string, isPlain: boolean, tally: Tally) {
  try {
    await terminal.sell({ ...coffees, reference: key, ...(!isPlain && { key }) })
    const answered = isPlain ? tally.plain : tally.keyed
    answered.add(key)
  } catch (error) {
    if (!isPlain || !isPosError(error, 'PK_E_OUTCOME_UNKNOWN')) throw error
    tally.unknown.add(key)
  }
}
