/** Holds nobody to anything: what a supervisor does is tested with it wherever limits make no difference. */
import type { Governor, Hold } from '../../../ts/host/limits/governor.js'

const hold: Hold = {
  confinement: { groups: [] },
  boundaries: { user: 'same', reach: false, missing: [] },
  rings: { memory: 'none', cpu: 'none' },
  usage: async () => ({ memory: 0, rss: 0, cpuMs: 0, processes: 1, files: 0 }),
  oomKills: async () => 0,
  change: async () => {},
  killAll: async () => false,
  remove: async () => {},
}

/** The governor of tests. */
export const plainGovernor: Governor = {
  rings: { memory: [], cpu: [], processes: [], missing: [] },
  prepare: async () => hold,
  adopt: async () => hold,
  sweep: async () => {},
}
