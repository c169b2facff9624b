import test from 'ava'
import { Kind } from '../../../ts/host/wire/frame.js'
import { codeOf, testBus, until } from '../../support/bus.js'

test('a request that is given up, or late, ends at its receiver too', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  const two = await bus.join('two.1')
  const signals: AbortSignal[] = []
  two.onRequest((_payload, _sender, signal) => {
    signals.push(signal)
    return new Promise(() => {})
  })
  const controller = new AbortController()
  const cancelled = one.request('two.1', Buffer.alloc(0), { signal: controller.signal })
  const late = one.request('two.1', Buffer.alloc(0), { timeoutMs: 30 })
  const other = one.request('two.1', Buffer.alloc(0))
  const otherCode = codeOf(other)
  const lateCode = codeOf(late)
  await until('all are asked', () => signals.length === 3)
  controller.abort()
  t.is(await codeOf(cancelled), 'HOST_CANCELLED')
  t.is(await lateCode, 'HOST_TIMED_OUT')
  await until('both have ended', () => signals.filter(({ aborted }) => aborted).length === 2)
  t.false(signals[2]?.aborted)
  const signal = AbortSignal.abort()
  t.is(await codeOf(one.request('two.1', Buffer.alloc(0), { signal })), 'HOST_CANCELLED')
  t.is(signals.length, 3)
  await one.close()
  t.is(await otherCode, 'HOST_DISCONNECTED')
  await until('the last has ended', () => signals[2]?.aborted === true)
})

test('an answer to what was given up is dropped', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  const raw = await bus.raw('raw.1')
  const controller = new AbortController()
  const asked = codeOf(one.request('raw.1', Buffer.alloc(0), { signal: controller.signal }))
  await until('it is asked', () => raw.frames.some(({ kind }) => kind === Kind.request))
  controller.abort()
  t.is(await asked, 'HOST_CANCELLED')
  await until('it hears so', () => raw.frames.some(({ kind }) => kind === Kind.cancel))
  const request = raw.frames.find(({ kind }) => kind === Kind.request)
  t.is(request?.name, 'one.1')
  raw.say(Kind.answer, request?.id ?? 0, '', Buffer.from('late'))
  const second = one.request('raw.1', Buffer.alloc(0))
  await until('it is asked again', () => raw.frames.length === 4)
  raw.say(Kind.answer, raw.frames[3]?.id ?? 0, '', Buffer.from('in time'))
  t.is((await second).toString(), 'in time')
  t.is(bus.refusals.length, 0)
})

test('who asked a process that dies is told at once', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  const raw = await bus.raw('raw.1')
  const asked = one.request('raw.1', Buffer.alloc(0))
  await until('it is asked', () => raw.frames.length === 2)
  raw.socket.destroy()
  const error = await t.throwsAsync(asked, { message: /may have done it or not/ })
  t.like(error, { code: 'HOST_DISCONNECTED', facts: { to: 'raw.1' } })
  t.is(await codeOf(one.request('raw.1', Buffer.alloc(0))), 'HOST_UNREACHABLE')
})

test('ten thousand requests, 256 at a time, are each answered with their own answer', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  const two = await bus.join('two.1')
  two.onRequest((payload) =>
    payload.length % 2 === 0 ? payload : Promise.resolve(Buffer.from(payload)),
  )
  let next = 0
  let wrong = 0
  const worker = async () => {
    while (next < 10_000) {
      next += 1
      const text = `request ${next}`
      const answer = await one.request('two.1', Buffer.from(text))
      if (answer.toString() !== text) wrong += 1
    }
  }
  await Promise.all(Array.from({ length: 256 }, worker))
  t.is(wrong, 0)
  t.is(two.counts.handled, next)
})

test('messages of one sender come in their order', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  const two = await bus.join('two.1')
  const heard: number[] = []
  two.onMessage((payload) => heard.push(payload.readUInt32LE(0)))
  await Promise.all(
    Array.from({ length: 3000 }, (_, index) => {
      const payload = Buffer.alloc(4 + (index % 50 === 0 ? 20_000 : 0))
      payload.writeUInt32LE(index)
      return one.send('two.1', payload)
    }),
  )
  await until('all are heard', () => heard.length === 3000)
  t.deepEqual(
    heard,
    Array.from({ length: 3000 }, (_, index) => index),
  )
})

test('a handler that throws does not lose the messages behind', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  const two = await bus.join('two.1')
  const heard: string[] = []
  two.onMessage((payload) => heard.push(payload.toString()))
  two.onRequest(() => {
    throw new RangeError('out of paper')
  })
  const all = await Promise.allSettled([
    one.request('two.1', Buffer.alloc(0)),
    one.send('two.1', Buffer.from('a')),
    one.send('two.1', Buffer.from('b')),
  ])
  t.deepEqual(
    all.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  )
  await until('both are heard', () => heard.length === 2)
})
