/**
 * One terminal of a store, as a process of its own: it joins the store, rings up its share of a file of
 * sales or idles, and ends when it is told to, or when whoever started it is gone.
 *
 * Started by `run.ts` with the order as its argument and a channel for events.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isPosError } from '../../kernel/errors.js'
import { joinStore } from '../../kernel/join-store.js'
import { openTerminal, type Terminal } from '../../kernel/terminal.js'
import { asKnown } from '../failure.js'
import { readInvoices } from '../replay/file.js'
import type { Invoice } from '../replay/invoice.js'
import { readJournal } from '../replay/journals.js'
import type { HostEvent } from './host-event.js'
import type { HostOrder } from './store-file.js'

const order = JSON.parse(process.argv[2] ?? '{}') as HostOrder
let sales = 0

try {
  await host()
} catch (error) {
  const { code, message } = asKnown(error)
  await tell({ event: 'failed', code, message })
  process.exitCode = 1
}
if (process.connected) process.disconnect()

async function host(): Promise<void> {
  const { root, id, durability, graceMs } = order
  const terminal = await openTerminal({ root, id, durability })
  const membership = await joinStore(terminal, {
    signalGraceMs: graceMs,
    onDrain: ({ reason, by }) => void tell({ event: 'draining', reason, ...(by && { by }) }),
    onConfig: ({ version, hash }) => void tell({ event: 'configured', version, hash }),
    onMessage: ({ kind, from, id }) => void tell({ event: 'message', kind, from, id }),
  })
  process.once('disconnect', () => {
    void membership.shutDown({ reason: 'whoever ran the store is gone', graceMs })
  })
  const { epoch, clean } = terminal.recovery
  await tell({ event: 'ready', epoch, clean })
  // The channel keeps the process while the terminal idles.
  process.channel?.ref()
  const selling = order.replay && replay(terminal, order.replay)
  const [ended] = await Promise.all([membership.ended, selling])
  await tell({ event: 'ended', sales, ...ended })
}

/** Rings up this terminal's share; what its journal has already is not rung up again. */
async function replay(terminal: Terminal, share: NonNullable<HostOrder['replay']>): Promise<void> {
  const { invoices } = await readInvoices(share.file)
  const standing = await readJournal(order.root, order.id)
  let resumed = 0
  for (const [index, invoice] of invoices.entries()) {
    if (index % share.of !== share.index) continue
    if (standing.has(invoice.number)) {
      resumed += 1
      continue
    }
    try {
      await ring(terminal, invoice)
      sales += 1
    } catch (error) {
      // The terminal ends, or has ended: the next run goes on here.
      if (isPosError(error, 'PK_E_SHUTTING_DOWN') || isPosError(error, 'PK_E_CLOSED')) return
      throw error
    }
    if (order.paceMs > 0) await delay(order.paceMs)
  }
  await tell({ event: 'replayed', sales, resumed })
}

async function ring(terminal: Terminal, { number, lines, gross }: Invoice): Promise<void> {
  await terminal.sell({
    store: 'ONLINE RETAIL',
    currency: 'GBP',
    reference: number,
    lines,
    tenders: gross === 0 ? [] : [{ kind: 'cash', amount: gross }],
    key: `invoice:${number}`,
  })
}

/** Resolves once the event is on its way; whoever is gone hears nothing. */
function tell(event: HostEvent): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) resolve()
    else process.send(event, undefined, undefined, () => resolve())
  })
}
