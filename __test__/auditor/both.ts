/**
 * The two verifiers beside each other, and what they have to agree on: whether anything is wrong,
 * the place of the first thing that is, and of a sound journal every count and its head.
 *
 * "First" is by segment and offset, since the order of a report has no meaning. Left out of the
 * comparison is what the kernel's verifier passes over because the documents allow it: what the
 * auditor calls a problem of `form`, and the joint of two segments, where the first frame of the
 * later one cannot be read. `differences.test.ts` shows each of them.
 */
import { auditStore, type Problem } from '../../ts/auditor/index.js'
import { isPosError, type VerifyProblem, verifyStore } from '../../ts/index.js'

/** What one verifier says of a store. */
export interface Verdict {
  readonly ok: boolean
  /** Of each terminal: what was counted, where it is sound; else the place of the first problem. */
  readonly terminals: readonly string[]
  /** The first problems, for a person. */
  readonly because: string
}

interface Counted {
  readonly id: string
  readonly records: number
  readonly segments: number
  readonly lastSequence: number
  readonly head: string
  readonly receipts: number
  readonly tornBytes: number
}

type Place = Pick<Problem, 'segment' | 'offset' | 'message'>

/** Where the first frame of a segment stands. */
const FRAMES_AT = 12_288

/** What the kernel's own verifier says. */
export async function byKernel(root: string): Promise<Verdict> {
  try {
    const { terminals } = await verifyStore({ root })
    return verdictOf(terminals.map((terminal) => [terminal, terminal.problems]))
  } catch (error) {
    if (isPosError(error, 'PK_E_VERSION')) return newerVersion
    if (isPosError(error, 'PK_E_NOT_FOUND')) return nothing
    throw error
  }
}

/** What the auditor says. */
export async function byAuditor(root: string): Promise<Verdict> {
  try {
    const { terminals } = await auditStore({ root })
    const problems = terminals.flatMap((terminal) => terminal.problems)
    // The kernel refuses a segment of another version before it looks at anything else.
    if (problems.some(({ kind, offset }) => kind === 'version' && offset === 0)) return newerVersion
    return verdictOf(terminals.map((terminal) => [terminal, compared(terminal.problems)]))
  } catch (error) {
    if (error instanceof Error && error.name === 'AuditRefusal') return nothing
    throw error
  }
}

const nothing: Verdict = { ok: false, terminals: [], because: 'no journal' }
const newerVersion: Verdict = { ok: false, terminals: ['newer'], because: 'another version' }

/** The problems that both verifiers have to see. */
function compared(problems: readonly Problem[]): readonly Problem[] {
  const isUnread = (segment: number) =>
    problems.some(
      (other) =>
        other.segment === segment && other.offset === FRAMES_AT && !/chain|form/.test(other.kind),
    )
  return problems.filter(({ kind, segment, offset }) => {
    const isJoint = kind === 'chain' && offset === 0
    return kind !== 'form' && !(isJoint && isUnread(segment))
  })
}

function verdictOf(
  terminals: readonly (readonly [Counted, readonly (Problem | VerifyProblem)[]])[],
): Verdict {
  const inOrder = terminals.map(([counted, problems]) => ({
    counted,
    problems: problems.toSorted(byPlace),
  }))
  return {
    ok: terminals.length > 0 && inOrder.every(({ problems }) => problems.length === 0),
    terminals: inOrder.map(({ counted, problems: [first] }) => {
      const { id, records, segments, lastSequence, head, receipts, tornBytes } = counted
      if (first !== undefined) return `${id}: segment ${first.segment} at ${first.offset}`
      return `${id}: ${JSON.stringify({ records, segments, lastSequence, receipts, tornBytes, head })}`
    }),
    because: inOrder
      .flatMap(({ problems }) => problems.slice(0, 3))
      .map(({ segment, offset, message }) => `${segment}:${offset} ${message}`)
      .join(' | '),
  }
}

function byPlace(a: Place, b: Place): number {
  return a.segment - b.segment || a.offset - b.offset
}
