/**
 * A day in a shop with two tills, from `shop-day.jsonl`: floats, fifty sales, discounts, a card that is
 * pending when the power goes, a sale that goes on at the other till, returns, a lesson, the drawer,
 * Z reports. Each line of the script goes to one till's `pos-kernel script`; `kill` ends that process
 * with SIGKILL in the middle of its work. At the end everything is added up by plain sums of what
 * was asked and answered, and compared with what the tills say.
 *
 *   node examples/shop-day.mjs [--root DIR] [--json]
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const script = fileURLToPath(new URL('shop-day.jsonl', import.meta.url))

/** One till: a process that runs operations, begun again after it was killed. */
class Till {
  #id
  #root
  #child
  #answers
  #ended

  constructor(id, root) {
    this.#id = id
    this.#root = root
  }

  async run(operation) {
    this.#begin()
    this.#child.stdin.write(`${JSON.stringify(operation)}\n`)
    const { value, done } = await this.#answers.next()
    if (done) throw new Error(`${this.#id} ended at ${JSON.stringify(operation)}`)
    return JSON.parse(value)
  }

  async kill() {
    this.#begin()
    this.#child.kill('SIGKILL')
    await this.#ended
    this.#child = undefined
  }

  async end() {
    if (this.#child === undefined) return
    this.#child.stdin.end()
    await this.#ended
  }

  #begin() {
    if (this.#child !== undefined) return
    const where = ['--root', this.#root, '--terminal', this.#id]
    const child = spawn(process.execPath, [command, 'script', '-', ...where], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('close', resolve))
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }
}

/** What plain sums make of the answers, for one till. */
class Sums {
  gross = 0
  tax = 0
  rounding = 0
  tips = 0
  receipts = 0
  training = 0
  cash = 0
  kills = 0
  refusals = 0
  #tenders = []

  take(operation, answer) {
    const { op } = operation
    if (!answer.ok) {
      this.refusals += 1
      return
    }
    if (op === 'openShift') this.cash += operation.float
    if (op === 'paidIn') this.cash += operation.amount
    if (op === 'paidOut') this.cash -= operation.amount
    if (op === 'tender' && operation.kind === 'cash') this.#tenders.push(operation.amount)
    if (op === 'void' || op === 'suspend') this.#tenders = []
    if (op !== 'complete') return
    const { receipt } = answer
    const paid = this.#tenders.reduce((sum, amount) => sum + amount, 0)
    this.#tenders = []
    // A repeated call is answered once more, and nothing more is sold.
    if (answer.replayed) return
    if (receipt.circle === 'training') {
      this.training += 1
      return
    }
    this.gross += receipt.gross
    this.tax += receipt.tax
    this.rounding += receipt.rounding
    this.tips += receipt.tips
    this.receipts += 1
    this.cash += paid - receipt.change
  }
}

/**
 * Plays the day.
 *
 * @param {string} root folder of a new store
 * @returns {Promise<object>} what was done, and every difference that was found
 */
export async function shopDay(root) {
  const lines = readFileSync(script, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const tills = new Map()
  const differences = []
  const hold = (condition, what) => {
    if (!condition) differences.push(what)
  }
  let ticket
  for (const [index, line] of lines.entries()) {
    if (line.note !== undefined) continue
    const id = line.at
    if (!tills.has(id)) tills.set(id, { till: new Till(id, root), sums: new Sums(), last: {} })
    const { till, sums, last } = tills.get(id)
    if (line.kill) {
      await till.kill()
      sums.kills += 1
      continue
    }
    const operation = { ...line.do }
    if (operation.ticket === '$ticket') operation.ticket = ticket
    const answer = await till.run(operation)
    const place = `line ${index + 1} (${id} ${operation.op})`
    hold(answer.ok === (line.expect === undefined), `${place}: ${JSON.stringify(answer)}`)
    if (line.expect !== undefined) hold(answer.code === line.expect, `${place}: ${answer.code}`)
    sums.take(operation, answer)
    if (operation.op === 'suspend') ticket = answer.ticket
    if (answer.ok) last[operation.op] = answer
    if (operation.op === 'cashCount' && operation.currency === 'EUR') {
      hold(answer.expected === sums.cash, `${place}: ${answer.expected}, and ${sums.cash} by sums`)
    }
  }
  const report = {}
  for (const [id, { till, sums, last }] of tills) {
    await till.end()
    const { counters } = last.counters
    const [{ sales, returns, salesTax, returnsTax, rounding, receipts }] = counters
    hold(sales - returns === sums.gross, `${id}: counters ${sales - returns}, sums ${sums.gross}`)
    hold(salesTax - returnsTax === sums.tax, `${id}: taxes ${salesTax - returnsTax}, ${sums.tax}`)
    hold(rounding === sums.rounding, `${id}: rounding ${rounding}, sums ${sums.rounding}`)
    hold(receipts === sums.receipts, `${id}: ${receipts} receipts, ${sums.receipts} by sums`)
    const z = last.zReport
    const { period } = z.turnover[0]
    hold(period.sales === sales && period.returns === returns, `${id}: Z says another turnover`)
    hold(z.number === 1 && z.trainingReceipts === sums.training, `${id}: Z ${JSON.stringify(z)}`)
    const { gross, tax, tips, kills, refusals, cash, training } = sums
    report[id] = { receipts, gross, tax, rounding, tips, cash, training, kills, refusals }
  }
  return { ok: differences.length === 0, tills: report, differences }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = { root: { type: 'string' }, json: { type: 'boolean' } }
  const { values } = parseArgs({ options })
  const root = values.root ?? (await mkdtemp(path.join(tmpdir(), 'shop-day-')))
  const { ok, tills, differences } = await shopDay(root)
  if (values.json) console.log(JSON.stringify({ ok, root, tills, differences }))
  else {
    console.table(tills)
    for (const difference of differences) console.log(difference)
    console.log(ok ? 'every sum agrees' : `${differences.length} differences`, `(${root})`)
  }
  process.exitCode = ok ? 0 : 1
}
