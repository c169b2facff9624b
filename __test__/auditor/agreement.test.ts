/** Both verifiers on sound journals: the same counts, the same totals, the same head. */
import { once } from 'node:events'
import { cpSync, readdirSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { auditStore, type TerminalAudit } from '../../ts/auditor/index.js'
import type { Terminal } from '../../ts/index.js'
import { chance, isLong } from '../fault/chance.js'
import { startProgram } from '../support/child.js'
import { tempStore } from '../support/store.js'
import { byAuditor, byKernel, type Verdict } from './both.js'
import { Forgery } from './forger.js'
import { busyStore, goldenStore, journalOf, openSmall, Rush } from './stores.js'

const killsWanted = isLong ? 200 : 6

/** Both verifiers find nothing, and count the same. */
async function bothFindNothing(t: ExecutionContext, root: string): Promise<Verdict> {
  const verdict = await byAuditor(root)
  t.true(verdict.ok, verdict.because)
  t.deepEqual(verdict, await byKernel(root))
  return verdict
}

async function auditOf(root: string, id = 'T1'): Promise<TerminalAudit> {
  const [audit] = (await auditStore({ root, terminal: id })).terminals
  if (audit === undefined) throw new Error('no terminal was audited')
  return audit
}

/** What the till has in memory is what the auditor reads from its journal. */
async function auditMatches(t: ExecutionContext, root: string, terminal: Terminal): Promise<void> {
  const status = terminal.status()
  const audit = await auditOf(root)
  t.like(audit, {
    ok: true,
    head: status.head,
    lastSequence: status.sequence,
    records: status.sequence,
    firstSequence: 1,
    openSales: status.openSales,
    lastReceipt: status.nextReceipt - 1,
    receipts: status.nextReceipt - 1,
    segments: status.segment,
  })
  const counters = terminal.counters().map(({ net: _, ...counted }) => counted)
  t.like(audit.totals, { ...counters, length: counters.length })
}

test('the golden journal', async (t) => {
  const root = tempStore(t)
  goldenStore(root)
  await bothFindNothing(t, root)
  t.like(await auditOf(root, 'REGISTER_01'), {
    records: 297,
    segments: 2,
    receipts: 15,
    openSales: 1,
  })
})

test('several owners and segments, every kind of sale: the totals are those of the till', async (t) => {
  const root = tempStore(t)
  const luck = chance()
  t.log(`seed ${luck.seed} (POS_KERNEL_SEED)`)
  await busyStore(root, luck, 240)
  await bothFindNothing(t, root)
  const terminal = await openSmall(root)
  t.teardown(() => terminal.close())
  await auditMatches(t, root, terminal)
  const { segments, records, openSales } = await auditOf(root)
  t.true(segments >= 3, `${segments} segments`)
  t.true(openSales > 0)
  t.log(`${records} records in ${segments} segments`)
  const rush = new Rush(terminal, luck)
  for (let sales = 0; sales < 5; sales++) {
    await rush.sale()
    await auditMatches(t, root, terminal)
  }
})

test('several terminals, and a terminal with no sale at all', async (t) => {
  const root = tempStore(t)
  const luck = chance()
  for (const id of ['B', 'A', 'EMPTY']) {
    const terminal = await openSmall(root, id)
    const rush = new Rush(terminal, luck)
    for (let sales = 0; id !== 'EMPTY' && sales < 5; sales++) await rush.sale()
    await terminal.close()
  }
  await bothFindNothing(t, root)
  const { terminals } = await auditStore({ root })
  t.deepEqual(
    terminals.map(({ id }) => id),
    ['A', 'B', 'EMPTY'],
  )
  t.deepEqual(terminals[2]?.totals, [])
})

test('an owner killed while it sells, over and over, and what the next one makes of it', async (t) => {
  const root = tempStore(t)
  const luck = chance()
  t.log(`seed ${luck.seed} (POS_KERNEL_SEED)`)
  for (let kills = 0; kills < killsWanted; kills++) {
    const child = startProgram('sell-on.mjs', [root])
    const wanted = luck.between(1, 60)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (text.split('\n').some((line) => Number(line) >= wanted)) child.kill('SIGKILL')
    })
    const [, signal] = await once(child, 'close')
    t.is(signal, 'SIGKILL')
    await bothFindNothing(t, root)
  }
  t.log(`${killsWanted} kills, ${(await auditOf(root)).records} records`)
})

test('a torn tail is not damage; the next owner cuts it, and the journal goes on', async (t) => {
  const root = tempStore(t)
  const luck = chance()
  const terminal = await openSmall(root)
  const rush = new Rush(terminal, luck)
  for (let sales = 0; sales < 10; sales++) await rush.sale()
  const open = path.join(root, 'open')
  cpSync(journalOf(root), journalOf(open), { recursive: true })
  await terminal.close()

  // The beginning of one more frame, which a power cut kept from the device.
  const forgery = new Forgery(journalOf(open))
  const [segment] = forgery.segments
  const last = segment?.frames().at(-1)
  if (segment === undefined || last === undefined) throw new Error('nothing was sold')
  const end = last.at + last.length
  segment.bytes.copy(segment.bytes, end, last.at, last.at + 69)
  forgery.save()
  await bothFindNothing(t, open)
  const torn = await auditOf(open)
  t.is(torn.tornBytes, 69)
  t.is(torn.head, segment.bytes.subarray(end - 32, end).toString('hex'))

  const next = await openSmall(open)
  t.is(next.recovery.cut?.bytes, 69)
  await new Rush(next, luck).sale()
  await next.close()
  await bothFindNothing(t, open)
  t.is((await auditOf(open)).tornBytes, 0)
  t.true(readdirSync(journalOf(open)).some((name) => name.startsWith('cut-')))
})

test('beside an owner that sells without a pause, nothing is called damage', async (t) => {
  const root = tempStore(t)
  const child = startProgram('sell-on.mjs', [root])
  t.teardown(() => child.kill('SIGKILL'))
  if (child.stdout === null) throw new Error('the seller says nothing')
  await once(child.stdout, 'data')
  child.stdout.resume()
  // Counted are audits that saw a longer journal than the one before.
  const grownWanted = isLong ? 300 : 8
  for (let grown = 0, before = 0; grown < grownWanted; ) {
    const { ok, problems, records } = await auditOf(root)
    t.true(ok, JSON.stringify(problems))
    if (records > before) grown += 1
    before = records
  }
})

test('an anchor is found where it stands, and missed after a cut', async (t) => {
  const root = tempStore(t)
  const terminal = await openSmall(root)
  await terminal.sell({
    store: 'shop',
    currency: 'EUR',
    lines: [{ sku: 'tea', quantity: 1, unitPrice: 300 }],
    tenders: [{ kind: 'cash', amount: 300 }],
  })
  const early = terminal.status().head
  await new Rush(terminal, chance()).sale()
  await terminal.close()
  const { head } = await auditOf(root)
  for (const anchor of [early, head, head.toUpperCase()]) {
    t.true((await auditStore({ root, anchor })).ok, anchor)
  }

  // The last frame is cut away, with the marks that prove it: inside the files nothing is wrong.
  const forgery = new Forgery(journalOf(root))
  const segment = forgery.segments.at(-1)
  const last = segment?.frames().at(-1)
  if (segment === undefined || last === undefined) throw new Error('nothing was sold')
  segment.bytes.fill(0, 4096, 12_288)
  segment.bytes.fill(0, last.at)
  forgery.save()
  await bothFindNothing(t, root)
  t.true((await auditStore({ root, anchor: early })).ok)
  const cut = await auditStore({ root, anchor: head })
  t.false(cut.ok)
  t.like(cut.terminals[0]?.problems, { 0: { kind: 'anchor', segment: 0 }, length: 1 })
})
