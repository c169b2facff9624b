/**
 * One terminal of a replay as an app of the host: it rings up its share of a file of invoices, each exactly once whatever ends
 * it in between, and then stays open. `examples/store-day.mjs` is made of these.
 *
 * Arguments, as one JSON object: {"file", "index", "of", "ackLog"?}. The journal is the only memory: what it has is not rung
 * up again, and the key of each invoice keeps one that was under way from being doubled.
 */
import { openSync, writeSync } from 'node:fs'
import { connectHost, openHostTerminal } from '../../host/app/index.js'
import { isPosError } from '../../kernel/errors.js'
import type { Terminal } from '../../kernel/terminal.js'
import { readInvoices } from './file.js'
import type { Invoice } from './invoice.js'
import { readJournal } from './journals.js'

interface Share {
  readonly file: string
  /** Which of the shares, from 0. */
  readonly index: number
  /** How many shares there are. */
  readonly of: number
  /** File that gets a line for each invoice once it is durable. */
  readonly ackLog?: string
}

/** Sales under way at a time: those that wait share a flush. */
const inFlight = 8

const share = JSON.parse(process.argv[2] ?? '{}') as Share
const host = await connectHost()
const { register } = host
if (register === undefined) throw new Error('this app is for kind "terminal"')
const [{ terminal }, { invoices }] = await Promise.all([
  openHostTerminal({ durability: 'sale' }),
  readInvoices(share.file),
])
const standing = await readJournal(register.root, register.terminal)
const queue = invoices
  .filter(({ number }, index) => index % share.of === share.index && !standing.has(number))
  .reverse()
const acknowledged = share.ackLog === undefined ? undefined : openSync(share.ackLog, 'a')
host.ready()
console.log(`${queue.length} invoices to ring up, ${standing.size} are in the journal`)
await Promise.all(Array.from({ length: inFlight }, () => serve(terminal)))
console.log('the share is rung up')

async function serve(terminal: Terminal): Promise<void> {
  for (;;) {
    const invoice = host.isDraining ? undefined : queue.pop()
    if (invoice === undefined) return
    try {
      await ring(terminal, invoice)
    } catch (error) {
      // The terminal ends, or has ended: the next run goes on here.
      if (isPosError(error, 'PK_E_SHUTTING_DOWN') || isPosError(error, 'PK_E_CLOSED')) return
      throw error
    }
  }
}

async function ring(terminal: Terminal, { number, lines, gross }: Invoice): Promise<void> {
  const { receiptNumber } = await terminal.sell({
    store: 'ONLINE RETAIL',
    currency: 'GBP',
    reference: number,
    lines,
    tenders: gross === 0 ? [] : [{ kind: 'cash', amount: gross }],
    key: `invoice:${number}`,
  })
  if (acknowledged === undefined) return
  // One write, so that lines of several processes never mix and a kill leaves no half line.
  writeSync(acknowledged, `${number}\t${terminal.id}\t${receiptNumber}\n`)
}
