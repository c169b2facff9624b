/**
 * The apps of the chaos run, one by its first argument. What was begun and what was acknowledged is in `acts.log`, a line
 * each, which a kill does not take back; `served` holds the run that did its work last, and when. What the lines say is in
 * `chaos-verdict.mjs`.
 *
 * `teller`: a terminal that sells for ever, and rings up every order that it is sent. `clerk`: writes orders to all
 * terminals as durable messages. `echo` answers on the bus, `caller` asks it. `tally` counts, and its state is its count.
 */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readBootstrap } from '../../dist/host/app/bootstrap.js'
import { HostApp } from '../../dist/host/app/host-app.js'
import { connectHost } from '../../dist/host/app/index.js'
import { connectBus } from '../../dist/host/bus/client.js'
import { letterOf } from '../../dist/host/bus/letter.js'
import { openTerminal } from '../../dist/index.js'
import { keyOf, price } from './chaos-verdict.mjs'

/** Milliseconds between two notes of having served. */
const servedMs = 50

const cart = {
  store: 'chaos',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 1, unitPrice: price }],
  tenders: [{ kind: 'cash', amount: 500 }],
}

const [, , role, ...rest] = process.argv
const roles = { teller, clerk, echo, caller, tally }
await roles[role](...rest)

async function teller(pauseMs) {
  const host = await connectHost()
  const acts = actsOf(host)
  const { root, terminal: id } = host.register
  const terminal = await openTerminal({ root, id })
  let isOver = false
  host.onDrain(async () => {
    isOver = true
    await terminal.close()
  })
  await terminal.messages.onMessage(async (message) => {
    const letter = letterOf(message)
    if (letter === undefined) return
    acts.add(`heard ${letter.key} ${message.id}`)
    await terminal.sell({ ...cart, key: letter.key })
  })
  host.ready()
  for (let { count } = acts; !isOver; count += 1) {
    const key = keyOf(id, count)
    acts.add(`begun ${key}`)
    try {
      await terminal.sell({ ...cart, key })
    } catch (error) {
      if (isOver) return
      throw error
    }
    acts.add(`done ${key}`)
    acts.served()
    await delay(Number(pauseMs))
  }
}

async function clerk(pauseMs, ...terminals) {
  const { host, bus } = await onBus()
  const acts = actsOf(host)
  host.ready()
  for (let { count } = acts; !host.isDraining; count += 1) {
    const key = keyOf('order', count)
    acts.add(`begun ${key}`)
    let posted
    while (posted === undefined) {
      try {
        posted = await bus.post(terminals[count % terminals.length], 'x.order', { count }, { key })
      } catch {
        if (host.isDraining) return
        await delay(20)
      }
    }
    acts.add(`done ${key} ${posted.id}`)
    acts.served()
    await delay(Number(pauseMs))
  }
}

async function echo() {
  const { host, bus } = await onBus()
  const acts = actsOf(host)
  bus.onRequest((payload) => {
    acts.served()
    return payload
  })
  host.ready()
}

async function caller(pauseMs) {
  const { host, bus } = await onBus()
  const acts = actsOf(host)
  host.ready()
  let answered = 0
  let failed = 0
  let told = performance.now()
  for (let count = 0; ; count += 1) {
    // No two questions are the same: the answer to an earlier one is a wrong one.
    const question = `${host.instance} ${count}`
    try {
      const answer = await bus.request('echo', Buffer.from(question), { timeoutMs: 1000 })
      if (answer.toString() === question) acts.served()
      else acts.add(`wrong ${answer} ${question}`)
      answered += 1
    } catch {
      failed += 1
    }
    if (performance.now() - told > 500) {
      acts.add(`calls ${answered} ${failed}`)
      told = performance.now()
      answered = 0
      failed = 0
    }
    await delay(Number(pauseMs))
  }
}

async function tally(pauseMs) {
  const host = await connectHost()
  const acts = actsOf(host)
  const { value = 0 } = await host.state.restore()
  acts.add(`from ${value}`)
  let count = value
  host.state.keep(() => count)
  host.onDrain(() => working)
  const working = work()
  host.ready()

  async function work() {
    while (!host.isDraining) {
      count += 1
      await host.state.save(count)
      acts.add(`counted ${count}`)
      acts.served()
      await delay(Number(pauseMs))
    }
  }
}

async function onBus() {
  const boot = readBootstrap()
  const host = new HostApp(boot, true)
  await host.connect()
  const { instance, token, sockets } = boot
  const bus = await connectBus({ socket: sockets.bus, instance, token, connectMs: 60_000 })
  return { host, bus }
}

/** The acts of an app: the next number is that of an act that was begun and not done, or a new one. */
function actsOf({ dataFolder, instance }) {
  const file = path.join(dataFolder, 'acts.log')
  let lines = []
  try {
    lines = readFileSync(file, 'utf8').split('\n')
  } catch {
    // The first run.
  }
  const done = lines.filter((line) => line.startsWith('done '))
  const add = (line) => appendFileSync(file, `${line}\n`)
  add(`run ${instance}`)
  let last = 0
  return {
    count: done.length,
    add,
    served: () => {
      const now = Date.now()
      if (now - last < servedMs) return
      last = now
      const served = path.join(dataFolder, 'served')
      writeFileSync(`${served}.next`, `${instance} ${now}`)
      renameSync(`${served}.next`, served)
    },
  }
}
