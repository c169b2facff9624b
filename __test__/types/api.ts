/**
 * Types of the public API, checked by the compiler: this file is never run. Each function is a use
 * that must compile, each `@ts-expect-error` one that must not.
 */
import type {
  AdjustmentAnswer,
  Cart,
  ErrorCode,
  LineAnswer,
  LogicCover,
  LogicRow,
  LogicTable,
  Minimized,
  NoAnswerFacts,
  OwnerFacts,
  PlaFacts,
  Policy,
  PosError,
  Receipt,
  ReceiptAnswer,
  RecoveryReport,
  Sale,
  SaleState,
  SaleTotals,
  TenderAnswer,
  TenderState,
  Terminal,
  Totals,
} from '../../ts/index.js'
import {
  type errorCodes,
  inspectJournal,
  isPosError,
  minimize,
  minimizeSync,
  openTerminal,
  verifyStore,
} from '../../ts/index.js'

/** True when both types are exactly the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
function holds<_T extends true>(): void {}

holds<Same<Awaited<ReturnType<Terminal['begin']>>, Sale>>()
holds<Same<Awaited<ReturnType<Terminal['sell']>>, ReceiptAnswer>>()
holds<Same<ReturnType<Terminal['sellSync']>, ReceiptAnswer>>()
holds<Same<Awaited<ReturnType<Terminal['receipt']>>, Receipt>>()
holds<Same<Awaited<ReturnType<Sale['addLine']>>, LineAnswer>>()
holds<Same<ReturnType<Sale['addLineSync']>, LineAnswer>>()
holds<Same<Awaited<ReturnType<Sale['tender']>>, TenderAnswer>>()
holds<Same<ReturnType<Sale['totals']>, SaleTotals>>()
holds<SaleTotals extends Totals ? true : false>()
holds<Same<Awaited<ReturnType<Sale['discountSale']>>, AdjustmentAnswer>>()
holds<Same<ReturnType<Terminal['policy']>, Policy | undefined>>()
type States = 'building' | 'tendering' | 'suspended' | 'completed' | 'voided' | 'transferred'
holds<Same<SaleState, States>>()
holds<Same<keyof typeof errorCodes, ErrorCode>>()
holds<ReceiptAnswer extends Receipt ? true : false>()
holds<Terminal extends AsyncDisposable ? true : false>()

/** Every promise has a twin of the same arguments and the same answer. */
type Twin<Methods, Name extends keyof Methods & string> = Methods[Name] extends (
  ...args: infer Args
) => Promise<infer Answer>
  ? `${Name}Sync` extends keyof Methods
    ? Methods[`${Name}Sync`] extends (...args: Args) => Answer
      ? true
      : false
    : false
  : false

holds<Twin<Terminal, 'begin'>>()
holds<Twin<Terminal, 'sell'>>()
holds<Twin<Terminal, 'receipt'>>()
holds<Twin<Terminal, 'close'>>()
holds<Twin<Terminal, 'setPolicy'>>()
holds<Twin<Terminal, 'setRules'>>()
holds<Twin<Terminal, 'beginReturn'>>()
holds<Twin<Terminal, 'resume'>>()
holds<Twin<Terminal, 'suspendedSales'>>()
holds<Twin<Terminal, 'collectTransfers'>>()
holds<Twin<Terminal, 'expire'>>()
holds<Twin<Terminal, 'signOn'>>()
holds<Twin<Terminal, 'signOff'>>()
holds<Twin<Terminal, 'approve'>>()
holds<Twin<Terminal, 'setTraining'>>()
holds<Twin<Terminal, 'openShift'>>()
holds<Twin<Terminal, 'closeShift'>>()
holds<Twin<Terminal, 'paidIn'>>()
holds<Twin<Terminal, 'paidOut'>>()
holds<Twin<Terminal, 'noSale'>>()
holds<Twin<Terminal, 'cashCount'>>()
holds<Twin<Terminal, 'xReport'>>()
holds<Twin<Terminal, 'zReport'>>()
holds<Twin<Terminal, 'periodClose'>>()
holds<Twin<Terminal, 'reprint'>>()
holds<Twin<Sale, 'returnLine'>>()
holds<Twin<Sale, 'suspend'>>()
holds<Twin<Sale, 'addLine'>>()
holds<Twin<Sale, 'setQuantity'>>()
holds<Twin<Sale, 'voidLine'>>()
holds<Twin<Sale, 'overridePrice'>>()
holds<Twin<Sale, 'overrideTaxes'>>()
holds<Twin<Sale, 'discountLine'>>()
holds<Twin<Sale, 'discountSale'>>()
holds<Twin<Sale, 'surchargeLine'>>()
holds<Twin<Sale, 'surchargeSale'>>()
holds<Twin<Sale, 'retract'>>()
holds<Twin<Sale, 'tender'>>()
holds<Twin<Sale, 'confirmTender'>>()
holds<Twin<Sale, 'declineTender'>>()
holds<Twin<Sale, 'voidTender'>>()
holds<Twin<Sale, 'complete'>>()
holds<Twin<Sale, 'void'>>()

/** A state machine is matched to the end: a new state would not compile. */
export function nextStep(state: TenderState): string {
  switch (state) {
    case 'pending':
      return 'wait'
    case 'confirmed':
      return 'complete'
    case 'declined':
    case 'voided':
      return 'take another'
  }
}

export async function uses(terminal: Terminal): Promise<void> {
  const sale = await terminal.begin({ store: 's', currency: 'EUR' })
  await sale.addLine({ sku: 'a', quantity: '0.250', unitPrice: 1240 }, { key: 'k' })
  await sale.setQuantity(1, 2, { reason: 'more', key: 'k' })
  await sale.tender({ kind: 'card', amount: 100, pending: true })
  await sale.confirmTender(1)
  await sale.complete()
  await sale.addLine({
    kind: 'item',
    sku: 'a',
    quantity: 350,
    unitPrice: 199,
    perQuantity: 100,
    taxes: [{ rate: 19, class: 'A', inclusive: true }, { rate: '2.5' }],
    discount: { percent: '2.5', reason: 'r' },
    surcharge: [{ amount: 5, reason: 'r' }],
    approval: 1,
  })
  await sale.overridePrice(1, '0.880', { reason: 'r', perQuantity: 100, approval: 1, key: 'k' })
  await sale.overrideTaxes(1, [], { reason: 'r' })
  await sale.discountLine(1, { amount: 5, reason: 'r', approval: 1, key: 'k' })
  const { number } = await sale.discountSale({ percent: 10, reason: 'r' })
  await sale.retract(number, { reason: 'r' })
  await sale.tender({ kind: 'foreign', amount: 100, currency: 'CHF', rate: '1.07', per: 1 })
  const policy = {
    currency: 'EUR',
    prices: 'gross',
    taxScope: 'perRate',
    taxRounding: 'halfUp',
    changeFrom: ['cash', 'voucher'],
  } as const
  await terminal.setPolicy(policy, { key: 'k' })
  // What is set can be read, and set again.
  const set = terminal.policy('EUR')
  if (set !== undefined) await terminal.setPolicy(set)
  const back = await terminal.beginReturn({ terminal: 'T2', receiptNumber: 1, key: 'k' })
  await back.returnLine({ of: 1, quantity: '0.5', reason: 'r', approval: 1, key: 'k' })
  await back.returnLine({ of: 1, quantity: 1, receiptNumber: 2, reason: 'r' })
  const { ticket } = await back.suspend({ reason: 'r', key: 'k' })
  const resumed: Sale = await terminal.resume(ticket, { key: 'k' })
  await terminal.expire({ idleMs: 1000, reason: 'r' })
  await terminal.openShift({ float: [{ currency: 'EUR', amount: 100 }], key: 'k' })
  const { approval } = await terminal.approve({ operator: 'boss', what: 'w' })
  await sale.setQuantity(1, 2, { reason: 'r', approval })
  await terminal.periodClose({ kind: 'day' })
  await openTerminal({ attendance: { operator: true, shift: true } })
  // @ts-expect-error there is no such period
  await terminal.periodClose({ kind: 'week' })
  // @ts-expect-error cash has a currency
  await terminal.paidIn({ amount: 100, reason: 'r' })
  // @ts-expect-error a return has a reason
  await resumed.returnLine({ of: 1, quantity: 1 })
  // An option that is undefined is an option that was left out.
  await openTerminal({ root: undefined, id: process.env.ID, durability: undefined })

  // @ts-expect-error a currency is needed
  await terminal.begin({ store: 's' })
  // @ts-expect-error a misspelt field
  await sale.addLine({ sku: 'a', quantity: 1, unitprice: 1 })
  // @ts-expect-error amounts are numbers
  await sale.tender({ kind: 'cash', amount: '100' })
  // @ts-expect-error amounts are no bigints
  await sale.tender({ kind: 'cash', amount: 100n })
  // @ts-expect-error there is no such tender
  await sale.tender({ kind: 'gold', amount: 100 })
  // @ts-expect-error a discount is an amount or a percentage
  await sale.discountLine(1, { reason: 'r' })
  // @ts-expect-error a discount is not both
  await sale.discountLine(1, { amount: 1, percent: 1, reason: 'r' })
  // @ts-expect-error a discount has a reason
  await sale.discountSale({ percent: 10 })
  // @ts-expect-error there is no such kind of line
  await sale.addLine({ kind: 'gift', sku: 'a', quantity: 1, unitPrice: 1 })
  // @ts-expect-error a tax has a rate
  await sale.addLine({ sku: 'a', quantity: 1, unitPrice: 1, taxes: [{ class: 'A' }] })
  // @ts-expect-error prices are net or gross, and a policy says which
  await terminal.setPolicy({ currency: 'EUR', taxScope: 'perRate', taxRounding: 'halfUp' })
  // @ts-expect-error there is no such rule
  await terminal.setPolicy({ ...policy, taxScope: 'perTrolley' })
  // @ts-expect-error a reason is needed
  await sale.voidLine(1)
  // @ts-expect-error a reason is needed
  await sale.void({})
  // @ts-expect-error the durability is one of two
  await openTerminal({ durability: 'always' })
  // @ts-expect-error a misspelt option
  await openTerminal({ durabilty: 'sale' })
  // @ts-expect-error a sale of one call has no pending tender
  await terminal.sell({ ...cart, tenders: [{ kind: 'card', amount: 1, pending: true }] })
  // @ts-expect-error values are read, never written
  sale.totals().gross = 0
  // @ts-expect-error a receipt's lines are read, never written
  terminal.receiptSync(1).lines.push()
  // @ts-expect-error a terminal's id is read, never written
  terminal.id = 'other'
  // @ts-expect-error a journal needs a terminal
  inspectJournal({ root: '.' })
  // @ts-expect-error a misspelt option
  await verifyStore({ terminals: 'T1' })
}

/** A cart that is a constant fits. */
export const cart = {
  store: 's',
  currency: 'EUR',
  lines: [{ sku: 'a', quantity: 1, unitPrice: 1 }],
  tenders: [{ kind: 'cash', amount: 1 }],
} as const satisfies Cart

export function facts(error: unknown, report: RecoveryReport): void {
  if (isPosError(error, 'PK_E_UNDERPAID')) {
    const due: number = error.facts.due
    const code: 'PK_E_UNDERPAID' = error.code
    // @ts-expect-error that is the fact of another code
    error.facts.owner
    void [due, code]
  }
  if (isPosError(error, 'PK_E_TERMINAL_IN_USE')) {
    const owner: OwnerFacts | undefined = error.facts.owner
    void owner
  }
  if (isPosError(error)) holds<Same<typeof error, PosError>>()
  // @ts-expect-error there is no such code
  isPosError(error, 'PK_E_NONSENSE')
  if (report.previousOwner !== undefined) void report.previousOwner.pid
  // @ts-expect-error there may have been none
  report.previousOwner.pid
}

export async function iterates(): Promise<void> {
  for await (const record of inspectJournal({ terminal: 'T1' })) {
    if ('problem' in record) {
      const problem: string = record.problem
      void problem
    } else {
      const sequence: number = record.sequence
      void sequence
    }
  }
}

/** The minimiser: text, bytes and typed tables in, typed rows out. */
export async function minimizing(table: LogicTable, bytes: Uint8Array): Promise<void> {
  const answer = await minimize(bytes, { mode: 'exact', signal: AbortSignal.timeout(1_000) })
  holds<Same<typeof answer, Minimized>>()
  holds<Same<ReturnType<typeof minimizeSync>, Minimized>>()
  holds<Same<typeof answer.f, LogicCover>>()
  holds<Same<typeof answer.r, LogicCover | undefined>>()
  for (const row of answer.f) holds<Same<typeof row, LogicRow>>()
  holds<Same<typeof answer.literalsOut.mv, number>>()
  // What comes out goes in again.
  await minimize({ layout: answer.layout, f: answer.f })
  minimizeSync(table, { timeLimitMs: 5, threads: 2, write: 'fdr' })
  // @ts-expect-error a blocking call cannot be ended by a signal
  minimizeSync(table, { signal: AbortSignal.timeout(1) })
  // @ts-expect-error there is no such mode
  await minimize('', { mode: 'thorough' })
  // @ts-expect-error rows need a layout
  await minimize({ f: [] })
  // @ts-expect-error answers are not written to
  answer.productsOut = 1
}

export function whyNoTable(error: unknown): void {
  if (isPosError(error, 'PK_E_BAD_PLA')) holds<Same<typeof error.facts, PlaFacts>>()
  if (isPosError(error, 'PK_E_NO_ANSWER')) holds<Same<typeof error.facts, NoAnswerFacts>>()
}
