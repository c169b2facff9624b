import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import test, { type ExecutionContext } from 'ava'
import {
  type CloseMessage,
  type ErrorMessage,
  type FactMessage,
  type OpenMessage,
  openTerminal,
} from '../../ts/index.js'
import { ended, startProgram } from '../support/child.js'
import { coffees, refusal, tempStore } from '../support/store.js'

/** Collects what a channel carries about one terminal. */
function collect<T extends { terminal?: string }>(
  t: ExecutionContext,
  name: string,
  terminal: string | undefined,
): T[] {
  const heard: T[] = []
  const listen = (message: unknown) => {
    if ((message as T).terminal === terminal) heard.push(message as T)
  }
  subscribe(name, listen)
  t.teardown(() => unsubscribe(name, listen))
  return heard
}

test('facts are told once they are answered, with what was waited for', async (t) => {
  const facts = collect<FactMessage>(t, 'pos-kernel:fact', 'FACTS')
  const terminal = await openTerminal({ root: tempStore(t), id: 'FACTS', durability: 'sale' })
  const sale = await terminal.begin({ store: 'shop', currency: 'EUR' })
  sale.addLineSync({ sku: 'a', quantity: 1, unitPrice: 100 })
  const paid = sale.tender({ kind: 'card', amount: 100, key: 'k' })
  t.is(facts.length, 2, 'the tender waits for the device')
  await paid
  await sale.tender({ kind: 'card', amount: 100, key: 'k' })
  await sale.complete()
  await terminal.sell(coffees)
  await terminal.close()
  t.deepEqual(
    facts.map(({ operation, sale, durable, replayed }) => [operation, sale, durable, replayed]),
    [
      ['begin', 1, false, false],
      ['addLine', 1, false, false],
      ['tender', 1, true, false],
      ['tender', 1, false, true],
      ['complete', 1, true, false],
      ['sell', 2, true, false],
    ],
  )
  const sequences = facts.map(({ sequence }) => sequence)
  t.deepEqual(sequences, [3, 4, 5, 5, 6, 10])
})

test('opening, closing and refusals are told', async (t) => {
  const root = tempStore(t)
  const opened = collect<OpenMessage>(t, 'pos-kernel:open', 'LIFE')
  const closed = collect<CloseMessage>(t, 'pos-kernel:close', 'LIFE')
  const errors = collect<ErrorMessage>(t, 'pos-kernel:error', 'LIFE')
  const refused = collect<ErrorMessage>(t, 'pos-kernel:error', undefined)
  const terminal = await openTerminal({ root, id: 'LIFE' })
  t.is(opened.length, 1)
  t.like(opened[0], { terminal: 'LIFE', root, recovery: { firstOpen: true } })
  await refusal(t, () => openTerminal({ root, id: 'LIFE' }), 'PK_E_TERMINAL_IN_USE')
  t.like(refused.at(-1), { operation: 'open', error: { code: 'PK_E_TERMINAL_IN_USE' } })
  const error = await refusal(t, () => terminal.sale(1), 'PK_E_NOT_FOUND')
  t.deepEqual(errors, [{ terminal: 'LIFE', operation: 'sale', error }])
  await terminal.close()
  await terminal.close()
  terminal.closeSync()
  t.deepEqual(closed, [{ terminal: 'LIFE', root }])
})

test('NODE_DEBUG=poskernel traces every call on stderr', async (t) => {
  const child = startProgram('sell-and-close.mjs', [tempStore(t)], {
    env: { NODE_DEBUG: 'poskernel' },
  })
  const { code, stderr } = await ended(child)
  t.is(code, 0, stderr)
  for (const line of [/POSKERNEL \d+: T1 opened in/, /T1 sell sale=1 sequence=6 durable/]) {
    t.regex(stderr, line)
  }
  t.regex(stderr, /T1 closed/)
})
