/**
 * The worked examples of the reference: each fenced block of the kind `pricing` is a small sale,
 * line by line; what follows `->` and what stands in `totals`, `row` and `split` is checked. A line
 * that is not understood fails.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Cart } from '../../ts/auditor/pricing/cart.js'
import type { Adjustment } from '../../ts/auditor/pricing/line.js'
import { defaultPolicy, type PaymentMeans, type Policy } from '../../ts/auditor/pricing/policy.js'
import { plus, type Rational, ratio, ratioOf } from '../../ts/auditor/pricing/rational.js'
import { giveBack } from '../../ts/auditor/pricing/returns.js'
import { settle, type Tendered } from '../../ts/auditor/pricing/settlement.js'
import { type TaxComponent, taxKey } from '../../ts/auditor/pricing/tax.js'
import type { Decimal } from '../../ts/auditor/values.js'
import { projectRoot } from '../support/child.js'

interface Example {
  readonly policy: Policy
  readonly cart: Cart
  readonly tenders: Tendered[]
  /** What has come back, by line. */
  readonly back: Map<number, Rational>
}

/** The blocks of a page. */
export function examplesOf(page: string): readonly string[] {
  const text = readFileSync(path.join(projectRoot, page), 'utf8')
  return [...text.matchAll(/^```pricing\n(.*?)^```$/gms)].map(([, block = '']) => block)
}

/** Plays a block and says how many lines had something to check. */
export function play(block: string): number {
  const [first = '', ...lines] = block.trimEnd().split('\n')
  const policy = policyOf(first)
  const example = { policy, cart: new Cart(policy), tenders: [], back: new Map() }
  let checked = 0
  for (const line of lines) {
    const [asked = '', expected = ''] = line.split('->')
    const [verb = '', ...words] = asked.trim().split(/\s+/)
    const step = steps[verb]
    assert(step !== undefined, `not understood: ${line}`)
    const [found, wanted = numbers(expected)] = step(example, words)
    assert.deepEqual(found, wanted, `${line}\nin\n${block}`)
    if (wanted.length > 0) checked += 1
  }
  return checked
}

type Step = (
  example: Example,
  words: readonly string[],
) => readonly [found: readonly bigint[], wanted?: readonly bigint[]]

const steps: Readonly<Record<string, Step>> = {
  line: ({ policy, cart }, [quantity = '', x, unit = '', ...taxes]) => {
    assert.equal(x, 'x')
    const [unitPrice = '', per = '1'] = unit.split('/')
    cart.addLine({
      kind: 'item',
      quantity: decimal(quantity),
      unitPrice: decimal(unitPrice),
      per: decimal(per),
      components: taxes.map((tax) => component(policy, tax)),
    })
    return [[cart.lines.at(-1)?.amount ?? 0n]]
  },
  discount: ({ cart }, words) => [adjust(cart, 'discount', words)],
  surcharge: ({ cart }, words) => [adjust(cart, 'surcharge', words)],
  quantity: ({ cart }, [line, quantity = '']) => {
    cart.setQuantity(Number(line), decimal(quantity))
    return [[cart.lines[Number(line) - 1]?.amount ?? 0n]]
  },
  void: ({ cart }, [line]) => {
    cart.voidLine(Number(line))
    return [[]]
  },
  totals: ({ cart }, wanted) => {
    const { net, tax, gross } = cart.totals()
    return [[net, tax, gross], wanted.map(BigInt)]
  },
  row: ({ policy, cart }, [tax = '', ...wanted]) => {
    const key = taxKey(component(policy, tax))
    const row = cart.rows().find((one) => taxKey(one.component) === key)
    return [row === undefined ? [] : [row.net, row.tax], wanted.map(BigInt)]
  },
  split: ({ cart }, [line, ...wanted]) => {
    const split = cart.splits().find((one) => one.line === Number(line))
    return [split === undefined ? [] : [split.net, ...split.taxes], wanted.map(BigInt)]
  },
  pay: ({ policy, cart, tenders }, [means, amount = '']) => {
    const [forSale = '', tip = '0'] = amount.split('+tip')
    const whole = BigInt(forSale) + BigInt(tip)
    tenders.push({ means: means as PaymentMeans, amount: whole, tip: BigInt(tip) })
    const { due, rounding, change } = settle(policy, cart.totals().gross, tenders)
    return [[due, rounding, change]]
  },
  return: ({ cart, back }, [line, quantity = '']) => {
    const at = Number(line)
    const { amount, quantity: sold } = cart.lines[at - 1] ?? { amount: 0n, quantity: decimal('1') }
    const { taxes = [] } = cart.splits().find((split) => split.line === at) ?? {}
    const before = back.get(at) ?? ratio(0n)
    const part = ratioOf(decimal(quantity))
    back.set(at, plus(before, part))
    const given = giveBack({ quantity: sold, amount, taxes }, before, part)
    return [[given.amount, ...given.taxes]]
  },
}

function adjust(
  cart: Cart,
  direction: Adjustment['direction'],
  [where, worth = '']: readonly string[],
): readonly bigint[] {
  const adjustment = worth.endsWith('%')
    ? { direction, ppm: ppmOf(worth.slice(0, -1)) }
    : { direction, amount: BigInt(worth) }
  if (where === 'sale') return cart.adjustSale(adjustment).shares.map(({ effect }) => effect)
  cart.adjustLine(Number(where), adjustment)
  return [cart.lines[Number(where) - 1]?.applied.at(-1)?.effect ?? 0n]
}

function policyOf(line: string): Policy {
  const [verb, currency = '', ...rules] = line.split(' ')
  assert.equal(verb, 'policy')
  const defaults = defaultPolicy(currency)
  const named = rules.map((rule) => {
    const [name = '', value = ''] = rule.split('=')
    assert(name in defaults, `no such rule: ${rule}`)
    return [name, /^\d+$/.test(value) ? BigInt(value) : value]
  })
  return { ...defaults, ...(Object.fromEntries(named) as Partial<Policy>) }
}

/** `S=19` as the policy's prices have it, `S=19:in` inside the price, `S=19:on` on top of it. */
function component({ prices }: Policy, word: string): TaxComponent {
  const [, name = '', rate = '', side] = /^(\w+)=([\d.]+)(?::(in|on))?$/.exec(word) ?? []
  assert.notEqual(name, '', `no tax: ${word}`)
  const inclusive = side === undefined ? prices === 'gross' : side === 'in'
  return { class: name, ratePpm: ppmOf(rate), inclusive }
}

/** Parts per million of a percentage. */
function ppmOf(percent: string): bigint {
  const { over, under } = ratioOf(decimal(percent))
  assert.equal((over * 10_000n) % under, 0n, `finer than parts per million: ${percent}`)
  return (over * 10_000n) / under
}

function decimal(text: string): Decimal {
  const [whole = '', places = ''] = text.split('.')
  return { scale: places.length, mantissa: BigInt(whole + places) }
}

function numbers(text: string): readonly bigint[] {
  return text.split(/\s+/).flatMap((word) => (word === '' ? [] : [BigInt(word)]))
}
