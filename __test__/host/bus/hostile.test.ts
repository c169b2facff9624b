import test from 'ava'
import fc from 'fast-check'
import { frameBytes, frameBytesMax, Kind } from '../../../ts/host/wire/frame.js'
import { codeOf, testBus, until } from '../../support/bus.js'

const credit = Buffer.from([1, 0, 0, 0])

const tricks: readonly [string, string, (id: number) => Buffer][] = [
  ['an unknown kind', 'HOST_PROTOCOL', () => damaged(4, 99)],
  ['a flag that nobody knows', 'HOST_PROTOCOL', () => damaged(6, 1)],
  ['a name over the end of its frame', 'HOST_PROTOCOL', () => damaged(5, 200)],
  ['a giant length', 'HOST_PROTOCOL', () => Buffer.alloc(12, 0xff)],
  ['a second hello', 'HOST_PROTOCOL', () => frameBytes(Kind.hello, 0, '', Buffer.from('{}'))],
  ['a welcome', 'HOST_PROTOCOL', () => frameBytes(Kind.welcome, 0, '')],
  ['a refusal', 'HOST_PROTOCOL', () => frameBytes(Kind.refused, 0, '')],
  ['what it missed', 'HOST_PROTOCOL', () => frameBytes(Kind.missed, 0, '', credit)],
  ['room that it was not sent', 'HOST_PROTOCOL', () => frameBytes(Kind.credit, 0, '', credit)],
  ['room in three bytes', 'HOST_PROTOCOL', () => frameBytes(Kind.credit, 0, '', Buffer.alloc(3))],
  ['an answer that nobody asked for', 'HOST_PROTOCOL', () => frameBytes(Kind.answer, 1, 'good.1')],
  ['a fault that nobody asked for', 'HOST_PROTOCOL', () => frameBytes(Kind.fault, 77, '')],
  ['a request without a number', 'HOST_PROTOCOL', () => frameBytes(Kind.request, 0, 'good.1')],
  [
    'a number twice',
    'HOST_PROTOCOL',
    () => Buffer.concat([1, 1].map(() => frameBytes(Kind.request, 5, 'mute.1'))),
  ],
]

function damaged(at: number, value: number): Buffer {
  const bytes = frameBytes(Kind.note, 1, 'good.1', Buffer.from('payload'))
  bytes[at] = value
  return bytes
}

test('who breaks the rules is cut off and reported, and nobody else notices', async (t) => {
  const bus = await testBus(t)
  const good = await bus.join('good.1')
  const mute = await bus.join('mute.1')
  good.onRequest((payload) => payload)
  mute.onRequest(() => new Promise(() => {}))
  for (const [index, [what, code, bytes]] of tricks.entries()) {
    const evil = await bus.raw(`evil.${index}`)
    evil.socket.write(bytes(index))
    await evil.end()
    t.is(bus.refusals.length, index + 1, what)
    t.like(bus.refusals.at(-1), { instance: `evil.${index}`, code }, what)
    t.is((await good.request('good.1', Buffer.from('x'))).toString(), 'x', what)
  }
  t.is(bus.broker.health().peers, 2)
})

test('frames after the one that broke the rules are not passed on', async (t) => {
  const bus = await testBus(t)
  const heard: string[] = []
  const good = await bus.join('good.1')
  good.onMessage((payload) => heard.push(payload.toString()))
  const evil = await bus.raw('evil.1')
  evil.socket.write(
    Buffer.concat([
      frameBytes(Kind.note, 1, 'good.1', Buffer.from('before')),
      frameBytes(Kind.welcome, 0, ''),
      frameBytes(Kind.note, 2, 'good.1', Buffer.from('after')),
    ]),
  )
  await evil.end()
  await good.send('good.1', Buffer.from('own'))
  await until('the last is heard', () => heard.includes('own'))
  t.deepEqual(heard, ['before', 'own'])
})

test('any bytes of a peer leave the broker and its neighbours as they were', async (t) => {
  const bus = await testBus(t)
  const good = await bus.join('good.1')
  good.onRequest((payload) => payload)
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc
      .record({
        kind: fc.constantFrom(...Object.values(Kind)),
        id: fc.nat(3),
        name: fc.constantFrom('good.1', 'nobody', 'x', '', 'evil.1'),
        payload: fc.uint8Array({ maxLength: 8 }),
      })
      .map(({ kind, id, name, payload }) => frameBytes(kind, id, name, payload)),
  )
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
      run += 1
      const evil = await bus.raw(`evil.${run}`)
      evil.socket.end(Buffer.concat(parts))
      t.is((await good.request('good.1', Buffer.from('still'))).toString(), 'still')
      evil.socket.resume()
      await until('it is gone', () => bus.broker.health().peers === 1)
    }),
    { numRuns: 60 },
  )
})

test('a message that grows over the limit with the name of its sender is refused', async (t) => {
  const bus = await testBus(t)
  const long = 'a'.repeat(48)
  const one = await bus.join(`${long}.123456`)
  const two = await bus.join('b.1')
  two.onMessage(() => {})
  const fits = Buffer.alloc(frameBytesMax - 12 - long.length - 7)
  t.is(await codeOf(one.send('b.1', fits)), 'none')
  const over = Buffer.alloc(fits.length + 1)
  const error = await t.throwsAsync(one.send('b.1', over), { message: /1048577 bytes/ })
  t.like(error, { code: 'HOST_TOO_LARGE', facts: { limit: frameBytesMax } })
  t.is(await codeOf(one.send('b.1', Buffer.alloc(frameBytesMax))), 'HOST_TOO_LARGE')
  t.is(bus.refusals.length, 0)
})

test('a peer has 4,096 requests under way and no more', async (t) => {
  const bus = await testBus(t)
  const mute = await bus.join('mute.1')
  mute.onRequest(() => new Promise(() => {}))
  const raw = await bus.raw('many.1')
  for (let id = 1; id <= 4100; id += 1) raw.say(Kind.request, id, 'mute.1')
  await until('those beyond are refused', () => raw.frames.length === 5)
  t.deepEqual(
    raw.frames.slice(1).map(({ kind, id }) => [kind, id]),
    [4097, 4098, 4099, 4100].map((id) => [Kind.fault, id]),
  )
  raw.say(Kind.cancel, 17, '')
  raw.say(Kind.request, 5000, 'mute.1')
  await until('it is passed on', () => mute.counts.handled + bus.broker.health().frames > 4101)
  t.false(raw.frames.some(({ id }) => id === 5000))
})
