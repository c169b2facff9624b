import test from 'ava'
import { hostManifestSchema } from '../../../ts/host/manifest/manifest.js'
import type { AppHealth, AppSample } from '../../../ts/host/supervisor/status.js'
import {
  hangAfterMs,
  isStopped,
  type RunFacts,
  reconnectMs,
  recycleReason,
  shedMs,
  softMemoryOf,
  withDelay,
} from '../../../ts/host/supervisor/vigil.js'

const MiB = 1024 * 1024

function appWith(rest: object) {
  const startup_app = { uuid: 'a', name: 'A', script: 'a.mjs' }
  const [app] = hostManifestSchema.parse({ apps: [{ startup_app, ...rest }] }).apps
  if (app === undefined) throw new Error('no app')
  return app
}

const health: AppHealth = {
  at: 0,
  loopP50: 1,
  loopP99: 5,
  heapUsed: 0,
  handles: 20,
  messages: 100,
  terminal: null,
}
const sample: AppSample = { at: 0, memory: 100 * MiB, rss: 0, cpu: 0, processes: 1, files: 9 }
const facts: RunFacts = { at: 100_000, readyAt: 0, health, sample, shedAt: null, loopP99: [] }

test('a hang is so much silence, more under a CPU limit, and more while the app comes back', (t) => {
  const health = { hangMs: 2000 }
  t.is(hangAfterMs(appWith({ health }), true), 2000)
  t.is(hangAfterMs(appWith({ health }), false), 2000 + reconnectMs)
  t.is(hangAfterMs(appWith({ health, resourceLimits: { maxCPU: 25 } }), true), 8000)
  t.is(hangAfterMs(appWith({ health, resourceLimits: { maxCPU: 200 } }), true), 2000)
})

test('a stopped process is known by its state, whatever it is called', (t) => {
  t.true(isStopped('12 (a) T 1 12 12 0'))
  t.true(isStopped('12 (x) S (y) t 1 12 12 0'))
  t.false(isStopped('12 (T) S 1 12 12 0'))
  t.false(isStopped(''))
})

test('the soft limit is given, or 85 % of the hard one, or none', (t) => {
  t.is(softMemoryOf(appWith({})), null)
  t.is(softMemoryOf(appWith({ resourceLimits: { maxMemory: 200 * MiB } })), 170 * MiB)
  t.is(softMemoryOf(appWith({ resourceLimits: { softMemory: 96 * MiB } })), 96 * MiB)
})

test('each limit of a run has its reason, and none is reached by what is not known', (t) => {
  const reason = (recycle: object, more: Partial<RunFacts> = {}) =>
    recycleReason(appWith({ recycle }), { ...facts, ...more })
  t.is(reason({}), undefined)
  t.is(reason({ maxAgeMs: 100_000 }), 'it has served for 100000 ms')
  t.is(reason({ maxAgeMs: 100_001 }), undefined)
  t.is(reason({ maxMessages: 100 }), 'it has handled 100 messages')
  t.is(reason({ maxMessages: 101 }), undefined)
  t.is(reason({ maxHandles: 20 }), 'it has 20 files open')
  t.is(reason({ maxMessages: 1, maxHandles: 16 }, { health: null }), undefined)
})

test('memory over the soft limit recycles only an app that did not give it back in time', (t) => {
  const app = appWith({ resourceLimits: { softMemory: 96 * MiB } })
  t.is(recycleReason(app, facts), undefined)
  t.is(recycleReason(app, { ...facts, shedAt: facts.at - shedMs + 1 }), undefined)
  const shedAt = facts.at - shedMs
  t.regex(recycleReason(app, { ...facts, shedAt }) ?? '', /its soft limit is 100663296/)
  const freed = { ...sample, memory: 90 * MiB }
  t.is(recycleReason(app, { ...facts, shedAt, sample: freed }), undefined)
})

test('a loop is late when it was late for most of a minute', (t) => {
  const app = appWith({ recycle: { maxLoopDelayMs: 50 }, health: { heartbeatMs: 500 } })
  const delays = (late: number) => {
    let loopP99: RunFacts['loopP99'] = []
    for (let beat = 0; beat < 200; beat += 1) {
      const ms = beat % 10 < late ? 80 : 5
      loopP99 = withDelay(loopP99, { ...health, at: beat * 500, loopP99: ms })
    }
    return loopP99
  }
  t.is(delays(5).length, 120, 'a minute is kept')
  t.is(recycleReason(app, { ...facts, loopP99: delays(4) }), undefined)
  t.is(
    recycleReason(app, { ...facts, loopP99: delays(6) }),
    'its event loop was late by 80 ms for a minute',
  )
  const young = { ...facts, readyAt: facts.at - 30_000, loopP99: delays(6) }
  t.is(recycleReason(app, young), undefined)
})
