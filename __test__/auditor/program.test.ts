/** `pos-kernel-audit` as it is installed: its exit codes, its report, and what it does not need. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { AuditRefusal, auditStore } from '../../ts/auditor/index.js'
import { type Ended, ended, projectRoot } from '../support/child.js'
import { tempStore } from '../support/store.js'
import { Forgery } from './forger.js'
import { goldenStore } from './stores.js'

const program = path.join(projectRoot, 'dist/auditor/main.js')

function audit(...args: readonly string[]): Promise<Ended> {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  // Whoever loads the binding here fails.
  const env = { ...inherited, NAPI_RS_NATIVE_LIBRARY_PATH: '/nowhere/pos-kernel.node' }
  return ended(spawn(process.execPath, [program, ...args], { env, stdio: 'pipe' }))
}

test('a sound store: exit 0, every count, no binding needed', async (t) => {
  const root = tempStore(t)
  goldenStore(root)
  const { code, stdout, stderr } = await audit('--root', root)
  t.is(stderr, '')
  t.is(code, 0)
  t.is(
    stdout,
    [
      'REGISTER_01: 297 records in 2 segments, 15 receipts, 1 open sales',
      'REGISTER_01: EUR sold 275000, returned 75 minor units; 14 receipts, 1 voids',
      'REGISTER_01: KWD sold 2000, returned 0 minor units; 1 receipts, 0 voids',
      'REGISTER_01 head 5e897c0644a5323ddd9854015cb379954f4644feed7473755e6d339f8b0b8d09',
      'everything holds',
      '',
    ].join('\n'),
  )
  for (const terminal of ['REGISTER_01', undefined]) {
    const named = terminal === undefined ? [] : ['--terminal', terminal]
    const json = await audit('--root', root, ...named, '--json')
    t.is(json.code, 0)
    const report = await auditStore({ root, terminal })
    t.deepEqual(JSON.parse(json.stdout), JSON.parse(JSON.stringify(report)))
  }
})

test('a changed store: exit 1, and the place', async (t) => {
  const root = tempStore(t)
  const forgery = new Forgery(goldenStore(root))
  const [segment] = forgery.segments
  const frame = segment?.frames()[5]
  if (segment === undefined || frame === undefined) throw new Error('there is no such frame')
  segment.bytes[frame.at + 80] = (segment.bytes[frame.at + 80] ?? 0) ^ 1
  segment.mendFrame(frame.at)
  forgery.save()
  const { code, stdout } = await audit('--root', root)
  t.is(code, 1)
  t.true(
    stdout.includes(`segment 1 at byte ${frame.at}, record ${frame.sequence}: chain (I8)`),
    stdout,
  )
  t.true(stdout.includes('PROBLEMS FOUND'))
  const anchored = await audit('--root', root, '--anchor', 'ab'.repeat(32), '--json')
  t.is(anchored.code, 1)
  t.is(JSON.parse(anchored.stdout).terminals[0].problems[0].kind, 'anchor')
})

test('nothing to audit: exit 2, and a sentence', async (t) => {
  const root = tempStore(t)
  const refused: readonly (readonly string[])[] = [
    [],
    ['--root', root],
    ['--root', path.join(root, 'nowhere')],
    ['--root', root, '--terminal', '../T1'],
    ['--root', root, '--terminal', 'T1'],
    ['--root', root, '--anchor', 'abc'],
    ['--root', root, '--unknown'],
  ]
  for (const args of refused) {
    const { code, stdout, stderr } = await audit(...args)
    t.is(code, 2, args.join(' '))
    t.is(stdout, '')
    t.regex(stderr, /^pos-kernel-audit: .+\n$/, args.join(' '))
  }
  await t.throwsAsync(auditStore({ root }), { instanceOf: AuditRefusal })
  t.is((await audit('--help')).code, 0)
})

test('the package names the entry and the program', async (t) => {
  const manifest = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8'))
  t.is(manifest.bin['pos-kernel-audit'], 'dist/auditor/main.js')
  const entry = await import('pos-kernel/auditor')
  t.deepEqual(Object.keys(entry).sort(), ['AuditRefusal', 'auditStore'])
})
