/**
 * Where sockets lie and who may come to them.
 *
 * A socket lies beside what it belongs to. Where that path is longer than a socket's may be, it lies in a folder of this
 * user below the one for temporary files, in which every user may make folders: so the folder is looked at before
 * anything is made or sought in it.
 *
 * ```text
 * <tmp>/                     the system's; sticky, so nobody takes away or renames a folder of another user
 *   pos-kernel-host-<uid>/   0711: whoever was told a name comes to it, nobody lists them, only its owner changes them
 *     <hash>.sock            0666 where apps run as users of their own, since what counts is the token; else 0600
 * ```
 */
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, type Stats, statSync, unlinkSync } from 'node:fs'
import type net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setSocketMode } from '../kernel/link/socket-mode.js'
import { hostError } from './error.js'

/** Bytes that the path of a Unix socket may have everywhere. */
const socketPathBytesMax = 100
/** May be gone through, not listed, and written by its owner alone. */
const folderMode = 0o711
const sticky = 0o1000
const writableByOthers = 0o022

/** A path that a socket may have: the one wished for, or where that is too long one in the folder of this user. */
export function shortSocketPath(near: string): string {
  const hash = createHash('sha256').update(near).digest('hex').slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\pos-kernel-${hash}`
  if (Buffer.byteLength(near) <= socketPathBytesMax) return near
  return path.join(os.tmpdir(), userFolder(), `${hash}.sock`)
}

/**
 * Makes the folder of a socket, for whoever listens there.
 *
 * @throws {@link HostError} `HOST_SOCKET_FOLDER` where the folder of this user is another's, a link, or can be taken away by others
 */
export function holdSocketFolder(socket: string): void {
  if (process.platform === 'win32') return
  const folder = path.dirname(socket)
  if (path.basename(folder) !== userFolder()) {
    mkdirSync(folder, { recursive: true, mode: folderMode })
    return
  }
  try {
    mkdirSync(folder, { mode: folderMode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  checkSocketFolder(socket)
  // It is ours: what a mask took away is given back, and what others were given is taken.
  chmodSync(folder, folderMode)
}

/**
 * Sees that whoever listens on a socket can be nobody but this user or whom it lets: before a secret is told there. A folder that is
 * not there is for the connection to find.
 *
 * @throws {@link HostError} `HOST_SOCKET_FOLDER`
 */
export function checkSocketFolder(socket: string): void {
  const folder = path.dirname(socket)
  if (process.platform === 'win32' || path.basename(folder) !== userFolder()) return
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isDirectory()) throw refused(folder, found, 'is no folder')
  if (found.uid !== process.getuid?.()) throw refused(folder, found, 'is not of this user')
  const above = statSync(path.dirname(folder))
  if ((above.mode & writableByOthers) !== 0 && (above.mode & sticky) === 0)
    throw refused(
      folder,
      found,
      'can be replaced by others, since the folder above it is not sticky',
    )
}

/** Listens on a socket; what a process that died left there is removed. Only whoever has the lock of the place may. */
export async function listenOn(
  server: net.Server,
  socket: string,
  { mode, backlog = 511 }: { readonly mode: number; readonly backlog?: number },
): Promise<void> {
  const isFile = process.platform !== 'win32'
  holdSocketFolder(socket)
  if (isFile) remove(socket)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, backlog, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  if (isFile) setSocketMode(socket, mode)
}

function remove(socket: string): void {
  try {
    unlinkSync(socket)
  } catch {
    // There is none, or it cannot be removed, which the socket then says.
  }
}

/** Its name alone: programs of one host may be given different folders for temporary files. */
function userFolder(): string {
  return `pos-kernel-host-${process.getuid?.() ?? 'user'}`
}

function refused(folder: string, { uid }: Stats, found: string): Error {
  const message =
    `${folder} ${found} (owner: user ${uid}), so no socket is made or sought there; have its owner or root remove it, ` +
    'or set TMPDIR to a folder of your own, for the host and for its commands'
  return hostError('HOST_SOCKET_FOLDER', message, { path: folder, owner: uid, found })
}
