/** Names of signals. */
import os from 'node:os'

/** The name of a signal, as `SIGKILL`. */
export function signalName(number: number): string {
  const found = Object.entries(os.constants.signals).find(([, value]) => value === number)
  return found?.[0] ?? `SIG${number}`
}
