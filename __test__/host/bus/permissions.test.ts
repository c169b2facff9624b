import test from 'ava'
import fc from 'fast-check'
import { isPermitted, Topics } from '../../../ts/host/bus/topics.js'
import { Kind } from '../../../ts/host/wire/frame.js'
import { codeOf, testBus, until } from '../../support/bus.js'

test('an app publishes and hears what its manifest names', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1', { publish: ['price.*', 'note'], subscribe: ['price.tea'] })
  const other = await bus.join('other.1')
  const heard: string[] = []
  await other.subscribe('*', (_payload, _sender, topic) => heard.push(topic))
  await one.publish('price.tea', Buffer.alloc(0))
  await one.publish('note', Buffer.alloc(0))
  for (const topic of ['notes', 'price', 'secret', 'host/events', '*']) {
    t.is(await codeOf(one.publish(topic, Buffer.alloc(0))), 'HOST_FORBIDDEN', topic)
  }
  await one.subscribe('price.tea', () => {})
  for (const topic of ['price.*', '*', 'price.coffee', 'host/*']) {
    t.is(await codeOf(one.subscribe(topic, () => {})), 'HOST_FORBIDDEN', topic)
  }
  const error = await t.throwsAsync(one.publish('secret', Buffer.alloc(0)))
  t.like(error, { facts: { uuid: 'one', permission: 'publish', topic: 'secret' } })
  await until('what was permitted is heard', () => heard.length === 2)
  t.deepEqual(heard, ['price.tea', 'note'])
})

test('topics of the host are published by its parts alone', async (t) => {
  const bus = await testBus(t)
  const app = await bus.join('app.1')
  const part = await bus.join('host/monitor')
  const heard: string[] = []
  await app.subscribe('host/*', (_, sender, topic) => heard.push(`${sender.instance} ${topic}`))
  t.is(await codeOf(app.publish('host/events', Buffer.alloc(0))), 'HOST_FORBIDDEN')
  await part.publish('host/events', Buffer.alloc(0))
  await until('it is heard', () => heard.length === 1)
  t.deepEqual(heard, ['host/monitor host/events'])
})

test('a topic that is empty or too long is refused', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  t.is(await codeOf(one.publish('', Buffer.alloc(0))), 'HOST_ARGUMENT')
  t.is(await codeOf(one.publish('x'.repeat(181), Buffer.alloc(0))), 'HOST_ARGUMENT')
  t.is(await codeOf(one.subscribe('é'.repeat(91), () => {})), 'HOST_ARGUMENT')
  t.is(await codeOf(one.publish('x'.repeat(256), Buffer.alloc(0))), 'HOST_TOO_LARGE')
  const heard: string[] = []
  const longest = 'é'.repeat(90)
  await one.subscribe(longest, (_payload, _sender, topic) => heard.push(topic))
  await one.publish(longest, Buffer.alloc(0))
  await until('it is heard', () => heard.length === 1)
  t.deepEqual(heard, [longest])
})

test('a peer hears 1,024 topics and no more', async (t) => {
  const bus = await testBus(t)
  const raw = await bus.raw('one.1')
  for (let id = 1; id <= 1025; id += 1) raw.say(Kind.subscribe, id, `t${id}`)
  await until('all are answered', () => raw.frames.length === 1026)
  const faults = raw.frames.filter(({ kind }) => kind === Kind.fault)
  t.deepEqual(
    faults.map(({ id }) => id),
    [1025],
  )
  raw.say(Kind.subscribe, 2000, 't7')
  await until('one that it hears already', () => raw.frames.some(({ id }) => id === 2000))
  t.is(raw.frames.at(-1)?.kind, Kind.answer)
})

const word = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 4 })
const pattern = fc.tuple(word, fc.boolean()).map(([text, isOpen]) => text + (isOpen ? '*' : ''))

test('the table of topics says what a look at each subscription says', (t) => {
  const step = fc.record({ isAdd: fc.boolean(), pattern, peer: fc.nat(3) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), word, (steps, topic) => {
      const topics = new Topics<number>()
      const model = new Map<string, Set<number>>()
      for (const { isAdd, pattern, peer } of steps) {
        const peers = model.get(pattern) ?? new Set()
        model.set(pattern, peers)
        if (isAdd) {
          topics.add(pattern, peer)
          peers.add(peer)
        } else {
          topics.remove(pattern, peer)
          peers.delete(peer)
        }
      }
      const expected = new Set<number>()
      for (const [pattern, peers] of model) {
        if (isPermitted([pattern], topic)) for (const peer of peers) expected.add(peer)
      }
      const found = [...topics.hearers(topic)]
      t.deepEqual(found.sort(), [...expected].sort())
    }),
  )
})
