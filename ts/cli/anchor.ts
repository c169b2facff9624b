/** `pos-kernel anchor`: a place in the chain to keep where nobody can change it with the journal. */
import type { Command } from 'commander'
import { openTerminal } from '../kernel/terminal.js'
import { globalsOf, storeOf, terminalOf } from './globals.js'
import { print, printJson } from './output.js'

interface Options {
  readonly place?: string
  readonly sign?: true
}

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('anchor')
    .summary('give a place in the chain to keep elsewhere')
    .description(
      'Opens a terminal and gives the head of its chain: keep it where whoever may change the ' +
        'journal cannot change it too, and give its link to verify --anchor later. With --place, the ' +
        'journal notes where it is kept; with --sign, the key of the terminal signs it. The terminal ' +
        'must not be in use; a host that sells asks terminal.proof.anchor() instead.',
    )
    .option('--place <text>', 'where it is kept, for the journal to note')
    .option('--sign', "sign with the terminal's key, which is made when there is none")
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel anchor --root ./store --terminal REGISTER_01
  pos-kernel anchor --root ./store --place 'sent to the accountant' --sign --json`,
    )
    .action(async ({ place, sign }: Options, command: Command) => {
      const globals = globalsOf(command)
      const [root, id] = [storeOf(globals), terminalOf(globals)]
      const signing = sign ? 'software' : 'off'
      await using terminal = await openTerminal({ root, id, create: false, signing })
      const anchor = await terminal.proof.anchor({ place })
      if (globals.json) {
        printJson({ ok: true, ...anchor })
        return
      }
      print(`terminal ${anchor.terminal}`)
      print(`sequence ${anchor.sequence}`)
      print(`link ${anchor.link}`)
      print(`at ${anchor.at}`)
      const { signature } = anchor
      if (signature !== undefined) {
        print(`signature ${signature.algorithm} ${signature.key} ${signature.value}`)
      }
    })
}
