// The stores that are measured from Node, behind one interface.
//
// A peer:  { name, workloads, open(dir), stampsOwnTimes?, isRebuiltAtOpen?(fileName) }
// A store: sell(sale)           one durable sale; returns nothing, or a promise if it cannot block
//          sellAsync?(sale)     one durable sale as a promise; many may be under way at once
//          sellTogether?(sales) sales that wait together, in one transaction; all durable at its end
//          last()               the number of the last sale, read; undefined if there is none
//          readEvery(visit)     visit(number, canonicalText) for each sale in the order of numbers
//          admits?()            what the store itself says it cut off when it was opened, or undefined
//          close()
// All but `sellAsync` may return promises. A peer loads its package in `open`, so that a process that
// measures one peer does not carry the memory of the others.

import { closeSync, fdatasyncSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const RING_BYTES = 8 << 20

const PACED = ['one', 'in-flight', 'cpu', 'memory']
const ALL = [...PACED, 'in-flight-batched', 'damage']

/** Every store, in the order of the results. The raw disk comes first: it is the limit. */
export const peers = [
  {
    name: 'raw',
    workloads: ['one', 'in-flight', 'cpu'],
    open: (dir) => new Ring(join(dir, 'ring')),
  },
  {
    name: 'better-sqlite3-rows',
    workloads: [...PACED, 'damage'],
    open: (dir) => openSqlite(dir, RowsTill),
    isRebuiltAtOpen: (fileName) => fileName.endsWith('-shm'),
  },
  {
    name: 'better-sqlite3-blob',
    workloads: [...PACED, 'damage'],
    open: (dir) => openSqlite(dir, BlobTill),
    isRebuiltAtOpen: (fileName) => fileName.endsWith('-shm'),
  },
  {
    name: 'lmdb',
    workloads: ALL,
    open: openLmdb,
    isRebuiltAtOpen: (fileName) => fileName === 'data.mdb-lock' || fileName === 'lock.mdb',
  },
  {
    name: 'classic-level',
    workloads: ALL,
    open: openLevel,
    // LOG is a diary that nobody reads back.
    isRebuiltAtOpen: (fileName) => fileName === 'LOCK' || fileName.startsWith('LOG'),
  },
]

/**
 * The disk itself: the bytes of a sale written to a file whose blocks exist already, then one flush.
 * It keeps nothing that could be found again; it is the limit of any store.
 */
export class Ring {
  #file
  #path
  #at = 0

  constructor(path) {
    const filler = openSync(path, 'w')
    const zeros = Buffer.alloc(1 << 20)
    for (let written = 0; written < RING_BYTES; written += zeros.length) writeSync(filler, zeros)
    fsyncSync(filler)
    closeSync(filler)
    this.#path = path
    this.#file = openSync(path, 'r+')
  }

  sell(sale) {
    this.#write(JSON.stringify(sale))
  }

  sellTogether(sales) {
    let text = ''
    for (const sale of sales) text += JSON.stringify(sale)
    this.#write(text)
  }

  close() {
    closeSync(this.#file)
    rmSync(this.#path)
  }

  #write(text) {
    const bytes = Buffer.from(text)
    if (this.#at + bytes.length > RING_BYTES) this.#at = 0
    writeSync(this.#file, bytes, 0, bytes.length, this.#at)
    this.#at += bytes.length
    fdatasyncSync(this.#file)
  }
}

async function openSqlite(dir, Till) {
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(join(dir, 'sales.db'))
  database.pragma('journal_mode = WAL')
  // At every open: this build falls back to NORMAL when a WAL database is opened again, and then a
  // commit is not durable any more.
  database.pragma('synchronous = FULL')
  const level = database.pragma('synchronous', { simple: true })
  if (level !== 2) throw new Error(`synchronous is ${level}, not FULL`)
  return new Till(database)
}

class BlobTill {
  #database
  #insert
  #insertAll

  constructor(database) {
    database.exec('CREATE TABLE IF NOT EXISTS sale(number INTEGER PRIMARY KEY, body TEXT NOT NULL)')
    this.#database = database
    this.#insert = database.prepare('INSERT INTO sale VALUES(?, ?)')
    this.#insertAll = database.transaction((sales) => {
      for (const sale of sales) this.sell(sale)
    })
  }

  // A single statement is its own transaction.
  sell(sale) {
    this.#insert.run(sale.sale, JSON.stringify(sale))
  }

  sellTogether(sales) {
    this.#insertAll.immediate(sales)
  }

  last() {
    const found = this.#database
      .prepare('SELECT number, body FROM sale ORDER BY number DESC LIMIT 1')
      .get()
    return found?.number
  }

  readEvery(visit) {
    const found = this.#database.prepare('SELECT number, body FROM sale ORDER BY number')
    for (const { number, body } of found.iterate()) visit(number, body)
  }

  close() {
    this.#database.close()
  }
}

const ROWS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS sale(
    number INTEGER PRIMARY KEY, terminal TEXT NOT NULL, reference TEXT NOT NULL, key TEXT NOT NULL,
    store TEXT NOT NULL, currency TEXT NOT NULL, began INTEGER NOT NULL,
    gross INTEGER NOT NULL, completed INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS line(
    sale INTEGER NOT NULL, line INTEGER NOT NULL, sku TEXT NOT NULL, text TEXT NOT NULL,
    quantity INTEGER NOT NULL, unit_price INTEGER NOT NULL, amount INTEGER NOT NULL,
    voided INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(sale, line)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tender(
    sale INTEGER NOT NULL, tender INTEGER NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL,
    change INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(sale, tender)) WITHOUT ROWID`

class RowsTill {
  #database
  #insertSale
  #insertLine
  #insertTender
  #insertAll

  constructor(database) {
    database.exec(ROWS_SCHEMA)
    this.#database = database
    this.#insertSale = database.prepare('INSERT INTO sale VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#insertLine = database.prepare('INSERT INTO line VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#insertTender = database.prepare('INSERT INTO tender VALUES(?, 1, ?, ?, ?, ?)')
    this.#insertAll = database.transaction((sales) => {
      for (const sale of sales) this.#insert(sale)
    })
  }

  sell(sale) {
    this.#insertAll.immediate([sale])
  }

  sellTogether(sales) {
    this.#insertAll.immediate(sales)
  }

  last() {
    const found = this.#database
      .prepare('SELECT number FROM sale ORDER BY number DESC LIMIT 1')
      .get()
    if (found === undefined) return undefined
    this.#read(found.number, () => {})
    return found.number
  }

  readEvery(visit) {
    this.#read(0, visit)
  }

  close() {
    this.#database.close()
  }

  #insert(sale) {
    this.#insertSale.run(
      sale.sale,
      sale.terminal,
      sale.reference,
      sale.key,
      sale.store,
      sale.currency,
      sale.began,
      sale.gross,
      sale.completed,
    )
    for (const line of sale.lines) {
      this.#insertLine.run(
        sale.sale,
        line.line,
        line.sku,
        line.text,
        line.quantity,
        line.unitPrice,
        line.amount,
        line.voided ? 1 : 0,
        line.at,
      )
    }
    const { kind, amount, change, at } = sale.tender
    this.#insertTender.run(sale.sale, kind, amount, change, at)
  }

  /** Three cursors walk side by side, so that each table is read once and in its own order. */
  #read(first, visit) {
    const select = (columns, table, order) =>
      this.#database
        .prepare(`SELECT ${columns} FROM ${table} WHERE ${order[0]} >= ? ORDER BY ${order}`)
        .iterate(first)
    const lines = new Cursor(
      select('sale, line, sku, text, quantity, unit_price, amount, voided, at', 'line', [
        'sale',
        'line',
      ]),
    )
    const tenders = new Cursor(
      select('sale, kind, amount, change, at', 'tender', ['sale', 'tender']),
    )
    try {
      for (const row of select('*', 'sale', ['number'])) {
        const [tender] = tenders.rowsOf(row.number)
        const sale = {
          sale: row.number,
          terminal: row.terminal,
          reference: row.reference,
          key: row.key,
          store: row.store,
          currency: row.currency,
          began: row.began,
          lines: lines.rowsOf(row.number).map((line) => ({
            line: line.line,
            kind: 'sale',
            sku: line.sku,
            text: line.text,
            quantity: line.quantity,
            unitPrice: line.unit_price,
            amount: line.amount,
            voided: line.voided !== 0,
            at: line.at,
          })),
          tender: tender && {
            kind: tender.kind,
            amount: tender.amount,
            change: tender.change,
            at: tender.at,
          },
          gross: row.gross,
          completed: row.completed,
        }
        visit(row.number, JSON.stringify(sale))
      }
    } finally {
      // A cursor left open would keep the connection busy.
      lines.close()
      tenders.close()
    }
  }
}

/** Rows in the order of their `sale`, handed out sale by sale. */
class Cursor {
  #rows
  #waiting

  constructor(rows) {
    this.#rows = rows
    this.#waiting = rows.next()
  }

  /** All rows of sale `number`. Rows of sales that have no header are passed over. */
  rowsOf(number) {
    const found = []
    while (!this.#waiting.done && this.#waiting.value.sale <= number) {
      if (this.#waiting.value.sale === number) found.push(this.#waiting.value)
      this.#waiting = this.#rows.next()
    }
    return found
  }

  close() {
    this.#rows.return()
  }
}

async function openLmdb(dir) {
  const { open } = await import('lmdb')
  const database = open({ path: join(dir, 'store'), keyEncoding: 'uint32', encoding: 'string' })
  // Numbers only grow: with `append` pages are filled instead of split in halves.
  const append = { append: true }
  return {
    sell: (sale) => void database.putSync(sale.sale, JSON.stringify(sale), append),
    // The promise of `put` resolves when the commit is flushed; commits carry all puts that wait.
    sellAsync: (sale) => database.put(sale.sale, JSON.stringify(sale), append),
    sellTogether: (sales) =>
      database.transactionSync(() => {
        for (const sale of sales) database.put(sale.sale, JSON.stringify(sale), append)
      }),
    last() {
      for (const { key } of database.getRange({ reverse: true, limit: 1 })) return key
      return undefined
    },
    readEvery(visit) {
      for (const { key, value } of database.getRange()) visit(key, value)
    },
    close: () => database.close(),
  }
}

async function openLevel(dir) {
  const { ClassicLevel } = await import('classic-level')
  const database = new ClassicLevel(join(dir, 'store'))
  await database.open()
  const flushed = { sync: true }
  const put = (sale) => database.put(keyOf(sale.sale), JSON.stringify(sale), flushed)
  return {
    sell: put,
    sellAsync: put,
    sellTogether: (sales) =>
      database.batch(
        sales.map((sale) => ({
          type: 'put',
          key: keyOf(sale.sale),
          value: JSON.stringify(sale),
        })),
        flushed,
      ),
    async last() {
      for await (const [key] of database.iterator({ reverse: true, limit: 1 })) return Number(key)
      return undefined
    },
    async readEvery(visit) {
      for await (const [key, value] of database.iterator()) visit(Number(key), value)
    },
    close: () => database.close(),
  }
}

function keyOf(number) {
  return String(number).padStart(8, '0')
}
