/**
 * What stands in the journals of a store: the only memory of a replay. Reading takes no lock.
 */
import { listSales, listTerminals } from '../../kernel/inspect.js'

/** An invoice in a journal. */
export interface Standing {
  readonly terminal: string
  readonly receipt: number
  readonly lines: number
  readonly gross: number
}

/** Every completed sale that bears a reference, by that reference. */
export type StandingInvoices = ReadonlyMap<string, readonly Standing[]>

/** Reads the journals of all terminals of a root; a root that does not exist has none. */
export async function readJournals(root: string): Promise<StandingInvoices> {
  const standing = new Map<string, Standing[]>()
  for (const terminal of listTerminals(root)) await readInto(standing, root, terminal)
  return standing
}

/** Reads the journal of one terminal. */
export async function readJournal(root: string, terminal: string): Promise<StandingInvoices> {
  const standing = new Map<string, Standing[]>()
  await readInto(standing, root, terminal)
  return standing
}

async function readInto(
  standing: Map<string, Standing[]>,
  root: string,
  terminal: string,
): Promise<void> {
  for (const { reference, receiptNumber, lines, gross } of await listSales(root, terminal)) {
    if (reference === null) continue
    const found = { terminal, receipt: receiptNumber, lines, gross }
    const others = standing.get(reference)
    if (others === undefined) standing.set(reference, [found])
    else others.push(found)
  }
}
