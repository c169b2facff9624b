/**
 * The auditor's own arithmetic: against the examples of `docs/reference/pricing.md`, and against the
 * kernel's engine on random sales under every policy.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import test from 'ava'
import fc from 'fast-check'
import { Contradiction } from '../../ts/auditor/contradiction.js'
import { decodePolicy, encodePolicy } from '../../ts/auditor/pricing/policy.js'
import { ratio, ratioOf, times } from '../../ts/auditor/pricing/rational.js'
import { round, roundToStep } from '../../ts/auditor/pricing/rounding.js'
import { handOut } from '../../ts/auditor/pricing/shares.js'
import type { Decimal } from '../../ts/auditor/values.js'
import { chance, isLong } from '../fault/chance.js'
import { type Counts, differences, type Played } from './played.js'
import { startRandomSales } from './stores.js'
import { examplesOf, play } from './worked.js'

const salesWanted = isLong ? 1_000_000 : 4_000
const combinations = 2 * 3 * 4 * 2 * 4

test('the worked examples of the reference', (t) => {
  const examples = examplesOf('docs/reference/pricing.md')
  t.true(examples.length >= 10)
  let checked = 0
  for (const example of examples) checked += play(example)
  t.log(`${examples.length} examples, ${checked} lines with numbers`)
})

test('random sales under every policy: the kernel and the auditor say the same', async (t) => {
  t.timeout(3_600_000)
  const luck = chance()
  t.log(`seed ${luck.seed} (POS_KERNEL_SEED)`)
  const child = startRandomSales(['carts', `${salesWanted}`, `${luck.seed}`])
  const isEnded = once(child, 'close')
  const counts: Counts = {
    sales: 0,
    made: 0,
    refused: 0,
    parts: 0,
    tenders: 0,
    policies: new Set(),
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const found = differences(JSON.parse(line) as Played, counts)
    if (found.length === 0) continue
    child.kill()
    t.fail(`${found.join('\n')}\n${line}`)
    return
  }
  t.deepEqual(await isEnded, [0, null])
  t.is(counts.sales, salesWanted)
  t.is(counts.policies.size, combinations)
  const { sales, made, refused, parts, tenders } = counts
  t.log(
    `${sales} sales under ${combinations} policies: ${made} changes made, ${refused} refused, ` +
      `${parts} parts that came back, ${tenders} tenders`,
  )
})

test('each rule at and beside the middle, on both sides of zero', (t) => {
  const rules = {
    halfUp: [2n, 3n, 3n, 4n],
    halfEven: [2n, 2n, 3n, 4n],
    halfDown: [2n, 2n, 3n, 3n],
    up: [3n, 3n, 3n, 4n],
    down: [2n, 2n, 2n, 3n],
  } as const
  for (const [rule, wanted] of Object.entries(rules)) {
    const name = rule as keyof typeof rules
    const exact = [ratio(12n, 5n), ratio(5n, 2n), ratio(13n, 5n), ratio(7n, 2n)]
    t.deepEqual(
      exact.map((one) => round(one, name)),
      [...wanted],
      rule,
    )
    t.deepEqual(
      exact.map(({ over, under }) => round(ratio(over, -under), name)),
      wanted.map((one) => -one),
      rule,
    )
    t.is(round(ratio(4n, 2n), name), 2n)
  }
  t.is(roundToStep(1787n, 5n, 'halfUp'), 1785n)
  t.is(roundToStep(-10_050n, 100n, 'halfUp'), -10_100n)
})

test('quantity times price is rounded to the nearest, half away from zero', (t) => {
  const product = (quantity: Decimal, price: Decimal) =>
    round(times(ratioOf(quantity), ratioOf(price)), 'halfUp')
  const cases: readonly [bigint, number, bigint, number, bigint][] = [
    [5n, 1, 1n, 0, 1n],
    [-5n, 1, 1n, 0, -1n],
    [49n, 2, 1n, 0, 0n],
    [25n, 1, 1n, 0, 3n],
    [250n, 3, 39995n, 1, 1000n],
    [1n, 6, 499999n, 6, 0n],
    [-7n, 0, 3n, 0, -21n],
  ]
  for (const [quantity, scale, price, priceScale, amount] of cases) {
    const of = product({ mantissa: quantity, scale }, { mantissa: price, scale: priceScale })
    t.is(of, amount)
  }
  const mantissa = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
  const scale = fc.integer({ min: 0, max: 6 })
  fc.assert(
    fc.property(mantissa, scale, mantissa, scale, (quantity, a, price, b) => {
      const amount = product({ mantissa: quantity, scale: a }, { mantissa: price, scale: b })
      const unit = 10n ** BigInt(a + b)
      const error = 2n * (amount * unit - quantity * price)
      const size = error < 0n ? -error : error
      // Half a unit off at most, and exactly half only away from zero.
      const isAway = amount < 0n === quantity * price < 0n && amount !== 0n
      return size < unit || (size === unit && isAway && error < 0n === quantity * price < 0n)
    }),
  )
})

test('what is handed out adds up, and goes to the largest remainders first', (t) => {
  const thirds = [1n, 1n, 1n].map((part) => ratio(part * 100n, 3n))
  t.deepEqual(handOut(100n, thirds), [34n, 33n, 33n])
  const back = thirds.map(({ over, under }) => ratio(-over, under))
  t.deepEqual(handOut(-100n, back), [-34n, -33n, -33n])
  t.deepEqual(handOut(0n, [ratio(-1n, 2n), ratio(1n, 2n)]), [-1n, 1n])
  t.deepEqual(handOut(0n, [ratio(1n, 2n), ratio(-1n, 2n)]), [1n, -1n])
  t.throws(() => handOut(2n, [ratio(1n, 2n)]), { instanceOf: Contradiction })
})

test('the bytes of a policy are read in one spelling only', (t) => {
  const good = 'ad000101634348460202030204010501060107010805090' + '10a8201040bf50c02'
  const policy = decodePolicy(Buffer.from(good, 'hex'))
  t.like(policy, {
    currency: 'CHF',
    prices: 'gross',
    taxScope: 'perRate',
    cashStep: 5n,
    changeFrom: ['cash', 'foreign'],
    mixedReturns: true,
    unboundReturns: 'approve',
  })
  t.is(encodePolicy(policy).toString('hex'), good)
  const refused = {
    'another version': good.replace('ad0001', 'ad0002'),
    'a longer integer': good.replace('0805', '081805'),
    'an unknown key': `ae${good.slice(2)}0d00`,
    'keys out of order': good.replace('0501', '').replace('0601', '06010501'),
    'a missing key': `ac${good.slice(2, -4)}`,
    'means out of order': good.replace('820104', '820401'),
    'a mean twice': good.replace('820104', '820101'),
    'a step of zero': good.replace('0805', '0800'),
    'a step above a million': good.replace('0805', '081a000f4241'),
    'five digits': good.replace('0202', '0205'),
    'a scope that is none': good.replace('0401', '0404'),
    'no currency': good.replace('434846', '434847'),
    'bytes behind it': `${good}00`,
    'half of it': good.slice(0, 30),
  }
  for (const [what, bytes] of Object.entries(refused)) {
    t.not(bytes, good, what)
    const error = t.throws(() => decodePolicy(Buffer.from(bytes, 'hex')), undefined, what)
    t.true(error instanceof Contradiction, what)
  }
})
