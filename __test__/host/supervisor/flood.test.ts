/** What an app or a stranger says without end costs the event log little, and nobody loses what counts. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { HostPlace } from '../../../ts/host/place.js'
import { Refusals, refusalsMax } from '../../../ts/host/refusals.js'
import { Calm, changesMax } from '../../../ts/host/supervisor/calm.js'
import { call } from '../support/caller.js'
import { appOf, appOn, hostFor, inState, until, writer } from '../support/supervised.js'

/** Seconds that have begun since a moment: a machine may be as slow as it likes. */
const secondsSince = (at: number) => Math.ceil((performance.now() - at) / 1000)

test.serial(
  'an app that is ready and degraded in turns is told calmly, and the last in the end',
  async (t) => {
    const began = performance.now()
    const host = await hostFor(t, { apps: [appOf('moody', ['moody=300'])] })
    await until(() => appOn(host, 'moody').why === 'the last', 'the last to be told')
    t.is(appOn(host, 'moody').state, 'degraded')
    const changes = host.heard.filter(({ type }) => type === 'degraded' || type === 'recovered')
    t.true(changes.length >= 1)
    t.true(
      changes.length <= changesMax * (secondsSince(began) + 1),
      `${changes.length} changes in ${secondsSince(began)} s`,
    )
  },
)

test.serial(
  'a flood of refusals is told ten times a second, with how many were left out',
  async (t) => {
    const host = await hostFor(t, { apps: [appOf('one')] })
    await inState(host, 'one', 'ready')
    const { controlSocket } = new HostPlace(host.root)
    const began = performance.now()
    const floods = 200
    for (let count = 0; count < floods; count += 1) {
      const caller = await call(controlSocket, { protocol: 1, role: 'king' })
      await caller.ended
    }
    const refused = () => host.heard.filter(({ type }) => type === 'refused')
    const told = () => refused().reduce((sum, { facts }) => sum + 1 + Number(facts.leftOut ?? 0), 0)
    await until(() => told() === floods, 'all to be told or counted')
    t.true(refused().length <= (refusalsMax + 1) * (secondsSince(began) + 1))
  },
)

test.serial('a message does not start what a person stopped, nor what needs it', async (t) => {
  const one = appOf('one', [], { script: writer })
  const lazy = appOf('lazy', [], { start: 'lazy', script: writer })
  const host = await hostFor(t, {
    apps: [
      one,
      lazy,
      appOf('base', [], { start: 'lazy' }),
      appOf('upper', [], { start: 'lazy', dependsOn: ['base'] }),
    ],
  })
  await inState(host, 'one', 'ready')
  const place = new HostPlace(host.root)
  const [order, answer] = ['to', 'code'].map((name) => place.app('one', 'data', name)) as [
    string,
    string,
  ]
  /** Has an app write to another; gives what came of it. */
  const write = async (to: string) => {
    writeFileSync(`${order}.new`, to)
    renameSync(`${order}.new`, order)
    await until(() => existsSync(answer), `what came of writing to ${to}`)
    const code = readFileSync(answer, 'utf8')
    rmSync(answer)
    return code
  }
  t.is(await write('lazy'), 'none')
  t.is(appOn(host, 'lazy').generation, 1)
  await host.ask('stop', { uuid: 'lazy' })
  t.is(await write('lazy'), 'HOST_STOPPED')
  t.is(appOn(host, 'lazy').state, 'stopped')
  t.is(appOn(host, 'lazy').generation, 1)
  await host.ask('stop', { uuid: 'base' })
  t.is(await write('upper'), 'HOST_STOPPED')
  t.is(appOn(host, 'upper').generation, 0)
  // Another supervisor knows it too.
  await host.leave()
  const next = await hostFor(t, { apps: [one, lazy] }, host.root)
  let code = await write('lazy')
  while (code === 'HOST_NOT_RUNNING') code = await write('lazy')
  t.is(code, 'HOST_STOPPED')
  await next.ask('start', { uuid: 'lazy' })
  t.is(await write('lazy'), 'none')
})

test('refusals of one peer do not hide those of another', async (t) => {
  const told: string[] = []
  const refusals = new Refusals<string>((refusal, leftOut) => told.push(`${refusal} ${leftOut}`))
  for (let count = 1; count <= 25; count += 1) refusals.add('loud', `loud-${count}`)
  refusals.add('quiet', 'quiet-1')
  t.is(told.length, refusalsMax + 1)
  t.is(told.at(-1), 'quiet-1 0')
  await until(() => told.length > refusalsMax + 1, 'the rest')
  t.is(told.at(-1), `loud-25 ${25 - refusalsMax - 1}`)
})

test('what changes seldom is told at once', (t) => {
  const told: number[] = []
  const calm = new Calm<number>((change) => told.push(change))
  for (let change = 1; change <= changesMax; change += 1) calm.change(change)
  t.is(told.length, changesMax)
})
