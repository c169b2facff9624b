/** How the commands of the host show what they know. What apps say of themselves may hold anything: it is made harmless before a terminal sees it. */
import type { AppStatus, HostEvent, HostStatus } from '../../host/supervisor/status.js'

const mebibyte = 1024 * 1024

/** A text without the characters that would command a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it takes out.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}

/** Bytes as mebibytes, beside their limit where there is one. */
export function memoryText(bytes: number | undefined, limit: number | null): string {
  if (bytes === undefined) return '-'
  const used = (bytes / mebibyte).toFixed(1)
  return limit === null ? `${used} MiB` : `${used}/${Math.round(limit / mebibyte)} MiB`
}

/** Percent of one core, beside the limit where there is one. */
export function cpuText(percent: number | undefined, limit: number | null): string {
  if (percent === undefined) return '-'
  return limit === null ? `${percent.toFixed(1)}%` : `${percent.toFixed(1)}/${limit}%`
}

/** Milliseconds. */
export function delayText(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '-' : `${milliseconds.toFixed(0)} ms`
}

/** How long since. */
export function ageText(since: number | null, now: number): string {
  if (since === null) return '-'
  const seconds = Math.max(0, Math.floor((now - since) / 1000))
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m${String(seconds % 60).padStart(2, '0')}`
  const hours = Math.floor(minutes / 60)
  return hours < 48
    ? `${hours}h${String(minutes % 60).padStart(2, '0')}`
    : `${Math.floor(hours / 24)}d`
}

/** The head of {@link appRow}. */
export const appHead = ['app', 'state', 'pid', 'up', 'memory', 'cpu', 'loop p99', 'restarts', 'why']

/** An app in a row. */
export function appRow(app: AppStatus, now: number): (string | number)[] {
  const { sample, limits, health } = app
  const terminal = health?.terminal
  const sales = terminal ? `${terminal.sales} sales, ${terminal.openSales} open` : ''
  const journal = terminal?.journal === 'failed' ? 'journal failed' : ''
  return [
    app.uuid,
    app.state,
    app.pid ?? '-',
    ageText(app.pid === null ? null : app.startedAt, now),
    memoryText(sample?.memory, limits.memory),
    cpuText(sample?.cpu, limits.cpu),
    delayText(health?.loopP99),
    app.restarts,
    printable([app.why, journal, sales].filter((text) => text !== '').join('; ')),
  ]
}

/** The host in a line. */
export function hostLine(status: HostStatus, now: number): string {
  const { apps, broker, epoch, adopted } = status
  const ready = apps.filter(({ state }) => state === 'ready').length
  const taken = adopted > 0 ? `, ${adopted} adopted` : ''
  return (
    `host ${status.state}, process ${status.pid}, up ${ageText(status.startedAt, now)}, supervisor ${epoch}${taken}; ` +
    `broker ${broker.state}; ${ready} of ${apps.length} apps ready`
  )
}

/** An event in a line. */
export function eventLine({ seq, at, uuid, type, text }: HostEvent): string {
  const time = new Date(at).toISOString()
  return printable(
    `${String(seq).padStart(6)}  ${time}  ${type.padEnd(12)}  ${uuid ?? 'host'}: ${text}`,
  )
}
