/**
 * What a chaos run comes to: what its apps wrote of themselves, held against the journals and inboxes of the store.
 *
 * ```text
 * acts.log of a till    run <instance> | begun <key> | done <key> | heard <key> <message>
 * acts.log of the clerk run <instance> | begun <key> | done <key> <message>
 * acts.log of the tally run <instance> | from <count> | counted <count>
 * ```
 * An act is begun before it is asked for and done when it was acknowledged; each line is with the operating system before
 * the app goes on. So every key in a journal was begun, and every key that is done is in a journal. Between the two lie
 * the acts whose answer a kill took: they are done again, under the same key. What the tally counted is saved before the
 * line is there: every run begins at or after the last count, and none is counted twice.
 *
 * | fault | what it says |
 * | --- | --- |
 * | lost | acknowledged, and not in the journal of its till |
 * | doubled | a sale or the receipt of a message that stands there twice, or an order that became two messages |
 * | strange | a sale that nobody began, that another till was to ring up, or of another amount |
 * | stuck | a sale left open, a message that waits or was given up |
 * | broken | what the kernel's own verifier finds: the chain, the totals, the receipts |
 * | reused | a name that two runs of an app had |
 *
 * Not seen here: what only a power cut loses, since a kill leaves everything that was written with the operating system.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { StateStore } from '../../dist/host/state/state.js'
import { inspectJournal, verifyStore } from '../../dist/index.js'

/** Minor units of every sale. */
export const price = 320

/** The key of an act of a till, and of an order to it. */
export const keyOf = (who, count) => `${who}-${count}`

/** Holds the acts of tills and of a clerk, who orders from the tills in turn, against what is in the store, and the counts of a tally. */
export async function judge({ root, tills, clerk, tally, others = [] }) {
  const faults = []
  const fault = (kind, what) => faults.push({ kind, what })
  const acts = new Map([...tills, clerk, ...others].map((name) => [name, actsOf(root, name)]))
  const orders = acts.get(clerk)
  for (const [name, { runs }] of acts)
    for (const run of twice(runs)) fault('reused', `${run} of ${name}`)

  const journals = new Map()
  for (const till of tills) {
    const journal = await journalOf(root, till)
    if (journal.end !== undefined) fault('broken', `${till}: ${journal.end}`)
    journals.set(till, journal)
  }
  const tillOf = (key) => tills[Number(key.slice(key.lastIndexOf('-') + 1)) % tills.length]
  const wantedBy = (key, till) =>
    acts.get(till).begun.has(key) || (orders.begun.has(key) && tillOf(key) === till)

  const sold = [...journals.values()].flatMap(({ sales }) => sales.map(({ key }) => key))
  for (const key of twice(sold)) fault('doubled', `sale ${key}`)
  for (const [till, { sales, begun, last, received }] of journals) {
    const keys = new Set(sales.map(({ key }) => key))
    const ids = new Set(received)
    for (const { key, gross } of sales) {
      if (key === undefined || !wantedBy(key, till)) fault('strange', `sale ${key} in ${till}`)
      if (gross !== price) fault('strange', `sale ${key} in ${till} of ${gross}, not ${price}`)
    }
    const counted = { receipt: sales.length, totalSales: sales.length * price }
    for (const [name, value] of Object.entries(counted))
      if ((last?.[name] ?? 0) !== value) fault('broken', `${name} of ${till}: ${last?.[name]}`)
    if (begun !== sales.length) fault('stuck', `${begun - sales.length} open sales in ${till}`)
    for (const key of acts.get(till).done.keys())
      if (!keys.has(key)) fault('lost', `sale ${key} of ${till}`)
    for (const id of twice(received)) fault('doubled', `message ${id} in ${till}`)
    for (const [key, id] of orders.done) {
      if (tillOf(key) !== till) continue
      if (!ids.has(id)) fault('lost', `message ${id}, ${key}, of ${till}`)
      if (!keys.has(key)) fault('lost', `what ${key} asked of ${till}`)
    }
    for (const [key, as] of acts.get(till).heard)
      if (as.size > 1) fault('doubled', `${key}, as ${[...as].join(' and ')}`)
    for (const folder of ['new', 'dead'])
      for (const name of inbox(root, till, folder)) fault('stuck', `${till}: ${folder}/${name}`)
  }
  const { terminals } = await verifyStore({ root })
  for (const { id, problemCount, problems } of terminals)
    if (problemCount > 0) fault('broken', `${id}: ${JSON.stringify(problems[0])}`)

  const counts = tally === undefined ? 0 : await countsOf(root, tally, fault)

  const sum = (count) => tills.reduce((total, till) => total + count(acts.get(till)), 0)
  return {
    sales: sum(({ done }) => done.size),
    messages: orders.done.size,
    counts,
    /** Acts whose answer a kill took, and that were begun again. */
    retried: sum(({ retried }) => retried) + orders.retried,
    faults,
  }
}

/** Messages that tills have not received yet. */
export function waiting(root, tills) {
  return tills.flatMap((till) => inbox(root, till, 'new')).length
}

/** Where an app of the run keeps what it did. */
export function dataOf(root, name) {
  return path.join(root, 'host', 'apps', name, 'data')
}

function actsOf(root, name) {
  const acts = { runs: [], begun: new Set(), done: new Map(), heard: new Map(), retried: 0 }
  for (const line of lines(path.join(dataOf(root, name), 'acts.log'))) {
    const [what, key, id] = line.split(' ')
    if (what === 'run') acts.runs.push(key)
    if (what === 'done') acts.done.set(key, id)
    if (what === 'heard') acts.heard.set(key, (acts.heard.get(key) ?? new Set()).add(id))
    if (what !== 'begun') continue
    if (acts.begun.has(key)) acts.retried += 1
    acts.begun.add(key)
  }
  return acts
}

/** The last count of a tally, whose runs went on from each other. */
async function countsOf(root, name, fault) {
  const folder = dataOf(root, name)
  let last = 0
  for (const line of lines(path.join(folder, 'acts.log'))) {
    const [what, text] = line.split(' ')
    const count = Number(text)
    if (what === 'from' && count < last) fault('lost', `${name} began from ${count}, after ${last}`)
    if (what !== 'counted') continue
    if (count <= last) fault('doubled', `${name} counted ${count}, after ${last}`)
    last = count
  }
  const state = new StateStore(folder)
  const { value = 0 } = await state.restore()
  await state.close()
  if (value < last) fault('lost', `the state of ${name} is ${value}, after ${last}`)
  return last
}

/** What a journal holds, up to where it cannot be read. */
async function journalOf(root, terminal) {
  const journal = { sales: [], received: [], begun: 0, last: undefined, end: undefined }
  try {
    for await (const { kind, fact } of inspectJournal({ root, terminal })) {
      if (kind === 'SaleBegun') journal.begun += 1
      if (kind === 'MessageReceived') journal.received.push(fact.id)
      if (kind !== 'SaleCompleted') continue
      journal.sales.push({ key: fact.key?.text, gross: fact.gross })
      journal.last = fact
    }
  } catch (error) {
    journal.end = error.message
  }
  return journal
}

function inbox(root, till, folder) {
  const inboxes = ['shared', 'cross_terminal_messages', 'terminal_inbox']
  try {
    return readdirSync(path.join(root, ...inboxes, till, folder)).filter((it) =>
      it.endsWith('.json'),
    )
  } catch {
    return []
  }
}

/** What a list has more than once. */
function twice(list) {
  const seen = new Set()
  return new Set(list.filter((one) => seen.size === seen.add(one).size))
}

function lines(file) {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}
