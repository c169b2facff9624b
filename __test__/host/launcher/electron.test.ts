/**
 * Electron's launcher on a stand-in that was written from Electron's documentation, source and issues. NOT RUN ON A REAL
 * ELECTRON: its program is fetched at install from a place of its own. That its typings fit is checked by the compiler,
 * below.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type Electron from 'electron'
import { isHostError } from '../../../ts/host/error.js'
import { ElectronLauncher, type ElectronParts } from '../../../ts/host/launcher/electron.js'
import { readExit } from '../../../ts/host/launcher/exit.js'
import type { Confinement, Launched } from '../../../ts/host/launcher/launcher.js'
import { uuidOf } from '../../../ts/host/place.js'
import { Bench, launcherContract, runs, type Subject } from './contract.js'
import { electronWith, type Faults } from './utility-process.js'

/** Electron's own typings are what the launcher takes. */
export const fits = (electron: Pick<typeof Electron, 'app' | 'utilityProcess'>): ElectronParts =>
  electron

const apps = path.join(fileURLToPath(new URL('.', import.meta.url)), 'apps')
const script = path.join(apps, 'utility.mjs')

// A main process of Electron lives until it is told to quit.
let life: NodeJS.Timeout
test.before(() => {
  life = setInterval(() => undefined, 1000)
})
test.after.always(() => clearInterval(life))

const subjectWith = (faults: Faults): Subject => ({
  launcher: (root) =>
    new ElectronLauncher(electronWith(faults), { root, outLogBytesMax: 64 * 1024 }),
  idle: { script, args: ['parent'] },
  spoil: (order) => ({
    ...order,
    folders: { ...order.folders, data: `${order.folders.data}-not` },
  }),
  spawner: path.join(apps, 'electron-spawner.ts'),
  started: async (bench, launched) => {
    await bench.said(uuidOf(launched.instance))
  },
})

launcherContract(test, 'electron', subjectWith({}))

const each = (
  title: string,
  body: (bench: Bench, t: ExecutionContext) => unknown,
  faults: Faults = {},
) =>
  test.serial(title, async (t) => {
    const bench = new Bench(subjectWith(faults))
    t.teardown(() => bench.close())
    await body(bench, t)
  })

async function run(
  t: ExecutionContext,
  faults: Faults,
  args: string[],
  body: (launched: Launched, bench: Bench) => unknown,
) {
  const bench = new Bench(subjectWith(faults))
  t.teardown(() => bench.close())
  await body(await bench.launch('a', { script, args }), bench)
}

const faultsOfElectron: readonly (readonly [string, Faults])[] = [
  ['says what is', {}],
  ['says exit twice', { exitTwice: true }],
  ['says exit before how it went', { goneLateMs: 100 }],
  ['says 0 of every exit', { wrongCode: 0, goneLateMs: 100 }],
  ['says it late', { lateMs: 200 }],
]

for (const [title, faults] of faultsOfElectron) {
  test.serial(
    `electron ${title}: a clean exit, a code and an abort are what they are`,
    async (t) => {
      await run(t, faults, ['exit', '0'], async (a) =>
        t.like(await a.exited, { code: 0, signal: null, endedBy: null }),
      )
      await run(t, faults, ['exit', '7'], async (a) =>
        t.like(await a.exited, { code: 7, signal: null, endedBy: null }),
      )
      await run(t, faults, ['abort'], async (a) =>
        t.like(await a.exited, { code: null, signal: 'SIGABRT' }),
      )
    },
  )

  test.serial(`electron ${title}: a kill of ours is ours, one of another is not`, async (t) => {
    await run(t, faults, ['idle'], async (a, bench) => {
      await bench.said('a')
      await a.kill()
      t.like(await a.exited, { signal: 'SIGKILL', endedBy: 'asked' })
      t.false(runs(a.process.pid))
      await a.kill()
    })
    await run(t, faults, ['idle'], async (a, bench) => {
      await bench.said('a')
      process.kill(a.process.pid, 'SIGKILL')
      t.like(await a.exited, { signal: 'SIGKILL', endedBy: null })
      t.false(a.signal('SIGTERM'))
    })
  })
}

test.serial(
  'electron says nothing of how it went: it is over all the same, with the code that there is',
  async (t) => {
    await run(t, { noGone: true }, ['exit', '7'], async (a) =>
      t.like(await a.exited, { code: 7, signal: null }),
    )
  },
)

each('what is said of one run is not taken for another of the same name', async (one, t) => {
  // Two stores in one main process: the same parts of Electron, the same names of runs.
  const electron = electronWith({ lateMs: 100 })
  const subject = {
    ...subjectWith({}),
    launcher: (root: string) => new ElectronLauncher(electron, { root }),
  }
  const benches = [new Bench(subject), new Bench(subject)] as const
  t.teardown(() => Promise.all(benches.map((bench) => bench.close())))
  const [crashed, clean] = await Promise.all([
    benches[0].launch('a', { script, args: ['abort'] }),
    benches[1].launch('a', { script, args: ['exit', '0'] }),
  ])
  t.like(await crashed.exited, { code: null, signal: 'SIGABRT' })
  t.like(await clean.exited, { code: 0, signal: null })
  t.is(one.launcher.name, 'electron')
})

each(
  'an app is told who it is, and nothing of the host is in its environment',
  async (bench, t) => {
    process.env.SECRET_OF_THE_HOST = 'x'
    t.teardown(() => {
      delete process.env.SECRET_OF_THE_HOST
    })
    const a = await bench.launch('a', { script, args: ['idle'], env: { OWN: '1' } })
    const { pid, bootstrap, env, cwd } = (await bench.said('a')) as {
      pid: number
      bootstrap: Record<string, unknown>
      env: Record<string, string>
      cwd: string
    }
    t.is(pid, a.process.pid)
    t.like(bootstrap, { instance: 'a.1', uuid: 'a', token: 'a'.repeat(64), kind: 'app' })
    t.is(env.SECRET_OF_THE_HOST, undefined)
    t.is(env.OWN, '1')
    t.is(env.HOME, bench.place.app('a', 'data'))
    t.is(cwd, bench.place.app('a', 'data'))
  },
)

each('what an app leaves behind, in sessions of its own, is ended', async (bench, t) => {
  const a = await bench.launch('a', { script, args: ['litter'] })
  t.like(await a.exited, { code: 0 })
  const { children } = (await bench.said('a')) as { children: number[] }
  t.is(children.length, 3)
  for (const pid of children) t.false(runs(pid), `process ${pid} is left`)
  t.like(readExit(bench.place.run('a.1')), { code: 0, signal: null })
})

each('output leaves two files of bounded length, with the last words', async (bench, t) => {
  const a = await bench.launch('a', { script, args: ['flood', '300'] })
  t.like(await a.exited, { code: 0 })
  const log = (name: string) => bench.place.app('a', 'log', name)
  t.deepEqual(readdirSync(log('')).sort(), ['out.1.log', 'out.log'])
  const text = readFileSync(log('out.log'), 'utf8')
  t.true(text.includes('the last word\n'), text.slice(-100))
  t.true(text.includes('and a complaint\n'), text.slice(-100))
  for (const name of ['out.log', 'out.1.log']) t.true(statSync(log(name)).size <= 64 * 1024, name)
})

each(
  'an app that is launched before Electron is ready waits for that',
  async (bench, t) => {
    const a = await bench.launch('a', { script, args: ['exit', '0'] })
    t.like(await a.exited, { code: 0 })
  },
  { readyMs: 100 },
)

each('a script that is not there is an error that names it', async (bench, t) => {
  const error = await t.throwsAsync(bench.launch('a', { script: '/nowhere/app.mjs' }))
  if (!isHostError(error, 'HOST_LAUNCH')) return t.fail(String(error))
  t.like(error.facts, { uuid: 'a', step: 'script' })
  t.true(error.message.includes('/nowhere/app.mjs'), error.message)
})

each('the data limit is set beyond what the process holds already', async (bench, t) => {
  const dataBytes = 100 * 1024 * 1024
  const confinement = { groups: [], dataBytes }
  const a = await bench.launch('a', { script, args: ['idle'] }, confinement)
  await bench.said('a')
  const limits = readFileSync(`/proc/${a.process.pid}/limits`, 'utf8')
  const soft = /^Max data size\s+(\d+)/m.exec(limits)?.[1]
  t.true(Number(soft) > dataBytes, limits)
})

each('a group that is not there is an error, and nothing runs', async (bench, t) => {
  const group = '/sys/fs/cgroup/not-there/cgroup.procs'
  const error = await t.throwsAsync(
    bench.launch('a', { script, args: ['parent'] }, { groups: [group] }),
  )
  if (!isHostError(error, 'HOST_LAUNCH')) return t.fail(String(error))
  t.like(error.facts, { uuid: 'a', step: 'groups' })
  t.true(error.message.includes(group), error.message)
})

const parts: readonly (readonly [string, Partial<Confinement>])[] = [
  ['user', { user: { uid: 65_534, gid: 65_534 } }],
  ['reach', { reach: { read: ['/'], write: [] } }],
  ['processes', { processes: 10 }],
  ['files', { files: 64 }],
  ['cpuPercent', { cpuPercent: 10 }],
  ['pollBytes', { pollBytes: 1_000_000 }],
]

for (const [part, confinement] of parts) {
  each(`${part} is not dropped in silence: an order with it is refused`, async (bench, t) => {
    const order = { groups: [], ...confinement }
    const error = await t.throwsAsync(bench.launch('a', { script, args: ['idle'] }, order))
    if (!isHostError(error, 'HOST_LIMIT_UNSUPPORTED')) return t.fail(String(error))
    t.like(error.facts, { uuid: 'a', limit: part, ring: 'electron' })
  })
}
