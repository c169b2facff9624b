/**
 * Reads `pos_kernel.h`: its constants, structures and functions, with their comments.
 *
 * The header is generated and has one form, so this reads that form and nothing else; a declaration
 * that it does not understand is an error.
 */

/** @typedef {{name: string, type: string, pointer: boolean, constant: boolean, length: number | undefined}} Field */

/** Parses the header. */
export function parseHeader(text) {
  const constants = []
  const structures = []
  const functions = []
  const aliases = []
  const abi = /Interface (\d+)\.(\d+)\./.exec(text)
  if (abi === null) throw new Error('pos_kernel.h: no interface version')
  let comment = ''
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]
    if (line.startsWith('/**')) {
      const end = lines.findIndex((other, index) => index >= at && other.includes('*/'))
      comment = commentOf(lines.slice(at, end + 1))
      at = end
      continue
    }
    const constant = /^#define (P[KL]_\w+) (\d+)/.exec(line)
    if (constant !== null) {
      constants.push({ name: constant[1], value: constant[2], comment })
    } else if (line.startsWith('typedef struct {')) {
      const end = lines.findIndex((other, index) => index > at && /^\} \w+;$/.test(other))
      const name = lines[end].slice(2, -1)
      structures.push({ name, comment, fields: fieldsOf(lines.slice(at + 1, end)) })
      at = end
    } else if (line.startsWith('typedef ')) {
      const [, type, name] = /^typedef (\w+) (\w+);$/.exec(line) ?? []
      if (name === undefined) throw new Error(`pos_kernel.h:${at + 1}: ${line}`)
      aliases.push({ name, type, comment })
    } else if (/^(?:const )?\w+ \*?p[kl]_\w+\(/.test(line)) {
      const end = lines.findIndex((other, index) => index >= at && other.endsWith(');'))
      const source = lines.slice(at, end + 1).join('\n')
      functions.push(functionOf(source, comment))
      at = end
    } else if (line !== '') {
      comment = ''
      continue
    } else {
      continue
    }
    comment = ''
  }
  if (functions.length === 0 || structures.length === 0) throw new Error('pos_kernel.h is empty')
  return { abi: { major: abi[1], minor: abi[2] }, constants, structures, functions, aliases }
}

function commentOf(lines) {
  const text = lines.map((line) => line.replace(/^\s*\/\*\*\s?|^\s*\*(?!\/)\s?|\s*\*\/\s*$/g, ''))
  return text.join('\n').trim()
}

function fieldsOf(lines) {
  const fields = []
  let comment = ''
  for (const line of lines.map((line) => line.trim())) {
    if (line.startsWith('/**') || line.startsWith('*')) {
      const words = commentOf([line])
      comment = comment === '' ? words : `${comment} ${words}`.trim()
      continue
    }
    const found = /^(const )?(\w+) (\*?)(\w+)(?:\[(\d+)\])?;$/.exec(line)
    if (found === null) throw new Error(`pos_kernel.h: not a field: ${line}`)
    const [, constant, type, pointer, name, length] = found
    fields.push({
      name,
      type,
      pointer: pointer === '*',
      constant: constant !== undefined,
      length: length === undefined ? undefined : Number(length),
      comment,
    })
    comment = ''
  }
  return fields
}

function functionOf(source, comment) {
  const flat = source.replace(/\s+/g, ' ')
  const found = /^(const )?(\w+) (\*?)(p[kl]_\w+)\((.*)\);$/.exec(flat)
  if (found === null) throw new Error(`pos_kernel.h: not a function: ${flat}`)
  const [, , type, pointer, name, list] = found
  const parameters = list === 'void' ? [] : list.split(', ').map(parameterOf)
  return { name, type, pointer: pointer === '*', parameters, comment, source }
}

function parameterOf(text) {
  const found = /^(const )?(\w+) (\*?)(\w+)$/.exec(text)
  if (found === null) throw new Error(`pos_kernel.h: not a parameter: ${text}`)
  const [, constant, type, pointer, name] = found
  return { name, type, pointer: pointer === '*', constant: constant !== undefined }
}

/** Parameters that are the first of many items and not one. */
export const arrays = new Set([
  'out_lines',
  'out_handles',
  'out_counters',
  'out_words',
  'sizes',
  'words',
  'out_rows',
  'out_applied',
  'out_shares',
  'out_splits',
  'taxes',
  'tables',
  'cash',
  'out_drawer',
])
