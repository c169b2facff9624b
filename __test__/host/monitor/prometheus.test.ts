/** The Prometheus text of a host, read by a strict parser. */
import test from 'ava'
import { prometheusText } from '../../../ts/host/monitor/prometheus.js'
import type { HostStatus } from '../../../ts/host/supervisor/status.js'
import { appStatus } from '../support/control-server.js'
import { readExposition } from '../support/exposition.js'

const terminal = { id: 'TILL_01', sales: 12, openSales: 1, journal: 'ok', recovery: null } as const
const health = {
  at: 5000,
  loopP50: 10,
  loopP99: 25,
  heapUsed: 1024,
  handles: 7,
  messages: 99,
  terminal,
}

const status: HostStatus = {
  pid: 1,
  startedAt: 1_700_000_000_000,
  epoch: 3,
  adopted: 2,
  state: 'running',
  broker: { state: 'ready', pid: 2, restarts: 1, frames: 123_456_789_012 },
  apps: [
    appStatus('till', {
      kind: 'terminal',
      limits: { memory: 128 * 1024 * 1024, softMemory: null, cpu: 50 },
      sample: { at: 5000, memory: 1e21, rss: 2000, cpu: 12.5, processes: 2, files: 30 },
      restarts: 4,
      health,
    }),
    appStatus('idle-one', { state: 'idle', instance: null, pid: null, startedAt: null }),
  ],
}

test('every line keeps to the format, and every value is where it belongs', (t) => {
  const families = readExposition(prometheusText(status))
  const value = (name: string, labels: Record<string, string>) =>
    families
      .get(name)
      ?.samples.find((it) => Object.entries(labels).every(([key, is]) => it.labels[key] === is))
      ?.value
  t.is(value('pos_kernel_host_start_time_seconds', {}), 1_700_000_000)
  t.is(value('pos_kernel_host_broker_frames_total', {}), 123_456_789_012)
  t.is(value('pos_kernel_app_memory_bytes', { app: 'till' }), 1e21)
  t.is(value('pos_kernel_app_cpu_ratio', { app: 'till' }), 0.125)
  t.is(value('pos_kernel_app_cpu_limit_ratio', { app: 'till' }), 0.5)
  t.is(value('pos_kernel_app_loop_delay_p99_seconds', { app: 'till' }), 0.025)
  t.is(value('pos_kernel_app_restarts_total', { app: 'till' }), 4)
  t.is(value('pos_kernel_app_state', { app: 'idle-one', state: 'idle' }), 1)
  t.is(value('pos_kernel_app_state', { app: 'idle-one', state: 'ready' }), 0)
  t.is(value('pos_kernel_terminal_sales_total', { app: 'till', terminal: 'TILL_01' }), 12)
  t.is(value('pos_kernel_terminal_journal_ok', { app: 'till' }), 1)
})

test('what is not known is left out', (t) => {
  const families = readExposition(prometheusText(status))
  const apps = families.get('pos_kernel_app_memory_bytes')?.samples.map(({ labels }) => labels.app)
  t.deepEqual(apps, ['till'])
  t.false(families.has('pos_kernel_app_memory_soft_limit_bytes'))
})

test('names that hold quotes, backslashes and line ends are escaped', (t) => {
  const uuid = 'a"b\\c\nd'
  const families = readExposition(prometheusText({ ...status, apps: [appStatus(uuid)] }))
  t.is(families.get('pos_kernel_app_starts_total')?.samples[0]?.labels.app, uuid)
})

test('a host without apps has its own figures', (t) => {
  const families = readExposition(prometheusText({ ...status, apps: [] }))
  t.is(families.get('pos_kernel_host_broker_up')?.samples[0]?.value, 1)
  t.false(families.has('pos_kernel_app_state'))
})
