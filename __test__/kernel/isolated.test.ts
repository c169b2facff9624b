/**
 * The minimiser in worker processes: the answers of one in this process, and an error instead of harm
 * when a worker is killed, hangs, or takes more than it may.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type Isolation, type MinimizeOptions, minimize } from '../../ts/index.js'
import { refusal } from '../support/store.js'
import { denseTable } from '../support/tables.js'

const small = '.i 2\n.o 1\n01 1\n11 1\n.e\n'
const runsAtOnce = Math.min(availableParallelism(), 4)

interface WorkerProcess {
  readonly pid: number
  /** Ticks of CPU in user mode. */
  readonly ticks: number
}

/** The workers of this process that live, as Linux lists them. */
function workers(): WorkerProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        if (Number(parent) !== process.pid || state === 'Z') return []
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8')
        if (!command.includes('isolatedWorker')) return []
        return [{ pid: Number(name), ticks: Number(rest[9]) }]
      } catch {
        return [] // It ended while it was looked at.
      }
    })
}

/** The letter of a process's state. */
function stateOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2)[0]
}

/** A run of minutes in a worker, once that is at work; ended when its test is over. */
async function hardRun(t: ExecutionContext, isolated: true | Isolation = true) {
  await minimize(small, { isolated: true })
  const before = new Map(workers().map(({ pid, ticks }) => [pid, ticks]))
  const controller = new AbortController()
  t.teardown(() => controller.abort())
  const options: MinimizeOptions = { mode: 'exact', isolated, signal: controller.signal }
  const run = minimize(denseTable(14, 8), options)
  run.catch(() => {})
  for (;;) {
    const busy = workers().find(({ pid, ticks }) => ticks > (before.get(pid) ?? ticks) + 5)
    if (busy !== undefined) return { run, controller, pid: busy.pid }
    await delay(10)
  }
}

async function nextIsServed(t: ExecutionContext) {
  const answers = Array.from({ length: 2 * runsAtOnce }, () => minimize(small, { isolated: true }))
  for (const { productsOut } of await Promise.all(answers)) t.is(productsOut, 1)
}

const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip

test.serial('an isolated answer is the answer', async (t) => {
  const tables = [
    small,
    denseTable(6, 3),
    '.mv 3 1 3 2\n.type fr\n1 110 10\n0 001 10\n1 001 01\n.e\n',
    '.i 3\n.o 2\n.ilb a b c\n.ob x y\n.type fd\n1-1 1-\n011 01\n000 -1\n.e\n',
    {
      layout: { binary: 1, valued: [3], outputs: 1 },
      f: [{ inputs: '1', values: [[0, 2]], outputs: [0] }],
      r: [{ inputs: '0', values: [[0, 1, 2]], outputs: [0] }],
    },
  ]
  for (const table of tables) {
    for (const mode of ['fast', 'normal', 'strong', 'exact'] as const) {
      const options = { mode, write: 'fdr', timeLimitMs: 60_000 } as const
      const { seconds: _, ...here } = await minimize(table, options)
      const { seconds: __, ...there } = await minimize(table, { ...options, isolated: {} })
      t.deepEqual(there, here)
    }
  }
  const wrong = '.i 1\n.o 1\n.type fr\n1 1\n1 0\n.e\n'
  const [here, there] = [{}, { isolated: true }].map((options) => {
    return refusal(t, () => minimize(wrong, options), 'PK_E_BAD_PLA')
  })
  t.deepEqual((await there)?.toJSON(), (await here)?.toJSON())
})

test.serial('a thousand small runs', async (t) => {
  const tables = Array.from({ length: 1_000 }, (_, index) => {
    const bits = (index % 63) + 1
    const rows = [0, 1, 2, 3, 4, 5].filter((row) => (bits >> row) & 1)
    const cubes = rows.map((row) => `${row.toString(2).padStart(3, '0')} 1`)
    return `.i 3\n.o 1\n${cubes.join('\n')}\n.e\n`
  })
  const there = await Promise.all(tables.map((table) => minimize(table, { isolated: true })))
  const here = await Promise.all(tables.map((table) => minimize(table)))
  t.deepEqual(
    there.map(({ pla }) => pla),
    here.map(({ pla }) => pla),
  )
})

onLinux(
  'a worker that is killed in the middle of a run is an error, and the next is served',
  async (t) => {
    const { run, pid } = await hardRun(t)
    process.kill(pid, 'SIGKILL')
    const error = await refusal(t, () => run, 'PK_E_NO_ANSWER')
    t.is(error.facts.what, 'worker')
    t.regex(error.facts.cause ?? '', /signal 9/)
    await nextIsServed(t)
  },
)

onLinux(
  'workers that hang are killed at the wall limit, and the next runs are served',
  async (t) => {
    // One that was lost is replaced when it is needed, and one worker may have served all.
    do await nextIsServed(t)
    while (workers().length < runsAtOnce)
    const hung = workers()
    t.is(hung.length, runsAtOnce)
    for (const { pid } of hung) process.kill(pid, 'SIGSTOP')
    // A signal is on its way for as long as its receiver has no processor.
    while (hung.some(({ pid }) => stateOf(pid) !== 'T')) await delay(1)
    const isolated = { wallLimitMs: 200 }
    const runs = hung.map(() => refusal(t, () => minimize(small, { isolated }), 'PK_E_NO_ANSWER'))
    for (const error of await Promise.all(runs)) {
      t.deepEqual(error.facts, { what: 'wallTime', limit: 200 })
    }
    const left = new Set(workers().map(({ pid }) => pid))
    for (const { pid } of hung) t.false(left.has(pid))
    await nextIsServed(t)
  },
)

onLinux('an abort kills the worker, and the next is served', async (t) => {
  const { run, controller, pid } = await hardRun(t)
  const reason = new Error('the customer left')
  controller.abort(reason)
  t.is(await run.catch((thrown: unknown) => thrown), reason)
  t.false(workers().some((worker) => worker.pid === pid))
  await nextIsServed(t)
})

onLinux('limits of CPU and memory end a worker', async (t) => {
  // A second of processor time may take minutes.
  const isolated = { cpuLimitMs: 1_000, wallLimitMs: 600_000 }
  const hard = { mode: 'exact', isolated } as const
  const cpu = await refusal(t, () => minimize(denseTable(14, 8), hard), 'PK_E_NO_ANSWER')
  t.deepEqual(cpu.facts, { what: 'cpuTime', limit: 1_000 })
  const little = { isolated: { memoryLimitBytes: 1 << 20 } }
  const memory = await refusal(t, () => minimize(denseTable(14, 8), little), 'PK_E_NO_ANSWER')
  t.deepEqual(memory.facts, { what: 'workerMemory', limit: 1 << 20 })
  await nextIsServed(t)
})

test.serial('options that make no sense are refused by name', async (t) => {
  const cases: [options: object, argument: string][] = [
    [{ isolated: 'yes' }, 'isolated'],
    [{ isolated: { wallLimit: 5 } }, 'wallLimit'],
    [{ isolated: { wallLimitMs: 0 } }, 'wallLimitMs'],
    [{ isolated: { cpuLimitMs: 1.5 } }, 'cpuLimitMs'],
    [{ isolated: { memoryLimitBytes: '1' } }, 'memoryLimitBytes'],
    [{ isolated: true, onProgress: () => {} }, 'onProgress'],
  ]
  for (const [options, argument] of cases) {
    const error = await refusal(t, () => minimize(small, options), 'PK_E_BAD_ARGUMENT')
    t.is(error.facts.argument, argument, error.message)
  }
  t.is((await minimize(small, { isolated: false, onProgress: () => {} })).productsOut, 1)
  const before = minimize(small, { isolated: true, signal: AbortSignal.abort('not today') })
  t.is(await before.catch((reason: unknown) => reason), 'not today')
})
