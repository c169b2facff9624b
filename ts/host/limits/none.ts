/** Holds nothing, and says so: for machines without any means. What apps use is measured all the same. */
import { hostError } from '../error.js'
import type { AppManifest } from '../manifest/manifest.js'
import { Tree } from '../monitor/tree.js'
import type { Governor, Hold } from './governor.js'

const reason = 'this host was started without limits'

/** A governor without rings. */
export const noGovernor: Governor = {
  rings: {
    memory: [],
    cpu: [],
    processes: [],
    missing: ['memory', 'cpu', 'processes'].map((ring) => ({
      ring,
      reason,
      mend: 'start it with the limits of the machine',
    })),
  },
  async prepare({ startup_app: { uuid }, resourceLimits }, _instance, isolation) {
    const [limit] = Object.keys(resourceLimits)
    if (isolation === 'required' && limit !== undefined) {
      const message = `${uuid}: ${limit} cannot be held: ${reason}`
      throw hostError('HOST_LIMIT_UNSUPPORTED', message, { limit, ring: 'none', reason })
    }
    return hold()
  },
  adopt: async (_app: AppManifest) => hold(),
  sweep: async () => {},
}

function hold(): Hold {
  const tree = new Tree()
  return {
    confinement: { groups: [] },
    rings: { memory: 'none', cpu: 'none' },
    async usage(pids) {
      const usage = await tree.measure(pids, Date.now())
      return usage ?? { memory: 0, rss: 0, cpuMs: 0, processes: 0, files: 0 }
    },
    oomKills: async () => 0,
    change: async () => {},
    killAll: async () => false,
    remove: async () => tree.close(),
  }
}
