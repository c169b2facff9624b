import test from 'ava'
import fc from 'fast-check'
import {
  type Frame,
  FrameReader,
  FrameSplitter,
  frameBytes,
  frameBytesMax,
  frameOf,
  headBytes,
  Kind,
  readU32,
  writeU32,
} from '../../../ts/host/wire/frame.js'

const frames = fc.array(
  fc.record({
    kind: fc.constantFrom(...Object.values(Kind)),
    id: fc.nat(0xffff_ffff),
    name: fc.string({ unit: 'grapheme', maxLength: 20 }),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 12 },
)

/** The bytes in pieces, cut at these places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

function read(reader: FrameReader, parts: readonly Buffer[]): Frame[] | undefined {
  const all: Frame[] = []
  for (const part of parts) {
    const found = reader.read(part)
    if (found === undefined) return undefined
    all.push(...found.map(frameOf))
  }
  return all
}

test('any split of a stream gives the same frames', (t) => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(5000), { maxLength: 30 }), (said, cuts) => {
      const stream = Buffer.concat(
        said.map(({ kind, id, name, payload }) => frameBytes(kind, id, name, payload)),
      )
      t.deepEqual(read(new FrameReader(), pieces(stream, cuts)), said)
    }),
  )
  const one = frameBytes(Kind.note, 0xffff_ffff, 'é'.repeat(120), Buffer.from('x'))
  const bytewise = pieces(one, [...one.keys()])
  t.is(read(new FrameReader(), bytewise)?.[0]?.name, 'é'.repeat(120))
})

test('garbage never throws, and nothing is found after it', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 8 }),
      frames,
      (garbage, said) => {
        const reader = new FrameReader()
        for (const { kind, id, name, payload } of said) {
          t.is(reader.read(frameBytes(kind, id, name, payload))?.length, 1)
        }
        let isBroken = false
        for (const part of garbage) {
          const found = reader.read(Buffer.from(part))
          if (isBroken) t.is(found, undefined)
          isBroken = found === undefined
          for (const frame of found ?? []) t.true(frame.length >= headBytes)
        }
        if (isBroken) t.is(reader.read(frameBytes(Kind.note, 0, 'a')), undefined)
      },
    ),
  )
})

test('a frame that breaks a rule of its head ends the stream', (t) => {
  const good = frameBytes(Kind.request, 7, 'name', Buffer.from('payload'))
  const broken: [string, (bytes: Buffer) => void][] = [
    ['too long', (bytes) => bytes.writeUInt32LE(frameBytesMax - 3, 0)],
    ['giant', (bytes) => bytes.writeUInt32LE(0xffff_ffff, 0)],
    ['shorter than its head', (bytes) => bytes.writeUInt32LE(headBytes - 5, 0)],
    ['of no kind', (bytes) => bytes.writeUInt8(0, 4)],
    ['of an unknown kind', (bytes) => bytes.writeUInt8(200, 4)],
    ['with a name over its end', (bytes) => bytes.writeUInt8(12, 5)],
    ['with a flag', (bytes) => bytes.writeUInt8(1, 6)],
    ['with a high flag', (bytes) => bytes.writeUInt8(0x80, 7)],
  ]
  for (const [what, damage] of broken) {
    const bytes = Buffer.from(good)
    damage(bytes)
    t.is(new FrameReader().read(bytes), undefined, what)
    t.is(read(new FrameReader(), pieces(bytes, [...bytes.keys()])), undefined, `${what}, in pieces`)
  }
  t.is(new FrameReader().read(good)?.length, 1)
})

test('what is too long is refused before it is sent', (t) => {
  const most = frameBytesMax - headBytes - 4
  t.is(frameBytes(Kind.note, 0, 'name', Buffer.alloc(most)).length, frameBytesMax)
  t.throws(() => frameBytes(Kind.note, 0, 'name', Buffer.alloc(most + 1)), {
    instanceOf: RangeError,
    message: /1048577 bytes; at most 1048576/,
  })
  t.throws(() => frameBytes(Kind.note, 0, 'é'.repeat(128)), { message: /256 bytes; at most 255/ })
})

test('the longest frame comes through in pieces, and its bytes are kept once', (t) => {
  const payload = Buffer.alloc(frameBytesMax - headBytes, 7)
  const bytes = frameBytes(Kind.publish, 1, '', payload)
  const splitter = new FrameSplitter()
  for (let at = 0; at < bytes.length; at += 1000) {
    splitter.push(bytes.subarray(at, at + 1000))
    if (splitter.next()) break
  }
  t.is(splitter.bytes.length, frameBytesMax)
  t.deepEqual(frameOf(splitter.bytes.subarray(splitter.start, splitter.end)).payload, payload)
})

test('a limit below that of frames holds before the bytes are there', (t) => {
  const splitter = new FrameSplitter(64)
  splitter.push(frameBytes(Kind.hello, 0, '', Buffer.alloc(53)).subarray(0, headBytes))
  t.false(splitter.next())
  t.true(splitter.isBroken)
})

test('numbers of four bytes are those of Buffer', (t) => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (value) => {
      const bytes = Buffer.alloc(4)
      writeU32(bytes, value, 0)
      t.is(bytes.readUInt32LE(0), value)
      t.is(readU32(bytes, 0), value)
    }),
  )
})
