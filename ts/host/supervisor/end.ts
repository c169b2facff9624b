/** Why a run ended, from how the system saw it and what we had asked. */
import type { ExitRecord } from '../launcher/exit.js'
import type { EndReason } from '../report/reason.js'
import type { Run } from './machine.js'

/** The reason, in one word. */
export function endReasonOf(
  exit: ExitRecord,
  run: Pick<Run, 'ending' | 'phase'> | undefined,
): EndReason {
  const ending = run?.ending ?? null
  const wasInTime = run?.phase === 'draining'
  if (ending === 'hang' || ending === 'not-ready') return ending
  if (exit.oomKilled) return 'oom'
  if (exit.endedBy === 'poll-limit') return 'limit'
  if (ending === 'kill') return 'killed'
  if (ending !== null) {
    const isClean = exit.code === 0 || exit.code === 143
    const isUnseen = exit.code === null && exit.signal === null
    return isClean || (wasInTime && isUnseen) ? 'stopped' : 'killed'
  }
  if (exit.signal !== null) return 'signal'
  if (exit.code === null) return 'unknown'
  return exit.code === 0 ? 'finished' : 'exception'
}
