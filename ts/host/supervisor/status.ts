/**
 * What the supervisor says of its apps, to whoever asks: the command line, the monitor, the dashboard, and apps
 * that are permitted to. Plain JSON.
 */
import type { EndReason } from '../report/reason.js'

/** Where an app is in its life. */
export type AppState =
  | 'idle'
  | 'starting'
  | 'ready'
  | 'degraded'
  | 'draining'
  | 'stopping'
  | 'stopped'
  | 'backoff'
  | 'quarantined'

/** An app now. Times are milliseconds since 1970, sizes bytes, CPU percent of one core. */
export interface AppStatus {
  readonly uuid: string
  readonly name: string
  readonly kind: 'app' | 'terminal'
  readonly launcher: 'node' | 'chromium' | 'electron'
  readonly state: AppState
  /** Why it is in this state, as a sentence; empty when there is nothing to say. */
  readonly why: string
  readonly instance: string | null
  readonly pid: number | null
  readonly startedAt: number | null
  readonly readyAt: number | null
  /** Runs since the store's host was first started. */
  readonly generation: number
  /** Restarts after failures, and the time at which the next try is due. */
  readonly restarts: number
  readonly retryAt: number | null
  readonly lastEnd: {
    readonly reason: EndReason
    readonly at: number
    readonly instance: string
  } | null
  readonly recycles: number
  readonly spares: number
  readonly limits: {
    readonly memory: number | null
    readonly softMemory: number | null
    readonly cpu: number | null
  }
  /** Which means hold the limits: `cgroup2`, `cgroup1`, `rlimit`, `launcher`, `none`. */
  readonly rings: { readonly memory: string; readonly cpu: string }
  /** One sentence for each limit and boundary that this machine or its launcher could not put around it. */
  readonly missing: readonly string[]
  /** Latest sample; null before the first. */
  readonly sample: AppSample | null
  /** What the app said of itself with its last heartbeat. */
  readonly health: AppHealth | null
}

/** What was measured of the process tree of an app. */
export interface AppSample {
  readonly at: number
  /** Anonymous bytes, which are what the limit is about. */
  readonly memory: number
  readonly rss: number
  /** Percent of one core since the sample before. */
  readonly cpu: number
  readonly processes: number
  readonly files: number
}

/** What an app says of itself. */
export interface AppHealth {
  readonly at: number
  /** Event loop delay over the last second, milliseconds. */
  readonly loopP50: number
  readonly loopP99: number
  readonly heapUsed: number
  readonly handles: number
  /** Messages handled since it started, by the app's bus client. */
  readonly messages: number
  /** Of a terminal: sales completed since it started, sales open now, whether its journal is in order, and its recovery. */
  readonly terminal: TerminalHealth | null
}

/** What a terminal says of itself. */
export interface TerminalHealth {
  readonly id: string
  readonly sales: number
  readonly openSales: number
  readonly journal: 'ok' | 'failed'
  readonly recovery: unknown
}

/** The whole host now. */
export interface HostStatus {
  readonly pid: number
  readonly startedAt: number
  /** Supervisors that this store's host had; more than 1 with `adopted` says that one died. */
  readonly epoch: number
  readonly adopted: number
  readonly state: 'starting' | 'running' | 'stopping'
  readonly broker: {
    readonly state: AppState
    readonly pid: number | null
    readonly restarts: number
    readonly frames: number
  }
  readonly apps: readonly AppStatus[]
}

/** Characters of all recoveries in one status; a thousand apps without them stay well below what one answer may have. */
const recoveriesMax = 1024 * 1024

/**
 * A status that fits one answer: where terminals say more of their recoveries than that, none of it is in there; it is in the event `restored`
 * of each.
 */
export function sendable(status: HostStatus): HostStatus {
  let characters = 0
  for (const { health } of status.apps) {
    if (health?.terminal) characters += JSON.stringify(health.terminal.recovery ?? null).length
  }
  if (characters <= recoveriesMax) return status
  const apps = status.apps.map((app) =>
    app.health?.terminal
      ? { ...app, health: { ...app.health, terminal: { ...app.health.terminal, recovery: null } } }
      : app,
  )
  return { ...status, apps }
}

/** Something that happened. `seq` counts up by one and outlives the supervisor. */
export interface HostEvent {
  readonly seq: number
  readonly at: number
  readonly uuid: string | null
  readonly instance: string | null
  readonly type:
    | 'host-started'
    | 'host-stopping'
    | 'host-stopped'
    | 'launched'
    | 'ready'
    | 'degraded'
    | 'recovered'
    | 'draining'
    | 'ended'
    | 'restarting'
    | 'quarantined'
    | 'released'
    | 'recycling'
    | 'adopted'
    | 'lost'
    | 'soft-limit'
    | 'hang'
    | 'restored'
    | 'refused'
    | 'report'
  /** A sentence for people. */
  readonly text: string
  /** The values behind it. */
  readonly facts: Readonly<Record<string, unknown>>
}
