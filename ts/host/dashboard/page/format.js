/** Numbers as people read them, always of the same width where they stand in columns. */

const mebibyte = 1024 * 1024

/** @param {number | null | undefined} bytes */
export function memory(bytes) {
  if (bytes === null || bytes === undefined) return '–'
  const mebibytes = bytes / mebibyte
  if (mebibytes >= 4096) return `${(mebibytes / 1024).toFixed(1)} GiB`
  return `${mebibytes >= 100 ? Math.round(mebibytes) : mebibytes.toFixed(1)} MiB`
}

/** An amount on an axis: short. @param {number} bytes */
export function memoryMark(bytes) {
  const mebibytes = bytes / mebibyte
  return mebibytes >= 1024 ? `${mebibytes / 1024} GiB` : `${mebibytes} MiB`
}

/**
 * An amount beside its limit, the unit once.
 *
 * @param {number | null | undefined} bytes
 * @param {number | null} limit
 */
export function memoryOf(bytes, limit) {
  if (limit === null || bytes === null || bytes === undefined) return memory(bytes)
  return `${Math.round(bytes / mebibyte)} / ${Math.round(limit / mebibyte)} MiB`
}

/** @param {number | null | undefined} percent */
export function percent(percent) {
  if (percent === null || percent === undefined) return '–'
  return `${percent.toFixed(percent >= 100 ? 0 : 1)} %`
}

/**
 * @param {number | null | undefined} used
 * @param {number | null} limit
 */
export function percentOf(used, limit) {
  if (limit === null || used === null || used === undefined) return percent(used)
  return `${used.toFixed(1)} / ${limit} %`
}

/** @param {number | null | undefined} milliseconds */
export function delay(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return '–'
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)} s`
  return `${milliseconds.toFixed(milliseconds >= 10 ? 0 : 1)} ms`
}

/** @param {number | null | undefined} perSecond */
export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return '–'
  if (perSecond > 0 && perSecond < 10) return perSecond.toFixed(1)
  return count(Math.round(perSecond))
}

/** @param {number | null | undefined} number */
export function count(number) {
  if (number === null || number === undefined) return '–'
  return String(number).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

/**
 * How long ago, in the two largest units.
 *
 * @param {number | null} since
 * @param {number} now
 */
export function age(since, now) {
  if (since === null) return '–'
  const seconds = Math.max(0, Math.floor((now - since) / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')}`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

/** @param {number} at */
export function clock(at) {
  return clockFormat.format(at)
}

const dayFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })

/** @param {number} at */
export function dateTime(at) {
  return `${dayFormat.format(at)}, ${clock(at)}`
}
