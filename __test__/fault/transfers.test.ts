/**
 * Three tills move cash and suspended sales between each other and are killed at random moments. At the
 * end every amount that left a drawer has come into exactly one, every suspended sale has gone on
 * exactly once, nothing is stuck, and the drawers add up.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { auditStore as secondVerifier } from '../../ts/auditor/index.js'
import {
  auditStore,
  checkStoreAudit,
  inspectJournal,
  openTerminal,
  type Terminal,
  verifyStore,
} from '../../ts/index.js'
import { projectRoot } from '../support/child.js'
import { chance, isLong } from './chance.js'

const ids = ['T1', 'T2', 'T3'] as const
const killsWanted = isLong ? 1000 : 12
const float = 100_000

test('cash and sales that move between tills move once, whoever is killed and when', async (t) => {
  t.timeout(3_600_000)
  const luck = chance()
  t.log(`seed ${luck.seed} (POS_KERNEL_SEED)`)
  const root = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-movers-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  for (const id of ids) await (await openTerminal({ root, id, segmentBytes: 65_536 })).close()
  const tills = new Map<string, ChildProcess>()
  t.teardown(() => {
    for (const child of tills.values()) child.kill('SIGKILL')
  })
  for (const id of ids) tills.set(id, await mover(root, id, luck.between(1, 2 ** 31)))
  for (let kills = 0; kills < killsWanted; kills += 1) {
    await delay(luck.between(0, 40))
    const id = luck.pick(ids)
    const child = tills.get(id) as ChildProcess
    t.is(child.exitCode, null, `${id} ended by itself`)
    child.kill('SIGKILL')
    tills.set(id, await mover(root, id, luck.between(1, 2 ** 31)))
  }
  for (const child of tills.values()) {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  await settle(root)
  const found = await judge(root)
  t.log(JSON.stringify({ kills: killsWanted, ...found.counts }))
  t.deepEqual(found.faults, [])
  t.true(found.counts.received > 0 && found.counts.resumed > 0)
  const report = await verifyStore({ root })
  t.true(report.ok, JSON.stringify(report))
  await agree(t, root, found.counts)
})

/** Both verifiers hold the journals against each other, and count what the test counts. */
async function agree(t: ExecutionContext, root: string, counts: Counts): Promise<void> {
  t.deepEqual((await auditStore({ root })).faults, [])
  const kernel = await checkStoreAudit({ root })
  const second = await secondVerifier({ root })
  t.true(kernel.ok, JSON.stringify(kernel.transfers))
  t.true(second.ok, JSON.stringify(second.transfers))
  for (const transfers of [kernel.transfers, second.transfers]) {
    t.like(transfers, {
      cashSent: counts.sent,
      cashReceived: counts.received,
      cashTakenBack: counts.takenBack,
      salesSuspended: counts.suspended,
      onTheirWay: [],
      unjudged: 0,
    })
    const { salesTakenOver = 0, salesResumed = 0 } = transfers ?? {}
    t.is(salesTakenOver + salesResumed, counts.resumed)
  }
}

/** Starts a till and waits until it is open. */
async function mover(root: string, id: string, seed: number): Promise<ChildProcess> {
  const others = ids.filter((other) => other !== id).join(',')
  const program = path.join(projectRoot, '__test__/fault/mover.mjs')
  const { NODE_OPTIONS: _, ...env } = process.env
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  const child = spawn(process.execPath, [program, root, id, others, String(seed)], {
    cwd: projectRoot,
    env,
    stdio: [...stdio],
  })
  await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, 'data'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${id} ended with ${code} before it was open`)
    }),
  ])
  return child
}

/** Opens every till once more and lets what is under way come to its end. */
async function settle(root: string): Promise<void> {
  const terminals: Terminal[] = []
  for (const id of ids) terminals.push(await openTerminal({ root, id }))
  for (const terminal of terminals) await terminal.collectTransfers()
  for (const terminal of terminals) {
    if (terminal.shift() === undefined) {
      await terminal.openShift({ float: [{ currency: 'EUR', amount: float }], key: 'first-shift' })
    }
    for (const { ticket, to } of await terminal.cashInTransit()) {
      if (to === terminal.id) await terminal.receiveCash(ticket, { reason: 'change' })
    }
    await finishOpen(terminal)
    // Its own alone, each finished before the next: a small terminal has few open sales.
    for (const { ticket, terminal: giver } of await terminal.suspendedSales()) {
      if (giver !== terminal.id) continue
      await terminal.resume(ticket)
      await finishOpen(terminal)
    }
  }
  for (const terminal of terminals) await terminal.collectTransfers()
  for (const terminal of terminals) await terminal.close()
}

/** Completes whatever is open and does not wait. */
async function finishOpen(terminal: Terminal): Promise<void> {
  for (const sale of terminal.openSales()) {
    if (sale.summary().state === 'suspended') continue
    if (sale.lines().length === 0) {
      await sale.void({ reason: 'empty' })
      continue
    }
    const { due } = sale.totals()
    if (due > 0) await sale.tender({ kind: 'cash', amount: due })
    await sale.complete()
  }
}

interface Counts {
  sent: number
  received: number
  takenBack: number
  suspended: number
  resumed: number
  completed: number
}

/** The fields that are looked at. */
interface FactOfTill {
  readonly sale?: number
  readonly ticket?: string
  readonly amount?: number
  readonly transfer?: { readonly leg: string; readonly terminal: string; readonly sent?: number }
  readonly takes?: { readonly ticket: string }
}

/** Reads the journals and the logs, and says what does not fit. */
async function judge(root: string): Promise<{ counts: Counts; faults: string[] }> {
  const faults: string[] = []
  const counts: Counts = {
    sent: 0,
    received: 0,
    takenBack: 0,
    suspended: 0,
    resumed: 0,
    completed: 0,
  }
  const sent = new Map<string, number>()
  const ended = new Map<string, string[]>()
  const end = (ticket: string, how: string) => {
    ended.set(ticket, [...(ended.get(ticket) ?? []), how])
  }
  const waiting = new Set<string>()
  const goneOn = new Map<string, number>()
  let takings = 0
  for (const id of ids) {
    const completedSales = new Set<unknown>()
    const begun = new Map<unknown, string>()
    for await (const record of inspectJournal({ root, terminal: id })) {
      if (!('kind' in record) || record.fact === undefined) continue
      const { kind, sequence } = record
      const fact = record.fact as FactOfTill
      if (kind === 'CashMoved' && fact.transfer !== undefined && fact.transfer !== null) {
        const { leg, terminal, sent: of } = fact.transfer
        const ticket = `${leg === 'received' ? terminal : id}.cash.${of ?? sequence}`
        counts[leg as 'sent' | 'received' | 'takenBack'] += 1
        if (leg === 'sent') sent.set(ticket, Number(fact.amount))
        else end(ticket, `${leg} ${String(fact.amount)}`)
      }
      if (kind === 'SaleSuspended') {
        counts.suspended += 1
        waiting.add(String(fact.ticket))
      }
      if (kind === 'SaleResumed' || (kind === 'SaleBegun' && fact.takes !== undefined)) {
        const ticket = kind === 'SaleResumed' ? String(fact.ticket) : String(fact.takes?.ticket)
        counts.resumed += 1
        goneOn.set(ticket, (goneOn.get(ticket) ?? 0) + 1)
        begun.set(fact.sale, ticket)
      }
      if (kind === 'SaleCompleted') {
        counts.completed += 1
        takings += 250
        if (completedSales.has(fact.sale)) faults.push(`${id}: sale ${String(fact.sale)} twice`)
        completedSales.add(fact.sale)
      }
    }
  }
  for (const [ticket, amount] of sent) {
    const ways = ended.get(ticket) ?? []
    if (ways.length === 0) faults.push(`stuck: ${ticket}`)
    if (ways.length > 1) faults.push(`doubled: ${ticket} ${ways.join(', ')}`)
    const isSame = ways.every((way) => way.endsWith(` ${amount}`))
    if (!isSame) faults.push(`changed: ${ticket} ${amount} ${ways.join(', ')}`)
  }
  for (const ticket of ended.keys()) {
    if (!sent.has(ticket)) faults.push(`from nowhere: ${ticket}`)
  }
  for (const ticket of waiting) {
    const times = goneOn.get(ticket) ?? 0
    if (times !== 1) faults.push(`${times === 0 ? 'stuck' : 'doubled'}: ${ticket} ${times}`)
  }
  for (const id of ids) {
    const log = path.join(root, `${id}.log`)
    const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []
    for (const line of lines) {
      const [what, ticket = ''] = line.split(' ')
      if (what === 'sent' && !sent.has(ticket)) faults.push(`lost: ${line}`)
      if (what === 'received' && !ended.has(ticket)) faults.push(`lost: ${line}`)
      if (what === 'suspended' && !waiting.has(ticket)) faults.push(`lost: ${line}`)
      if (what === 'resumed' && !goneOn.has(ticket)) faults.push(`lost: ${line}`)
    }
  }
  let drawers = 0
  for (const id of ids) {
    const terminal = await openTerminal({ root, id })
    drawers += terminal.shift()?.drawer[0]?.expected ?? 0
    await terminal.close()
  }
  if (drawers !== ids.length * float + takings) {
    faults.push(`the drawers hold ${drawers}, not ${ids.length * float + takings}`)
  }
  for (const folder of ['claims', 'transit', 'suspended']) {
    const dir = path.join(root, 'shared', folder)
    const left = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.json')) : []
    if (left.length > 0) faults.push(`left in ${folder}: ${left.join(', ')}`)
  }
  return { counts, faults }
}
