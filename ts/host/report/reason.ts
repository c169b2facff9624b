/** Why an instance ended: one word that a person, a rule and a test can agree on. */

/**
 * - `finished`: it ended by itself with code 0;
 * - `stopped`: we asked, it drained and ended in time;
 * - `killed`: we ended it, because it did not in time or because a person said so;
 * - `exception`: an error nobody caught, or another exit code than 0;
 * - `signal`: a signal that we did not send;
 * - `oom`: its own runtime found no memory within the limit of the process, or the kernel took it in its group;
 * - `limit`: it was ended for memory over a limit that we hold by looking;
 * - `hang`: its event loop stood;
 * - `not-ready`: it did not become ready in time;
 * - `unknown`: it was gone when we came back, and nobody saw how.
 */
export const endReasons = [
  'finished',
  'stopped',
  'killed',
  'exception',
  'signal',
  'oom',
  'limit',
  'hang',
  'not-ready',
  'unknown',
] as const

/** A reason. */
export type EndReason = (typeof endReasons)[number]

/** True for the ends that count as a failure: against intensity, for a restart, for a report. */
export function isFailure(reason: EndReason): boolean {
  return reason !== 'finished' && reason !== 'stopped' && reason !== 'killed'
}
