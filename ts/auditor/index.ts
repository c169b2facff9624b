/**
 * pos-kernel/auditor: a second, independent verifier of the tamper-evident journal.
 *
 * The kernel verifies its journals itself, in Rust. Whoever must be convinced by them should not
 * have to believe that program: so this one was written from the documents alone, in another
 * language, with other libraries, and shares no line with the first. Where both say the same about
 * a journal, a fault would have to be made twice.
 *
 * What lives here: reading, and nothing else. What must not: the native binding, any other room of
 * `ts/`, a lock, a written byte. A segment is read in windows, so memory does not grow with it.
 *
 * Read `journal.ts` first (one journal from its first segment to its last), then `walk.ts` (one
 * segment, and what a broken tail means), `fold.ts` and `till.ts` (what the records say), `sale.ts`
 * (the invariants of a sale), `pricing/cart.ts` (its arithmetic), `desk.ts` (people, drawer, reports), `transfers.ts`
 * (the journals held against each other). The documents:
 * `docs/reference/journal-format.md`, `records.md`, `pricing.md` and `invariants.md` there.
 *
 * @module pos-kernel/auditor
 */
export type {
  ArchivedAudit,
  AuditedTax,
  AuditedTotals,
  AuditReport,
  OnItsWay,
  Problem,
  ProblemKind,
  SigningAudit,
  TerminalAudit,
  TransferAudit,
  TransferFault,
  TransferProblem,
} from './report.js'
export { type AuditOptions, AuditRefusal, auditStore } from './store.js'
