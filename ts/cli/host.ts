/**
 * `pos-kernel host`: the apps of a store under their supervisor. `start` runs it; the others are operators: they speak to
 * a host that runs over its control socket, whose key only the store's user can read. Each command has a file in `host/`.
 */
import type { Command } from 'commander'
import { register as registerActions } from './host/actions.js'
import { register as registerDashboard } from './host/dashboard.js'
import { register as registerDoctor } from './host/doctor.js'
import { register as registerEvents } from './host/events.js'
import { register as registerLogs } from './host/logs.js'
import { register as registerMetrics } from './host/metrics.js'
import { register as registerQuestions } from './host/questions.js'
import { register as registerReport } from './host/report.js'
import { register as registerShutdown } from './host/shutdown.js'
import { register as registerStart } from './host/start.js'
import { register as registerStatus } from './host/status.js'
import { register as registerTop } from './host/top.js'

/** Registers the commands. */
export function register(program: Command): void {
  const host = program
    .command('host')
    .summary('run the apps of a store, each a supervised process; watch and command them')
    .description(
      'Every app and every terminal of a store in a process of its own, under a supervisor: limits that hold, ' +
        'restarts with state, a dashboard. A store has one host.',
    )
    .helpCommand('help [command]', 'print help for a command')
  registerStart(host)
  registerStatus(host)
  registerTop(host)
  registerLogs(host)
  registerActions(host)
  registerEvents(host)
  registerQuestions(host)
  registerReport(host)
  registerDashboard(host)
  registerMetrics(host)
  registerDoctor(host)
  registerShutdown(host)
}
