/**
 * How a command ends: its exit code, and what it says when it fails.
 *
 * | code | meaning |
 * | --- | --- |
 * | 0 | done |
 * | 1 | the thing checked is bad, or the operation was refused |
 * | 2 | wrong usage |
 * | 3 | I/O or damage |
 */
import { type HostCode, HostError } from '../host/error.js'
import { BindingLoadError, type ErrorJson, isPosError, posError } from '../kernel/errors.js'
import { printJson } from './output.js'

/** Exit codes. */
export const exitCodes = { done: 0, refused: 1, usage: 2, io: 3 } as const

/** The exit code of a failure. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof HostError) return exitCodeOfHost(error.code as HostCode)
  if (!isPosError(error)) return exitCodes.io
  // A table is what a command was asked to look at, and it is bad.
  if (error.code === 'PK_E_BAD_PLA') return exitCodes.refused
  switch (error.family) {
    case 'money':
    case 'state':
    case 'lock':
      return exitCodes.refused
    case 'input':
      return exitCodes.usage
    case 'storage':
    case 'internal':
      return exitCodes.io
  }
}

/** What was written wrongly is usage; what a host refused or nobody is there to do is refused; the rest is I/O or damage. */
function exitCodeOfHost(code: HostCode): number {
  switch (code) {
    case 'HOST_MANIFEST':
    case 'HOST_ARGUMENT':
      return exitCodes.usage
    case 'HOST_LAUNCH':
    case 'HOST_STATE':
    case 'HOST_DISCONNECTED':
    case 'HOST_TIMED_OUT':
    case 'HOST_PROTOCOL':
    case 'HOST_FAILED':
      return exitCodes.io
    default:
      return exitCodes.refused
  }
}

/** Says what went wrong, on stdout as JSON or on stderr as a sentence, and sets the exit code. */
export function fail(error: unknown, json: boolean): void {
  const known = asKnown(error)
  process.exitCode = exitCodeOf(known)
  if (json) {
    printJson(known.toJSON())
  } else {
    process.stderr.write(`pos-kernel: ${known.code}: ${known.message}\n`)
    if (process.env.NODE_DEBUG?.includes('poskernel')) {
      process.stderr.write(`${known.stack}\n`)
    }
  }
}

/** Any error as one of ours. A failed file operation of Node keeps its path and its cause. */
export function asKnown(error: unknown): Error & { code: string; toJSON(): ErrorJson } {
  if (isPosError(error) || error instanceof BindingLoadError || error instanceof HostError)
    return error
  if (error instanceof Error && 'syscall' in error) {
    const { syscall, path, code, message } = error as NodeJS.ErrnoException
    const facts = {
      ...(syscall !== undefined && { operation: syscall }),
      ...(path !== undefined && { path }),
      ...(code !== undefined && { osCode: code }),
    }
    return posError('PK_E_IO', message, facts, error)
  }
  const text = error instanceof Error ? error.message : String(error)
  return posError('PK_E_PANIC', `an unexpected fault: ${text}`, { cause: text }, error)
}
