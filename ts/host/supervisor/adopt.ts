/**
 * What a supervisor finds when it begins: runs that another one left, because it was killed or went. Launchers that no
 * whole record speaks of are ended, since nobody could show who their apps are. Runs that live are taken over as they
 * are; those that ended meanwhile are read from what their launchers wrote, and a failure among them gets its report;
 * those of which nothing is known were not started wholly, and what is left of them is removed.
 */
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endLeft, send } from '../launcher/ending.js'
import { readExit, unseenExit } from '../launcher/exit.js'
import { bootId, type ProcessIdentity } from '../launcher/identity.js'
import type { Launched, RunFolders } from '../launcher/launcher.js'
import { launchersOfHost, launchersOfRun } from '../launcher/launchers.js'
import { endLauncher, findRun } from '../launcher/run.js'
import type { Governor } from '../limits/governor.js'
import type { HostPlace } from '../place.js'
import {
  type EndFacts,
  type EndReason,
  isFailure,
  isFromOutside,
  reasonOf,
} from '../report/reason.js'
import { endFactsOf } from './end.js'
import type { EventLog } from './event-log.js'
import { LiveRun, runFolders } from './live-run.js'
import { closeRun, type OpenRun, openRuns, type RunRecord } from './records.js'
import type { Seat } from './seat.js'

/** Milliseconds for a launcher to write down how its app ended; it ends what descends from that first. */
const writeMs = 5000

/** What adopting has around it. */
interface Around {
  readonly governor: Governor
  readonly events: EventLog
}

/** What was found. */
interface Adoption {
  /** Processes that were taken over. */
  readonly adopted: number
  /** The names that they were launched under. */
  readonly kept: ReadonlySet<string>
  /** Tells the machines which of their runs ended; when all have what lives, since a failure may take others along. */
  tellMissed(): void
}

/** Takes over all runs that live. */
export async function adoptRuns(
  place: HostPlace,
  seats: ReadonlyMap<string, Seat>,
  around: Around,
): Promise<Adoption> {
  const kept = new Set<string>()
  const ended: (() => void)[] = []
  const bySeat = new Map<Seat, KnownRun[]>()
  const found = openRuns(place)
  await endStrays(place, found, around)
  for (const open of found) {
    const { uuid, folder, record } = open
    const seat = seats.get(uuid)
    if (seat === undefined || record === undefined) {
      endUnknown(open)
      closeRun(place, uuid, folder)
    } else bySeat.set(seat, [...(bySeat.get(seat) ?? []), { uuid, folder, record }])
  }
  const counts = await Promise.all(
    [...bySeat].map(async ([seat, runs]) => {
      const looked = await Promise.all(runs.map((open) => lookAt(place, seat, open, around)))
      const living = looked.flatMap((found) => ('run' in found ? [found] : []))
      const missed = looked.flatMap((found) => ('record' in found ? [found] : []))
      for (const { run } of living) kept.add(run.folder)
      seat.adopt(
        living,
        missed.map(({ record }) => record),
      )
      for (const { folder, record, reason, fromOutside, facts } of missed) {
        const { instance, role, startedAt } = record
        ended.push(() => seat.dispatch({ type: 'ended', instance, reason, fromOutside }))
        if (role !== 'spare' && record.process !== undefined && isFailure(reason))
          ended.push(() => void seat.keepReport({ instance, folder, startedAt }, facts, null))
      }
      return living.length
    }),
  )
  const adopted = counts.reduce((sum, count) => sum + count, 0)
  return {
    adopted,
    kept,
    tellMissed: () => {
      for (const tell of ended) tell()
    },
  }
}

/**
 * Ends launchers of this host whose run has no record with its process: their supervisor was killed between the start and
 * the second record, and the token of the run is known to nobody.
 */
async function endStrays(
  place: HostPlace,
  runs: readonly OpenRun[],
  { events }: Around,
): Promise<void> {
  const known = new Set(
    runs.filter(({ record }) => record?.process !== undefined).map(({ folder }) => folder),
  )
  const strays = launchersOfHost(place.folder).filter(
    ({ runFolder }) => !known.has(path.basename(runFolder)),
  )
  await Promise.all(
    strays.map(async (stray) => {
      await endLauncher(stray)
      const instance = path.basename(stray.runFolder)
      const text = `${instance} was ended: the supervisor that started it did not live to write down who it is`
      const uuid = path.basename(path.resolve(stray.runFolder, '..', '..'))
      events.say('ended', { uuid, instance, text, facts: { pid: stray.process.pid } })
    }),
  )
}

/** A run whose record could be read. */
interface KnownRun extends OpenRun {
  readonly record: RunRecord
}

type Found =
  | { readonly run: LiveRun; readonly launched: Launched }
  | {
      readonly record: RunRecord
      readonly folder: string
      readonly reason: EndReason
      /** It had no part in its end. */
      readonly fromOutside: boolean
      readonly facts: EndFacts
    }

/** A run that lives; one that cannot be taken over, such as a page that answers nothing, is ended. */
async function adopted(
  app: Seat['app'],
  launcher: Seat['launcher'],
  folder: string,
  identity: ProcessIdentity,
  folders: RunFolders,
): Promise<Launched | undefined> {
  try {
    return await launcher.adopt(app, folder, identity, folders)
  } catch {
    await findRun(identity, folders.run)?.kill()
    return undefined
  }
}

async function lookAt(
  place: HostPlace,
  seat: Seat,
  { uuid, folder, record }: KnownRun,
  { governor, events }: Around,
): Promise<Found> {
  const { app, launcher } = seat
  const folders = runFolders(place, uuid, folder)
  const half =
    record.process !== undefined && isHalf(record, folder, launcher.name)
      ? findRun(record.process, folders.run)
      : undefined
  if (half !== undefined) {
    await half.kill()
    closeRun(place, uuid, folder)
    const facts = await endFactsOf(app, folders, unseenExit(), record)
    return { record, folder, reason: 'not-ready', fromOutside: true, facts }
  }
  const launched = record.process && (await adopted(app, launcher, folder, record.process, folders))
  if (launched !== undefined) {
    const run = new LiveRun(record.instance, folder, record.tokenHash, record.startedAt)
    run.isSpare = record.role === 'spare'
    run.record = record
    run.hold = await governor.adopt(app, folder)
    if (!run.isSpare) {
      const { pid } = launched.process
      const text = `${run.instance} goes on, pid ${pid}`
      events.say('adopted', { uuid, instance: run.instance, text, facts: { pid } })
    }
    return { run, launched }
  }
  // Of a run that nobody knew, how it was ended says nothing of the app.
  const isOfThisBoot = record.process === undefined || record.process.bootId === bootId()
  if (isOfThisBoot && record.process !== undefined) await settled(folders.run)
  const exit = record.process && readExit(folders.run)
  closeRun(place, uuid, folder)
  const facts = await endFactsOf(app, folders, exit ?? unseenExit(), record)
  const reason = reasonOf(facts)
  // Nobody knows what brings a machine down.
  const fromOutside = isOfThisBoot && isFromOutside(facts, reason)
  return { record, folder, reason, fromOutside, facts }
}

/**
 * A spare that was told which run it is, and is not one yet: whether it heard that died with who told it, and so whether it shows
 * the token of the spare or that of the run. And a page that was on its way: who knows whether it came died with who sent it.
 */
function isHalf({ instance, role, phase }: RunRecord, folder: string, launcher: string): boolean {
  if (role === 'spare' || phase !== 'starting') return false
  return instance !== folder || launcher === 'chromium'
}

/**
 * Waits for the launcher of a run whose app is gone to write down how it ended. Where it is gone itself, what descends from the
 * app is nobody's, and is ended.
 */
async function settled(runFolder: string): Promise<void> {
  const end = performance.now() + writeMs
  while (readExit(runFolder) === undefined) {
    if (launchersOfRun(runFolder).length === 0 || performance.now() > end) break
    await delay(10)
  }
  if (readExit(runFolder) === undefined) await endLeft(runFolder)
}

/** A run of an app that the manifest no longer has. */
function endUnknown({ record }: OpenRun): void {
  if (record?.process !== undefined) send(record.process, 'SIGTERM')
}
