/**
 * Electron's launcher on a stand-in with the faults of Electron's issues. NOT RUN ON A REAL ELECTRON: its program is
 * fetched at install from a place of its own. That its typings fit is checked by the compiler, below.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type Electron from 'electron'
import { isHostError } from '../../../ts/host/error.js'
import {
  ElectronLauncher,
  type ElectronParts,
  type ProcessWatch,
} from '../../../ts/host/launcher/electron.js'
import { identityOf, stillRuns } from '../../../ts/host/launcher/identity.js'
import type { Launched } from '../../../ts/host/launcher/launcher.js'
import { Bench, runs, type Subject } from './contract.js'
import { electronWith, type Faults } from './utility-process.js'

/** Electron's own typings are what the launcher takes. */
export const fits = (electron: Pick<typeof Electron, 'app' | 'utilityProcess'>): ElectronParts =>
  electron

const script = path.join(fileURLToPath(new URL('.', import.meta.url)), 'apps', 'utility.mjs')
const limits: [number, number][] = []
const machine: ProcessWatch = {
  identityOf,
  watch: async (identity) => {
    while (stillRuns(identity)) await new Promise((resolve) => setTimeout(resolve, 2))
  },
  setDataLimit: (pid, bytes) => {
    limits.push([pid, bytes])
    return true
  },
}

const subjectWith = (faults: Faults): Subject => ({
  launcher: (root) => new ElectronLauncher(electronWith(faults), machine, root),
  idle: { script, args: ['idle'] },
  spoil: (order) => order,
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
  ['says 0 of every exit', { wrongCode: 0 }],
  ['says 11 of every exit', { wrongCode: 11, exitTwice: true }],
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
      const { instance, token } = (await bench.said('a')) as { instance: string; token: string }
      t.is(instance, 'a.1')
      t.is(token, 'a'.repeat(64))
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

test.serial('a program that ends before it runs is an error', async (t) => {
  const bench = new Bench(subjectWith({}))
  t.teardown(() => bench.close())
  const order = bench.order(bench.app('a', { script: '/nowhere/app.mjs' }), 'a.1')
  const outcome = await bench.launcher.launch(order).then(
    async (launched) => (await launched.exited).code,
    (error: unknown) => (isHostError(error, 'HOST_LAUNCH') ? 'refused' : String(error)),
  )
  t.true(outcome === 1 || outcome === 'refused', String(outcome))
})

test.serial('the data limit is set beyond what the process holds already', async (t) => {
  const bench = new Bench(subjectWith({}))
  t.teardown(() => bench.close())
  limits.length = 0
  const a = await bench.launch('a', { script, args: ['idle'] }, { groups: [], dataBytes: 100 })
  t.is(limits[0]?.[0], a.process.pid)
  t.true((limits[0]?.[1] ?? 0) > 100)
})
