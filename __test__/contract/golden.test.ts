/** One file of sales through every door: the same receipts, and the same bytes in the journal. */
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connectTerminal, openStore } from '../../ts/index.js'
import { jsonLines, posKernel, projectRoot } from '../support/child.js'
import { type RawRecord, rawRecords } from '../support/frames.js'
import { type Command, host, inC, inPython, inSharp, needing } from '../support/hosts.js'
import { served } from '../support/served.js'
import { tempStore } from '../support/store.js'
import { play, playOn } from './player.js'

const golden = path.join(projectRoot, '__test__/contract/golden-sales.tsv')
const priced = path.join(projectRoot, '__test__/contract/golden-priced.tsv')
const id = 'GOLD'
const wallNs = 1_700_000_000_000_000_000n
const receiptsInFile = 8
const openedKind = 20
/** Total and change of each priced sale. */
const pricedReceipts = [
  [4292, 614],
  [1787, 715],
  [1172, 1028],
]

const sharp = inSharp()
const doors: readonly (readonly [string, Command | undefined])[] = [
  ['C', inC('play')],
  ['C with sanitizers', inC('play-sanitized')],
  ['C#', sharp === undefined ? undefined : [...sharp, 'play']],
  ['Python', inPython('play')],
]

/** What a receipt says but its hash: a chain begins with what tells journals apart. */
function facts(receipt: Record<string, unknown>) {
  const { hash, ...rest } = receipt
  return { ...rest, hash: typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash) }
}

async function played(t: ExecutionContext) {
  const root = tempStore(t)
  const receipts = await play(root, id, wallNs, golden)
  return { root, receipts: receipts.map((text) => facts(JSON.parse(text))) }
}

/** All records; what an owner says of itself (process id, host version) differs between doors. */
function bodies(root: string): RawRecord[] {
  return rawRecords(root, id).map((record) =>
    record.kind === openedKind ? { ...record, body: 'an owner' } : record,
  )
}

test('the golden sales through N-API', async (t) => {
  const { root, receipts } = await played(t)
  t.is(receipts.length, receiptsInFile)
  t.like(receipts[0], { receiptNumber: 1, gross: 399, tendered: 500, change: 101 })
  const records = rawRecords(root, id)
  t.deepEqual(
    records.map(({ sequence }) => sequence),
    records.map((_, index) => index + 1),
  )
  t.true(records.some(({ kind }) => kind === openedKind))
  t.true(records.every(({ wallNs: at }) => at >= wallNs))
  const { code, stdout } = await posKernel(['verify', '--root', root, '--json'])
  t.is(code, 0, stdout)
})

test('the golden sales in a store process are those of a process of its own', async (t) => {
  const expected = await played(t)
  const root = tempStore(t)
  const store = await openStore({ root })
  // Others sell beside it meanwhile.
  const ids = ['BESIDE_1', 'BESIDE_2', 'BESIDE_3']
  const others = await Promise.all(ids.map((other) => store.openAt({ id: other }, wallNs)))
  const terminal = await store.openAt({ id }, wallNs)
  const [receipts, ...beside] = await Promise.all(
    [terminal, ...others].map((one) => playOn(one, golden)),
  )
  t.deepEqual(
    receipts?.map((text) => facts(JSON.parse(text))),
    expected.receipts,
  )
  for (const other of beside) t.is(other.length, receiptsInFile)
  t.deepEqual(bodies(root), bodies(expected.root))
  await store.close()
  const verified = await posKernel(['verify', '--root', root, '--json'])
  t.is(verified.code, 0, verified.stdout)
})

test('the golden sales through the kernel service', async (t) => {
  const expected = await played(t)
  const root = tempStore(t)
  const service = await served(t, { root, terminals: [id] }, { testWallNs: wallNs.toString() })
  const receipts = await playOn(await connectTerminal({ root, id }), golden)
  await service.stop()
  t.deepEqual(
    receipts.map((text) => facts(JSON.parse(text))),
    expected.receipts,
  )
  t.deepEqual(bodies(root), bodies(expected.root))
  const { code, stdout } = await posKernel(['verify', '--root', root, '--json'])
  t.is(code, 0, stdout)
})

for (const [door, command] of doors) {
  const [run, why] = needing(`the host in ${door}`, command)
  run(`the golden sales through ${door}${why}`, async (t) => {
    const expected = await played(t)
    const root = tempStore(t)
    const args = [root, id, wallNs.toString(), golden]
    const { code, stdout, stderr } = await host(command as Command, args)
    t.is(code, 0, stderr)
    t.deepEqual(jsonLines(stdout).map(facts), expected.receipts)
    t.deepEqual(bodies(root), bodies(expected.root))
    const verified = await posKernel(['verify', '--root', root, '--json'])
    t.is(verified.code, 0, verified.stdout)
  })
}

/** The priced sales through a host. */
async function playedBy(t: ExecutionContext, command: Command) {
  const root = tempStore(t)
  const { code, stdout, stderr } = await host(command, [root, id, wallNs.toString(), priced])
  t.is(code, 0, stderr)
  const verified = await posKernel(['verify', '--root', root, '--json'])
  t.is(verified.code, 0, verified.stdout)
  return { root, receipts: jsonLines(stdout).map(facts) }
}

const inPlainC = inC('play')
for (const [door, command] of doors) {
  const both = inPlainC === undefined ? undefined : command
  const [run, why] = needing(`the hosts in C and ${door}`, both)
  run(`the priced sales through ${door} are those through C${why}`, async (t) => {
    const expected = await playedBy(t, inPlainC as Command)
    t.deepEqual(
      expected.receipts.map(({ gross, change }: Record<string, unknown>) => [gross, change]),
      pricedReceipts,
    )
    const { root, receipts } = await playedBy(t, command as Command)
    t.deepEqual(receipts, expected.receipts)
    t.deepEqual(bodies(root), bodies(expected.root))
  })
}
