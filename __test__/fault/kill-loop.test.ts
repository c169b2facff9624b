/**
 * Kills a replay at random moments, over and over, and resumes it: the whole process group, one
 * terminal process, or the coordinator alone. After each kill, and at the end of each store, every
 * acknowledged invoice must be in the journals exactly once, receipt numbers without a gap, and the
 * journals sound; a finished store must come to the figures of the data, to the penny.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type Chance, chance, isLong } from './chance.js'
import { ackLogSize, ReplayRun, terminalsOf } from './replay-run.js'
import { auditStore, recoveriesOf } from './store-audit.js'

const killsWanted = isLong ? 500 : 6
/** Bytes of an acknowledgement, about: kills are timed by how far the replay has come. */
const ackBytes = 22
/** Nothing in a run takes so long; a run that does is stuck. */
const stuckMs = 120_000

/** The figures of the bundled data, from the page beside it. */
const figures = {
  invoices: 4894,
  sales: 4089,
  returns: 805,
  adjustments: 0,
  saleLines: 103431,
  returnLines: 1904,
  salesMinor: 203874259,
  returnsMinor: -23172266,
  adjustmentsMinor: 0,
}

interface Counts {
  kills: number
  runs: number
  stores: number
  recoveries: number
  acknowledged: number
  missing: number
  doubled: number
  gaps: number
}

test('nothing acknowledged is lost or doubled, whoever is killed and when', async (t) => {
  const luck = chance()
  t.log(`seed ${luck.seed} (POS_KERNEL_SEED)`)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-kill-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const counts: Counts = {
    kills: 0,
    runs: 0,
    stores: 0,
    recoveries: 0,
    acknowledged: 0,
    missing: 0,
    doubled: 0,
    gaps: 0,
  }
  let root = ''
  let isComplete = true
  // The last store is finished too: its totals are the proof of all that was done to it.
  while (counts.kills < killsWanted || !isComplete) {
    if (isComplete) {
      counts.stores += 1
      root = path.join(folder, `store-${counts.stores}`)
      mkdirSync(root)
    }
    isComplete = await runOnce(t, luck, counts, root, counts.kills >= killsWanted)
    if (isComplete) {
      counts.recoveries += await recoveriesOf(root)
      counts.acknowledged += (await audit(t, counts, root)).acknowledged
      rmSync(root, { recursive: true })
      progress(counts)
    }
  }
  t.log(line(counts))
  t.true(counts.recoveries > 0)
  t.deepEqual([counts.missing, counts.doubled, counts.gaps], [0, 0, 0])
})

/** Starts or resumes a replay and kills it, or lets it end. True when the store is complete. */
async function runOnce(
  t: ExecutionContext,
  luck: Chance,
  counts: Counts,
  root: string,
  isSpared: boolean,
): Promise<boolean> {
  counts.runs += 1
  const args = ['--terminals', String(luck.pick([4, 4, 4, 2, 6]))]
  if (luck.happens(0.5)) args.push('--by-call')
  // Flushing every call takes its time: where nobody is killed any more, it proves nothing new.
  args.push('--durability', isSpared || luck.happens(0.8) ? 'sale' : 'record')
  const run = new ReplayRun(root, args)
  try {
    while (!isSpared && counts.kills < killsWanted) {
      await aMoment(luck, run)
      const aim = luck.next()
      const isDead = aim < 0.45 ? run.killAll() : aim < 0.65 && run.killCoordinator()
      const isHit = isDead || (aim >= 0.65 && run.killTerminal(luck.pick(someTerminals(root))))
      if (run.hasEnded) break
      if (!isHit) continue
      counts.kills += 1
      if (isDead) await inTime(run.end)
      await audit(t, counts, root)
      if (isDead) return false
    }
    const { code, stdout } = await inTime(run.end)
    t.is(code, 0, `replay ${args.join(' ')} ended with ${code}: ${stdout}`)
    const summary = JSON.parse(stdout)
    t.like(summary, figures)
    t.deepEqual(summary.skipped, [])
    return true
  } finally {
    run.killAll()
  }
}

/** Waits until some invoices more have been acknowledged, or for a time, then for a bit more. */
async function aMoment(luck: Chance, run: ReplayRun): Promise<void> {
  const isTimed = luck.happens(0.25)
  const until = performance.now() + (isTimed ? luck.between(0, 1800) : stuckMs)
  const size = ackLogSize(run.root) + luck.between(1, 500) * ackBytes
  while (!run.hasEnded && performance.now() < until && (isTimed || ackLogSize(run.root) < size)) {
    await delay(1)
  }
  // The clock of timers ticks in milliseconds; a kill may fall between two ticks.
  const spin = performance.now() + luck.next() * 2
  while (performance.now() < spin);
}

async function audit(t: ExecutionContext, counts: Counts, root: string) {
  const found = await auditStore(root)
  counts.missing += found.missing.length
  counts.doubled += found.doubled.length
  counts.gaps += found.gaps.length
  const { missing, doubled, gaps, problems } = found
  const nothing = { missing: [], doubled: [], gaps: [], problems: [] }
  t.deepEqual({ missing, doubled, gaps, problems }, nothing, `after kill ${counts.kills}`)
  return found
}

function someTerminals(root: string): [string, ...string[]] {
  const [first = 'REGISTER_01', ...others] = terminalsOf(root)
  return [first, ...others]
}

async function inTime<T>(waiting: Promise<T>): Promise<T> {
  const limit = delay(stuckMs, undefined, { ref: false }).then(() => {
    throw new Error(`nothing happened for ${stuckMs} ms`)
  })
  return Promise.race([waiting, limit])
}

function progress(counts: Counts): void {
  if (isLong) console.error(line(counts))
}

function line(counts: Counts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name}=${count}`)
    .join(' ')
}
