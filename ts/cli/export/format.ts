/** The formats of `pos-kernel export`: each is one file beside this one and one line in `formats`. */
import type { Business } from '../../kernel/export.js'
import { dep, dsfinvk } from './fiscal.js'
import { jsonl } from './jsonl.js'

/** What a format is asked to write. */
export interface ExportTask {
  /** Root folder of the store. */
  readonly root: string
  /** The terminals to export, at least one. */
  readonly terminals: readonly string[]
  /** A folder of archives beside that of the store. */
  readonly archive: string | undefined
  /** The folder to write into; it exists. */
  readonly out: string
  /** Who runs the till. */
  readonly business: Business | undefined
}

/** A file that was written. */
export interface ExportedFile {
  /** Its name in the folder. */
  readonly file: string
  /** Its size. */
  readonly bytes: number
  /** BLAKE3, SHA-256 or what the format asks for, by name. */
  readonly sha256: string
}

/** What was exported of one terminal. */
export interface ExportedTerminal {
  /** Terminal id. */
  readonly id: string
  /** Records, or what the format counts as one. */
  readonly records: number
  /** The last link that the export covers: compare it with `verify` and with anchors. */
  readonly head: string
  /** What could not be read; `verify` says more. */
  readonly problems: readonly string[]
}

/** What an export has written. */
export interface ExportSummary {
  readonly files: readonly ExportedFile[]
  readonly terminals: readonly ExportedTerminal[]
}

/** A format. */
export interface ExportFormat {
  /** As `--format` names it. */
  readonly name: string
  /** One line for the help. */
  readonly about: string
  /** Writes the files. */
  write(task: ExportTask): Promise<ExportSummary>
}

/** Every format that there is. */
export const formats: readonly ExportFormat[] = [jsonl, dsfinvk, dep]
