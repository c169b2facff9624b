/** `pos-kernel rules`: exit codes, JSON, explanations. */
import path from 'node:path'
import test from 'ava'
import { jsonLines, posKernel, projectRoot } from '../support/child.js'

const example = (name: string) => path.join(projectRoot, 'examples/rules', name)

test('a table without findings ends with exit 0', async (t) => {
  const plain = await posKernel(['rules', example('age-limits.csv')])
  t.is(plain.code, 0, plain.stderr)
  t.regex(plain.stdout, /^age limits: 9 rows \(first\)/)
  const json = await posKernel(['rules', example('tax-class.json'), '--json'])
  const [report] = jsonLines(json.stdout)
  t.is(json.code, 0)
  t.is(report?.rows, 10)
  t.deepEqual([report?.contradictions, report?.gaps, report?.shadowed], [[], [], []])
  t.true(Number(report?.products) > 0)
})

test('a table with findings ends with exit 1 and shows each with an example', async (t) => {
  const plain = await posKernel(['rules', example('broken.csv')])
  t.is(plain.code, 1)
  t.regex(plain.stdout, /contradictions: 1/)
  t.regex(plain.stdout, /wine-adult, wine-senior +\{.*"age":60/)
  t.regex(plain.stdout, /gaps: 2/)
  t.regex(plain.stdout, /food-member +food/)
  const json = await posKernel(['rules', example('broken.csv'), '--json'])
  t.is(json.code, 1)
  t.is(jsonLines(json.stdout)[0]?.ok, false)
})

test('--explain names the rows', async (t) => {
  const input = JSON.stringify({ class: 'tobacco', ageChecked: true, buyerAge: 17 })
  const plain = await posKernel(['rules', example('age-limits.csv'), '--explain', input])
  t.is(plain.code, 0, plain.stderr)
  t.regex(plain.stdout, /"decision":"refuse".* by tobacco-18/)
  t.regex(plain.stdout, /rows that apply: tobacco-18, otherwise/)
  const json = await posKernel(['rules', example('age-limits.csv'), '--explain', input, '--json'])
  const { explain } = jsonLines(json.stdout)[0] as { explain: { answers: { rows: string[] }[] } }
  t.deepEqual(explain.answers[0]?.rows, ['tobacco-18'])
})

test('an input that does not fit and a missing file have their exit codes', async (t) => {
  const file = example('age-limits.csv')
  t.is((await posKernel(['rules', file, '--explain', 'wine'])).code, 2)
  t.is((await posKernel(['rules', file, '--explain', '{"age":1}'])).code, 2)
  t.is((await posKernel(['rules'])).code, 2)
  const missing = await posKernel(['rules', example('nothing.csv'), '--json'])
  t.is(missing.code, 3)
  t.is(jsonLines(missing.stdout)[0]?.code, 'PK_E_IO')
})

test('a table that cannot be read is bad, with its line', async (t) => {
  const input = 'table,t,hit,first\nrule,b,r\n,when bool,then bool\n1,maybe,true\n'
  const bad = await posKernel(['rules', '-', '--json'], { input })
  t.is(bad.code, 1)
  const [error] = jsonLines(bad.stdout)
  t.like(error, { ok: false, code: 'PK_E_BAD_RULES' })
  t.deepEqual(error?.facts, { line: 4, field: 2, row: 1, column: 'b' })
})
