/**
 * A whole host whose every part, broker and desktop agent too, is a utility process of the stand-in for Electron. NOT RUN
 * ON A REAL ELECTRON.
 */
import test from 'ava'
import { isHostError } from '../../../ts/host/error.js'
import { ElectronLauncher } from '../../../ts/host/launcher/electron.js'
import { identityOf } from '../../../ts/host/launcher/identity.js'
import { startHost } from '../../../ts/host/start.js'
import { appOf, appOn, hostRoot, inState, member, until } from '../support/supervised.js'
import { electronWith } from './utility-process.js'

let life: NodeJS.Timeout
test.before(() => {
  life = setInterval(() => undefined, 1000)
})
test.after.always(() => clearInterval(life))

test.serial('an app serves, is started again after a crash, and is told to drain', async (t) => {
  const root = hostRoot(t)
  const launchers = [new ElectronLauncher(electronWith({ goneLateMs: 50 }), { root })]
  const manifest = { apps: [appOf('till', [], { script: member })] }
  const host = await startHost({ root, manifest, launchers })
  t.teardown(() => host.close())
  const first = await inState(host, 'till', 'ready')
  t.is(first.launcher, 'electron')
  await until(() => host.status().broker.state === 'ready', 'the broker')
  // What a utility process cannot be given is in its status.
  t.true(
    first.missing.some((sentence) => sentence.startsWith('reach: ')),
    first.missing.join('\n'),
  )
  process.kill(first.pid as number, 'SIGSEGV')
  const second = await until(() => {
    const app = appOn(host, 'till')
    return app.state === 'ready' && app.generation === 2 ? app : undefined
  }, 'a second run')
  t.is(second.lastEnd?.reason, 'signal')
  const { ended } = await host.shutdown()
  t.like(
    ended.find(({ uuid }) => uuid === 'till'),
    { acknowledged: true },
  )
  t.is(identityOf(second.pid as number), undefined)
})

test.serial('a host that leaves stops them in order, and the next one starts them', async (t) => {
  const root = hostRoot(t)
  const launchers = [new ElectronLauncher(electronWith({}), { root })]
  const manifest = { apps: [appOf('till', [], { script: member })] }
  const host = await startHost({ root, manifest, launchers })
  t.teardown(() => host.leave())
  const { pid, instance } = await inState(host, 'till', 'ready')
  const drained = until(
    () => appOn(host, 'till').lastEnd ?? undefined,
    'the app to end before the host',
  )
  await host.leave()
  t.like(await drained, { reason: 'stopped', instance })
  t.is(identityOf(pid as number), undefined)
  const next = await startHost({ root, manifest, launchers })
  t.teardown(() => next.close())
  t.is((await inState(next, 'till', 'ready')).generation, 2)
})

test.serial('an app that must be isolated is refused, and why is said', async (t) => {
  const root = hostRoot(t)
  const launchers = [new ElectronLauncher(electronWith({}), { root })]
  const manifest = {
    isolation: 'required' as const,
    apps: [appOf('till', [], { script: member, restart: { type: 'temporary' } })],
  }
  const host = await startHost({ root, manifest, launchers })
  t.teardown(() => host.close())
  const refused = await until(() => {
    const app = appOn(host, 'till')
    return app.lastEnd === null ? undefined : app
  }, 'the refusal')
  t.is(refused.pid, null)
  const events = await host.ask('events', {})
  const said = events.find(({ type, uuid }) => type === 'ended' && uuid === 'till')?.text ?? ''
  t.true(said.includes('cannot be held on this machine'), said)
  t.regex(said, /user|reach/)
  const error = await t.throwsAsync(host.ask('start', { uuid: 'till' }))
  t.true(isHostError(error), String(error))
})
