/** Apps under the governor of this machine: prepared, started, looked at, and cleaned up after. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExitRecord } from '../../../ts/host/launcher/exit.js'
import type { Launched } from '../../../ts/host/launcher/launcher.js'
import { NodeLauncher } from '../../../ts/host/launcher/node.js'
import type { Hold } from '../../../ts/host/limits/governor.js'
import { counterIn, read } from '../../../ts/host/limits/group.js'
import { type GovernorOptions, openGovernor } from '../../../ts/host/limits/system.js'
import { giveFolders } from '../../../ts/host/limits/users.js'
import { Bench, until } from '../launcher/contract.js'

/** The app that eats. */
export const eater = path.join(fileURLToPath(new URL('.', import.meta.url)), 'apps', 'eat.mjs')

/** What an app of a test is given. */
export interface Given {
  readonly uuid?: string
  readonly script?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly limits?: object
  readonly permissions?: object
  readonly isolation?: 'best' | 'required' | 'none'
}

/** A store with a governor that uses all means, or only one. */
export class Governed {
  readonly bench = new Bench({
    launcher: (root) => new NodeLauncher({ root }),
    idle: {},
    spoil: (order) => order,
  })
  readonly governor
  readonly #holds: Hold[] = []

  constructor(only?: GovernorOptions['only']) {
    const { place, root } = this.bench
    chmodSync(root, 0o755)
    this.governor = openGovernor(only === undefined ? { place } : { place, only })
  }

  /** Starts an app. */
  async start(given: Given): Promise<Started> {
    const { uuid = 'eater', script = eater, args = [], env = {} } = given
    const { limits = {}, permissions = {} } = given
    const app = this.bench.app(
      uuid,
      { script, args: [...args], env },
      {
        resourceLimits: limits,
        permissions: { childProcess: true, ...permissions },
      },
    )
    const instance = `${uuid}.1`
    this.bench.order(app, instance)
    const hold = await this.governor.prepare(app, instance, given.isolation ?? 'best')
    this.#holds.push(hold)
    const order = this.bench.order(app, instance, hold.confinement)
    const { user } = hold.confinement
    if (user !== undefined) giveFolders(order.folders, user)
    const launched = await this.bench.launchOrder(order)
    return new Started(this.bench, uuid, hold, launched)
  }

  async close(): Promise<void> {
    await this.bench.close()
    await Promise.all(this.#holds.map((hold) => hold.remove()))
    this.governor.close()
  }
}

/** A started app. */
export class Started {
  readonly folder: string
  readonly data: string
  readonly hold: Hold
  readonly launched: Launched

  constructor(bench: Bench, uuid: string, hold: Hold, launched: Launched) {
    this.hold = hold
    this.launched = launched
    this.folder = bench.place.instance(`${uuid}.1`)
    this.data = bench.place.app(uuid, 'data')
  }

  get exited(): Promise<ExitRecord> {
    return this.launched.exited
  }

  /** Resolves when the app has taken what it wanted. */
  ready(): Promise<unknown> {
    return until('the app is ready', () => existsSync(path.join(this.data, 'ready')))
  }

  /** Tells an app that waits for it to begin. */
  go(): void {
    writeFileSync(path.join(this.data, 'go'), '')
  }

  /** Most bytes that its group was ever charged; undefined where no group holds memory. */
  peakBytes(): number | undefined {
    for (const procs of this.hold.confinement.groups) {
      for (const name of ['memory.max_usage_in_bytes', 'memory.peak']) {
        const text = read(path.join(path.dirname(procs), name))
        if (text !== undefined) return Number(text)
      }
    }
    return undefined
  }

  /** Times that the group refused a new process. */
  refusedProcesses(): number {
    return this.hold.confinement.groups
      .map((procs) => counterIn(path.join(path.dirname(procs), 'pids.events'), 'max'))
      .reduce((sum, count) => sum + count, 0)
  }

  /** Times that its group had used up its share of processor time and was stopped until the next period. */
  throttledPeriods(): number {
    return this.hold.confinement.groups
      .map((procs) => counterIn(path.join(path.dirname(procs), 'cpu.stat'), 'nr_throttled'))
      .reduce((sum, count) => sum + count, 0)
  }
}
