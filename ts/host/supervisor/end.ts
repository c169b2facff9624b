/** What is known of an end: how the system saw it, what we had asked, and what the run left. */
import type { ExitRecord } from '../launcher/exit.js'
import type { RunFolders } from '../launcher/launcher.js'
import type { AppManifest } from '../manifest/manifest.js'
import { noEvidence, readEvidence } from '../report/evidence.js'
import type { EndFacts } from '../report/reason.js'
import type { Run } from './machine.js'

/** The facts of an end, for `report/reason.ts`. */
export async function endFactsOf(
  { resourceLimits }: AppManifest,
  folders: RunFolders,
  exit: ExitRecord,
  run: Pick<Run, 'ending' | 'phase'> | undefined,
): Promise<EndFacts> {
  // Whoever was killed from outside had no time to say why, and what replaces it does not wait for us to look.
  const isSilent = exit.signal === 'SIGKILL'
  return {
    exit,
    asked: run?.ending ?? null,
    wasInTime: run?.phase === 'draining',
    memoryLimit: resourceLimits.maxMemory ?? null,
    evidence: isSilent ? noEvidence : await readEvidence(folders).catch(() => noEvidence),
  }
}
