import { readFileSync, statSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { HostPlace } from '../../../ts/host/place.js'
import { Operator } from '../../../ts/host/supervisor/operator.js'
import { jsonBytes } from '../../../ts/host/wire/channel.js'
import { frameBytes, frameBytesMax, Kind } from '../../../ts/host/wire/frame.js'
import { call } from '../support/caller.js'
import { appOf, appOn, hostFor, inState, until } from '../support/supervised.js'

async function twoApps(t: ExecutionContext, more: readonly ReturnType<typeof appOf>[] = []) {
  const permissions = { control: true }
  const host = await hostFor(t, {
    apps: [appOf('plain'), appOf('chief', [], { permissions }), ...more],
  })
  await inState(host, 'plain', 'ready')
  await inState(host, 'chief', 'ready')
  const place = new HostPlace(host.root)
  const refused = (code: string) =>
    until(
      () => host.heard.find(({ type, facts }) => type === 'refused' && facts.code === code),
      `a refusal for ${code}`,
    )
  /** Nobody noticed: the apps are the runs that they were. */
  const unharmed = () => {
    t.is(appOn(host, 'plain').instance, 'plain.1')
    t.is(appOn(host, 'chief').instance, 'chief.1')
  }
  return { host, place, refused, unharmed }
}

test.serial('operators show the key that only the user of the store can read', async (t) => {
  const { host, place } = await twoApps(t)
  t.is(statSync(place.file('host.owner.json')).mode & 0o777, 0o600)
  const heard: string[] = []
  const operator = await Operator.connect(host.root, {
    onEvent: ({ type, instance }) => heard.push(`${type} ${instance}`),
  })
  t.teardown(() => operator.close())
  t.is(operator.welcome.epoch, 1)
  await operator.ask('follow', {})
  t.deepEqual(await operator.ask('restart', { uuid: 'plain' }), { instance: 'plain.2' })
  await until(() => heard.includes('ready plain.2'), 'the event')
  const code = async (asking: Promise<unknown>) => {
    const error = await t.throwsAsync(asking)
    return (error as Error & { code?: string }).code
  }
  t.is(await code(operator.ask('start', { uuid: 'nobody' })), 'HOST_UNKNOWN_APP')
  t.is(await code(operator.ask('stop', { uuid: 'plain', deadlineMs: -1 })), 'HOST_ARGUMENT')
  t.is(await code(operator.ask('stop', {} as never)), 'HOST_ARGUMENT')
  t.is(await code(operator.ask('dance' as never, {} as never)), 'HOST_NO_METHOD')
  t.is(await code(operator.ask('evaluate', { uuid: 'plain', expression: '1' })), 'HOST_UNSUPPORTED')
  const { ended } = await operator.ask('shutdown', { reason: 'closing time' })
  t.is(ended.length, 2)
  await host.closed
})

test.serial(
  'who is nobody is refused: wrong key, forged instance, other version, no hello',
  async (t) => {
    const { place, refused, unharmed } = await twoApps(t)
    const token = 'a'.repeat(64)
    const hellos = [
      [{ protocol: 1, role: 'operator', key: token }, 'HOST_IDENTITY'],
      [{ protocol: 1, role: 'app', instance: 'plain.1', token, pid: 1 }, 'HOST_IDENTITY'],
      [{ protocol: 1, role: 'app', instance: 'host-broker.1', token, pid: 1 }, 'HOST_IDENTITY'],
      [{ protocol: 1, role: 'part', part: 'host-broker.1', token, pid: 1 }, 'HOST_IDENTITY'],
      [{ protocol: 1, role: 'app' }, 'HOST_IDENTITY'],
      [{ protocol: 1, role: 'king' }, 'HOST_PROTOCOL'],
      [{ protocol: 2, role: 'operator', key: token }, 'HOST_PROTOCOL'],
      ['hello', 'HOST_PROTOCOL'],
      [{ protocol: 1, role: 'operator', key: 'k'.repeat(8000) }, 'HOST_PROTOCOL'],
    ] as const
    for (const [hello, code] of hellos) {
      const caller = await call(place.controlSocket, hello)
      const { kind, value } = await caller.greeting
      t.is(kind, Kind.refused)
      t.is(value.code, code)
      await caller.ended
    }
    const rude = await call(place.controlSocket)
    rude.channel.note('ready', jsonBytes({}))
    await rude.ended
    await refused('HOST_IDENTITY')
    await refused('HOST_PROTOCOL')
    unharmed()
  },
)

test.serial('who sends nonsense, a frame without end or a flood is cut off', async (t) => {
  const { place, refused, unharmed } = await twoApps(t)
  const { key } = JSON.parse(readFileSync(place.file('host.owner.json'), 'utf8'))
  const hello = { protocol: 1, role: 'operator', key }
  const nonsense = await call(place.controlSocket, hello)
  await nonsense.greeting
  nonsense.channel.socket.write(Buffer.alloc(64, 0xff))
  await nonsense.ended
  await refused('HOST_PROTOCOL')
  const giant = await call(place.controlSocket, hello)
  await giant.greeting
  giant.channel.note('heartbeat', Buffer.alloc(frameBytesMax - 100, 32))
  await giant.ended
  await refused('HOST_TOO_LARGE')
  const flood = await call(place.controlSocket, hello)
  await flood.greeting
  for (let count = 0; count < 5000; count += 1) flood.channel.note('heartbeat', jsonBytes({}))
  await flood.ended
  await refused('HOST_BUSY')
  unharmed()
})

test.serial('who does not read is cut off, and the others go on', async (t) => {
  const lazy = Array.from({ length: 100 }, (_, index) =>
    appOf(`lazy-${index}`, [], { start: 'lazy' }),
  )
  const { host, place, unharmed } = await twoApps(t, lazy)
  const { key } = JSON.parse(readFileSync(place.file('host.owner.json'), 'utf8'))
  const deaf = await call(place.controlSocket, { protocol: 1, role: 'operator', key })
  await deaf.greeting
  deaf.channel.socket.pause()
  for (let count = 1; count <= 500; count += 1) {
    deaf.channel.send(frameBytes(Kind.request, count, 'status', jsonBytes({})))
  }
  const text = /did not read what it was told/
  await until(() => host.heard.find((event) => text.test(event.text)), 'the cut')
  unharmed()
})

test.serial('an app may ask for others only where its manifest says so', async (t) => {
  const { host, place, unharmed } = await twoApps(t)
  t.true(host.heard.every(({ type }) => type !== 'refused'))
  const code = async (asking: Promise<unknown>) => {
    const error = await t.throwsAsync(asking)
    return (error as Error & { code?: string }).code
  }
  // The speaker does not ask; so the test takes its place, with a token that it learned as the launcher.
  const as = async (uuid: string) => {
    const { instance, token } = learned(uuid)
    const caller = await call(place.controlSocket, {
      protocol: 1,
      role: 'app',
      instance,
      token,
      pid: 1,
    })
    t.is((await caller.greeting).kind, Kind.welcome)
    return caller.channel
  }
  const learned = (uuid: string) => {
    const boot = host.told.find((order) => order.instance === `${uuid}.1`)
    if (boot === undefined) throw new Error(`no order for ${uuid}`)
    return boot
  }
  const plain = await as('plain')
  t.is(await code(plain.request('status')), 'HOST_FORBIDDEN')
  plain.close()
  const chief = await as('chief')
  const status = JSON.parse((await chief.request('status')).toString())
  t.is(status.apps.length, 2)
  t.is(await code(chief.request('shutdown', jsonBytes({}))), 'HOST_FORBIDDEN')
  chief.close()
  unharmed()
})

test.serial('the status of a thousand apps is longer than a frame, and comes whole', async (t) => {
  const names = Array.from({ length: 1000 }, (_, index) => `app-${index}-${'u'.repeat(40)}`)
  // JSON takes six bytes for each character of these names.
  const lazy = names.map((uuid) => {
    const { startup_app, ...app } = appOf(uuid, [], { start: 'lazy' })
    return { ...app, startup_app: { ...startup_app, name: '\u0001'.repeat(128) } }
  })
  const host = await hostFor(t, { apps: lazy })
  t.true(Buffer.byteLength(JSON.stringify(host.status())) > frameBytesMax)
  const statuses: number[] = []
  const operator = await Operator.connect(host.root, {
    onStatus: ({ apps }) => statuses.push(apps.length),
  })
  t.teardown(() => operator.close())
  const status = await operator.ask('status', {})
  t.deepEqual(
    status.apps.map(({ uuid }) => uuid),
    names,
  )
  await operator.ask('follow', {})
  await until(() => statuses.length >= 2, 'two statuses')
  t.deepEqual([...new Set(statuses)], [1000])
  const { key } = JSON.parse(readFileSync(new HostPlace(host.root).file('host.owner.json'), 'utf8'))
  const long = await call(new HostPlace(host.root).controlSocket, {
    protocol: 1,
    role: 'operator',
    key,
  })
  await long.greeting
  long.channel.note('heartbeat', Buffer.alloc(2 * frameBytesMax))
  await long.ended
  t.is((await operator.ask('status', {})).state, 'running')
})
