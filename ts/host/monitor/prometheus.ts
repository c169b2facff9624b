/**
 * A host in the text format of Prometheus, version 0.0.4: base units, seconds and bytes; counters end in `_total`;
 * one family after the other, each with its help and its type.
 */
import type { AppState, AppStatus, HostStatus } from '../supervisor/status.js'

/** What a scraper is told about the text. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number]

interface Family {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly samples: readonly Sample[]
}

const states: readonly AppState[] = [
  'idle',
  'starting',
  'ready',
  'degraded',
  'draining',
  'stopping',
  'stopped',
  'backoff',
  'quarantined',
]

/** The text. */
export function prometheusText(status: HostStatus): string {
  return `${families(status).filter(hasSamples).map(textOf).join('')}`
}

function families(status: HostStatus): Family[] {
  const { apps, broker } = status
  return [
    one(
      'host_start_time_seconds',
      'gauge',
      'When the supervisor started.',
      status.startedAt / 1000,
    ),
    one('host_supervisors_total', 'counter', 'Supervisors that this store had.', status.epoch),
    one('host_adopted_apps', 'gauge', 'Apps that this supervisor found running.', status.adopted),
    one('host_broker_up', 'gauge', '1 when the broker serves.', broker.state === 'ready' ? 1 : 0),
    one('host_broker_restarts_total', 'counter', 'Restarts of the broker.', broker.restarts),
    one('host_broker_frames_total', 'counter', 'Frames that the broker passed on.', broker.frames),
    {
      name: 'pos_kernel_app_state',
      type: 'gauge',
      help: '1 for the state that the app is in.',
      samples: apps.flatMap((app) =>
        states.map((state): Sample => [{ app: app.uuid, state }, app.state === state ? 1 : 0]),
      ),
    },
    of(
      apps,
      'memory_bytes',
      'gauge',
      'Anonymous memory of all processes.',
      (app) => app.sample?.memory,
    ),
    of(apps, 'memory_limit_bytes', 'gauge', 'Limit of the memory.', (app) => app.limits.memory),
    of(
      apps,
      'memory_soft_limit_bytes',
      'gauge',
      'Memory from which the app is recycled.',
      (app) => app.limits.softMemory,
    ),
    of(
      apps,
      'resident_bytes',
      'gauge',
      'Resident memory, shared pages whole.',
      (app) => app.sample?.rss,
    ),
    of(apps, 'cpu_ratio', 'gauge', 'Cores in use over the last second.', (app) =>
      ratio(app.sample?.cpu),
    ),
    of(apps, 'cpu_limit_ratio', 'gauge', 'Cores that the app may use.', (app) =>
      ratio(app.limits.cpu),
    ),
    of(apps, 'processes', 'gauge', 'Processes of the app.', (app) => app.sample?.processes),
    of(apps, 'open_files', 'gauge', 'Open descriptors of the app.', (app) => app.sample?.files),
    of(apps, 'start_time_seconds', 'gauge', 'When this run started.', (app) =>
      app.startedAt !== null ? app.startedAt / 1000 : null,
    ),
    of(
      apps,
      'starts_total',
      'counter',
      'Runs since the host was first started.',
      (app) => app.generation,
    ),
    of(apps, 'restarts_total', 'counter', 'Restarts after failures.', (app) => app.restarts),
    of(apps, 'recycles_total', 'counter', 'Planned replacements.', (app) => app.recycles),
    of(apps, 'spares', 'gauge', 'Warm processes that wait.', (app) => app.spares),
    of(apps, 'loop_delay_p50_seconds', 'gauge', 'Median delay of the event loop.', (app) =>
      seconds(app.health?.loopP50),
    ),
    of(
      apps,
      'loop_delay_p99_seconds',
      'gauge',
      '99th percentile of the delay of the event loop.',
      (app) => seconds(app.health?.loopP99),
    ),
    of(
      apps,
      'heap_used_bytes',
      'gauge',
      'Heap in use, as the app says.',
      (app) => app.health?.heapUsed,
    ),
    of(apps, 'handles', 'gauge', 'Open handles, as the app says.', (app) => app.health?.handles),
    of(
      apps,
      'messages_total',
      'counter',
      'Messages handled by this run.',
      (app) => app.health?.messages,
    ),
    of(apps, 'heartbeat_timestamp_seconds', 'gauge', 'When the app was heard last.', (app) =>
      seconds(app.health?.at),
    ),
    ofTerminals(
      apps,
      'sales_total',
      'counter',
      'Sales completed by this run.',
      ({ sales }) => sales,
    ),
    ofTerminals(apps, 'open_sales', 'gauge', 'Sales that are open.', ({ openSales }) => openSales),
    ofTerminals(apps, 'journal_ok', 'gauge', '1 when the journal is in order.', ({ journal }) =>
      journal === 'ok' ? 1 : 0,
    ),
  ]
}

type Terminal = NonNullable<NonNullable<AppStatus['health']>['terminal']>

function one(name: string, type: Family['type'], help: string, value: number): Family {
  return { name: `pos_kernel_${name}`, type, help, samples: [[{}, value]] }
}

function of(
  apps: readonly AppStatus[],
  name: string,
  type: Family['type'],
  help: string,
  value: (app: AppStatus) => number | null | undefined,
): Family {
  const samples = apps.flatMap((app): Sample[] => {
    const found = value(app)
    return found === null || found === undefined ? [] : [[{ app: app.uuid }, found]]
  })
  return { name: `pos_kernel_app_${name}`, type, help, samples }
}

function ofTerminals(
  apps: readonly AppStatus[],
  name: string,
  type: Family['type'],
  help: string,
  value: (terminal: Terminal) => number,
): Family {
  const samples = apps.flatMap(({ uuid, health }): Sample[] => {
    const terminal = health?.terminal
    return terminal ? [[{ app: uuid, terminal: terminal.id }, value(terminal)]] : []
  })
  return { name: `pos_kernel_terminal_${name}`, type, help, samples }
}

function ratio(percent: number | null | undefined): number | null {
  return percent === null || percent === undefined ? null : percent / 100
}

function seconds(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : milliseconds / 1000
}

function hasSamples({ samples }: Family): boolean {
  return samples.length > 0
}

function textOf({ name, type, help, samples }: Family): string {
  const lines = samples.map(
    ([labels, value]) => `${name}${labelText(labels)} ${numberText(value)}\n`,
  )
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}
