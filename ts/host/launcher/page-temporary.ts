/**
 * A browser's folder for what is not to stay. It makes a socket there, whose path may have some hundred bytes and no
 * more: the folders of a store are too deep for it.
 */
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const prefix = path.join(os.tmpdir(), 'pos-kernel-page-')

/** Makes one, for this user alone. */
export function makeTemporary(
  user: { readonly uid: number; readonly gid: number } | undefined,
): string {
  const folder = mkdtempSync(prefix)
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  return folder
}

/** That of a running browser; undefined where it has none of ours. */
export function temporaryOf(pid: number): string | undefined {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    return entries.find((entry) => entry.startsWith('TMPDIR='))?.slice('TMPDIR='.length)
  } catch {
    return undefined
  }
}

/** Removes one, and nothing else: what a process says of itself is not believed. */
export function removeTemporary(folder: string | undefined): void {
  if (folder === undefined || !/^[A-Za-z0-9]{6}$/.test(folder.slice(prefix.length))) return
  if (folder.startsWith(prefix)) rmSync(folder, { recursive: true, force: true })
}
