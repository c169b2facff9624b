/**
 * `pos-kernel/host`: every app and every terminal of a store in a process of its own, supervised.
 *
 * Three kinds of processes. The **supervisor** starts apps, holds them to their limits, notices how they are and why
 * they ended, and starts them again. The **broker** passes messages between them and carries the desktop agent. The
 * **apps** do the work. None of the three takes another with it when it dies: apps go on without a supervisor and are
 * found again, and without a broker until it is back.
 *
 * ```text
 * manifest -> supervisor -> launcher -> [pos-kernel-launch] -> app
 *                 |  control.sock  <------------------------- app/     ready, heartbeat, drain
 *              limits, health, report, monitor, dashboard
 *              broker  bus.sock    <------------------------- app/     send, request, publish, FDC3
 * ```
 */
export { type Dashboard, type DashboardOptions, startDashboard } from './dashboard/dashboard.js'
export { type HostCode, HostError, hostCodes, isHostError } from './error.js'
export { ChromiumLauncher, type ChromiumOptions } from './launcher/chromium.js'
export { ElectronLauncher, type ElectronParts } from './launcher/electron.js'
export type { Launcher } from './launcher/launcher.js'
export type { Governor } from './limits/governor.js'
export {
  type AppManifest,
  type HostManifest,
  type HostManifestInput,
  hostManifestSchema,
  parseManifest,
} from './manifest/manifest.js'
export type { EndReason } from './report/reason.js'
export { type Host, type HostOptions, startHost } from './start.js'
export type { ControlRequests, ShutdownResult } from './supervisor/control.js'
export type {
  AppHealth,
  AppSample,
  AppState,
  AppStatus,
  HostEvent,
  HostStatus,
} from './supervisor/status.js'
