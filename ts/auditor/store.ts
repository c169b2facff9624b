/**
 * A store on the disk: which terminals it has, and the audit of them all.
 *
 * ```text
 * <root>/terminals/<id>/transaction.wal/   the journal of terminal <id>
 * <root>/archive/<id>/                     its archive
 * ```
 */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { auditJournal } from './journal.js'
import type { AuditReport, TerminalAudit, TransferAudit } from './report.js'
import { Ways } from './transfers.js'

const idForm = /^[A-Za-z0-9_-]{1,32}$/

/** What to audit. */
export interface AuditOptions {
  /** Root folder of the store. */
  readonly root: string
  /** One terminal; all of the store when left out. */
  readonly terminal?: string | undefined
  /**
   * A hash that was noted elsewhere, from a receipt or an earlier report: it must be the link of a
   * frame of a journal that is audited.
   */
  readonly anchor?: string | undefined
  /**
   * Public keys that are trusted to sign, in hexadecimal. With none, signatures are held against the
   * keys that the journals themselves name, and a journal need not be signed.
   */
  readonly keys?: readonly string[] | undefined
  /** A folder of archives beside that of the store; in it, each terminal has a folder of its own. */
  readonly archive?: string | undefined
}

/** Why nothing was audited: what was asked for is not there, or not as it must be written. */
export class AuditRefusal extends Error {
  /** Always `AuditRefusal`. */
  override readonly name = 'AuditRefusal'
}

/**
 * Audits a terminal or a whole store: then also whether its journals agree on what moved between
 * them. Takes no lock and writes nothing.
 *
 * @throws {@link AuditRefusal} when the store or the terminal is not there, or an anchor is no hash
 * @example
 * const { ok, terminals } = await auditStore({ root: './store' })
 * for (const { id, problems } of terminals) console.log(id, problems)
 */
export async function auditStore(options: AuditOptions): Promise<AuditReport> {
  const { root, terminal, anchor } = options
  const keys = options.keys ?? []
  if (anchor !== undefined && !/^[\da-f]{64}$/i.test(anchor)) {
    throw new AuditRefusal(`"${anchor}" is no hash: 64 hexadecimal digits are expected`)
  }
  if (terminal !== undefined && !idForm.test(terminal)) {
    throw new AuditRefusal(`"${terminal}" is no terminal id: letters, digits, _ and -, at most 32`)
  }
  for (const key of keys) {
    if (/^([\da-f]{2})+$/i.test(key)) continue
    throw new AuditRefusal(`"${key}" is no public key: hexadecimal digits in pairs are expected`)
  }
  const trusted = keys.map((key) => key.toLowerCase())
  const hash = anchor?.toLowerCase()
  const terminals: TerminalAudit[] = []
  const ways = terminal === undefined ? new Ways() : undefined
  let holdsAnchor = false
  for (const id of terminal === undefined ? terminalsOf(root) : [terminal]) {
    const archives = archivesOf(options, id)
    const questions = { anchor: hash, keys: trusted, archives, ways }
    const audit = await auditJournal(id, journalOf(root, id), questions)
    if (audit === undefined) {
      if (terminal !== undefined) throw new AuditRefusal(`terminal ${id} has no journal in ${root}`)
      continue
    }
    terminals.push(audit.terminal)
    holdsAnchor ||= audit.holdsAnchor
  }
  if (terminals.length === 0) throw new AuditRefusal(`there is no journal in ${root}`)
  if (hash !== undefined && !holdsAnchor) withoutAnchor(terminals, hash)
  const areSound = terminals.every(({ ok }) => ok)
  if (ways === undefined) return { ok: areSound, terminals }
  const transfers = await between(options, ways, terminals)
  return { ok: areSound && transfers.problemCount === 0, terminals, transfers }
}

/** Holds the journals against each other, with a second look at those that lack something. */
async function between(
  options: AuditOptions,
  ways: Ways,
  terminals: readonly TerminalAudit[],
): Promise<TransferAudit> {
  const doubtful = ways.doubtful()
  for (const { id } of terminals.filter((audit) => doubtful.has(audit.id))) {
    const again = new Ways()
    const archives = archivesOf(options, id)
    await auditJournal(id, journalOf(options.root, id), { keys: [], archives, ways: again })
    ways.adopt(again)
  }
  return ways.judge(terminals)
}

function archivesOf({ root, archive }: AuditOptions, id: string): readonly string[] {
  const folders = [path.join(root, 'archive'), ...(archive === undefined ? [] : [archive])]
  return folders.map((folder) => path.join(folder, id))
}

/** Enters the missing anchor in the report of each terminal: any of them could have held it. */
function withoutAnchor(terminals: TerminalAudit[], hash: string): void {
  const message = `no frame has the link ${hash}: the journal was changed before it, or cut`
  for (const [index, audit] of terminals.entries()) {
    const problem = { kind: 'anchor', segment: 0, offset: 0, sequence: 0, message } as const
    terminals[index] = {
      ...audit,
      ok: false,
      problems: [problem, ...audit.problems],
      problemCount: audit.problemCount + 1,
    }
  }
}

function terminalsOf(root: string): readonly string[] {
  const folder = path.join(root, 'terminals')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => idForm.test(name))
    .sort()
}

function journalOf(root: string, id: string): string {
  return path.join(root, 'terminals', id, 'transaction.wal')
}
