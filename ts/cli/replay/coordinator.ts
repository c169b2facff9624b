/**
 * Rings up invoices on several terminal processes side by side, each invoice exactly once.
 *
 * The journals are the only memory: there is no file beside them that says how far a replay came.
 * Two rules keep an invoice from being rung up twice. The journals are read while this replay holds
 * the lock of *every* terminal of the root, so that no process of a killed run can still be writing;
 * and an invoice that was sent to a terminal stays there until that terminal's journal has said
 * whether it is in. See `register.ts` for the second.
 */
import { type InternalError, posError } from '../../kernel/errors.js'
import { listTerminals } from '../../kernel/inspect.js'
import type { Invoice, Invoices } from './invoice.js'
import { readJournals, type StandingInvoices } from './journals.js'
import type { Durability } from './message.js'
import { Register } from './register.js'
import { type ReplaySummary, Tally } from './tally.js'

/** Most terminals that one replay may have. */
export const TERMINALS_MAX = 64

/** Invoices on their way to one terminal process at a time: enough that it never waits for us. */
const IN_FLIGHT = 8

/** How to replay. */
export interface ReplayOptions {
  readonly root: string
  /** Number of terminal processes, 1 to {@link TERMINALS_MAX}. */
  readonly terminals: number
  readonly durability: Durability
  readonly byCall: boolean
  readonly ackLog?: string
  /** Stops handing out invoices; what has been handed out is finished. */
  readonly signal?: AbortSignal
  /** Told how many invoices of how many are in the journals. */
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Rings up what is not in the journals yet.
 *
 * Durable when it resolves: every invoice that is counted.
 *
 * @throws {@link LockError} `PK_E_TERMINAL_IN_USE`
 * @throws {@link StorageError} whatever stopped a terminal
 */
export async function replay(file: Invoices, options: ReplayOptions): Promise<ReplaySummary> {
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  const { root } = options
  const tally = new Tally(file.skipped, file.adjusted)
  // Nothing to do means nothing is written, not even that a terminal was opened.
  const before = await readJournals(root)
  if (file.invoices.every(({ number }) => before.has(number))) {
    resume(file.invoices, before, tally)
    return tally.close(seconds(), [])
  }
  const ours = Array.from({ length: options.terminals }, (_, index) => registerId(index + 1))
  const others = listTerminals(root).filter((id) => !ours.includes(id))
  const { durability, byCall, ackLog } = options
  const order = { root, durability, byCall, ...(ackLog === undefined ? {} : { ackLog }) }
  const registers = ours.map((terminal) => new Register({ ...order, terminal }))
  const bystanders = others.map((terminal) => new Register({ ...order, terminal }))
  const all = [...registers, ...bystanders]
  try {
    await everyOne(all.map((register) => register.open()))
    const queue = resume(file.invoices, await readJournals(root), tally)
    await everyOne(bystanders.map((register) => register.end()))
    await ringUp(queue, registers, tally, file.invoices.length, options)
  } finally {
    await Promise.all(all.map((register) => register.end()))
  }
  return tally.close(
    seconds(),
    all.map((register) => register.tally),
  )
}

/** Counts what is in the journals and returns what is not. */
function resume(invoices: readonly Invoice[], standing: StandingInvoices, tally: Tally): Invoice[] {
  const missing: Invoice[] = []
  for (const invoice of invoices) {
    const found = standing.get(invoice.number)
    const [first, second] = found ?? []
    if (first === undefined) {
      missing.push(invoice)
    } else if (second !== undefined) {
      const where = found?.map(({ terminal, receipt }) => `${terminal} receipt ${receipt}`)
      tally.skip(invoice.number, `it stands in the journals more than once: ${where?.join(', ')}`)
    } else if (first.gross !== invoice.gross || first.lines !== invoice.lines.length) {
      tally.skip(
        invoice.number,
        `receipt ${first.receipt} of ${first.terminal} bears this number with ${first.lines} lines ` +
          `for ${first.gross}; the file has ${invoice.lines.length} lines for ${invoice.gross}`,
      )
    } else {
      tally.resume(invoice, first)
    }
  }
  return missing
}

async function ringUp(
  queue: Invoice[],
  registers: readonly Register[],
  tally: Tally,
  total: number,
  { signal, onProgress }: ReplayOptions,
): Promise<void> {
  queue.reverse()
  const progress = () => onProgress?.(tally.invoices, total)
  const serve = async (register: Register): Promise<void> => {
    for (;;) {
      if (signal?.aborted) return
      const invoice = queue.pop()
      if (invoice === undefined) return
      const outcome = await register.ring(invoice)
      if (outcome.kind === 'refused') {
        tally.skip(invoice.number, outcome.reason)
      } else if (outcome.gross !== invoice.gross) {
        throw wrongTotal(invoice, outcome.gross)
      } else {
        tally.ring(invoice, outcome)
      }
      progress()
    }
  }
  progress()
  const lane = (register: Register) =>
    serve(register).catch((error) => {
      // The others finish what they have and take nothing more.
      queue.length = 0
      throw error
    })
  await everyOne(
    registers.flatMap((register) => Array.from({ length: IN_FLIGHT }, () => lane(register))),
  )
}

function wrongTotal(invoice: Invoice, gross: number): InternalError {
  const message = `invoice ${invoice.number} came to ${gross}, not to ${invoice.gross}`
  return posError('PK_E_PANIC', message, { cause: message })
}

/** Waits for all to settle, then fails with the first failure: nobody is left running behind it. */
async function everyOne(waiting: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(waiting)
  for (const result of settled) if (result.status === 'rejected') throw result.reason
}

function registerId(number: number): string {
  return `REGISTER_${String(number).padStart(2, '0')}`
}
