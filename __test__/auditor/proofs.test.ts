/**
 * Signatures, anchors and archives before both verifiers: one verdict on sound journals, and each
 * forgery found by both, with what it takes to find it.
 */
import { cpSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { blake3 } from '@noble/hashes/blake3.js'
import test, { type ExecutionContext } from 'ava'
import { decode, encode } from 'cborg'
import { auditStore } from '../../ts/auditor/index.js'
import { openTerminal, verifyStore } from '../../ts/index.js'
import { tempStore } from '../support/store.js'
import { byAuditor, byKernel } from './both.js'
import { type ForgedFrame, type ForgedRecord, Forgery } from './forger.js'
import { journalOf } from './stores.js'

const kinds = { line: 33, completed: 40, attached: 98, anchored: 99 }

interface Signed {
  readonly root: string
  readonly folder: string
  readonly key: string
  readonly anchor: string
}

interface Questions {
  readonly anchor?: string
  readonly keys?: readonly string[]
}

/** A closed store of a terminal that signs, with an outage in it. */
async function signed(t: ExecutionContext, sales = 12): Promise<Signed> {
  const root = tempStore(t)
  const segmentBytes = 65_536
  const terminal = await openTerminal({ root, id: 'T1', segmentBytes, signing: 'software' })
  const sell = async (count: number) => {
    for (let sale = 0; sale < count; sale++) {
      await terminal.sell({
        store: 'S',
        currency: 'EUR',
        lines: [{ sku: 'A', quantity: 1, unitPrice: 100 }],
        tenders: [{ kind: 'cash', amount: 100 }],
      })
    }
  }
  await sell(2)
  await terminal.proof.signerDown('maintenance')
  await sell(2)
  await terminal.proof.signerUp()
  await sell(sales - 4)
  const { link } = await terminal.proof.anchor({ place: 'elsewhere' })
  const key = terminal.proof.signing()?.key ?? ''
  await sell(1)
  await terminal.close()
  return { root, folder: journalOf(root), key, anchor: link }
}

/** Kinds and places of what each finds. */
async function found(root: string, questions: Questions = {}) {
  const [audit] = (await auditStore({ root, ...questions })).terminals
  const [report] = (await verifyStore({ root, ...questions })).terminals
  const place = ({ segment, offset }: { segment: number; offset: number }) => `${segment}:${offset}`
  const auditor = audit?.problems.map((problem) => `${problem.kind} ${place(problem)}`) ?? []
  const kernel = report?.problems.map((problem) => `${problem.code} ${place(problem)}`) ?? []
  return { auditor: auditor.toSorted(), kernel: kernel.toSorted(), audit, report }
}

/** Both find this and nothing else, as often and at the same places. */
async function bothFind(
  t: ExecutionContext,
  root: string,
  [kind, code]: readonly [kind: string, code: string],
  questions: Questions = {},
): Promise<number> {
  const { auditor, kernel } = await found(root, questions)
  const places = (lines: readonly string[]) => lines.map((line) => line.split(' ')[1]).sort()
  t.true(
    auditor.every((line) => line.startsWith(`${kind} `)),
    auditor.join(),
  )
  t.true(
    kernel.every((line) => line.startsWith(`${code} `)),
    kernel.join(),
  )
  t.deepEqual(places(auditor), places(kernel))
  t.not(auditor.length, 0)
  return auditor.length
}

const signature = ['signature', 'PK_E_SIGNATURE'] as const

function holdsKind(frame: ForgedFrame, kind: number): boolean {
  return frame.records.some((record) => record.kind === kind)
}

/** The frames of the first segment, with the sale of a receipt changed so that every number fits. */
function rewritten(forgery: Forgery, receipt: number): ForgedFrame[] {
  let count = 0
  return (forgery.segments[0]?.frames() ?? []).map((frame) => {
    if (holdsKind(frame, kinds.completed)) count += 1
    if (!holdsKind(frame, kinds.completed) || count !== receipt) return frame
    const log: Buffer[] = []
    const records = frame.records.map((record): ForgedRecord => {
      const fields = decode(record.body, { useMaps: true })
      if (record.kind === kinds.line) fields.set(2, 'B')
      if (record.kind === kinds.completed) fields.set(5, blake3(Buffer.concat(log)))
      const body = Buffer.from(encode(fields))
      const head = Buffer.alloc(6)
      head.writeUInt16LE(record.kind)
      head.writeUInt32LE(body.length, 2)
      log.push(head, body)
      return { ...record, body }
    })
    return { ...frame, records }
  })
}

function rebuild(forgery: Forgery, frames: readonly ForgedFrame[]): void {
  let sequence = frames[0]?.sequence ?? 1n
  const renumbered = frames.map((frame) => {
    const front = Buffer.from(frame.front)
    front.writeBigUInt64LE(sequence, 8)
    const durable = front.readBigUInt64LE(16)
    if (durable >= sequence) front.writeBigUInt64LE(sequence - 1n, 16)
    const first = sequence
    sequence += BigInt(frame.records.length)
    const records = frame.records.map((record) => {
      if (record.kind !== kinds.completed) return record
      const fields = decode(record.body, { useMaps: true })
      fields.set(2, Number(first))
      return { ...record, body: Buffer.from(encode(fields)) }
    })
    return { ...frame, front, records }
  })
  forgery.segments[0]?.rebuild(renumbered)
  // The marks say what was durable before; a forger takes them out.
  forgery.segments[0]?.bytes.fill(0, 4096, 12_288)
  forgery.mendChain(0)
  forgery.save()
}

test('both say the same of a sound signed journal', async (t) => {
  const { root, key, anchor } = await signed(t, 200)
  t.deepEqual(await byKernel(root), await byAuditor(root))
  const questions = { keys: [key], anchor }
  const { auditor, kernel, audit, report } = await found(root, questions)
  t.deepEqual([auditor, kernel], [[], []])
  t.true((audit?.segments ?? 0) > 1)
  t.deepEqual({ ...audit?.signing }, { ...report?.signing })
  t.like(report?.signing, { signatures: 201, late: 2, unsigned: 0, up: true })
})

test('a changed byte, a dropped and a swapped record are found by both', async (t) => {
  const { root, folder } = await signed(t)
  const file = path.join(folder, 'segment-000001.wal')
  const image = readFileSync(file)
  const changed = Buffer.from(image)
  changed.writeUInt8(changed.readUInt8(15_000) ^ 1, 15_000)
  writeFileSync(file, changed)
  await bothFind(t, root, ['damaged', 'PK_E_CORRUPT'])
  for (const swaps of [false, true]) {
    writeFileSync(file, image)
    const forgery = new Forgery(folder)
    const [segment] = forgery.segments
    const frames = segment?.frames() ?? []
    const at = frames.findIndex((frame) => holdsKind(frame, kinds.completed))
    const [first, , second] = frames.splice(at, 3)
    const [, between] = segment?.frames().slice(at) ?? []
    if (first === undefined || second === undefined || between === undefined) return t.fail()
    const kept = swaps ? [second, between, first] : [between, second]
    frames.splice(at, 0, ...kept)
    // Places and checksums are mended, links are not.
    segment?.rebuild(frames)
    for (const { at: place } of segment?.frames() ?? []) segment?.mendFrame(place)
    forgery.save()
    const { auditor, kernel } = await found(root)
    t.not(auditor.length, 0)
    t.not(kernel.length, 0)
  }
})

test('a tail rewritten with every link mended is found by the signatures, and by an anchor', async (t) => {
  const { root, folder, key, anchor } = await signed(t)
  const forgery = new Forgery(folder)
  rebuild(forgery, rewritten(forgery, 6))
  const count = await bothFind(t, root, signature)
  t.true(count >= 7)
  await bothFind(t, root, signature, { keys: [key] })
  const { auditor, kernel } = await found(root, { anchor })
  t.true(auditor.includes('anchor 0:0'))
  t.true(kernel.includes('PK_E_ANCHOR_MISSING 0:0'))
})

test('signatures that are taken out are missed by whoever names the key', async (t) => {
  const { root, folder, key } = await signed(t)
  const forgery = new Forgery(folder)
  const frames = rewritten(forgery, 6)
  const from = frames.findIndex(
    (frame) => holdsKind(frame, kinds.completed) && frame.sequence > 25n,
  )
  const proofs = [kinds.attached, kinds.anchored]
  const bare = frames.filter(
    ({ records }, index) => index < from || !records.some(({ kind }) => proofs.includes(kind)),
  )
  rebuild(forgery, bare)
  const { auditor, kernel } = await found(root)
  t.deepEqual([auditor.filter((line) => !line.startsWith('form')), kernel], [[], []])
  t.is(await bothFind(t, root, signature, { keys: [key] }), 1)
})

test('a key that nobody trusts is found where it begins', async (t) => {
  const { root } = await signed(t)
  const other = '00'.repeat(32)
  const count = await bothFind(t, root, signature, { keys: [other] })
  t.is(count, 2, 'the first opening, and the end of the outage')
  const bare = tempStore(t)
  const terminal = await openTerminal({ root: bare, id: 'T1' })
  await terminal.close()
  t.is(await bothFind(t, bare, signature, { keys: [other] }), 1)
})

test('both read an archive, miss it, and find a change in it', async (t) => {
  const { root, key } = await signed(t, 400)
  const terminal = await openTerminal({ root, id: 'T1', signing: 'software' })
  const { manifest, folder } = await terminal.proof.archive()
  await terminal.close()
  const last = manifest?.segments[1] ?? 0
  t.true(last >= 2)
  t.deepEqual(await byKernel(root), await byAuditor(root))
  const whole = await found(root, { keys: [key] })
  t.deepEqual([whole.auditor, whole.kernel], [[], []])
  t.is(whole.audit?.archiveSegments, last)
  t.is(whole.report?.archiveSegments, last)

  renameSync(path.join(root, 'archive'), path.join(root, 'away'))
  const alone = await found(root, { keys: [key] })
  t.deepEqual([alone.auditor, alone.kernel], [[], []])
  t.deepEqual({ ...alone.audit?.archived }, { ...alone.report?.archived })
  t.is(alone.audit?.archived?.segment, last)
  t.is(alone.audit?.firstSequence, (alone.audit?.archived?.lastSequence ?? 0) + 1)
  const away = { root, archive: path.join(root, 'away') }
  t.true((await auditStore(away)).ok)
  t.true((await verifyStore(away)).ok)
  renameSync(path.join(root, 'away'), path.join(root, 'archive'))

  const name = path.join(folder, manifest?.file ?? '')
  t.true(existsSync(name))
  const text = readFileSync(name)
  for (const at of [40, 300, text.length - 10]) {
    const changed = Buffer.from(text)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    writeFileSync(name, changed)
    await bothFind(t, root, ['archive', 'PK_E_ARCHIVE'])
  }
  writeFileSync(name, text)
  const file = path.join(folder, 'segment-000001.wal')
  const kept = path.join(root, 'kept.wal')
  cpSync(file, kept)
  const image = readFileSync(file)
  image.writeUInt8(image.readUInt8(15_000) ^ 1, 15_000)
  writeFileSync(file, image)
  const hurt = await found(root)
  t.true(hurt.auditor.includes('archive 1:0'))
  t.true(hurt.kernel.includes('PK_E_ARCHIVE 1:0'))
  cpSync(kept, file)
  renameSync(path.join(folder, 'segment-000002.wal'), path.join(root, 'gone.wal'))
  await bothFind(t, root, ['missing', 'PK_E_MISSING_SEGMENT'])
})
