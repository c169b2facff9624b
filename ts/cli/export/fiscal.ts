/**
 * The forms that tax offices name, one folder a terminal. The kernel writes them; here they get their
 * checksums, and the verifier's word on the journal that they were made from.
 */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { exportJournal, type ExportFormat as FiscalForm } from '../../kernel/export.js'
import { verifyStore } from '../../kernel/inspect.js'
import type { ExportedFile, ExportedTerminal, ExportFormat } from './format.js'

export const dsfinvk = fiscal(
  'dsfinvk',
  'the CSV set of DSFinV-K 2.4, by Z reports (no TSE behind it)',
)
export const dep = fiscal(
  'dep',
  'a chained journal of receipts, as the DEP of RKSV (no device behind it)',
)

function fiscal(form: FiscalForm, about: string): ExportFormat {
  return {
    name: form,
    about,
    async write({ root, terminals, out, business }) {
      const files: ExportedFile[] = []
      const exported: ExportedTerminal[] = []
      for (const id of terminals) {
        const dir = path.join(out, id)
        const made = await exportJournal({ root, terminal: id, format: form, dir, business })
        for (const { name } of made.files) {
          const file = path.join(dir, name)
          const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
          files.push({ file: path.join(id, name), bytes: statSync(file).size, sha256 })
        }
        const report = (await verifyStore({ root, terminal: id })).terminals[0]
        const problems = (report?.problems ?? []).map(({ message }) => message)
        if (made.unclosed > 0 && form === 'dsfinvk') {
          console.error(`${id}: ${made.unclosed} receipts since the last Z report are left out`)
        }
        exported.push({ id, records: made.receipts, head: report?.head ?? '', problems })
      }
      return { files, terminals: exported }
    },
  }
}
