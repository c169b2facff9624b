/** Forgeries that both verifiers must call by the same name at the same place. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { decode, encode } from 'cborg'
import { crc32c } from '../../ts/auditor/crc32c.js'
import { auditStore } from '../../ts/auditor/index.js'
import { verifyStore } from '../../ts/index.js'
import { tempStore } from '../support/store.js'
import { Forgery } from './forger.js'
import { goldenStore, journalOf, openSmall } from './stores.js'

const lineAddedKind = 33
const parentField = 8

interface Found {
  /** Kind and place of each problem. */
  readonly auditor: readonly string[]
  /** Code and place of each problem. */
  readonly kernel: readonly string[]
}

async function found(root: string): Promise<Found> {
  const [audit] = (await auditStore({ root })).terminals
  const [report] = (await verifyStore({ root })).terminals
  const place = ({ segment, offset }: { segment: number; offset: number }) => `${segment}:${offset}`
  return {
    auditor: (audit?.problems ?? []).map((problem) => `${problem.kind} ${place(problem)}`),
    kernel: (report?.problems ?? []).map((problem) => `${problem.code} ${place(problem)}`),
  }
}

async function first(root: string): Promise<[auditor: string, kernel: string]> {
  const { auditor, kernel } = await found(root)
  return [String(auditor[0]), String(kernel[0])]
}

/** A manifest with a right checksum that names the last number there is. */
function writeHugeManifest(folder: string): void {
  const text = 'pos-kernel journal 1\noldest 1\ncurrent 4294967295\n'
  const crc = crc32c(Buffer.from(text)).toString(16).padStart(8, '0')
  writeFileSync(path.join(folder, 'manifest'), `${text}crc32c ${crc}\n`)
}

function golden(t: ExecutionContext): { root: string; folder: string } {
  const root = tempStore(t)
  return { root, folder: goldenStore(root) }
}

test('a manifest that names the last number there is costs neither of them its memory', async (t) => {
  const { root, folder } = golden(t)
  writeHugeManifest(folder)
  const { auditor, kernel } = await found(root)
  t.true(auditor.includes('missing 3:0'))
  t.true(kernel.includes('PK_E_MISSING_SEGMENT 3:0'))
  t.true(kernel.length < 5)
})

test('a blank file with the last number there is was prepared, and is no part of the journal', async (t) => {
  const { root, folder } = golden(t)
  writeFileSync(path.join(folder, 'segment-4294967295.wal'), Buffer.alloc(65_536))
  t.true((await auditStore({ root })).ok)
  t.true((await verifyStore({ root })).ok)
})

test('a file with the last number there is leaves a gap before it', async (t) => {
  const { root, folder } = golden(t)
  writeHugeManifest(folder)
  const other = readFileSync(path.join(folder, 'segment-000002.wal'))
  writeFileSync(path.join(folder, 'segment-4294967295.wal'), other)
  const { auditor, kernel } = await found(root)
  t.true(auditor.includes('missing 3:0'))
  t.true(kernel.includes('PK_E_MISSING_SEGMENT 3:0'))
  t.true(kernel.some((problem) => problem.endsWith(' 4294967295:0')))
})

test('segment 1 that names a segment before it breaks the chain', async (t) => {
  const { root, folder } = golden(t)
  const forgery = new Forgery(folder)
  forgery.segments[0]?.bytes.fill(0xaa, 64, 96)
  forgery.mendChain(0)
  forgery.save()
  t.deepEqual(await first(root), ['chain 1:0', 'PK_E_CHAIN_BROKEN 1:0'])
})

test('a journal that begins with record 2 has a gap', async (t) => {
  const root = tempStore(t)
  const terminal = await openSmall(root)
  await terminal.begin({ store: 'shop', currency: 'EUR' })
  await terminal.close()
  const forgery = new Forgery(journalOf(root))
  const [segment] = forgery.segments
  if (segment === undefined) throw new Error('there is no segment')
  const frames = segment.frames()
  for (const { front, sequence } of frames) front.writeBigUInt64LE(sequence + 1n, 8)
  segment.rebuild(frames)
  segment.bytes.writeBigUInt64LE(2n, 32)
  forgery.mendChain(0)
  forgery.save()
  t.deepEqual(await first(root), ['chain 1:0', 'PK_E_CHAIN_BROKEN 1:0'])
})

test('a line that belongs to no live line contradicts', async (t) => {
  for (const forged of [2, 7] as const) {
    const root = tempStore(t)
    const terminal = await openSmall(root)
    const sale = await terminal.begin({ store: 'shop', currency: 'EUR' })
    await sale.addLine({ sku: 'menu', quantity: 1, unitPrice: 900 })
    await sale.addLine({ sku: 'drink', quantity: 1, unitPrice: 0, parent: 1 })
    await terminal.close()
    t.true((await auditStore({ root })).ok)
    const forgery = new Forgery(journalOf(root))
    const [segment] = forgery.segments
    if (segment === undefined) throw new Error('there is no segment')
    let at = 0
    const frames = segment.frames().map((frame) => {
      const records = frame.records.map((record) => {
        if (record.kind !== lineAddedKind) return record
        const map = decode(record.body, { useMaps: true }) as Map<number, unknown>
        if (!map.has(parentField)) return record
        at = frame.at
        map.set(parentField, forged)
        return { ...record, body: Buffer.from(encode(map)) }
      })
      return { ...frame, records }
    })
    t.true(segment.rebuild(frames))
    forgery.mendChain(0)
    forgery.save()
    t.deepEqual(await first(root), [`contradiction 1:${at}`, `PK_E_INCONSISTENT 1:${at}`])
  }
})
