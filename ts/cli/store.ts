/** `pos-kernel store`: what concerns all terminals of a store. Each subcommand has a file in `store/`. */
import type { Command } from 'commander'
import { register as registerAudit } from './store/audit.js'
import { register as registerServe } from './store/serve.js'

/** Registers the command and its subcommands. */
export function register(program: Command): void {
  const store = program
    .command('store')
    .summary('all terminals of a store together')
    .description('Commands for all terminals of a store together.')
    .helpCommand('help [command]', 'print help for a command')
  registerAudit(store)
  registerServe(store)
}
