/**
 * Exports of a terminal's journal in the forms that tax offices name. They read the journal beside
 * its owner and never write it.
 */
import { binding } from '../native.js'
import { toPosError } from './errors.js'
import { checkNames, optionalText, text } from './input.js'
import { plain } from './plain.js'
import { rootOf } from './terminal.js'

/**
 * The form of an export: `dsfinvk` is the CSV file set of DSFinV-K 2.4, `dep` a chained journal of
 * receipts in the manner of the DEP of the Austrian RKSV. No certified device is behind either.
 */
export type ExportFormat = 'dsfinvk' | 'dep'

/** Who runs the till, for the master data of an export. The journal does not know. */
export interface Business {
  /** Name of the taxpayer. */
  readonly name?: string | undefined
  /** Street and number. */
  readonly street?: string | undefined
  /** Post code. */
  readonly postCode?: string | undefined
  /** City. */
  readonly city?: string | undefined
  /** Country, three letters of ISO 3166. */
  readonly country?: string | undefined
  /** Tax number. */
  readonly taxNumber?: string | undefined
  /** VAT identification number. */
  readonly vatId?: string | undefined
}

/** What to export. */
export interface ExportOptions {
  /** Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
  readonly root?: string | undefined
  /** Terminal. */
  readonly terminal: string
  /** Form. */
  readonly format: ExportFormat
  /** A folder that does not exist yet; it is there whole or not at all. */
  readonly dir: string
  /** Who runs the till. */
  readonly business?: Business | undefined
}

/** A file of an export. */
export interface ExportedFile {
  /** Its name. */
  readonly name: string
  /** Its rows, headings not counted. */
  readonly rows: number
}

/** What an export holds. */
export interface JournalExport {
  /** Its files. */
  readonly files: readonly ExportedFile[]
  /** Z reports. */
  readonly closings: number
  /** Receipts. */
  readonly receipts: number
  /** Receipts since the last Z report, which the form has no place for. */
  readonly unclosed: number
}

const optionNames = new Set(['root', 'terminal', 'format', 'dir', 'business'])
const businessNames = new Set([
  'name',
  'street',
  'postCode',
  'city',
  'country',
  'taxNumber',
  'vatId',
])

/**
 * Writes an export of a terminal's journal into a new folder, off the event loop.
 *
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT` for an unknown form or a folder that is there
 * already, `PK_E_BAD_ID`
 * @throws {@link MoneyError} `PK_E_BAD_CURRENCY` when DSFinV-K would have to hold two currencies
 * @throws {@link SaleStateError} `PK_E_NOT_FOUND` when there is no such journal
 * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_INCONSISTENT`, `PK_E_IO`, `PK_E_NO_SPACE`
 * @example
 * const { closings } = await exportJournal({
 *   terminal: 'REGISTER_01',
 *   format: 'dsfinvk',
 *   dir: './dsfinvk-2026-11',
 *   business: { name: 'Bakery', country: 'DEU' },
 * })
 */
export async function exportJournal(options: ExportOptions): Promise<JournalExport> {
  try {
    checkNames('options', options, optionNames)
    const { business = {} } = options
    checkNames('business', business, businessNames)
    for (const [name, value] of Object.entries(business)) optionalText(`business.${name}`, value)
    const exported = await binding().exportJournal(
      rootOf(options.root),
      text('terminal', options.terminal),
      text('format', options.format),
      text('dir', options.dir),
      Object.fromEntries(Object.entries(business).filter(([, value]) => value !== undefined)),
    )
    return plain(exported) as JournalExport
  } catch (fault) {
    throw toPosError(fault)
  }
}
