/**
 * What a replay comes to. Counted from what stands in the journals: from the answers of the terminal
 * processes, and from the journals themselves for what was there before.
 */
import type { Invoice, InvoiceKind, InvoiceRemark } from './invoice.js'

/** What one terminal did. */
export interface TerminalTally {
  readonly id: string
  /** Invoices that it rang up in this run. */
  invoices: number
  /** Device flushes in this run. */
  syncs: number
  /** Times that its process died and was started again. */
  restarts: number
  /** Times that it opened a journal whose last owner had not closed it. */
  recoveries: number
  /** Sales that a dead process had left open and that were voided. */
  voided: number
}

/** The outcome of a replay, as `--json` prints it. Amounts are in minor units. */
export interface ReplaySummary {
  readonly invoices: number
  readonly sales: number
  readonly returns: number
  readonly adjustments: number
  readonly saleLines: number
  readonly returnLines: number
  readonly adjustmentLines: number
  readonly salesMinor: number
  readonly returnsMinor: number
  readonly adjustmentsMinor: number
  /** Invoices that were in the journals before this run. */
  readonly resumed: number
  readonly skipped: readonly InvoiceRemark[]
  readonly adjusted: readonly InvoiceRemark[]
  readonly seconds: number
  readonly syncs: number
  readonly terminals: readonly TerminalTally[]
}

/** An invoice as it stands in a journal. */
export interface Rung {
  readonly lines: number
  readonly gross: number
}

/** Sums of the invoices of one kind. */
interface Sums {
  invoices: number
  lines: number
  minor: number
}

/** Adds up invoices, each once. */
export class Tally {
  readonly #sums: Record<InvoiceKind, Sums> = {
    sale: { invoices: 0, lines: 0, minor: 0 },
    return: { invoices: 0, lines: 0, minor: 0 },
    adjustment: { invoices: 0, lines: 0, minor: 0 },
  }
  readonly #skipped: InvoiceRemark[]
  readonly #adjusted: readonly InvoiceRemark[]
  #resumed = 0

  constructor(skipped: readonly InvoiceRemark[], adjusted: readonly InvoiceRemark[]) {
    this.#skipped = [...skipped]
    this.#adjusted = adjusted
  }

  /** Invoices counted so far. */
  get invoices(): number {
    return Object.values(this.#sums).reduce((sum, { invoices }) => sum + invoices, 0)
  }

  /** Counts an invoice that this run rang up. */
  ring(invoice: Invoice, rung: Rung): void {
    const sums = this.#sums[invoice.kind]
    sums.invoices += 1
    sums.lines += rung.lines
    sums.minor += rung.gross
  }

  /** Counts an invoice that was in a journal before. */
  resume(invoice: Invoice, rung: Rung): void {
    this.ring(invoice, rung)
    this.#resumed += 1
  }

  /** Notes that an invoice was left out. */
  skip(invoice: string, reason: string): void {
    this.#skipped.push({ invoice, reason })
  }

  /** The outcome. */
  close(seconds: number, terminals: readonly TerminalTally[]): ReplaySummary {
    const { sale, return: returned, adjustment } = this.#sums
    return {
      invoices: this.invoices,
      sales: sale.invoices,
      returns: returned.invoices,
      adjustments: adjustment.invoices,
      saleLines: sale.lines,
      returnLines: returned.lines,
      adjustmentLines: adjustment.lines,
      salesMinor: sale.minor,
      returnsMinor: returned.minor,
      adjustmentsMinor: adjustment.minor,
      resumed: this.#resumed,
      skipped: this.#skipped,
      adjusted: this.#adjusted,
      seconds: Math.round(seconds * 1000) / 1000,
      syncs: terminals.reduce((sum, { syncs }) => sum + syncs, 0),
      terminals,
    }
  }
}
