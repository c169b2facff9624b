/**
 * What a supervisor finds when it begins: runs that another one left, because it was killed or went. Those that live
 * are taken over as they are; those that ended meanwhile are read from what their launchers wrote; those of which nothing is
 * known were not started wholly, and what is left of them is removed.
 */
import { readExit, unseenExit } from '../launcher/exit.js'
import { type ProcessIdentity, stillRuns } from '../launcher/identity.js'
import type { Launched } from '../launcher/launcher.js'
import { findRun } from '../launcher/run.js'
import type { Governor } from '../limits/governor.js'
import type { HostPlace } from '../place.js'
import { type EndReason, reasonOf } from '../report/reason.js'
import { endFactsOf } from './end.js'
import type { EventLog } from './event-log.js'
import { LiveRun } from './live-run.js'
import { closeRun, type OpenRun, openRuns, type RunRecord } from './records.js'
import type { Seat } from './seat.js'

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
  for (const open of openRuns(place)) {
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
      for (const { record, reason } of missed) {
        ended.push(() => seat.dispatch({ type: 'ended', instance: record.instance, reason }))
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

/** A run whose record could be read. */
interface KnownRun extends OpenRun {
  readonly record: RunRecord
}

type Found =
  | { readonly run: LiveRun; readonly launched: Launched }
  | { readonly record: RunRecord; readonly reason: EndReason }

/** A run that lives; one that cannot be taken over, such as a page that answers nothing, is ended. */
async function adopted(
  app: Seat['app'],
  launcher: Seat['launcher'],
  folder: string,
  identity: ProcessIdentity,
  instanceFolder: string,
): Promise<Launched | undefined> {
  try {
    return await launcher.adopt(app, folder, identity, instanceFolder)
  } catch {
    await findRun(identity, instanceFolder)?.kill()
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
  const instanceFolder = place.app(uuid, 'instances', folder)
  const launched =
    record.process && (await adopted(app, launcher, folder, record.process, instanceFolder))
  if (launched !== undefined && isHalf(record, folder)) {
    await launched.kill()
    closeRun(place, uuid, folder)
    return { record, reason: 'not-ready' }
  }
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
  const exit = readExit(instanceFolder)
  closeRun(place, uuid, folder)
  const facts = await endFactsOf(app, instanceFolder, exit ?? unseenExit(), record)
  return { record, reason: reasonOf(facts) }
}

/**
 * A spare that was told which run it is, and is not one yet: whether it heard that died with who told it, and so whether it shows
 * the token of the spare or that of the run.
 */
function isHalf({ instance, role, phase }: RunRecord, folder: string): boolean {
  return role !== 'spare' && instance !== folder && phase === 'starting'
}

/** A run of an app that the manifest no longer has. */
function endUnknown({ record }: OpenRun): void {
  const identity = record?.process
  if (identity !== undefined && stillRuns(identity)) process.kill(identity.pid, 'SIGTERM')
}
