/** Why a run ended, from how the system saw it and what we had asked. */
import type { ExitRecord } from '../launcher/exit.js'
import type { EndReason } from '../report/reason.js'
import type { Ending } from './machine.js'

/** The reason, in one word. `wasInTime` is true while it was still draining. */
export function endReasonOf(
  exit: ExitRecord,
  ending: Ending | null,
  wasInTime: boolean,
): EndReason {
  if (ending === 'hang' || ending === 'not-ready') return ending
  if (exit.oomKilled) return 'oom'
  if (exit.endedBy === 'poll-limit') return 'limit'
  if (ending === 'kill') return 'killed'
  if (ending !== null) {
    const isClean = exit.code === 0 || exit.code === 143
    return isClean || (wasInTime && exit.code === null && exit.signal === null)
      ? 'stopped'
      : 'killed'
  }
  if (exit.signal !== null) return 'signal'
  if (exit.code === null) return 'unknown'
  return exit.code === 0 ? 'finished' : 'exception'
}
