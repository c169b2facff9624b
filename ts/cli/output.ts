/** What commands print: JSON lines, tables for people, notes on stderr. */

/** Prints one JSON document on one line. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** Prints a line for people. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Says something on stderr that is no part of the result. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/**
 * Prints one JSON document on one line and waits while nobody reads, so that a long list does not
 * gather in memory.
 */
export async function streamJson(value: unknown): Promise<void> {
  await stream(JSON.stringify(value))
}

/** As {@link streamJson}, for a line of text. */
export async function stream(line: string): Promise<void> {
  if (process.stdout.write(`${line}\n`)) return
  await new Promise<void>((resolve) => process.stdout.once('drain', () => resolve()))
}

/** A table: columns of numbers to the right, columns of text to the left. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]) {
  const all = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const isNumber = head.map((_, column) => rows.every((row) => typeof row[column] === 'number'))
  for (const row of all) {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0
      return isNumber[column] ? cell.padStart(width) : cell.padEnd(width)
    })
    print(cells.join('  ').trimEnd())
  }
}
