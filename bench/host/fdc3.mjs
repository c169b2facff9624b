/**
 * FDC3 between processes: `node bench/host.mjs fdc3 [--quick] [--json]`. Broker, desktop agent and two apps have a process
 * of their own; the apps use the official client. A context goes from one app's `broadcast` to the other's handler:
 * app, broker, agent, broker, app. Both read the machine's monotonic clock.
 *
 * - broadcast: one under way; from the call to the handler;
 * - stream: 64 under way; contexts that arrive in a second;
 * - intent: one under way; from `raiseIntent` to the result.
 */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
  allowPositionals: true,
})
const rounds = values.quick ? 1 : 3
const count = values.quick ? 500 : 3000
const goal = { gate: 1000, moon: 100 }

const folder = mkdtempSync(path.join(os.tmpdir(), 'pk-bench-'))
const children = []
try {
  await measure()
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

async function measure() {
  const socket = path.join(folder, 'bus.sock')
  const names = ['host/agent', 'from.1', 'to.1']
  const tokens = Object.fromEntries(names.map((name) => [name, randomBytes(32).toString('hex')]))
  await start({ role: 'broker', socket, tokens })
  await start({ role: 'agent', socket, token: tokens['host/agent'] })
  const to = await start({ role: 'to', socket, instance: 'to.1', token: tokens['to.1'] })
  const from = await start({ role: 'from', socket, instance: 'from.1', token: tokens['from.1'] })
  const all = []
  for (let round = 0; round < rounds; round += 1) {
    await ask(to, { begin: true })
    await ask(from, { broadcasts: count })
    const { broadcasts } = await ask(to, { end: count })
    await ask(to, { begin: true })
    const began = performance.now()
    await ask(from, { stream: count })
    await ask(to, { end: count })
    const perSecond = (count * 1000) / (performance.now() - began)
    const { intents } = await ask(from, { intents: count / 5 })
    all.push({ broadcasts, perSecond, intents })
  }
  report(all)
}

function report(all) {
  const at = (list, share) => [...list].sort((a, b) => a - b)[Math.floor(list.length * share)]
  const best = (name, share) => Math.round(Math.min(...all.map((it) => at(it[name], share))))
  const perSecond = Math.round(Math.max(...all.map((it) => it.perSecond)))
  const results = [
    { name: 'broadcast, p50', value: best('broadcasts', 0.5), unit: 'us', ...goal },
    { name: 'broadcast, p99', value: best('broadcasts', 0.99), unit: 'us' },
    { name: 'contexts, 64 under way', value: perSecond, unit: '/s' },
    { name: 'intent with result, p50', value: best('intents', 0.5), unit: 'us' },
  ]
  if (values.json) {
    const machine = `${os.cpus().length} x ${os.cpus()[0]?.model}`
    console.log(JSON.stringify({ results, machine }))
    return
  }
  for (const { name, value, unit, gate, moon } of results) {
    const goals = gate === undefined ? '' : `   gate ${gate}, moon ${moon}`
    console.log(`${name.padEnd(26)} ${String(value).padStart(8)} ${unit}${goals}`)
  }
}

async function start(task) {
  const child = fork(fileURLToPath(new URL('fdc3-child.mjs', import.meta.url)))
  children.push(child)
  child.send(task)
  await once(child, 'message')
  return child
}

async function ask(child, order) {
  child.send(order)
  const [answer] = await once(child, 'message')
  return answer
}
