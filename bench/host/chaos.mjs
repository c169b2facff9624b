/**
 * The chaos run: kills -9 at random among apps, terminals, the broker and the supervisor, under traffic and real sales, then
 * counts. `node bench/host/chaos.mjs [--kills N] [--quick] [--json] [--seed N]`
 *
 * Lost: a sale or a message that was acknowledged and is not in a journal. Doubled: one that is there twice.
 * Unrecovered: what was killed and did not serve again within a minute. Two tills sell with idempotency keys; a
 * clerk writes orders as durable messages, which the tills ring up under the key of the order; a caller asks another app over
 * the bus. Kills come at random moments, sometimes two at once and sometimes while there is no supervisor.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Operator } from '../../dist/host/supervisor/operator.js'
import { inspectJournal } from '../../dist/index.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    quick: { type: 'boolean' },
    json: { type: 'boolean' },
    seed: { type: 'string' },
    pause: { type: 'string' },
  },
})
const kills = Number(values.kills ?? (values.quick ? 30 : 1000))
/** Milliseconds between two kills, on average. */
const pauseMs = Number(values.pause ?? 150)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const recoverMs = 60_000
const tills = ['T1', 'T2']
/** Who is killed, and how often among a hundred. */
const targets = [
  ['T1', 25],
  ['T2', 25],
  ['clerk', 12],
  ['echo', 12],
  ['caller', 6],
  ['host-broker', 10],
  ['supervisor', 10],
]

const random = seeded(seed)
const root = mkdtempSync(path.join(os.tmpdir(), 'pk-chaos-'))
const manifest = path.join(root, 'manifest.json')
writeFileSync(manifest, JSON.stringify(manifestOf()))

/** The supervisor that runs now, and the connection to it. */
let supervisor
let operator
/** Kills that are not over. */
const pending = new Set()
/** A supervisor that is on its way. */
let comeback
const times = Object.fromEntries(targets.map(([name]) => [name, []]))
const unrecovered = []
const done = { kills: 0, epochs: 1 }

try {
  await startSupervisor()
  await Promise.all([...tills, 'clerk', 'echo', 'caller'].map((uuid) => back(uuid, null)))
  for (let told = 50; done.kills < kills; ) {
    await delay(random() * 2 * pauseMs)
    const name = chosen()
    const waits = [kill(name)]
    // Now and then another one in the same moment.
    if (random() < 0.1) waits.push(kill(chosen()))
    // And mostly the next kill does not wait until this one is over; but the run stays within sight.
    if (random() < 0.5) await Promise.all(waits)
    else for (const wait of waits) pending.add(wait.finally(() => pending.delete(wait)))
    if (pending.size > 4) await Promise.race(pending)
    if (!values.json && done.kills >= told) {
      console.log(`${done.kills} kills`)
      told += 50
    }
  }
  await Promise.all(pending)
  report(await counted())
} finally {
  operator?.close()
  supervisor?.kill('SIGKILL')
  for (const pid of processes()) signal(pid)
  await delay(200)
  rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}

function manifestOf() {
  const script = fileURLToPath(new URL('./chaos-child.mjs', import.meta.url))
  const restart = { intensity: 1000, backoffMs: 5, backoffMaxMs: 50 }
  const app = (uuid, args, more = {}) => ({
    startup_app: { uuid, name: uuid, script, args, ...more },
    restart,
    permissions: { store: true },
  })
  return {
    apps: [
      ...tills.map((id) => ({
        ...app(id, ['teller', '4'], { kind: 'terminal', terminal: id }),
        spares: 1,
      })),
      app('clerk', ['clerk', '10', ...tills]),
      app('echo', ['echo']),
      app('caller', ['caller', '5']),
    ],
  }
}

async function startSupervisor() {
  const script = fileURLToPath(new URL('./supervise-child.mjs', import.meta.url))
  supervisor = spawn(process.execPath, [script, root, manifest], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(supervisor.stdout, 'data')
  operator = await Operator.connect(root)
}

function chosen() {
  let left = random() * 100
  for (const [name, share] of targets) {
    left -= share
    if (left < 0) return name
  }
  return 'T1'
}

/** Kills one, and resolves when it serves again, or does not for too long. */
async function kill(name) {
  if (name === 'supervisor') return killSupervisor()
  const found = recordOf(name)
  if (found === undefined) return
  const at = performance.now()
  if (!signal(found.process.pid)) return
  done.kills += 1
  await back(name, found.instance, at)
}

async function killSupervisor() {
  if (comeback !== undefined) return
  const at = performance.now()
  done.kills += 1
  operator.close()
  supervisor.kill('SIGKILL')
  comeback = (async () => {
    await once(supervisor, 'exit')
    // Apps may die while nobody watches.
    await delay(random() * 100)
    await startSupervisor()
  })()
  try {
    await comeback
    done.epochs += 1
    times.supervisor.push(performance.now() - at)
  } finally {
    comeback = undefined
  }
}

/** Waits until another run than `before` serves. */
async function back(name, before, at = performance.now()) {
  const end = performance.now() + recoverMs
  while (performance.now() < end) {
    const record = recordOf(name)
    const isBack = record?.phase === 'ready' && record.instance !== before
    if (isBack) {
      times[name].push(performance.now() - at)
      return
    }
    await delay(2)
  }
  unrecovered.push(`${name} after ${before}`)
}

/** The run that counts as the app, from what its supervisor wrote. */
function recordOf(uuid) {
  const mains = recordsOf(uuid).filter(
    ({ role, process }) => role === 'main' && process !== undefined,
  )
  const number = ({ instance }) => Number(instance.slice(instance.lastIndexOf('.') + 1))
  // Of a run that ended while nobody watched, the record may be there beside that of its successor.
  return mains.toSorted((a, b) => number(b) - number(a))[0]
}

function recordsOf(uuid) {
  const folder = path.join(root, 'host', 'apps', uuid, 'instances')
  return list(folder).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(path.join(folder, name, 'instance.json'), 'utf8'))]
    } catch {
      return []
    }
  })
}

function processes() {
  return list(path.join(root, 'host', 'apps'))
    .flatMap(recordsOf)
    .flatMap(({ process }) => (process === undefined ? [] : [process.pid]))
}

/** What was acknowledged, and what is there. */
async function counted() {
  const acked = { sales: new Set(), orders: new Set() }
  const calls = { answered: 0, failed: 0, wrong: 0 }
  await operator.ask('stop', { uuid: 'clerk' }, { timeoutMs: 30_000 })
  for (const line of acts('clerk')) {
    if (line.startsWith('done ')) acked.orders.add(line.slice(5))
  }
  let there = await journals()
  for (let round = 0; round < 300 && [...acked.orders].some((key) => !there.has(key)); round += 1) {
    await delay(100)
    there = await journals()
  }
  const result = await operator.ask('shutdown', {}, { timeoutMs: 60_000 })
  await once(supervisor, 'exit')
  there = await journals()
  for (const id of tills) {
    for (const line of acts(id)) if (line.startsWith('done ')) acked.sales.add(line.slice(5))
  }
  for (const line of acts('caller')) {
    const [what, answered, failed] = line.split(' ')
    if (what === 'wrong') calls.wrong += 1
    if (what !== 'calls') continue
    calls.answered += Number(answered)
    calls.failed += Number(failed)
  }
  const lost = (keys) => [...keys].filter((key) => !there.has(key)).length
  return {
    seed,
    kills: done.kills,
    supervisors: done.epochs,
    sales: acked.sales.size,
    messages: acked.orders.size,
    lost: lost(acked.sales) + lost(acked.orders),
    doubled: [...there.values()].filter((count) => count > 1).length,
    unrecovered: unrecovered.length,
    who: unrecovered,
    calls,
    ended: result.ended.map(({ uuid, reason }) => `${uuid} ${reason}`),
    restartMs: Object.fromEntries(Object.entries(times).map(([name, all]) => [name, spread(all)])),
  }
}

/** Every key of a completed sale in all journals, and how often it is there. */
async function journals() {
  const keys = new Map()
  for (const terminal of tills) {
    for await (const { kind, fact } of inspectJournal({ root, terminal })) {
      const key = kind === 'SaleCompleted' ? fact.key?.text : undefined
      if (key !== undefined) keys.set(key, (keys.get(key) ?? 0) + 1)
    }
  }
  return keys
}

function acts(uuid) {
  try {
    const file = path.join(root, 'host', 'apps', uuid, 'data', 'acts.log')
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}

function spread(all) {
  const sorted = all.slice().sort((a, b) => a - b)
  const at = (part) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0)
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), most: at(1) }
}

function report(result) {
  if (values.json) {
    console.log(JSON.stringify(result))
    return
  }
  const { lost, doubled, calls } = result
  console.log(`chaos, seed ${seed}: ${result.kills} kills, ${result.supervisors} supervisors`)
  console.log(`  ${result.sales} sales and ${result.messages} durable messages acknowledged`)
  console.log(`  lost ${lost}, doubled ${doubled}, unrecovered ${result.unrecovered}; gate 0, 0, 0`)
  console.log(
    `  calls over the bus: ${calls.answered} answered, ${calls.failed} not, ${calls.wrong} wrong`,
  )
  for (const [name, { count, p50, p95, most }] of Object.entries(result.restartMs)) {
    console.log(
      `  ${name.padEnd(12)} killed ${count}: serves again after ${p50} ms p50, ${p95} p95, ${most} at most`,
    )
  }
  if (lost + doubled + result.unrecovered > 0) process.exitCode = 1
}

function signal(pid) {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

function list(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Mulberry32: the same seed makes the same run, as far as chance goes. */
function seeded(start) {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
