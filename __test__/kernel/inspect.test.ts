import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import {
  inspectJournal,
  type JournalRecord,
  listSales,
  listTerminals,
  openTerminal,
  StorageError,
  type VerifyProgress,
  verifyStore,
  versions,
} from '../../ts/index.js'
import { coffees, refusal, tempStore, terminalFor } from '../support/store.js'

async function collect(records: AsyncIterable<JournalRecord>): Promise<JournalRecord[]> {
  const all: JournalRecord[] = []
  for await (const record of records) all.push(record)
  return all
}

/** Flips the lowest bit of one byte of a terminal's first segment. */
function flip(root: string, terminal: string, offset: number): void {
  const folder = path.join(root, 'terminals', terminal, 'transaction.wal')
  const segment = readdirSync(folder).find((name) => name === 'segment-000001.wal') ?? ''
  const file = openSync(path.join(folder, segment), 'r+')
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, offset)
  byte.writeUInt8(byte.readUInt8() ^ 1)
  writeSync(file, byte, 0, 1, offset)
  closeSync(file)
}

test('a store that is well is verified, with its owner at work', async (t) => {
  const root = tempStore(t)
  const one = await terminalFor(t, { root, id: 'ONE', segmentBytes: 65_536, durability: 'sale' })
  const two = await terminalFor(t, { root, id: 'TWO' })
  await Promise.all(Array.from({ length: 300 }, () => one.sell(coffees)))
  const { hash } = await two.sell(coffees)
  const progress: VerifyProgress[] = []
  const report = await verifyStore({ root, onProgress: (step) => progress.push(step) })
  t.true(report.ok)
  t.deepEqual(listTerminals(root), ['ONE', 'TWO'])
  t.deepEqual(
    report.terminals.map(({ id, receipts, problems, problemCount }) => [
      id,
      receipts,
      problems,
      problemCount,
    ]),
    [
      ['ONE', 300, [], 0],
      ['TWO', 1, [], 0],
    ],
  )
  const [first, second] = report.terminals
  t.is(first?.head, one.status().head)
  t.is(second?.lastSequence, two.status().sequence)
  t.is(first?.segments, one.status().segment)
  t.like(await verifyStore({ root, terminal: 'TWO' }), { ok: true, terminals: [{ id: 'TWO' }] })
  t.true((await verifyStore({ root, anchor: hash })).ok, 'one of the terminals has the anchor')
  const elsewhere = await verifyStore({ root, terminal: 'ONE', anchor: hash })
  t.false(elsewhere.ok)
  t.like(elsewhere.terminals[0]?.problems, { 0: { code: 'PK_E_ANCHOR_MISSING' } })
  for (const { terminal, segmentsDone, segments } of progress) {
    t.true(['ONE', 'TWO'].includes(terminal))
    t.true(segmentsDone >= 1 && segmentsDone <= segments)
  }
})

test('damage below the durable mark is reported with its place, and the terminal is refused', async (t) => {
  const root = tempStore(t)
  const terminal = await openTerminal({ root, id: 'T1' })
  for (let count = 0; count < 5; count += 1) await terminal.sell(coffees)
  await terminal.close()
  const records = await collect(inspectJournal({ root, terminal: 'T1' }))
  const third = records.filter((record) => 'kind' in record && record.kind === 'SaleCompleted')[2]
  t.truthy(third)
  if (third === undefined || 'problem' in third) return
  flip(root, 'T1', third.offset + 40)

  const report = await verifyStore({ root })
  t.false(report.ok)
  const [problem] = report.terminals[0]?.problems ?? []
  t.like(problem, { segment: 1, offset: third.offset, code: 'PK_E_CORRUPT' })
  t.true((report.terminals[0]?.problemCount ?? 0) >= 1)

  const error = await refusal(t, () => openTerminal({ root, id: 'T1' }), 'PK_E_CORRUPT')
  t.true(error instanceof StorageError)
  t.like(error.facts, { segment: 1, offset: third.offset })
  t.true((error.facts.goodRecordsAfter ?? 0) > 0)
  await refusal(t, () => openTerminal({ root, id: 'T1' }), 'PK_E_CORRUPT')
  t.false((await verifyStore({ root })).ok, 'nothing was mended in silence')
  await refusal(t, () => listSales(root, 'T1'), 'PK_E_CORRUPT')
})

test('records are decoded in order, from any sequence', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root, id: 'T1' })
  const sale = await terminal.begin({ store: 'shop', currency: 'EUR', key: 'k' })
  await sale.addLine({ sku: 'tea', text: 'Tee', quantity: '0.250', unitPrice: '1240.5' })
  await sale.setQuantity(1, '0.5', { reason: 'more' })
  await sale.addLine({ sku: 'x', quantity: 1, unitPrice: 1 })
  await sale.voidLine(2, { reason: 'wrong' })
  await sale.tender({ kind: 'card', amount: 620, pending: true })
  await sale.confirmTender(1, { auth: '4711' })
  await sale.complete()
  const records = await collect(inspectJournal({ root, terminal: 'T1' }))
  t.deepEqual(
    records.map((record) => 'kind' in record && record.kind),
    [
      'Checkpoint',
      'TerminalOpened',
      'SaleBegun',
      'LineAdded',
      'QuantitySet',
      'LineAdded',
      'LineVoided',
      'TenderAdded',
      'TenderConfirmed',
      'SaleCompleted',
    ],
  )
  t.deepEqual(
    records.map((record) => 'sequence' in record && record.sequence),
    records.map((_, index) => index + 1),
  )
  t.like(records[3], {
    sequence: 4,
    epoch: 1,
    segment: 1,
    fact: { sale: 1, line: 1, sku: 'tea', text: 'Tee', quantity: '0.250', amount: 310 },
  })
  t.like(records[9], { fact: { receipt: 1, gross: 620, totalSales: 620 } })
  t.notThrows(() => JSON.stringify(records))
  const tail = await collect(inspectJournal({ root, terminal: 'T1', from: 9 }))
  t.deepEqual(tail, records.slice(8))
  t.deepEqual(await collect(inspectJournal({ root, terminal: 'T1', from: 1000 })), [])
})

test('a long journal is decoded in batches, without a gap between segments', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, {
    root,
    id: 'T1',
    segmentBytes: 65_536,
    durability: 'sale',
  })
  await Promise.all(Array.from({ length: 1500 }, () => terminal.sell(coffees)))
  let expected = 0
  for await (const record of inspectJournal({ root, terminal: 'T1' })) {
    expected += 1
    if ('problem' in record || record.sequence !== expected) {
      t.fail(`record ${expected} is ${JSON.stringify(record)}`)
      return
    }
  }
  t.is(expected, terminal.status().sequence)
})

test('a followed journal shows what is written while it is followed', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root, id: 'T1' })
  const ending = new AbortController()
  const { signal } = ending
  const receipts: unknown[] = []
  for await (const record of inspectJournal({ root, terminal: 'T1', follow: true, signal })) {
    if ('problem' in record) continue
    // The next sale is sold only once the last one was seen.
    if (record.kind === 'TerminalOpened') await terminal.sell(coffees)
    if (record.kind !== 'SaleCompleted') continue
    receipts.push(record.fact?.receipt)
    if (receipts.length === 3) ending.abort()
    else await terminal.sell(coffees)
  }
  t.deepEqual(receipts, [1, 2, 3])
})

test('the completed sales of a journal are listed', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root, id: 'T1' })
  await terminal.sell({ ...coffees, reference: 'order-1' })
  const voided = await terminal.begin({ store: 'shop', currency: 'EUR', reference: 'order-2' })
  await voided.void({ reason: 'left' })
  await terminal.sell({ ...coffees, currency: 'USD' })
  const sales = await listSales(root, 'T1')
  t.like(sales, {
    length: 2,
    0: { reference: 'order-1', receiptNumber: 1, currency: 'EUR', gross: 640, lines: 1 },
    1: { reference: null, receiptNumber: 2, currency: 'USD' },
  })
})

test('versions are told', (t) => {
  const { package: packageVersion, kernel, journalFormat } = versions()
  t.is(packageVersion, kernel)
  t.is(journalFormat, 1)
})
