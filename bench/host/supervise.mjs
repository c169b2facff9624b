/**
 * The supervisor, and pm2 beside it where pm2 has the feature: `node bench/host.mjs supervise [--quick] [--json]`.
 *
 * - known: kill -9 of an app until its supervisor says that it ended;
 * - cold, warm: kill -9 until the next run serves, with its state read back; `warm` with a spare that waits. pm2 has
 *   no spares and no state: its app only says that it is there;
 * - adopted: kill -9 of the supervisor until the next one has all apps back, and how many of them were started again. Of pm2,
 *   how many apps live when its daemon was killed.
 *
 * An app says that it serves over a socket to this process, which takes the time of all. Each figure is in milliseconds.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startHost } from '../../dist/host/index.js'
import { Operator } from '../../dist/host/supervisor/operator.js'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
  allowPositionals: true,
})
const rounds = values.quick ? 5 : 40
const pm2Rounds = values.quick ? 3 : 20
const adopted = values.quick ? 10 : 100
const goals = {
  known: { gate: 10, moon: 1 },
  warm: { gate: 100, moon: 15 },
  cold: { gate: 600, moon: 100 },
  adopted: { gate: 1000, moon: 200 },
}

const script = fileURLToPath(new URL('./serving-child.mjs', import.meta.url))
const folder = mkdtempSync(path.join(os.tmpdir(), 'pk-bench-'))
const socket = path.join(folder, 'up.sock')
let onUp = () => {}
const server = net.createServer((peer) => {
  peer.on('error', () => {})
  peer.on('data', (bytes) => onUp(JSON.parse(bytes.toString()), performance.now()))
})
await new Promise((resolve) => server.listen(socket, resolve))

const results = {}
try {
  for (const [name, spares] of [
    ['cold', 0],
    ['warm', 1],
  ]) {
    const { known, serving } = await restarts(spares)
    results[name] = spread(serving)
    results.known = spread([...(results.known?.all ?? []), ...known])
  }
  results.adopted = await adoption()
  results.pm2 = await besidePm2()
  report()
} finally {
  server.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}
// The client of pm2 keeps sockets that nothing closes.
process.exit()

/** Kills one app again and again. */
async function restarts(spares) {
  const root = path.join(folder, `restarts-${spares}`)
  const restart = { intensity: 1000, backoffMs: 1, backoffMaxMs: 1 }
  const apps = [{ ...appOf('app'), restart, spares }]
  let up = next()
  const host = await startHost({ root, manifest: { apps } })
  const known = []
  const serving = []
  try {
    let { pid } = (await up).said
    for (let round = 0; round < rounds; round += 1) {
      while ((host.status().apps[0]?.spares ?? 0) < spares) await delay(5)
      // What came with the last run is over.
      await delay(100)
      up = next()
      const gone = new Promise((resolve) => {
        const end = host.follow(({ type, uuid }) => {
          if (type !== 'ended' || uuid !== 'app') return
          end()
          resolve(performance.now())
        })
      })
      const at = performance.now()
      process.kill(pid, 'SIGKILL')
      known.push((await gone) - at)
      const { said, when } = await up
      // Killed so soon after it had read its state, the app is given an older one after the third time, as it should be.
      if (said.restored === 'none') throw new Error('the app began without its state')
      serving.push(when - at)
      pid = said.pid
    }
  } finally {
    await host.close()
  }
  return { known, serving }
}

/** Kills a supervisor of many apps. */
async function adoption() {
  const root = path.join(folder, 'adoption')
  const manifest = path.join(folder, 'adoption.json')
  const apps = Array.from({ length: adopted }, (_, index) => appOf(`app-${index}`))
  writeFileSync(manifest, JSON.stringify({ apps }))
  let supervisor = await supervise(root, manifest)
  const began = performance.now()
  let operator = await Operator.connect(root)
  const all = (look) => settled(async () => (await operator.ask('status', {})).apps.every(look))
  await all(({ state }) => state === 'ready')
  const startMs = performance.now() - began
  const before = pidsOf(await operator.ask('status', {}))
  const foundMs = []
  const backMs = []
  for (let round = 0; round < (values.quick ? 1 : 5); round += 1) {
    operator.close()
    supervisor.child.kill('SIGKILL')
    await once(supervisor.child, 'exit')
    const at = performance.now()
    supervisor = await supervise(root, manifest)
    foundMs.push(performance.now() - at)
    operator = await Operator.connect(root)
    // Each has come back to its new supervisor by itself.
    await all(({ health }) => health !== null)
    backMs.push(performance.now() - at)
  }
  const after = pidsOf(await operator.ask('status', {}))
  const kept = before.filter((pid, index) => pid === after[index]).length
  await operator.ask('shutdown', {}, { timeoutMs: 60_000 })
  await once(supervisor.child, 'exit')
  return { apps: adopted, kept, startMs, found: spread(foundMs), back: spread(backMs) }
}

async function supervise(root, manifest) {
  const program = fileURLToPath(new URL('./supervise-child.mjs', import.meta.url))
  const child = spawn(process.execPath, [program, root, manifest], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return { child }
}

function pidsOf({ apps }) {
  return apps.map(({ pid }) => pid)
}

function appOf(uuid) {
  return { startup_app: { uuid, name: uuid, script, args: ['host', socket] } }
}

/** The same with pm2: its daemon, with the same program, which says that it is there and nothing more. */
async function besidePm2() {
  const require = createRequire(new URL('../peers/', import.meta.url))
  let pm2
  const home = path.join(folder, 'pm2')
  process.env.PM2_HOME = home
  try {
    pm2 = require('pm2')
  } catch {
    return { missing: 'pm2 is not installed: run "node bench/setup.mjs peers"' }
  }
  const call = (name, ...args) =>
    new Promise((resolve, reject) => {
      pm2[name](...args, (error, value) => (error ? reject(error) : resolve(value)))
    })
  await call('connect')
  const bus = await call('launchBus')
  const known = []
  const serving = []
  let alive = 0
  let watched = 0
  let up = next()
  const count = values.quick ? 2 : 10
  try {
    await call('start', { name: 'app', script, args: ['bare', socket], max_restarts: 1000 })
    let { pid } = (await up).said
    for (let round = 0; round < pm2Rounds; round += 1) {
      // After a second pm2 takes an app for stable.
      await delay(1200)
      up = next()
      const gone = new Promise((resolve) => {
        const hear = ({ event }) => {
          if (event !== 'exit') return
          bus.off('process:event', hear)
          resolve(performance.now())
        }
        bus.on('process:event', hear)
      })
      const at = performance.now()
      process.kill(pid, 'SIGKILL')
      known.push((await gone) - at)
      const { said, when } = await up
      serving.push(when - at)
      pid = said.pid
    }
    for (let index = 0; index < count; index += 1) {
      up = next()
      await call('start', { name: `app-${index}`, script, args: ['bare', socket], force: true })
      await up
    }
    const pids = (await call('list')).map((app) => app.pid)
    process.kill(Number(readFileSync(path.join(home, 'pm2.pid'), 'utf8')), 'SIGKILL')
    await delay(1000)
    alive = pids.filter(lives).length
    pm2.disconnect()
    await call('connect')
    watched = (await call('list')).length
    for (const each of pids) end(each)
  } finally {
    await call('killDaemon').catch(() => {})
    for (const file of existsSync(home) ? readdirSync(home) : []) {
      if (file === 'pm2.pid') end(Number(readFileSync(path.join(home, file), 'utf8')))
    }
  }
  return { known: spread(known), cold: spread(serving), apps: count + 1, alive, watched }
}

function lives(pid) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function end(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}

/** The next app that says that it is there. */
function next() {
  return new Promise((resolve) => {
    onUp = (said, when) => resolve({ said, when })
  })
}

async function settled(look) {
  while (!(await look())) await delay(10)
}

function spread(all) {
  const sorted = all.slice().sort((a, b) => a - b)
  const at = (part) => sorted[Math.floor((sorted.length - 1) * part)]
  const of = { min: at(0), p50: at(0.5), p95: at(0.95), count: all.length }
  return Object.defineProperty(of, 'all', { value: all, enumerable: false })
}

function report() {
  if (values.json) {
    console.log(JSON.stringify({ goals, ...results }))
    return
  }
  const line = (name, { min, p50, p95 }, goal = '') => {
    const figures = [min, p50, p95].map((ms) => ms.toFixed(1).padStart(8)).join(' ')
    console.log(`${name.padEnd(34)} ${figures}   ${goal}`)
  }
  const goal = (name) => `gate ${goals[name].gate}, moon ${goals[name].moon}`
  console.log(`${'ms'.padEnd(34)}      min      p50      p95`)
  line('known, kill -9 to event', results.known, `p95 ${goal('known')}`)
  line('serving with its state, warm', results.warm, `p95 ${goal('warm')}`)
  line('serving with its state, cold', results.cold, `p95 ${goal('cold')}`)
  const { apps, kept, startMs, found, back } = results.adopted
  line(`supervisor back, ${apps} apps`, found, goal('adopted'))
  line(`all ${apps} heard again`, back, `${kept} of ${apps} not started again`)
  console.log(`${apps} apps started in ${(startMs / 1000).toFixed(1)} s`)
  const { pm2 } = results
  if (pm2.missing !== undefined) {
    console.log(pm2.missing)
    return
  }
  line('pm2: known', pm2.known)
  line('pm2: there again, without a state', pm2.cold)
  console.log(
    `pm2: a second after its daemon was killed ${pm2.alive} of ${pm2.apps} apps live; the next one knows ${pm2.watched}`,
  )
}
