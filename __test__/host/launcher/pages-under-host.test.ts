/** A page under a supervisor: ready by itself, back after a crash, found again by the next supervisor. */
import test from 'ava'
import { browserProgram } from '../../../ts/host/launcher/browser.js'
import { startHost } from '../../../ts/host/start.js'
import { plainGovernor } from '../support/plain-governor.js'
import { appOn, hostRoot, inState, kill, until } from '../support/supervised.js'

const url = 'data:text/html,<title>till</title>'
const manifest = {
  apps: [
    { startup_app: { uuid: 'page', name: 'Page', url } },
    { startup_app: { uuid: 'other', name: 'Other', url } },
  ],
}

function hasBrowser(): boolean {
  try {
    browserProgram()
    return true
  } catch {
    return false
  }
}

const check = hasBrowser() ? test.serial : test.serial.skip

check('a page is ready, is restarted after a crash, and its neighbour answers', async (t) => {
  const root = hostRoot(t)
  const host = await startHost({ root, manifest, governor: plainGovernor })
  t.teardown(() => host.close())
  const first = await inState(host, 'page', 'ready')
  await inState(host, 'other', 'ready')
  kill(first.pid)
  t.deepEqual(await host.ask('evaluate', { uuid: 'other', expression: '1 + 1' }), { value: 2 })
  await until(
    () =>
      appOn(host, 'page').generation > first.generation && appOn(host, 'page').state === 'ready',
    'the page to be back',
  )
  t.deepEqual(await host.ask('evaluate', { uuid: 'page', expression: '1 + 1' }), { value: 2 })
  t.is(appOn(host, 'other').restarts, 0)
  await until(() => appOn(host, 'page').health !== null, 'a heartbeat of the page')
})

check('a page goes on without its supervisor and is found again with what it holds', async (t) => {
  const root = hostRoot(t)
  const host = await startHost({ root, manifest, governor: plainGovernor })
  const { instance } = await inState(host, 'page', 'ready')
  await host.ask('evaluate', { uuid: 'page', expression: 'globalThis.mark = 7' })
  await host.leave()
  const next = await startHost({ root, manifest, governor: plainGovernor })
  t.teardown(() => next.close())
  await inState(next, 'page', 'ready')
  t.is(appOn(next, 'page').instance, instance)
  t.deepEqual(await next.ask('evaluate', { uuid: 'page', expression: 'globalThis.mark' }), {
    value: 7,
  })
  const { ended } = await next.shutdown()
  t.true(
    ended.every(({ reason }) => reason === 'stopped' || reason === 'finished'),
    JSON.stringify(ended),
  )
})
