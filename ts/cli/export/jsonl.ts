/**
 * JSON Lines: every record of a journal, decoded, with the bytes that its link is made of. One file a
 * terminal. `docs/reference/export-jsonl.md` describes a line.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { exportLines } from '../../kernel/export-lines.js'
import type { ExportedFile, ExportedTerminal, ExportFormat, ExportTask } from './format.js'

export const jsonl: ExportFormat = {
  name: 'jsonl',
  about: 'JSON Lines: every record decoded, with all that its link is made of',
  async write(task) {
    const files: ExportedFile[] = []
    const terminals: ExportedTerminal[] = []
    for (const id of task.terminals) {
      const { file, terminal } = await writeTerminal(task, id)
      files.push(file)
      terminals.push(terminal)
    }
    return { files, terminals }
  },
}

async function writeTerminal(
  { root, archive, out }: ExportTask,
  id: string,
): Promise<{ readonly file: ExportedFile; readonly terminal: ExportedTerminal }> {
  const name = `${id}.jsonl`
  const stream = createWriteStream(path.join(out, name))
  const failed = new Promise<never>((_, reject) => stream.once('error', reject))
  failed.catch(() => {})
  const hash = createHash('sha256')
  const problems: string[] = []
  let [records, bytes, head] = [0, 0, '']
  const write = async () => {
    for await (const line of exportLines({ root, terminal: id, archive })) {
      const text = `${JSON.stringify(line)}\n`
      hash.update(text)
      bytes += Buffer.byteLength(text)
      if (line.sequence !== undefined) {
        records += 1
        head = String(line.link)
      }
      if (line.problem !== undefined) problems.push(`segment ${line.segment}: ${line.problem}`)
      if (!stream.write(text)) await once(stream, 'drain')
    }
    stream.end()
    await once(stream, 'close')
  }
  await Promise.race([write(), failed]).finally(() => stream.destroy())
  const file = { file: name, bytes, sha256: hash.digest('hex') }
  return { file, terminal: { id, records, head, problems } }
}
