/**
 * `pos-kernel store`: a store of several terminals, from outside. Each command has a file of its own in
 * `store/`; the terminals' processes are `store/terminal-host.ts`.
 */
import type { Command } from 'commander'
import { register as registerAudit } from './store/audit.js'
import { register as registerConfig } from './store/config.js'
import { register as registerMessage } from './store/message.js'
import { register as registerRun } from './store/run.js'
import { register as registerServe } from './store/serve.js'
import { register as registerShutdown } from './store/shutdown.js'
import { register as registerStatus } from './store/status.js'

/** Registers the commands. */
export function register(program: Command): void {
  const store = program
    .command('store')
    .summary('run, watch, configure, audit and shut down a store of several terminals')
    .description(
      'A store of several terminals, each a process of its own. What a command announces or sets is a ' +
        'fact in the journal of the terminal that it opens for it: MANAGER, or as --terminal says.',
    )
    .helpCommand('help [command]', 'print help for a command')
  registerRun(store)
  registerStatus(store)
  registerShutdown(store)
  registerMessage(store)
  registerConfig(store)
  registerAudit(store)
  registerServe(store)
}
