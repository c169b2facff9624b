/**
 * Which segments a journal has to consist of. A file behind the last one that the manifest names
 * may only be prepared, or torn while it was begun; everything up to it must be there.
 */

import { readHeader } from './header.js'
import { type Folder, segmentPath } from './manifest.js'
import { BLOCK_BYTES, SegmentFile } from './segment-file.js'
import { startOf, walk } from './walk.js'

/** The segments of a journal, both included. */
export interface Extent {
  readonly oldest: number
  readonly newest: number
}

/** The extent of the journal in a folder; undefined when there is no journal. */
export function extentOf(folder: string, found: Folder): Extent | undefined {
  const { manifest, numbers } = found
  const lowest = numbers[0]
  if (lowest === undefined && manifest === undefined) return undefined
  const oldest = manifest?.oldest ?? lowest ?? 1
  const named = manifest?.current ?? 0
  const begun = numbers.findLast((number) => number > named && wasBegun(folder, number, found))
  const newest = begun ?? named
  return newest === 0 ? undefined : { oldest, newest }
}

function wasBegun(folder: string, segment: number, found: Folder): boolean {
  const file = SegmentFile.open(segmentPath(folder, segment))
  if (file === undefined) return false
  try {
    const read = readHeader(file.bytes(0, Math.min(BLOCK_BYTES, file.size)))
    if (read.is === 'blank') return false
    // Whatever it holds, this version cannot judge it, and says so when it comes to it.
    if (read.is === 'other version') return true
    if (read.is === 'good') {
      const { header } = read
      if (header.segment === segment && header.segmentBytes === file.size) {
        return walk(file, header, startOf(header)).next().done !== true
      }
    }
    if (found.manifest !== undefined) return false
    // The very first roll of a journal was torn: no manifest was ever written.
    return found.numbers.at(-1) !== 1 || found.hasManifestFile
  } finally {
    file.close()
  }
}
