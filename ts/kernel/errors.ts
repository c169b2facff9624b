/**
 * Errors: one class a family, one code a case, from the one table in `codes.ts`.
 *
 * Match on `code`, or on the class; no text is ever parsed. `facts` carry the values that the
 * sentence names, so that a host can build a sentence of its own.
 */
import { BindingLoadError } from '../native.js'
import { type ErrorCode, type ErrorFamily, errorCodes } from './codes.js'
import { plain } from './plain.js'

export { type BindingFacts, BindingLoadError } from '../native.js'

/** The owner of a terminal, as its owner record tells it. */
export interface OwnerFacts {
  /** Process id. */
  readonly pid: number
  /** When that process started, in clock ticks since boot; 0 when unknown. */
  readonly processStart: number
  /** Boot of the machine; empty when unknown. */
  readonly bootId: string
  /** Host name. */
  readonly host: string
  /** Kernel version. */
  readonly version: string
  /** Version of the host layer. */
  readonly hostVersion: string | null
  /** Owner epoch in the journal. */
  readonly epoch: number
  /** When the terminal was opened, ISO 8601 in UTC. */
  readonly openedAt: string
  /** The owner has closed the terminal. */
  readonly released: boolean
}

/** The sale that it is about. */
export interface SaleFacts {
  readonly sale: number
}

/** A text and its limit. */
export interface TextFacts {
  readonly what: string
  readonly bytes?: number
  readonly limit?: number
}

/** Where a journal is damaged. */
export interface DamageFacts {
  readonly segment?: number
  readonly offset?: number
  readonly sequence?: number
  readonly durableSequence?: number
  readonly goodRecordsAfter?: number
  readonly found?: string
}

/** A file operation and why it failed. */
export interface FileFacts {
  readonly operation?: string
  readonly path?: string
  readonly cause?: string
  readonly osCode?: number | string | null
}

/**
 * The facts of each code. A field that may be absent is one that not every place that raises the
 * code knows.
 */
export interface ErrorFacts {
  /** What was looked for. */
  readonly PK_E_NOT_FOUND: {
    readonly sale?: number
    readonly line?: number
    readonly tender?: number
    readonly receipt?: number
    readonly record?: number
    readonly sequence?: number
    readonly terminal?: string
    readonly path?: string
  }
  /** The terminal that is closed. */
  readonly PK_E_CLOSED: { readonly terminal: string }
  /** The sale that is over. */
  readonly PK_E_ALREADY_FINAL: SaleFacts
  /** What the sale comes to and what is missing, in minor units. */
  readonly PK_E_UNDERPAID: SaleFacts & {
    readonly gross: number
    readonly tendered: number
    readonly due: number
  }
  /** The tender whose outcome is not known. */
  readonly PK_E_PENDING_TENDER: SaleFacts & { readonly tender: number }
  /** A live tender of the sale. */
  readonly PK_E_TENDER_TAKEN: SaleFacts & { readonly tender: number }
  /** The sale that is covered. */
  readonly PK_E_NOTHING_DUE: SaleFacts
  /** The sale without a live line. */
  readonly PK_E_EMPTY_SALE: SaleFacts
  /** The line that is voided already. */
  readonly PK_E_LINE_VOIDED: SaleFacts & { readonly line: number }
  /** The tender and the state it is in. */
  readonly PK_E_TENDER_STATE: SaleFacts & { readonly tender: number; readonly state: string }
  /** The sale that is still open. */
  readonly PK_E_STILL_OPEN: SaleFacts
  /** Who has the terminal; `owner` is absent when its record cannot be read. */
  readonly PK_E_TERMINAL_IN_USE: { readonly terminal: string; readonly owner?: OwnerFacts }
  /** Which text, how long it is, how long it may be. */
  readonly PK_E_BAD_TEXT: TextFacts
  /** The id as it was given; absent when none was. */
  readonly PK_E_BAD_ID: { readonly value?: string; readonly limit?: number }
  /** Which argument, what was given, what is wanted. */
  readonly PK_E_BAD_ARGUMENT: {
    readonly argument?: string
    readonly value?: unknown
    readonly expected?: string
    readonly allowed?: readonly string[]
    readonly range?: string
    readonly line?: number
  }
  /** The file. */
  readonly PK_E_BAD_CONFIG: { readonly path: string }
  /** How long the key is and may be. */
  readonly PK_E_BAD_KEY: TextFacts
  /** What reached which limit. */
  readonly PK_E_LIMIT: { readonly what?: string; readonly value: number; readonly limit: number }
  /** The currency as it was given. */
  readonly PK_E_BAD_CURRENCY: { readonly value: string }
  /** The amount, and what is due where that decides. */
  readonly PK_E_BAD_AMOUNT: {
    readonly value: number | string
    readonly due?: number
    readonly what?: string
    readonly limit?: number
  }
  /** The quantity as it was given. */
  readonly PK_E_BAD_QUANTITY: {
    readonly value: string
    readonly what?: string
    readonly line?: number
  }
  /** The price as it was given. */
  readonly PK_E_BAD_PRICE: { readonly value: string; readonly what?: string }
  /** The amount and the largest there is. */
  readonly PK_E_OVERFLOW: {
    readonly value: number | string
    readonly limit: number
    readonly what?: string
  }
  /** Where the damage is. */
  readonly PK_E_CORRUPT: DamageFacts
  /** Where the chain breaks. */
  readonly PK_E_CHAIN_BROKEN: DamageFacts
  /** The version that was found. */
  readonly PK_E_VERSION: {
    readonly found?: number
    readonly known?: number
    readonly sequence?: number
  }
  /** The record and what it contradicts. */
  readonly PK_E_INCONSISTENT: DamageFacts
  /** The segment that is missing. */
  readonly PK_E_MISSING_SEGMENT: DamageFacts
  /** The segment whose mark is unreadable. */
  readonly PK_E_MARK: DamageFacts
  /** Where it was looked for. */
  readonly PK_E_ANCHOR_MISSING: DamageFacts
  /** The operation, the file and the cause. */
  readonly PK_E_IO: FileFacts
  /** How much was wanted, or which file operation failed. */
  readonly PK_E_NO_SPACE: FileFacts & { readonly segmentBytes?: number }
  /** The operation that failed. */
  readonly PK_E_OUTCOME_UNKNOWN: FileFacts
  /** The operation that failed earlier. */
  readonly PK_E_POISONED: FileFacts
  /** The key and the record that it made. */
  readonly PK_E_IDEMPOTENCY_MISMATCH: { readonly key: string; readonly sequence: number }
  /** What is known about the fault. */
  readonly PK_E_PANIC: { readonly cause?: string }
}

/** An error as JSON: what the commands print and a script answers. */
export interface ErrorJson {
  /** An error is never ok. */
  readonly ok: false
  /** `PK_E_...`. */
  readonly code: string
  /** A sentence for people. */
  readonly message: string
  /** The values behind the sentence. */
  readonly facts: object
}

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
