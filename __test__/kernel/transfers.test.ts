/** Cash that moves from one drawer of a store to another. */
import test from 'ava'
import { verifyStore } from '../../ts/index.js'
import { byAuditor } from '../auditor/both.js'
import { refusal, tempStore, terminalFor } from '../support/store.js'

const euros = (amount: number) => ({ currency: 'EUR', amount })
const why = { reason: 'change' } as const

test('cash leaves one drawer and comes into another, once', async (t) => {
  const root = tempStore(t)
  const giver = await terminalFor(t, { root, id: 'T1' })
  const taker = await terminalFor(t, { root, id: 'T2' })
  await giver.openShift({ float: [euros(10_000)] })
  taker.openShiftSync({ float: [euros(500)] })
  const expected = (terminal: typeof giver) => terminal.shift()?.drawer[0]?.expected
  const sent = await giver.sendCash({ to: 'T2', ...euros(2500), ...why, key: 's' })
  t.like(giver.sendCashSync({ to: 'T2', ...euros(2500), ...why, key: 's' }), {
    ticket: sent.ticket,
    replayed: true,
  })
  t.is(expected(giver), 7500)
  const onItsWay = await taker.cashInTransit()
  t.deepEqual(onItsWay, taker.cashInTransitSync())
  t.like(onItsWay[0], { ticket: sent.ticket, from: 'T1', to: 'T2', ...euros(2500), ...why })
  t.is(onItsWay.length, 1)
  t.like(await taker.receiveCash(sent.ticket, why), {
    terminal: 'T1',
    ...euros(2500),
    takenBack: false,
  })
  const used = await refusal(t, () => giver.receiveCash(sent.ticket, why), 'PK_E_ALREADY_RECEIVED')
  t.deepEqual(used.facts, { ticket: sent.ticket, terminal: 'T2' })
  t.deepEqual(await giver.collectTransfers(), [])

  const second = giver.sendCashSync({ to: 'T2', ...euros(100), ...why })
  t.like(giver.receiveCashSync(second.ticket, why), { terminal: 'T2', takenBack: true })
  await refusal(t, () => taker.receiveCash(second.ticket, why), 'PK_E_ALREADY_RECEIVED')
  t.deepEqual([expected(giver), expected(taker)], [7500, 3000])
  const third = await giver.sendCash({ to: 'T2', ...euros(1), ...why })
  t.deepEqual(
    (await taker.cashInTransit()).map(({ ticket }) => ticket),
    [third.ticket],
  )
  await Promise.all([giver.close(), taker.close()])
  const report = await verifyStore({ root })
  t.true(report.ok, JSON.stringify(report))
  t.true((await byAuditor(root)).ok, 'the second verifier agrees')
})

test('what cannot be sent or received is refused and moves nothing', async (t) => {
  const root = tempStore(t)
  const giver = await terminalFor(t, { root, id: 'T1' })
  await giver.openShift({ float: [euros(100)] })
  const other = await terminalFor(t, { root, id: 'T3' })
  await refusal(t, () => other.sendCash({ to: 'T1', ...euros(1), ...why }), 'PK_E_SHIFT_CLOSED')
  const before = giver.status().sequence
  for (const [input, code] of [
    [{ to: 'T1', ...euros(1), ...why }, 'PK_E_BAD_ARGUMENT'],
    [{ to: 'T2', ...euros(1), ...why }, 'PK_E_NOT_FOUND'],
    [{ to: '../T2', ...euros(1), ...why }, 'PK_E_BAD_ID'],
    [{ to: 7, ...euros(1), ...why }, 'PK_E_BAD_ARGUMENT'],
    [{ to: 'T1', ...euros(0.5), ...why }, 'PK_E_BAD_AMOUNT'],
    [{ to: 'T2', ...euros(1), ...why, amuont: 1 }, 'PK_E_BAD_ARGUMENT'],
  ] as const) {
    await refusal(t, () => giver.sendCash(input as never), code)
    await refusal(t, () => giver.sendCashSync(input as never), code)
  }
  await refusal(t, () => giver.receiveCash('T1.cash.1', why), 'PK_E_ALREADY_RECEIVED')
  await refusal(t, () => giver.receiveCash('no ticket', why), 'PK_E_BAD_ARGUMENT')
  t.is(giver.status().sequence, before)
})
