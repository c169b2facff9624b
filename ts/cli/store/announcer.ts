/** The terminal that a command opens to announce something. */
import { listTerminals } from '../../kernel/inspect.js'
import { openTerminal, type Terminal } from '../../kernel/terminal.js'
import { type Globals, noTerminal, storeOf } from '../globals.js'

/** By custom, the terminal of whoever runs the store. */
const managerId = 'MANAGER'

/**
 * Opens the manager's terminal, runs the work, and closes it. A second manager is refused by its lock; where
 * there is no store yet, none is made.
 *
 * @throws {@link InputError} `PK_E_NOT_FOUND`
 * @throws {@link LockError} `PK_E_TERMINAL_IN_USE`
 */
export async function asManager<T>(
  globals: Globals,
  work: (manager: Terminal) => Promise<T>,
): Promise<T> {
  const root = storeOf(globals)
  if (listTerminals(root).length === 0) throw noTerminal(root)
  const id = globals.terminal ?? managerId
  await using manager = await openTerminal({ root, id })
  // Acknowledgements come over its socket.
  await manager.messages.onMessage(() => {})
  return await work(manager)
}
