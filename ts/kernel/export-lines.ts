/**
 * A journal as lines that others can read and prove: what each record says, and every byte that a
 * link of the chain is made of. `docs/reference/export-jsonl.md` tells how to follow the chain.
 */
import { binding } from '../native.js'
import { toPosError } from './errors.js'
import { checkNames, optionalText, text } from './input.js'
import { plain } from './plain.js'
import { rootOf } from './terminal.js'

/** Records that are decoded at a time; between two such batches the event loop runs. */
const BATCH_RECORDS = 1024

/** A line of an export: the header of a segment, a record, or a place that cannot be read. */
export type ExportLine = Readonly<Record<string, unknown>>

/** What to export. */
export interface ExportLinesOptions {
  /** Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
  readonly root?: string | undefined
  /** Terminal id. */
  readonly terminal: string
  /** A folder of archives beside that of the store; in it, each terminal has a folder of its own. */
  readonly archive?: string | undefined
}

const optionNames = new Set(['root', 'terminal', 'archive'])

/**
 * The lines of a journal, in order, its archive included. Takes no lock and writes nothing.
 *
 * @throws {@link SaleStateError} `PK_E_NOT_FOUND` when there is no such journal
 * @throws {@link InputError} `PK_E_BAD_ID`, `PK_E_BAD_ARGUMENT`
 * @throws {@link StorageError} `PK_E_IO`, `PK_E_VERSION`
 * @example
 * for await (const line of exportLines({ root: './store', terminal: 'REGISTER_01' })) {
 *   console.log(JSON.stringify(line))
 * }
 */
export async function* exportLines(
  options: ExportLinesOptions,
): AsyncGenerator<ExportLine, void, undefined> {
  try {
    checkNames('options', options, optionNames)
    const root = rootOf(options.root)
    const terminal = text('terminal', options.terminal)
    const archive = optionalText('archive', options.archive)
    for (let next = 1, end = false; !end; ) {
      const batch = binding().exportRecords(root, terminal, archive, next, BATCH_RECORDS)
      next = batch.nextSequence
      end = batch.end
      yield* batch.lines.map((line) => plain(line) as ExportLine)
      if (!end) await new Promise((resolve) => setImmediate(resolve))
    }
  } catch (thrown) {
    throw toPosError(thrown)
  }
}
