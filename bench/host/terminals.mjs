/**
 * A hundred terminals under one host: `node bench/host.mjs terminals [--quick] [--json]`.
 *
 * - ready: from the start of the supervisor until all terminals have opened their journals and serve;
 * - memory: proportional set size of everything there is, supervisor, broker, desktop agent, launchers and terminals;
 * - idle: processor of all of them together while nothing is sold and nobody looks, in percent of one core, by the
 *   scheduler's own account; and how often a second each part is woken;
 * - down: an ordered shutdown, each terminal acknowledged.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { treeOf } from '../../dist/host/launcher/identity.js'
import { Operator } from '../../dist/host/supervisor/operator.js'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
  allowPositionals: true,
})
const count = values.quick ? 10 : 100
const idleSeconds = values.quick ? 5 : 30
/** Somebody who asked for a status is taken to look at it for a while. */
const restMs = 8000
const MiB = 1024 * 1024
const goals = {
  ready: { gate: 60, moon: 10, unit: 's' },
  memory: { gate: 4096, moon: 2048, unit: 'MiB' },
  idle: { gate: 10, moon: 3, unit: '%' },
}

const root = mkdtempSync(path.join(os.tmpdir(), 'pk-bench-'))
const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const apps = Array.from({ length: count }, (_, index) => {
  const id = `REGISTER_${String(index + 1).padStart(3, '0')}`
  return {
    startup_app: {
      uuid: id.replace('_', '-'),
      name: id,
      script: here('terminal-child.mjs'),
      kind: 'terminal',
      terminal: id,
    },
    health: { readyMs: 120_000 },
    permissions: { store: true },
    // One of them has to do with FDC3, so the desktop agent runs.
    ...(index === 0 ? { fdc3: {} } : {}),
  }
})
const manifest = path.join(root, 'manifest.json')
writeFileSync(manifest, JSON.stringify({ apps, shutdownMs: 60_000 }))

const began = performance.now()
const supervisor = spawn(process.execPath, [here('supervise-child.mjs'), root, manifest], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
try {
  await new Promise((resolve, reject) => {
    supervisor.stdout.once('data', resolve)
    supervisor.once('exit', (code) => reject(new Error(`the supervisor ended with ${code}`)))
  })
  // While it starts a hundred processes, it may be slow to answer.
  let operator
  while (operator === undefined) operator = await Operator.connect(root).catch(() => undefined)
  const status = () => operator.ask('status', {})
  for (;;) {
    const { apps: now } = await status()
    const up = now.filter(({ state }) => state === 'ready').length
    if (up === now.length) break
    if (performance.now() - began > 300_000)
      throw new Error(`${up} of ${count} are ready after 300 s`)
    await delay(100)
  }
  const ready = (performance.now() - began) / 1000
  await delay(restMs)
  const processes = treeOf(supervisor.pid)
  const memory = sum(processes, pssBytes) / MiB
  const parts = grouped(processes)
  const [busyBefore, wakesBefore] = [each(parts, busyMs), each(parts, wakes)]
  const from = performance.now()
  await delay(idleSeconds * 1000)
  const seconds = (performance.now() - from) / 1000
  const [busy, woken] = [each(parts, busyMs), each(parts, wakes)]
  const idleOf = Object.fromEntries(
    Object.keys(parts).map((part) => [part, (busy[part] - busyBefore[part]) / seconds / 10]),
  )
  const wakesOf = Object.fromEntries(
    Object.entries(parts).map(([part, pids]) => [
      part,
      pids.length === 0 ? 0 : (woken[part] - wakesBefore[part]) / seconds / pids.length,
    ]),
  )
  const idle = Object.values(idleOf).reduce((total, one) => total + one, 0)
  const { apps: now } = await status()
  const restarts = now.reduce((total, app) => total + app.restarts, 0)
  const files = Math.max(...now.map(({ pid }) => readdirSync(`/proc/${pid}/fd`).length))
  const { ended, ms } = await operator.ask('shutdown', { deadlineMs: 60_000 }, 120_000)
  const acknowledged = ended.filter((one) => one.acknowledged).length
  const result = {
    terminals: count,
    processes: processes.length,
    ready,
    memory,
    idle,
    idleOf,
    wakesOf,
    restarts,
    files,
    acknowledged,
    ended: ended.length,
    downMs: ms,
  }
  if (values.json) console.log(JSON.stringify(result))
  else report(result)
  if (restarts !== 0 || acknowledged < ended.length) process.exitCode = 1
} finally {
  for (const pid of treeOf(supervisor.pid).reverse()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It is gone.
    }
  }
  rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}
process.exit()

function report(result) {
  console.log(
    `${result.terminals} terminals under one host: ${result.processes} processes, ${result.restarts} restarts`,
  )
  for (const [name, { gate, moon, unit }] of Object.entries(goals)) {
    console.log(
      `  ${name.padEnd(8)} ${result[name].toFixed(1).padStart(8)} ${unit.padEnd(4)} gate ${gate}, moon ${moon}`,
    )
  }
  for (const [part, percent] of Object.entries(result.idleOf)) {
    const wakes = `each woken ${result.wakesOf[part].toFixed(1)} times a second`
    console.log(`    ${part.padEnd(10)} ${percent.toFixed(2).padStart(8)} %    ${wakes}`)
  }
  console.log(
    `  files    ${String(result.files).padStart(8)}      the most that one terminal has open`,
  )
  console.log(
    `  down     ${(result.downMs / 1000).toFixed(1).padStart(8)} s    ${result.acknowledged} of ${result.ended} acknowledged`,
  )
}

/** The processes by what they are. */
function grouped(pids) {
  const parts = {
    supervisor: [supervisor.pid],
    broker: [],
    agent: [],
    launchers: [],
    terminals: [],
  }
  for (const pid of pids.filter((one) => one !== supervisor.pid)) {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
    if (line.includes('pos-kernel-launch')) parts.launchers.push(pid)
    else if (line.includes('terminal-child')) parts.terminals.push(pid)
    else if (line.includes('agent-main')) parts.agent.push(pid)
    else parts.broker.push(pid)
  }
  return parts
}

function each(parts, measure) {
  return Object.fromEntries(Object.entries(parts).map(([part, pids]) => [part, sum(pids, measure)]))
}

function sum(pids, measure) {
  return pids.reduce((total, pid) => total + measure(pid), 0)
}

function pssBytes(pid) {
  try {
    return (
      Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0) *
      1024
    )
  } catch {
    return 0
  }
}

/** Milliseconds on a processor, of all threads. */
function busyMs(pid) {
  return overThreads(pid, 'schedstat', (text) => Number(text.split(' ')[0]) / 1e6)
}

/** Times that a thread waited for something and was woken. */
function wakes(pid) {
  return overThreads(pid, 'status', (text) =>
    Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text)?.[1] ?? 0),
  )
}

function overThreads(pid, name, value) {
  try {
    return sum(readdirSync(`/proc/${pid}/task`), (thread) =>
      value(readFileSync(`/proc/${pid}/task/${thread}/${name}`, 'latin1')),
    )
  } catch {
    return 0
  }
}
