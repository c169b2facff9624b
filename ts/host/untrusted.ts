/**
 * Files that an app of another user may have put where the host reads: it may have left a link, a pipe that never
 * ends, or a terabyte. What is read here is an ordinary file of at most so many bytes, or nothing.
 */
import { constants } from 'node:fs'
import fs, { type FileHandle } from 'node:fs/promises'

/** Why there is nothing to read. */
export type Unreadable = 'missing' | 'not a file' | 'too long' | 'unreadable'

/**
 * The bytes of a file; or why there are none. Of a file of more than `bytesMax` bytes nothing, or with `part` its first or
 * its last so many.
 */
export async function readUntrusted(
  file: string,
  bytesMax: number,
  part?: 'head' | 'tail',
): Promise<Buffer | Unreadable> {
  let handle: FileHandle | undefined
  try {
    // Windows has neither flag; there an app has no folder that another user may write.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
    handle = await fs.open(file, flags)
    const stat = await handle.stat()
    if (!stat.isFile()) return 'not a file'
    if (stat.size > bytesMax && part === undefined) return 'too long'
    const length = Math.min(stat.size, bytesMax)
    return await readAt(handle, part === 'tail' ? stat.size - length : 0, length)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return 'missing'
    // A link that O_NOFOLLOW refused, and a socket.
    return code === 'ELOOP' || code === 'ENXIO' ? 'not a file' : 'unreadable'
  } finally {
    await handle?.close()
  }
}

/** The object that a JSON file holds; undefined where there is none. */
export async function readUntrustedJson(
  file: string,
  bytesMax: number,
): Promise<Record<string, unknown> | undefined> {
  const bytes = await readUntrusted(file, bytesMax)
  if (typeof bytes === 'string') return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  let count = 0
  while (count < length) {
    const { bytesRead } = await handle.read(bytes, count, length - count, position + count)
    // It was cut while it was read.
    if (bytesRead === 0) break
    count += bytesRead
  }
  return bytes.subarray(0, count)
}
