/**
 * Limits that hold, each means by itself and all together: what an app took is read from the kernel's own counters. A
 * means that this machine does not have is skipped, and the name of the test says why.
 */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { isHostError } from '../../../ts/host/error.js'
import type { ExitRecord } from '../../../ts/host/launcher/exit.js'
import { openCgroup1 } from '../../../ts/host/limits/cgroup1.js'
import { openCgroup2 } from '../../../ts/host/limits/cgroup2.js'
import { type Means, probeBoundaries } from '../../../ts/host/limits/probe.js'
import { runs, until } from '../launcher/contract.js'
import { eater, type Given, Governed, type Started } from './bench-app.js'

const MiB = 1024 * 1024
const maxMemory = 128 * MiB

const groups = (['cgroup2', 'cgroup1'] as const).map((version) => {
  const means = (version === 'cgroup2' ? openCgroup2 : openCgroup1)('try')
  if (typeof means === 'string') return { version, reason: means }
  means.close()
  return { version, reason: undefined }
})
const present = groups.find(({ reason }) => reason === undefined)

function each(
  title: string,
  only: Means | undefined,
  body: (governed: Governed, t: ExecutionContext) => Promise<unknown>,
): void {
  const lacking = groups.find(({ version, reason }) => version === only && reason !== undefined)
  if (lacking !== undefined) {
    test.skip(`${title} (skipped: ${lacking.reason})`, () => undefined)
    return
  }
  test.serial(title, async (t) => {
    const governed = new Governed(only)
    t.teardown(() => governed.close())
    await body(governed, t)
  })
}

/** Runs an app to its end. */
async function toItsEnd(governed: Governed, given: Given) {
  const started = await governed.start(given)
  return { started, record: await started.exited }
}

/** What the runtime wrote when it found no memory. */
function reportsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('report.') && name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')).header.trigger)
}

for (const { version } of groups) {
  for (const appetite of ['arrays', 'buffers']) {
    each(
      `${version}: a leak of ${appetite} ends within one percent of the limit`,
      version,
      async (governed, t) => {
        t.deepEqual(governed.governor.rings.memory, [version])
        const { started, record } = await toItsEnd(governed, {
          args: [appetite],
          limits: { maxMemory },
        })
        t.like(record, { signal: 'SIGKILL', oomKilled: true, endedBy: null })
        t.true((await started.hold.oomKills()) > 0)
        const peak = started.peakBytes() ?? Number.POSITIVE_INFINITY
        t.log(`peak ${(peak / MiB).toFixed(1)} of ${maxMemory / MiB} MiB`)
        t.true(peak <= maxMemory * 1.01)
      },
    )
  }

  each(
    `${version}: a kill while the kernel looks for memory elsewhere is told from one of its own`,
    version,
    async (governed, t) => {
      const bare = new Governed('rlimit')
      t.teardown(() => bare.close())
      const inGroup = await governed.start({ uuid: 'a', args: ['hold', '1'] })
      const inNone = await bare.start({ uuid: 'b', args: ['hold', '1'] })
      await Promise.all([inGroup.ready(), inNone.ready()])
      const full = { uuid: 'c', args: ['buffers'], limits: { maxMemory } }
      t.like((await toItsEnd(governed, full)).record, { oomKilled: true, oomNearby: false })
      inGroup.launched.signal('SIGKILL')
      inNone.launched.signal('SIGKILL')
      t.like(await inGroup.exited, { signal: 'SIGKILL', oomKilled: false, oomNearby: false })
      t.like(await inNone.exited, { signal: 'SIGKILL', oomKilled: false, oomNearby: true })
    },
  )

  each(
    `${version}: a bomb of processes stays in its room, and nothing of it is left`,
    version,
    async (governed, t) => {
      const started = await governed.start({ args: ['bomb'], limits: { maxProcesses: 48 } })
      await until('the group refuses a process', () => started.refusedProcesses() > 0)
      const { processes } = await started.hold.usage([])
      t.true(processes <= 48, `${processes} processes`)
      const tree = await started.launched.pids()
      await started.launched.kill()
      await started.hold.killAll()
      t.is((await started.hold.usage([])).processes, 0)
      for (const pid of tree) t.false(runs(pid))
    },
  )

  each(
    `${version}: an app that wants more processor time than it may is stopped`,
    version,
    async (governed, t) => {
      t.is(governed.governor.rings.cpu[0], version)
      const started = await governed.start({ args: ['burn'], limits: { maxCPU: 20 } })
      await until('its group is stopped', () => started.throttledPeriods() > 0)
      const free = await governed.start({ uuid: 'free', args: ['burn'] })
      await free.ready()
      t.is(free.throttledPeriods(), 0)
    },
  )

  each(
    `${version}: an app that must be isolated is, or does not start`,
    version,
    async (governed, t) => {
      const held = await probeBoundaries()
      if (typeof held === 'string') return t.fail(held)
      const starting = governed.start({ args: ['hold', '1'], isolation: 'required' })
      t.log(`Landlock: ${held.landlock}`)
      if (held.landlock === 'full') {
        const started = await starting
        await started.ready()
        t.is(started.launched.held?.landlock, 'full')
      } else {
        const error = await t.throwsAsync(starting, { code: 'HOST_LAUNCH' })
        t.regex(String(error), /Landlock is required/)
      }
    },
  )

  each(`${version}: a limit that is changed holds for what runs`, version, async (governed, t) => {
    const started = await governed.start({ args: ['hold', '64'], limits: { maxMemory } })
    await started.ready()
    const usage = await started.hold.usage([])
    t.true(usage.memory >= 64 * MiB && usage.memory <= maxMemory, `${usage.memory}`)
    t.true(usage.cpuMs > 0)
    t.is(usage.processes, 1)
    t.true(usage.files > 3)
    await started.hold.change({ maxMemory: 96 * MiB }, await started.launched.pids())
    const procs = started.hold.confinement.groups
    const limits = procs.flatMap((file) =>
      ['memory.limit_in_bytes', 'memory.max'].flatMap((name) => {
        try {
          return [Number(readFileSync(path.join(path.dirname(file), name), 'utf8'))]
        } catch {
          return []
        }
      }),
    )
    t.deepEqual(limits, [96 * MiB])
  })

  each(
    `${version}: groups of runs that are gone are swept, those that live are kept`,
    version,
    async (governed, t) => {
      const a = await governed.start({ uuid: 'a', args: ['hold', '1'] })
      const b = await governed.start({ uuid: 'b', args: ['hold', '1'] })
      await Promise.all([a.ready(), b.ready()])
      await governed.governor.sweep(new Set(['a.1']))
      t.like(await b.exited, { signal: 'SIGKILL' })
      t.is((await a.hold.usage([])).processes, 1)
      const again = await governed.governor.adopt(governed.bench.app('a', { script: 'x' }), 'a.1')
      t.is((await again.usage([])).processes, 1)
    },
  )
}

/** An array that cannot be made is an exception, a heap that cannot grow a fault: the runtime reports both. */
function endedWithReport(t: ExecutionContext, record: ExitRecord, folder: string): void {
  t.like(record, { oomKilled: false, endedBy: null })
  const triggers = reportsOf(folder)
  t.log(`code ${record.code}, signal ${record.signal}, report ${triggers}`)
  t.deepEqual(triggers, record.signal === 'SIGABRT' ? ['OOMError'] : ['Exception'])
}

const told = { EAT_WHEN_TOLD: '1' }

for (const appetite of ['arrays', 'buffers']) {
  each(
    `rlimit: a leak of ${appetite} ends at the limit, with a report of the runtime`,
    'rlimit',
    async (governed, t) => {
      t.deepEqual(governed.governor.rings.memory, ['rlimit', 'poll'])
      const started = await governed.start({ args: [appetite], env: told, limits: { maxMemory } })
      await started.ready()
      const { rss, memory } = await started.hold.usage(await started.launched.pids())
      started.go()
      const record = await started.exited
      // What is resident of files was so before, and is no memory that the limit is about.
      const peak = (record.maxRssBytes ?? 0) - (rss - memory)
      t.log(`peak ${(peak / MiB).toFixed(1)} of ${maxMemory / MiB} MiB`)
      t.true(peak <= maxMemory)
      t.true(peak >= maxMemory * 0.85)
      endedWithReport(t, record, started.folder)
    },
  )

  each(
    `all together: a leak of ${appetite} leaves a report before the kernel ends it`,
    undefined,
    async (governed, t) => {
      const started = await governed.start({ args: [appetite], env: told, limits: { maxMemory } })
      await started.ready()
      await started.hold.usage(await started.launched.pids())
      started.go()
      endedWithReport(t, await started.exited, started.folder)
      const peak = started.peakBytes()
      if (peak === undefined) return
      t.log(`peak ${(peak / MiB).toFixed(1)} of ${maxMemory / MiB} MiB`)
      t.true(peak <= maxMemory)
      t.true(peak >= maxMemory * 0.85)
    },
  )
}

each(
  'rlimit: a heap that grows ends with a report of the runtime',
  'rlimit',
  async (governed, t) => {
    const { started, record } = await toItsEnd(governed, { args: ['heap'], limits: { maxMemory } })
    t.is(record.signal, 'SIGABRT')
    t.deepEqual(reportsOf(started.folder), ['OOMError'])
  },
)

each('poll: a leak is ended by the launcher, which says so', 'poll', async (governed, t) => {
  t.deepEqual(governed.governor.rings.memory, ['poll'])
  const { record } = await toItsEnd(governed, { args: ['arrays', '500'], limits: { maxMemory } })
  t.like(record, { signal: 'SIGKILL', endedBy: 'poll-limit' })
})

each(
  'all together: a heap that grows leaves a report before the kernel ends it',
  undefined,
  async (governed, t) => {
    const { started, record } = await toItsEnd(governed, { args: ['heap'], limits: { maxMemory } })
    t.like(record, { signal: 'SIGABRT', oomKilled: false })
    t.deepEqual(reportsOf(started.folder), ['OOMError'])
    if (present !== undefined) t.is(started.hold.rings.memory, present.version)
  },
)

each(
  'where only looking holds memory, an app that must be isolated is refused with the reason',
  'poll',
  async (governed, t) => {
    const error = await t.throwsAsync(
      governed.start({ args: ['hold', '1'], limits: { maxMemory }, isolation: 'required' }),
    )
    if (!isHostError(error, 'HOST_LIMIT_UNSUPPORTED')) return t.fail(String(error))
    t.like(error.facts, { uuid: 'eater', limit: 'maxMemory' })
  },
)

function outputOf(started: Started): string {
  return readFileSync(path.join(started.data, '..', 'log', 'out.log'), 'utf8').trim()
}

/** The state of a process as the kernel tells it: R, S, T and others. */
function stateOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2)[0]
}

each(
  'launcher: an app that wants more processor time than it may is stopped',
  'poll',
  async (governed, t) => {
    t.deepEqual(governed.governor.rings.cpu, ['launcher'])
    const started = await governed.start({ args: ['burn'], limits: { maxCPU: 20 } })
    await started.ready()
    const [pid = 0] = await started.launched.pids()
    await until('it is stopped', () => stateOf(pid) === 'T')
    await until('it goes on', () => stateOf(pid) !== 'T')
    await until('it is stopped again', () => stateOf(pid) === 'T')
  },
)

for (const childProcess of [false, true]) {
  each(
    `an app ${childProcess ? 'that may start processes does' : 'starts no process unless it may'}`,
    undefined,
    async (governed, t) => {
      const given = { args: ['child'], permissions: { childProcess } }
      const { started, record } = await toItsEnd(governed, given)
      t.is(record.code, 0)
      t.is(outputOf(started), childProcess ? 'a child says hello' : 'no child: ERR_ACCESS_DENIED')
    },
  )
}

each('an app opens as many files as it may', undefined, async (governed, t) => {
  const maxFiles = 100
  const { started, record } = await toItsEnd(governed, { args: ['files'], limits: { maxFiles } })
  t.is(record.code, 0)
  const log = outputOf(started)
  const [, opened] = /^(\d+) files, then EMFILE$/m.exec(log) ?? []
  t.true(Number(opened) > 0 && Number(opened) < maxFiles, log)
})

each(
  'rlimit: an app with a user of its own makes as many processes as it may',
  'rlimit',
  async (governed, t) => {
    const { rings } = governed.governor
    if (!rings.processes.includes('rlimit')) {
      t.log('skipped: only root gives an app a user of its own')
      t.pass()
      return
    }
    const started = await governed.start({ args: ['hold', '1'], limits: { maxProcesses: 48 } })
    await started.ready()
    const [pid = 0] = await started.launched.pids()
    t.regex(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max processes +48 +48 /m)
  },
)

const notRoot = process.getuid?.() !== 0
const ordinaryTitle = 'a host of an ordinary user holds its apps, and says what it cannot have'
if (notRoot) test.skip(`${ordinaryTitle} (skipped: only root becomes one)`, () => undefined)
else
  test.serial(ordinaryTitle, async (t) => {
    const host = path.join(path.dirname(eater), 'ordinary.ts')
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import=@oxc-node/core/register', host],
      {
        uid: 65_534,
        gid: 65_534,
        cwd: path.dirname(eater),
        env: { PATH: process.env.PATH, TMPDIR: '/tmp' },
      },
    )
    const { rings, holds, boundaries, held, record } = JSON.parse(stdout)
    t.deepEqual(rings.memory, ['rlimit', 'poll'])
    t.deepEqual(holds, { memory: 'rlimit', cpu: 'launcher' })
    const missing: string[] = rings.missing.map(({ ring }: { ring: string }) => ring)
    t.true(missing.includes('cgroup1') && missing.includes('cgroup2'), missing.join())
    t.like(boundaries, { user: 'same', reach: true })
    t.is(boundaries.missing.length, 1)
    t.like(held, { noNewPrivs: true, user: 65_534 })
    t.is(record.endedBy, null)
    t.true(record.code === 1 || record.signal === 'SIGABRT', JSON.stringify(record))
  })
