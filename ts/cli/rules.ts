/** `pos-kernel rules`: compiles a decision table, says what is wrong with it, explains an answer. */
import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { isPosError } from '../kernel/errors.js'
import {
  compileRules,
  type RuleExplanation,
  type RuleInput,
  type RuleReport,
  type Rules,
} from '../kernel/rules.js'
import { exitCodes, fail } from './failure.js'
import { globalsOf } from './globals.js'
import { print, printJson, table } from './output.js'

interface Options {
  readonly explain?: RuleInput
}

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('rules')
    .argument('<file>', 'a table as JSON or CSV; - reads standard input')
    .summary('compile a decision table and report what is wrong with it')
    .description(
      'Compiles a decision table and reports contradictions, gaps and shadowed rows, each with an ' +
        'example. Exits with 1 when there is any. With --explain it says which answer an input ' +
        'has, and which rows give it.',
    )
    .option('--explain <input>', 'a JSON object with a value for each condition column', inputOf)
    .addHelpText(
      'after',
      `
Examples:
  pos-kernel rules age-limits.csv
  pos-kernel rules age-limits.csv --explain '{"class":"wine","ageChecked":true,"buyerAge":17}'
  pos-kernel rules tax-class.json --json`,
    )
    .action(async (file: string, { explain }: Options, command: Command) => {
      const { json } = globalsOf(command)
      const source = readFileSync(file === '-' ? 0 : file, 'utf8')
      const rules = await compiled(source, json ?? false)
      if (rules === undefined) return
      const { report } = rules
      // A table that contradicts itself has nothing to explain.
      const explained =
        explain === undefined || report.counts.contradictions > 0
          ? undefined
          : rules.explain(explain)
      if (json) printJson({ ...report, ...(explained && { explain: explained }) })
      else show(report, explained)
      if (!report.ok) process.exitCode = exitCodes.refused
    })
}

/** The table is what is checked: one that cannot be read is bad, not a wrong usage. */
async function compiled(source: string, json: boolean): Promise<Rules | undefined> {
  try {
    return await compileRules(source)
  } catch (error) {
    if (!isPosError(error, 'PK_E_BAD_RULES') && !isPosError(error, 'PK_E_LIMIT')) throw error
    fail(error, json)
    process.exitCode = exitCodes.refused
    return undefined
  }
}

function inputOf(text: string): RuleInput {
  try {
    const input: unknown = JSON.parse(text)
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
      return input as RuleInput
    }
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('It is not a JSON object.')
}

function show(report: RuleReport, explained: RuleExplanation | undefined): void {
  const { rows, products, answers, counts } = report
  print(`${report.table}: ${rows} rows (${report.hit}), ${answers} answers, ${products} products`)
  print(`hash ${report.hash}`)
  const listed = (count: number, shown: readonly unknown[]) =>
    count > shown.length ? `, the first ${shown.length} of them` : ''
  if (counts.contradictions > 0) {
    print(
      `\ncontradictions: ${counts.contradictions}${listed(counts.contradictions, report.contradictions)}`,
    )
    table(
      ['rows', 'both apply to'],
      report.contradictions.map(({ rows, example }) => [rows.join(', '), JSON.stringify(example)]),
    )
  }
  if (counts.gaps > 0) {
    const allowed = report.gapsAllowed || report.hit === 'collect' ? ' (allowed)' : ''
    print(`\ngaps${allowed}: ${counts.gaps}${listed(counts.gaps, report.gaps)}`)
    table(
      ['no row speaks of', 'for example'],
      report.gaps.map(({ when, example }) => [wordsOf(when), JSON.stringify(example)]),
    )
  }
  if (counts.shadowed > 0) {
    print(`\nshadowed rows: ${counts.shadowed}${listed(counts.shadowed, report.shadowed)}`)
    table(
      ['row', 'decided by', 'for example'],
      report.shadowed.map(({ row, by, example }) => [row, by.join(', '), JSON.stringify(example)]),
    )
  }
  if (explained !== undefined) {
    print('')
    if (explained.answers.length === 0) print('no row speaks of this input')
    for (const { answer, rows } of explained.answers) {
      print(`${JSON.stringify(answer)} by ${rows.join(', ')}`)
    }
    print(`rows that apply: ${explained.applying.join(', ') || 'none'}`)
  }
}

function wordsOf(when: Readonly<Record<string, string>>): string {
  const said = Object.entries(when).map(([column, cell]) => `${column} ${cell}`)
  return said.length === 0 ? 'any input' : said.join(', ')
}
