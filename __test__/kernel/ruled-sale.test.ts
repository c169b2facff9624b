/**
 * Rules at the till: tables are set, lines and tenders are judged by them, a refusal names its rule and
 * changes nothing, and the journal shows which rows spoke.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import {
  type Attributes,
  type DecodedRecord,
  InputError,
  inspectJournal,
  type LineInput,
  openTerminal,
  SaleStateError,
  type Terminal,
  verifyStore,
} from '../../ts/index.js'
import { projectRoot } from '../support/child.js'
import { refusal, tempStore, terminalFor } from '../support/store.js'

const shipped = (name: string) =>
  readFileSync(path.join(projectRoot, 'examples/rules', name), 'utf8')
const ages = shipped('age-limits.csv')
const tenders = shipped('tender-limits.json')
const approvals = shipped('approvals.csv')

const begin = { store: 'shop', currency: 'EUR' }

function wine(attributes?: Attributes): LineInput {
  return { sku: 'wine', quantity: 1, unitPrice: 799, class: 'wine', attributes }
}

/** What the journal holds, of one kind. */
async function facts(terminal: Terminal, kind: string) {
  const found: DecodedRecord['fact'][] = []
  for await (const record of inspectJournal({ root: terminal.root, terminal: terminal.id })) {
    if ('kind' in record && record.kind === kind) found.push(record.fact)
  }
  return found
}

test('a refused line names its rule, and nothing has changed', async (t) => {
  const terminal = await terminalFor(t)
  t.is(terminal.rules(), undefined)
  const answer = await terminal.setRules([ages], { key: 'rules' })
  t.regex(answer.hash, /^[0-9a-f]{64}$/)
  t.true((await terminal.setRules([ages], { key: 'rules' })).replayed)
  t.is(terminal.rules()?.hash, answer.hash)
  t.deepEqual(
    terminal.rules()?.tables.map(({ table, at, ok }) => [table, at, ok]),
    [['age limits', 'line', true]],
  )
  const sale = await terminal.begin(begin)
  const before = terminal.status()
  const young = { ageChecked: true, buyerAge: 15 }
  const error = await refusal(
    t,
    () => sale.addLine(wine(young), { key: 'wine' }),
    'PK_E_RULE_REFUSED',
  )
  t.true(error instanceof SaleStateError)
  t.deepEqual(error.facts, {
    sale: sale.id,
    table: 'age limits',
    rule: 'beer-wine-16',
    reason: 'Beer and wine from 16',
  })
  t.is(terminal.status().head, before.head)
  t.deepEqual(sale.lines(), [])
  // The key is free: a refusal is no fact. What rules ask is part of what a key stands for.
  const adult = { buyerAge: 16, ageChecked: true }
  await sale.addLine(wine(adult), { key: 'wine' })
  t.true((await sale.addLine(wine({ ageChecked: true, buyerAge: 16 }), { key: 'wine' })).replayed)
  await refusal(
    t,
    () => sale.addLine(wine({ ...adult, buyerAge: 17 }), { key: 'wine' }),
    'PK_E_IDEMPOTENCY_MISMATCH',
  )
  const unasked = await refusal(t, () => sale.addLine(wine()), 'PK_E_RULE_REFUSED')
  t.is(unasked.facts.rule, 'not-checked')
  t.throws(() => sale.addLineSync(wine(young)), { instanceOf: SaleStateError })
  t.deepEqual(
    (await facts(terminal, 'LineAdded')).map((fact) => fact?.rules),
    [[{ table: 0, row: 8 }]],
  )
})

test('decimals are texts and sets are arrays', async (t) => {
  const terminal = await terminalFor(t)
  await terminal.setRules([ages, tenders])
  const sale = await terminal.begin(begin)
  const of = (abv: string) => wine({ ageChecked: true, buyerAge: 17, abv })
  const strong = await refusal(t, () => sale.addLine(of('15.5')), 'PK_E_RULE_REFUSED')
  t.is(strong.facts.rule, 'strong-18')
  await sale.addLine(of('12.5'))
  for (const abv of ['much', true, 101, ['1']] as const) {
    const attributes = { ageChecked: true, abv }
    const error = await refusal(t, () => sale.addLine(wine(attributes)), 'PK_E_BAD_ARGUMENT')
    t.is(error.facts.argument, 'abv')
  }
  for (const attributes of [
    [] as unknown as Attributes,
    { abv: 0.5 },
    { abv: null as unknown as string },
    { basket: [1] as unknown as string[] },
  ]) {
    await refusal(t, () => sale.addLine(wine(attributes)), 'PK_E_BAD_ARGUMENT')
  }
  const half = { abv: '\ud800' }
  await refusal(t, () => sale.addLine(wine(half)), 'PK_E_BAD_TEXT')
  t.is(sale.lines().length, 1)
})

test('a meal voucher pays for food alone', async (t) => {
  const terminal = await terminalFor(t)
  await terminal.setRules([ages, tenders])
  const sale = await terminal.begin(begin)
  await sale.addLine({ sku: 'soap', quantity: 1, unitPrice: 500 })
  const meal = (attributes: Attributes) => {
    const kind = 'voucher' as const
    return { kind, amount: 500, attributes: { voucher: 'meal', ...attributes } }
  }
  const error = await refusal(t, () => sale.tender(meal({})), 'PK_E_RULE_REFUSED')
  t.is(error.facts.rule, 'meal-no-food')
  t.is(error.facts.reason, 'There is no food in the basket')
  const mixed = meal({ basket: ['food', 'tobacco'], exceedsFood: true })
  const exceeding = await refusal(t, () => sale.tender(mixed), 'PK_E_RULE_REFUSED')
  t.is(exceeding.facts.rule, 'meal-food-only')
  const unknown = await refusal(
    t,
    () => sale.tender(meal({ basket: ['toys'] })),
    'PK_E_BAD_ARGUMENT',
  )
  t.deepEqual(unknown.facts.allowed, ['food', 'alcohol', 'tobacco', 'gift card'])
  t.deepEqual(sale.tenders(), [])
  await sale.tender(meal({ basket: ['food'] }))
  const receipt = await sale.complete()
  t.is(receipt.receiptNumber, 1)
  t.deepEqual(
    (await facts(terminal, 'TenderAdded')).map((fact) => fact?.rules),
    [[{ table: 1, row: 6 }]],
  )
})

test('what a rule wants approved is taken with an approval', async (t) => {
  const terminal = await terminalFor(t)
  await terminal.setRules([approvals, tenders])
  const sale = await terminal.begin(begin)
  const bulk = { sku: 'screw', quantity: 150, unitPrice: 1000 }
  const error = await refusal(t, () => sale.addLine(bulk), 'PK_E_APPROVAL_REQUIRED')
  t.deepEqual([error.facts.table, error.facts.rule], ['approvals', 'bulk'])
  const first = await terminal.approve({ operator: 'boss', what: 'bulk' })
  await sale.addLine({ ...bulk, approval: first.approval })
  const cash = { kind: 'cash', amount: 150_000 } as const
  const refused = await refusal(t, () => sale.tender(cash), 'PK_E_APPROVAL_REQUIRED')
  t.is(refused.facts.rule, 'cash-1000')
  const second = await terminal.approve({ operator: 'boss', what: 'cash' })
  await sale.tender({ ...cash, approval: second.approval })
  await sale.complete()
  const [tender] = await facts(terminal, 'TenderAdded')
  t.deepEqual([tender?.approval, tender?.rules], [second.approval, [{ table: 1, row: 5 }]])
})

test('a sale in one call is refused whole', async (t) => {
  const terminal = await terminalFor(t)
  await terminal.setRules([ages, tenders])
  const bread = { sku: 'bread', quantity: 1, unitPrice: 199 }
  const cart = (buyerAge: number) => ({
    ...begin,
    lines: [bread, wine({ ageChecked: true, buyerAge })],
    tenders: [{ kind: 'cash' as const, amount: 998, attributes: { supervisor: true } }],
  })
  const { head } = terminal.status()
  const error = await refusal(t, () => terminal.sell(cart(12)), 'PK_E_RULE_REFUSED')
  t.is(error.facts.rule, 'beer-wine-16')
  t.is(terminal.status().head, head)
  t.is((await terminal.sell(cart(40))).receiptNumber, 1)
  // One that says nothing for rules takes the short way, and is judged too.
  const much = { ...begin, lines: [{ ...bread, unitPrice: 400_000 }] }
  const paid = { ...much, tenders: [{ kind: 'cash' as const, amount: 400_000 }] }
  const refused = await refusal(t, () => terminal.sell(paid), 'PK_E_RULE_REFUSED')
  t.is(refused.facts.rule, 'cash-3000')
})

test('rules hold when the terminal is opened again, until they are ended', async (t) => {
  const root = tempStore(t)
  const first = await openTerminal({ root, id: 'T1' })
  const { hash } = await first.setRules([ages])
  await first.close()
  const second = await terminalFor(t, { root, id: 'T1' })
  t.is(second.rules()?.hash, hash)
  const sale = await second.begin(begin)
  await refusal(t, () => sale.addLine(wine()), 'PK_E_RULE_REFUSED')
  second.setRulesSync([])
  t.deepEqual(second.rules()?.tables, [])
  await sale.addLine(wine())
  await sale.void({ reason: 'over' })
  t.true((await verifyStore({ root })).ok)
})

test('tables that a till cannot ask are refused, and the rules stay', async (t) => {
  const terminal = await terminalFor(t)
  const { hash } = await terminal.setRules([tenders])
  const broken = await refusal(
    t,
    () => terminal.setRules([shipped('broken.csv')]),
    'PK_E_BAD_RULES',
  )
  t.true(broken instanceof InputError)
  t.is(broken.facts.table, 'a table with mistakes')
  await refusal(t, () => terminal.setRules(['table,x\n']), 'PK_E_BAD_RULES')
  await refusal(t, () => terminal.setRules([tenders, tenders]), 'PK_E_BAD_RULES')
  await refusal(t, () => terminal.setRules(ages as unknown as string[]), 'PK_E_BAD_ARGUMENT')
  await refusal(t, () => terminal.setRules([7 as unknown as string]), 'PK_E_BAD_ARGUMENT')
  const many = Array.from({ length: 17 }, (_, index) => ages.replace('age limits', `t${index}`))
  await refusal(t, () => terminal.setRules(many), 'PK_E_LIMIT')
  t.is(terminal.rules()?.hash, hash)
  await terminal.close()
  t.throws(() => terminal.rules(), { code: 'PK_E_CLOSED' })
})
