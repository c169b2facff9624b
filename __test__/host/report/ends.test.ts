/** Real processes under the real launcher, each ended in one way: the reason has to be the right one. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Confinement, Launched } from '../../../ts/host/launcher/launcher.js'
import { NodeLauncher } from '../../../ts/host/launcher/node.js'
import type { EndReason } from '../../../ts/host/report/reason.js'
import { type CrashReport, readReport, writeReport } from '../../../ts/host/report/report.js'
import { ControlServer, programPath } from '../app/room.js'
import { Bench } from '../launcher/contract.js'
import { until } from '../support/supervised.js'

const MiB = 1024 * 1024
/**
 * Bytes that RLIMIT_DATA counts and that no leak can have: what a runtime has mapped and does not hold, and the stacks of the
 * four threads of its pool.
 */
const overheadBytes = (43 + 4 * 8) * MiB
const loader = `--import=${import.meta.resolve('@oxc-node/core/register')}`

interface Case {
  /** What the program does. */
  readonly what: string
  readonly reason: EndReason
  readonly confinement?: Confinement
  readonly memoryLimit?: number
  readonly asked?: 'stop' | 'kill' | 'hang' | 'not-ready'
  /** What is done from outside once the program is at it. */
  act?(launched: Launched, supervisor: ControlServer): Promise<unknown> | unknown
  /** What else the report has to say. */
  check?(t: ExecutionContext, report: CrashReport): void
}

const memoryLimit = 160 * MiB
const data: Confinement = { groups: [], dataBytes: memoryLimit + overheadBytes }

/** Where each kind of hang stands; nothing for one that waits in the system. */
const standing: Readonly<Record<string, string>> = {
  hang: 'spin',
  'hang-hostile': 'spin',
  'hang-in-an-expression': 'backtrack',
}

/** Once the watchdog has written down what keeps the loop, the supervisor ends the app. */
async function killTheHung(launched: Launched, folder: string, what: string): Promise<void> {
  const left = (name: string) => {
    try {
      return JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
    } catch {
      // It is not there yet; the runtime writes piece by piece.
      return undefined
    }
  }
  // On a machine that is busy the loop may have stood at the start of the app already, and gone on.
  await until(() => {
    const { endedAt, thread } = left('hang.json') ?? {}
    if (endedAt !== null) return false
    const where = standing[what]
    if (where === undefined) return /^\d/.test(thread.syscall)
    return JSON.stringify(left('node-hang.json')?.javascriptStack?.stack ?? []).includes(where)
  }, 'what keeps the loop')
  await launched.kill()
}

const cases: Case[] = [
  { what: 'finish', reason: 'finished' },
  { what: 'exit-code', reason: 'exception' },
  {
    what: 'exception',
    reason: 'exception',
    check: (t, report) => {
      t.regex(report.sentence, /nobody caught, Error: the printer is on fire$/)
      t.regex(report.javascriptStack[1] ?? '', /ender\.ts:\d+/)
    },
  },
  { what: 'signal', reason: 'signal' },
  {
    what: 'stay',
    reason: 'signal',
    act: ({ process: { pid } }) => process.kill(pid, 'SIGKILL'),
  },
  { what: 'stay', reason: 'killed', asked: 'kill', act: (launched) => launched.kill() },
  {
    what: 'stay',
    reason: 'stopped',
    asked: 'stop',
    act: (_, supervisor) => supervisor.request('drain', { why: 'test', deadlineMs: 5000 }),
  },
  { what: 'no-drain', reason: 'killed', asked: 'stop', act: (launched) => launched.kill() },
  { what: 'never-ready', reason: 'not-ready', asked: 'not-ready', act: (l) => l.kill() },
  ...(['buffer-leak', 'heap-leak', 'map-leak', 'too-large-a-buffer'] as const).map(
    (what): Case => ({ what, reason: 'oom', confinement: data, memoryLimit }),
  ),
  {
    what: 'buffer-leak',
    reason: 'limit',
    confinement: { groups: [], pollBytes: 150 * MiB },
    memoryLimit: 150 * MiB,
  },
]

for (const [
  index,
  { what, reason, confinement, memoryLimit: limit, asked, act, check },
] of cases.entries())
  test.serial(
    `${index + 1}. ${what}${asked === undefined ? '' : `, asked ${asked}`}: ${reason}`,
    async (t) => {
      const report = await endOf(t, what, { confinement, limit, asked, act })
      t.is(report.reason, reason, JSON.stringify(report.exit))
      check?.(t, report)
    },
  )

test.serial('a loop that never ends is a hang, with the line that it hangs in', async (t) => {
  const report = await endOf(t, 'hang', { asked: 'hang', act: undefined })
  t.is(report.reason, 'hang')
  t.regex(report.javascriptStack[0] ?? '', /spin.*ender\.ts:\d+/)
  t.regex(report.sentence, /its event loop stood at (?:Object\.)?spin/)
  t.is(report.evidence.hang?.state, 'R')
  t.is(report.evidence.hang?.endedAt, null)
})

test.serial('what a standing loop is asked for runs none of its JavaScript', async (t) => {
  const report = await endOf(t, 'hang-hostile', { asked: 'hang', act: undefined })
  t.is(report.reason, 'hang')
  t.regex(report.javascriptStack[0] ?? '', /spin.*ender\.ts:\d+/)
})

test.serial(
  'a regular expression that does not come to an end is a hang, with where it is tried',
  async (t) => {
    const report = await endOf(t, 'hang-in-an-expression', { asked: 'hang', act: undefined })
    t.is(report.reason, 'hang')
    t.regex(report.javascriptStack.join('\n'), /backtrack.*ender\.ts:\d+/)
  },
)

test.serial(
  'a loop that waits in a call of the system is a hang, with what it waits in',
  async (t) => {
    const report = await endOf(t, 'hang-in-a-call', { asked: 'hang', act: undefined })
    t.is(report.reason, 'hang')
    const { hang, hangStack } = report.evidence
    t.is(hang?.state, 'S')
    t.is(hangStack, null)
    t.regex(hang?.syscall ?? '', /^\d+ 0x/)
    t.regex(hang?.frame ?? '', /lib.* \+ 0x/)
    t.regex(report.sentence, /its event loop stood in \w*futex\w*/)
  },
)

const group = ownGroup()
const withGroup = group === undefined ? test.serial.skip : test.serial
if (group === undefined)
  console.error('SKIPPED: no control group of version 1 for memory can be made here')
withGroup('a group whose memory is full: the kernel takes the app, oom', async (t) => {
  const folder = group as string
  mkdirSync(folder)
  t.teardown(() => rmdirSync(folder))
  writeFileSync(path.join(folder, 'memory.limit_in_bytes'), String(memoryLimit))
  const confinement = { groups: [path.join(folder, 'cgroup.procs')] }
  const report = await endOf(t, 'buffer-leak', { confinement, limit: memoryLimit })
  t.is(report.reason, 'oom')
  t.true(report.exit.oomKilled)
})

interface Way {
  readonly confinement?: Confinement | undefined
  readonly limit?: number | undefined
  readonly asked?: Case['asked'] | undefined
  readonly act?: Case['act'] | undefined
}

/** Starts the program, ends it, and writes its report. */
async function endOf(
  t: ExecutionContext,
  what: string,
  { confinement, limit, asked, act }: Way,
): Promise<CrashReport> {
  const bench = new Bench({
    launcher: (root) => new NodeLauncher({ root }),
    idle: {},
    spoil: (order) => order,
  })
  mkdirSync(bench.place.folder, { recursive: true })
  const supervisor = await ControlServer.listen(bench.place.controlSocket)
  t.teardown(async () => {
    await bench.close()
    await supervisor.close()
  })
  const startup = { script: programPath('ender'), args: [what], nodeArgs: [loader] }
  const health = { hangMs: 400, heartbeatMs: 50 }
  const resourceLimits = limit === undefined ? {} : { maxMemory: limit }
  const more = { health, resourceLimits }
  const launched = await bench.launch('ender', startup, confinement, more)
  const folders = bench.foldersOf('ender.1')
  await supervisor.note('heartbeat')
  if (asked === 'hang') await killTheHung(launched, folders.instance, what)
  else await act?.(launched, supervisor)
  const written = await writeReport(bench.place, {
    instance: 'ender.1',
    uuid: 'ender',
    folders,
    startedAt: null,
    exit: await launched.exited,
    asked: asked ?? null,
    wasInTime: asked === 'stop' && act !== undefined && what === 'stay',
    memoryLimit: limit ?? null,
    status: null,
    samples: [],
    events: [],
  })
  t.deepEqual((await readReport(bench.place, 'ender.1')).report, written)
  return written
}

/** A group below that of this process, where groups can be made. */
function ownGroup(): string | undefined {
  try {
    const [, own] = /^\d+:memory:(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? []
    if (own === undefined) return undefined
    const folder = path.join('/sys/fs/cgroup/memory', own, `pos-kernel-ends-${process.pid}`)
    mkdirSync(folder)
    rmdirSync(folder)
    return folder
  } catch {
    return undefined
  }
}
