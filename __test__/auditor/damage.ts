/** Ways to hurt a journal: rot, torn writes, and a forger with more and more knowledge. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { blake3 } from '@noble/hashes/blake3.js'
import { decode, encode } from 'cborg'
import type { Chance } from '../fault/chance.js'
import { BLOCK, type ForgedFrame, type ForgedRecord, Forgery, type Segment } from './forger.js'

const begunKind = 32
const completedKind = 40
/** Facts of these kinds and below are about a sale. */
const lastSaleKind = 50

/** Hurts the journal in a folder and says how. */
export type Damage = (folder: string, luck: Chance) => string

/** The ways, by name. */
export const damages: Readonly<Record<string, Damage>> = {
  bits: onBytes((bytes, luck) => {
    const at = place(bytes, luck)
    for (let count = luck.between(1, 3); count > 0; count--) {
      bytes[at] = (bytes[at] ?? 0) ^ (1 << luck.between(0, 7))
    }
    return `bits at ${at}`
  }),
  zeros: onBytes((bytes, luck) => {
    const at = place(bytes, luck)
    const to = Math.min(at + luck.pick([1, 8, 100, 512, BLOCK, 3 * BLOCK]), bytes.length)
    bytes.fill(0, at, to)
    return `zeros ${at}..${to}`
  }),
  block: onBytes((bytes, luck) => {
    const at = place(bytes, luck) & -BLOCK
    bytes.fill(luck.pick([0, 0, 255]), at, at + BLOCK)
    return `block ${at}`
  }),
  tail: onBytes((bytes, luck) => {
    const at = place(bytes, luck)
    bytes.fill(0, at)
    return `zeros from ${at}`
  }),
  junk: onBytes((bytes, luck) => {
    const at = luck.between(endOf(bytes), bytes.length - 1)
    const length = luck.between(1, 200)
    for (let index = at; index < Math.min(at + length, bytes.length); index++) {
      bytes[index] = luck.between(0, 255)
    }
    return `junk of ${length} at ${at}`
  }),
  swap: onBytes((bytes, luck) => {
    const [a, b] = [place(bytes, luck) & -BLOCK, place(bytes, luck) & -BLOCK]
    const kept = Buffer.from(bytes.subarray(a, a + BLOCK))
    bytes.copy(bytes, a, b, b + BLOCK)
    kept.copy(bytes, b)
    return `blocks ${a} and ${b}`
  }),
  copy: onBytes((bytes, luck) => {
    const from = place(bytes, luck) & -8
    const to = luck.happens(0.5) ? (endOf(bytes) + 7) & -8 : place(bytes, luck) & -8
    const length = luck.pick([104, 512, BLOCK])
    bytes.copy(bytes, to, from, Math.min(from + length, bytes.length))
    return `${length} bytes from ${from} to ${to}`
  }),
  length: (folder, luck) => {
    const file = anySegment(folder, luck)
    const bytes = readFileSync(file)
    const length = luck.pick([0, 1, 100, 4095, 4096, 12288, bytes.length - 1, bytes.length - BLOCK])
    const isLonger = luck.happens(0.3)
    writeFileSync(
      file,
      isLonger ? Buffer.concat([bytes], bytes.length + BLOCK) : bytes.subarray(0, length),
    )
    return `${path.basename(file)} ${isLonger ? 'longer' : `cut to ${length}`}`
  },
  files: (folder, luck) => {
    const names = readdirSync(folder)
    const name = luck.pick([names[0] ?? '', ...names])
    rmSync(path.join(folder, name))
    return `${name} removed`
  },
  manifest: (folder, luck) => {
    const file = path.join(folder, 'manifest')
    const bytes = readFileSync(file)
    const at = luck.between(0, bytes.length - 1)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << luck.between(0, 7))
    writeFileSync(file, bytes)
    let also = ''
    if (luck.happens(0.5)) also = damages.files?.(folder, luck) ?? ''
    return `manifest byte ${at} ${also}`
  },
  'frame, checksum mended': forged((forgery, luck) => {
    const [segment, frame] = anyFrame(forgery, luck)
    const at = frame.at + luck.pick([luck.between(4, 63), luck.between(64, frame.length - 1)])
    segment.bytes[at] = (segment.bytes[at] ?? 0) ^ (1 << luck.between(0, 7))
    const length = segment.bytes.readUInt32LE(frame.at + 4)
    if (length >= 104 && length <= segment.bytes.length - frame.at) segment.mendFrame(frame.at)
    return `byte ${at - frame.at} of the frame at ${frame.at}`
  }),
  'frame, chain mended': forged((forgery, luck) => {
    const [segment, frame] = anyFrame(forgery, luck)
    const at = frame.at + luck.pick([luck.between(8, 63), luck.between(64, frame.length - 33)])
    segment.bytes[at] = (segment.bytes[at] ?? 0) ^ (1 << luck.between(0, 7))
    forgery.mendChain(0)
    return `byte ${at - frame.at} of the frame at ${frame.at}`
  }),
  'header, checksum mended': forged((forgery, luck) => {
    const segment = anyOf(forgery.segments, luck)
    const at = luck.pick([luck.between(0, 63), luck.between(64, 140), luck.between(140, 4091)])
    segment.bytes[at] = (segment.bytes[at] ?? 0) ^ (1 << luck.between(0, 7))
    segment.mendHeader()
    return `byte ${at} of the header`
  }),
  'header, chain mended': forged((forgery, luck) => {
    const segment = anyOf(forgery.segments, luck)
    const at = luck.pick([luck.between(12, 63), luck.between(96, 130)])
    segment.bytes[at] = (segment.bytes[at] ?? 0) ^ (1 << luck.between(0, 7))
    const from = forgery.segments.indexOf(segment)
    forgery.mendChain(from)
    return `byte ${at} of the header of ${segment.name}`
  }),
  'mark, checksum mended': forged((forgery, luck) => {
    const segment = anyOf(forgery.segments, luck)
    const at = luck.pick([BLOCK, 2 * BLOCK])
    const byte = at + luck.pick([luck.between(8, 31), luck.between(8, 24), luck.between(0, 80)])
    segment.bytes[byte] = (segment.bytes[byte] ?? 0) ^ (1 << luck.between(0, 7))
    segment.mendMark(at)
    if (luck.happens(0.5)) segment.bytes.fill(0, place(segment.bytes, luck))
    return `byte ${byte - at} of the mark at ${at}`
  }),
  'frame left out, chain mended': forged((forgery, luck) => {
    const [segment, frame] = anyFrame(forgery, luck)
    segment.rebuild(segment.frames().filter(({ at }) => at !== frame.at))
    if (luck.happens(0.7)) renumber(forgery)
    forgery.mendChain(0)
    return `frame at ${frame.at} left out`
  }),
  'frames exchanged, chain mended': forged((forgery, luck) => {
    const segment = anyOf(forgery.segments, luck)
    const frames = segment.frames()
    const index = luck.between(0, frames.length - 2)
    frames.splice(index, 2, ...frames.slice(index, index + 2).reverse())
    segment.rebuild(frames)
    renumber(forgery)
    forgery.mendChain(0)
    return `frames ${index} and ${index + 1} exchanged`
  }),
  'body changed, chain mended': forged((forgery, luck) => {
    const [segment, frame] = anyFrame(forgery, luck)
    return replaced(forgery, segment, frame, luck, changedBody)
  }),
  'body of odd form, chain mended': forged((forgery, luck) => {
    const [segment, frame] = anyFrame(forgery, luck)
    return replaced(forgery, segment, frame, luck, oddBody)
  }),
  'body changed, content and chain mended': forged((forgery, luck) => {
    const [segment, frame] = anyFrame(forgery, luck)
    const said = replaced(forgery, segment, frame, luck, changedBody)
    mendContents(forgery)
    forgery.mendChain(0)
    return said
  }),
  'record, chain mended': forged((forgery, luck) => {
    const [segment, frame] = anyFrame(forgery, luck)
    return replaced(forgery, segment, frame, luck, (record) => [
      {
        ...record,
        flags: luck.pick([record.flags, record.flags, 0, 2]),
        kind: luck.pick([
          record.kind,
          1,
          2,
          15,
          16,
          17,
          20,
          21,
          22,
          32,
          33,
          36,
          40,
          41,
          44,
          47,
          48,
          200,
        ]),
      },
      'kind or flags',
    ])
  }),
}

/** Values of unknown fields, in hexadecimal: odd ones, and some that are no CBOR. */
const oddValues = [
  ...'f6 f7 f0 f820 fb3ff0000000000000 f97e00 c11a514b67b0 9f0102ff bf0102ff 5f4101ff'.split(' '),
  ...'7f6161ff 5f6161ff 5fff 1bffffffffffffffff 3bffffffffffffffff d9ffff80 8181818100'.split(' '),
  ...'1801 a2010101 61ff 62c328 7f61ffff 1c 9f df 3f c6 9b0000000100000000'.split(' '),
  ...'5bffffffffffffffff 7f7f6161ffff 829f00ff9f01ff'.split(' '),
]

function changedBody(record: ForgedRecord, luck: Chance): [ForgedRecord, string] {
  if (record.body.length === 0) return [record, 'nothing']
  const map = decode(record.body, { useMaps: true }) as Map<unknown, unknown>
  if (map.size === 0) return [record, 'nothing']
  const key = anyOf([...map.keys()], luck)
  const value = map.get(key)
  const way = luck.between(0, 9)
  if (way === 0) map.delete(key)
  else if (way === 1) map.set(luck.between(0, 20), luck.between(0, 5))
  else map.set(key, other(value, luck))
  const said = `kind ${record.kind} key ${key}: ${shown(value)} to ${shown(map.get(key))}`
  return [{ ...record, body: Buffer.from(encode(map)) }, said]
}

function oddBody(record: ForgedRecord, luck: Chance): [ForgedRecord, string] {
  const { body } = record
  const fields = (body[0] ?? 0) & 31
  if (body.length === 0 || fields > 20) return [record, 'nothing']
  const with_ = (...pieces: (Buffer | string)[]): Buffer =>
    Buffer.concat(
      pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'hex') : piece)),
    )
  const head = (count: number) => Buffer.of(0xa0 + count)
  const rest = body.subarray(1)
  const odd = anyOf(oddValues, luck)
  const key = luck.pick(['1863', '18ff', '1903e8', '1bffffffffffffffff', '15'])
  const [changed, said] = luck.pick<[Buffer, string]>([
    [with_(head(fields + 1), rest, key, odd), `unknown field ${key} ${odd}`],
    [with_(head(fields + 1), key, odd, rest), `unknown field ${key} ${odd} in front`],
    [with_(head(fields + 2), rest, key, odd, key, odd), `unknown field ${key} ${odd} twice`],
    [with_('b8', Buffer.of(fields), rest), 'a longer head'],
    [with_('bb00000000000000', Buffer.of(fields), rest), 'the longest head'],
    [with_('bf', rest, 'ff'), 'an indefinite map'],
    [with_(head(fields + 1), rest), 'a field too few'],
    [with_(body, '00'), 'a byte behind'],
    [
      with_(head(fields + 1), rest, luck.pick(['6161', '20', 'f6', '4101']), '00'),
      'a key that is none',
    ],
    [with_(head(fields + 1), rest, rest.subarray(0, 1), '01'), 'the first field twice'],
    [
      with_(head(fields + 1), rest, luck.pick(['03', '05', '0c', '0f', '02', '04', '09']), 'f6'),
      'a null',
    ],
    [with_(head(fields), '1800', rest.subarray(1)), 'a longer key'],
    [with_('d9d9f7', body), 'a tag in front'],
    [with_(head(fields), rest.subarray(0, 1), 'c1', rest.subarray(1)), 'a tagged value'],
  ])
  return [{ ...record, body: changed }, `kind ${record.kind}: ${said}`]
}

/** Another value, mostly of the same type and near. */
function other(value: unknown, luck: Chance): unknown {
  if (luck.happens(0.05)) return luck.pick<unknown>([0, -1, 'x', true, null, [], Buffer.of(1)])
  if (typeof value === 'number' || typeof value === 'bigint') {
    const near = BigInt(value) + BigInt(luck.pick([1, -1, 2, -2, 100, -100]))
    const far = luck.pick([
      0n,
      -BigInt(value),
      2n ** 53n,
      2n ** 32n,
      2n ** 64n - 1n,
      2n ** 53n - 1n,
    ])
    return luck.happens(0.7) ? near : far
  }
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string') {
    return luck.pick([`${value}x`, value.slice(1), value.toLowerCase(), 'USD', 'ÄÖÜ', ''])
  }
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    if (bytes.length === 0) return Buffer.alloc(luck.pick([1, 32]))
    if (luck.happens(0.2)) return bytes.subarray(luck.pick([1, 32]))
    const at = luck.between(0, bytes.length - 1)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << luck.between(0, 7))
    return bytes
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return [0]
    const copy = [...value]
    const at = luck.between(0, copy.length - 1)
    if (luck.happens(0.2)) copy.splice(at, 1)
    else if (luck.happens(0.1)) copy.push(copy[at])
    else copy[at] = other(copy[at], luck)
    return copy
  }
  if (value instanceof Map) {
    const copy = new Map(value)
    if (copy.size === 0) return new Map([[0, 0]])
    const key = anyOf([...copy.keys()], luck)
    copy.set(key, other(copy.get(key), luck))
    return copy
  }
  return value
}

function replaced(
  forgery: Forgery,
  segment: Segment,
  frame: ForgedFrame,
  luck: Chance,
  change: (record: ForgedRecord, luck: Chance) => [ForgedRecord, string],
): string {
  const index = luck.between(0, frame.records.length - 1)
  const record = frame.records[index]
  if (record === undefined) return 'nothing'
  const [changed, said] = change(record, luck)
  const records = frame.records.with(index, changed)
  const frames = segment.frames().map((old) => (old.at === frame.at ? { ...old, records } : old))
  if (!segment.rebuild(frames)) return 'nothing'
  forgery.mendChain(0)
  return `${segment.name}, frame of record ${frame.sequence}: ${said}`
}

/** Makes every completion cover the facts of its sale as they stand now. */
export function mendContents(forgery: Forgery): void {
  const logs = new Map<unknown, Buffer[]>()
  for (const segment of forgery.segments) {
    const frames = segment.frames().map((frame) => ({
      ...frame,
      records: frame.records.map((record) => withContent(record, logs)),
    }))
    segment.rebuild(frames)
  }
}

function withContent(record: ForgedRecord, logs: Map<unknown, Buffer[]>): ForgedRecord {
  const { kind, body } = record
  if (kind < begunKind || kind > lastSaleKind) return record
  const map = decode(body, { useMaps: true }) as Map<unknown, unknown>
  if (kind === begunKind) logs.set(map.get(0), [])
  const log = logs.get(map.get(0)) ?? []
  if (kind !== completedKind) {
    const head = Buffer.alloc(6)
    head.writeUInt16LE(kind, 0)
    head.writeUInt32LE(body.length, 2)
    log.push(head, body)
    return record
  }
  const said = map.get(5)
  const at = said instanceof Uint8Array && said.length === 32 ? body.indexOf(said) : -1
  if (at < 0) return record
  const changed = Buffer.from(body)
  changed.set(blake3(Buffer.concat(log)), at)
  return { ...record, body: changed }
}

/** Gives every record the number that its place asks for, and keeps `durable` below it. */
function renumber(forgery: Forgery): void {
  let sequence = 1n
  for (const segment of forgery.segments) {
    segment.bytes.writeBigUInt64LE(sequence, 32)
    const frames = segment.frames()
    for (const { front, records } of frames) {
      front.writeBigUInt64LE(sequence, 8)
      if (front.readBigUInt64LE(16) >= sequence) front.writeBigUInt64LE(sequence - 1n, 16)
      sequence += BigInt(records.length)
    }
    segment.rebuild(frames)
    // Marks would prove records that are no longer there.
    segment.bytes.fill(0, BLOCK, 3 * BLOCK)
  }
}

/** A place in a segment where something is likely to stand. */
function place(bytes: Buffer, luck: Chance): number {
  const end = endOf(bytes)
  if (luck.happens(0.1)) return luck.between(0, bytes.length - 1)
  if (luck.happens(0.3)) return luck.between(Math.max(0, end - 600), end - 1)
  return luck.between(luck.happens(0.2) ? 0 : 3 * BLOCK, Math.max(3 * BLOCK, end - 1))
}

function endOf(bytes: Buffer): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1
}

function anySegment(folder: string, luck: Chance): string {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.wal'))
    .sort()
  return path.join(folder, luck.happens(0.5) ? (names.at(-1) ?? '') : anyOf(names, luck))
}

function anyFrame(forgery: Forgery, luck: Chance): [Segment, ForgedFrame] {
  const segment = anyOf(forgery.segments, luck)
  return [segment, anyOf(segment.frames(), luck)]
}

function anyOf<T>(values: readonly T[], luck: Chance): T {
  const value = values[luck.between(0, values.length - 1)]
  if (value === undefined) throw new Error('there is nothing to choose from')
  return value
}

function onBytes(hurt: (bytes: Buffer, luck: Chance) => string): Damage {
  return (folder, luck) => {
    const file = anySegment(folder, luck)
    const bytes = readFileSync(file)
    const said = hurt(bytes, luck)
    writeFileSync(file, bytes)
    return `${path.basename(file)}: ${said}`
  }
}

function forged(hurt: (forgery: Forgery, luck: Chance) => string): Damage {
  return (folder, luck) => {
    const forgery = new Forgery(folder)
    const said = hurt(forgery, luck)
    forgery.save()
    return said
  }
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? `${inner}n` : inner instanceof Map ? [...inner] : inner,
  )
}

/** The body of a record, by the keys of its fields. */
export type Body = Map<number, unknown>

/** A change of one body; false where there is nothing to change in it. */
export type Forge = (body: Body) => boolean

/** Changes the first record of a kind that can be; segment and offset of its frame come out. */
export function forgeFirst(folder: string, kind: number, forge: Forge): string | undefined {
  const forgery = new Forgery(folder)
  for (const [index, segment] of forgery.segments.entries()) {
    const frames = segment.frames()
    for (const frame of frames) {
      const records = frame.records.map((record) => {
        if (record.kind !== kind) return record
        const body = decode(record.body, { useMaps: true }) as Body
        return forge(body) ? { ...record, body: Buffer.from(encode(body)) } : record
      })
      const at = records.findIndex((record, place) => record !== frame.records[place])
      if (at < 0) continue
      const one = frame.records.map((record, place) =>
        place === at ? (records[at] ?? record) : record,
      )
      const rebuilt = frames.map((other) => (other === frame ? { ...other, records: one } : other))
      if (!segment.rebuild(rebuilt)) continue
      mendContents(forgery)
      forgery.mendChain(0)
      forgery.save()
      // A rebuilt segment has no gaps, so its frames stand elsewhere.
      const there = segment.frames().find(({ sequence }) => sequence === frame.sequence)
      return `${index + 1}:${there?.at}`
    }
  }
  return undefined
}
