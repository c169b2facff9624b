/**
 * Where a terminal listens: a Unix socket in the store, or, where that path is longer than a socket's
 * may be, one in a folder of this user; a named pipe on Windows.
 */
import { createHash } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { mkdir, unlink } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { posError } from '../errors.js'

/** The kernel allows 108 bytes with the zero at the end; other systems a few less. */
const pathBytesMax = 100

/** The address of a terminal. */
export function addressOf(root: string, id: string): string {
  const name = createHash('sha256')
    .update(`${path.resolve(root)}\0${id}`)
    .digest('hex')
    .slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\pos-kernel-${name}`
  const near = path.join(root, 'shared', 'cross_terminal_messages', `${id}.sock`)
  return Buffer.byteLength(near) <= pathBytesMax ? near : path.join(ownFolder(), `${name}.sock`)
}

/**
 * Makes the place of a socket free. Whoever holds the terminal may do so: what lies there was left by
 * an owner that died.
 */
export async function clearAddress(address: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = path.dirname(address)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!isSafe(address)) {
    const message = `${folder} is not this user's alone; remove it`
    throw posError('PK_E_SHARED_FILE', message, { path: folder, found: 'is open to others' })
  }
  await unlink(address).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

function ownFolder(): string {
  return path.join(os.tmpdir(), `pos-kernel-${process.getuid?.() ?? 'user'}`)
}

/** False where others could have made the folder first, to read along or to answer. */
export function isSafe(address: string): boolean {
  const folder = path.dirname(address)
  if (process.platform === 'win32' || folder !== ownFolder()) return true
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (found === undefined) return true
  return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0
}
