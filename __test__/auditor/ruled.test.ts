/**
 * Journals of sales under rules: both verifiers judge again, and find in those of a forger, who mends
 * every content hash, link and checksum, that a row is missing, another one or one too many, and that
 * what a table refuses was sold.
 */
import { cpSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { auditStore } from '../../ts/auditor/index.js'
import { openTerminal, verifyStore } from '../../ts/index.js'
import { projectRoot } from '../support/child.js'
import { tempStore } from '../support/store.js'
import { byAuditor, byKernel } from './both.js'
import { type Body, type Forge, forgeFirst } from './damage.js'
import { journalOf } from './stores.js'

const shipped = (name: string) =>
  readFileSync(path.join(projectRoot, 'examples/rules', name), 'utf8')

const sales = `table,whole sales,hit,first,at,sale
rule,lines,total,loyalty,decision
,when integer,when integer,when text gold|silver = silver,then text refuse|approve|allow
many,>50,,,refuse
large,,>=1000000,!gold,approve
other,,,,allow
`
const groups = `table,groups,hit,priority,at,line
rule,group,price,decision
,when set a|b|c =,when decimal 0.. = 0,then text refuse|approve|allow
allowed,,,allow
refused,a & !b,>1.5,refuse
`

/** Sales under every kind of table, column and change. */
async function ruledStore(root: string): Promise<void> {
  const terminal = await openTerminal({ root, id: 'T1' })
  const tables = ['age-limits.csv', 'tender-limits.json', 'approvals.csv'].map(shipped)
  await terminal.setRules([...tables, sales, groups])
  const adult = { ageChecked: true, buyerAge: 40, abv: '12.5', group: ['a', 'b'], price: '1.75' }
  const approved = async (what: string) =>
    (await terminal.approve({ operator: 'boss', what })).approval
  const sale = await terminal.begin({ store: 'S', currency: 'EUR' })
  const wine = { sku: 'wine', quantity: 1, unitPrice: 799, class: 'wine', attributes: adult }
  const { line } = await sale.addLine(wine)
  const bulk = { reason: 'more', approval: await approved('bulk') }
  await sale.setQuantity(line, 120, bulk)
  const offer = { reason: 'offer', approval: await approved('bulk') }
  await sale.overridePrice(line, '12500', offer)
  const basket = { voucher: 'meal', basket: ['food'], loyalty: 'gold' }
  await sale.tender({ kind: 'voucher', amount: 600, attributes: basket })
  const rest = (await sale.totals()).due
  await sale.tender({ kind: 'card', amount: rest })
  await sale.complete()
  const free = { store: 'S', currency: 'EUR' }
  const gift = { sku: 'gift', quantity: 1, unitPrice: 0 }
  await terminal.sell({ ...free, lines: [gift], tenders: [] })
  // Rules that change while a sale is open, and a line that came under the older ones.
  const open = await terminal.begin(free)
  const bread = await open.addLine({ sku: 'bread', quantity: 1, unitPrice: 250, class: 'bread' })
  await terminal.setRules([shipped('age-limits.csv')])
  await open.setQuantity(bread.line, 3, { reason: 'more' })
  await terminal.setRules([])
  await open.setQuantity(bread.line, 500, { reason: 'more' })
  await open.void({ reason: 'over' })
  await terminal.close()
}

const hits = 17
const said = 19

const forgeries: Readonly<Record<string, readonly [kind: number, forge: Forge]>> = {
  'no rows of a line': [33, (body) => body.delete(hits)],
  'a row of a line': [33, row],
  'a row of a changed quantity': [35, row],
  'a row of a changed price': [42, row],
  'a row of a tender': [36, row],
  'a row of a completion': [40, row],
  'no rows of a completion': [40, (body) => body.delete(hits)],
  'a row where no table speaks': [40, (body) => !body.has(hits) && one(body)],
  'the age of the buyer': [33, age],
  'what was said': [33, (body) => body.delete(said)],
  'the class of the goods': [33, (body) => body.has(18) && Boolean(body.set(18, 'knife'))],
  'the approval of a change': [35, (body) => body.delete(14)],
  'the approval of a price': [42, (body) => body.delete(14)],
}

function row(body: Body): boolean {
  const [first] = (body.get(hits) as Map<number, number>[] | undefined) ?? []
  return first !== undefined && Boolean(first.set(1, first.get(1) === 0 ? 1 : 0))
}

function one(body: Body): boolean {
  const hit = new Map([
    [0, 0],
    [1, 0],
  ])
  return Boolean(body.set(hits, [hit]))
}

/** Of a child now, which is refused, with the row that refuses: it was sold all the same. */
function age(body: Body): boolean {
  const given = (body.get(said) as Map<number, unknown>[] | undefined) ?? []
  const buyer = given.find((one) => one.get(0) === 'buyerAge')
  const [first] = (body.get(hits) as Map<number, number>[] | undefined) ?? []
  if (buyer === undefined || first === undefined) return false
  buyer.set(2, [0, 12])
  return Boolean(first.set(1, 3))
}

test('sales under rules are judged again, and forged ones are found by both', async (t) => {
  t.timeout(120_000)
  const root = tempStore(t)
  const sound = path.join(root, 'sound')
  await ruledStore(sound)
  const verdict = await byAuditor(sound)
  t.true(verdict.ok, verdict.because)
  t.deepEqual(verdict, await byKernel(sound))
  for (const [what, [kind, forge]] of Object.entries(forgeries)) {
    const forged = path.join(root, 'forged')
    cpSync(sound, forged, { recursive: true })
    const place = forgeFirst(journalOf(forged), kind, forge)
    t.truthy(place, what)
    const [audit] = (await auditStore({ root: forged })).terminals
    const [report] = (await verifyStore({ root: forged })).terminals
    const [first, other] = [audit?.problems[0], report?.problems[0]]
    const because = `${what}: ${first?.message}; ${other?.message}`
    t.is(`${first?.kind} ${first?.segment}:${first?.offset}`, `contradiction ${place}`, because)
    t.is(`${other?.code} ${other?.segment}:${other?.offset}`, `PK_E_INCONSISTENT ${place}`, because)
    rmSync(forged, { recursive: true })
  }
})
