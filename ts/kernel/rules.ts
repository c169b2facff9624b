/**
 * Rules: decision tables from JSON or CSV, compiled, asked and explained.
 *
 * A compiled table answers what its rows say, which the kernel has proved, and names the rows behind
 * every answer. The formats are told in the guide "Rules".
 */
import {
  binding,
  type NativeAttribute,
  type NativeRules,
  type NativeRulesAnswer,
  type NativeRulesInForce,
} from '../native.js'
import type { Answer } from './answers.js'
import { toPosError } from './errors.js'
import { list, text, wrong } from './input.js'

/** Which of the rows that apply answers. */
export type HitPolicy = 'first' | 'unique' | 'any' | 'priority' | 'collect'

/** A value of an input: decimals as texts (`"12.5"`), sets as arrays. */
export type RuleValue = boolean | number | string | readonly string[]

/**
 * What a host says of a line or a tender for rules to ask, by the name of the column: the age that was
 * checked, what is in the basket. A name that no table has is nobody's question.
 */
export type Attributes = Readonly<Record<string, RuleValue | undefined>>

/** An input: a value for each condition column; one with a default may be left out. */
export type RuleInput = Readonly<Record<string, RuleValue | undefined>>

/** An answer: a value for each result column. */
export type RuleAnswer = Readonly<Record<string, boolean | number | string>>

/** Two rows that both apply and must not. */
export interface RuleContradiction {
  /** Ids of the two rows. */
  readonly rows: readonly [string, string]
  /** An input to which both apply. */
  readonly example: RuleInput
}

/** Inputs of which no row speaks. */
export interface RuleGap {
  /** The inputs, as the cells of a row that would fill the gap; columns left out may be anything. */
  readonly when: Readonly<Record<string, string>>
  /** One of them. */
  readonly example: RuleInput
}

/** A row that never decides: wherever it applies, others have decided. */
export interface ShadowedRule {
  /** Id of the row. */
  readonly row: string
  /** Ids of the rows that decide in its place. */
  readonly by: readonly string[]
  /** An input to which it applies. */
  readonly example: RuleInput
}

/** What was found in a table. Of each kind of finding the first hundred are listed. */
export interface RuleReport {
  /** No contradiction, no shadowed row, and no gap that the table does not allow. */
  readonly ok: boolean
  /** Name of the table. */
  readonly table: string
  /** Which of the rows that apply answers. */
  readonly hit: HitPolicy
  /** What a till asks the table about; null when it asks nothing. */
  readonly at: 'line' | 'tender' | 'sale' | null
  /** An input of which no row speaks is meant to have no answer. */
  readonly gapsAllowed: boolean
  /** BLAKE3 of the table in its canonical form, 64 hexadecimal digits: its identity. */
  readonly hash: string
  /** Names of the condition columns. */
  readonly columns: readonly string[]
  /** Names of the result columns. */
  readonly results: readonly string[]
  /** Rows. */
  readonly rows: number
  /** Different answers. */
  readonly answers: number
  /** Products of the compiled table; 0 when it contradicts itself. */
  readonly products: number
  /** Rows that contradict each other. */
  readonly contradictions: readonly RuleContradiction[]
  /** Inputs without an answer. */
  readonly gaps: readonly RuleGap[]
  /** Rows that never decide. */
  readonly shadowed: readonly ShadowedRule[]
  /** How many findings there are of each kind. */
  readonly counts: {
    /** Contradictions. */
    readonly contradictions: number
    /** Gaps. */
    readonly gaps: number
    /** Shadowed rows. */
    readonly shadowed: number
  }
}

/** An answer, and where it comes from. */
export interface ExplainedAnswer {
  /** The answer. */
  readonly answer: RuleAnswer
  /** Ids of the rows that give it. */
  readonly rows: readonly string[]
}

/** Why an input has its answers. */
export interface RuleExplanation {
  /** The answers. */
  readonly answers: readonly ExplainedAnswer[]
  /** Ids of all rows that apply, those that did not decide included. */
  readonly applying: readonly string[]
}

/** A compiled table. */
export interface Rules {
  /** What was found in the table. */
  readonly report: RuleReport
  /**
   * The answers to an input: one, or none where no row speaks; under `collect` any number.
   *
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT` for a column that is missing, unknown, of another
   *   type or out of its range; `PK_E_BAD_RULES` for a table that contradicts itself
   * @example
   * const [answer] = rules.evaluate({ class: 'wine', buyerAge: 17 })
   */
  evaluate(input: RuleInput): readonly RuleAnswer[]
  /**
   * The answers to an input with the rows that give them.
   *
   * @throws {@link InputError} as {@link Rules.evaluate}
   * @example
   * console.log(rules.explain({ class: 'wine', buyerAge: 17 }).answers[0]?.rows)
   */
  explain(input: RuleInput): RuleExplanation
}

/**
 * Compiles a decision table, off the event loop. Contradictions, gaps and shadowed rows are in the
 * report; a table that cannot be read is an error. A shop's table takes a millisecond, one of a
 * thousand rows some ten; a table that takes more than twenty seconds is refused.
 *
 * @param source - the table as JSON, or as CSV when it does not begin with a brace
 * @throws {@link InputError} `PK_E_BAD_RULES` with line, row and column; `PK_E_LIMIT` for a table that
 *   is too large or too intricate
 * @example
 * const { readFileSync } = await import('node:fs')
 * const rules = await compileRules(readFileSync('age-limits.csv', 'utf8'))
 * if (!rules.report.ok) console.log(rules.report.gaps)
 */
export async function compileRules(source: string): Promise<Rules> {
  try {
    return new CompiledRules(await binding().compileRules(text('source', source)))
  } catch (thrown) {
    throw toPosError(thrown)
  }
}

/**
 * As {@link compileRules}, while the calling thread waits.
 *
 * @param source - the table as JSON, or as CSV when it does not begin with a brace
 * @throws {@link InputError} as {@link compileRules}
 * @example
 * const rules = compileRulesSync('table,t,hit,first\nrule,n,r\n,when integer,then text\n1,,x\n')
 * console.log(rules.report.products)
 */
export function compileRulesSync(source: string): Rules {
  try {
    return new CompiledRules(binding().compileRulesSync(text('source', source)))
  } catch (thrown) {
    throw toPosError(thrown)
  }
}

/** Rules were set. */
export interface RulesAnswer extends Answer {
  /** What names them, 64 hexadecimal digits. */
  readonly hash: string
}

/** The rules that a terminal judges by. */
export interface RulesInForce {
  /** What names them, 64 hexadecimal digits. */
  readonly hash: string
  /** What was found in each table, in their order: the indexes of tables in the journal are theirs. */
  readonly tables: readonly RuleReport[]
}

/** Checks the texts of tables. */
export function tablesOf(tables: unknown): string[] {
  return list('tables', tables).map((source) => text('tables', source))
}

export function rulesAnswer(native: NativeRulesAnswer): RulesAnswer {
  return { hash: native.hash, sequence: native.seq, replayed: native.replayed }
}

export function rulesInForce(native: NativeRulesInForce): RulesInForce {
  const tables = native.reports.map((report) => JSON.parse(report) as RuleReport)
  return { hash: native.hash, tables }
}

/** Checks what is said for rules, in an order of its own: a key stands for what was said. */
export function attributesOf(attributes: unknown): NativeAttribute[] | undefined {
  if (attributes === undefined) return undefined
  checkValues('attributes', attributes, 'an object with values for rules')
  return Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => ({ name: text('attributes', name), value }) as NativeAttribute)
}

/** Checks that something is an object of values that a rule can hold. */
function checkValues(
  what: string,
  given: unknown,
  expected: string,
): asserts given is Record<string, RuleValue | undefined> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrong(what, given, expected)
  }
  for (const [column, value] of Object.entries(given)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item === 'string') text(column, item)
      else if (Array.isArray(value)) throw wrong(column, item, 'a text in each place of the array')
      else if (item !== undefined && typeof item !== 'boolean' && !Number.isSafeInteger(item)) {
        throw wrong(column, item, 'true or false, a safe integer, a text, or an array of texts')
      }
    }
  }
}

class CompiledRules implements Rules {
  readonly report: RuleReport
  readonly #native: NativeRules

  constructor(native: NativeRules) {
    this.#native = native
    this.report = JSON.parse(native.report()) as RuleReport
  }

  evaluate(input: RuleInput): readonly RuleAnswer[] {
    return this.#ask<RuleAnswer[]>((json) => this.#native.evaluate(json), input)
  }

  explain(input: RuleInput): RuleExplanation {
    return this.#ask<RuleExplanation>((json) => this.#native.explain(json), input)
  }

  #ask<T>(question: (json: string) => string, input: RuleInput): T {
    checkValues('input', input, 'an object with a value for each column')
    try {
      return JSON.parse(question(JSON.stringify(input))) as T
    } catch (thrown) {
      throw toPosError(thrown)
    }
  }
}
