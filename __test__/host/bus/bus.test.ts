import test from 'ava'
import { codeOf, testBus, until } from '../../support/bus.js'

test('messages and requests reach an instance, an app and a part of the host, under the name of their sender', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  const two = await bus.join('two.7')
  const part = await bus.join('host/monitor')
  bus.serve('two', 'two.7')
  const heard: [string, string][] = []
  two.onMessage((payload, { instance }) => heard.push([instance, payload.toString()]))
  two.onRequest((payload, { instance }) => Buffer.from(`${instance} asks ${payload}`))
  part.onRequest(async () => Buffer.from('part'))

  await one.send('two.7', Buffer.from('a'))
  await one.send('two', Buffer.from('b'))
  await part.send('two', Buffer.from('c'))
  t.is((await one.request('two', Buffer.from('x'))).toString(), 'one.1 asks x')
  t.is((await two.request('host/monitor', Buffer.alloc(0))).toString(), 'part')
  await until('all are heard', () => heard.length === 3)
  t.deepEqual(heard, [
    ['one.1', 'a'],
    ['one.1', 'b'],
    ['host/monitor', 'c'],
  ])
  t.is(await codeOf(one.send('nobody', Buffer.alloc(1))), 'HOST_UNREACHABLE')
  const early = two.request('one.1', Buffer.alloc(1))
  one.onRequest(() => Buffer.from('in time'))
  t.is((await early).toString(), 'in time')
  t.is(await codeOf(one.request('host/none', Buffer.alloc(1))), 'HOST_UNREACHABLE')
  t.is(two.counts.handled, 4)
})

test('a handler for one sender hears that one alone, and the handler for everybody the others', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  const two = await bus.join('two.1')
  const part = await bus.join('host/agent')
  const heard: string[] = []
  two.onMessage((payload) => heard.push(`everybody ${payload}`))
  two.onMessage((payload) => heard.push(`agent ${payload}`), 'host/agent')
  await one.send('two.1', Buffer.from('a'))
  await part.send('two.1', Buffer.from('b'))
  await until('both are heard', () => heard.length === 2)
  t.deepEqual(heard, ['everybody a', 'agent b'])
})

test('what a handler throws goes back as it is', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  const two = await bus.join('two.1')
  two.onRequest(async () => {
    throw Object.assign(new Error('no paper'), { code: 'PRINTER', facts: { tray: 2 } })
  })
  const error = await t.throwsAsync(one.request('two.1', Buffer.alloc(0)), { code: 'PRINTER' })
  t.like(error, { message: 'no paper', facts: { tray: 2 } })
})

test('what is published is heard under topics and their beginnings, once each', async (t) => {
  const bus = await testBus(t)
  const [one, two, three] = [await bus.join('a.1'), await bus.join('b.1'), await bus.join('c.1')]
  const heard: string[] = []
  const end = await two.subscribe('price.tea', (payload, sender, topic) => {
    heard.push(`two ${sender.instance} ${topic} ${payload}`)
  })
  await three.subscribe('price.*', (payload, _, topic) => heard.push(`three ${topic} ${payload}`))
  await three.subscribe('*', (payload, _, topic) => heard.push(`all ${topic} ${payload}`))
  await one.publish('price.tea', Buffer.from('320'))
  await until('all have heard', () => heard.length === 3)
  t.deepEqual(heard.sort(), ['all price.tea 320', 'three price.tea 320', 'two a.1 price.tea 320'])
  await end()
  await end()
  heard.length = 0
  await one.publish('price.tea', Buffer.from('330'))
  await one.publish('other', Buffer.from('1'))
  await until('all have heard', () => heard.length === 3)
  t.deepEqual(heard.sort(), ['all other 1', 'all price.tea 330', 'three price.tea 330'])
})

test('a process without a handler says so, once it had the time to have one', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  await bus.join('two.1')
  t.is(await codeOf(one.request('two.1', Buffer.alloc(1))), 'HOST_NO_METHOD')
  t.is(await codeOf(one.send('two.1', Buffer.alloc(1))), 'none')
})
