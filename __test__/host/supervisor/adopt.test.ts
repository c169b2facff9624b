import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { identityOf, parentOf, stillRuns } from '../../../ts/host/launcher/identity.js'
import type { Launched } from '../../../ts/host/launcher/launcher.js'
import { NodeLauncher } from '../../../ts/host/launcher/node.js'
import { type AppManifest, parseManifest } from '../../../ts/host/manifest/manifest.js'
import type { HostPlace } from '../../../ts/host/place.js'
import { listReports } from '../../../ts/host/report/report.js'
import { makeRunFolders, runFolders } from '../../../ts/host/supervisor/live-run.js'
import {
  type AppMemory,
  openRuns,
  type RunRecord,
  readIntent,
  readSupervisor,
  type ShutdownIntent,
  writeIntent,
  writeRun,
  writeSupervisor,
} from '../../../ts/host/supervisor/records.js'
import type { AppStatus } from '../../../ts/host/supervisor/status.js'
import { projectRoot } from '../../support/child.js'
import { Away } from '../support/away.js'
import { appOf, kill, member, until } from '../support/supervised.js'

/** What is written before a process is started. */
const begun: RunRecord = {
  version: 1,
  instance: 'app.7',
  role: 'main',
  launcher: 'node',
  tokenHash: 'a'.repeat(64),
  groups: [],
  startedAt: Date.now(),
  readyAt: null,
  phase: 'starting',
  ending: null,
  after: null,
}

const areReady = (apps: readonly AppStatus[]) => apps.every(({ state }) => state === 'ready')

test.serial('apps of a killed supervisor go on, and none is started again', async (t) => {
  const uuids = Array.from({ length: 12 }, (_, index) => `app-${index}`)
  const away = new Away(t, { apps: uuids.map((uuid) => appOf(uuid)) })
  await away.start()
  const before = await away.until(areReady)
  await away.kill()
  const { epoch, adopted } = await away.start()
  t.is(epoch, 2)
  // With the broker.
  t.is(adopted, uuids.length + 1)
  const after = await away.until((apps) => apps.every(({ health }) => health !== null))
  t.deepEqual(
    after.map(({ instance, pid, state }) => ({ instance, pid, state })),
    before.map(({ instance, pid, state }) => ({ instance, pid, state })),
  )
})

test.serial(
  'what ended while nobody watched is known by its launcher, with its reason',
  async (t) => {
    const restart = { type: 'temporary' } as const
    const apps = ['killed', 'finished', 'going'].map((uuid) =>
      appOf(uuid, [], { script: member, restart }),
    )
    const away = new Away(t, { apps })
    await away.start()
    const [killed, finished] = await away.until(areReady)
    await away.kill()
    kill(killed?.pid ?? null)
    kill(finished?.pid ?? null, 'SIGTERM')
    const isGone = (pid: number | null | undefined) => {
      try {
        process.kill(pid ?? 0, 0)
        return false
      } catch {
        return true
      }
    }
    await until(() => isGone(killed?.pid) && isGone(finished?.pid), 'their ends')
    await away.start()
    const after = await away.until(
      (all) => all.filter(({ state }) => state === 'stopped').length === 2,
    )
    const events = await away.ask('events', {})
    const isKept = (all: typeof events) => all.some(({ type }) => type === 'report')
    while (!isKept(await away.ask('events', {}))) await delay(5)
    const reports = await listReports(away.place)
    t.deepEqual(
      reports.map(({ instance, reason }) => [instance, reason]),
      [['killed.1', 'signal']],
    )
    t.deepEqual(
      after.map(({ uuid, state, lastEnd }) => [uuid, state, lastEnd?.reason]),
      [
        ['killed', 'stopped', 'signal'],
        ['finished', 'stopped', 'finished'],
        ['going', 'ready', undefined],
      ],
    )
  },
)

test.serial(
  'a run that was not started wholly is cleaned up, and its number is not used again',
  async (t) => {
    const away = new Away(t, { apps: [appOf('app')] })
    const folder = away.place.app('app', 'runs', 'app.7')
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'instance.json'), JSON.stringify(begun))
    mkdirSync(away.place.app('app', 'runs', 'app.8'), { recursive: true })
    writeFileSync(away.place.app('app', 'runs', 'app.8', 'instance.json'), '{"torn')
    await away.start()
    const [app] = await away.until(areReady)
    t.is(app?.instance, 'app.9')
    t.deepEqual(
      openRuns(away.place)
        .filter(({ uuid }) => uuid === 'app')
        .map((run) => run.folder),
      ['app.9'],
    )
  },
)

test.serial(
  'a number that a spare took is not used again, though its supervisor did not live to remember it',
  async (t) => {
    const away = new Away(t, { apps: [appOf('app', [], { script: member, spares: 1 })] })
    await away.start()
    const [first] = await away.until(([app]) => app?.spares === 1)
    await until(() => readSupervisor(away.place).apps.app?.generation === 1, 'the record')
    const remembered = readSupervisor(away.place)
    kill(first?.pid ?? null)
    await away.until(([app]) => app?.state === 'ready' && app.instance !== 'app.1')
    await away.kill()
    writeSupervisor(away.place, remembered)
    await away.start()
    const [second] = await away.until(areReady)
    t.is(second?.instance, 'app.2')
    kill(second?.pid ?? null)
    const [third] = await away.until(([app]) => app?.state === 'ready' && app.instance !== 'app.2')
    t.is(third?.instance, 'app.3')
  },
)

test.serial(
  'a spare that was told what to be, by a supervisor that died of it, does not keep its app waiting',
  async (t) => {
    // Whoever waited until it is not ready in time would wait for longer than this test.
    const app = appOf('app', [], { script: member, spares: 1, health: { readyMs: 600_000 } })
    const away = new Away(t, { apps: [app] })
    await away.start()
    const [before] = await away.until(([status]) => status?.spares === 1)
    await away.kill()
    kill(before?.pid ?? null)
    const spare = openRuns(away.place).find(({ record }) => record?.role === 'spare')
    const { folder = '', record } = spare ?? {}
    // What is on disk before the spare is told.
    const told = { ...record, instance: 'app.2', role: 'main', tokenHash: 'a'.repeat(64) }
    writeRun(away.place, 'app', folder, told as RunRecord)
    await away.start()
    const [after] = await away.until(areReady)
    t.is(after?.instance, 'app.3')
    t.is(after?.lastEnd?.reason, 'not-ready')
  },
)

test.serial(
  'what was wanted when its supervisor died is wanted, though that did not live to remember it',
  async (t) => {
    const away = new Away(t, { apps: [appOf('app', [], { start: 'lazy' })] })
    await away.start()
    const remembered = readSupervisor(away.place)
    t.is(remembered.apps.app?.isWanted, false)
    await away.ask('start', { uuid: 'app' })
    await away.kill()
    writeSupervisor(away.place, remembered)
    await away.start()
    const [before] = await away.until(areReady)
    kill(before?.pid ?? null)
    const [after] = await away.until(
      ([app]) => app?.state === 'ready' && app.instance !== before?.instance,
    )
    t.is(after?.restarts, 1)
  },
)

test.serial(
  'a run whose supervisor did not live to write down who it is is ended, and none of another host',
  async (t) => {
    const away = new Away(t, { apps: [appOf('app')] })
    const other = new Away(t, { apps: [appOf('app')] })
    const [ours, theirs] = await Promise.all([away, other].map(({ place }) => stray(t, place)))
    if (ours === undefined || theirs === undefined) return t.fail('nothing was launched')
    await away.start()
    t.false(stillRuns(ours.process))
    const [app] = await away.until(areReady)
    t.is(app?.instance, 'app.8')
    const events = await away.ask('events', {})
    t.true(events.some(({ type, instance }) => type === 'ended' && instance === 'app.7'))
    t.true(stillRuns(theirs.process))
    await theirs.kill()
  },
)

/** A run as it is between the start of its process and the record of it. */
async function stray(t: ExecutionContext, place: HostPlace): Promise<Launched> {
  const { apps } = parseManifest({ apps: [appOf('app')] }, place.root)
  const folders = runFolders(place, 'app', 'app.7')
  makeRunFolders(folders, undefined)
  const launched = await new NodeLauncher({ root: place.root }).launch({
    app: apps[0] as AppManifest,
    instance: 'app.7',
    token: 'a'.repeat(64),
    folders,
    sockets: { control: place.controlSocket, bus: place.busSocket },
    confinement: { groups: [] },
  })
  t.teardown(() => launched.kill())
  writeFileSync(path.join(folders.run, 'instance.json'), JSON.stringify(begun))
  launched.release()
  return launched
}

test.serial(
  'a shutdown that its supervisor did not live to end is taken up by the next one',
  async (t) => {
    const away = new Away(t, { apps: [appOf('rock', ['stubborn']), appOf('soft')] })
    await away.start()
    await away.until(areReady)
    const asked = away.ask('shutdown', { deadlineMs: 1000, reason: 'closing time' })
    await until(() => readIntent(away.place), 'the intent')
    await away.kill()
    await t.throwsAsync(asked, { message: /the connection ended before shutdown was answered/ })
    t.is(readIntent(away.place)?.result, undefined)
    await away.start()
    await away.ended()
    const intent = readIntent(away.place)
    t.is(intent?.reason, 'closing time')
    t.true(intent?.result?.ended.some(({ uuid, reason }) => uuid === 'rock' && reason === 'killed'))
    t.deepEqual(openRuns(away.place), [])
    // The shutdown is over: the next host starts everything.
    await away.start()
    await away.until(areReady)
    t.pass()
  },
)

test.serial(
  'what a person stopped, and what is quarantined, stays so when the supervisor is killed',
  async (t) => {
    const bad = appOf('bad', ['exit=3'], { restart: { intensity: 2, backoffMs: 1 } })
    const away = new Away(t, { apps: [appOf('stopped'), bad] })
    await away.start()
    await away.until(([, second]) => second?.state === 'quarantined')
    await away.ask('stop', { uuid: 'stopped' })
    await until(() => {
      try {
        return JSON.stringify(readSupervisorText(away.place)).includes('stopped')
      } catch {
        return false
      }
    }, 'the record')
    await away.kill()
    await away.start()
    const after = await away.apps()
    t.deepEqual(
      after.map(({ state }) => state),
      ['stopped', 'quarantined'],
    )
    t.regex(after[1]?.why ?? '', /2 ends within/)
  },
)

/** What a supervisor remembered of an app that does not run, when it was killed. */
function remembered(more: Partial<AppMemory> = {}): AppMemory {
  return {
    generation: 1,
    spare: 0,
    isWanted: true,
    isHeld: false,
    rest: 'idle',
    why: 'app.1 ended: signal',
    retryAt: null,
    failures: { recent: [Date.now()], inARow: 1, lastDelayMs: 100, isOnTrial: false },
    restarts: 1,
    recycles: 0,
    lastEnd: { reason: 'signal', at: Date.now(), instance: 'app.1' },
    fromOutside: [],
    ...more,
  }
}

/** As a killed supervisor leaves its store. */
function leave({ place }: Away, apps: Record<string, AppMemory>): void {
  mkdirSync(place.folder, { recursive: true })
  writeSupervisor(place, { version: 1, epoch: 1, isShutDown: false, apps })
}

for (const rest of ['backoff', 'quarantined'] as const) {
  for (const [when, ms] of [
    ['had come', -1000],
    ['was yet to come', 300],
  ] as const) {
    test.serial(
      `the next supervisor tries an app in ${rest} again whose time ${when}`,
      async (t) => {
        const away = new Away(t, { apps: [appOf('app', [], { script: member })] })
        leave(away, { app: remembered({ rest, retryAt: Date.now() + ms }) })
        await away.start()
        const [again] = await away.until(areReady)
        t.is(again?.instance, 'app.2')
      },
    )
  }
}

test.serial('what a person stopped stays so, though the stop was not yet over', async (t) => {
  const slow = { recycle: { drainMs: 60_000 } }
  const away = new Away(t, { apps: [appOf('app', ['deaf'], slow)] })
  await away.start()
  await away.until(areReady)
  void away.ask('stop', { uuid: 'app' }).catch(() => {})
  await until(() => away.runs('app')[0]?.phase === 'draining', 'the drain')
  const { pid } = away.runs('app')[0]?.process ?? {}
  await away.kill()
  await away.start()
  await away.until(([app]) => app?.state === 'draining')
  kill(pid ?? null)
  const [after] = await away.until(([app]) => app?.instance === null)
  t.is(after?.state, 'stopped')
  await away.kill()
  // The end was dealt with, and what it meant was not remembered.
  leave(away, { app: remembered({ isWanted: false, isHeld: true }) })
  await away.start()
  await delay(200)
  const [still] = await away.apps()
  t.is(still?.instance, null)
})

test.serial(
  'what descends from an app whose launcher died too is ended before it runs again',
  async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'pk-parent-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const script = path.join(folder, 'parent.mjs')
    writeFileSync(
      script,
      `import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connectHost } from ${JSON.stringify(path.join(projectRoot, 'dist/host/app/index.js'))}
const host = await connectHost()
const { pid } = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true })
writeFileSync('child', String(pid))
host.ready()
`,
    )
    const app = appOf('app', [], { script, permissions: { childProcess: true } })
    const away = new Away(t, { isolation: 'none', apps: [app] })
    await away.start()
    const [first] = await away.until(areReady)
    const child = identityOf(Number(readFileSync(away.place.app('app', 'data', 'child'), 'utf8')))
    t.teardown(() => kill(child?.pid ?? null))
    await away.kill()
    kill(parentOf(first?.pid ?? 0) ?? null)
    await away.start()
    const [second] = await away.until(areReady)
    t.is(second?.instance, 'app.2')
    t.false(stillRuns(child ?? raise()))
  },
)

test.serial('an app waits for what a person stopped, and does not start it', async (t) => {
  const needs = appOf('needs', [], { dependsOn: ['needed'] })
  const away = new Away(t, { apps: [appOf('needed'), needs, appOf('other')] })
  leave(away, {
    needed: remembered({ isWanted: false, isHeld: true, rest: 'stopped' }),
    needs: remembered(),
  })
  await away.start()
  const apps = await away.until((all) => all[2]?.state === 'ready')
  t.deepEqual(
    apps.map(({ state }) => state),
    ['stopped', 'idle', 'ready'],
  )
  t.is(apps[1]?.why, 'waits for needed, which rests')
  await away.ask('start', { uuid: 'needed' })
  await away.until((all) => all[1]?.state === 'ready')
})

test.serial('an app that waits for one that rests keeps nobody who failed with it', async (t) => {
  const needs = appOf('needs', [], { dependsOn: ['needed'] })
  const apps = [appOf('needed'), needs, appOf('last')]
  const away = new Away(t, { apps, strategy: 'rest_for_one' })
  await away.start()
  const before = await away.until(areReady)
  await away.ask('stop', { uuid: 'needed' })
  kill(before[1]?.pid ?? null)
  const [, second] = await away.until(
    ([, , last]) => last?.state === 'ready' && last.instance !== before[2]?.instance,
  )
  t.is(second?.state, 'idle')
})

test.serial(
  'a shutdown that was over but for the record of it leaves nothing stopped',
  async (t) => {
    const away = new Away(t, { apps: [appOf('app')] })
    await away.start()
    await away.until(areReady)
    const written = new Promise<boolean>((resolve) => {
      // What is kept when the record says that it is over.
      const timer = setInterval(() => {
        if (readIntent(away.place)?.result === undefined) return
        clearInterval(timer)
        resolve(readSupervisor(away.place).isShutDown)
      }, 1)
    })
    await away.ask('shutdown', {})
    t.true(await written)
    await away.ended()
    await away.kill()
    const { result, ...open } = readIntent(away.place) ?? {}
    t.truthy(result)
    writeIntent(away.place, open as ShutdownIntent)
    await away.start()
    await away.ended()
    await away.kill()
    t.truthy(readIntent(away.place)?.result, 'it was taken up again')
    await away.start()
    const [app] = await away.until(areReady)
    t.is(app?.state, 'ready')
  },
)

test.serial(
  'of two runs that were left as the app the newer one is, and the other drains',
  async (t) => {
    const manifest = (drainMs: number) => ({
      apps: [appOf('app', ['deaf'], { recycle: { drainMs } })],
    })
    const away = new Away(t, manifest(60_000))
    await away.start()
    await away.until(areReady)
    await away.ask('recycle', { uuid: 'app' })
    const runs = await until(() => {
      const found = away.runs('app')
      return found.some(({ role }) => role === 'leaving') ? found : undefined
    }, 'the hand-over')
    const { pid } = runs.find(({ instance }) => instance === 'app.1')?.process ?? {}
    await away.kill()
    // As a supervisor leaves them that is killed between the two records of a hand-over.
    for (const run of runs) {
      const record: RunRecord = { ...run, role: 'main', phase: 'ready', ending: null, after: null }
      writeRun(away.place, 'app', run.instance, record)
    }
    writeFileSync(path.join(away.root, 'manifest.json'), JSON.stringify(manifest(300)))
    await away.start()
    await until(() => away.runs('app').length === 1, 'the end of the older one')
    const [app] = await away.apps()
    t.deepEqual([app?.instance, app?.state], ['app.2', 'ready'])
    t.not(app?.pid, pid)
  },
)

function raise(): never {
  throw new Error('it is not there')
}

function readSupervisorText(place: HostPlace): unknown {
  const { apps } = readSupervisor(place)
  return apps.stopped?.rest
}
