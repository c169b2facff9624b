/**
 * Who owns a terminal is what the operating system's lock says, and nothing else: no text in the
 * lock file, no owner record, no process id. And a process that is refused leaves no trace.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { isPosError, openTerminal, openTerminalSync } from '../../ts/index.js'
import { ownerIdle } from '../support/store.js'
import { command } from './replay-run.js'

const id = 'REGISTER_01'

const cart = {
  store: 'LOCK',
  currency: 'EUR',
  lines: [{ sku: 'tea', quantity: 1, unitPrice: 250 }],
  tenders: [{ kind: 'cash', amount: 250 }],
} as const

/** An owner record as this version writes it, of a process that is not the owner. */
function record(changes: object): string {
  return JSON.stringify({
    pid: 1,
    processStart: 12,
    bootId: '8d1b2f3a-1111-4222-8333-444455556666',
    host: 'elsewhere',
    version: '0.1.0',
    hostVersion: null,
    epoch: 77,
    openedAt: '2026-01-02T03:04:05.000Z',
    released: false,
    ...changes,
  })
}

const garbage = Buffer.from('\u{0}\u{1}{"pid": \u{fffd}\u{7f}]]'.repeat(9), 'latin1')

/** What may stand in the two files without meaning anything. */
const texts: readonly (readonly [string, { lock?: string | Buffer; owner?: string | Buffer }])[] = [
  ['a live foreign pid', { lock: '1\n', owner: record({ pid: 1 }) }],
  ['a reused pid', { lock: `${process.pid}\n`, owner: record({ pid: process.pid }) }],
  ['the pid of our parent', { lock: `${process.ppid}`, owner: record({ pid: process.ppid }) }],
  ['a pid that no process has', { lock: '4194999', owner: record({ pid: 4_194_999 }) }],
  ['an owner of another boot and epoch', { owner: record({ epoch: 4_000_000_000 }) }],
  ['an owner that says it is gone', { owner: record({ released: true }) }],
  ['garbage', { lock: garbage, owner: garbage }],
  ['nothing', { lock: '', owner: '' }],
  ['JSON of another shape', { lock: '[]', owner: '{"pid":"one","released":"no"}' }],
  ['a megabyte', { lock: Buffer.alloc(1 << 20, 'x'), owner: Buffer.alloc(1 << 20, '[') }],
]

function newRoot(t: ExecutionContext): string {
  const root = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-lock-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  return root
}

function put(root: string, { lock, owner }: { lock?: string | Buffer; owner?: string | Buffer }) {
  const dir = path.join(root, 'terminals', id)
  if (lock !== undefined) writeFileSync(path.join(dir, 'terminal.lock'), lock)
  if (owner !== undefined) writeFileSync(path.join(dir, 'terminal.owner.json'), owner)
}

async function holder(t: ExecutionContext, root: string): Promise<ChildProcess> {
  const entry = fileURLToPath(new URL('./holder.mjs', import.meta.url))
  const child = fork(entry, [root, id], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

test('a terminal opens whatever the files of its last owner say', async (t) => {
  const root = newRoot(t)
  await (await openTerminal({ root, id })).close()
  const lockFile = path.join(root, 'terminals', id, 'terminal.lock')
  const { ino } = statSync(lockFile)
  let receipts = 0
  for (const [what, files] of texts) {
    put(root, files)
    const terminal = await openTerminal({ root, id, durability: 'sale' })
    t.true(terminal.recovery.clean, what)
    receipts += 1
    t.is((await terminal.sell(cart)).receiptNumber, receipts, what)
    await terminal.close()
  }
  t.is(statSync(lockFile).ino, ino, 'the lock file was replaced')
})

test('a terminal whose owner was killed opens whatever the files say', async (t) => {
  const root = newRoot(t)
  for (const [what, files] of texts) {
    const owner = await holder(t, root)
    const gone = once(owner, 'exit')
    owner.kill('SIGKILL')
    await gone
    put(root, files)
    const terminal = openTerminalSync({ root, id })
    t.false(terminal.recovery.clean, what)
    terminal.closeSync()
  }
})

test('a lock that is really held is refused whatever the files say', async (t) => {
  const root = newRoot(t)
  const owner = await holder(t, root)
  const named = await t.throwsAsync(openTerminal({ root, id }))
  t.true(isPosError(named, 'PK_E_TERMINAL_IN_USE'))
  if (isPosError(named, 'PK_E_TERMINAL_IN_USE')) t.is(named.facts.owner?.pid, owner.pid)
  for (const [what, files] of texts) {
    put(root, files)
    const error = await t.throwsAsync(openTerminal({ root, id }))
    t.true(isPosError(error, 'PK_E_TERMINAL_IN_USE'), what)
  }
  const gone = once(owner, 'exit')
  owner.kill('SIGKILL')
  await gone
  await (await openTerminal({ root, id })).close()
})

test('a refused process writes not one byte', async (t) => {
  const root = newRoot(t)
  const owner = await holder(t, root)
  await ownerIdle(root, id)
  const before = snapshot(root)
  t.true(before.size >= 5)
  const options = [
    { root, id },
    { root, id, durability: 'sale' as const },
    { root, id, segmentBytes: 65_536 },
    { root, id, create: false },
  ]
  for (const option of options) {
    const error = await t.throwsAsync(openTerminal(option))
    t.true(isPosError(error, 'PK_E_TERMINAL_IN_USE'))
    t.throws(() => openTerminalSync(option), { code: 'PK_E_TERMINAL_IN_USE' })
  }
  const args = [command, 'script', '-', '--root', root, '--terminal', id, '--json']
  const script = '{"op":"begin","store":"X","currency":"EUR"}\n'
  const { status, stdout } = spawnSync(process.execPath, args, { input: script, encoding: 'utf8' })
  t.is(status, 1, stdout)
  t.true(stdout.includes('PK_E_TERMINAL_IN_USE'), stdout)
  t.deepEqual(snapshot(root), before)
  owner.send('close')
  await once(owner, 'exit')
})

/** Everything below a folder: content, size, times of content and of the entry. */
function snapshot(root: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const name of ['', ...(readdirSync(root, { recursive: true }) as string[])].sort()) {
    const file = path.join(root, name)
    const { size, mtimeNs, ctimeNs, ino, mode } = statSync(file, { bigint: true })
    const isFile = statSync(file).isFile()
    const content = isFile ? createHash('sha256').update(readFileSync(file)).digest('hex') : ''
    found.set(name, [size, mtimeNs, ctimeNs, ino, mode, content].join(' '))
  }
  return found
}
