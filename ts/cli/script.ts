/** `pos-kernel script`: operations, one JSON object a line, on one terminal; one answer a line. */
import { createReadStream } from 'node:fs'
import { type Command, Option } from 'commander'
import type { Durability } from '../kernel/terminal.js'
import { globalsOf } from './globals.js'

interface Options {
  readonly strict?: true
  readonly durability?: Durability
  readonly testClock?: true
}

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('script')
    .summary('run operations from a file or stdin on one terminal')
    .description(
      'Runs operations, one JSON object a line, on one terminal, and prints one answer a line: ' +
        '{"ok":true,"op":...} or {"ok":false,"op":...,"code":...,"message":...,"facts":{...}}. A ' +
        'refused operation changes nothing and the script goes on.',
    )
    .argument('<file>', 'the script; - reads stdin')
    .option('--strict', 'stop at the first refusal with exit 1')
    .addOption(
      new Option('--durability <mode>', 'when calls are acknowledged').choices(['record', 'sale']),
    )
    .option('--test-clock', 'allow the operation setClock (for tests)')
    .addHelpText(
      'after',
      `
Operations: setPolicy, policy, begin, addLine, setQuantity, voidLine, overridePrice, overrideTaxes,
discountLine, surchargeLine, discountSale, surchargeSale, retract, tender, confirmTender,
declineTender, voidTender, beginReturn, returnLine, suspend, resume, suspendedSales, collectTransfers,
expire, totals, complete, void, close, sell, receipt, openSales, counters, status, signOn, signOff,
approve, training, openShift, closeShift, shift, paidIn, paidOut, sendCash, receiveCash,
cashInTransit, noSale, cashCount, xReport, zReport, periodClose, reprint. "sale" may be left out when exactly one is open.

Examples:
  pos-kernel script morning.jsonl --root ./store --terminal REGISTER_01
  pos-kernel script - --root ./store --terminal REGISTER_01 --strict <<'END'
  {"op":"begin","store":"corner-shop","currency":"EUR"}
  {"op":"addLine","sku":"coffee","quantity":2,"unitPrice":320}
  {"op":"tender","kind":"cash","amount":1000}
  {"op":"complete"}
  END`,
    )
    .action(async (file: string, options: Options, command: Command) => {
      const { root, terminal } = globalsOf(command)
      const { durability } = options
      // Loaded only here: reading the schemas takes longer than most commands.
      const { runScript } = await import('./script/run.js')
      await runScript({
        source: file === '-' ? process.stdin : createReadStream(file),
        terminal: { root, id: terminal, durability },
        isStrict: options.strict === true,
        hasTestClock: options.testClock === true,
      })
    })
}
