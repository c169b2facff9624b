/**
 * Archives: the segments in them, and their manifests, as "Archives" in
 * `docs/reference/journal-format.md` draws them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { blake3 } from '@noble/hashes/blake3.js'
import { readFolder, segmentPath } from './manifest.js'
import type { ProofFactOf } from './proof-bodies.js'
import type { Problem } from './report.js'
import { holds, statement } from './signatures.js'

interface ArchivedSegment {
  readonly segment: number
  readonly bytes: number
  readonly hash: string
}

interface ArchiveManifest {
  readonly terminal: string
  readonly first: number
  readonly last: number
  readonly hash: string
  readonly segments: readonly ArchivedSegment[]
  readonly signature?: { readonly algorithm: string; readonly key: Buffer; readonly value: Buffer }
}

const hex = '([\\da-f]{64})'
const number = '(0|[1-9]\\d*)'
const segmentForm = new RegExp(
  `^segment ${number} bytes ${number} sequences ${number} ${number} receipts ${number} ${number} ` +
    `link ${hex} blake3 ${hex}$`,
)

/** Where the segments before those of a journal stand, by number. */
export function archivedSegments(
  folders: readonly string[],
  oldest: number,
): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  for (const folder of folders) {
    for (const segment of readFolder(folder)?.numbers ?? []) {
      if (segment < oldest && !found.has(segment)) found.set(segment, segmentPath(folder, segment))
    }
  }
  return new Map([...found].sort(([a], [b]) => a - b))
}

/** What is wrong with the manifests of a folder, and with the files that they name. */
export function auditArchive(
  folder: string,
  terminal: string,
  moves: readonly ProofFactOf<'SegmentsArchived'>[],
): readonly Problem[] {
  if (!existsSync(folder)) return []
  const problems: Problem[] = []
  const problem = (segment: number, message: string) => {
    problems.push({ kind: 'archive', segment, offset: 0, sequence: 0, message })
  }
  const names = readdirSync(folder).filter((name) => /^archive-.*\.manifest$/.test(name))
  for (const name of names.sort()) {
    const bytes = readFileSync(path.join(folder, name))
    const manifest = parseArchive(bytes)
    if (manifest === undefined || name !== nameOf(manifest)) {
      const segment = Number(/^archive-(\d+)/.exec(name)?.[1] ?? 0)
      problem(segment, `the manifest ${name} is not as it was written`)
      continue
    }
    const { first, last, hash, segments, signature } = manifest
    if (manifest.terminal !== terminal) {
      problem(first, `the archive belongs to terminal ${manifest.terminal}`)
    }
    const words = statement('manifest', manifest.terminal, { blake3: hash })
    if (
      signature !== undefined &&
      holds(signature.algorithm, signature.key, words, signature.value) === false
    ) {
      problem(first, 'the signature of the manifest does not hold')
    }
    const move = moves.find((one) => one.fromSegment === first && one.toSegment === last)
    if (move !== undefined && move.manifest.toString('hex') !== hash) {
      problem(first, 'the manifest is not the one that the journal names')
    }
    for (const { segment, bytes: size, hash: wanted } of segments) {
      const file = segmentPath(folder, segment)
      // That a segment is missing is said where the journal is read.
      if (!existsSync(file)) continue
      const found = readFileSync(file)
      if (found.length !== size || Buffer.from(blake3(found)).toString('hex') !== wanted) {
        problem(segment, 'the segment is not the one that was archived')
      }
    }
  }
  return problems
}

/** Parses a manifest; undefined when one byte is not as described. */
export function parseArchive(bytes: Buffer): ArchiveManifest | undefined {
  const text = bytes.toString('latin1')
  const form = new RegExp(
    `^(pos-kernel archive 1\\nterminal ([A-Za-z0-9_-]{1,32})\\nmade -?${number}\\n` +
      `segments ${number} ${number}\\nsequences ${number} ${number}\\n` +
      `receipts ${number} ${number}\\nlink-in ${hex}\\nlink-out ${hex}\\n((?:segment [^\\n]*\\n)+))` +
      `blake3 ${hex}\\n(?:signature ([A-Za-z0-9_.-]+) ([\\da-f]*) ([\\da-f]*)\\n)?$`,
  )
  const match = form.exec(text)
  if (match === null) return undefined
  const [
    ,
    covered = '',
    terminal = '',
    ,
    first,
    last,
    s0,
    s1,
    r0,
    r1,
    ,
    linkOut,
    lines,
    hash = '',
  ] = match
  const [algorithm, key, value] = match.slice(14)
  if (Buffer.from(blake3(Buffer.from(covered, 'latin1'))).toString('hex') !== hash) return undefined
  const rows = (lines ?? '').trimEnd().split('\n')
  const parsed = rows.map((line) => segmentForm.exec(line))
  const segments: ArchivedSegment[] = []
  for (const row of parsed) {
    const [, segment, size, , , , , , fileHash] = row ?? []
    if (segment === undefined || fileHash === undefined) return undefined
    segments.push({ segment: Number(segment), bytes: Number(size), hash: fileHash })
  }
  const [top, bottom] = [parsed[0], parsed.at(-1)]
  const isWhole =
    segments.every(({ segment }, index) => segment === Number(first) + index) &&
    segments.at(-1)?.segment === Number(last) &&
    [top?.[3], bottom?.[4], top?.[5], bottom?.[6]].join() === [s0, s1, r0, r1].join() &&
    bottom?.[7] === linkOut
  if (!isWhole) return undefined
  const isSigned = algorithm !== undefined && key !== undefined && value !== undefined
  return {
    terminal,
    first: Number(first),
    last: Number(last),
    hash,
    segments,
    ...(isSigned && {
      signature: { algorithm, key: Buffer.from(key, 'hex'), value: Buffer.from(value, 'hex') },
    }),
  }
}

function nameOf({ first, last }: ArchiveManifest): string {
  const digits = (segment: number) => String(segment).padStart(6, '0')
  return `archive-${digits(first)}-${digits(last)}.manifest`
}
