/**
 * Who a process is. Its number alone says little: numbers are used again, after a reboot from the beginning.
 */

/** A process, beyond doubt on this machine. */
export interface ProcessIdentity {
  /** Number of the process. */
  readonly pid: number
  /** Ticks after the boot at which it started: field 22 of its stat file. */
  readonly startTime: number
  /** The boot that those ticks count from. */
  readonly bootId: string
}
