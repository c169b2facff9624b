/** A page under a supervisor: ready by itself, back after a crash, found again by the next supervisor. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { browserProgram } from '../../../ts/host/launcher/browser.js'
import { HostPlace } from '../../../ts/host/place.js'
import { startHost } from '../../../ts/host/start.js'
import { openRuns } from '../../../ts/host/supervisor/records.js'
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

/** A page that says where it is asked to drain: in what its browser keeps of it. */
const drainingPage = `<!doctype html><title>till</title><script>
  globalThis.posKernel = {
    drain: async (why) => {
      await fetch('/drained', { method: 'POST', body: why })
    },
  }
</script>`

/** Serves the page, and hears of its drains. */
async function pageServer(t: ExecutionContext, at = 0) {
  const drains: string[] = []
  const server = createServer((request, response) => {
    if (request.method !== 'POST') {
      response.setHeader('content-type', 'text/html').end(drainingPage)
      return
    }
    request.on('data', (bytes) => drains.push(String(bytes)))
    request.on('end', () => response.end())
  })
  server.listen(at, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  t.teardown(stop)
  const { port } = server.address() as AddressInfo
  return { drains, url: `http://127.0.0.1:${port}/`, stop }
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
  await inState(host, 'other', 'ready')
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

check(
  'a page that is drained, recycled or shut down is asked, answers, and its browser ends',
  async (t) => {
    const { drains, url } = await pageServer(t)
    const root = hostRoot(t)
    const apps = [{ startup_app: { uuid: 'page', name: 'Page', url } }]
    const host = await startHost({ root, manifest: { apps }, governor: plainGovernor })
    t.teardown(() => host.close())
    const first = await inState(host, 'page', 'ready')
    t.deepEqual(await host.ask('recycle', { uuid: 'page', why: 'age' }), { instance: 'page.2' })
    t.deepEqual(drains, ['age'])
    t.not(appOn(host, 'page').pid, first.pid)
    t.is(appOn(host, 'page').lastEnd?.reason, 'stopped')
    t.deepEqual(await host.ask('evaluate', { uuid: 'page', expression: '1 + 1' }), { value: 2 })
    t.is((await host.ask('drain', { uuid: 'page' })).reason, 'stopped')
    t.is(drains.length, 2)
    await host.ask('start', { uuid: 'page' })
    const { ended } = await host.shutdown({ reason: 'closing time' })
    t.deepEqual(
      ended.map(({ instance, reason, acknowledged }) => [instance, reason, acknowledged]),
      [['page.3', 'stopped', true]],
    )
    t.deepEqual(drains.slice(2), ['closing time'])
  },
)

check(
  'a page that was on its way when its supervisor left is not taken for one that came',
  async (t) => {
    // Nobody listens there yet: the browser shows its page of an error.
    const served = await pageServer(t)
    served.stop()
    const page = { uuid: 'page', name: 'Page', url: served.url }
    const root = hostRoot(t)
    const settings = { root, manifest: { apps: [{ startup_app: page }] }, governor: plainGovernor }
    const away = await startHost(settings)
    const record = () => openRuns(new HostPlace(root)).find(({ uuid }) => uuid === 'page')?.record
    await until(() => record()?.process, 'the browser')
    t.is(record()?.phase, 'starting')
    await away.leave()
    await pageServer(t, Number(new URL(served.url).port))
    const host = await startHost(settings)
    t.teardown(() => host.close())
    const { instance } = await inState(host, 'page', 'ready')
    t.is(instance, 'page.2')
  },
)

check('a page is recycled by its age, again and again, and that is no failure', async (t) => {
  const { drains, url } = await pageServer(t)
  const root = hostRoot(t)
  const app = { startup_app: { uuid: 'page', name: 'Page', url } }
  const aged = { ...app, recycle: { maxAgeMs: 1000 }, restart: { periodMs: 1000 } }
  const host = await startHost({ root, manifest: { apps: [aged] }, governor: plainGovernor })
  t.teardown(() => host.close())
  await until(
    () => appOn(host, 'page').generation >= 3 && appOn(host, 'page').state === 'ready',
    'a third run',
  )
  t.is(appOn(host, 'page').restarts, 0)
  t.true(drains.length >= 2)
})
