/** The commands of a store, on real processes: run, watched, told, configured, killed, shut down. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { auditStore } from '../../ts/auditor/index.js'
import { listSales, openTerminal, verifyStore } from '../../ts/index.js'
import { ended, jsonLines, posKernel, projectRoot } from '../support/child.js'
import { tempStore } from '../support/store.js'

const head = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'
const invoices = 400

/** A folder with a store file of these terminals, and sales that take longer than the test. */
function storeFolder(t: ExecutionContext, ids: readonly string[]): { file: string; root: string } {
  const folder = tempStore(t)
  const rows = Array.from(
    { length: invoices },
    (_, index) =>
      `${536_000 + index},85123A,HEART HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom`,
  )
  writeFileSync(path.join(folder, 'sales.csv'), [head, ...rows, ''].join('\n'))
  const terminals = ids.map((id) => ({ id, replay: 'sales.csv', paceMs: 20 }))
  const file = path.join(folder, 'store.json')
  writeFileSync(file, JSON.stringify({ root: 'data', graceMs: 500, terminals }))
  return { file, root: path.join(folder, 'data') }
}

type Event = Record<string, unknown> & { readonly event: string }

/** `store run`, and what it prints. */
class Run {
  readonly events: Event[] = []
  readonly child
  readonly end
  #wake: () => void = () => {}

  constructor(t: ExecutionContext, file: string) {
    const command = path.join(projectRoot, 'dist/cli/main.js')
    const args = [command, 'store', 'run', file, '--json']
    this.child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.end = ended(this.child)
    t.teardown(() => this.child.kill('SIGKILL'))
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line) as Event)
      this.#wake()
    })
  }

  /** Resolves once so many terminals have told this. */
  async told(event: string, count: number): Promise<void> {
    while (this.events.filter((it) => it.event === event).length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

test('a store runs, is configured, loses two terminals and shuts down, and no sale is lost', async (t) => {
  const ids = ['REGISTER_01', 'REGISTER_02', 'REGISTER_03', 'REGISTER_04']
  const { file, root } = storeFolder(t, ids)
  const run = new Run(t, file)
  await run.told('ready', ids.length)
  const call = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await posKernel(['store', ...args, '--root', root, '--json'])
    return { code, stderr, answer: jsonLines(stdout)[0] as Record<string, unknown> }
  }
  const status = await call('status')
  const terminals = status.answer.terminals as { id: string; state: string; pid: number }[]
  t.deepEqual(
    terminals.map(({ id, state }) => `${id} ${state}`),
    ids.map((id) => `${id} active`),
  )
  const config = await call('config', '--set', '{"receiptFooter":"Danke"}')
  t.deepEqual([config.code, config.answer.acknowledged], [0, ids])
  const message = await call('message', 'x.note', '--body', '"hello"', '--wait', '60')
  t.is(message.code, 0)
  await run.told('configured', ids.length)
  await run.told('message', ids.length)
  const became = await call('message', message.answer.id as string, '--became')
  t.is((became.answer.became as unknown[]).length, ids.length)

  // Another process with the manager's name is refused.
  const manager = await openTerminal({ root, id: 'MANAGER' })
  const second = await call('shutdown')
  t.is(second.code, 1)
  t.is(second.answer.code, 'PK_E_TERMINAL_IN_USE')
  await manager.close()

  const killed = ids.slice(2)
  for (const { id, pid } of terminals) if (killed.includes(id)) process.kill(pid, 'SIGKILL')
  const shutdown = await call('shutdown', '--grace', '5', '--deadline', '60', '--reason', 'closing')
  t.is(shutdown.code, 0, shutdown.stderr)
  t.deepEqual(shutdown.answer.stragglers, [])
  const { code } = await run.end
  t.is(code, 1, 'two have not ended in order')
  const over = run.events.at(-1)?.terminals as { terminal: string; ended: boolean }[]
  t.deepEqual(
    over.filter((it) => it.ended).map((it) => it.terminal),
    ids.slice(0, 2),
  )
  const states = (await call('status')).answer.terminals as { id: string; state: string }[]
  t.deepEqual(
    states.map(({ id, state }) => `${id} ${state}`),
    [
      'MANAGER closed',
      'REGISTER_01 closed',
      'REGISTER_02 closed',
      'REGISTER_03 crashed',
      'REGISTER_04 crashed',
    ],
  )

  // It goes on where it was, and doubles nothing.
  const again = new Run(t, file)
  await again.told('replayed', ids.length)
  again.child.kill('SIGTERM')
  t.is((await again.end).code, 0)
  const sales = (await Promise.all(ids.map((id) => listSales(root, id)))).flat()
  t.is(sales.length, invoices)
  t.is(new Set(sales.map(({ reference }) => reference)).size, invoices)
  t.is(
    sales.reduce((sum, { gross }) => sum + gross, 0),
    invoices * 6 * 255,
  )
  t.true((await verifyStore({ root })).ok)
})

test('the second verifier agrees on what terminals say to each other', async (t) => {
  const root = tempStore(t)
  const one = await openTerminal({ root, id: 'T1', segmentBytes: 65_536 })
  const two = await openTerminal({ root, id: 'T2', segmentBytes: 65_536 })
  await one.coordination.setSystemConfig({ values: { a: 1 } })
  for (const terminal of [one, two]) await terminal.coordination.applySystemConfig()
  for (let round = 0; round < 40; round += 1) {
    await one.messages.send({ to: 'T2', kind: 'x.n', body: round })
    const body = { title: 'round', report: round }
    await two.messages.send({ to: 'T1', kind: 'ManagerReport', body })
    for (const { messages } of [one, two]) {
      await messages.accept((await messages.receive()).map(({ id }) => id))
    }
    // So that checkpoints carry it.
    for (let sale = 0; sale < 6; sale += 1) {
      const text = 'x'.repeat(200)
      const lines = Array.from({ length: 3 }, () => ({ sku: 'a', text, quantity: 1, unitPrice: 5 }))
      const tenders = [{ kind: 'cash' as const, amount: 15 }]
      await two.sell({ store: 'S', currency: 'EUR', lines, tenders })
    }
  }
  await two.coordination.beginDrain({ reason: 'enough', graceMs: 0 })
  await Promise.all([one.close(), two.close()])
  t.true(readFileSync(path.join(root, 'terminals/T2/transaction.wal/manifest')).length > 0)
  const { ok, terminals } = await verifyStore({ root })
  t.true(ok, JSON.stringify(terminals))
  t.true((terminals.find(({ id }) => id === 'T2')?.segments ?? 0) > 1)
  const audited = await auditStore({ root })
  t.true(audited.ok, JSON.stringify(audited))
})

test('a store file that cannot be used is refused with its place', async (t) => {
  const { file, root } = storeFolder(t, ['REGISTER_01'])
  const refuse = async (text: string, code: string) => {
    writeFileSync(file, text)
    const result = await posKernel(['store', 'run', file, '--json'])
    t.is(result.code, 2, text)
    t.is(jsonLines(result.stdout)[0]?.code, code, text)
  }
  const terminal = { id: 'T1' }
  await refuse('{', 'PK_E_BAD_CONFIG')
  await refuse('{}', 'PK_E_BAD_CONFIG')
  await refuse(JSON.stringify({ terminals: [terminal] }), 'PK_E_BAD_CONFIG')
  await refuse(JSON.stringify({ root: 'x', terminals: [terminal, terminal] }), 'PK_E_BAD_CONFIG')
  await refuse(JSON.stringify({ root: 'x', terminals: [{ id: '../x' }] }), 'PK_E_BAD_CONFIG')
  await refuse(
    JSON.stringify({ root: 'x', terminals: [{ ...terminal, pace: 1 }] }),
    'PK_E_BAD_CONFIG',
  )
  const usage = await posKernel(['store', 'config', '--set', '[]', '--root', root, '--json'])
  t.is(usage.code, 2)
  const grace = await posKernel(['store', 'shutdown', '--grace', 'long', '--root', root, '--json'])
  t.is(grace.code, 2)
  for (const command of ['run', 'status', 'message', 'config', 'shutdown']) {
    t.is((await posKernel(['store', command, '--help'])).code, 0)
  }
})

test('terminals that have nothing to ring up idle until they are told to end', async (t) => {
  const folder = tempStore(t)
  const file = path.join(folder, 'store.json')
  const terminals = [{ id: 'T1' }, { id: 'T2' }]
  writeFileSync(file, JSON.stringify({ root: 'data', terminals }))
  const run = new Run(t, file)
  await run.told('ready', 2)
  const root = path.join(folder, 'data')
  const { stdout } = await posKernel(['store', 'shutdown', '--root', root, '--json'])
  const [{ acknowledged } = {}] = jsonLines(stdout)
  t.deepEqual(acknowledged, ['T1', 'T2'])
  const { code } = await run.end
  t.is(code, 0)
  const over = run.events.at(-1)?.terminals as { terminal: string; ended: boolean }[]
  t.true(over.every((it) => it.ended))
})

test('a root where no terminal is gets no store from a word to its terminals', async (t) => {
  const root = path.join(tempStore(t), 'typo')
  for (const command of [['shutdown'], ['message', 'x.note'], ['config', '--set', '{}']]) {
    const { code, stderr } = await posKernel(['store', ...command, '--root', root])
    t.is(code, 1)
    t.regex(stderr, /there is no terminal in .*typo; is --root right\?/)
  }
  t.false(existsSync(root))
})
