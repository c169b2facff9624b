/**
 * The bus beside a bare Unix socket, in one run: `node bench/host.mjs bus [--quick] [--json]`.
 *
 * Everything is between processes: the broker as the host starts it, and apps with the client of the package. Payloads
 * have 100 bytes. `bare` is one process that echoes the same frames over a socket of its own, without a broker.
 *
 * - round trips: one request under way, there and back: app, broker, app, broker, app;
 * - echoes: 256 requests under way;
 * - messages: 256 sends under way, each acknowledged by the broker;
 * - frames: bare peers that write and count frames by hand, so that the broker is what is measured;
 * - deliveries: one app publishes to four;
 * - neighbours: round trips while a fourth process writes frames as fast as it can to a receiver that has no room.
 */
import { fork, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Channel, jsonBytes } from '../../dist/host/wire/channel.js'
import { frameBytes, Kind } from '../../dist/host/wire/frame.js'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
  allowPositionals: true,
})
const rounds = values.quick ? 1 : 3
const seconds = values.quick ? 0.3 : 1.5
const goals = { frames: { gate: 60_000, moon: 500_000 }, neighbours: { gate: 2, moon: 1.2 } }
const profiled = process.env.POS_KERNEL_PROFILE === 'broker' ? ['--cpu-prof'] : []

const folder = mkdtempSync(path.join(os.tmpdir(), 'pk-bench-'))
const children = []
try {
  await measure()
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

async function measure() {
  const names = ['a.1', 'b.1', 'c.1', 'd.1', 'e.1', 'raw.1', 'sink.1', 'flood.1']
  const tokens = new Map(names.map((name) => [name, randomBytes(32).toString('hex')]))
  const broker = await startBroker(tokens)
  const socket = path.join(folder, 'bus.sock')
  const app = (role, name) => start({ role, socket, instance: name, token: tokens.get(name) })
  const bareServer = await start({ role: 'bare-server', socket: path.join(folder, 'bare.sock') })
  const bareClient = await start({ role: 'bare-client', socket: path.join(folder, 'bare.sock') })
  const a = await app('app', 'a.1')
  const hearers = []
  for (const name of ['b.1', 'c.1', 'd.1', 'e.1']) hearers.push(await app('app', name))
  const sink = await app('raw-sink', 'sink.1')
  const raw = await app('raw-source', 'raw.1')
  const flood = await app('raw-source', 'flood.1')
  const results = { bareTrips: [], busTrips: [], bare: [], echoes: [], messages: [], frames: [] }
  const more = { deliveries: [], quiet: [], flooded: [], floodFrames: [] }
  for (let round = 0; round < rounds; round += 1) {
    results.bareTrips.push(await ask(bareClient, { trips: seconds }))
    results.busTrips.push(await ask(a, { trips: seconds, to: 'b.1' }))
    results.bare.push(await ask(bareClient, { echoes: seconds }))
    results.echoes.push(await ask(a, { echoes: seconds, to: 'b.1' }))
    results.messages.push(await ask(a, { messages: seconds, to: 'b.1' }))
    for (const hearer of hearers) await ask(hearer, { counting: true })
    const { ms } = await ask(a, { publishes: seconds, topic: 'price' })
    const heard = await Promise.all(hearers.map((hearer) => ask(hearer, { counted: true })))
    const all = heard.reduce((sum, { count }) => sum + count, 0)
    more.deliveries.push({ perSecond: (all * 1000) / ms })
    await ask(sink, { counting: true })
    const began = performance.now()
    await ask(raw, { write: seconds, to: 'sink.1' })
    const { count } = await ask(sink, { counted: true })
    results.frames.push((count * 1000) / (performance.now() - began))
    more.quiet.push(await ask(a, { trips: seconds, to: 'b.1' }))
    const flooding = ask(flood, { write: seconds * 2, to: 'flood.1' })
    await new Promise((resolve) => setTimeout(resolve, seconds * 250))
    more.flooded.push(await ask(a, { trips: seconds, to: 'b.1' }))
    more.floodFrames.push((await flooding).perSecond)
  }
  bareServer.kill()
  broker.kill('SIGTERM')
  await once(broker, 'exit')
  report({ ...results, ...more })
}

function report(it) {
  const best = (list) => Math.round(Math.max(...list))
  const trip = (list) => {
    const p50 = Math.min(...list.map((round) => round.p50))
    const p99 = Math.min(...list.map((round) => round.p99))
    return { p50, p99 }
  }
  const rates = (list) => best(list.map(({ perSecond }) => perSecond))
  const { frames, neighbours } = goals
  const [quiet, flooded] = [trip(it.quiet), trip(it.flooded)]
  const results = {
    'round trip, bare, us': trip(it.bareTrips),
    'round trip, bus, us': trip(it.busTrips),
    'echoes/s, bare': { measured: rates(it.bare) },
    'echoes/s, bus': { measured: rates(it.echoes) },
    'messages/s, bus': { measured: rates(it.messages), ...frames },
    'frames/s, broker': { measured: best(it.frames), ...frames },
    'deliveries/s to 4': { measured: rates(it.deliveries) },
    'round trip, quiet, us': quiet,
    'round trip, beside a flood, us': flooded,
    'neighbours p99, times': {
      measured: Number((flooded.p99 / quiet.p99).toFixed(2)),
      ...neighbours,
    },
    'frames/s of the flood': { measured: best(it.floodFrames) },
  }
  if (values.json) console.log(JSON.stringify(results))
  else console.table(results)
}

/** The broker's process, and what the supervisor says to it. */
async function startBroker(tokens) {
  const control = path.join(folder, 'control.sock')
  const server = net.createServer()
  server.listen(control)
  await once(server, 'listening')
  server.unref()
  const main = fileURLToPath(new URL('../../dist/host/bus/broker-main.js', import.meta.url))
  const child = spawn(process.execPath, [...profiled, main], {
    env: { ...process.env, POS_KERNEL_HOST_FD: '3' },
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  children.push(child)
  const sockets = { control, bus: path.join(folder, 'bus.sock') }
  child.stdio[3].end(JSON.stringify({ instance: 'host/broker', token: 'token', sockets }))
  const [connection] = await once(server, 'connection')
  connection.unref()
  const channel = new Channel(connection, {})
  channel.send(frameBytes(Kind.welcome, 0, '', jsonBytes({ protocol: 1, epoch: 1 })))
  const hash = (token) => createHash('sha256').update(token).digest('hex')
  const peers = [...tokens].map(([instance, token]) => ({ instance, tokenHash: hash(token) }))
  await channel.request('identities', jsonBytes({ peers, apps: [] }))
  return child
}

async function start(task) {
  const child = fork(fileURLToPath(new URL('bus-child.mjs', import.meta.url)), {
    execArgv: process.env.POS_KERNEL_PROFILE === task.instance ? ['--cpu-prof'] : [],
  })
  children.push(child)
  child.send(task)
  await once(child, 'message')
  return child
}

async function ask(child, order) {
  const answer = once(child, 'message')
  child.send(order)
  const [result] = await answer
  return result
}
