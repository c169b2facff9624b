/**
 * Who starts before whom, and whom a failure takes along.
 *
 * Apps start in the order of the manifest, but what an app depends on comes before it; they stop in the reverse. After
 * a failure `one_for_one` starts the failed app again and no other, `rest_for_one` also those that come behind it in
 * that order, and `one_for_all` all. Those that are taken along are stopped from the last to the first, and start when
 * all of them have ended, from the first to the last.
 */
import type { AppManifest, HostManifest } from '../manifest/manifest.js'

/** The order in which apps start. The manifest has no circles. */
export function startOrder(apps: readonly AppManifest[]): readonly string[] {
  const byUuid = new Map(apps.map((app) => [app.startup_app.uuid, app]))
  const order = new Set<string>()
  const add = (uuid: string) => {
    if (order.has(uuid)) return
    for (const needed of byUuid.get(uuid)?.dependsOn ?? []) add(needed)
    order.add(uuid)
  }
  for (const uuid of byUuid.keys()) add(uuid)
  return [...order]
}

/** Whom a failure of `uuid` takes along, in start order and with itself; only itself where nobody else. */
export function takenAlong(
  strategy: HostManifest['strategy'],
  order: readonly string[],
  uuid: string,
): readonly string[] {
  switch (strategy) {
    case 'one_for_one':
      return [uuid]
    case 'rest_for_one':
      return order.slice(order.indexOf(uuid))
    case 'one_for_all':
      return order
  }
}

/** What has to be known of an app to say whether another may start. */
export interface Standing {
  /** A run of it does its work. */
  readonly isServing: boolean
  /** It has a run, in whatever phase. */
  readonly hasRuns: boolean
  /** It is stopped or quarantined: nobody has to wait for it, and nobody who needs it can start. */
  readonly isResting: boolean
}

/**
 * For what an app has to wait, as a sentence; undefined when its turn has come. `group` are those that a failure took
 * along, in start order; empty when `uuid` is not one of them.
 */
export function waitsFor(
  { startup_app: { uuid }, dependsOn }: AppManifest,
  group: readonly string[],
  standing: (uuid: string) => Standing,
): string | undefined {
  for (const needed of dependsOn) {
    const { isServing, isResting } = standing(needed)
    if (!isServing) return `waits for ${needed}${isResting ? ', which rests' : ''}`
  }
  for (const other of group.slice(0, group.indexOf(uuid))) {
    const { isServing, isResting } = standing(other)
    if (!isServing && !isResting) return `waits for ${other}, which is before it`
  }
  return undefined
}
