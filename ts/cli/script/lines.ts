/** The lines of a stream of bytes, with a limit, so that no input can fill the memory. */
import { posError } from '../../kernel/errors.js'

/** Bytes of a line of a script. */
export const LINE_BYTES_MAX = 1 << 20

/** A line, or why it is none. */
export type SourceLine =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly error: Error }

/**
 * Splits bytes into lines. Blank lines are left out but counted. A line that is too long or not
 * UTF-8 comes as its error, and the next line is read as if nothing had been.
 */
export async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<SourceLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let parts: Buffer[] = []
  let bytes = 0
  let number = 0
  const take = (): SourceLine | undefined => {
    number += 1
    const [line, length] = [Buffer.concat(parts), bytes]
    parts = []
    bytes = 0
    if (length > LINE_BYTES_MAX) return { number, error: tooLong(number, length) }
    try {
      const text = decoder.decode(line).trim()
      return text === '' ? undefined : { number, text }
    } catch {
      return { number, error: notText(number) }
    }
  }
  for await (const chunk of source) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      keep(chunk.subarray(start, end))
      start = end + 1
      const line = take()
      if (line !== undefined) yield line
    }
    keep(chunk.subarray(start))
  }
  const last = bytes > 0 ? take() : undefined
  if (last !== undefined) yield last

  function keep(part: Buffer): void {
    bytes += part.length
    // What is beyond the limit is counted and dropped.
    if (bytes <= LINE_BYTES_MAX) parts.push(part)
    else parts = []
  }
}

function tooLong(number: number, value: number): Error {
  const message = `line ${number} has ${value} bytes, over the limit of ${LINE_BYTES_MAX}`
  return posError('PK_E_LIMIT', message, { what: 'line', value, limit: LINE_BYTES_MAX })
}

function notText(number: number): Error {
  return posError('PK_E_BAD_ARGUMENT', `line ${number} is not UTF-8`, { line: number })
}
