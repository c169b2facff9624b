/**
 * Messages between terminal processes, beside bare Unix sockets, in one run: `node bench/messages.mjs
 * [--quick] [--json]`.
 *
 * Round trips: a transient message there and back between two terminals, and four bytes there and back
 * between two processes over `node:net`, in turns. Broadcast: transient messages from one terminal to
 * eight. Durable: a message into an inbox, received, accepted, seen as acknowledged by its sender.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openTerminal } from 'pos-kernel'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, role: { type: 'string' } },
  allowPositionals: true,
})
const trips = values.quick ? 500 : 5000
const rounds = values.quick ? 1 : 4
const broadcasts = values.quick ? 2_000 : 20_000
const durables = values.quick ? 20 : 200
const window = 256

if (values.role !== undefined) await child(values.role, process.argv.at(-2), process.argv.at(-1))
else await measure()

async function measure() {
  const root = mkdtempSync(path.join(os.tmpdir(), 'pk-bench-'))
  const children = []
  const start = async (role, id) => {
    const started = fork(fileURLToPath(import.meta.url), ['--role', role, root, id])
    children.push(started)
    await once(started, 'message')
    return started
  }
  try {
    const one = await openTerminal({ root, id: 'T0' })
    let onEcho = () => {}
    await one.messages.onMessage(() => onEcho())
    await start('echo', 'T1')
    await start('bare', 'B')
    const bare = net.connect(path.join(root, 'bare.sock'))
    await once(bare, 'connect')
    const [socketUs, messageUs] = [[], []]
    for (let round = 0; round < rounds; round += 1) {
      await timed(socketUs, trips, async () => {
        bare.write('ping')
        await once(bare, 'data')
      })
      await timed(messageUs, trips, async () => {
        const echoed = new Promise((resolve) => {
          onEcho = resolve
        })
        await one.messages.send({ to: 'T1', kind: 'x.ping', body: 1, transient: true })
        await echoed
      })
    }
    bare.destroy()
    const durableUs = []
    await timed(durableUs, durables, async () => {
      const { id } = await one.messages.send({ to: 'T1', kind: 'x.note', body: 1 })
      await one.messages.acknowledged(id, ['T1'], { timeoutMs: 60_000 })
    })
    const spread = await spreadRate(one, start)
    await one.close()
    report({ socketUs, messageUs, durableUs, spread })
  } finally {
    for (const started of children) started.kill('SIGKILL')
    rmSync(root, { recursive: true, force: true })
  }
}

async function timed(into, count, once_) {
  for (let index = 0; index < count; index += 1) {
    const began = process.hrtime.bigint()
    await once_()
    into.push(Number(process.hrtime.bigint() - began) / 1000)
  }
}

/** Messages a second that eight terminals have handled, all together. */
async function spreadRate(one, start) {
  // T1 is one of the eight.
  const counters = await Promise.all([2, 3, 4, 5, 6, 7, 8].map((n) => start('count', `T${n}`)))
  const body = { sku: 'coffee', price: 320 }
  const all = { kind: 'x.price', body, transient: true }
  await new Promise((resolve) => setTimeout(resolve, 1100))
  let least = 8
  const began = performance.now()
  for (let sent = 0; sent < broadcasts; sent += window) {
    const heard = await Promise.all(
      Array.from({ length: window }, () => one.messages.broadcast(all)),
    )
    least = Math.min(least, ...heard.map((it) => it.sent.length))
  }
  const counts = counters.map(async (counter) => {
    const told = once(counter, 'message')
    counter.send('count')
    const [count] = await told
    return count
  })
  const handled = await Promise.all(counts)
  const seconds = (performance.now() - began) / 1000
  const sent = Math.ceil(broadcasts / window) * window
  return { perSecond: Math.round((sent * 8) / seconds), least, sent, handled }
}

function report({ socketUs, messageUs, durableUs, spread }) {
  const at = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(values.length * share)]
  const both = (values) => ({ p50: Math.round(at(values, 0.5)), p99: Math.round(at(values, 0.99)) })
  const results = {
    bareSocketUs: both(socketUs),
    transientUs: both(messageUs),
    ratioP99: Number((at(messageUs, 0.99) / at(socketUs, 0.99)).toFixed(2)),
    durableAcknowledgedUs: both(durableUs),
    broadcastTo8PerSecond: spread.perSecond,
    broadcastsSent: spread.sent,
    heardByEach: Math.min(...spread.handled),
  }
  if (values.json) console.log(JSON.stringify(results))
  else console.table(results)
}

async function child(role, root, id) {
  process.on('disconnect', () => process.exit())
  if (role === 'bare') {
    const server = net.createServer((socket) => socket.on('data', (bytes) => socket.write(bytes)))
    server.listen(path.join(root, 'bare.sock'), () => process.send('ready'))
    return
  }
  const terminal = await openTerminal({ root, id })
  let count = 0
  await terminal.messages.onMessage(async (message) => {
    count += 1
    if (message.kind === 'x.ping') {
      await terminal.messages.send({ to: message.from, kind: 'x.ping', body: 1, transient: true })
    }
  })
  process.on('message', async () => {
    // What is in the socket still is handled first: until nothing came for a while.
    for (let last = -1; last !== count; ) {
      last = count
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    process.send(count)
  })
  process.send('ready')
}
