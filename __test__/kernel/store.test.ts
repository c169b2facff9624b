/** A store process from Node: many terminals, one flush, and terminals that come and go. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  type ErrorCode,
  inspectJournal,
  type JournalRecord,
  openStore,
  openStoreSync,
  openTerminal,
  verifyStore,
} from '../../ts/index.js'
import { jsonLines, posKernel, projectRoot } from '../support/child.js'
import { coffees, refusal, tempStore } from '../support/store.js'

const ids = (count: number) => Array.from({ length: count }, (_, index) => `REGISTER_${index}`)

test('sales of many terminals share the flushes of one log', async (t) => {
  const store = await openStore({ root: tempStore(t) })
  const tills = await Promise.all(ids(32).map((id) => store.openTerminal({ id })))
  await Promise.all(tills.map((till) => till.sell(coffees)))
  const before = store.stats()
  for (let round = 0; round < 10; round += 1) {
    const receipts = await Promise.all(tills.map((till) => till.sell(coffees)))
    t.true(receipts.every(({ receiptNumber }) => receiptNumber === round + 2))
  }
  const after = store.stats()
  const syncs = after.logSyncs - before.logSyncs
  const flushes = after.logFlushes - before.logFlushes
  t.log(`${syncs} syncs in ${flushes} flushes`)
  t.true(syncs >= 320)
  // One thread sells, another flushes: it may begin with the first few, but never with each alone.
  t.true(flushes <= 160, `${flushes} flushes`)
  t.is(store.stats().terminals, 32)
  await store.close()
  for (const till of tills)
    t.is((await refusal(t, () => till.sell(coffees), 'PK_E_CLOSED')).code, 'PK_E_CLOSED')
})

test('a terminal leaves the store, is opened by itself, and comes back', async (t) => {
  const root = tempStore(t)
  const store = openStoreSync({ root })
  t.true(store.recovery.clean)
  const till = store.openTerminalSync({ id: 'T1' })
  till.sellSync(coffees)
  await refusal(t, () => openTerminal({ root, id: 'T1' }), 'PK_E_TERMINAL_IN_USE')
  await till.close()
  const alone = await openTerminal({ root, id: 'T1' })
  t.is((await alone.sell(coffees)).receiptNumber, 2)
  await refusal(t, () => store.openTerminal({ id: 'T1' }), 'PK_E_TERMINAL_IN_USE')
  await alone.close()
  const back = await store.openTerminal({ id: 'T1' })
  t.is((await back.sell(coffees)).receiptNumber, 3)
  store.closeSync()
  store.closeSync()
  await store.close()
  await refusal(t, () => store.openTerminal({ id: 'T1' }), 'PK_E_CLOSED')
  const report = await verifyStore({ root })
  t.true(report.ok)
})

test('a store has one owner, and takes only its options', async (t) => {
  const root = tempStore(t)
  await using store = await openStore({ root })
  const error = await refusal(t, () => openStore({ root }), 'PK_E_STORE_IN_USE')
  t.is(error.facts.pid, process.pid)
  await refusal(t, () => openStore({ root, logSegmentBytes: 1 }), 'PK_E_STORE_IN_USE')
  const other = tempStore(t)
  await refusal(t, () => openStore({ root: other, logSegmentBytes: 1000 }), 'PK_E_BAD_ARGUMENT')
  await refusal(t, () => openStore({ root: other, logSegmentBytes: -1 }), 'PK_E_BAD_ARGUMENT')
  await refusal(t, () => openStore({ id: 'T1' } as object), 'PK_E_BAD_ARGUMENT')
  await refusal(t, () => store.openTerminal({ root: other } as object), 'PK_E_BAD_ARGUMENT')
  await refusal(t, () => store.openTerminal({ id: '../T1' }), 'PK_E_BAD_ID')
})

test('a killed store is recovered by the next one, and by a terminal by itself', async (t) => {
  const root = tempStore(t)
  const program = path.join(projectRoot, '__test__/support/programs/store-seller.mjs')
  for (const byStore of [true, false]) {
    const args = ['--import=@oxc-node/core/register', program, root]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.setEncoding('utf8')
    for await (const text of child.stdout) {
      said += text
      if (said.split('\n').length > 60) break
    }
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    const told = said
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' '))
    await inspected(t, root, 'PK_E_STORE_UNSETTLED')
    const store = byStore ? await openStore({ root }) : undefined
    if (store !== undefined) {
      t.false(store.recovery.clean)
      t.true(store.recovery.broughtIn.length > 0)
    }
    for (const id of ids(4)) {
      const till = await (store === undefined
        ? openTerminal({ root, id })
        : store.openTerminal({ id }))
      for (const [register, number, key] of told) {
        if (register !== id) continue
        t.is((await till.receipt(Number(number))).key, key)
      }
      await till.close()
    }
    await store?.close()
    await inspected(t, root, undefined)
  }
  t.true((await verifyStore({ root })).ok)
})

/** What `inspect` says behind the records of a journal, and that people are told it on stderr. */
async function inspected(t: ExecutionContext, root: string, code: ErrorCode | undefined) {
  const terminal = 'REGISTER_0'
  let last: JournalRecord | undefined
  for await (const record of inspectJournal({ root, terminal })) last = record
  const found = last !== undefined && 'problem' in last ? last : undefined
  t.is(found?.code, code)
  t.is((found?.writes ?? 0) > 0, code !== undefined)
  const command = ['inspect', '--root', root, '--terminal', terminal]
  const json = jsonLines((await posKernel([...command, '--json'])).stdout)
  t.is(json.at(-1)?.code, code)
  t.is(json.filter((line) => 'problem' in line).length, code === undefined ? 0 : 1)
  const people = await posKernel(command)
  t.is(people.code, 0)
  t.is(
    /store\.wal holds \d+ writes that are not in this journal yet/.test(people.stderr),
    code !== undefined,
  )
  t.false(people.stdout.includes('store.wal'))
}
