/**
 * Arguments from outside, checked once at the edge. What the kernel itself checks (lengths, ranges,
 * the currency) is not repeated here; what would be bent on its way there (a wrong type, a misspelt
 * name, half a character) is refused by name.
 */
import type { NativeReason } from '../native.js'
import { posError } from './errors.js'

/** Checks that `value` is an object and that each of its names is one of `allowed`. */
export function checkNames(what: string, value: unknown, allowed: ReadonlySet<string>): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(what, value, `an object with ${quoted(allowed)}`)
  }
  for (const name in value) {
    if (!allowed.has(name)) throw misspelt(what, name, allowed)
  }
}

/** A text that must be there. Its length is the kernel's to judge. */
export function text(what: string, value: unknown): string {
  if (typeof value !== 'string') throw wrong(what, value, 'a string')
  // A lone surrogate has no UTF-8 form; it would be stored as another character.
  if (!(value as string & { isWellFormed(): boolean }).isWellFormed()) {
    throw posError('PK_E_BAD_TEXT', `${what} holds half of a surrogate pair`, { what })
  }
  return value
}

/** A text that may be left out. */
export function optionalText(what: string, value: unknown): string | undefined {
  return value === undefined ? undefined : text(what, value)
}

/** A whole number from 1 that names something: a sale, a line, a tender, a receipt. */
export function numberOf(what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw wrong(what, value, 'a whole number from 1')
}

/** A truth value that may be left out. */
export function optionalFlag(what: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw wrong(what, value, 'true or false')
}

/** A list; its items are checked by the caller. */
export function list(what: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw wrong(what, value, 'an array')
}

/** An idempotency key for a call that makes a fact. */
export interface Keyed {
  /**
   * 1 to 64 bytes, without control characters. The first call with a key makes the fact; every
   * later one with the same key and the same arguments gets the first one's answer.
   */
  readonly key?: string | undefined
}

/** Why something is done or taken back, and an idempotency key. */
export interface Reasoned extends Keyed {
  /** 1 to 256 bytes for the journal. */
  readonly reason: string
}

/** Why something is done, and who allowed it. */
export interface Approved extends Reasoned {
  /** Number of the approval for it. */
  readonly approval?: number | undefined
}

const keyNames = new Set(['key'])
const reasonNames = new Set(['reason', 'key'])

/** The names of {@link Approved}. */
export const approvedNames = new Set([...reasonNames, 'approval'])

/** The idempotency key of `{ key? }`. */
export function keyOf(options: unknown): string | undefined {
  if (options === undefined) return undefined
  checkNames('options', options, keyNames)
  return optionalText('key', (options as { key?: unknown }).key)
}

/** The parts of `{ reason, key? }`. */
export function reasonOf(options: unknown): { reason: string; key: string | undefined } {
  checkNames('options', options, reasonNames)
  const { reason, key } = options as { reason?: unknown; key?: unknown }
  return { reason: text('reason', reason), key: optionalText('key', key) }
}

/** The parts of {@link Approved}; the names of the object are the caller's to check. */
export function approvedOf({ reason, approval, key }: Approved) {
  const why: NativeReason = { reason: text('reason', reason) }
  if (approval !== undefined) why.approval = numberOf('approval', approval)
  return { why, key: optionalText('key', key) }
}

/** The error of an argument that is missing, or of the wrong type or value. */
export function wrong(argument: string, value: unknown, expected: string): Error {
  const message =
    value === undefined
      ? `${argument} is missing: give ${expected}`
      : `${argument} is ${shown(value)}: give ${expected}`
  const facts =
    value === undefined ? { argument, expected } : { argument, expected, value: shown(value) }
  return posError('PK_E_BAD_ARGUMENT', message, facts)
}

function misspelt(what: string, name: string, allowed: ReadonlySet<string>): Error {
  const near = [...allowed].find((known) => isNear(known.toLowerCase(), name.toLowerCase()))
  const hint = near === undefined ? `it has ${quoted(allowed)}` : `did you mean "${near}"?`
  const argument = name.length > 40 ? `${name.slice(0, 40)}...` : name
  return posError('PK_E_BAD_ARGUMENT', `${what} has no option "${argument}"; ${hint}`, {
    argument,
    allowed: [...allowed],
  })
}

function quoted(names: ReadonlySet<string>): string {
  return [...names].map((name) => `"${name}"`).join(', ')
}

/** A value as a message shows it: short, and never a whole object. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'bigint':
      return `${value}n`
    default:
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
  }
}

/** True when one begins with the other, or a third of the letters or fewer have to change. */
function isNear(known: string, given: string): boolean {
  if (given.length >= 3 && (known.startsWith(given) || given.startsWith(known))) return true
  return distance(known, given) <= Math.max(1, Math.floor(known.length / 3))
}

/** Levenshtein's distance, row by row. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const here = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const change = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      here.push(Math.min(change, (above[column] ?? 0) + 1, (here[column - 1] ?? 0) + 1))
    }
    above = here
  }
  return above[b.length] ?? 0
}
