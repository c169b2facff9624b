/**
 * The apps of the chaos run, one by its first argument. What was begun and what was acknowledged is in `acts.log`, a line
 * each, which a kill does not take back.
 *
 * `teller`: a terminal that sells for ever, and rings up every order that it is sent. `clerk`: writes orders to all
 * terminals as durable messages. `echo` answers on the bus, `caller` asks it.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readBootstrap } from '../../dist/host/app/bootstrap.js'
import { HostApp } from '../../dist/host/app/host-app.js'
import { connectHost } from '../../dist/host/app/index.js'
import { connectBus } from '../../dist/host/bus/client.js'
import { letterOf } from '../../dist/host/bus/letter.js'
import { openTerminal } from '../../dist/index.js'

const cart = {
  store: 'chaos',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 1, unitPrice: 320 }],
  tenders: [{ kind: 'cash', amount: 500 }],
}

const [, , role, ...rest] = process.argv
const roles = { teller, clerk, echo, caller }
await roles[role](...rest)

async function teller(pauseMs) {
  const host = await connectHost()
  const acts = actsIn(host.dataFolder)
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
    await terminal.sell({ ...cart, key: letter.key })
  })
  host.ready()
  for (let { count } = acts; !isOver; count += 1) {
    const key = `${id}-${count}`
    acts.add(`begun ${key}`)
    try {
      await terminal.sell({ ...cart, key })
    } catch (error) {
      if (isOver) return
      throw error
    }
    acts.add(`done ${key}`)
    await delay(Number(pauseMs))
  }
}

async function clerk(pauseMs, ...terminals) {
  const { host, bus } = await onBus()
  const acts = actsIn(host.dataFolder)
  host.ready()
  for (let { count } = acts; !host.isDraining; count += 1) {
    const key = `order-${count}`
    acts.add(`begun ${key}`)
    for (let isSent = false; !isSent; ) {
      try {
        await bus.post(terminals[count % terminals.length], 'x.order', { count }, { key })
        isSent = true
      } catch {
        if (host.isDraining) return
        await delay(20)
      }
    }
    acts.add(`done ${key}`)
    await delay(Number(pauseMs))
  }
}

async function echo() {
  const { host, bus } = await onBus()
  bus.onRequest((payload) => payload)
  host.ready()
}

async function caller(pauseMs) {
  const { host, bus } = await onBus()
  const acts = actsIn(host.dataFolder)
  host.ready()
  let answered = 0
  let failed = 0
  let told = performance.now()
  for (;;) {
    try {
      const answer = await bus.request('echo', Buffer.from(`${answered}`), { timeoutMs: 1000 })
      if (answer.toString() !== `${answered}`) acts.add(`wrong ${answer} ${answered}`)
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

async function onBus() {
  const boot = readBootstrap()
  const host = new HostApp(boot, true)
  await host.connect()
  const { instance, token, sockets } = boot
  const bus = await connectBus({ socket: sockets.bus, instance, token, connectMs: 60_000 })
  return { host, bus }
}

/** The acts of an app: the next number is that of an act that was begun and not done, or a new one. */
function actsIn(folder) {
  const file = path.join(folder, 'acts.log')
  let lines = []
  try {
    lines = readFileSync(file, 'utf8').split('\n')
  } catch {
    // The first run.
  }
  const done = lines.filter((line) => line.startsWith('done '))
  return { count: done.length, add: (line) => appendFileSync(file, `${line}\n`) }
}
