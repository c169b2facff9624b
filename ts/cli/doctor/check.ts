/** What a check of `doctor` finds. */

/** `ok`: as it should be. `warn`: works, with a risk that the advice names. `fail`: mend it. */
export type Level = 'ok' | 'warn' | 'fail'

/** A finding. */
export interface Check {
  /** What was looked at. */
  readonly name: string
  /** False only when it has to be mended. */
  readonly ok: boolean
  /** How it is. */
  readonly level: Level
  /** What was found. */
  readonly value: string
  /** What to do; absent when there is nothing to do. */
  readonly advice?: string
}

/** As it should be. */
export function fine(name: string, value: string): Check {
  return { name, ok: true, level: 'ok', value }
}

/** It works, and there is a risk. */
export function risky(name: string, value: string, advice: string): Check {
  return { name, ok: true, level: 'warn', value, advice }
}

/** It has to be mended. */
export function broken(name: string, value: string, advice: string): Check {
  return { name, ok: false, level: 'fail', value, advice }
}

/** The text of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
