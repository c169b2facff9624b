import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import test from 'ava'
import { Broker, tokenHashOf } from '../../../ts/host/bus/broker.js'
import { connectBus } from '../../../ts/host/bus/client.js'
import { jsonBytes, jsonOf } from '../../../ts/host/wire/channel.js'
import { frameBytes, Kind } from '../../../ts/host/wire/frame.js'
import { codeOf, newToken, RawPeer, tempFolder, testBus, until } from '../../support/bus.js'

test('who does not show the token of an instance is refused and reported', async (t) => {
  const bus = await testBus(t)
  const { socket } = bus
  const token = bus.know('one.1')
  bus.know('two.1')
  const attempts = [
    { instance: 'one.1', token: newToken() },
    { instance: 'one.1', token: '' },
    { instance: 'one.1', token: tokenHashOf(token) },
    { instance: 'two.1', token },
    { instance: 'host/supervisor', token },
    { instance: '__proto__', token },
  ]
  for (const attempt of attempts) {
    t.is(await codeOf(connectBus({ socket, ...attempt })), 'HOST_IDENTITY', attempt.instance)
  }
  t.is(bus.refusals.length, attempts.length)
  t.true(bus.refusals.every(({ instance, code }) => instance === null && code === 'HOST_IDENTITY'))
  t.false(JSON.stringify(bus.refusals).includes(token))
  const good = await connectBus({ socket, instance: 'one.1', token })
  await good.close()
})

test('another version is told which one is spoken', async (t) => {
  const bus = await testBus(t)
  const raw = await bus.raw()
  raw.say(Kind.hello, 0, '', jsonBytes({ protocol: 99, instance: 'a.1', token: 't' }))
  await raw.end()
  t.is(raw.frames[0]?.kind, Kind.refused)
  t.like(jsonOf(raw.frames[0]?.payload ?? Buffer.alloc(0)), {
    code: 'HOST_PROTOCOL',
    facts: { found: 99, known: [1] },
  })
})

test('a caller that says anything but hello, too much, or nothing, is sent away', async (t) => {
  const bus = await testBus(t)
  bus.know('one.1')
  const early = await bus.raw()
  early.say(Kind.note, 0, 'one.1', Buffer.from('x'))
  const long = await bus.raw()
  long.say(Kind.hello, 0, '', Buffer.alloc(5000))
  const nonsense = await bus.raw()
  nonsense.socket.write('GET / HTTP/1.1\r\nHost: pos\r\n\r\n')
  const notJson = await bus.raw()
  notJson.say(Kind.hello, 0, '', Buffer.from('{'))
  const silent = await bus.raw()
  for (const raw of [early, long, nonsense, notJson, silent]) await raw.end()
  t.is(bus.refusals.length, 5)
})

test('strangers are bounded in number and take nothing from those who are known', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  one.onRequest((payload) => payload)
  const strangers = Array.from({ length: 200 }, () => net.connect(bus.socket))
  for (const stranger of strangers) stranger.on('error', () => {})
  t.teardown(() => {
    for (const stranger of strangers) stranger.destroy()
  })
  await until('some are sent away', () =>
    bus.refusals.some(({ code, facts }) => code === 'HOST_BUSY' && facts.limit === 128),
  )
  t.is((await one.request('one.1', Buffer.from('self'))).toString(), 'self')
  for (const stranger of strangers) stranger.destroy()
  await until('others can come again', async () => {
    const raw = await RawPeer.connect(bus.socket)
    const token = bus.know('two.1')
    raw.say(Kind.hello, 0, '', jsonBytes({ protocol: 1, instance: 'two.1', token }))
    await until('answered', () => raw.isEnded || raw.frames.length > 0)
    const isWelcome = raw.frames[0]?.kind === Kind.welcome
    raw.socket.destroy()
    return isWelcome
  })
})

test('an instance that is known no longer is cut off, and one that comes again takes its own place', async (t) => {
  const bus = await testBus(t)
  const raw = await bus.raw('one.1')
  const token = newToken()
  bus.broker.setIdentities([{ instance: 'one.1', tokenHash: tokenHashOf(token) }], [])
  await raw.end()
  const first = await RawPeer.connect(bus.socket)
  await first.hello('one.1', token)
  const second = await RawPeer.connect(bus.socket)
  await second.hello('one.1', token)
  await first.end()
  t.false(second.isEnded)
  bus.broker.setIdentities([], [])
  await second.end()
})

test('nobody can sign as another: the name is the broker’s', async (t) => {
  const bus = await testBus(t)
  const heard: string[] = []
  const two = await bus.join('two.1')
  two.onMessage((_, { instance }) => heard.push(instance))
  await two.subscribe('*', (_, { instance }, topic) => heard.push(`${instance}: ${topic}`))
  const raw = await bus.raw('evil.1')
  raw.say(Kind.note, 1, 'two.1', Buffer.from('from: host/agent'))
  raw.say(Kind.publish, 2, 'host.agent price', Buffer.alloc(0))
  await until('both are heard', () => heard.length === 2)
  t.deepEqual(heard, ['evil.1', 'evil.1: host.agent price'])
})

test('a socket that a dead broker left is taken over, and one that lives is not', async (t) => {
  const socket = path.join(tempFolder(t), 'bus.sock')
  writeFileSync(socket, '')
  const broker = new Broker({ socket })
  await broker.listen()
  t.teardown(() => broker.close())
  t.is(await codeOf(new Broker({ socket }).listen()), 'HOST_RUNNING')
  const still = net.connect(socket)
  await once(still, 'connect')
  still.destroy()
})

test('frames before the welcome are bounded in length, after it they are not', async (t) => {
  const bus = await testBus(t)
  const two = await bus.join('two.1')
  const lengths: number[] = []
  two.onMessage((payload) => lengths.push(payload.length))
  const raw = await bus.raw('one.1')
  raw.socket.write(frameBytes(Kind.note, 1, 'two.1', Buffer.alloc(1_000_000)))
  await until('it is heard', () => lengths.length === 1)
  t.deepEqual(lengths, [1_000_000])
})

const onLinux = process.platform === 'linux' ? test : test.skip
if (process.platform !== 'linux') console.error(`SKIPPED: processes of peers: ${process.platform}`)

onLinux('a token that came into another process is of no use there', async (t) => {
  const bus = await testBus(t)
  const { socket } = bus
  const token = bus.know('one.1', { pid: process.pid })
  const stolen = bus.know('two.1', { pid: process.ppid })
  const one = await connectBus({ socket, instance: 'one.1', token })
  t.teardown(() => one.close())
  t.is(await codeOf(connectBus({ socket, instance: 'two.1', token: stolen })), 'HOST_IDENTITY')
  t.like(bus.refusals.at(-1), {
    code: 'HOST_IDENTITY',
    facts: { instance: 'two.1', pid: process.pid },
  })
  // Where a process is known only later, whoever came before is looked at then.
  const three = await bus.raw('three.1')
  bus.locate('three.1', process.pid)
  three.say(Kind.subscribe, 5, 'tea')
  await until('it is heard', () => three.frames.some(({ id }) => id === 5))
  t.false(three.isEnded)
  bus.locate('three.1', process.ppid)
  await three.end()
  t.like(bus.refusals.at(-1), { instance: 'three.1', code: 'HOST_IDENTITY' })
  t.true(one.isConnected)
})

test('who is not known yet to a broker that nobody tells anything waits until it is told', async (t) => {
  const bus = await testBus(t)
  const one = await bus.join('one.1')
  const known = bus.know('two.1')
  bus.broker.alone()
  const token = newToken()
  const early = await bus.raw()
  early.say(Kind.hello, 0, '', jsonBytes({ protocol: 1, instance: 'three.1', token }))
  const forger = await bus.raw()
  forger.say(Kind.hello, 0, '', jsonBytes({ protocol: 1, instance: 'four.1', token }))
  // Those whom it was told of are let in as ever, and who shows a wrong token is not.
  const two = await connectBus({ socket: bus.socket, instance: 'two.1', token: known })
  t.teardown(() => two.close())
  const wrong = connectBus({ socket: bus.socket, instance: 'two.1', token })
  t.is(await codeOf(wrong), 'HOST_IDENTITY')
  t.deepEqual([early.frames.length, forger.frames.length], [0, 0])
  const peers = ['one.1', 'three.1'].map((instance) => ({
    instance,
    tokenHash: tokenHashOf(token),
  }))
  bus.broker.setIdentities(peers, [])
  await until('both are answered', () => early.frames.length + forger.frames.length === 2)
  t.is(early.frames[0]?.kind, Kind.welcome)
  t.is(forger.frames[0]?.kind, Kind.refused)
  await until('who is no longer known is cut off', () => !one.isConnected)
})
