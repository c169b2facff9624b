/** Options that commands of a store share. */
import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'

/** Seconds, with a fraction, as milliseconds. */
export function secondsOf(text: string): number {
  const seconds = Number(text)
  if (!/^\d+(\.\d{1,3})?$/.test(text))
    throw new InvalidArgumentError('Give seconds, such as 5 or 0.5.')
  return Math.round(seconds * 1000)
}

/** A whole number from 1. */
export function numberOf(text: string): number {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 1.')
  return Number(text)
}

/** JSON, from the text itself, or from a file after `@`; `@-` is standard input. */
export function jsonOf(text: string): unknown {
  const source = text.startsWith('@')
    ? readFileSync(text === '@-' ? 0 : text.slice(1), 'utf8')
    : text
  try {
    return JSON.parse(source)
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${(error as Error).message}`)
  }
}

/** A JSON object, as {@link jsonOf}. */
export function objectOf(text: string): Readonly<Record<string, unknown>> {
  const value = jsonOf(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>
  }
  throw new InvalidArgumentError('It is no JSON object.')
}
