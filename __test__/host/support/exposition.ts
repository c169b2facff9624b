/** A strict reader of Prometheus' text format 0.0.4: what a scraper might let pass is an error here. */

/** A metric family. */
export interface ReadFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: { readonly labels: Record<string, string>; readonly value: number }[]
}

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const labelPattern = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/
const numberPattern = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/

/** Reads a text; throws an error that names the line. */
export function readExposition(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, ReadFamily>()
  let current: ReadFamily | undefined
  let help: { name: string; text: string } | undefined
  const lines = text.slice(0, -1).split('\n')
  for (const [index, line] of lines.entries()) {
    const fail = (why: string): never => {
      throw new Error(`line ${index + 1}: ${why}: ${line}`)
    }
    const helpLine = /^# HELP (\S+) (.+)$/.exec(line)
    if (helpLine !== null) {
      if (help !== undefined) fail('a help without a type')
      help = { name: helpLine[1] as string, text: helpLine[2] as string }
      continue
    }
    const typeLine = /^# TYPE (\S+) (counter|gauge)$/.exec(line)
    if (typeLine !== null) {
      const [, name, type] = typeLine as unknown as [string, string, string]
      if (help?.name !== name) fail('a type that does not follow its help')
      if (families.has(name)) fail('a family is there twice')
      if ((type === 'counter') !== name.endsWith('_total')) fail('only counters end in _total')
      current = { name, type, help: help?.text ?? '', samples: [] }
      families.set(name, current)
      help = undefined
      continue
    }
    const name = namePattern.exec(line)?.[0] ?? fail('neither a comment nor a sample')
    if (current?.name !== name) fail('a sample outside its family')
    let rest = line.slice(name.length)
    const labels: Record<string, string> = {}
    if (rest.startsWith('{')) {
      rest = rest.slice(1)
      while (!rest.startsWith('}')) {
        const found = labelPattern.exec(rest) ?? fail('a broken label')
        const [whole, key, value] = found as unknown as [string, string, string]
        if (key in labels) fail('a label is there twice')
        labels[key] = value.replace(/\\(["\\n])/g, (_, it: string) => (it === 'n' ? '\n' : it))
        rest = rest.slice(whole.length)
        if (rest.startsWith(',')) rest = rest.slice(1)
        else if (!rest.startsWith('}')) fail('labels that are not separated')
      }
      rest = rest.slice(1)
    }
    if (!rest.startsWith(' ') || !numberPattern.test(rest.slice(1))) fail('a broken value')
    const key = JSON.stringify(Object.entries(labels).sort())
    const isTwice = current?.samples.some(
      (it) => JSON.stringify(Object.entries(it.labels).sort()) === key,
    )
    if (isTwice) fail('a sample is there twice')
    const value = Number(rest.slice(1).replace('Inf', 'Infinity'))
    if (current?.type === 'counter' && !(value >= 0)) fail('a counter below 0')
    current?.samples.push({ labels, value })
  }
  for (const { name, samples } of families.values()) {
    if (samples.length === 0) throw new Error(`${name} has no samples`)
  }
  return families
}
