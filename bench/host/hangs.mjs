/**
 * An event loop that never ends: `node bench/host.mjs hangs [--quick] [--json]`.
 *
 * - known: from the moment at which the app enters `for (;;) {}` until its supervisor says that it hangs, once with the
 *   heartbeats that a manifest has unless it says otherwise (1000 ms, hung after 2500), once with short ones (100 ms, 300);
 * - stack: crash reports that name the line which the app hangs in.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startHost } from '../../dist/host/index.js'
import { HostPlace } from '../../dist/host/place.js'
import { readReport } from '../../dist/host/report/report.js'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
  allowPositionals: true,
})
const rounds = values.quick ? 3 : 20
const goals = { known: { gate: 3000, moon: 500 } }
const scenes = {
  usual: { heartbeatMs: 1000, hangMs: 2500 },
  short: { heartbeatMs: 100, hangMs: 300 },
}

const script = fileURLToPath(new URL('./ending-child.mjs', import.meta.url))
const folder = mkdtempSync(path.join(os.tmpdir(), 'pk-bench-'))
const results = {}
try {
  for (const [name, health] of Object.entries(scenes)) results[name] = await hangs(name, health)
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}
report()

async function hangs(uuid, health) {
  const root = path.join(folder, uuid)
  const place = new HostPlace(root)
  const app = {
    startup_app: { uuid, name: uuid, script, args: ['spin'] },
    health,
    restart: { intensity: 1000, backoffMs: 1, backoffMaxMs: 1 },
  }
  const knownMs = []
  const reported = []
  const host = await startHost({ root, manifest: { apps: [app] } })
  await new Promise((resolve, reject) => {
    host.follow(({ type, instance, text }) => {
      try {
        if (type === 'hang') {
          // Both moments are of the one clock that this machine's processes share.
          const began = BigInt(readFileSync(place.app(uuid, 'data', 'began'), 'utf8'))
          knownMs.push(Number(process.hrtime.bigint() - began) / 1e6)
        } else if (type === 'report') {
          reported.push(instance)
          if (reported.length === rounds) resolve()
        } else if (type === 'ended' && !/: hang$/.test(text)) {
          throw new Error(text)
        }
      } catch (error) {
        reject(error)
      }
    })
  }).finally(() => host.close())
  const stacks = await Promise.all(
    reported.map(async (instance) => {
      const { report } = await readReport(place, instance)
      return (
        report.reason === 'hang' && /spin.*ending-child\.mjs:\d+/.test(report.javascriptStack[0])
      )
    }),
  )
  const sorted = knownMs.slice(0, rounds).sort((a, b) => a - b)
  const at = (part) => sorted[Math.floor((sorted.length - 1) * part)]
  return {
    ...health,
    known: { min: at(0), p50: at(0.5), p95: at(0.95), max: at(1), count: sorted.length },
    stacks: stacks.filter(Boolean).length,
  }
}

function report() {
  const isReached = Object.values(results).every(
    ({ known, stacks }) => known.p95 <= goals.known.gate && stacks === rounds,
  )
  if (!isReached) process.exitCode = 1
  if (values.json) {
    console.log(JSON.stringify({ goals, rounds, ...results }))
    return
  }
  console.log(`${'ms'.padEnd(34)}      min      p50      p95      max`)
  for (const { heartbeatMs, hangMs, known, stacks } of Object.values(results)) {
    const { min, p50, p95, max } = known
    const figures = [min, p50, p95, max].map((ms) => ms.toFixed(0).padStart(8)).join(' ')
    const { gate, moon } = goals.known
    console.log(
      `${`known, beats ${heartbeatMs}, hung ${hangMs}`.padEnd(34)} ${figures}   p95 gate ${gate}, moon ${moon}`,
    )
    console.log(
      `${'stack in the report'.padEnd(34)} ${`${stacks} of ${rounds}`.padStart(8)}   gate all`,
    )
  }
}
