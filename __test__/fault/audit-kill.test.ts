/**
 * Eight terminals sell while a merger follows them, and the merger is killed with SIGKILL at random
 * moments, over and over. Afterwards the log has every frame of every journal once and in order, and
 * every head that a merger has told of is still in it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { auditStore, checkStoreAudit, openTerminal, reportStore } from '../../ts/index.js'
import { jsonLines, posKernel } from '../support/child.js'
import { type Chance, chance, isLong } from './chance.js'
import { command, ReplayRun } from './replay-run.js'

const killsWanted = isLong ? 500 : 6
const grossMinor = 203874259 - 23172266
const receipts = 4089 + 805

interface Counts {
  kills: number
  stores: number
  heads: number
  cut: number
  late: number
  frames: number
}

test('a merger that is killed anywhere skips nothing, doubles nothing, takes nothing back', async (t) => {
  const luck = chance()
  t.log(`seed ${luck.seed} (POS_KERNEL_SEED)`)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-audit-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const counts: Counts = { kills: 0, stores: 0, heads: 0, cut: 0, late: 0, frames: 0 }
  while (counts.kills < killsWanted) {
    counts.stores += 1
    const root = path.join(folder, `store-${counts.stores}`)
    mkdirSync(root)
    await store(t, root, counts, luck)
    rmSync(root, { recursive: true })
  }
  t.log(counts)
  t.true(counts.heads > 0)
})

/** One store: a whole replay under a merger that dies, and what is in the log then. */
async function store(
  t: ExecutionContext,
  root: string,
  counts: Counts,
  luck: Chance,
): Promise<void> {
  // A journal to follow, so that the first merger is at work before the first sale.
  await (await openTerminal({ root, id: 'REGISTER_00' })).close()
  let replay: ReplayRun | undefined
  const begin = () => {
    replay ??= new ReplayRun(root, ['--terminals', '8', '--durability', 'record'])
  }
  const heads = new Set<string>()
  for (let after = 0; after < 2; ) {
    for (const head of await killed(root, luck, begin)) heads.add(head)
    counts.kills += 1
    // Once more when all is sold: a merger dies while it catches up, too.
    if (replay?.hasEnded) after += 1
  }
  t.is((await replay?.end)?.code, 0)
  const { faults, cutBytes } = await auditStore({ root })
  t.deepEqual(faults, [])
  counts.cut += cutBytes > 0 ? 1 : 0
  const check = await checkStoreAudit({ root })
  t.true(check.ok && check.complete, JSON.stringify(check))
  t.is(check.unfinishedBytes, 0)
  const lines = readFileSync(logOf(root), 'utf8').split('\n')
  const hashes = new Set(lines.map((line) => createHash('sha256').update(line).digest('hex')))
  t.deepEqual(
    [...heads].filter((head) => !hashes.has(head)),
    [],
    'no head is taken back',
  )
  const verified = await posKernel(['verify', '--root', root, '--json'])
  t.is(verified.code, 0)
  const journals = (JSON.parse(verified.stdout) as Verified).terminals
  const records = journals.reduce((sum, terminal) => sum + terminal.records, 0)
  t.is(check.records, records, 'the log has as many records as the journals')
  const report = await reportStore({ root, reports: ['x'] })
  t.deepEqual(
    report.currencies.map(({ total }) => [total.gross, total.receipts]),
    [[grossMinor, receipts]],
  )
  counts.heads += heads.size
  counts.late += check.late
  counts.frames += check.frames
}

interface Verified {
  readonly terminals: readonly { readonly records: number }[]
}

/**
 * A merger that follows and is killed: some time after the log begins to grow, or after it has told of
 * some heads. `begin` is called when it follows. Gives the heads that it told of.
 */
async function killed(root: string, luck: Chance, begin: () => void): Promise<string[]> {
  const size = () => statSync(logOf(root), { throwIfNoEntry: false })?.size ?? 0
  const [early, wanted, moreMs] = [luck.happens(0.3), luck.between(1, 4), luck.between(0, 60)]
  const before = size()
  const args = [command, 'store', 'audit', '--root', root, '--follow', '--json']
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  let isOver = false
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text
    begin()
  })
  const ended = new Promise<void>((resolve) =>
    child.on('close', () => {
      isOver = true
      resolve()
    }),
  )
  const told = () => output.split('\n').length - 1
  const isTime = () => told() >= wanted || (early && size() > before)
  // A store that sells no more tells of nothing more.
  for (let idle = 0; !isOver && !isTime() && idle < 300; ) {
    idle = told() > 0 ? idle + 1 : 0
    await delay(2)
  }
  await Promise.race([delay(moreMs), ended])
  child.kill('SIGKILL')
  await ended
  const whole = output.slice(0, output.lastIndexOf('\n') + 1)
  return jsonLines(whole).map((line) => (line.head as { hash: string }).hash)
}

const logOf = (root: string) => path.join(root, 'shared/aggregated_audit.log')
