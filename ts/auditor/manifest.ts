/**
 * Which segments a journal has: the names in its folder, and the manifest.
 *
 * ```text
 * pos-kernel journal 1
 * oldest 1
 * current 12
 * crc32c 1a2b3c4d
 * ```
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { crc32c } from './crc32c.js'

/** Numbers in names and in the manifest are u32. */
const SEGMENT_MAX = 2 ** 32 - 1

/** What a good manifest names. */
export interface Manifest {
  readonly oldest: number
  readonly current: number
}

/** What the folder of a journal says before any segment is opened. */
export interface Folder {
  /** The manifest; undefined when there is none, or one that is not exactly as described. */
  readonly manifest: Manifest | undefined
  /** Whether a file of that name exists at all. */
  readonly hasManifestFile: boolean
  /** Numbers of the segment files, ascending. */
  readonly numbers: readonly number[]
}

/** Reads the folder; undefined when there is none. */
export function readFolder(folder: string): Folder | undefined {
  // The manifest first: a segment that it names is then among the files, also beside an owner that
  // rolls between the two looks.
  const text = orAbsent(() => readFileSync(path.join(folder, 'manifest')))
  const names = orAbsent(() => readdirSync(folder))
  if (names === undefined) return undefined
  const numbers = names.flatMap(segmentNumberOf).sort((a, b) => a - b)
  return {
    manifest: text === undefined ? undefined : parseManifest(text),
    hasManifestFile: text !== undefined,
    numbers,
  }
}

/** The file of a segment. */
export function segmentPath(folder: string, segment: number): string {
  return path.join(folder, `segment-${String(segment).padStart(6, '0')}.wal`)
}

/** Parses a manifest; undefined when one byte is not as described. */
export function parseManifest(bytes: Buffer): Manifest | undefined {
  const form =
    /^(pos-kernel journal 1\noldest ([1-9]\d*)\ncurrent ([1-9]\d*)\n)crc32c ([\da-f]{8})\n$/
  const [, covered, oldest, current, crc] = form.exec(bytes.toString('latin1')) ?? []
  if (covered === undefined || crc === undefined) return undefined
  if (crc32c(Buffer.from(covered, 'latin1')) !== Number.parseInt(crc, 16)) return undefined
  const manifest = { oldest: Number(oldest), current: Number(current) }
  if (manifest.oldest > manifest.current || manifest.current > SEGMENT_MAX) return undefined
  return manifest
}

function segmentNumberOf(name: string): number[] {
  const digits = /^segment-(\d{6}|[1-9]\d{6,})\.wal$/.exec(name)?.[1]
  const number = Number(digits ?? 0)
  return number >= 1 && number <= SEGMENT_MAX ? [number] : []
}

function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
