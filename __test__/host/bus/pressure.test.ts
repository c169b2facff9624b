import test from 'ava'
import { answerBytesMax, pauseBytes } from '../../../ts/host/bus/peer.js'
import { crowdedBytes, windowBytes } from '../../../ts/host/bus/room.js'
import { jsonOf } from '../../../ts/host/wire/channel.js'
import { frameBytes, Kind } from '../../../ts/host/wire/frame.js'
import { codeOf, testBus, until } from '../../support/bus.js'

test('a receiver that does not read makes its senders wait, then see HOST_BUSY, and the broker keeps no more than its window', async (t) => {
  const bus = await testBus(t)
  const stone = await bus.raw('stone.1')
  stone.socket.pause()
  const one = await bus.join('one.1')
  const two = await bus.join('two.1')
  const other = await bus.join('other.1')
  other.onRequest((payload) => payload)
  const payload = Buffer.alloc(10_000)
  // A frame is taken while what its sender has under way, with it, is no more than what is left.
  const taken = Math.floor((windowBytes / 10_017 + 1) / 2)
  const counts = { told: 0, busy: 0 }
  const sent = Array.from({ length: 200 }, async () => {
    const code = await codeOf(one.send('stone.1', payload))
    if (code === 'none') counts.told += 1
    if (code === 'HOST_BUSY') counts.busy += 1
  })
  await until('those beyond half of the window are refused', () => counts.busy === 200 - taken)
  t.is(counts.told, Math.floor(crowdedBytes / 10_017), 'the others wait for the receiver')
  t.true(bus.broker.health().waitingBytes <= windowBytes)
  t.is(await codeOf(one.request('stone.1', payload)), 'HOST_BUSY')
  t.is((await one.request('other.1', payload)).length, payload.length, 'it is free for others')
  t.is(await codeOf(two.send('stone.1', payload)), 'none', 'another sender finds room')
  t.true(bus.broker.health().waitingBytes <= windowBytes)

  stone.socket.resume()
  await until('it has read what was taken', () => stone.frames.length === 1 + taken + 1)
  t.is(await codeOf(one.send('stone.1', payload)), 'HOST_BUSY', 'reading alone gives no room')
  const credit = Buffer.alloc(4)
  credit.writeUInt32LE(1_000_000)
  stone.say(Kind.credit, 0, '', credit)
  await Promise.all(sent)
  t.deepEqual(counts, { told: taken, busy: 200 - taken })
  t.is(await codeOf(one.send('stone.1', payload)), 'none')
})

test('who waits for a receiver that dies is told', async (t) => {
  const bus = await testBus(t)
  const stone = await bus.raw('stone.1')
  const one = await bus.join('one.1')
  const sent = Array.from({ length: 40 }, () => codeOf(one.send('stone.1', Buffer.alloc(10_000))))
  await until('all have come', () => stone.frames.length === 41)
  stone.socket.destroy()
  const codes = await Promise.all(sent)
  t.is(codes.filter((code) => code === 'none').length, 26)
  t.is(codes.filter((code) => code === 'HOST_DISCONNECTED').length, 14)
})

test('an app whose handlers are slow is not sent more than it can handle', async (t) => {
  const bus = await testBus(t)
  const slow = await bus.join('slow.1')
  const release: (() => void)[] = []
  slow.onRequest(() => new Promise((resolve) => release.push(() => resolve(Buffer.from('done')))))
  const one = await bus.join('one.1')
  const payload = Buffer.alloc(100_000)
  const asked = Array.from({ length: 30 }, () => one.request('slow.1', payload))
  const ended = Promise.allSettled(asked)
  await until('what has room came', () => release.length === 10)
  await until('the others are refused', () => bus.broker.health().busy === 20)
  for (const end of release) end()
  const results = await ended
  t.is(results.filter(({ status }) => status === 'fulfilled').length, 10)
  const again = one.request('slow.1', payload)
  await until('there is room again', () => release.length === 11)
  release[10]?.()
  t.is((await again).toString(), 'done')
})

test('a subscriber without room misses what is published, alone, and is told how much', async (t) => {
  const bus = await testBus(t)
  const stone = await bus.raw('stone.1')
  stone.say(Kind.subscribe, 1, 'price')
  const good = await bus.join('good.1')
  let heard = 0
  await good.subscribe('price', () => {
    heard += 1
  })
  const one = await bus.join('one.1')
  const payload = Buffer.alloc(50_000)
  for (let count = 0; count < 60; count += 1) await one.publish('price', payload)
  await until('the other has heard all', () => heard === 60)
  const { missed } = bus.broker.health()
  t.true(missed > 30)
  await until('it has read', () => stone.frames.length === 62 - missed)
  const got = stone.frames.filter(({ kind }) => kind === Kind.publish)
  const credit = Buffer.alloc(4)
  credit.writeUInt32LE(got.length * 50_000)
  stone.say(Kind.credit, 0, '', credit)
  await until('it is told', () => stone.frames.some(({ kind }) => kind === Kind.missed))
  t.is(stone.frames.at(-1)?.payload.readUInt32LE(0), missed)
  t.is(good.counts.missed, 0)
})

test('a peer that does not read its answers is not read, and what waits for it is bounded', async (t) => {
  const bus = await testBus(t)
  const flooder = await bus.raw('flood.1')
  flooder.socket.pause()
  // Each is refused, with a fault that nobody reads.
  const flood = Buffer.concat(
    Array.from({ length: 500 }, (_, id) => frameBytes(Kind.note, id + 1, 'nobody')),
  )
  let written = 0
  while (written < 200) {
    const isTaken = flooder.socket.write(flood)
    written += 1
    if (!isTaken) await new Promise((resolve) => setImmediate(resolve))
  }
  await until('the broker has stopped reading it', () => {
    const { waitingBytes } = bus.broker.health()
    return waitingBytes > pauseBytes
  })
  const { frames } = bus.broker.health()
  t.true(frames < 200 * 500)
  const one = await bus.join('one.1')
  one.onRequest((payload) => payload)
  for (let count = 0; count < 50; count += 1) await one.request('one.1', Buffer.alloc(10))
  const { waitingBytes } = bus.broker.health()
  t.true(waitingBytes < pauseBytes + 64 * 1024 + 64 * 250, `${waitingBytes} wait`)
  flooder.socket.resume()
  await until('it reads, and all is answered', () => flooder.frames.length === 200 * 500 + 1)
})

test('answers that nobody reads become faults: they are bounded too', async (t) => {
  const bus = await testBus(t)
  const asker = await bus.raw('asker.1')
  const server = await bus.join('server.1')
  server.onRequest(() => Buffer.alloc(1_000_000))
  asker.socket.pause()
  for (let id = 1; id <= 30; id += 1) asker.say(Kind.request, id, 'server.1')
  let most = 0
  await until('all are answered', () => {
    most = Math.max(most, bus.broker.health().waitingBytes)
    return server.counts.handled === 30
  })
  await until('the broker has them', () => bus.broker.health().frames > 60)
  most = Math.max(most, bus.broker.health().waitingBytes)
  t.true(most <= answerBytesMax + 30 * 512, `${most} waited`)
  asker.socket.resume()
  await until('it has all answers or why not', () => asker.frames.length === 31)
  const faults = asker.frames.filter(({ kind }) => kind === Kind.fault)
  t.true(faults.length >= 25)
  t.like(jsonOf(faults[0]?.payload ?? Buffer.alloc(0)), {
    code: 'HOST_BUSY',
    facts: { isAnswered: true },
  })
})
