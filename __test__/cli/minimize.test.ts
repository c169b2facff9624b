/** `pos-kernel minimize`: what it prints where, and how it ends. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { minimizeSync } from '../../ts/index.js'
import { posKernel, projectRoot } from '../support/child.js'
import { tempStore } from '../support/store.js'
import { denseTable, plaFile } from '../support/tables.js'

const set = path.join(projectRoot, 'crates/espresso/tests/data/pla')
const small = '.i 2\n.o 1\n.ilb a b\n.ob both\n01 1\n11 1\n.e\n'
const smallest = '.i 2\n.o 1\n.ilb a b\n.ob both\n.type f\n.p 1\n-1 1\n.e\n'

test('a table from standard input goes to standard output, and nothing else does', async (t) => {
  const plain = await posKernel(['minimize', '-'], { input: small })
  t.like(plain, { code: 0, stdout: smallest, stderr: '' })
  const told = await posKernel(['minimize', '-', '--stats'], { input: small })
  t.like(told, { code: 0, stdout: smallest })
  t.regex(
    told.stderr,
    /products {2}2 -> 1, a minimum\nliterals {2}in 4 -> 1, mv 0 -> 0, out 2 -> 1/,
  )
})

test('--stats --json is the one document of the contract', async (t) => {
  const file = path.join(set, 'promo_m1.pla')
  const { code, stdout, stderr } = await posKernel(['minimize', file, '--stats', '--json'])
  t.is(code, 0)
  t.is(stderr, '')
  const document = JSON.parse(stdout)
  const { seconds, ...figures } = document
  t.deepEqual(figures, {
    inputs: 8,
    outputs: 8,
    type: 'fr',
    productsIn: 258,
    productsOut: 139,
    literalsIn: figures.literalsIn,
    literalsOut: figures.literalsOut,
    exact: false,
    verified: true,
  })
  t.deepEqual(Object.keys(figures.literalsIn), ['in', 'mv', 'out'])
  t.true(figures.literalsOut.in < figures.literalsIn.in)
  t.true(seconds > 0)
  t.deepEqual(Object.keys(document), [
    ...['inputs', 'outputs', 'type', 'productsIn', 'productsOut', 'literalsIn', 'literalsOut'],
    ...['exact', 'seconds', 'verified'],
  ])
  const whole = await posKernel(['minimize', '-', '--json'], { input: small })
  t.is(JSON.parse(whole.stdout).pla, smallest)
})

test('--out replaces a file at once, and leaves it alone when the table is bad', async (t) => {
  const folder = tempStore(t)
  const file = path.join(folder, 'rules.pla')
  writeFileSync(file, small)
  const done = await posKernel(['minimize', file, '--out', file, '--stats'])
  t.like(done, { code: 0, stderr: '' })
  t.regex(done.stdout, /products {2}2 -> 1/)
  t.is(readFileSync(file, 'utf8'), smallest)
  const bad = await posKernel(['minimize', '-', '--out', file], { input: '.i 2\n.o 1\n0x 1\n' })
  t.is(bad.code, 1)
  t.is(readFileSync(file, 'utf8'), smallest)
  t.deepEqual(readdirSync(folder), ['rules.pla'])
  const nowhere = path.join(folder, 'none/rules.pla')
  const failed = await posKernel(['minimize', file, '--out', nowhere, '--json'])
  t.is(failed.code, 3)
  t.is(JSON.parse(failed.stdout).code, 'PK_E_IO')
  if (existsSync('/dev/null')) {
    t.is((await posKernel(['minimize', file, '--out', '/dev/null'])).code, 0)
  }
})

test('modes, sets and threads', async (t) => {
  const file = path.join(set, 'ex5.pla')
  const products = async (...args: string[]) => {
    const { stdout } = await posKernel(['minimize', file, '--stats', '--json', ...args])
    return JSON.parse(stdout).productsOut as number
  }
  const [fast, normal] = [await products('--fast'), await products()]
  t.true(fast >= normal)
  t.is(normal, minimizeSync(plaFile('ex5.pla')).productsOut)
  t.is(await products('--threads', '2'), normal)
  const exact = await posKernel([
    'minimize',
    path.join(set, 'rd53.pla'),
    '--exact',
    '--stats',
    '--json',
  ])
  t.like(JSON.parse(exact.stdout), { productsOut: 31, exact: true })
  const both = await posKernel(['minimize', '-', '--write', 'fdr'], { input: small })
  t.is(both.stdout, smallest.replace('.type f\n.p 1\n-1 1', '.type fdr\n.p 2\n-1 1\n-0 0'))
})

test('a bad table ends with 1, a missing one with 3, wrong usage with 2', async (t) => {
  const bad = '.i 2\n.o 23\n.ob a b c\n01 1\n'
  const plain = await posKernel(['minimize', '-'], { input: bad })
  t.like(plain, { code: 1, stdout: '' })
  t.is(plain.stderr, 'pos-kernel: PK_E_BAD_PLA: line 3, column 1: .ob has 3 words, but needs 23\n')
  const json = await posKernel(['minimize', '-', '--json'], { input: bad })
  t.is(json.code, 1)
  t.like(JSON.parse(json.stdout), {
    ok: false,
    code: 'PK_E_BAD_PLA',
    facts: { line: 3, column: 1 },
  })
  t.is((await posKernel(['minimize', 'no-such-file.pla'])).code, 3)
  for (const args of [
    [],
    ['-', '--exact', '--fast'],
    ['-', '--fast', '--strong'],
    ['-', '--write', 'x'],
    ['-', '--time-limit', '0'],
    ['-', '--time-limit', 'soon'],
    ['-', '--memory-limit', '-5'],
    ['-', '--threads', '1.5'],
    ['-', '--threads', '1000'],
  ]) {
    t.is((await posKernel(['minimize', ...args], { input: small })).code, 2, args.join(' '))
  }
})

test('limits end a run: with the best table and a note, or with 1', async (t) => {
  const input = denseTable(12, 8)
  const long = await posKernel(['minimize', '-', '--exact', '--time-limit', '0.001', '--json'], {
    input,
  })
  t.is(long.code, 1)
  t.like(JSON.parse(long.stdout), {
    code: 'PK_E_NO_ANSWER',
    facts: { what: 'time', limit: 1 },
  })
  const large = path.join(set, 'o64.pla')
  const capped = await posKernel(['minimize', large, '--memory-limit', '16', '--stats', '--json'])
  t.like(JSON.parse(capped.stdout), { productsOut: 65, verified: true })
})

test('--many minimises each function of a file', async (t) => {
  const second = '.i 1\n.o 1\n1 1\n0 1\n.end # of the second\n'
  const both = `${small}# between\n${second}\n# after\n`
  const plain = await posKernel(['minimize', '-', '--many'], { input: both })
  t.like(plain, { code: 0, stderr: '' })
  t.is(plain.stdout, `${smallest}.i 1\n.o 1\n.type f\n.p 1\n- 1\n.e\n`)
  const file = path.join(set, 'fmt_many.pla')
  const { stdout } = await posKernel(['minimize', file, '--many', '--stats', '--json'])
  const { functions } = JSON.parse(stdout)
  t.deepEqual(
    functions.map(({ productsOut }: { productsOut: number }) => productsOut),
    [2, 2],
  )
  const alone = await posKernel(['minimize', '-', '--json'], { input: both })
  t.is(JSON.parse(alone.stdout).code, 'PK_E_BAD_PLA')
  const wrong = await posKernel(['minimize', '-', '--many', '--json'], {
    input: `${small}.i 1\n.o 1\n1 x\n.e\n`,
  })
  t.like(JSON.parse(wrong.stdout), { code: 'PK_E_BAD_PLA', facts: { line: 10, column: 3 } })
})
