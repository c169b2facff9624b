/**
 * Errors: one class a family, one code a case, from the one table in `codes.ts`.
 *
 * Match on `code`, or on the class; no text is ever parsed. `facts` carry the values that the
 * sentence names, so that a host can build a sentence of its own.
 */
import { BindingLoadError, type ErrorJson } from '../native.js'
import { type ErrorCode, type ErrorFamily, errorCodes } from './codes.js'
import type { ErrorFacts } from './facts.js'
import { plain } from './plain.js'

export { type BindingFacts, BindingLoadError, type ErrorJson } from '../native.js'

/**
 * A refusal or a failure of the kernel. A refused call has changed nothing.
 *
 * The class says the family, `code` the exact case. {@link isPosError} narrows the facts to those
 * of one code.
 *
 * @example
 * try {
 *   await sale.complete()
 * } catch (error) {
 *   if (isPosError(error, 'PK_E_UNDERPAID')) console.log(`still due: ${error.facts.due}`)
 *   else throw error
 * }
 */
export class PosError<Code extends ErrorCode = ErrorCode> extends Error {
  /** The exact case; it never changes its meaning. */
  readonly code: Code
  /** What it is about. */
  readonly family: ErrorFamily
  /** The values behind the message. */
  readonly facts: ErrorFacts[Code]

  /** @internal */
  constructor(code: Code, message: string, facts: ErrorFacts[Code], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.family = errorCodes[code].family
    this.facts = facts
  }

  /** The error as the one JSON object that every door shows. */
  toJSON(): ErrorJson {
    return { ok: false, code: this.code, message: this.message, facts: this.facts }
  }
}

/** An amount, a currency, a quantity or a price is refused. */
export class MoneyError<Code extends ErrorCode = ErrorCode> extends PosError<Code> {}

/** The sale, its line, its tender or the terminal does not allow this now. */
export class SaleStateError<Code extends ErrorCode = ErrorCode> extends PosError<Code> {}

/** An argument, a file or a line of text is malformed. */
export class InputError<Code extends ErrorCode = ErrorCode> extends PosError<Code> {}

/** The disk or the journal on it failed, is full or is damaged. */
export class StorageError<Code extends ErrorCode = ErrorCode> extends PosError<Code> {}

/** Somebody else owns the terminal. */
export class LockError<Code extends ErrorCode = ErrorCode> extends PosError<Code> {}

/** The kernel itself is at fault; please report it. */
export class InternalError<Code extends ErrorCode = ErrorCode> extends PosError<Code> {}

const classes: Readonly<Record<ErrorFamily, typeof PosError>> = {
  money: MoneyError,
  state: SaleStateError,
  input: InputError,
  storage: StorageError,
  lock: LockError,
  internal: InternalError,
}

/**
 * True when `value` is an error of the kernel, and of this code where one is given. Narrows `facts`.
 *
 * @example
 * if (isPosError(error, 'PK_E_TERMINAL_IN_USE')) console.log(error.facts.owner?.pid)
 */
export function isPosError<Code extends ErrorCode = ErrorCode>(
  value: unknown,
  code?: Code,
): value is PosError<Code> {
  return value instanceof PosError && (code === undefined || value.code === code)
}

/**
 * Makes the error of a code, in the class of its family.
 *
 * @internal
 */
export function posError<Code extends ErrorCode>(
  code: Code,
  message: string,
  facts: ErrorFacts[Code],
  cause?: unknown,
): PosError<Code> {
  return new classes[errorCodes[code].family](code, message, facts, cause) as PosError<Code>
}

/**
 * Turns whatever a call threw into the error that the caller sees.
 *
 * @internal
 */
export function toPosError(thrown: unknown): PosError | BindingLoadError {
  if (thrown instanceof PosError || thrown instanceof BindingLoadError) return thrown
  const fault = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Partial<Fault>
  const message = typeof fault.message === 'string' ? fault.message : String(thrown)
  if (isErrorCode(fault.code)) {
    const facts = plain(fault.facts ?? {}) as ErrorFacts[ErrorCode]
    return posError(fault.code, message, facts, thrown)
  }
  // A panic that the door caught, or a value that should never have come so far: a fault of ours.
  return posError('PK_E_PANIC', `an unexpected fault: ${message}`, { cause: message }, thrown)
}

/** An error as the binding hands it over, thrown or as data. */
interface Fault {
  code: unknown
  message: unknown
  facts: unknown
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorCodes, code)
}
