/**
 * The rules that a till prices by, and their canonical bytes: one map with all thirteen keys in
 * order, definite lengths, the shortest form of each integer. Another spelling is refused, so equal
 * hashes mean equal rules.
 */
import { Cbor, type Field, type Read } from '../cbor.js'
import { Contradiction, hold } from '../contradiction.js'
import { isCurrency, minorDigitsOf } from '../currency.js'

/** One of the rules: how it is read, and how it is written. */
interface Term<T> {
  readonly read: Read<T>
  readonly write: (value: T) => Buffer
}

const rounding = choice('halfUp', 'halfEven', 'up', 'down')
const means = choice('cash', 'card', 'voucher', 'foreign', 'other')

/** By the order of their keys, which begin with 0. */
const terms = {
  version: whole(1n, 1n),
  currency: { read: readCurrency, write: writeText },
  minorDigits: whole(0n, 4n),
  prices: choice('net', 'gross'),
  taxScope: choice('perRate', 'perLine', 'perUnit'),
  taxRounding: rounding,
  grossSplit: choice('taxFirst', 'netFirst'),
  amountRounding: rounding,
  cashStep: whole(1n, 1_000_000n),
  cashRounding: choice('halfUp', 'halfDown', 'up', 'down'),
  changeFrom: { read: readMeans, write: writeMeans },
  mixedReturns: { read: (cbor: Cbor) => cbor.bool(), write: writeBool },
  unboundReturns: choice('allow', 'approve', 'refuse'),
}

type TermValue<T> = T extends Term<infer Value> ? Value : never

/** The rules, with the version of their bytes. */
export type Policy = { readonly [Name in keyof typeof terms]: TermValue<(typeof terms)[Name]> }
/** A rule that makes a whole number of an amount, or of a tax. */
export type Rounding = Policy['taxRounding']
/** A rule that makes of an amount what coins can pay. */
export type CashRounding = Policy['cashRounding']
/** What money is given in. */
export type PaymentMeans = Policy['changeFrom'][number]

/** The policy of a currency for which none is set. */
export function defaultPolicy(currency: string): Policy {
  return {
    version: 1n,
    currency,
    minorDigits: minorDigitsOf(currency),
    prices: 'net',
    taxScope: 'perRate',
    taxRounding: 'halfUp',
    grossSplit: 'taxFirst',
    amountRounding: 'halfUp',
    cashStep: 1n,
    cashRounding: 'halfUp',
    changeFrom: ['cash', 'foreign'],
    mixedReturns: true,
    unboundReturns: 'approve',
  }
}

/** Decodes the canonical bytes of a policy. */
export function decodePolicy(bytes: Buffer): Policy {
  const fields = Object.entries(terms).map(([name, { read }], key): [string, Field<unknown>] => [
    name,
    { key: BigInt(key), read: read as Read<unknown> },
  ])
  const policy = Cbor.whole(bytes, (cbor) => cbor.map(Object.fromEntries(fields))) as Policy
  hold(encodePolicy(policy).equals(bytes), undefined, 'the policy is not in its canonical form')
  return policy
}

/** The canonical bytes of a policy. */
export function encodePolicy(policy: Policy): Buffer {
  const entries = Object.entries(terms).flatMap(([name, { write }], key) => {
    const value = policy[name as keyof Policy]
    return [head(0, BigInt(key)), (write as Term<unknown>['write'])(value)]
  })
  return Buffer.concat([head(5, BigInt(Object.keys(terms).length)), ...entries])
}

function choice<Name extends string>(...names: readonly Name[]): Term<Name> {
  return {
    read: (cbor) => {
      const number = cbor.unsigned()
      const name = names.find((_, index) => BigInt(index + 1) === number)
      if (name === undefined) throw new Contradiction(`${number} is none of ${names.join(', ')}`)
      return name
    },
    write: (name) => head(0, BigInt(names.indexOf(name) + 1)),
  }
}

function whole(low: bigint, high: bigint): Term<bigint> {
  return {
    read: (cbor) => {
      const value = cbor.unsigned()
      hold(value >= low && value <= high, undefined, `${value} is not from ${low} to ${high}`)
      return value
    },
    write: (value) => head(0, value),
  }
}

function readCurrency(cbor: Cbor): string {
  const letters = cbor.text()
  hold(isCurrency(letters), undefined, `"${letters}" is no currency`)
  return letters
}

function writeText(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([head(3, BigInt(bytes.length)), bytes])
}

/** In the order of their numbers, each once. */
function readMeans(cbor: Cbor): readonly TermValue<typeof means>[] {
  const found: TermValue<typeof means>[] = []
  let last = 0
  for (let left = cbor.array(); left > 0n; left -= 1n) {
    const one = means.read(cbor)
    const number = means.write(one)[0] ?? 0
    hold(number > last, undefined, `the means of payment are not in order at "${one}"`)
    last = number
    found.push(one)
  }
  return found
}

function writeMeans(list: readonly TermValue<typeof means>[]): Buffer {
  return Buffer.concat([head(4, BigInt(list.length)), ...list.map(means.write)])
}

function writeBool(value: boolean): Buffer {
  return Buffer.of(value ? 0xf5 : 0xf4)
}

/** A head of CBOR in its shortest form, for arguments of at most four bytes. */
function head(major: number, argument: bigint): Buffer {
  const kind = major << 5
  const value = Number(argument)
  if (value < 24) return Buffer.of(kind | value)
  if (value < 2 ** 8) return Buffer.of(kind | 24, value)
  const bytes = Buffer.alloc(value < 2 ** 16 ? 3 : 5)
  bytes[0] = kind | (value < 2 ** 16 ? 25 : 26)
  bytes.writeUIntBE(value, 1, bytes.length - 1)
  return bytes
}
