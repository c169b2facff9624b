import test from 'ava'
import { hostError } from '../../../ts/host/error.js'
import { codeOf, testBus, until } from '../../support/bus.js'

test('what is sent to an app that does not run waits while it is started, and comes in its order', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  bus.serve('lazy', null)
  const sent = ['a', 'b', 'c'].map((text) => one.send('lazy', Buffer.from(text)))
  const asked = one.request('lazy', Buffer.from('d'))
  await until('it is asked for', () => bus.started.length > 0)
  t.deepEqual(bus.started, ['lazy'])
  const heard: string[] = []
  bus.serve('lazy', 'lazy.1')
  const lazy = await bus.join('lazy.1')
  lazy.onMessage((payload) => heard.push(payload.toString()))
  lazy.onRequest((payload) => Buffer.from(`${payload}!`))
  t.is((await asked).toString(), 'd!')
  await Promise.all(sent)
  t.deepEqual(heard, ['a', 'b', 'c'])
  t.deepEqual(bus.started, ['lazy'])
})

test('the instance may be there before the supervisor says that it serves', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  bus.serve('lazy', null)
  const asked = one.request('lazy', Buffer.from('d'))
  await until('it is asked for', () => bus.started.length > 0)
  const lazy = await bus.join('lazy.4')
  lazy.onRequest(() => Buffer.from('here'))
  bus.serve('lazy', 'lazy.4')
  t.is((await asked).toString(), 'here')
})

test('an app that cannot be started says why to all who wrote', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  bus.serve('bad', null)
  bus.onStart = async () => {
    throw hostError('HOST_QUARANTINED', 'bad failed too often', { uuid: 'bad' })
  }
  const results = [one.send('bad', Buffer.alloc(1)), one.request('bad', Buffer.alloc(1))]
  t.deepEqual(await Promise.all(results.map(codeOf)), ['HOST_QUARANTINED', 'HOST_QUARANTINED'])
  bus.onStart = async () => {
    throw new Error('no such program')
  }
  const error = await t.throwsAsync(one.send('bad', Buffer.alloc(1)))
  t.like(error, { code: 'HOST_UNREACHABLE', facts: { to: 'bad' } })
})

test('what waits for an app is bounded in bytes and in number', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  bus.serve('big', null)
  bus.serve('many', null)
  const big = [100_000, 100_000, 100_000].map((size) => codeOf(one.send('big', Buffer.alloc(size))))
  t.is(await Promise.race([big[2], big[0]]), 'HOST_BUSY')
  const many = Array.from({ length: 1025 }, () => codeOf(one.send('many', Buffer.alloc(1))))
  t.is(await many[1024], 'HOST_BUSY')
  await one.close()
  t.is(await many[0], 'HOST_DISCONNECTED')
})

test('a request that is given up while it waits is not made', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  bus.serve('lazy', null)
  const asked = codeOf(one.request('lazy', Buffer.from('no'), { timeoutMs: 20 }))
  const kept = one.request('lazy', Buffer.from('yes'))
  t.is(await asked, 'HOST_TIMED_OUT')
  const heard: string[] = []
  const lazy = await bus.join('lazy.1')
  lazy.onRequest((payload) => {
    heard.push(payload.toString())
    return payload
  })
  bus.serve('lazy', 'lazy.1')
  t.is((await kept).toString(), 'yes')
  t.deepEqual(heard, ['yes'])
})

test('an app that no manifest names is not waited for', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  t.is(await codeOf(one.send('who', Buffer.alloc(1))), 'HOST_UNREACHABLE')
  t.deepEqual(bus.started, [])
})
