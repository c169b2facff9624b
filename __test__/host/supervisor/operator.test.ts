/** An operator on a control socket: who is let in, what it asks and hears, and how it is refused. */
import { chmodSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { isHostError } from '../../../ts/host/error.js'
import { HostPlace } from '../../../ts/host/place.js'
import { askHost, Operator } from '../../../ts/host/supervisor/operator.js'
import type { HostEvent } from '../../../ts/host/supervisor/status.js'
import { tempStore } from '../../support/store.js'
import { appStatus, controlServer } from '../support/control-server.js'

test('an operator asks and is answered', async (t) => {
  const { root } = await controlServer(t, [appStatus('clock')])
  const operator = await Operator.connect(root)
  t.teardown(() => operator.close())
  t.is(operator.welcome.epoch, 1)
  const status = await operator.ask('status', {})
  t.deepEqual(
    status.apps.map(({ uuid }) => uuid),
    ['clock'],
  )
  t.deepEqual(await operator.ask('restart', { uuid: 'clock' }), { instance: 'clock.2' })
})

test('a refusal keeps its code and its facts', async (t) => {
  const { root } = await controlServer(t, [appStatus('clock')])
  const error = await t.throwsAsync(askHost(root, 'kill', { uuid: 'nobody' }))
  t.true(isHostError(error, 'HOST_UNKNOWN_APP'))
  if (isHostError(error)) t.deepEqual(error.facts, { uuid: 'nobody', known: ['clock'] })
})

test('who follows hears what happens and how everything is', async (t) => {
  const server = await controlServer(t, [appStatus('clock')])
  const { promise, resolve } = withResolver<HostEvent>()
  const statuses: number[] = []
  const operator = await Operator.connect(server.root, {
    onStatus: ({ apps }) => statuses.push(apps.length),
    onEvent: resolve,
  })
  t.teardown(() => operator.close())
  await operator.ask('follow', {})
  server.tell()
  server.happen({ uuid: 'clock', instance: 'clock.1', type: 'ended', text: 'it ended', facts: {} })
  t.is((await promise).type, 'ended')
  t.deepEqual(statuses, [1])
})

test('a store without a host says how to start one', async (t) => {
  const error = await t.throwsAsync(Operator.connect(tempStore(t)), { message: /host start/ })
  t.true(isHostError(error, 'HOST_NOT_RUNNING'))
})

test('a host that is gone does not answer, and what waits is told', async (t) => {
  const server = await controlServer(t, [])
  const { promise, resolve } = withResolver<void>()
  const operator = await Operator.connect(server.root, { onEnd: () => resolve() })
  await server.stop()
  await promise
  t.true(operator.isEnded)
  const late = await t.throwsAsync(operator.ask('status', {}))
  t.true(isHostError(late, 'HOST_DISCONNECTED'))
  const error = await t.throwsAsync(Operator.connect(server.root))
  t.true(isHostError(error, 'HOST_NOT_RUNNING'))
})

test('a wrong key is refused', async (t) => {
  const { root, place } = await controlServer(t, [])
  const owner = { pid: 1, startedAt: 1, key: '0'.repeat(64) }
  writeFileSync(place.file('host.owner.json'), JSON.stringify(owner))
  const error = await t.throwsAsync(Operator.connect(root))
  t.true(isHostError(error, 'HOST_IDENTITY'))
})

test('a damaged owner record is named', async (t) => {
  const { root, place } = await controlServer(t, [])
  writeFileSync(place.file('host.owner.json'), '{"pid":')
  const error = await t.throwsAsync(Operator.connect(root), { message: /host\.owner\.json/ })
  t.true(isHostError(error, 'HOST_STATE'))
})

const asOther = process.getuid?.() === 0 ? test.skip : test
asOther('an owner record of another user forbids', async (t) => {
  const { root } = await controlServer(t, [])
  chmodSync(new HostPlace(root).file('host.owner.json'), 0)
  const error = await t.throwsAsync(Operator.connect(root))
  t.true(isHostError(error, 'HOST_FORBIDDEN'))
})

function withResolver<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {}
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
