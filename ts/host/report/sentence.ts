/** The end of a run in one sentence, for a person who has not seen the facts. */
import type { Evidence } from './evidence.js'
import type { EndFacts, EndReason } from './reason.js'

/** Says why `instance` ended, with the values behind it. */
export function sentenceOf(
  instance: string,
  reason: EndReason,
  facts: EndFacts,
  ranMs: number | null,
): string {
  const after = ranMs === null ? '' : ` after ${seconds(ranMs)}`
  return `${instance} ended${after}: ${whyOf(reason, facts)}`
}

function whyOf(reason: EndReason, { exit, asked, memoryLimit, evidence }: EndFacts): string {
  const limit = memoryLimit === null ? 'of the machine' : `of ${mebibytes(memoryLimit)}`
  switch (reason) {
    case 'finished':
      return 'it was done and exited with 0'
    case 'stopped':
      return exit.endedBy === 'orphan'
        ? 'there was no supervisor for longer than it may go on without one'
        : 'it was asked to, and drained in time'
    case 'killed':
      return asked === 'kill'
        ? 'it was killed because a person or a rule said so'
        : 'it did not drain in time and was killed'
    case 'exception':
      return exceptionOf(evidence, exit.code)
    case 'signal':
      return `${exit.signal} that the host did not send`
    case 'oom':
      return exit.oomKilled
        ? `the kernel found no memory for it within the limit ${limit}`
        : `its runtime found no memory within the limit ${limit}`
    case 'limit':
      return `it held more memory than its limit ${limit} and was ended`
    case 'hang':
      return hangOf(evidence)
    case 'not-ready':
      return 'it was not ready in time and was ended'
    case 'not-started':
      return 'it could not be started'
    case 'unknown':
      return 'nobody saw how'
  }
}

function exceptionOf({ fatal }: Evidence, code: number | null): string {
  if (fatal === null) return `it exited with ${code}`
  const what = fatal.kind === 'rejection' ? 'a rejection' : 'an error'
  const [first = ''] = fatal.message.split('\n')
  return `${what} that nobody caught, ${fatal.name}: ${first.slice(0, 200)}`
}

function hangOf({ hang, hangStack }: Evidence): string {
  if (hang === null) return 'it gave no heartbeat'
  const [where] = hangStack?.javascriptStack ?? []
  if (where !== undefined) return `its event loop stood ${where.trim()}`
  const place = hang.waitsIn ?? hang.frame
  return place === null ? 'its event loop stood' : `its event loop stood in ${place}`
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MiB`
}
