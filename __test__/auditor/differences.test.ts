/**
 * Where the verdicts of the two verifiers differ, each case made by a forger who mends every
 * checksum and link. A change of either verifier shows here.
 */
import { renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { decode, encode } from 'cborg'
import { auditStore } from '../../ts/auditor/index.js'
import { verifyStore } from '../../ts/index.js'
import { tempStore } from '../support/store.js'
import { type ForgedFrame, type ForgedRecord, Forgery } from './forger.js'
import { goldenStore, journalOf, openSmall } from './stores.js'

const checkpointKind = 16
const closedKind = 21
const begunKind = 32

/** A store, and the folder of its journal. */
interface Made {
  readonly root: string
  readonly folder: string
}

/** The golden journal. */
function golden(t: ExecutionContext): Made {
  const root = tempStore(t)
  return { root, folder: goldenStore(root) }
}

/** A terminal that was opened, left one sale open, and was closed. */
async function oneOpenSale(t: ExecutionContext): Promise<Made> {
  const root = tempStore(t)
  const terminal = await openSmall(root)
  await terminal.begin({ store: 'shop', currency: 'EUR' })
  await terminal.close()
  return { root, folder: journalOf(root) }
}

/** What each verifier finds: kind or code, segment, offset. */
async function found({ root }: Made): Promise<{ auditor: string[]; kernel: string[] }> {
  const [audit] = (await auditStore({ root })).terminals
  const [report] = (await verifyStore({ root })).terminals
  const place = ({ segment, offset }: { segment: number; offset: number }) => `${segment}:${offset}`
  return {
    auditor: (audit?.problems ?? []).map((problem) => `${problem.kind} ${place(problem)}`),
    kernel: (report?.problems ?? []).map((problem) => `${problem.code} ${place(problem)}`),
  }
}

/** Changes the records of frames, wherever `change` gives another one, and mends everything. */
function forge(
  { folder }: Made,
  change: (record: ForgedRecord, frame: ForgedFrame) => ForgedRecord | undefined,
): ForgedFrame[] {
  const forgery = new Forgery(folder)
  const changed: ForgedFrame[] = []
  for (const segment of forgery.segments) {
    const frames = segment.frames().map((frame) => {
      const records = frame.records.map((record) => change(record, frame) ?? record)
      const isSame = records.every((record, index) => record === frame.records[index])
      if (!isSame) changed.push(frame)
      return { ...frame, records }
    })
    if (!segment.rebuild(frames)) throw new Error('the forged segment is too long')
  }
  forgery.mendChain(0)
  forgery.save()
  return changed
}

/** The record with some fields of its map changed. */
function withFields(record: ForgedRecord, change: (map: Map<number, unknown>) => void) {
  const map = decode(record.body, { useMaps: true }) as Map<number, unknown>
  change(map)
  return { ...record, body: Buffer.from(encode(map)) }
}

test('a flag that the records of its frame contradict is a problem of form', async (t) => {
  const made = golden(t)
  const forgery = new Forgery(made.folder)
  const [segment] = forgery.segments
  const sold = segment?.frames().find(({ records }) => records[0]?.kind === begunKind)
  if (segment === undefined || sold === undefined) throw new Error('nothing was sold')
  segment.bytes[sold.at + 63] = 8
  forgery.mendChain(0)
  forgery.save()
  t.deepEqual(await found(made), { auditor: [`form 1:${sold.at}`], kernel: [] })
})

test('a checkpoint in a frame without its flag is a problem of form, and no fact', async (t) => {
  const made = await oneOpenSale(t)
  const [frame] = forge(made, (record) =>
    record.kind === closedKind ? { ...record, kind: checkpointKind } : undefined,
  )
  const form = `form 1:${frame?.at}`
  t.deepEqual(await found(made), { auditor: [form, form], kernel: [] })
})

test('totals out of order in a checkpoint are a problem of form', async (t) => {
  const made = golden(t)
  forge(made, (record, frame) =>
    record.kind === checkpointKind && frame.sequence > 1n
      ? withFields(record, (map) => (map.get(2) as unknown[]).reverse())
      : undefined,
  )
  const { auditor, kernel } = await found(made)
  t.true(auditor.length >= 1)
  t.deepEqual(new Set(auditor.map((problem) => problem.split(' ')[0])), new Set(['form']))
  t.deepEqual(kernel, [])
})

test('a number of remembered keys that does not belong to the segment is a problem of form', async (t) => {
  const made = await oneOpenSale(t)
  forge(made, (record) =>
    record.kind === checkpointKind ? withFields(record, (map) => map.set(4, 31)) : undefined,
  )
  t.deepEqual(await found(made), { auditor: ['form 1:12288'], kernel: [] })
})

test('a remembered key that makes a second fact is a problem of form', async (t) => {
  const root = tempStore(t)
  const terminal = await openSmall(root)
  for (const key of ['one', 'two']) await terminal.begin({ store: 'shop', currency: 'EUR', key })
  await terminal.close()
  const made = { root, folder: journalOf(root) }
  const changed = forge(made, (record) => {
    if (record.kind !== begunKind) return undefined
    return withFields(record, (map) => (map.get(15) as Map<number, unknown>).set(0, 'one'))
  })
  t.deepEqual(await found(made), { auditor: [`form 1:${changed[1]?.at}`], kernel: [] })
})

for (const value of ['ff', 'f814', 'bf01ff', 'a1ff00']) {
  test(`an unknown field that holds ${value} is no CBOR; the kernel passes over it`, async (t) => {
    const made = await oneOpenSale(t)
    const [frame] = forge(made, (record) => {
      if (record.kind !== closedKind) return undefined
      const [first = 0] = record.body
      const more = Buffer.from(`1863${value}`, 'hex')
      return {
        ...record,
        body: Buffer.concat([Buffer.of(first + 1), record.body.subarray(1), more]),
      }
    })
    t.deepEqual(await found(made), { auditor: [`contradiction 1:${frame?.at}`], kernel: [] })
  })
}

test('the joint of a segment whose first frame is broken is named by the auditor alone', async (t) => {
  const made = golden(t)
  const forgery = new Forgery(made.folder)
  const segment = forgery.segments[1]
  if (segment === undefined) throw new Error('there is no second segment')
  segment.bytes.fill(0xaa, 64, 96)
  segment.mendHeader()
  segment.bytes[12_300] = (segment.bytes[12_300] ?? 0) ^ 1
  forgery.save()
  const { auditor, kernel } = await found(made)
  t.deepEqual(auditor, ['chain 2:0', 'damaged 2:12288'])
  t.deepEqual(kernel, ['PK_E_CORRUPT 2:12288'])
})

test('the journal of another terminal is a problem of form', async (t) => {
  const { root } = await oneOpenSale(t)
  const folder = path.join(root, 'terminals')
  renameSync(path.join(folder, 'T1'), path.join(folder, 'T2'))
  t.deepEqual(await found({ root, folder }), { auditor: ['form 1:0'], kernel: [] })
})

test('without manifest and first segments a journal begins later, and neither calls it wrong', async (t) => {
  const { root, folder } = golden(t)
  rmSync(path.join(folder, 'manifest'))
  rmSync(path.join(folder, 'segment-000001.wal'))
  t.deepEqual(await found({ root, folder }), { auditor: [], kernel: [] })
  const [audit] = (await auditStore({ root })).terminals
  t.true((audit?.firstSequence ?? 0) > 1)
  t.true((audit?.lastReceipt ?? 0) > (audit?.receipts ?? 0))
})
