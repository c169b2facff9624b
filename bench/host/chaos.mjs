/**
 * The chaos run: kills -9 at random among apps, terminals, their launchers and spares, the broker and the supervisor, under
 * traffic and real sales, then counts. `node bench/host/chaos.mjs [--kills N] [--quick] [--json] [--seed N] [--pause MS]`
 *
 * Two tills sell with idempotency keys; a clerk writes orders as durable messages, which the tills ring up under the key of
 * the order; a caller asks another app over the bus; a tally counts in its state, and is recycled as well as killed. Kills come at random moments, sometimes two at once and sometimes while
 * there is no supervisor. What is lost, doubled and so on is said in `chaos-verdict.mjs`.
 *
 * Unrecovered: what was killed and was not ready again, or was and did nothing of its work, within a minute. An app has to do
 * it itself, sell, order, answer or be answered; of the broker, a question has to come through. At the end everything
 * does it once more, with nobody killing.
 *
 * A run without traffic proves nothing and fails. Of a run that fails the store is kept.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { identityOf, parentOf, stillRuns } from '../../dist/host/launcher/identity.js'
import { openGovernor } from '../../dist/host/limits/system.js'
import { HostPlace } from '../../dist/host/place.js'
import { Operator } from '../../dist/host/supervisor/operator.js'
import { dataOf, judge, waiting } from './chaos-verdict.mjs'

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
/** How a run ends that was killed, or that nobody saw end. */
const expected = new Set(['signal', 'unknown'])
const tills = ['T1', 'T2']
const apps = [...tills, 'clerk', 'echo', 'caller', 'tally']
/** Who is killed, and how often among a hundred. */
const targets = [
  ['T1', 19],
  ['T2', 19],
  ['clerk', 10],
  ['echo', 8],
  ['caller', 5],
  ['tally', 6],
  ['recycle', 5],
  ['launcher', 6],
  ['spare', 4],
  ['host-broker', 9],
  ['supervisor', 9],
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
/** Why the run cannot go on. */
let trouble
const times = Object.fromEntries(targets.map(([name]) => [name, []]))
const unrecovered = []
const done = { kills: 0, recycles: 0, epochs: 1 }
let isKept = true
for (const name of ['SIGINT', 'SIGTERM'])
  process.once(name, () => {
    trouble ??= new Error(`ended by ${name}`)
  })

try {
  if (!values.json) console.log(`chaos, seed ${seed}, in ${root}`)
  await startSupervisor()
  await Promise.all(apps.map((name) => back(name, name, -1)))
  for (let told = 50; done.kills < kills; ) {
    await delay(random() * 2 * pauseMs)
    if (trouble !== undefined) throw trouble
    const waits = [strike(chosen())]
    // Now and then another one in the same moment.
    if (random() < 0.1) waits.push(strike(chosen()))
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
  const over = Date.now()
  await Promise.all(apps.map((name) => serves(name, over, 'the last kill')))
  if (trouble !== undefined) throw trouble
  isKept = report(await counted())
} finally {
  operator?.close()
  supervisor?.removeAllListeners('exit')
  supervisor?.kill('SIGKILL')
  for (const identity of processes()) signal(identity)
  while (processes().some(stillRuns)) await delay(20)
  const governor = openGovernor({ place: new HostPlace(root) })
  await governor.sweep(new Set())
  governor.close()
  if (isKept) console.error(`kept: ${root}`)
  else rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
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
      app('tally', ['tally', '2']),
    ],
  }
}

async function startSupervisor() {
  const script = fileURLToPath(new URL('./supervise-child.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, root, manifest], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  supervisor = child
  const ended = new Promise((resolve) => {
    child.once('exit', (...how) => {
      if (!child.killed) trouble ??= new Error(`a supervisor ended by itself: ${how.join(' ')}`)
      resolve()
    })
  })
  await Promise.race([once(child.stdout, 'data'), ended])
  if (trouble !== undefined) throw trouble
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
async function strike(target) {
  if (target === 'supervisor') return killSupervisor()
  if (target === 'spare') return killSpare()
  if (target === 'recycle') return recycle()
  const name = target === 'launcher' ? apps[Math.floor(random() * apps.length)] : target
  const found = recordOf(name)
  if (found === undefined || !stillRuns(found.process)) return
  // An app dies with its launcher.
  const victim = target === 'launcher' ? identityOf(parentOf(found.process.pid)) : found.process
  const at = performance.now()
  if (victim === undefined || !signal(victim)) return
  done.kills += 1
  await back(name, target, numberOf(found.instance), at)
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
  } catch (error) {
    trouble ??= error
  } finally {
    comeback = undefined
  }
}

/** A spare is missed by nobody, but it may be on its way to be what it stands for. */
function killSpare() {
  const spares = tills.flatMap(recordsOf).filter(({ role }) => role === 'spare')
  const found = spares[Math.floor(random() * spares.length)]
  if (found?.process === undefined || !signal(found.process)) return
  done.kills += 1
  times.spare.push(0)
}

/** Has the tally replaced. A kill may come between: then it is not, and that it is there again is looked at elsewhere. */
function recycle() {
  done.recycles += 1
  operator.ask('recycle', { uuid: 'tally' }, { timeoutMs: recoverMs }).catch(() => {})
}

/** Waits until a run with a higher number than `before` is ready, and then until one has done something. */
async function back(name, target, before, at = performance.now()) {
  const isReady = () => {
    const record = recordOf(name)
    return record?.phase === 'ready' && numberOf(record.instance) > before
  }
  if (!(await soon(isReady, at + recoverMs))) {
    const runs = recordsOf(name).map(({ instance, role, phase }) => `${instance} ${role} ${phase}`)
    unrecovered.push(`${name} after ${before} is not ready: ${runs.join(', ') || 'no run'}`)
    return
  }
  times[target]?.push(performance.now() - at)
  // What the broker does is done for others.
  if (name === 'host-broker') await serves('caller', Date.now(), `broker ${before}`)
  else if (!(await soon(() => servedBy(name).number > before, performance.now() + recoverMs)))
    unrecovered.push(`${name} after ${before} is ready and does nothing`)
}

/** Waits until an app does something after a moment. */
async function serves(name, moment, what) {
  if (await soon(() => servedBy(name).at > moment, performance.now() + recoverMs)) return
  unrecovered.push(`${name} does nothing after ${what}`)
}

async function soon(look, end) {
  while (performance.now() < end && trouble === undefined) {
    if (look()) return true
    await delay(2)
  }
  return look()
}

/** The run that did its work last, and when. */
function servedBy(name) {
  try {
    const [instance, at] = readFileSync(path.join(dataOf(root, name), 'served'), 'utf8').split(' ')
    return { number: numberOf(instance), at: Number(at) }
  } catch {
    return { number: -1, at: 0 }
  }
}

/** The run that counts as the app, from what its supervisor wrote. */
function recordOf(uuid) {
  const mains = recordsOf(uuid).filter(
    ({ role, process }) => role === 'main' && process !== undefined,
  )
  // Of a run that ended while nobody watched, the record may be there beside that of its successor.
  return mains.toSorted((a, b) => numberOf(b.instance) - numberOf(a.instance))[0]
}

function numberOf(instance) {
  return Number(instance.slice(instance.lastIndexOf('.') + 1))
}

function recordsOf(uuid) {
  const folder = path.join(root, 'host', 'apps', uuid, 'runs')
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
    .flatMap(({ process }) => (process === undefined ? [] : [process]))
}

/** Lets what is under way come to its end, ends everything in order, and counts. */
async function counted() {
  await operator.ask('stop', { uuid: 'clerk' }, { timeoutMs: 30_000 })
  if (!(await soon(() => waiting(root, tills) === 0, performance.now() + recoverMs)))
    unrecovered.push(`${waiting(root, tills)} messages wait`)
  const { ended } = await operator.ask('shutdown', {}, { timeoutMs: 60_000 })
  supervisor.removeAllListeners('exit')
  if (supervisor.exitCode === null) await once(supervisor, 'exit')
  const verdict = await judge({
    root,
    tills,
    clerk: 'clerk',
    tally: 'tally',
    others: ['echo', 'caller'],
  })
  const { sales, messages, counts, retried, faults } = verdict
  const count = (kind) => faults.filter((fault) => fault.kind === kind).length
  return {
    seed,
    kills: done.kills,
    supervisors: done.epochs,
    sales,
    messages,
    counts,
    recycles: done.recycles,
    retried,
    lost: count('lost'),
    doubled: count('doubled'),
    unrecovered: unrecovered.length,
    who: unrecovered,
    calls: callsOf(),
    faults: faults.slice(0, 20).map(({ kind, what }) => `${kind}: ${what}`),
    ended: ended.map(({ uuid, reason }) => `${uuid} ${reason}`),
    ...endsOf(),
    restartMs: Object.fromEntries(Object.entries(times).map(([name, all]) => [name, spread(all)])),
  }
}

function callsOf() {
  const calls = { answered: 0, failed: 0, wrong: 0 }
  for (const line of read(path.join(dataOf(root, 'caller'), 'acts.log')).split('\n')) {
    const [what, answered, failed] = line.split(' ')
    if (what === 'wrong') calls.wrong += 1
    if (what !== 'calls') continue
    calls.answered += Number(answered)
    calls.failed += Number(failed)
  }
  return calls
}

/** How runs ended, as far back as the host keeps its events; what no kill explains in words. */
function endsOf() {
  const ends = {}
  const odd = []
  for (const name of ['events.1.jsonl', 'events.jsonl']) {
    for (const line of read(path.join(root, 'host', name)).split('\n')) {
      if (!/"type":"(ended|report)"/.test(line)) continue
      const { type, text, facts } = JSON.parse(line)
      // A process that its supervisor did not live to write down has no reason.
      const { reason = 'stray' } = facts
      if (type === 'ended') ends[reason] = (ends[reason] ?? 0) + 1
      else if (!expected.has(reason)) odd.push(text)
    }
  }
  return { ends, odd: odd.slice(0, 20) }
}

function spread(all) {
  const sorted = all.slice().sort((a, b) => a - b)
  const at = (part) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0)
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), most: at(1) }
}

/** Says what came of it; true when something is wrong with it. */
function report(result) {
  const { lost, doubled, calls, faults } = result
  const isIdle = [result.sales, result.messages, result.counts, calls.answered].includes(0)
  const isWrong = isIdle || faults.length + result.unrecovered + calls.wrong > 0
  if (isWrong) process.exitCode = 1
  if (values.json) {
    console.log(JSON.stringify(result))
    return isWrong
  }
  const ends = Object.entries(result.ends).map(([reason, count]) => `${count} ${reason}`)
  console.log(`chaos, seed ${seed}: ${result.kills} kills, ${result.supervisors} supervisors`)
  console.log(
    `  ${result.sales} sales and ${result.messages} durable messages acknowledged, ${result.retried} begun again after a kill`,
  )
  console.log(`  ${result.counts} counts of a state that was recycled ${result.recycles} times`)
  console.log(`  lost ${lost}, doubled ${doubled}, unrecovered ${result.unrecovered}; gate 0, 0, 0`)
  for (const line of [...faults, ...result.who]) console.log(`    ${line}`)
  console.log(
    `  calls over the bus: ${calls.answered} answered, ${calls.failed} not, ${calls.wrong} wrong`,
  )
  console.log(`  runs ended: ${ends.join(', ')}`)
  for (const line of result.odd) console.log(`    ${line}`)
  for (const [name, { count, p50, p95, most }] of Object.entries(result.restartMs)) {
    if (name === 'recycle') continue
    const again =
      name === 'spare' ? '' : `: ready again after ${p50} ms p50, ${p95} p95, ${most} at most`
    console.log(`  ${name.padEnd(12)} killed ${count}${again}`)
  }
  return isWrong
}

function signal(identity) {
  try {
    return stillRuns(identity) && process.kill(identity.pid, 'SIGKILL')
  } catch {
    return false
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
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
