/**
 * One of the processes that race for a terminal. It lives for many rounds; the race tells it over
 * its channel when to run and when to stop, and may kill it at any moment.
 *
 * While it owns the terminal it holds a marker file that it created exclusively and writes one line
 * when it begins and one when it ends: two witnesses that know nothing of the terminal's lock.
 */
import { appendFileSync, closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { openTerminal, openTerminalSync } from 'pos-kernel'

/** How long a dead owner may still look alive: the lock is freed before the process is gone. */
const dyingMs = 2000

const cart = (reference) => ({
  store: 'RACE',
  currency: 'EUR',
  reference,
  lines: [{ sku: 'flag', quantity: 1, unitPrice: 100 }],
  tenders: [{ kind: 'cash', amount: 100 }],
})

let isRunning = false
let release = () => undefined

process.on('disconnect', () => process.exit(0))
process.on('message', (message) => {
  if (message.kind === 'go') race(message).catch(giveUp)
  else if (message.kind === 'stop') isRunning = false
  else if (message.kind === 'release') release()
})
process.send({ kind: 'here' })

async function race({ root, id, isSync }) {
  isRunning = true
  let refusals = 0
  while (isRunning) {
    let terminal
    try {
      const options = { root, id, durability: 'sale', segmentBytes: 256 * 1024 }
      terminal = isSync ? openTerminalSync(options) : await openTerminal(options)
    } catch (error) {
      if (error.code !== 'PK_E_TERMINAL_IN_USE') throw error
      refusals += 1
      // Seven who never pause would leave the owner no processor to come to its end on.
      await (refusals % 4 === 0 ? delay(Math.random() * 3) : nextTurn())
      continue
    }
    await own(terminal, root, id)
  }
  process.send({ kind: 'idle', refusals })
}

async function own(terminal, root, id) {
  const { epoch } = terminal.recovery
  const marker = path.join(root, `${id}.marker`)
  const witness = path.join(root, `${id}.owners`)
  await plant(marker)
  appendFileSync(witness, `begin ${process.pid} ${epoch}\n`)
  const released = new Promise((resolve) => {
    release = resolve
  })
  process.send({ kind: 'won', epoch })
  const reference = `${process.pid}-${epoch}`
  await terminal.sell(cart(reference))
  appendFileSync(witness, `sold ${process.pid} ${epoch}\n`)
  await released
  await terminal.sell(cart(`${reference}-last`))
  appendFileSync(witness, `end ${process.pid} ${epoch}\n`)
  unlinkSync(marker)
  await terminal.close()
}

/** Creates the marker. One that stands there must belong to an owner that was killed. */
async function plant(marker) {
  for (;;) {
    try {
      const file = openSync(marker, 'wx')
      writeSync(file, String(process.pid))
      closeSync(file)
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const until = performance.now() + dyingMs
    while (isAlive(ownerOf(marker))) {
      if (performance.now() > until) throw new Error(`two owners: ${ownerOf(marker)} lives`)
      await delay(1)
    }
    unlinkSync(marker)
  }
}

/** Throws when the marker is gone, which only a living owner can have done. */
function ownerOf(marker) {
  return Number(readFileSync(marker, 'utf8'))
}

function isAlive(pid) {
  // A marker that was created and not written yet has no pid: its owner was killed in between.
  if (pid === 0) return false
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  } catch {
    return process.platform !== 'linux'
  }
}

function giveUp(error) {
  process.send({ kind: 'failed', message: error.stack ?? String(error) }, () => process.exit(1))
}
