/** Stores that the real kernel wrote, with everything in them that a journal can hold. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Readable } from 'node:stream'
import {
  type BeginInput,
  type Cart,
  type LineInput,
  openTerminal,
  type Terminal,
} from '../../ts/index.js'
import { type Chance, isLong } from '../fault/chance.js'
import { ended, projectRoot } from '../support/child.js'

const smallest = 65_536
const base = { sku: 'BASE', quantity: 3, unitPrice: 250 }

/** The folder of a terminal's journal. */
export function journalOf(root: string, id = 'T1'): string {
  return path.join(root, 'terminals', id, 'transaction.wal')
}

/** Makes a store of the journal that every version must read; its folder comes out. */
export function goldenStore(root: string): string {
  const folder = journalOf(root, 'REGISTER_01')
  mkdirSync(path.dirname(folder), { recursive: true })
  cpSync(path.join(projectRoot, 'crates/kernel/tests/data/v1'), folder, { recursive: true })
  return folder
}

/** Opens a terminal of small segments. */
export function openSmall(root: string, id = 'T1'): Promise<Terminal> {
  return openTerminal({ root, id, segmentBytes: smallest, durability: 'sale' })
}

/** Sales of every kind on one terminal, chosen by luck. */
export class Rush {
  readonly #terminal: Terminal
  readonly #luck: Chance
  #count = 0

  constructor(terminal: Terminal, luck: Chance) {
    this.#terminal = terminal
    this.#luck = luck
    this.#count = terminal.status().sequence
  }

  /** One more: rung up at once or step by step, a return, voided, declined, or left open. */
  async sale(): Promise<void> {
    this.#count += 1
    const luck = this.#luck
    const shop = {
      store: 'STORE_001',
      currency: luck.pick(['EUR', 'EUR', 'KWD', 'JPY']),
      reference: luck.happens(0.5) ? `R${this.#count}` : undefined,
      key: luck.happens(0.3) ? `key-${this.#count}` : undefined,
    }
    const line = {
      sku: `SKU${luck.between(1, 30)}`,
      text: luck.happens(0.5) ? 'Käse' : undefined,
      quantity: luck.pick<number | string>([1, 2, '0.250', '0.001', '1.5']),
      unitPrice: luck.pick<number | string>([199, '12.5', '3999.5', 1, 0]),
    }
    const way = luck.between(0, 9)
    if (way < 3) await this.#atOnce({ ...shop, lines: [line, base] })
    else if (way < 5) await this.#return(shop)
    else await this.#stepByStep(shop, line)
  }

  async #atOnce(cart: Omit<Cart, 'tenders'>): Promise<void> {
    const ring = () =>
      this.#terminal.sell({ ...cart, tenders: [{ kind: 'cash', amount: 100_000 }] })
    const { hash } = await ring()
    // The same key with the same inputs is the same receipt, and makes no record.
    if (cart.key !== undefined && (await ring()).hash !== hash) throw new Error('sold twice')
  }

  async #return(shop: BeginInput): Promise<void> {
    const luck = this.#luck
    const sale = await this.#terminal.begin(shop)
    const unitPrice = luck.between(100, 900)
    const { totals } = await sale.addLine({ sku: 'BACK', quantity: -1, unitPrice })
    const part = luck.happens(0.5) ? -40 : 0
    if (part !== 0) await sale.tender({ kind: 'card', amount: part })
    await sale.tender({ kind: luck.pick(['cash', 'card']), amount: totals.gross - part })
    await sale.complete(luck.happens(0.5) ? { key: `back-${this.#count}` } : {})
  }

  async #stepByStep(shop: BeginInput, line: LineInput): Promise<void> {
    const luck = this.#luck
    const sale = await this.#terminal.begin(shop)
    await sale.addLine(base)
    await sale.addLine(line)
    if (luck.happens(0.3)) await sale.setQuantity(1, 2, { reason: 'two only' })
    if (luck.happens(0.3)) await sale.voidLine(2, { reason: 'not wanted' })
    if (this.#terminal.openSales().length < 6 && luck.happens(0.1)) return
    if (luck.happens(0.2)) {
      await sale.void({ reason: 'went away', key: shop.key && `void-${shop.key}` })
      return
    }
    if (luck.happens(0.4)) {
      const { tender } = await sale.tender({ kind: 'card', amount: 100, pending: true })
      if (this.#terminal.openSales().length < 6 && luck.happens(0.2)) return
      if (luck.happens(0.5)) await sale.confirmTender(tender, { auth: '4711' })
      else await sale.declineTender(tender, { reason: 'no cover' })
    }
    if (luck.happens(0.2)) {
      const { tender } = await sale.tender({ kind: 'cash', amount: 50 })
      await sale.voidTender(tender, { reason: 'wrong note' })
    }
    await sale.tender({ kind: 'cash', amount: 20_000 })
    await sale.complete()
  }
}

/** A terminal with three owners and, for enough sales, several segments; closed cleanly. */
export async function busyStore(root: string, luck: Chance, sales: number): Promise<void> {
  const owners = 3
  for (let owner = 0; owner < owners; owner++) {
    const terminal = await openSmall(root)
    const rush = new Rush(terminal, luck)
    for (let count = 0; count < sales / owners; count++) await rush.sale()
    await terminal.close()
  }
}

/** Two terminals that ring up random sales under random policies, and take each other's over and back. */
export async function pricedStore(root: string, luck: Chance, sales: number): Promise<void> {
  const { code, stderr } = await ended(
    startRandomSales(['store', `${sales}`, `${luck.seed}`, root]),
  )
  if (code !== 0) throw new Error(stderr)
}

/** Starts `crates/kernel/examples/random_sales`. */
export function startRandomSales(
  args: readonly string[],
): ChildProcessByStdio<null, Readable, Readable> {
  const example = ['-p', 'pos-kernel-core', '--example', 'random_sales']
  const profile = isLong ? ['--release'] : []
  return spawn('cargo', ['run', '-q', ...profile, ...example, '--', ...args], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** A terminal as it lies on the disk while its first owner sells: one segment, no clean end. */
export async function youngStore(root: string, luck: Chance): Promise<void> {
  const open = `${root}-open`
  const terminal = await openSmall(open)
  const rush = new Rush(terminal, luck)
  for (let count = 0; count < 12; count++) await rush.sale()
  cpSync(open, root, { recursive: true })
  await terminal.close()
}
