/** `store.json`: which terminals a store has, and what each does. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { posError } from '../../kernel/errors.js'

const terminal = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/),
  /** A file of sales as `replay` reads them; terminals with the same one share it. */
  replay: z.string().min(1).optional(),
  /** Pause between two sales, in milliseconds. */
  paceMs: z.int().min(0).max(86_400_000).default(0),
})

const storeFile = z.strictObject({
  /** Folder of the store, from the file's own; `--root` goes first. */
  root: z.string().min(1).optional(),
  durability: z.enum(['sale', 'record']).default('sale'),
  /** How long open sales may be finished after a signal. */
  graceMs: z.int().min(0).max(86_400_000).default(5000),
  terminals: z.array(terminal).min(1).max(128),
})

/** What a terminal's process is told. */
export interface HostOrder {
  readonly root: string
  readonly id: string
  readonly durability: 'sale' | 'record'
  readonly graceMs: number
  readonly paceMs: number
  /** The file of sales, and which share of it is this terminal's. */
  readonly replay?: { readonly file: string; readonly index: number; readonly of: number }
}

/**
 * Reads a store file into one order for each terminal.
 *
 * @throws {@link InputError} `PK_E_BAD_CONFIG`
 */
export function readStoreFile(file: string, root: string | undefined): readonly HostOrder[] {
  const bad = (found: string) =>
    posError('PK_E_BAD_CONFIG', `${file} cannot be used: ${found}`, { path: file })
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error
    throw bad((error as Error).message)
  }
  const parsed = storeFile.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw bad(`${issue?.path.join('.') || 'it'}: ${issue?.message}`)
  }
  const { terminals, durability, graceMs, root: named } = parsed.data
  const folder = path.dirname(path.resolve(file))
  const ids = terminals.map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) throw bad(`${twice} stands twice`)
  const store = root ?? (named === undefined ? undefined : path.resolve(folder, named))
  if (store === undefined) throw bad('it names no root, and --root is not given')
  return terminals.map(({ id, replay, paceMs }) => {
    const order = { root: store, id, durability, graceMs, paceMs }
    if (replay === undefined) return order
    const sharers = terminals.filter((other) => other.replay === replay).map((other) => other.id)
    const share = { index: sharers.indexOf(id), of: sharers.length }
    return { ...order, replay: { file: path.resolve(folder, replay), ...share } }
  })
}
