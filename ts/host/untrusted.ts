/**
 * Files that an app of another user may have put where the host reads: it may have left a link, a pipe that never
 * ends, or a terabyte. What is read here is an ordinary file of at most so many bytes, or nothing; and what is removed
 * is what the app wrote, wherever it may have pointed to.
 */
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import fs, { type FileHandle } from 'node:fs/promises'
import path from 'node:path'

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

/**
 * Removes a folder in which an app may write at this very moment. It is moved to `bin` first, a folder of the host alone;
 * then each folder that is found in it, so that the way to what is removed is the host's: one folder is open at a time,
 * its entries are named by its descriptor, and no link is followed, whenever it was put there.
 */
export function removeUntrusted(folder: string, bin: string): void {
  mkdirSync(bin, { recursive: true, mode: 0o700 })
  // What an earlier call could not remove.
  const pending = readdirSync(bin).map((name) => path.join(bin, name))
  let count = pending.reduce((most, name) => Math.max(most, Number(path.basename(name)) + 1), 0)
  const take = (from: string | Buffer) => {
    const to = path.join(bin, String(count++))
    renameSync(from, to)
    pending.push(to)
  }
  if (existsSync(folder)) take(folder)
  for (const one of pending) {
    if (isUnlinked(one)) continue
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
    const descriptor = openSync(one, flags)
    try {
      const within = Buffer.from(`/proc/self/fd/${descriptor}/`)
      // Names are bytes: not each is a text.
      for (const name of readdirSync(within, { encoding: 'buffer' })) {
        const entry = Buffer.concat([within, name])
        if (!isUnlinked(entry)) take(entry)
      }
    } finally {
      closeSync(descriptor)
    }
    rmdirSync(one)
  }
  rmdirSync(bin)
}

/** Removes what is no folder; false for a folder. */
function isUnlinked(file: string | Buffer): boolean {
  try {
    unlinkSync(file)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return true
    if (code === 'EISDIR' || code === 'EPERM') return false
    throw error
  }
}
