/** Who may do what with the files of a store. */
import { access, constants, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { broken, type Check, fine, reasonOf, risky } from './check.js'
import { terminalsOf } from './machine.js'

const WORLD_WRITABLE = 0o002
const STICKY = 0o1000

/** Whether the store, or the folder that it will be made in, can be written to. */
export async function checkRoot(root: string, base: string): Promise<Check> {
  const value = base === root ? root : `${root} (not there yet)`
  try {
    await access(base, constants.R_OK | constants.W_OK | constants.X_OK)
    return fine('root', value)
  } catch (error) {
    const advice = `give this user rights on ${base}, or choose another --root`
    return broken('root', reasonOf(error), advice)
  }
}

/** Whether every file of the terminals can be read and written by us, and not by everybody. */
export async function checkFiles(root: string): Promise<Check> {
  const name = 'permissions'
  const terminals = terminalsOf(root)
  let count = 0
  for (const id of terminals) {
    for (const file of await entriesOf(path.join(root, 'terminals', id))) {
      count += 1
      const found = await judge(file)
      if (found !== undefined) return found
    }
  }
  return fine(
    name,
    count === 0 ? 'no terminal yet' : `${count} files of ${terminals.length} terminals`,
  )

  async function judge(file: string): Promise<Check | undefined> {
    try {
      await access(file, constants.R_OK | constants.W_OK)
      const { mode } = await stat(file)
      const isOpen =
        process.platform !== 'win32' && (mode & (WORLD_WRITABLE | STICKY)) === WORLD_WRITABLE
      return isOpen
        ? risky(name, `${file} can be written to by everybody`, `run: chmod o-w ${file}`)
        : undefined
    } catch (error) {
      return broken(name, reasonOf(error), `give this user rights on ${file}`)
    }
  }
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true })
  return [folder, ...entries.map((entry) => path.join(folder, entry))]
}
