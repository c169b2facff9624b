/**
 * What values in bodies are made of: the types of `docs/reference/records.md`, and the fields and
 * maps that are built from them.
 */
import type { Field, Read, Shaped } from './cbor.js'
import { Contradiction } from './contradiction.js'
import { isCurrency } from './currency.js'

/** Amounts lie within this on both sides of zero. */
export const AMOUNT_MAX = 2n ** 53n - 1n

/** An exact decimal: mantissa / 10^scale. */
export interface Decimal {
  readonly scale: number
  readonly mantissa: bigint
}

const U32_MAX = 2n ** 32n - 1n
const I64_MIN = -(2n ** 63n)
const I64_MAX = 2n ** 63n - 1n
const SCALE_MAX = 6n

/** An unsigned integer. */
export const u64: Read<bigint> = (cbor) => cbor.unsigned()
/** An unsigned integer of 32 bits. */
export const u32: Read<number> = (cbor) => Number(between(cbor.unsigned(), 0n, U32_MAX, 'a u32'))
/** An integer of 64 bits. */
export const i64: Read<bigint> = (cbor) => between(cbor.integer(), I64_MIN, I64_MAX, 'an i64')
/** Minor units. */
export const amount: Read<bigint> = (cbor) =>
  between(cbor.integer(), -AMOUNT_MAX, AMOUNT_MAX, 'an amount')
/** Minor units, not negative. */
export const unsignedAmount: Read<bigint> = (cbor) =>
  between(cbor.integer(), 0n, AMOUNT_MAX, 'a total')
/** A count; counters end where sequences do. */
export const count: Read<bigint> = (cbor) => between(cbor.unsigned(), 0n, I64_MAX - 1n, 'a count')
/** A count that begins with one. */
export const countFromOne: Read<bigint> = (cbor) =>
  between(cbor.unsigned(), 1n, I64_MAX - 1n, 'a number from 1')
/** True or false. */
export const bool: Read<boolean> = (cbor) => cbor.bool()
/** A text. */
export const text: Read<string> = (cbor) => cbor.text()
/** A byte string. */
export const bytes: Read<Buffer> = (cbor) => cbor.bytes()
/** A hash, of 32 bytes. */
export const hash: Read<Buffer> = (cbor) => {
  const value = cbor.bytes()
  if (value.length !== 32) throw new Contradiction(`a hash of ${value.length} bytes`)
  return value
}
/** Letters of a currency. */
export const currency: Read<string> = (cbor) => {
  const letters = cbor.text()
  if (!isCurrency(letters)) throw new Contradiction(`"${letters}" is no currency`)
  return letters
}
/** A decimal as its scale, negated, and its mantissa. */
export const decimal: Read<Decimal> = (cbor) => {
  if (cbor.array() !== 2n) throw new Contradiction('a decimal is an array of two')
  const scale = -between(cbor.integer(), -SCALE_MAX, 0n, 'the scale of a decimal')
  return { scale: Number(scale), mantissa: i64(cbor) }
}
/** A map of a shape. */
export function map<Shape extends Record<string, Field<unknown>>>(
  shape: Shape,
): Read<Shaped<Shape>> {
  return (cbor) => cbor.map(shape)
}

/** A map of a shape that says what it is. */
export function named<Name extends string, Shape extends Record<string, Field<unknown>>>(
  name: Name,
  shape: Shape,
): Read<Shaped<Shape> & { readonly name: Name }> {
  return (cbor) => ({ name, ...cbor.map(shape) })
}

/** A field that must stand. */
export function required<T>(key: number, read: Read<T>): Field<T> {
  return { key: BigInt(key), read }
}

/** A field that may be absent. */
export function optional<T>(key: number, read: Read<T>): Field<T | undefined> {
  return {
    key: BigInt(key),
    read: (cbor) => (cbor.isNull() ? undefined : read(cbor)),
    absent: { value: undefined },
  }
}

/** An amount that is left out where it is 0. */
export function orZero(key: number): Field<bigint> {
  return {
    key: BigInt(key),
    read: (cbor) => (cbor.isNull() ? 0n : amount(cbor)),
    absent: { value: 0n },
  }
}

/** An array, empty where it is absent. */
export function list<T>(key: number, read: Read<T>): Field<readonly T[]> {
  return {
    key: BigInt(key),
    read: (cbor) => {
      const values: T[] = []
      for (let left = cbor.array(); left > 0n; left -= 1n) values.push(read(cbor))
      return values
    },
    absent: { value: [] },
  }
}

/** A name for a number. */
export function oneOf<Value extends string>(
  what: string,
  values: Readonly<Record<number, Value>>,
): Read<Value> {
  return (cbor) => {
    const number = cbor.unsigned()
    const value = number <= U32_MAX ? values[Number(number)] : undefined
    if (value === undefined) throw new Contradiction(`${number} is no ${what}`)
    return value
  }
}

/** Holds an integer to lie within a range. */
export function between(value: bigint, low: bigint, high: bigint, what: string): bigint {
  if (value < low || value > high) throw new Contradiction(`${value} is out of range for ${what}`)
  return value
}
