/** The commands around the journal: exit codes, help, verify, inspect, doctor. */
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import test from 'ava'
import { openTerminal } from '../../ts/index.js'
import { ended, jsonLines, posKernel, startProgram } from '../support/child.js'
import { coffees, tempStore, terminalFor } from '../support/store.js'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

/** A store with sales on two terminals. */
async function soldStore(t: Parameters<typeof tempStore>[0]): Promise<string> {
  const root = tempStore(t)
  for (const id of ['ONE', 'TWO']) {
    const terminal = await openTerminal({ root, id })
    for (let count = 0; count < 3; count += 1) await terminal.sell(coffees)
    await terminal.close()
  }
  return root
}

/** Puts a word over the middle of a terminal's sales. */
function damage(root: string, id: string): void {
  const file = path.join(root, 'terminals', id, 'transaction.wal/segment-000001.wal')
  const segment = openSync(file, 'r+')
  writeSync(segment, 'damage', 12_900)
  closeSync(segment)
}

test('--help and --version', async (t) => {
  const help = await posKernel(['--help'])
  t.is(help.code, 0)
  for (const command of ['replay', 'script', 'verify', 'inspect', 'minimize', 'bench', 'doctor']) {
    t.regex(help.stdout, new RegExp(`^  ${command} `, 'm'))
    const own = await posKernel([command, '--help'])
    t.is(own.code, 0, command)
    t.regex(own.stdout, /Examples?:/, `${command} has no example`)
    t.regex(own.stdout, /--root <dir>/, `${command} hides the global options`)
  }
  t.regex(help.stdout, /Exit codes: 0 done/)
  const told = await posKernel(['--version'])
  t.is(told.stdout.trim(), version)
  t.is(told.code, 0)
})

test('wrong usage ends with exit 2, with --json as one JSON document', async (t) => {
  const cases = [
    [],
    ['nonsense'],
    ['verify', '--nonsense'],
    ['verify', '--anchor'],
    ['verify', 'too', 'many'],
    ['script'],
    ['script', 'a', 'b'],
    ['script', '-', '--durability', 'often'],
    ['inspect', '--from', 'x'],
    ['inspect', '--from', '0'],
    ['inspect', '--from', '-1'],
    ['inspect', '--from', '1.5'],
    ['verify', '--root', ''],
    ['verify', '--terminal', '../x'],
    ['verify', '--anchor', 'abc', '--root', '/'],
  ]
  const root = tempStore(t)
  await Promise.all(
    cases.map(async (args) => {
      const plain = await posKernel(args, { cwd: root })
      t.is(plain.code, 2, args.join(' '))
      t.is(plain.stdout, '')
      t.not(plain.stderr, '')
      const json = await posKernel([...args, '--json'], { cwd: root })
      t.is(json.code, 2, args.join(' '))
      const [answer, ...more] = jsonLines(json.stdout)
      t.like(answer, { ok: false }, args.join(' '))
      t.regex(String(answer?.code), /^PK_E_/)
      t.deepEqual(more, [])
      t.is(json.stderr, '')
    }),
  )
})

test('a file that is not there and a root that is none end with exit 3', async (t) => {
  const root = tempStore(t)
  const nowhere = path.join(root, 'nowhere')
  const file = path.join(root, 'file')
  writeFileSync(file, '')
  const cases = [
    ['script', nowhere, '--root', root, '--terminal', 'T1'],
    ['script', root, '--root', root, '--terminal', 'T1'],
    ['verify', '--root', nowhere],
    ['verify', '--root', file],
  ]
  for (const args of cases) {
    const { code, stdout } = await posKernel([...args, '--json'])
    t.is(code, 3, args.join(' '))
    t.like(JSON.parse(stdout), { ok: false, code: 'PK_E_IO' })
    t.truthy(JSON.parse(stdout).facts.path ?? JSON.parse(stdout).facts.operation)
  }
})

test('verify: a sound store is ok, for people and as JSON', async (t) => {
  const root = await soldStore(t)
  const json = await posKernel(['verify', '--root', root, '--json'])
  t.is(json.code, 0)
  t.is(json.stderr, '')
  t.like(JSON.parse(json.stdout), {
    ok: true,
    terminals: [
      { id: 'ONE', receipts: 3, segments: 1, problems: [] },
      { id: 'TWO', receipts: 3 },
    ],
  })
  const plain = await posKernel(['--root', root, '--terminal', 'ONE', 'verify'])
  t.is(plain.code, 0)
  t.regex(plain.stdout, /^ONE +\d+ +1 +3 +0 +0$/m)
  t.notRegex(plain.stdout, /TWO/)
  t.regex(plain.stdout, /everything holds/)
  const byEnvironment = await posKernel(['verify', '--json'], { env: { POS_KERNEL_ROOT: root } })
  t.is(byEnvironment.stdout, json.stdout)
})

test('verify: damage is exit 1 and named', async (t) => {
  const root = await soldStore(t)
  damage(root, 'TWO')
  const json = await posKernel(['verify', '--root', root, '--json'])
  t.is(json.code, 1)
  const report = JSON.parse(json.stdout)
  t.false(report.ok)
  t.deepEqual(report.terminals[0].problems, [])
  t.like(report.terminals[1].problems[0], { segment: 1, code: 'PK_E_CORRUPT' })
  const plain = await posKernel(['verify', '--root', root])
  t.is(plain.code, 1)
  t.regex(plain.stdout, /TWO: segment 1 at byte \d+, record \d+: PK_E_CORRUPT/)
  t.is((await posKernel(['verify', '--root', root, '--terminal', 'ONE'])).code, 0)
  const script = await posKernel(['script', '-', '--root', root, '--terminal', 'TWO'], {
    input: '{"op":"status"}\n{"op":"status"}\n',
  })
  t.is(script.code, 3, 'a damaged terminal cannot be opened')
  t.like(jsonLines(script.stdout), { length: 1, 0: { ok: false, code: 'PK_E_CORRUPT' } })
})

test('verify: an anchor has to be there', async (t) => {
  const root = await soldStore(t)
  const { stdout } = await posKernel(['verify', '--root', root, '--json'])
  const { head } = JSON.parse(stdout).terminals[0]
  t.is((await posKernel(['verify', '--root', root, '--anchor', head])).code, 0)
  const other = await posKernel(['verify', '--root', root, '--anchor', '0'.repeat(64), '--json'])
  t.is(other.code, 1)
  t.regex(other.stdout, /PK_E_ANCHOR_MISSING/)
})

test('verify: what does not exist is not well', async (t) => {
  const root = await soldStore(t)
  const unknown = await posKernel(['verify', '--root', root, '--terminal', 'THREE', '--json'])
  t.is(unknown.code, 1)
  t.is(JSON.parse(unknown.stdout).code, 'PK_E_NOT_FOUND')
  const empty = await posKernel(['verify', '--root', tempStore(t), '--json'])
  t.is(empty.code, 1)
  t.is(JSON.parse(empty.stdout).code, 'PK_E_NOT_FOUND')
})

test('inspect: JSON lines, lines for people, and from a sequence on', async (t) => {
  const root = await soldStore(t)
  const all = await posKernel(['inspect', '--root', root, '--terminal', 'ONE', '--json'])
  t.is(all.code, 0)
  const records = jsonLines(all.stdout)
  t.deepEqual(
    records.map(({ sequence }) => sequence),
    records.map((_, index) => index + 1),
  )
  t.is(records.at(-1)?.kind, 'TerminalClosed')
  const tail = await posKernel([
    'inspect',
    '--root',
    root,
    '--terminal',
    'ONE',
    '--from',
    '10',
    '--json',
  ])
  t.deepEqual(jsonLines(tail.stdout), records.slice(9))
  const plain = await posKernel(['inspect', '--root', root, '--terminal', 'ONE'])
  t.regex(plain.stdout, /^ +6 {2}\S+Z {2}SaleCompleted {4}.*gross=640.*receipt=1/m)
  const which = await posKernel(['inspect', '--root', root, '--json'])
  t.is(which.code, 2)
  t.like(JSON.parse(which.stdout), {
    code: 'PK_E_BAD_ARGUMENT',
    facts: { allowed: ['ONE', 'TWO'] },
  })
  const environment = await posKernel(['inspect', '--root', root, '--json'], {
    env: { POS_TERMINAL_ID: 'TWO' },
  })
  t.is(jsonLines(environment.stdout).length, records.length)
})

test('inspect: the only terminal of a store needs no name, and none is an error', async (t) => {
  const root = tempStore(t)
  const none = await posKernel(['inspect', '--root', root, '--json'])
  t.is(none.code, 1)
  t.is(JSON.parse(none.stdout).code, 'PK_E_NOT_FOUND')
  await (await openTerminal({ root, id: 'ONLY' })).close()
  const only = await posKernel(['inspect', '--root', root])
  t.is(only.code, 0)
  t.regex(only.stdout, /TerminalOpened/)
})

test('inspect --follow shows what is written, and ends in order at an interrupt', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root, id: 'T1' })
  const child = startProgram('../../../dist/cli/main.js', [
    'inspect',
    '--root',
    root,
    '--follow',
    '--json',
  ])
  let seen = ''
  const completed = new Promise<void>((resolve) => {
    child.stdout?.on('data', (text) => {
      const isFirst = seen === ''
      seen += text
      // Something was seen, so it follows by now.
      if (isFirst) void terminal.sell(coffees)
      if (seen.includes('SaleCompleted')) resolve()
    })
  })
  const end = ended(child)
  await completed
  child.kill('SIGINT')
  const { code, signal, stderr } = await end
  t.is(stderr, '')
  t.deepEqual([code, signal], [0, null])
})

test('a reader that has seen enough is no failure', async (t) => {
  const root = tempStore(t)
  const terminal = await openTerminal({ root, id: 'T1', durability: 'sale' })
  await Promise.all(Array.from({ length: 2000 }, () => terminal.sell(coffees)))
  await terminal.close()
  const child = startProgram('../../../dist/cli/main.js', ['inspect', '--root', root, '--json'])
  child.stdout?.once('data', () => child.stdout?.destroy())
  const { code, stderr } = await ended(child)
  t.is(stderr, '')
  t.is(code, 0)
})

test('doctor: a machine that is fit, and nothing is left behind', async (t) => {
  const root = tempStore(t)
  const { code, stdout, stderr } = await posKernel(['doctor', '--root', root, '--json'])
  t.is(stderr, '')
  const { ok, checks } = JSON.parse(stdout)
  t.is(code, 0, stdout)
  t.true(ok)
  t.deepEqual(
    checks
      .map(({ name }: { name: string }) => name)
      .filter((name: string) => !name.startsWith('host ')),
    [
      'platform',
      'node',
      'binding',
      'root',
      'file system',
      'room',
      'disk flush',
      'lock',
      'fs-ext',
      'clock',
      'permissions',
    ],
  )
  for (const check of checks) {
    t.true(check.ok, check.name)
    t.true(['ok', 'warn'].includes(check.level))
    t.true(check.level === 'ok' ? check.advice === undefined : check.advice.length > 10)
    t.is(typeof check.value, 'string')
  }
  t.deepEqual(readdirSync(root), [])
  const plain = await posKernel(['doctor', '--root', root])
  t.is(plain.code, 0)
  t.regex(plain.stdout, /^ok +lock +a second owner is refused$/m)
  t.regex(plain.stdout, /fit to sell\n$/)
})

test('doctor: a store that is not there yet is looked at without making it', async (t) => {
  const folder = tempStore(t)
  const root = path.join(folder, 'a', 'b')
  const { code, stdout } = await posKernel(['doctor', '--root', root, '--json'])
  t.is(code, 0)
  const check = JSON.parse(stdout).checks.find(({ name }: { name: string }) => name === 'root')
  t.is(check.value, `${root} (not there yet)`)
  t.deepEqual(readdirSync(folder), [])
})

test('doctor: runs beside an open terminal', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root, id: 'T1' })
  const { code, stdout } = await posKernel(['doctor', '--root', root])
  t.is(code, 0, stdout)
  t.regex(stdout, /files of 1 terminals/)
  t.is((await terminal.sell(coffees)).receiptNumber, 1)
})

test('doctor: files that everybody may write to, and a clock that went back, are risks', async (t) => {
  const root = tempStore(t)
  await (await openTerminal({ root, id: 'T1' })).close()
  const folder = path.join(root, 'terminals/T1')
  const owner = path.join(folder, 'terminal.owner.json')
  writeFileSync(owner, JSON.stringify({ openedAt: '2099-01-01T00:00:00.000Z' }))
  chmodSync(owner, 0o666)
  const { code, stdout } = await posKernel(['doctor', '--root', root, '--json'])
  t.is(code, 0)
  const { checks } = JSON.parse(stdout)
  const named = (name: string) => checks.find((check: { name: string }) => check.name === name)
  t.like(named('clock'), { ok: true, level: 'warn' })
  t.regex(named('clock').value, /2099-01-01/)
  t.like(named('permissions'), { ok: true, level: 'warn' })
  t.is(named('permissions').advice, `run: chmod o-w ${owner}`)
})

test('doctor: a root that is a file has to be fixed', async (t) => {
  const root = path.join(tempStore(t), 'file')
  writeFileSync(root, '')
  const { code, stdout } = await posKernel(['doctor', '--root', root, '--json'])
  t.is(code, 1)
  t.false(JSON.parse(stdout).ok)
})

const isRoot = process.getuid?.() === 0
const testWithoutRights = isRoot || process.platform === 'win32' ? test.skip : test

testWithoutRights('doctor: a root without rights has to be fixed', async (t) => {
  const root = path.join(tempStore(t), 'store')
  mkdirSync(root, { mode: 0o500 })
  const { code, stdout } = await posKernel(['doctor', '--root', root, '--json'])
  t.is(code, 1)
  t.like(JSON.parse(stdout).checks[3], { name: 'root', ok: false, level: 'fail' })
})
