/** What must hold of a store at any moment, whoever was killed and whoever is still running. */
import { existsSync, readFileSync } from 'node:fs'
import { inspectJournal, listSales, listTerminals, verifyStore } from '../../ts/index.js'
import { ackLogOf } from './replay-run.js'

/** The findings; all but the first two must be empty. */
export interface StoreAudit {
  /** Invoices that were acknowledged before the journals were read. */
  readonly acknowledged: number
  /** Invoices in the journals. */
  readonly invoices: number
  /** Acknowledged, and not where the acknowledgement said. */
  readonly missing: readonly string[]
  /** In the journals more than once, or acknowledged more than once. */
  readonly doubled: readonly string[]
  /** Receipt numbers that are not one more than the one before. */
  readonly gaps: readonly string[]
  /** What the audit of the journals found. */
  readonly problems: readonly string[]
}

/** Reads the acknowledgements, then the journals: nothing acknowledged may then be absent. */
export async function auditStore(root: string): Promise<StoreAudit> {
  const missing: string[] = []
  const doubled: string[] = []
  const gaps: string[] = []
  const acknowledged = readAcknowledged(root, doubled)
  const places = new Map<string, string>()
  for (const terminal of listTerminals(root)) {
    let expected = 1
    for (const { reference, receiptNumber } of await listSales(root, terminal)) {
      if (receiptNumber !== expected) gaps.push(`${terminal}: ${receiptNumber} for ${expected}`)
      expected = receiptNumber + 1
      const place = `${terminal}\t${receiptNumber}`
      if (reference === null) continue
      const other = places.get(reference)
      if (other !== undefined) doubled.push(`${reference}: ${other} and ${place}`)
      places.set(reference, place)
    }
  }
  for (const [invoice, place] of acknowledged) {
    if (places.get(invoice) !== place) missing.push(`${invoice}: ${place}`)
  }
  const report = await verifyStore({ root })
  const problems = report.terminals.flatMap(({ id, problems }) =>
    problems.map(({ segment, offset, message }) => `${id} ${segment}:${offset}: ${message}`),
  )
  if (!report.ok && problems.length === 0) problems.push('not ok, without a problem')
  const invoices = places.size
  return { acknowledged: acknowledged.size, invoices, missing, doubled, gaps, problems }
}

/** How often a terminal of the root was opened after an owner that had not closed it. */
export async function recoveriesOf(root: string): Promise<number> {
  let recoveries = 0
  for (const terminal of listTerminals(root)) {
    for await (const record of inspectJournal({ root, terminal })) {
      if ('problem' in record) throw new Error(`${terminal}: ${record.problem}`)
      if (record.kind === 'TerminalOpened' && record.fact?.clean === false) recoveries += 1
    }
  }
  return recoveries
}

function readAcknowledged(root: string, doubled: string[]): Map<string, string> {
  const found = new Map<string, string>()
  const file = ackLogOf(root)
  if (!existsSync(file)) return found
  const lines = readFileSync(file, 'utf8').split('\n')
  const torn = lines.pop()
  if (torn !== '') doubled.push(`an acknowledgement was written in part: ${torn}`)
  for (const line of lines) {
    const [invoice = '', terminal, receipt] = line.split('\t')
    if (found.has(invoice)) doubled.push(`${invoice}: acknowledged twice`)
    found.set(invoice, `${terminal}\t${receipt}`)
  }
  return found
}
