/** Plays a file of sales by the TypeScript API; the form of the file is told in README.md. */
import { readFileSync } from 'node:fs'
import { isPosError, type LineInput, type Sale, type TenderInput } from '../../ts/index.js'
import { openAt, type Terminal } from '../../ts/kernel/terminal.js'

type Field = string | undefined
type Row = readonly Field[]

/** Plays the file on a new terminal and gives the receipts, as JSON, in order. */
export async function play(root: string, id: string, wallNs: bigint, file: string) {
  return playOn(await openAt({ root, id }, wallNs), file)
}

/** Plays the file on a terminal, closes it, and gives the receipts, as JSON, in order. */
export async function playOn(terminal: Terminal, file: string) {
  const rows = rowsOf(file)
  const player = new Player(terminal, rows)
  const receipts: string[] = []
  for (const [name = '', ...fields] of rows) {
    const isRefusal = name.startsWith('!')
    const [operation = '', ...rest] = isRefusal ? fields : [name, ...fields]
    let receipt: number | undefined
    let answered: string | undefined
    try {
      receipt = await player.play(operation, rest)
    } catch (error) {
      if (!isPosError(error)) throw error
      answered = error.code
    }
    const expected = isRefusal ? name.slice(1) : undefined
    if (answered !== expected) {
      throw new Error(`${operation} ${rest.join(' ')}: ${answered} where ${expected} is expected`)
    }
    if (receipt !== undefined) receipts.push(JSON.stringify(await terminal.receipt(receipt)))
  }
  await terminal.close()
  return receipts
}

function* rowsOf(file: string): Generator<Row> {
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    yield line.split('\t').map((field) => (field === '-' ? undefined : field))
  }
}

class Player {
  readonly #terminal: Terminal
  readonly #rows: Generator<Row>
  #sale: Sale | undefined

  constructor(terminal: Terminal, rows: Generator<Row>) {
    this.#terminal = terminal
    this.#rows = rows
  }

  /** Plays one row and gives the number of the receipt that it made. */
  async play(name: string, fields: Row): Promise<number | undefined> {
    const [first = '', second, third, fourth] = fields
    const options = { reason: third ?? '' }
    if (name === 'begin') {
      const begin = { store: first, currency: second ?? '', reference: third, key: fourth }
      this.#sale = await this.#terminal.begin(begin)
      return undefined
    }
    if (name === 'sell') return this.#sell(fields)
    const sale = this.#sale
    if (sale === undefined) throw new Error(`${name} before begin`)
    switch (name) {
      case 'line':
        await sale.addLine(lineOf(fields), keyOf(fields[5]))
        return undefined
      case 'quantity':
        await sale.setQuantity(Number(first), second ?? '', options)
        return undefined
      case 'void-line':
        await sale.voidLine(Number(first), { ...options, linked: second === '1' })
        return undefined
      case 'tender':
        await sale.tender(tenderOf(fields))
        return undefined
      case 'confirm':
        await sale.confirmTender(Number(first), { auth: second })
        return undefined
      case 'decline':
        await sale.declineTender(Number(first), { reason: second ?? '' })
        return undefined
      case 'void-tender':
        await sale.voidTender(Number(first), { reason: second ?? '' })
        return undefined
      case 'complete':
        return (await sale.complete(keyOf(fields[0]))).receiptNumber
      case 'void':
        await sale.void({ reason: first })
        return undefined
      case 'close':
        sale.close()
        return undefined
      default:
        throw new Error(`no operation ${name}`)
    }
  }

  async #sell([store = '', currency = '', reference, key, lines, tenders]: Row) {
    const cart = {
      store,
      currency,
      reference,
      key,
      lines: this.#next(lines).map(lineOf),
      tenders: this.#next(tenders).map((fields) => {
        const { pending: _, key: __, ...tender } = tenderOf(fields)
        return tender
      }),
    }
    return (await this.#terminal.sell(cart)).receiptNumber
  }

  /** The fields of so many further rows. */
  #next(count: Field): Row[] {
    return Array.from({ length: Number(count) }, () => {
      const { value, done } = this.#rows.next()
      if (done === true) throw new Error('the cart is cut short')
      return (value as Row).slice(1)
    })
  }
}

function lineOf([sku = '', text, quantity = '', unitPrice = '', parent]: Row): LineInput {
  return { sku, text, quantity, unitPrice, parent: parent === undefined ? parent : Number(parent) }
}

function tenderOf([kind, amount, pending, reference, key]: Row): TenderInput {
  return {
    kind: kind === 'cash' ? 'cash' : 'card',
    amount: Number(amount),
    pending: pending === '1',
    reference,
    key,
  }
}

function keyOf(key: Field) {
  return key === undefined ? undefined : { key }
}
