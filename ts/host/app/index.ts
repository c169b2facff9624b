/**
 * `pos-kernel/host/app`: what an app of the host imports. It loads fast and brings no schema, no kernel and no broker with
 * it; what an app does not use costs it nothing.
 *
 * ```text
 * launcher -- bootstrap (pipe) --> connectHost --> control.sock   hello, ready, heartbeat | drain, shed, become
 *                                       |
 *                                       +-- bus        bus.sock, with the first use: messages, requests, topics, see ../bus
 *                                       +-- state      <data>/state, see ../state
 *                                       +-- fatal.json, node-*.json, hang.json in the folder of the run, see ../report
 * ```
 *
 * What holds here: an app outlives its supervisor and finds the next one; without any for `orphanMs` it drains and ends; and
 * however it ends, what it knew of its end is on disk before. Read `host-app.ts` first, then `link.ts`.
 */
export type {
  Bus,
  BusCounts,
  BusPosted,
  BusPostOptions,
  BusRequestOptions,
  BusSender,
} from '../bus/bus.js'
export { type Letter, letterOf } from '../bus/letter.js'
export { HostError, isHostError } from '../error.js'
export type { Restored, RestoredFrom, SaveOptions, StateStore } from '../state/state.js'
export { type ConnectOptions, connectHost } from './connect.js'
export type { DrainHook, DrainOrder, HostApp, ShedHook, ShedOrder } from './host-app.js'
export {
  type HostTerminal,
  type HostTerminalOptions,
  openHostTerminal,
  watchTerminal,
} from './terminal.js'
