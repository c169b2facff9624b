/**
 * Journals that are sound one by one and do not fit together, before both verifiers. They are forged by
 * copies: a till that went back to an earlier copy of its journal goes on otherwise, with every
 * checksum and link right.
 */
import { cpSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { auditStore, type TransferAudit } from '../../ts/auditor/index.js'
import {
  checkStoreAudit,
  auditStore as merge,
  openTerminal,
  type StoreTransfers,
  type Terminal,
  verifyStore,
} from '../../ts/index.js'
import { posKernel } from '../support/child.js'
import { tempStore } from '../support/store.js'

const ids = ['A', 'B', 'C'] as const
type Id = (typeof ids)[number]

/** A store of three tills, each open only while it does something. */
class Shop {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  static async of(t: ExecutionContext): Promise<Shop> {
    const shop = new Shop(tempStore(t))
    const float = ['EUR', 'USD'].map((currency) => ({ currency, amount: 10_000 }))
    for (const id of ids) await shop.at(id, (till) => till.openShift({ float }))
    return shop
  }

  async at<T>(id: Id, work: (till: Terminal) => Promise<T>): Promise<T> {
    await using till = await openTerminal({ root: this.root, id, segmentBytes: 65_536 })
    return await work(till)
  }

  async send(from: Id, to: Id, currency: string, amount: number): Promise<string> {
    const money = { to, currency, amount, reason: 'change' }
    return (await this.at(from, (till) => till.sendCash(money))).ticket
  }

  async receive(id: Id, ticket: string): Promise<void> {
    await this.at(id, (till) => till.receiveCash(ticket, { reason: 'change' }))
  }

  async suspend(id: Id, unitPrice: number): Promise<string> {
    return this.at(id, async (till) => {
      const sale = await till.begin({ store: 'shop', currency: 'EUR' })
      await sale.addLine({ sku: 'bread', quantity: 1, unitPrice })
      return (await sale.suspend({ reason: 'purse' })).ticket
    })
  }

  async resume(id: Id, ticket: string): Promise<void> {
    await this.at(id, (till) => till.resume(ticket))
  }

  async collect(id: Id): Promise<void> {
    await this.at(id, (till) => till.collectTransfers())
  }

  journal(id: Id): string {
    return path.join(this.root, 'terminals', id, 'transaction.wal')
  }

  /** Keeps a journal as it is now, and gives what puts it back and takes the claims away. */
  copy(id: Id): () => void {
    const kept = path.join(this.root, `kept-${id}`)
    cpSync(this.journal(id), kept, { recursive: true })
    return () => {
      rmSync(this.journal(id), { recursive: true })
      cpSync(kept, this.journal(id), { recursive: true })
      this.forget()
    }
  }

  /** Takes away what the terminals tell each other beside their journals. */
  forget(): void {
    for (const folder of ['claims', 'transit', 'suspended']) {
      rmSync(path.join(this.root, 'shared', folder), { recursive: true, force: true })
    }
  }

  /** What both verifiers say, which is the same, of journals that are each sound by themselves. */
  async judged(t: ExecutionContext): Promise<TransferAudit> {
    const { root } = this
    t.true((await verifyStore({ root })).ok)
    await merge({ root })
    const kernel = await checkStoreAudit({ root })
    const { ok, terminals, transfers } = await auditStore({ root })
    t.true(terminals.every((audit) => audit.ok))
    if (transfers === undefined) throw new Error('the journals were not held against each other')
    t.deepEqual(compared(transfers), compared(kernel.transfers))
    t.is(ok, transfers.problemCount === 0)
    t.is(kernel.ok, ok)
    t.is(kernel.problemCount, transfers.problemCount)
    return transfers
  }
}

/** Everything but sentences, codes and what only one of them counts. */
function compared(transfers: TransferAudit | StoreTransfers) {
  const { problems, problemCount: _, ...counts } = { problemCount: 0, ...transfers }
  const places = problems.map(({ terminal, sequence, ticket, fault }) => {
    return { terminal, sequence, ticket, fault }
  })
  return { ...counts, problems: places }
}

const faults = ({ problems }: TransferAudit) =>
  problems.map(({ terminal, ticket, fault }) => `${terminal} ${ticket} ${fault}`)

test('what moved once is in order, and what is on its way is listed with its sum', async (t) => {
  const shop = await Shop.of(t)
  const received = await shop.send('A', 'B', 'EUR', 2_500)
  const back = await shop.send('A', 'C', 'USD', 100)
  const first = await shop.send('A', 'B', 'EUR', 10)
  const second = await shop.send('C', 'B', 'EUR', 15)
  await shop.receive('B', received)
  await shop.receive('A', back)
  const over = await shop.suspend('A', 250)
  const here = await shop.suspend('A', 250)
  const waits = await shop.suspend('A', 250)
  await shop.resume('B', over)
  await shop.resume('A', here)
  const found = await shop.judged(t)
  t.deepEqual(faults(found), [])
  t.like(found, { cashSent: 4, cashReceived: 1, cashTakenBack: 1, unjudged: 0 })
  t.like(found, { salesSuspended: 3, salesTakenOver: 1, salesResumed: 1 })
  t.deepEqual(
    found.onTheirWay.map(({ ticket }) => ticket),
    [first, second, waits],
  )
  t.deepEqual(found.cashOnItsWay, [{ currency: 'EUR', count: 2, amount: 25 }])
  const told = await posKernel(['store', 'audit', '--verify', '--root', shop.root])
  t.is(told.code, 0, told.stdout)
  t.regex(told.stdout, /on its way: EUR 10 from A to B, A\.cash\.\d+, /)
  t.regex(told.stdout, /on its way in all: EUR 25 in 2 amounts/)
})

test('what was received and never sent, or twice, is found by both', async (t) => {
  const shop = await Shop.of(t)
  const before = shop.copy('A')
  const never = await shop.send('A', 'B', 'EUR', 2_500)
  await shop.receive('B', never)
  before()
  t.deepEqual(faults(await shop.judged(t)), [`B ${never} unsent`])
  const told = await posKernel(['store', 'audit', '--verify', '--root', shop.root])
  t.is(told.code, 1)
  t.regex(told.stdout, /B: record \d+: PK_E_TRANSFER_CONTRADICTED: A\.cash\.\d+: /)
  const twice = await shop.send('C', 'B', 'EUR', 300)
  await shop.receive('B', twice)
  shop.forget()
  await shop.receive('B', twice)
  t.deepEqual(faults(await shop.judged(t)), [`B ${never} unsent`, `B ${twice} twice`])
})

test('what changed on its way, or came where it was not sent, is found by both', async (t) => {
  for (const [to, currency, amount, fault] of [
    ['B', 'EUR', 200, 'changed'],
    ['B', 'USD', 300, 'changed'],
    ['C', 'EUR', 300, 'elsewhere'],
  ] as const) {
    const shop = await Shop.of(t)
    const before = shop.copy('A')
    const ticket = await shop.send('A', 'B', 'EUR', 300)
    await shop.receive('B', ticket)
    before()
    t.is(await shop.send('A', to, currency, amount), ticket)
    t.deepEqual(faults(await shop.judged(t)), [`B ${ticket} ${fault}`])
  }
})

test('a sale that went on twice, was another one, or was never handed over is found by both', async (t) => {
  const shop = await Shop.of(t)
  const before = shop.copy('A')
  const ticket = await shop.suspend('A', 250)
  await shop.resume('B', ticket)
  shop.forget()
  await shop.resume('C', ticket)
  t.deepEqual(faults(await shop.judged(t)), [`C ${ticket} twice`])
  before()
  rmSync(path.join(shop.root, 'shared/aggregated_audit.log'))
  t.deepEqual(faults(await shop.judged(t)), [
    `B ${ticket} unsent`,
    `C ${ticket} unsent`,
    `C ${ticket} twice`,
  ])
  rmSync(path.join(shop.root, 'shared/aggregated_audit.log'))
  t.is(await shop.suspend('A', 100), ticket, 'the same number and place, and another price')
  t.deepEqual(faults(await shop.judged(t)), [
    `B ${ticket} changed`,
    `C ${ticket} changed`,
    `C ${ticket} twice`,
  ])
})

test('what its giver believes to have arrived, and nobody took, is found by both', async (t) => {
  const shop = await Shop.of(t)
  const cash = await shop.send('A', 'B', 'EUR', 300)
  const sale = await shop.suspend('A', 250)
  const before = shop.copy('B')
  await shop.receive('B', cash)
  await shop.resume('B', sale)
  await shop.collect('A')
  before()
  const found = await shop.judged(t)
  t.deepEqual(faults(found).sort(), [`A ${cash} untaken`, `A ${sale} untaken`].sort())
  t.deepEqual(found.onTheirWay, [])
})

test('a journal that is gone has sent nothing, and one whose archive is away is not judged', async (t) => {
  const shop = await Shop.of(t)
  const ticket = await shop.send('A', 'B', 'EUR', 300)
  await shop.receive('B', ticket)
  const wide = { sku: 'bread', text: 'wide '.repeat(50), quantity: 1, unitPrice: 100 }
  const tenders = [{ kind: 'cash', amount: 400 }] as const
  const lines = [wide, wide, wide, wide]
  await shop.at('A', async (till) => {
    for (let sale = 0; sale < 100; sale += 1) {
      await till.sell({ store: 'shop', currency: 'EUR', lines, tenders })
    }
  })
  const moved = await posKernel(['archive', '--root', shop.root, '--terminal', 'A'])
  t.is(moved.code, 0, moved.stderr)
  const { root } = shop
  t.like(await auditStore({ root }), { ok: true, transfers: { cashSent: 1, unjudged: 0 } })
  renameSync(path.join(root, 'archive'), path.join(root, 'away'))
  t.like((await auditStore({ root })).transfers, { cashSent: 0, unjudged: 1, problemCount: 0 })
  const archive = path.join(root, 'away')
  t.like((await auditStore({ root, archive })).transfers, { cashSent: 1, unjudged: 0 })
  rmSync(path.join(root, 'terminals/A'), { recursive: true })
  const { ok, transfers } = await auditStore({ root })
  t.false(ok)
  t.deepEqual(faults(transfers as TransferAudit), [`B ${ticket} gone`])
  t.is((await auditStore({ root, terminal: 'B' })).transfers, undefined, 'one terminal alone')
})

test('beside tills that move cash the second verifier finds nothing', async (t) => {
  const shop = await Shop.of(t)
  const { root } = shop
  await using a = await openTerminal({ root, id: 'A' })
  await using b = await openTerminal({ root, id: 'B' })
  let isDone = false
  const moving = (async () => {
    for (let round = 0; round < 60; round += 1) {
      for (const [giver, taker] of [[a, b] as const, [b, a] as const]) {
        const money = { to: taker.id, currency: 'EUR', amount: 5, reason: 'change' }
        const { ticket } = await giver.sendCash(money)
        await taker.receiveCash(ticket, { reason: 'change' })
        await giver.collectTransfers()
      }
    }
  })().finally(() => {
    isDone = true
  })
  let audits = 0
  while (!isDone) {
    const { transfers } = await auditStore({ root })
    t.deepEqual(transfers && faults(transfers), [])
    audits += 1
  }
  await moving
  t.log(`${audits} audits beside 120 transfers`)
  t.like((await auditStore({ root })).transfers, { cashReceived: 120, onTheirWay: [] })
})
