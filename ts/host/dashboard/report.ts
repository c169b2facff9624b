/** Crash reports for the page and for `report`: what `ts/host/report` keeps, as parts that a person reads. */
import { HostPlace } from '../place.js'
import {
  listReports as listBundles,
  type ReportRow,
  readReport as readBundle,
} from '../report/report.js'

/** A report to read. */
export interface ReportText extends ReportRow {
  readonly parts: readonly { readonly name: string; readonly text: string }[]
}

/** Characters of a part that are shown; the file has all of it. */
const partCharactersMax = 400_000

/** All reports, latest first. */
export function listReports(root: string): Promise<readonly ReportRow[]> {
  return listBundles(new HostPlace(root))
}

/**
 * Reads a report: why the run ended first, then where, then what was known.
 *
 * @throws {@link HostError} `HOST_UNKNOWN_INSTANCE`
 */
export async function readReport(root: string, name: string): Promise<ReportText> {
  const { report, log } = await readBundle(new HostPlace(root), name.slice(0, 100))
  const { instance, uuid, at, reason, sentence, javascriptStack, nativeStack, ...rest } = report
  const parts = [
    { name: 'Why', text: `${reason}: ${sentence}` },
    { name: 'Stack', text: javascriptStack.join('\n') },
    { name: 'Native stack', text: nativeStack.join('\n') },
    { name: 'What it printed last', text: log },
    { name: 'All that is known', text: JSON.stringify(rest, undefined, 2) },
  ]
  return {
    instance,
    uuid,
    at,
    reason,
    sentence,
    parts: parts
      .filter(({ text }) => text !== '')
      .map((part) => ({ ...part, text: part.text.slice(0, partCharactersMax) })),
  }
}
