/**
 * Whether crash reports tell the truth: `node bench/host.mjs reasons [--quick] [--json]`.
 *
 * Apps under a supervisor are ended in six ways, so often each, and the word in the event and in the crash report has to be
 * the right one:
 *
 * - exception: an error that nobody catches;
 * - signal: kill -9 from outside the host;
 * - killed: by a person, through the supervisor; this is no failure and has no report;
 * - hang: a loop that never ends;
 * - oom: a leak under what holds memory on this machine;
 * - limit: a leak where nothing does, and the launcher looks and ends it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startHost } from '../../dist/host/index.js'
import { openGovernor } from '../../dist/host/limits/system.js'
import { HostPlace } from '../../dist/host/place.js'
import { readReport } from '../../dist/host/report/report.js'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
  allowPositionals: true,
})
const rounds = values.quick ? 3 : 20
const goals = { right: { gate: 100, moon: 100 } }
const resourceLimits = { maxMemory: 128 * 1024 * 1024 }
const kinds = {
  exception: { does: 'throw' },
  signal: { does: 'stay', act: (_host, { pid }) => process.kill(pid, 'SIGKILL') },
  killed: { does: 'stay', act: (host, { uuid }) => host.ask('kill', { uuid }) },
  hang: { does: 'spin', health: { heartbeatMs: 100, hangMs: 300 } },
  oom: { does: 'leak', resourceLimits },
  limit: { does: 'leak', resourceLimits, only: 'poll' },
}

const script = fileURLToPath(new URL('./ending-child.mjs', import.meta.url))
const folder = mkdtempSync(path.join(os.tmpdir(), 'pk-bench-'))
const results = {}
try {
  for (const [name, kind] of Object.entries(kinds)) results[name] = await ends(name, kind)
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}
report()

async function ends(uuid, { does, act, only, ...rest }) {
  const root = path.join(folder, uuid)
  const place = new HostPlace(root)
  const app = {
    startup_app: { uuid, name: uuid, script, args: [does] },
    restart: { intensity: 1000, backoffMs: 1, backoffMaxMs: 1 },
    ...rest,
  }
  const governor = only === undefined ? undefined : openGovernor({ place, only })
  const host = await startHost({ root, manifest: { apps: [app] }, ...(governor && { governor }) })
  const hasReport = uuid !== 'killed'
  const reasons = new Map()
  try {
    await new Promise((resolve, reject) => {
      const learn = (instance, reason) => {
        reasons.set(instance, reason)
        if (reasons.size === rounds) resolve()
      }
      const hear = async ({ type, uuid: of, instance, facts }) => {
        if (of !== uuid || reasons.size === rounds) return
        if (type === 'ready' && act !== undefined) {
          await act(host, { uuid, pid: host.status().apps[0].pid })
          // It is killed again as soon as it serves: whether it ever did is not asked here.
          if (!hasReport) host.ask('start', { uuid }).catch(() => undefined)
        }
        if (type === 'ended' && !hasReport) learn(instance, facts.reason)
        if (type === 'report') learn(instance, (await readReport(place, instance)).report.reason)
      }
      host.follow((event) => void hear(event).catch(reject))
    })
  } finally {
    await host.close()
  }
  const found = [...reasons.values()]
  const wrong = found.filter((reason) => reason !== uuid)
  return { right: found.length - wrong.length, of: found.length, wrong }
}

function report() {
  const all = Object.values(results)
  const right = all.reduce((sum, each) => sum + each.right, 0)
  const of = all.reduce((sum, each) => sum + each.of, 0)
  const percent = (right / of) * 100
  if (percent < goals.right.gate) process.exitCode = 1
  if (values.json) {
    console.log(JSON.stringify({ goals, percent, ...results }))
    return
  }
  for (const [name, each] of Object.entries(results)) {
    const wrong = each.wrong.length === 0 ? '' : `   taken for ${each.wrong.join(', ')}`
    console.log(`${name.padEnd(12)} ${`${each.right} of ${each.of}`.padStart(10)}${wrong}`)
  }
  const { gate, moon } = goals.right
  console.log(
    `${'right'.padEnd(12)} ${`${percent.toFixed(1)} %`.padStart(10)}   gate ${gate}, moon ${moon}`,
  )
}
