/** `pos-kernel archive`: moves sealed segments out of the journal, with a manifest. */
import { type Command, InvalidArgumentError } from 'commander'
import { openTerminal } from '../kernel/terminal.js'
import { globalsOf, storeOf, terminalOf } from './globals.js'
import { print, printJson } from './output.js'

interface Options {
  readonly to?: string
  readonly upto?: number
  readonly sign?: true
}

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('archive')
    .summary('move sealed segments into an archive')
    .description(
      'Opens a terminal and moves the sealed segments of its journal into its archive: copied, read ' +
        'back, described by a manifest, journaled, and only then removed. A crash at any moment loses ' +
        'none, and the next call goes on. The terminal must not be in use; a host that sells asks ' +
        'terminal.proof.archive() instead.',
    )
    .option('--to <dir>', 'folder of archives, in which each terminal has one (else ROOT/archive)')
    .option(
      '--upto <segment>',
      'the last segment to move; all sealed ones when left out',
      segmentOf,
    )
    .option('--sign', "sign with the terminal's key, which is made when there is none")
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel archive --root ./store --terminal REGISTER_01
  pos-kernel archive --root ./store --to /mnt/archive --upto 12 --sign --json`,
    )
    .action(async ({ to, upto, sign }: Options, command: Command) => {
      const globals = globalsOf(command)
      const [root, id] = [storeOf(globals), terminalOf(globals)]
      const signing = sign ? 'software' : 'off'
      await using terminal = await openTerminal({ root, id, create: false, signing, archive: to })
      const report = await terminal.proof.archive({ uptoSegment: upto })
      if (globals.json) {
        printJson({ ok: true, terminal: id, ...report })
        return
      }
      const { folder, removed, oldestSegment, manifest } = report
      if (manifest !== null) {
        const { segments, receipts, sequences, hash, file } = manifest
        print(`${id}: segments ${segments.join(' to ')}, records ${sequences.join(' to ')}`)
        print(`${id}: receipts ${receipts.join(' to ')}`)
        print(`${id}: manifest ${file}, blake3 ${hash}`)
      }
      print(`${id}: ${removed} segments are in ${folder}; the journal begins at ${oldestSegment}`)
    })
}

function segmentOf(text: string): number {
  const segment = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(segment) && segment > 0) return segment
  throw new InvalidArgumentError('It is not a whole number from 1.')
}
