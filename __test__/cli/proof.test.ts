/** `export`, `anchor`, `archive`, and the options of `verify` that belong to them. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openTerminal } from '../../ts/index.js'
import { jsonLines, posKernel } from '../support/child.js'
import { tempStore } from '../support/store.js'

/** A store whose terminal has sealed segments. */
async function store(t: ExecutionContext): Promise<string> {
  const root = tempStore(t)
  const terminal = await openTerminal({ root, id: 'T1', segmentBytes: 65_536, durability: 'sale' })
  while (terminal.status().segment < 3) {
    await terminal.sell({
      store: 'S',
      currency: 'EUR',
      lines: [{ sku: 'A', text: 'x'.repeat(250), quantity: 1, unitPrice: 100 }],
      tenders: [{ kind: 'cash', amount: 100 }],
    })
  }
  await terminal.close()
  return root
}

test('anchor, archive and export, and what verify makes of them', async (t) => {
  const root = await store(t)
  const common = ['--root', root, '--json']
  const anchored = await posKernel(['anchor', ...common, '--place', 'a test', '--sign'])
  t.is(anchored.code, 0, anchored.stdout)
  const { link, signature, sequence } = JSON.parse(anchored.stdout)
  const archived = await posKernel(['archive', ...common, '--upto', '1', '--sign'])
  t.is(archived.code, 0, archived.stdout)
  t.like(JSON.parse(archived.stdout), { ok: true, removed: 1, oldestSegment: 2 })
  const key = ['--key', signature.key]
  const verified = await posKernel(['verify', ...common, '--anchor', link, ...key])
  t.is(verified.code, 0, verified.stdout)
  const [report] = JSON.parse(verified.stdout).terminals
  t.like(report, { archiveSegments: 1, archived: { segment: 1 }, firstSequence: 1 })
  t.true(report.signing.signedSequence > sequence)
  const shown = await posKernel(['verify', '--root', root, ...key])
  t.regex(shown.stdout, /T1 archived up to segment 1; 1 segments were read from an archive/)
  t.regex(shown.stdout, new RegExp(`ed25519 ${signature.key} vouches up to record \\d+`))
  const other = await posKernel(['verify', ...common, '--key', '00'.repeat(32)])
  t.is(other.code, 1)
  t.regex(other.stdout, /PK_E_SIGNATURE/)

  const out = path.join(tempStore(t), 'new/folder')
  const exported = await posKernel(['export', ...common, '--format', 'jsonl', '--out', out])
  t.is(exported.code, 0, exported.stdout)
  const summary = JSON.parse(exported.stdout)
  const text = readFileSync(path.join(out, 'T1.jsonl'))
  t.like(summary, { ok: true, format: 'jsonl', terminals: { 0: { id: 'T1', problems: [] } } })
  t.is(summary.files[0].sha256, createHash('sha256').update(text).digest('hex'))
  t.is(summary.terminals[0].head, report.head)
  t.is(summary.terminals[0].records, report.records)
  const lines = jsonLines(text.toString())
  t.is(lines.filter(({ header }) => header !== undefined).length, report.segments)
})

test('export: formats are named, and a store without a terminal has nothing to export', async (t) => {
  const root = await store(t)
  const out = tempStore(t)
  const unknown = await posKernel(['export', '--root', root, '--format', 'xml', '--out', out])
  t.is(unknown.code, 2)
  t.regex(unknown.stderr, /jsonl/)
  t.is((await posKernel(['export', '--root', root, '--out', out])).code, 2)
  const empty = await posKernel(['export', '--root', out, '--format', 'jsonl', '--out', out])
  t.is(empty.code, 1)
})

test('anchor and archive refuse a terminal in use and one that is not there', async (t) => {
  const root = await store(t)
  const terminal = await openTerminal({ root, id: 'T1' })
  for (const command of ['anchor', 'archive']) {
    const used = await posKernel([command, '--root', root, '--json'])
    t.is(used.code, 1)
    t.regex(used.stdout, /PK_E_TERMINAL_IN_USE/)
    const none = await posKernel([command, '--root', root, '--terminal', 'T9', '--json'])
    t.is(none.code, 1)
    t.regex(none.stdout, /PK_E_NOT_FOUND/)
  }
  await terminal.close()
  const early = await posKernel(['archive', '--root', root, '--upto', '0'])
  t.is(early.code, 2)
})
