/** Crash reports for the page. */
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { hostError } from '../error.js'
import { HostPlace } from '../place.js'

/** A report in a list. */
export interface ReportEntry {
  readonly instance: string
  readonly at: number
  readonly reason: string
  readonly sentence: string
}

/** A report to read: its parts as texts, each of bounded length. */
export interface ReportText {
  readonly instance: string
  readonly parts: readonly {
    readonly name: string
    readonly text: string
    readonly bytes: number
  }[]
}

const instancePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,47}\.[A-Za-z0-9-]{1,24}$/
/** Characters of a part that are shown. */
const partCharactersMax = 200_000
const listMax = 200

/** All reports, latest first. */
export async function listReports(root: string): Promise<readonly ReportEntry[]> {
  const folder = new HostPlace(root).file('reports')
  const names = await readdir(folder).catch(() => [])
  const entries = names
    .filter((name) => instancePattern.test(name))
    .map(async (instance) => {
      const found = await stat(path.join(folder, instance)).catch(() => undefined)
      return { instance, at: found?.mtimeMs ?? 0, reason: '', sentence: '' }
    })
  return (await Promise.all(entries)).sort((a, b) => b.at - a.at).slice(0, listMax)
}

/**
 * Reads a report.
 *
 * @throws {@link HostError} `HOST_UNKNOWN_INSTANCE`
 */
export async function readReport(root: string, instance: string): Promise<ReportText> {
  const folder = new HostPlace(root).file('reports', instance)
  const names = instancePattern.test(instance) ? await readdir(folder).catch(() => []) : []
  if (names.length === 0) {
    const message = `there is no crash report of ${instance.slice(0, 80)}`
    throw hostError('HOST_UNKNOWN_INSTANCE', message, { instance: instance.slice(0, 80) })
  }
  const parts = names.sort().map(async (name) => {
    const bytes = await readFile(path.join(folder, name))
    return { name, text: bytes.toString('utf8').slice(0, partCharactersMax), bytes: bytes.length }
  })
  return { instance, parts: await Promise.all(parts) }
}
