import { once } from 'node:events'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { openTerminal, verifyStore } from '../../ts/index.js'
import { projectRoot } from '../support/child.js'
import { coffees, tempStore } from '../support/store.js'

interface Message {
  readonly opened?: boolean
  readonly sold?: readonly number[]
  readonly refused?: string
  readonly family?: string
}

const file = path.join(projectRoot, '__test__/support/programs/till-worker.mjs')

function till(root: string, id: string, end = 'close'): Worker {
  return new Worker(file, { workerData: { root, id, end }, execArgv: [] })
}

async function heard(worker: Worker): Promise<Message> {
  const [message] = await once(worker, 'message')
  return message as Message
}

async function asked(worker: Worker, message: object): Promise<Message> {
  const answer = heard(worker)
  worker.postMessage(message)
  return answer
}

async function ended(worker: Worker): Promise<number> {
  const [code] = await once(worker, 'exit')
  return code as number
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

test('two workers sell on two terminals, and the main thread on a third', async (t) => {
  const root = tempStore(t)
  const one = till(root, 'ONE')
  const two = till(root, 'TWO')
  const openings = Promise.all([heard(one), heard(two)])
  const main = await openTerminal({ root, id: 'MAIN' })
  t.deepEqual(await openings, [{ opened: true }, { opened: true }])
  const [first, second, receipts] = await Promise.all([
    asked(one, { sell: 100 }),
    asked(two, { sell: 100 }),
    Promise.all(numbers(1, 100).map(() => main.sell(coffees))),
  ])
  t.deepEqual(first, { sold: numbers(1, 100) })
  t.deepEqual(second, { sold: numbers(1, 100) })
  t.is(receipts.at(-1)?.receiptNumber, 100)
  const ends = [ended(one), ended(two)]
  one.postMessage({ stop: true })
  two.postMessage({ stop: true })
  t.deepEqual(await Promise.all(ends), [0, 0])
  await main.close()
  const report = await verifyStore({ root })
  t.true(report.ok)
  t.deepEqual(
    report.terminals.map(({ id, receipts: count }) => [id, count]),
    [
      ['MAIN', 100],
      ['ONE', 100],
      ['TWO', 100],
    ],
  )
})

test('a terminal that one worker has is refused to another, and to the main thread', async (t) => {
  const root = tempStore(t)
  const owner = till(root, 'T1')
  t.deepEqual(await heard(owner), { opened: true })
  const refused = { refused: 'PK_E_TERMINAL_IN_USE', family: 'lock' }
  const other = till(root, 'T1')
  // Its message and its end can come in one turn of the event loop: both are listened for first.
  const otherEnd = ended(other)
  t.deepEqual(await heard(other), refused)
  t.is(await otherEnd, 0)
  await t.throwsAsync(openTerminal({ root, id: 'T1' }), { code: refused.refused })
  t.deepEqual(await asked(owner, { sell: 1 }), { sold: [1] })
  const end = ended(owner)
  owner.postMessage({ stop: true })
  await end
  const next = await openTerminal({ root, id: 'T1' })
  t.true(next.recovery.clean)
  await next.close()
})

test('a worker that ends without closing leaves a terminal that recovers', async (t) => {
  const root = tempStore(t)
  const worker = till(root, 'T1', 'leave')
  await heard(worker)
  t.deepEqual(await asked(worker, { sell: 3 }), { sold: [1, 2, 3] })
  const end = ended(worker)
  worker.postMessage({ stop: true })
  t.is(await end, 0)
  const next = await openTerminal({ root, id: 'T1' })
  t.false(next.recovery.clean)
  t.is(next.status().nextReceipt, 4)
  await next.close()
})

test('a worker that is stopped in the middle of its sales leaves a sound journal', async (t) => {
  const root = tempStore(t)
  let sold = 0
  for (let round = 1; round <= 5; round += 1) {
    const worker = till(root, 'T1')
    await heard(worker)
    const answer = await asked(worker, { sell: 10 })
    const last = answer.sold?.at(-1) ?? 0
    t.true(last >= sold + 10)
    sold = last
    worker.postMessage({ forever: true })
    // The moment does not matter: it is after the sales that were answered.
    await new Promise((resolve) => setImmediate(resolve))
    await worker.terminate()
  }
  const next = await openTerminal({ root, id: 'T1' })
  t.true(next.status().nextReceipt > sold)
  await next.close()
  t.true((await verifyStore({ root })).ok)
})
