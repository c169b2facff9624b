import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { HostError } from '../../../ts/host/error.js'
import { HostPlace } from '../../../ts/host/place.js'
import { readReport } from '../../../ts/host/report/report.js'
import { startHost } from '../../../ts/host/start.js'
import { readIntent } from '../../../ts/host/supervisor/records.js'
import {
  appOf,
  appOn,
  hostFor,
  hostRoot,
  inState,
  kill,
  member,
  processesOf,
  until,
} from '../support/supervised.js'

test.serial(
  'apps are processes of their own; a killed one comes back and the others do not notice',
  async (t) => {
    const host = await hostFor(t, { apps: [appOf('one'), appOf('two')] })
    const one = await inState(host, 'one', 'ready')
    const two = await inState(host, 'two', 'ready')
    t.not(one.pid, two.pid)
    kill(one.pid)
    const again = await until(() => {
      const app = appOn(host, 'one')
      return app.state === 'ready' && app.instance === 'one.2' && app
    }, 'the second run')
    t.not(again.pid, one.pid)
    t.is(again.lastEnd?.reason, 'signal')
    t.is(again.restarts, 1)
    t.deepEqual(appOn(host, 'two').instance, 'two.1')
  },
)

test.serial(
  'an app that fails for ever is quarantined with its reason, and released by a person',
  async (t) => {
    const restart = { backoffMs: 1, intensity: 4 }
    const host = await hostFor(t, { apps: [appOf('bad', ['exit=3'], { restart }), appOf('good')] })
    const bad = await inState(host, 'bad', 'quarantined')
    t.regex(bad.why, /4 ends within 60000 ms, the last one: exception/)
    t.true((bad.retryAt ?? 0) > Date.now())
    await inState(host, 'good', 'ready')
    const refused = await t.throwsAsync(host.ask('start', { uuid: 'bad' }), {
      instanceOf: HostError,
    })
    t.is(refused?.code, 'HOST_QUARANTINED')
    await host.ask('release', { uuid: 'bad' })
    await inState(host, 'bad', 'quarantined')
    t.is(appOn(host, 'bad').generation, 8)
  },
)

test.serial('an app that ends with 0 at once for ever is contained too', async (t) => {
  const restart = { backoffMs: 1, intensity: 3 }
  const host = await hostFor(t, { apps: [appOf('quick', ['exit=0'], { restart })] })
  t.regex((await inState(host, 'quick', 'quarantined')).why, /the last one: finished/)
})

test.serial('dependencies start first, and end last', async (t) => {
  const apps = [appOf('page', [], { dependsOn: ['desk'] }), appOf('desk')]
  const host = await hostFor(t, { apps })
  await inState(host, 'page', 'ready')
  const order = host.heard
    .filter(({ type, uuid }) => ['launched', 'ready'].includes(type) && uuid !== 'host-broker')
    .map(({ type, uuid }) => `${uuid} ${type}`)
  // An app may say that it is ready before its launcher has answered.
  t.deepEqual(order.slice(0, 2).toSorted(), ['desk launched', 'desk ready'])
  t.deepEqual(order.slice(2).toSorted(), ['page launched', 'page ready'])
  const result = await host.shutdown()
  t.deepEqual(
    result.ended.map(({ uuid, reason, acknowledged }) => [uuid, reason, acknowledged]),
    [
      ['page', 'stopped', true],
      ['desk', 'stopped', true],
    ],
  )
  t.deepEqual(readIntent(new HostPlace(host.root))?.result, result)
  t.deepEqual(processesOf(host.root), [])
})

test.serial(
  'an app that ignores everything is killed at its deadline, and the table says so',
  async (t) => {
    const host = await hostFor(t, { apps: [appOf('rock', ['stubborn']), appOf('soft')] })
    await inState(host, 'rock', 'ready')
    await inState(host, 'soft', 'ready')
    const { ended } = await host.shutdown({ deadlineMs: 1500 })
    const told = Object.fromEntries(
      ended.map(({ uuid, reason, acknowledged }) => [uuid, [reason, acknowledged]]),
    )
    t.deepEqual(told, { rock: ['killed', false], soft: ['stopped', true] })
  },
)

test.serial('a hung app is found, ended and started again', async (t) => {
  const health = { heartbeatMs: 50, hangMs: 300 }
  const host = await hostFor(t, { apps: [appOf('loop', ['hang'], { health })] })
  const event = await until(() => host.heard.find(({ type }) => type === 'hang'), 'a hang')
  t.is(event.uuid, 'loop')
  await until(() => appOn(host, 'loop').generation > 1, 'another run')
  t.is(appOn(host, 'loop').lastEnd?.reason, 'hang')
})

test.serial('an app that was silent until it was ready does not hang for that', async (t) => {
  const health = { heartbeatMs: 500, hangMs: 2000 }
  const host = await hostFor(t, { apps: [appOf('late', ['late=2600'], { health })] })
  await inState(host, 'late', 'ready')
  await until(() => appOn(host, 'late').health !== null, 'a heartbeat')
  t.false(host.heard.some(({ type }) => type === 'hang'))
})

test.serial('an app that its CPU limit keeps stopped does not hang', async (t) => {
  const health = { heartbeatMs: 50, hangMs: 300 }
  const host = await hostFor(t, { apps: [appOf('slow', [], { health })] })
  const { pid } = await inState(host, 'slow', 'ready')
  kill(pid, 'SIGSTOP')
  const before = host.heard.length
  // Two statuses a second would have seen it hang four times over.
  let looks = 0
  await until(() => {
    looks += 1
    return looks > 300
  }, 'three hundred looks')
  kill(pid, 'SIGCONT')
  t.deepEqual(
    host.heard.slice(before).filter(({ uuid }) => uuid === 'slow'),
    [],
  )
  t.is(appOn(host, 'slow').instance, 'slow.1')
})

test.serial('an app that is never ready is ended for that', async (t) => {
  const health = { readyMs: 200 }
  const restart = { intensity: 2, backoffMs: 1 }
  const host = await hostFor(t, { apps: [appOf('mute', ['mute'], { health, restart })] })
  const app = await inState(host, 'mute', 'quarantined')
  t.is(app.lastEnd?.reason, 'not-ready')
})

test.serial('rest_for_one takes along who comes after, one_for_all everybody', async (t) => {
  for (const [strategy, generations] of [
    ['one_for_one', [1, 2, 1]],
    ['rest_for_one', [1, 2, 2]],
    ['one_for_all', [2, 2, 2]],
  ] as const) {
    const host = await hostFor(t, { strategy, apps: [appOf('a'), appOf('b'), appOf('c')] })
    for (const uuid of ['a', 'b', 'c']) await inState(host, uuid, 'ready')
    kill(appOn(host, 'b').pid)
    await until(() => {
      const { apps } = host.status()
      return apps.every(
        ({ state }, index) => state === 'ready' && apps[index]?.generation === generations[index],
      )
    }, `${strategy}: generations ${generations}`)
    t.pass(strategy)
    await host.close()
  }
})

test.serial('the broker is a child like the others, and comes back', async (t) => {
  const host = await hostFor(t, { apps: [appOf('app')] })
  const isReady = () => host.status().broker.state === 'ready' && host.status().broker.pid
  const pid = await until(isReady, 'the broker')
  kill(pid)
  await until(() => isReady() !== pid && isReady(), 'the next broker')
  t.is(host.status().broker.restarts, 1)
  t.is(appOn(host, 'app').generation, 1)
})

test.serial('a lazy app starts when somebody asks for it', async (t) => {
  const host = await hostFor(t, { apps: [appOf('lazy', [], { start: 'lazy' })] })
  t.is(appOn(host, 'lazy').state, 'idle')
  t.deepEqual(await host.ask('start', { uuid: 'lazy' }), { instance: 'lazy.1' })
})

test.serial('a spare takes over, and another one is made', async (t) => {
  const host = await hostFor(t, {
    apps: [appOf('till', [], { spares: 1, kind: 'terminal', script: member })],
  })
  await until(() => appOn(host, 'till').spares === 1, 'a spare')
  const { pid } = appOn(host, 'till')
  kill(pid)
  await until(
    () => appOn(host, 'till').instance === 'till.2' && appOn(host, 'till').state === 'ready',
    'the spare',
  )
  const launched = host.heard.filter(({ type }) => type === 'launched').at(-1)
  t.is(launched?.facts.spare, 'till.spare-1')
  await until(() => appOn(host, 'till').spares === 1, 'the next spare')
})

test.serial('a recycled app hands over without a gap; a terminal ends first', async (t) => {
  const host = await hostFor(t, { apps: [appOf('app'), appOf('till', [], { kind: 'terminal' })] })
  await inState(host, 'app', 'ready')
  await inState(host, 'till', 'ready')
  t.deepEqual(await host.ask('recycle', { uuid: 'app' }), { instance: 'app.2' })
  t.deepEqual(await host.ask('recycle', { uuid: 'till' }), { instance: 'till.2' })
  const seen = (uuid: string) =>
    host.heard
      .filter((event) => event.uuid === uuid)
      .map(({ type, instance }) => `${type} ${instance}`)
  await until(() => seen('app').includes('ended app.1'), 'the end of the old run')
  const app = seen('app')
  t.true(app.indexOf('ready app.2') < app.indexOf('draining app.1'))
  const till = seen('till')
  t.true(till.indexOf('ended till.1') < till.indexOf('launched till.2'))
  t.is(appOn(host, 'till').restarts, 0)
  t.is(appOn(host, 'till').recycles, 1)
})

test.serial('an app that has handled its messages is recycled by itself', async (t) => {
  const recycle = { maxMessages: 10 }
  const health = { heartbeatMs: 50 }
  const host = await hostFor(t, { apps: [appOf('busy', ['messages=10'], { recycle, health })] })
  const event = await until(() => host.heard.find(({ type }) => type === 'recycling'), 'recycling')
  t.regex(event.text, /it has handled 10 messages/)
  await until(() => appOn(host, 'busy').generation > 1, 'another run')
})

test.serial('an app over its soft limit is asked to give memory back, then recycled', async (t) => {
  const resourceLimits = { softMemory: 96 * 1024 * 1024 }
  const host = await hostFor(t, { apps: [appOf('eater', ['eat=150'], { resourceLimits })] })
  const soft = await until(() => host.heard.find(({ type }) => type === 'soft-limit'), 'the limit')
  t.true(Number(soft.facts.usedBytes) > 96 * 1024 * 1024)
  const event = await until(() => host.heard.find(({ type }) => type === 'recycling'), 'recycling')
  t.regex(event.text, /its soft limit is 100663296/)
  t.true(event.seq > soft.seq)
})

test.serial('an end is judged, and kept for whoever wants to know', async (t) => {
  const restart = { type: 'temporary' } as const
  const host = await hostFor(t, { apps: [appOf('bad', ['exit=3'], { restart })] })
  const event = await until(() => host.heard.find(({ type }) => type === 'report'), 'a report')
  t.is(event.instance, 'bad.1')
  const { report } = await readReport(new HostPlace(host.root), 'bad.1')
  t.is(report.reason, 'exception')
  t.is(report.exit.code, 3)
  t.true(report.events.some(({ type }) => type === 'launched'))
})

test.serial('stop rests, restart brings a new run, kill ends at once', async (t) => {
  const host = await hostFor(t, { apps: [appOf('app')] })
  await inState(host, 'app', 'ready')
  t.deepEqual(await host.ask('restart', { uuid: 'app' }), { instance: 'app.2' })
  t.deepEqual(await host.ask('stop', { uuid: 'app' }), { reason: 'stopped' })
  t.is(appOn(host, 'app').state, 'stopped')
  t.deepEqual(await host.ask('start', { uuid: 'app' }), { instance: 'app.3' })
  t.deepEqual(await host.ask('kill', { uuid: 'app' }), { reason: 'killed' })
  t.is(appOn(host, 'app').state, 'stopped')
})

test.serial('a store has one host', async (t) => {
  const host = await hostFor(t, { apps: [appOf('app')] })
  const { root } = host
  const manifest = { apps: [appOf('app')] }
  const second = startHost({
    root,
    manifest,
  })
  const error = await t.throwsAsync(second, { instanceOf: HostError })
  t.is(error?.code, 'HOST_RUNNING')
  t.is((error as HostError).facts.pid, process.pid)
})

test.serial('closing is idempotent, and the numbers of events and runs go on', async (t) => {
  const root = hostRoot(t)
  const manifest = { apps: [appOf('app')] }
  const first = await hostFor(t, manifest, root)
  await inState(first, 'app', 'ready')
  await Promise.all([first.close(), first.close()])
  await first.close()
  const seq = first.heard.at(-1)?.seq ?? 0
  const second = await hostFor(t, manifest, root)
  await inState(second, 'app', 'ready')
  t.is(appOn(second, 'app').instance, 'app.2')
  t.is(second.status().epoch, 2)
  const events = await second.ask('events', { from: seq })
  t.is(events[0]?.seq, seq)
  t.deepEqual(
    events.map((event) => event.seq - seq),
    events.map((_, index) => index),
  )
})

test.serial('apps survive their supervisor and are taken over by the next one', async (t) => {
  const root = hostRoot(t)
  const apps = [appOf('a'), appOf('b', [], { spares: 1, script: member }), appOf('c')]
  const first = await hostFor(t, { apps }, root)
  for (const uuid of ['a', 'b', 'c']) await inState(first, uuid, 'ready')
  await until(() => appOn(first, 'b').spares === 1, 'a spare')
  await first.ask('stop', { uuid: 'c' })
  const pids = first.status().apps.map(({ pid }) => pid)
  await first.leave()
  kill(pids[0] ?? null)
  const second = await hostFor(t, { apps }, root)
  t.is(appOn(second, 'b').state, 'ready')
  t.is(appOn(second, 'b').pid, pids[1] ?? null)
  t.is(appOn(second, 'b').instance, 'b.1')
  t.is(appOn(second, 'c').state, 'stopped', 'what a person stopped stays stopped')
  await until(() => appOn(second, 'b').health !== null, 'a heartbeat of what was taken over')
  await until(() => appOn(second, 'b').spares === 1, 'the spare that was taken over')
  await until(() => appOn(second, 'a').instance === 'a.2', 'what ended meanwhile')
  t.is(second.status().epoch, 2)
  kill(appOn(second, 'b').pid)
  await until(() => appOn(second, 'b').instance === 'b.2', 'what was taken over is watched')
  t.is(appOn(second, 'b').lastEnd?.instance, 'b.1')
})

test.serial('what an app prints at its start is of its own run', async (t) => {
  const root = hostRoot(t)
  const file = path.join(root, 'starts')
  const host = await hostFor(t, { apps: [appOf('app', [`file=${file}`])] }, root)
  const { pid } = await inState(host, 'app', 'ready')
  t.is(readFileSync(file, 'utf8'), `app.1 ${pid}\n`)
})
