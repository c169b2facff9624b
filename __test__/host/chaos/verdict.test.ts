import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { dataOf, judge, price } from '../../../bench/host/chaos-verdict.mjs'
import { StateStore } from '../../../ts/host/state/state.js'
import { openTerminal, type Terminal } from '../../../ts/index.js'
import { tempStore } from '../../support/store.js'

const tills = ['T1', 'T2'] as const

/** A store after a run in which nothing was killed: each till sold twice and rang up two orders. */
async function storeAfterRun(t: ExecutionContext) {
  const root = tempStore(t)
  const act = (who: string, line: string) => {
    mkdirSync(dataOf(root, who), { recursive: true })
    appendFileSync(path.join(dataOf(root, who), 'acts.log'), `${line}\n`)
  }
  const open = (id: string) => openTerminal({ root, id })
  const sell = (terminal: Terminal, key: string, unitPrice = price) =>
    terminal.sell({
      store: 'chaos',
      currency: 'EUR',
      lines: [{ sku: 'coffee', quantity: 1, unitPrice }],
      tenders: [{ kind: 'cash', amount: 500 }],
      key,
    })
  const post = await open('HOST-POST')
  const order = async (count: number) => {
    const to = tills[count % 2] ?? 'T1'
    act('clerk', `begun order-${count}`)
    const { id } = await post.messages.send({ to, kind: 'x.order', body: { count } })
    act('clerk', `done order-${count} ${id}`)
    return id
  }
  for (const id of tills) await (await open(id)).close()
  act('clerk', 'run clerk.1')
  const ids = [await order(0), await order(1), await order(2), await order(3)]
  for (const [place, id] of tills.entries()) {
    const terminal = await open(id)
    act(id, `run ${id}.1`)
    for (const key of [`${id}-0`, `${id}-1`]) {
      act(id, `begun ${key}`)
      await sell(terminal, key)
      act(id, `done ${key}`)
    }
    for (const count of [place, place + 2]) {
      act(id, `heard order-${count} ${ids[count]}`)
      await sell(terminal, `order-${count}`)
      await terminal.messages.accept([ids[count] ?? ''])
    }
    await terminal.close()
  }
  const verdict = () => judge({ root, tills: [...tills], clerk: 'clerk', tally: 'tally' })
  const faults = async () => (await verdict()).faults.map(({ kind, what }) => `${kind}: ${what}`)
  return { root, act, open, sell, order, post, verdict, faults }
}

test('a run in which everything went well has no faults, and everything in it is counted', async (t) => {
  const { verdict, act } = await storeAfterRun(t)
  act('T1', 'begun T1-2')
  act('T1', 'begun T1-2')
  t.deepEqual(await verdict(), { sales: 4, messages: 4, counts: 0, retried: 1, faults: [] })
})

test('a count that a run does not know any more is lost, and one that two runs reached is doubled', async (t) => {
  const { root, act, verdict } = await storeAfterRun(t)
  for (const line of ['from 0', 'counted 1', 'counted 2', 'from 3', 'counted 4']) act('tally', line)
  const state = new StateStore(dataOf(root, 'tally'))
  await state.save(4)
  await state.close()
  t.like(await verdict(), { counts: 4, faults: [] })
  for (const line of ['from 3', 'counted 4', 'counted 5']) act('tally', line)
  const { faults } = await verdict()
  t.deepEqual(
    faults.map(({ kind, what }) => `${kind}: ${what}`),
    [
      'lost: tally began from 3, after 4',
      'doubled: tally counted 4, after 4',
      'lost: the state of tally is 4, after 5',
    ],
  )
})

test('what was acknowledged and is not in the journal of its till is lost', async (t) => {
  const { act, faults } = await storeAfterRun(t)
  act('T1', 'done T1-2')
  // It stands in another journal.
  act('T2', 'done T1-1')
  act('clerk', 'done order-4 0000000000000000-HOST-POST-00000000000001')
  t.deepEqual(await faults(), [
    'lost: sale T1-2 of T1',
    'lost: message 0000000000000000-HOST-POST-00000000000001, order-4, of T1',
    'lost: what order-4 asked of T1',
    'lost: sale T1-1 of T2',
  ])
})

test('a sale that two tills rang up is doubled, and an order that became two messages', async (t) => {
  const { act, open, sell, faults } = await storeAfterRun(t)
  act('T1', 'heard order-2 0000000000000000-HOST-POST-00000000000009')
  const other = await open('T2')
  await sell(other, 'T1-0')
  await other.close()
  const found = await faults()
  t.deepEqual(found.slice(0, 1), ['doubled: sale T1-0'])
  t.true(found.some((fault) => fault.startsWith('doubled: order-2, as ')))
  t.true(found.includes('strange: sale T1-0 in T2'))
})

test('a sale that nobody began, or of another amount, is strange', async (t) => {
  const { act, open, sell, faults } = await storeAfterRun(t)
  const terminal = await open('T1')
  act('T1', 'begun T1-2')
  await sell(terminal, 'T1-2', price + 1)
  await sell(terminal, 'T1-3')
  await terminal.close()
  t.deepEqual(await faults(), [
    `strange: sale T1-2 in T1 of ${price + 1}, not ${price}`,
    'strange: sale T1-3 in T1',
    `broken: totalSales of T1: ${6 * price + 1}`,
  ])
})

test('a sale that is open and a message that waits are stuck', async (t) => {
  const { open, order, faults } = await storeAfterRun(t)
  const terminal = await open('T2')
  await terminal.begin({ store: 'chaos', currency: 'EUR' })
  await terminal.close()
  const id = await order(5)
  t.deepEqual(await faults(), [
    'stuck: 1 open sales in T2',
    `lost: message ${id}, order-5, of T2`,
    'lost: what order-5 asked of T2',
    `stuck: T2: new/${id}.json`,
  ])
})

test('a name that two runs had is told', async (t) => {
  const { act, faults } = await storeAfterRun(t)
  act('T1', 'run T1.2')
  act('T1', 'run T1.2')
  t.deepEqual(await faults(), ['reused: T1.2 of T1'])
})

test('of a journal with one bit turned nothing behind it is believed', async (t) => {
  const { root, faults } = await storeAfterRun(t)
  const folder = path.join(root, 'terminals', 'T1', 'transaction.wal')
  const name = readdirSync(folder).find((each) => each.startsWith('segment-')) ?? ''
  const bytes = readFileSync(path.join(folder, name))
  const at = bytes.indexOf('coffee')
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  writeFileSync(path.join(folder, name), bytes)
  const found = await faults()
  t.log(found)
  t.true(found.some((fault) => fault.startsWith('broken: T1: ')))
  t.true(found.includes('lost: sale T1-0 of T1'))
  t.false(found.some((fault) => fault.includes('T2')))
})
