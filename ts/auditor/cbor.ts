/**
 * The part of CBOR (RFC 8949) that bodies are made of, read as `docs/reference/records.md` says: a
 * map with unsigned keys in any order, of which the known ones stand at most once and the unknown
 * ones are skipped, whatever they hold.
 *
 * A value that is skipped must be well-formed (RFC 8949, appendix C), and its texts UTF-8; nothing
 * else is asked of it.
 */
import { Contradiction } from './contradiction.js'

/** Major types. */
const major = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, other: 7 }
const names = [
  'an unsigned',
  'a negative',
  'bytes',
  'a text',
  'an array',
  'a map',
  'a tag',
  'other',
]
const FALSE = 20n
const TRUE = 21n
const NULL = 22n
const INDEFINITE = 31
const BREAK = 0xff
/** Simple values below this have no form of two bytes. */
const LONG_SIMPLE_MIN = 32n
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads a value of one type. */
export type Read<T> = (cbor: Cbor) => T

/** A field of a map: its key, its type, and what it is when it is absent. */
export interface Field<T> {
  readonly key: bigint
  readonly read: Read<T>
  readonly absent?: { readonly value: T }
}

/** The values of the fields of a shape. */
export type Shaped<Shape> = {
  [Name in keyof Shape]: Shape[Name] extends Field<infer T> ? T : never
}

interface Head {
  readonly major: number
  /** The argument; undefined for an indefinite length, and for a break. */
  readonly argument: bigint | undefined
}

/** An array, map or tag around a value that is skipped. */
interface Container {
  /** Values that are still to come; undefined until a break. */
  left: bigint | undefined
  readonly isMap: boolean
  passed: number
}

/** A position in some bytes. */
export class Cbor {
  readonly #bytes: Buffer
  #at = 0

  private constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Reads bytes that hold one value and nothing behind it. */
  static whole<T>(bytes: Buffer, read: Read<T>): T {
    const cbor = new Cbor(bytes)
    const value = read(cbor)
    if (cbor.#at !== bytes.length) {
      throw new Contradiction(`${bytes.length - cbor.#at} bytes behind the map`)
    }
    return value
  }

  /** An integer, of either sign. */
  integer(): bigint {
    const { major: found, argument } = this.#head()
    if (argument === undefined || found > major.negative) throw unexpected(found, 'an integer')
    return found === major.unsigned ? argument : -1n - argument
  }

  /** An unsigned integer; one of a negative type is refused, and so is a tag around it. */
  unsigned(): bigint {
    return this.#argumentOf(major.unsigned)
  }

  /** A text. */
  text(): string {
    return textOf(this.#take(this.#argumentOf(major.text)))
  }

  /** A byte string. */
  bytes(): Buffer {
    return this.#take(this.#argumentOf(major.bytes))
  }

  /** True or false. */
  bool(): boolean {
    const { major: found, argument } = this.#head()
    if (found === major.other && argument === TRUE) return true
    if (found === major.other && argument === FALSE) return false
    throw unexpected(found, 'true or false')
  }

  /** Passes a `null`, if one stands here. */
  isNull(): boolean {
    if (this.#bytes[this.#at] !== 0xe0 + Number(NULL)) return false
    this.#at += 1
    return true
  }

  /** The number of values of an array that begins here. */
  array(): bigint {
    return this.#argumentOf(major.array)
  }

  /** A map of a shape. */
  map<Shape extends Record<string, Field<unknown>>>(shape: Shape): Shaped<Shape> {
    const found: Record<string, unknown> = {}
    const fields = Object.entries(shape)
    for (let left = this.#argumentOf(major.map); left > 0n; left -= 1n) {
      const key = this.unsigned()
      const [name, field] = fields.find(([, { key: known }]) => known === key) ?? []
      if (name === undefined || field === undefined) {
        this.#skip()
        continue
      }
      if (name in found) throw new Contradiction(`the field "${name}" stands twice`)
      found[name] = field.read(this)
    }
    for (const [name, { absent }] of fields) {
      if (name in found) continue
      if (absent === undefined) throw new Contradiction(`the field "${name}" is missing`)
      found[name] = absent.value
    }
    return found as Shaped<Shape>
  }

  /** Passes one value, however deep, without recursion: an entry for each container around. */
  #skip(): void {
    const open: Container[] = [{ left: 1n, isMap: false, passed: 0 }]
    for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
      if (inner.left === undefined ? this.#isBreak(inner) : inner.left === 0n) {
        open.pop()
        continue
      }
      if (inner.left !== undefined) inner.left -= 1n
      inner.passed += 1
      const { major: found, argument } = this.#head()
      if (found === major.bytes || found === major.text) {
        if (argument === undefined) this.#skipChunks(found)
        else this.#passString(found, argument)
      } else if (found === major.array || found === major.map) {
        const isMap = found === major.map
        open.push({ left: argument && (isMap ? 2n : 1n) * argument, isMap, passed: 0 })
      } else if (argument === undefined) {
        throw new Contradiction('bytes that are no CBOR')
      } else if (found === major.tag) {
        open.push({ left: 1n, isMap: false, passed: 0 })
      }
    }
  }

  /** Passes the end of something indefinite, which may not part a key from its value. */
  #isBreak({ isMap, passed }: Container): boolean {
    if (this.#bytes[this.#at] !== BREAK || (isMap && passed % 2 === 1)) return false
    this.#at += 1
    return true
  }

  /** Passes the chunks of a string of indefinite length. */
  #skipChunks(kind: number): void {
    for (;;) {
      const { major: found, argument } = this.#head()
      if (found === major.other && argument === undefined) return
      if (found !== kind || argument === undefined) throw unexpected(found, 'a chunk of a string')
      this.#passString(kind, argument)
    }
  }

  #passString(kind: number, length: bigint): void {
    const bytes = this.#take(length)
    if (kind === major.text) textOf(bytes)
  }

  #argumentOf(wanted: number): bigint {
    const { major: found, argument } = this.#head()
    if (found !== wanted || argument === undefined) {
      throw unexpected(found, `${names[wanted]} of definite length`)
    }
    return argument
  }

  #head(): Head {
    const first = this.#take(1n)[0] ?? 0
    const short = first & 31
    const found = first >>> 5
    if (short < 24) return { major: found, argument: BigInt(short) }
    if (short === INDEFINITE) return { major: found, argument: undefined }
    if (short > 27) throw new Contradiction('bytes that are no CBOR')
    const size = 1 << (short - 24)
    let argument = 0n
    for (const byte of this.#take(BigInt(size))) argument = (argument << 8n) | BigInt(byte)
    if (found === major.other && size === 1 && argument < LONG_SIMPLE_MIN) {
      throw new Contradiction('bytes that are no CBOR')
    }
    return { major: found, argument }
  }

  #take(count: bigint): Buffer {
    if (count > BigInt(this.#bytes.length - this.#at)) {
      throw new Contradiction('the body ends too early')
    }
    const from = this.#at
    this.#at += Number(count)
    return this.#bytes.subarray(from, this.#at)
  }
}

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Contradiction('a text is not UTF-8')
  }
}

function unexpected(found: number, wanted: string): Contradiction {
  return new Contradiction(`${names[found]} where ${wanted} must stand`)
}
