/**
 * A random sale as the kernel's pricing engine played it, and the same sale as the auditor works it
 * out: `crates/kernel/examples/pricing_carts.rs` prints the first, and says what stands where.
 */
import { blake3 } from '@noble/hashes/blake3.js'
import { Contradiction } from '../../ts/auditor/contradiction.js'
import { Cart } from '../../ts/auditor/pricing/cart.js'
import type { Adjustment, LineKind } from '../../ts/auditor/pricing/line.js'
import { decodePolicy, type PaymentMeans, type Policy } from '../../ts/auditor/pricing/policy.js'
import { ratioOf } from '../../ts/auditor/pricing/rational.js'
import { giveBack } from '../../ts/auditor/pricing/returns.js'
import { settle, type Tendered, worthOf } from '../../ts/auditor/pricing/settlement.js'
import type { TaxComponent } from '../../ts/auditor/pricing/tax.js'
import { turnoverOf } from '../../ts/auditor/pricing/turnover.js'
import type { Decimal } from '../../ts/auditor/values.js'

type DecimalJson = readonly [minusScale: number, mantissa: number]
type ComponentJson = readonly [name: string, ratePpm: number, inclusive: boolean]

interface PartJson {
  readonly kind: LineKind
  readonly quantity: DecimalJson
  readonly amount: number
  readonly components: readonly ComponentJson[]
  readonly taxes: readonly number[]
}

interface AdjustmentJson {
  readonly direction: Adjustment['direction']
  readonly amount?: number
  readonly ppm?: number
}

type ChangeJson =
  | {
      readonly name: 'addLine'
      readonly kind: LineKind
      readonly quantity: DecimalJson
      readonly unitPrice: DecimalJson
      readonly per: DecimalJson
      readonly taxes: readonly ComponentJson[]
    }
  | { readonly name: 'addReturn'; readonly part: PartJson }
  | { readonly name: 'voidLine'; readonly line: number }
  | { readonly name: 'setQuantity'; readonly line: number; readonly quantity: DecimalJson }
  | {
      readonly name: 'setPrice'
      readonly line: number
      readonly unitPrice: DecimalJson
      readonly per: DecimalJson
    }
  | { readonly name: 'setTaxes'; readonly line: number; readonly taxes: readonly ComponentJson[] }
  | { readonly name: 'adjustLine'; readonly line: number; readonly adjustment: AdjustmentJson }
  | { readonly name: 'adjustSale'; readonly adjustment: AdjustmentJson }
  | { readonly name: 'retract'; readonly number: number }

/** A sale as it was printed. */
export interface Played {
  readonly policy: { readonly taxScope: string; readonly changeFrom: readonly string[] }
  readonly bytes: string
  readonly hash: string
  readonly changes: readonly {
    readonly change: ChangeJson
    readonly totals: readonly number[] | null
    readonly shares: readonly (readonly number[])[] | null
  }[]
  readonly rows: readonly (readonly [ComponentJson, net: number, tax: number, gross: number])[]
  readonly untaxed: number
  readonly lines: readonly (readonly [
    line: number,
    net: number,
    gross: number,
    taxes: readonly number[],
  ])[]
  readonly turnover: unknown
  readonly parts: readonly (readonly [
    line: number,
    before: DecimalJson,
    now: DecimalJson,
    part: PartJson,
  ])[]
  readonly tenders: readonly {
    readonly means: PaymentMeans
    readonly amount: number
    readonly tip: number
    readonly pending: boolean
    readonly settled: readonly number[] | null
  }[]
  readonly foreign: {
    readonly currency: string
    readonly rate: DecimalJson
    readonly per: number
    readonly amount: number
    readonly worth: number | null
  }
}

/** What was compared. */
export interface Counts {
  sales: number
  made: number
  refused: number
  parts: number
  tenders: number
  readonly policies: Set<string>
}

/** Digits of the currencies that the example changes money from. */
const digits: Readonly<Record<string, bigint>> = { EUR: 2n, JPY: 0n, KWD: 3n }

/** Works a sale out and says what differs; nothing, where all is the same. */
export function differences(played: Played, counts: Counts): string[] {
  const found: string[] = []
  const same = (what: string, kernel: unknown, auditor: unknown) => {
    const [left, right] = [shown(kernel), shown(auditor)]
    if (left !== right) found.push(`${what}: the kernel says ${left}, the auditor ${right}`)
  }
  const bytes = Buffer.from(played.bytes, 'hex')
  const policy = decodePolicy(bytes)
  const { version: _, ...rules } = policy
  same('policy', sorted(played.policy), sorted(rules))
  same('hash', played.hash, Buffer.from(blake3(bytes)).toString('hex'))

  const cart = new Cart(policy)
  for (const [at, { change, totals, shares }] of played.changes.entries()) {
    const made = make(cart, change)
    if (totals === null) counts.refused += 1
    else counts.made += 1
    const what = `change ${at} (${change.name})`
    same(`${what} is possible`, totals !== null, made !== undefined)
    if (found.length > 0) return found
    if (totals === null || made === undefined) continue
    const worked = cart.totals()
    const { lines, listed, discounts, surcharges, deposits, tips, net, tax, gross } = worked
    same(what, totals, [lines, listed, discounts, surcharges, deposits, tips, net, tax, gross])
    if (shares !== null) same(`${what} has shares`, shares, made)
  }
  if (found.length > 0) return found

  const rows = cart.rows().map(({ component, net, tax }) => [list(component), net, tax, net + tax])
  same('tax table', played.rows, rows)
  same('untaxed', played.untaxed, cart.untaxed())
  const splits = cart.splits()
  same(
    'lines',
    played.lines,
    splits.map(({ line, net, gross, taxes }) => [line, net, gross, taxes]),
  )
  const { sold, returned, rows: sides } = turnoverOf(splits)
  same('turnover', played.turnover, {
    sold: [sold.net, sold.tax],
    returned: [returned.net, returned.tax],
    rows: sides.map((row) => [
      list(row.component),
      [row.sold.net, row.sold.tax],
      [row.returned.net, row.returned.tax],
    ]),
  })
  for (const [line, before, now, part] of played.parts) {
    const { taxes = [] } = splits.find((split) => split.line === line) ?? {}
    const { quantity, amount } = cart.lines[line - 1] ?? { quantity: decimal([0, 1]), amount: 0n }
    const sold = { quantity, amount, taxes }
    const back = giveBack(sold, ratioOf(decimal(before)), ratioOf(decimal(now)))
    same(`a part of line ${line}`, [part.amount, part.taxes], [back.amount, back.taxes])
  }
  const { gross } = cart.totals()
  const live: Tendered[] = []
  for (const { means, amount, tip, settled } of played.tenders) {
    if (settled === null) continue
    live.push({ means, amount: BigInt(amount), tip: BigInt(tip) })
    const { payable, rounding, tendered, tips, due, change } = settle(policy, gross, live)
    same('tenders', settled.slice(0, 6), [payable, rounding, tendered, tips, due, change])
    counts.tenders += 1
  }
  const { currency, rate, per, amount, worth } = played.foreign
  const from = digits[currency] ?? 0n
  if (worth !== null) {
    same('foreign cash', worth, worthOf(policy, BigInt(amount), from, decimal(rate), BigInt(per)))
  }
  counts.sales += 1
  counts.parts += played.parts.length
  counts.policies.add(combinationOf(policy))
  return found
}

/** Makes a change; its shares come out, or nothing where it cannot be. */
function make(cart: Cart, change: ChangeJson): readonly (readonly [number, bigint])[] | undefined {
  try {
    switch (change.name) {
      case 'addLine': {
        const { kind, quantity, unitPrice, per, taxes } = change
        cart.addLine({
          kind,
          quantity: decimal(quantity),
          unitPrice: decimal(unitPrice),
          per: decimal(per),
          components: taxes.map(component),
        })
        return []
      }
      case 'addReturn': {
        const { kind, quantity, amount, components, taxes } = change.part
        cart.addReturn({
          kind,
          quantity: decimal(quantity),
          amount: BigInt(amount),
          components: components.map(component),
          taxes: taxes.map(BigInt),
        })
        return []
      }
      case 'voidLine':
        cart.voidLine(change.line)
        return []
      case 'setQuantity':
        cart.setQuantity(change.line, decimal(change.quantity))
        return []
      case 'setPrice':
        cart.setPrice(change.line, decimal(change.unitPrice), decimal(change.per))
        return []
      case 'setTaxes':
        cart.setTaxes(change.line, change.taxes.map(component))
        return []
      case 'adjustLine':
        cart.adjustLine(change.line, adjustment(change.adjustment))
        return []
      case 'adjustSale': {
        const { shares } = cart.adjustSale(adjustment(change.adjustment))
        return shares.map(({ line, effect }) => [line, effect] as const)
      }
      case 'retract':
        cart.retract(change.number)
        return []
    }
  } catch (error) {
    if (error instanceof Contradiction) return undefined
    throw error
  }
}

function decimal([minusScale, mantissa]: DecimalJson): Decimal {
  return { scale: -minusScale, mantissa: BigInt(mantissa) }
}

function component([name, ratePpm, inclusive]: ComponentJson): TaxComponent {
  return { class: name, ratePpm: BigInt(ratePpm), inclusive }
}

function list({ class: name, ratePpm, inclusive }: TaxComponent): unknown {
  return [name, ratePpm, inclusive]
}

function adjustment({ direction, amount, ppm }: AdjustmentJson): Adjustment {
  return {
    direction,
    amount: amount === undefined ? undefined : BigInt(amount),
    ppm: ppm === undefined ? undefined : BigInt(ppm),
  }
}

function combinationOf(policy: Policy): string {
  const { prices, taxScope, taxRounding, grossSplit, amountRounding } = policy
  return [prices, taxScope, taxRounding, grossSplit, amountRounding].join(' ')
}

function sorted(value: object): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** As JSON, with whole numbers of either kind. */
function shown(value: unknown): string {
  return JSON.stringify(sortedDeep(value), (_, inner: unknown) =>
    typeof inner === 'bigint' ? Number(inner) : inner,
  )
}

function sortedDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedDeep)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(sorted(value).map(([name, inner]) => [name, sortedDeep(inner)]))
}
