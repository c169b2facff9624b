/**
 * A whole day in a shop with two tills, one of them killed while a card is pending: every sum agrees,
 * both verifiers are content, and a program that uses none of our code reads the exports.
 */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { byAuditor, byKernel } from '../auditor/both.js'
import { ended, posKernel, projectRoot } from '../support/child.js'
import { tempStore } from '../support/store.js'

const check = path.join(projectRoot, 'examples/audit/check_export.py')
const hasPython = spawnSync('python3', ['--version']).status === 0
const withPython = hasPython ? test : test.skip

/** The foreign program's word on an export. */
async function checked(form: string, dir: string) {
  const { stdout, stderr } = await ended(spawn('python3', ['-B', check, form, dir]))
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as { ok: boolean; faults: string[]; receipts?: number }
}

/** Plays the day on a new store. */
async function dayOn(root: string) {
  const program = path.join(projectRoot, 'examples/shop-day.mjs')
  const day = await ended(spawn(process.execPath, [program, '--root', root, '--json']))
  return { ...JSON.parse(day.stdout), stderr: day.stderr }
}

test('every sum of the day agrees, and both verifiers are content', async (t) => {
  t.timeout(300_000)
  const root = path.join(tempStore(t), 'store')
  const { ok, tills, differences, stderr } = await dayOn(root)
  t.deepEqual(differences, [], stderr)
  t.true(ok)
  t.like(tills.REGISTER_01, { receipts: 34, gross: 142_127, tax: 19_585, kills: 1 })
  t.like(tills.REGISTER_02, { receipts: 19, gross: 104_352, tax: 14_169, training: 1 })
  t.log(`tills: ${JSON.stringify(tills)}`)

  const [kernel, auditor] = [await byKernel(root), await byAuditor(root)]
  t.true(kernel.ok, kernel.because)
  t.deepEqual(auditor.terminals, kernel.terminals, auditor.because)
})

withPython('the exports of the day add up for a stranger (needs python3)', async (t) => {
  t.timeout(300_000)
  const root = path.join(tempStore(t), 'store')
  const { tills } = await dayOn(root)
  for (const form of ['dsfinvk', 'dep', 'jsonl']) {
    const out = path.join(root, '..', form)
    const where = ['--root', root, '--format', form, '--out', out, '--json']
    const made = await posKernel(['export', ...where])
    t.is(made.code, 0, made.stderr)
    const folders = form === 'jsonl' ? [out] : Object.keys(tills).map((id) => path.join(out, id))
    for (const folder of folders) {
      const report = await checked(form, folder)
      t.deepEqual(report.faults, [], `${form} in ${folder}`)
      t.log(`${form}: ${JSON.stringify(report)}`)
    }
  }
  // The stranger finds a cent.
  const lines = path.join(root, '..', 'dsfinvk/REGISTER_01/datapayment.csv')
  const before = readFileSync(lines, 'utf8')
  const after = before.replace(/,(\d)(\d)\r\n/, (_, tens, units) => `,${tens}${9 - units}\r\n`)
  t.not(after, before)
  writeFileSync(lines, after)
  t.false((await checked('dsfinvk', path.dirname(lines))).ok)
})
