/** `store audit`, its Node API, and the checker that needs no kernel. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  auditStore,
  auditStoreSync,
  checkStoreAudit,
  checkStoreAuditSync,
  followStoreAudit,
  openTerminal,
  reportStore,
  reportStoreSync,
} from '../../ts/index.js'
import { posKernel, projectRoot } from '../support/child.js'
import { coffees, refusal, tempStore } from '../support/store.js'

const checker = path.join(projectRoot, 'examples/audit/check_store_audit.py')
const hasPython = spawnSync('python3', ['--version']).status === 0

async function sell(root: string, id: string, sales: number): Promise<void> {
  await using terminal = await openTerminal({ root, id })
  for (let sale = 0; sale < sales; sale += 1) await terminal.sell(coffees)
}

async function store(t: ExecutionContext): Promise<string> {
  const root = tempStore(t)
  await sell(root, 'T1', 3)
  await sell(root, 'T2', 2)
  return root
}

const logOf = (root: string) => path.join(root, 'shared/aggregated_audit.log')

test('the command merges, checks and reports, and a second run finds nothing new', async (t) => {
  const root = await store(t)
  const run = (...args: string[]) => posKernel(['store', 'audit', '--root', root, ...args])
  const merged = await run('--json')
  t.is(merged.code, 0, merged.stdout)
  const first = JSON.parse(merged.stdout)
  t.like(first, { ok: true, blocks: 1, terminals: 2, cutBytes: 0, faults: [] })
  t.like(JSON.parse((await run('--json')).stdout), { frames: 0, blocks: 0, head: first.head })
  await sell(root, 'T1', 1)
  t.regex((await run()).stdout, /frames with \d+ records of 2 terminals are new\nhead [0-9a-f]{64}/)
  const checked = await run('--verify', '--anchor', first.head.hash)
  t.is(checked.code, 0, checked.stdout)
  t.regex(checked.stdout, /the log agrees with the journals and has all of them/)
  const report = await run('--report', 'x', '--json')
  const [euro] = JSON.parse(report.stdout).currencies
  t.like(euro, { currency: 'EUR', total: { gross: 6 * 640, receipts: 6 } })
  t.deepEqual(euro.total.tenders, { cash: { count: 6, amount: 6000 } })
  t.is(euro.total.change, 6 * 360)
  t.regex((await run('--report', 'hours')).stdout, /T\d\d:00:00.000Z +EUR +6 +3840 +3840/)
  t.regex((await run('--report', 'skus')).stdout, /coffee +EUR +6 +12 +3840 +3840/)
})

test('what is wrong ends with exit 1, wrong usage with 2, and a store without tills with 1', async (t) => {
  const root = await store(t)
  const run = (...args: string[]) => posKernel(['store', 'audit', '--root', root, ...args])
  const missing = await run('--verify', '--json')
  t.is(missing.code, 1)
  t.is(JSON.parse(missing.stdout).code, 'PK_E_NOT_FOUND')
  t.is((await run()).code, 0)
  t.is((await run('--report', 'nothing')).code, 2)
  t.is((await run('--follow', '--verify')).code, 2)
  t.is((await run('--verify', '--anchor', 'zz')).code, 2)
  t.is((await run('--verify', '--anchor', '00'.repeat(32))).code, 1)
  const nowhere = path.join(root, 'nowhere')
  t.is((await posKernel(['store', 'audit', '--root', nowhere, '--json'])).code, 1)
  const log = readFileSync(logOf(root), 'utf8')
  writeFileSync(logOf(root), log.replace('"coffee"', '"coffin"'))
  const bad = await run('--verify')
  t.is(bad.code, 1)
  t.regex(bad.stdout, /PK_E_AUDIT_LOG/)
  writeFileSync(logOf(root), log)
  const journal = path.join(root, 'terminals/T1/transaction.wal/segment-000001.wal')
  const bytes = readFileSync(journal)
  bytes.fill(0, 12_288, 16_384)
  writeFileSync(journal, bytes)
  await sell(root, 'T2', 1)
  const merged = await run('--json')
  t.is(merged.code, 1)
  const { faults, frames } = JSON.parse(merged.stdout)
  t.true(frames > 0, 'the other terminal is merged')
  t.is(faults.length, 1)
  t.is(faults[0].terminal, 'T1')
})

test('one process merges at a time; a report does not wait for it', async (t) => {
  const root = await store(t)
  const ending = new AbortController()
  const following = followStoreAudit({ root, everyMs: 5, signal: ending.signal })
  const first = await following.next()
  t.true((first.value?.frames ?? 0) > 0)
  await refusal(t, () => auditStore({ root }), 'PK_E_AUDIT_IN_USE')
  await refusal(t, () => auditStoreSync({ root }), 'PK_E_AUDIT_IN_USE')
  const command = ['store', 'audit', '--root', root, '--json']
  t.is((await posKernel(command)).code, 1)
  t.is((await posKernel([...command, '--report', 'x'])).code, 0)
  await sell(root, 'T3', 2)
  const { value } = await following.next()
  t.true((value?.frames ?? 0) > 0, 'what a new till sells is merged as it comes')
  ending.abort()
  t.true((await following.next()).done)
  t.true((await auditStore({ root })).ok)
  t.true((await checkStoreAudit({ root })).complete)
})

test('the twins on the calling thread answer the same', async (t) => {
  const root = await store(t)
  t.true(auditStoreSync({ root }).frames > 0)
  t.deepEqual(checkStoreAuditSync({ root }), await checkStoreAudit({ root }))
  t.deepEqual(reportStoreSync({ root }), await reportStore({ root }))
  const { hours, skus, currencies } = reportStoreSync({ root, reports: ['skus'] })
  t.deepEqual([hours, currencies, skus.length], [[], [], 1])
  await refusal(t, () => reportStore({ root, reports: ['y' as 'x'] }), 'PK_E_BAD_ARGUMENT')
  await refusal(t, () => auditStore({ roots: root } as never), 'PK_E_BAD_ARGUMENT')
  await refusal(t, () => checkStoreAudit({ root, anchor: 'zz' }), 'PK_E_BAD_ARGUMENT')
})

const withPython = hasPython ? test : test.skip
withPython('a checker without the kernel finds what ours finds', async (t) => {
  const root = await store(t)
  const { head } = await auditStore({ root })
  await sell(root, 'T1', 2)
  await auditStore({ root })
  const check = (...args: string[]) => {
    return spawnSync('python3', [checker, logOf(root), ...args], { encoding: 'utf8' })
  }
  const whole = check(head.hash)
  t.is(whole.status, 0, whole.stderr)
  t.regex(whole.stdout, /EUR: 7 receipts, gross 4480/)
  t.is(check('00'.repeat(32)).status, 1)
  const log = readFileSync(logOf(root), 'utf8')
  const lines = log.split('\n')
  const worse = [
    log.replace('"coffee"', '"coffin"'),
    lines.toSpliced(3, 1).join('\n'),
    [...lines.slice(0, 3), lines[4], lines[3], ...lines.slice(5)].join('\n'),
    `${lines.slice(0, 2).join('\n')}\n`,
  ]
  for (const [index, text] of worse.entries()) {
    writeFileSync(logOf(root), text)
    // A log that ends between blocks is unfinished and not wrong; a noted head shows the cut.
    t.is(check(head.hash).status, 1, `change ${index}`)
  }
})
