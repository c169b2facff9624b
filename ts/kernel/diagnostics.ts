/**
 * What the kernel tells about itself: four channels of `node:diagnostics_channel` and the debug log
 * behind `NODE_DEBUG=poskernel`. Nobody listening costs one comparison a call.
 */
import { channel } from 'node:diagnostics_channel'
import { debuglog } from 'node:util'
import type { BindingLoadError, PosError } from './errors.js'
import type { RecoveryReport } from './terminal.js'

/** Published on `pos-kernel:fact` once a call that made a fact is answered. */
export interface FactMessage {
  /** Terminal id. */
  readonly terminal: string
  /** Name of the call: `begin`, `addLine`, `sell` and so on. */
  readonly operation: string
  /** Number of the sale. */
  readonly sale: number
  /** Sequence of the fact's last record. */
  readonly sequence: number
  /** The call waited for the device: its fact is durable. */
  readonly durable: boolean
  /** The answer is the stored one of an earlier call with the same key. */
  readonly replayed: boolean
}

/** Published on `pos-kernel:open` once a terminal is open. */
export interface OpenMessage {
  /** Terminal id. */
  readonly terminal: string
  /** Root folder. */
  readonly root: string
  /** What was found. */
  readonly recovery: RecoveryReport
}

/** Published on `pos-kernel:close` once a terminal is closed. */
export interface CloseMessage {
  /** Terminal id. */
  readonly terminal: string
  /** Root folder. */
  readonly root: string
}

/** Published on `pos-kernel:error` for every refusal and every failure. */
export interface ErrorMessage {
  /** Terminal id; absent when none was open. */
  readonly terminal?: string
  /** Name of the call. */
  readonly operation: string
  /** The error that the caller gets. */
  readonly error: PosError | BindingLoadError
}

const factChannel = channel('pos-kernel:fact')
const openChannel = channel('pos-kernel:open')
const closeChannel = channel('pos-kernel:close')
const errorChannel = channel('pos-kernel:error')

const log = debuglog('poskernel')

/** True when somebody hears of facts. */
export function isTracing(): boolean {
  return factChannel.hasSubscribers || log.enabled
}

export function tellFact(message: FactMessage): void {
  const { terminal, operation, sale, sequence, durable, replayed } = message
  log(
    '%s %s sale=%d sequence=%d%s%s',
    terminal,
    operation,
    sale,
    sequence,
    durable ? ' durable' : '',
    replayed ? ' replayed' : '',
  )
  factChannel.publish(message)
}

export function tellOpen(message: OpenMessage): void {
  log('%s opened in %s: %o', message.terminal, message.root, message.recovery)
  openChannel.publish(message)
}

export function tellClose(message: CloseMessage): void {
  log('%s closed', message.terminal)
  closeChannel.publish(message)
}

export function tellError(message: ErrorMessage): void {
  const { terminal = '-', operation, error } = message
  log('%s %s %s %s', terminal, operation, error.code, error.message)
  errorChannel.publish(message)
}
