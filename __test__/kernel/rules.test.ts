/** Rules from TypeScript: compiled, asked, explained, and what is refused. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { compileRules, compileRulesSync, InputError, type RuleReport } from '../../ts/index.js'
import { projectRoot } from '../support/child.js'
import { refusal } from '../support/store.js'

const folder = path.join(projectRoot, 'examples/rules')
const shipped = (name: string) => compileRulesSync(readFileSync(path.join(folder, name), 'utf8'))

test('every shipped table but the broken one is without a finding', (t) => {
  const names = readdirSync(folder)
  t.true(names.length >= 5)
  for (const name of names) {
    const { report } = shipped(name)
    t.is(report.ok, name !== 'broken.csv', name)
    t.regex(report.hash, /^[0-9a-f]{64}$/)
    t.is(report.products > 0, report.counts.contradictions === 0, name)
  }
})

test('an answer, and the rows that give it', (t) => {
  const rules = shipped('age-limits.csv')
  const input = { class: 'wine', abv: '12.5', ageChecked: true, buyerAge: 15 }
  const answer = { decision: 'refuse', message: 'Beer and wine from 16' }
  t.deepEqual(rules.evaluate(input), [answer])
  t.deepEqual(rules.explain(input), {
    answers: [{ answer, rows: ['beer-wine-16'] }],
    applying: ['beer-wine-16', 'otherwise'],
  })
  t.deepEqual(rules.evaluate({ class: 'bread', abv: undefined }), [
    { decision: 'allow', message: '' },
  ])
})

test('a collecting table has any number of answers', (t) => {
  const rules = shipped('approvals.csv')
  t.deepEqual(rules.evaluate({ quantity: 1, amount: 100 }), [])
  const asked = rules.evaluate({ quantity: '150', amount: 100, isOverride: true })
  t.is(asked.length, 2)
})

test('sets are arrays', (t) => {
  const rules = shipped('tender-limits.json')
  const input = {
    kind: 'voucher',
    voucher: 'gift card',
    amount: 500,
    basket: ['gift card', 'food'],
  }
  t.deepEqual(rules.explain(input).answers[0]?.rows, ['gift-for-gift'])
})

test('findings have examples that show them', (t) => {
  const { report } = shipped('broken.csv')
  t.deepEqual(report.counts satisfies RuleReport['counts'], {
    contradictions: 1,
    gaps: 2,
    shadowed: 1,
  })
  t.deepEqual(report.contradictions[0]?.rows, ['wine-adult', 'wine-senior'])
  t.deepEqual(report.contradictions[0]?.example, { class: 'wine', age: 60, member: false })
  t.deepEqual(report.shadowed[0]?.by, ['food'])
})

test('a table that contradicts itself answers nothing', async (t) => {
  const rules = shipped('broken.csv')
  const error = await refusal(
    t,
    () => rules.evaluate({ class: 'food', age: 1, member: true }),
    'PK_E_BAD_RULES',
  )
  t.true(error instanceof InputError)
  t.deepEqual(error.facts.rows, ['wine-adult', 'wine-senior'])
})

test('a table that cannot be read is refused with its place', async (t) => {
  const csv = 'table,t,hit,first\nrule,age,r\n,when integer 0..150,then bool\n1,..200,true\n'
  const error = await refusal(t, () => compileRules(csv), 'PK_E_BAD_RULES')
  t.deepEqual(error.facts, { line: 4, field: 2, row: 1, column: 'age' })
  const json = await refusal(t, () => compileRules('{"table":1.5}'), 'PK_E_BAD_RULES')
  t.is(json.facts.line, 1)
  await refusal(t, () => compileRules(' '.repeat(2 ** 20 + 1)), 'PK_E_LIMIT')
  await refusal(t, () => compileRules(7 as never), 'PK_E_BAD_ARGUMENT')
})

test('an input that does not fit is refused by its column', async (t) => {
  const rules = shipped('age-limits.csv')
  const cases: [unknown, string | undefined][] = [
    [{ class: 7 }, 'class'],
    [{ class: ['wine'] }, 'class'],
    [{ buyerAge: 17.5 }, 'buyerAge'],
    [{ buyerAge: 2 ** 60 }, 'buyerAge'],
    [{ buyerAge: 151 }, 'buyerAge'],
    [{ buyerAge: 'old' }, 'buyerAge'],
    [{ ageChecked: 'yes' }, 'ageChecked'],
    [{ ageChecked: [7] }, 'ageChecked'],
    [{ ageChecked: {} }, 'ageChecked'],
    [{ abv: '0.1234567' }, 'abv'],
    [{ klass: 'wine' }, 'klass'],
    [null, 'input'],
    [[], 'input'],
  ]
  for (const [input, argument] of cases) {
    const asked = [() => rules.evaluate(input as never), () => rules.explain(input as never)]
    for (const ask of asked) {
      const error = await refusal(t, ask, 'PK_E_BAD_ARGUMENT')
      t.is(error.facts.argument, argument, JSON.stringify(input))
    }
  }
  const half = await refusal(t, () => rules.evaluate({ class: '\ud800' }), 'PK_E_BAD_TEXT')
  t.is(half.facts.what, 'class')
})
