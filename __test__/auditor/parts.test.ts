/** The parts of the auditor by themselves, against reference vectors and another library. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { blake3 } from '@noble/hashes/blake3.js'
import test from 'ava'
import { decode, encode } from 'cborg'
import fc from 'fast-check'
import { decodeFact } from '../../ts/auditor/bodies.js'
import { Contradiction } from '../../ts/auditor/contradiction.js'
import { crc32c, emptyRegister, feed, finish } from '../../ts/auditor/crc32c.js'
import { isCurrency, minorDigitsOf } from '../../ts/auditor/currency.js'
import { parseManifest } from '../../ts/auditor/manifest.js'
import { projectRoot } from '../support/child.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('CRC32C: the vectors of RFC 3720, B.4, and the one of the reference', (t) => {
  t.is(crc32c(Buffer.from('123456789')), 0xe3069283)
  t.is(crc32c(Buffer.alloc(32)), 0x8a9136aa)
  t.is(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
  t.is(crc32c(Buffer.from([...Array(32).keys()])), 0x46dd794e)
  t.is(crc32c(Buffer.alloc(0)), 0)
  const halves = feed(feed(emptyRegister, Buffer.from('1234')), Buffer.from('56789'))
  t.is(finish(halves), 0xe3069283)
})

test('BLAKE3, plain and keyed: the official vectors of length 0, 1 and 1025', (t) => {
  const input = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251)
  const key = new TextEncoder().encode('whats the Elvish word for friend')
  const vectors: readonly [number, string, string][] = [
    [
      0,
      'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
      '92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26',
    ],
    [
      1,
      '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213',
      '6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b',
    ],
    [
      1025,
      'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444',
      '357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69',
    ],
  ]
  for (const [length, plain, keyed] of vectors) {
    t.is(hex(blake3(input(length))), plain)
    t.is(hex(blake3(input(length), { key })), keyed)
  }
})

test('a manifest is believed to the byte', (t) => {
  const head = 'pos-kernel journal 1\noldest 1\ncurrent 12\n'
  const crc = (text: string) => crc32c(Buffer.from(text)).toString(16).padStart(8, '0')
  const good = `${head}crc32c ${crc(head)}\n`
  t.deepEqual(parseManifest(Buffer.from(good)), { oldest: 1, current: 12 })
  for (const bad of [
    `${good}\n`,
    good.slice(0, -1),
    good.replace('12', '13'),
    good.replace('12', '012'),
  ]) {
    t.is(parseManifest(Buffer.from(bad)), undefined, bad)
  }
  const backwards = head.replace('oldest 1', 'oldest 13')
  t.is(parseManifest(Buffer.from(`${backwards}crc32c ${crc(backwards)}\n`)), undefined)
})

test('the currencies are those that the reference lists', (t) => {
  const page = readFileSync(path.join(projectRoot, 'docs/reference/records.md'), 'utf8')
  const list = /### Currencies\n[\s\S]*?```text\n([\s\S]*?)```/.exec(page)?.[1]?.split(/\s+/)
  const listed = new Set(list?.filter((letters) => letters !== ''))
  t.is(listed.size, 165)
  const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index))
  for (const first of letters) {
    for (const second of letters) {
      for (const third of letters) {
        const code = first + second + third
        if (isCurrency(code) !== listed.has(code)) t.fail(code)
      }
    }
  }
  t.false(isCurrency('eur'))
  const ofDigits = /a minor unit of ([^.]*)\.\n/.exec(page)?.[1] ?? ''
  const digits = new Map<string, bigint>()
  for (const part of ofDigits.split(';')) {
    const [count = '', letters = ''] = part.split(' decimals: ')
    for (const code of letters.split(' ')) digits.set(code, BigInt(count.trim()))
  }
  t.is(digits.size, 26)
  for (const code of listed) t.is(minorDigitsOf(code), digits.get(code) ?? 2n, code)
})

/** A SaleBegun, as the documents describe it, with more fields behind it. */
function saleBegun(...more: readonly [unknown, unknown][]): Buffer {
  const fields: [unknown, unknown][] = [[0, 7], [1, 'shop'], [2, 'EUR'], ...more]
  return Buffer.from(encode(new Map(fields)))
}

test('unknown fields are skipped, whatever another library writes into them', (t) => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.bigInt(-(2n ** 64n), 2n ** 64n - 1n),
      fc.string(),
      fc.uint8Array(),
      fc.boolean(),
      fc.constant(null),
      fc.double(),
      fc.array(tie('any')),
      fc.dictionary(fc.string(), tie('any')),
    ),
  })).any
  const key = fc.oneof(fc.integer({ min: 16, max: 2 ** 32 }), fc.bigInt(16n, 2n ** 64n - 1n))
  fc.assert(
    fc.property(key, value, (unknown, inside) => {
      const body = saleBegun([unknown, inside])
      const fact = decodeFact(32, body)
      return fact.name === 'SaleBegun' && fact.sale === 7n && fact.currency === 'EUR'
    }),
  )
  t.pass()
})

test('what is read is what another library reads', (t) => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 64n - 1n), text, text, (sale, store, reference) => {
      const body = Buffer.from(
        encode(
          new Map<number, unknown>([
            [0, sale],
            [1, store],
            [2, 'EUR'],
            [3, reference],
          ]),
        ),
      )
      const other = decode(body, { useMaps: true }) as Map<number, unknown>
      const fact = decodeFact(32, body)
      return (
        fact.name === 'SaleBegun' &&
        fact.sale === BigInt(other.get(0) as number | bigint) &&
        fact.store === other.get(1) &&
        fact.reference === other.get(3)
      )
    }),
  )
  t.pass()
})

test('a body is refused for everything that the documents name', (t) => {
  const good = saleBegun()
  t.is(hex(good), 'a30007016473686f700263455552')
  t.notThrows(() => decodeFact(32, good))
  const accepted = {
    'keys in any order': 'a30263455552016473686f700007',
    'integers in a longer form': 'b80318001807016473686f700263455552',
    'null in an optional field': 'a40007016473686f70026345555203f6',
    'an unknown field, twice': 'a50007016473686f700263455552186301186302',
    'an unknown field of indefinite length': 'a40007016473686f70026345555218639f7f6161ffbf0102ffff',
  }
  for (const [what, body] of Object.entries(accepted)) {
    t.notThrows(() => decodeFact(32, Buffer.from(body, 'hex')), what)
  }
  const refused = {
    'no map': '8100',
    'a map of indefinite length': 'bf0007016473686f700263455552ff',
    'a text of indefinite length': 'a30007017f6473686f70ff0263455552',
    'a key that is no unsigned integer': 'a40007016473686f7002634555522000',
    'a known key twice': 'a400070007016473686f700263455552',
    'a required key missing': 'a2016473686f700263455552',
    'another type': 'a30063616263016473686f700263455552',
    'text that is not UTF-8': 'a300070164ff73686f700263455552'.replace(
      '64ff73686f70',
      '64ff736861',
    ),
    'bytes behind the map': `${hex(good)}00`,
    'the end too early': hex(good.subarray(0, -1)),
    'null in a required field': 'a3000701f60263455552',
    'a currency of two letters': 'a30007016473686f7002624555',
    'an unknown field that ends too early': 'a40007016473686f70026345555218639f',
    'an unknown field that is a break': 'a40007016473686f7002634555521863ff',
    'an unknown field with a parted pair': 'a40007016473686f7002634555521863bf01ff',
  }
  for (const [what, body] of Object.entries(refused)) {
    t.throws(() => decodeFact(32, Buffer.from(body, 'hex')), { instanceOf: Contradiction }, what)
  }
})

test('a value nested a million deep is skipped, and one that does not end is refused', (t) => {
  const deep = Buffer.concat([
    Buffer.from('a40007016473686f7002634555521863', 'hex'),
    Buffer.alloc(1_000_000, 0x81),
    Buffer.of(0),
  ])
  t.notThrows(() => decodeFact(32, deep))
  t.throws(() => decodeFact(32, deep.subarray(0, -1)), { instanceOf: Contradiction })
})
