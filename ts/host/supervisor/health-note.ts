/**
 * A heartbeat as it is kept: an app may say anything, and what it says is counted, charted and shown to all who ask.
 */
import type { AppHealth, TerminalHealth } from './status.js'

/** Characters of a terminal's report of its recovery, as JSON. */
const recoveryCharactersMax = 16 * 1024

/** What is kept of a heartbeat; undefined when it is none. `terminal` is the register of the manifest. */
export function healthOf(value: unknown, terminal: string | undefined): AppHealth | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const said = value as Record<string, unknown>
  return {
    at: Date.now(),
    loopP50: numberOf(said.loopP50),
    loopP99: numberOf(said.loopP99),
    heapUsed: numberOf(said.heapUsed),
    handles: numberOf(said.handles),
    messages: numberOf(said.messages),
    terminal: terminal === undefined ? null : terminalOf(said.terminal, terminal),
  }
}

function terminalOf(value: unknown, id: string): TerminalHealth | null {
  if (typeof value !== 'object' || value === null) return null
  const said = value as Record<string, unknown>
  return {
    id,
    sales: numberOf(said.sales),
    openSales: numberOf(said.openSales),
    journal: said.journal === 'ok' ? 'ok' : 'failed',
    recovery: isShort(said.recovery) ? said.recovery : null,
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0
}

function isShort(value: unknown): boolean {
  return (JSON.stringify(value) ?? '').length <= recoveryCharactersMax
}
