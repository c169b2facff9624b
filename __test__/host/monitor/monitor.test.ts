/** The monitor on real processes, and what it keeps. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { History, historyColumns } from '../../../ts/host/monitor/history.js'
import { Monitor } from '../../../ts/host/monitor/monitor.js'
import { usageOf } from '../../../ts/host/monitor/procfs.js'
import { Series } from '../../../ts/host/monitor/series.js'

const MiB = 1024 * 1024
const onLinux = process.platform === 'linux' ? test : test.skip

/** A process that has taken so much memory, has burnt so much time, and waits. */
async function program(t: ExecutionContext, source: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    ['-e', `${source}; console.log('x'); setInterval(() => {}, 1e6)`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
  return child
}

function watching(child: ChildProcess, instance = 'app.1') {
  const { pid } = child
  if (pid === undefined) throw new Error('it did not start')
  return { uuid: 'app', instance, pids: async () => [pid], health: null }
}

onLinux('memory that an app touches is seen, and the app without it is smaller', async (t) => {
  const plain = await program(t, '')
  const large = await program(t, 'globalThis.kept = Buffer.alloc(64 * 1024 * 1024, 1)')
  const [small, big] = [watching(plain), { ...watching(large), uuid: 'big' }]
  const monitor = new Monitor({ watched: () => [small, big] })
  await monitor.look()
  const difference = (monitor.sample('big')?.memory ?? 0) - (monitor.sample('app')?.memory ?? 0)
  t.true(difference > 56 * MiB, `${difference}`)
  t.true(difference < 80 * MiB, `${difference}`)
  t.is(monitor.sample('big')?.processes, 1)
  t.true((monitor.sample('big')?.files ?? 0) >= 3)
  await monitor.stop()
})

onLinux('processor time counts from the first look on', async (t) => {
  const child = await program(
    t,
    'const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end);' +
      "process.on('SIGUSR2', () => { const end = process.cpuUsage().user + 5e5; while (process.cpuUsage().user < end); console.log('y') })",
  )
  const app = watching(child)
  const monitor = new Monitor({ watched: () => [app] })
  await monitor.look()
  t.is(monitor.sample('app')?.cpu, 0)
  child.kill('SIGUSR2')
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
  await monitor.look()
  t.true((monitor.sample('app')?.cpu ?? 0) > 0)
  await monitor.stop()
})

onLinux('an app that is gone has no sample, and keeps its history', async (t) => {
  const child = await program(t, '')
  let apps = [watching(child)]
  const monitor = new Monitor({ watched: () => apps })
  await monitor.look()
  child.kill('SIGKILL')
  await once(child, 'close')
  await monitor.look()
  t.is(monitor.history('app').fine[0]?.length, 1)
  apps = []
  await monitor.look()
  t.is(monitor.sample('app'), null)
  t.is(monitor.history('app').coarse[0]?.length, 1)
  t.deepEqual(monitor.history('nobody').coarse, [])
  await monitor.stop()
  await monitor.stop()
})

onLinux(
  'it looks by itself, at a new run anew, and an app that cannot be asked stops nobody',
  async (t) => {
    const child = await program(t, '')
    const broken = {
      uuid: 'broken',
      instance: 'broken.1',
      pids: () => Promise.reject(new Error('gone')),
      health: null,
    }
    let app = watching(child)
    const seen: string[] = []
    let heard = () => {}
    const monitor = new Monitor({
      watched: () => [broken, app],
      intervalMs: 5,
      onSample: (uuid) => {
        seen.push(uuid)
        if (seen.length >= 3) heard()
      },
    })
    const isSeen = new Promise<void>((resolve) => {
      heard = resolve
    })
    monitor.start()
    // The timers of the monitor hold no process up.
    const alive = setInterval(() => {}, 1000)
    await isSeen
    app = watching(child, 'app.2')
    await monitor.look()
    clearInterval(alive)
    await monitor.stop()
    t.deepEqual([...new Set(seen)], ['app'])
  },
)

test('the name of a program may hold brackets and blanks', (t) => {
  const rest = Array.from({ length: 40 }, (_, index) => index + 3)
  const stat = `12 (a) b (c)) S ${rest.slice(1).join(' ')}`
  t.is(usageOf(stat, '100 50 20 1 0 30 0')?.cpuMs, (14 + 15) * 10)
  t.is(usageOf('12 (a', '1'), undefined)
})

test('a series keeps the latest, in order, and no sample that goes back', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer()), { maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
      (samples, capacity) => {
        const series = new Series(['value'], capacity)
        const kept: [number, number][] = []
        for (const [at, value] of samples) {
          const isLater = at > (kept.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY)
          if (isLater) kept.push([at, value])
          if (series.add(at, [value]) !== isLater) return false
        }
        const latest = kept.slice(-capacity)
        const [times, values] = series.read()
        t.deepEqual(
          times,
          latest.map(([at]) => at),
        )
        t.deepEqual(
          values,
          latest.map(([, value]) => value),
        )
        const largest = latest.length === 0 ? Number.NaN : Math.max(...(values as number[]))
        return Object.is(series.max('value'), largest)
      },
    ),
  )
})

test('a history has ten minutes by the second and one by the quarter', (t) => {
  const history = new History()
  const sample = { memory: 1, rss: 2, cpu: 3, processes: 1, files: 4 }
  for (let at = 1000; at < 1000 + 20 * 60_000; at += 250) history.add({ at, ...sample }, null)
  const { coarse, fine } = history.read()
  t.is(coarse.length, historyColumns.length + 1)
  t.is(coarse[0]?.length, 600)
  t.is(fine[0]?.length, 240)
  t.deepEqual([...new Set(coarse[historyColumns.indexOf('loopP99') + 1])], [null])
  t.is(history.max('cpu'), 3)
  t.true(Number.isNaN(history.max('messages')))
  const from = fine[0]?.at(-3) ?? 0
  t.is(history.read(from).fine[0]?.length, 3)
})
