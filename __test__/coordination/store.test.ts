/** A store from outside, and its manager: registry, configuration, shutdown, locks of operations. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import {
  configureStore,
  inspectJournal,
  joinStore,
  openTerminal,
  shutDownStore,
  storeConfig,
  storeShutdown,
  storeTerminals,
  type Terminal,
  verifyStore,
  withOperationLock,
} from '../../ts/index.js'
import { jsonLines, startProgram } from '../support/child.js'
import { coffees, refusal, tempStore } from '../support/store.js'
import { terminalsOf } from './stores.js'

test('the registry tells who is there, and its file says the same', async (t) => {
  const [one, two] = await terminalsOf(t, 'T1', 'T2')
  if (one === undefined || two === undefined) return t.fail()
  const states = async () =>
    (await storeTerminals(one.root)).map(({ id, state }) => `${id} ${state}`)
  t.deepEqual(await states(), ['T1 active', 'T2 active'])
  await two.coordination.beginDrain({ reason: 'lunch', graceMs: 60_000 })
  t.deepEqual(await states(), ['T1 active', 'T2 draining'])
  const error = await refusal(t, () => two.sell(coffees), 'PK_E_SHUTTING_DOWN')
  t.is(error.facts.reason, 'lunch')
  t.is(two.coordination.drain()?.until, error.facts.until)
  await two.close()
  t.deepEqual(await states(), ['T1 active', 'T2 closed'])
  const file = path.join(one.root, 'shared/coordination/active_terminals.json')
  const listed = JSON.parse(readFileSync(file, 'utf8')).terminals
  t.like(listed, [{ id: 'T1', state: 'active', pid: process.pid, epoch: 1 }])
  t.is(listed.length, 1)
})

test('a shutdown suspends what is open, closes everybody, and loses no sale', async (t) => {
  const [manager, one, two] = await terminalsOf(t, 'MANAGER', 'T1', 'T2')
  if (manager === undefined || one === undefined || two === undefined) return t.fail()
  const drained: string[] = []
  const join = (terminal: Terminal) =>
    joinStore(terminal, { onDrain: ({ by }) => drained.push(`${terminal.id} ${by}`) })
  const members = [await join(one), await join(two)]
  const open = await one.begin({ store: 'S', currency: 'EUR' })
  await open.addLine({ sku: 'tea', quantity: 1, unitPrice: 250 })
  await two.sell(coffees)
  const report = await shutDownStore(manager, { reason: 'closing time', graceMs: 300 })
  t.like(report, {
    terminals: ['T1', 'T2'],
    acknowledged: ['T1', 'T2'],
    closed: ['T1', 'T2'],
    crashed: [],
    stragglers: [],
  })
  t.deepEqual(drained.sort(), ['T1 MANAGER', 'T2 MANAGER'])
  const [ended, other] = await Promise.all(members.map((member) => member.ended))
  t.is(ended?.suspended.length, 1)
  t.deepEqual(other?.suspended, [])
  t.is(await storeShutdown(manager.root), null)
  await using again = await openTerminal({ root: manager.root, id: 'T1' })
  const sale = await again.resume(ended?.suspended[0] ?? '')
  t.is(sale.totals().gross, 250)
  await manager.close()
  const { ok } = await verifyStore({ root: manager.root })
  t.true(ok)
})

test('a terminal that does not listen is a straggler, and the flag stays for it', async (t) => {
  const [manager] = await terminalsOf(t, 'MANAGER', 'T1')
  if (manager === undefined) return t.fail()
  const input = { reason: 'closing time', graceMs: 0, deadlineMs: 100 }
  const { stragglers, acknowledged } = await shutDownStore(manager, input)
  t.deepEqual([stragglers, acknowledged], [['T1'], []])
  t.is((await storeShutdown(manager.root))?.by, 'MANAGER')
})

test('a configuration is received by all, and each journals it when it takes effect', async (t) => {
  const [manager, one, two] = await terminalsOf(t, 'MANAGER', 'T1', 'T2')
  if (manager === undefined || one === undefined || two === undefined) return t.fail()
  const effective: Promise<number>[] = []
  for (const terminal of [one, two]) {
    const told = new Promise<number>((resolve) => {
      void joinStore(terminal, { onConfig: ({ version }) => resolve(version) })
    })
    effective.push(told)
  }
  const effectiveAt = new Date(Date.now() + 200).toISOString()
  const values = { receiptFooter: 'Danke', limit: 1.5 }
  const { config, acknowledged, stragglers } = await configureStore(manager, {
    values,
    effectiveAt,
  })
  t.deepEqual([acknowledged, stragglers], [['T1', 'T2'], []])
  t.deepEqual(await Promise.all(effective), [1, 1])
  t.deepEqual(await storeConfig(manager.root), config)
  t.deepEqual(config.values, values)
  t.deepEqual(one.coordination.systemConfig(), { version: 1, hash: config.hash })
  for (const terminal of ['T1', 'T2']) {
    const applied = []
    for await (const record of inspectJournal({ root: manager.root, terminal })) {
      if ('kind' in record && record.kind === 'ConfigurationApplied') applied.push(record)
    }
    t.is(applied.length, 1)
    t.like(applied[0], { fact: { version: 1, hash: config.hash } })
  }
  const older = () => configureStore(manager, { values: {}, version: 1 })
  const error = await refusal(t, older, 'PK_E_CONFIG_VERSION')
  t.deepEqual(error.facts, { version: 1, inForce: 1 })
  const wrong = () => manager.coordination.setSystemConfig({ values: [] as never })
  await refusal(t, wrong, 'PK_E_BAD_ARGUMENT')
  const soon = () => manager.coordination.setSystemConfig({ values: {}, effectiveAt: 'soon' })
  await refusal(t, soon, 'PK_E_BAD_ARGUMENT')
})

test('the second of two managers is refused', async (t) => {
  const [manager] = await terminalsOf(t, 'MANAGER')
  if (manager === undefined) return t.fail()
  const second = () => openTerminal({ root: manager.root, id: 'MANAGER' })
  const error = await refusal(t, second, 'PK_E_TERMINAL_IN_USE')
  t.is(error.facts.owner?.pid, process.pid)
})

test("a lock of an operation excludes the kernel's, and ends with its process", async (t) => {
  const [manager] = await terminalsOf(t, 'MANAGER')
  if (manager === undefined) return t.fail()
  const { root } = manager
  const set = () => manager.coordination.setSystemConfig({ values: {} })
  // The host holds it: the kernel waits, and takes it when it is free.
  let isDone = false
  const waiting = await withOperationLock(root, 'system_config', async () => {
    const setting = set().then(() => {
      isDone = true
    })
    await refusal(
      t,
      () => withOperationLock(root, 'system_config', () => {}, { waitMs: 0 }),
      'PK_E_OPERATION_LOCKED',
    )
    t.is(await storeConfig(root), null)
    t.false(isDone)
    return [setting]
  })
  await Promise.all(waiting)
  t.is((await storeConfig(root))?.version, 1)
  // Another process holds it: this one is refused with who it is.
  const holder = startProgram('operation-holder.mjs', [root, 'system_config'])
  t.teardown(() => holder.kill('SIGKILL'))
  await once(holder.stdout ?? holder, 'data')
  const take = () => withOperationLock(root, 'system_config', () => {}, { waitMs: 50 })
  const error = await refusal(t, take, 'PK_E_OPERATION_LOCKED')
  t.is(error.facts.owner?.pid, holder.pid)
  const gone = once(holder, 'exit')
  holder.kill('SIGKILL')
  await gone
  t.is(await withOperationLock(root, 'system_config', () => 7), 7)
  for (const name of ['', '../x', 'a/b', 'x'.repeat(65)]) {
    await refusal(t, () => withOperationLock(root, name, () => {}), 'PK_E_BAD_ARGUMENT')
  }
})

test('a terminal ends in order on SIGTERM', async (t) => {
  const root = tempStore(t)
  const host = startProgram('store-member.mjs', [root, 'T1'])
  t.teardown(() => host.kill('SIGKILL'))
  let output = ''
  host.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  while (!output.includes('ready')) await once(host.stdout ?? host, 'data')
  host.kill('SIGTERM')
  const [code] = await once(host, 'close')
  t.is(code, 0)
  t.like(jsonLines(output).at(-1), { event: 'ended', reason: 'the host was sent SIGTERM' })
  t.is((await storeTerminals(root))[0]?.state, 'closed')
  await using terminal = await openTerminal({ root, id: 'T1' })
  t.true(terminal.recovery.clean)
  t.is(terminal.recovery.sales.length, 1)
})
