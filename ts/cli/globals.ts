/** The options that every command has: which store, which terminal, which form of output. */
import type { Command } from 'commander'
import { posError } from '../kernel/errors.js'
import { listTerminals } from '../kernel/inspect.js'
import { rootOf } from '../kernel/terminal.js'

/** What stands before or behind the name of any command. */
export interface Globals {
  readonly root?: string
  readonly terminal?: string
  readonly json?: true
}

/** The options that every command has, wherever on the line they stood. */
export function globalsOf(command: Command): Globals {
  return command.optsWithGlobals()
}

/** The store as an absolute path. */
export function storeOf({ root }: Globals): string {
  return rootOf(root)
}

/**
 * The terminal of a command that reads one journal: as given, else `POS_TERMINAL_ID`, else the only
 * one that the store has.
 *
 * @throws {@link SaleStateError} `PK_E_NOT_FOUND` when the store has none
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT` when it has several
 */
export function terminalOf(globals: Globals): string {
  const named = globals.terminal ?? (process.env.POS_TERMINAL_ID || undefined)
  if (named !== undefined) return named
  const root = storeOf(globals)
  const [only, ...others] = listTerminals(root)
  if (only === undefined) throw noTerminal(root)
  if (others.length === 0) return only
  const allowed = [only, ...others]
  const message = `${root} has ${allowed.length} terminals: say which with --terminal`
  throw posError('PK_E_BAD_ARGUMENT', message, { argument: 'terminal', allowed })
}

/** The refusal of a store without terminals: what was not looked at is not well. */
export function noTerminal(root: string): Error {
  return posError('PK_E_NOT_FOUND', `there is no terminal in ${root}; is --root right?`, {
    path: root,
  })
}
