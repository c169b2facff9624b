/**
 * What a supervisor leaves for the next one. Written at each step before the step can be seen from outside, and
 * replaced as a whole: whoever reads finds the old text or the new one.
 *
 * ```text
 * supervisor.json                            epoch, and of each app: last generation, failures, quarantine, wishes
 * shutdown.json                              a shutdown that was begun, and how it went
 * apps/<uuid>/runs/<run>/instance.json       who runs; renamed to ended.json when its end has been dealt with
 * ```
 *
 * A supervisor that is killed loses nothing that it has written; a power cut ends what these files speak of. So only
 * what has to outlive a power cut, generations and intents, is flushed to the device.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { HostPlace } from '../place.js'
import { endReasons } from '../report/reason.js'
import { removeUntrusted } from '../untrusted.js'

/** Runs of an app that have ended and whose folders are kept. */
const endedKept = 4

const identitySchema = z.strictObject({
  pid: z.int().positive(),
  startTime: z.number(),
  bootId: z.string(),
})

const failuresSchema = z.strictObject({
  recent: z.array(z.number()),
  inARow: z.int(),
  lastDelayMs: z.number(),
  isOnTrial: z.boolean(),
})

const endSchema = z.strictObject({
  reason: z.enum(endReasons),
  at: z.number(),
  instance: z.string(),
})

const memorySchema = z.strictObject({
  generation: z.int().min(0),
  spare: z.int().min(0),
  isWanted: z.boolean(),
  isHeld: z.boolean().default(false),
  rest: z.enum(['idle', 'stopped', 'backoff', 'quarantined']),
  why: z.string(),
  retryAt: z.number().nullable(),
  failures: failuresSchema,
  restarts: z.int(),
  recycles: z.int(),
  lastEnd: endSchema.nullable(),
  fromOutside: z.array(z.string()).default([]),
})

/** What is remembered of an app. */
export type AppMemory = z.output<typeof memorySchema>

const supervisorSchema = z.strictObject({
  version: z.literal(1),
  epoch: z.int().min(0),
  /** The host was shut down: what persons wished for its apps went with it. */
  isShutDown: z.boolean(),
  apps: z.record(z.string(), memorySchema),
})

/** `supervisor.json`. */
export type SupervisorRecord = z.output<typeof supervisorSchema>

const runSchema = z.strictObject({
  version: z.literal(1),
  /** The name it runs under: a spare takes that of the run that it becomes. */
  instance: z.string(),
  role: z.enum(['main', 'next', 'leaving', 'spare']),
  launcher: z.string(),
  tokenHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Absent while it is not known whether there is a process. */
  process: identitySchema.optional(),
  user: z.strictObject({ uid: z.int(), gid: z.int() }).optional(),
  groups: z.array(z.string()),
  startedAt: z.number(),
  readyAt: z.number().nullable(),
  phase: z.enum(['starting', 'ready', 'degraded', 'draining', 'stopping', 'killing']),
  ending: z.enum(['stop', 'kill', 'hang', 'not-ready', 'recycle']).nullable(),
  after: z.enum(['rest', 'wait', 'restart']).nullable(),
})

/** `instance.json`. */
export type RunRecord = z.output<typeof runSchema>

const intentSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  at: z.number(),
  reason: z.string(),
  deadlineMs: z.number(),
  /** How it went; absent while it is under way. */
  result: z
    .strictObject({
      ended: z.array(
        z.strictObject({
          uuid: z.string(),
          instance: z.string(),
          reason: z.string(),
          acknowledged: z.boolean(),
          ms: z.number(),
        }),
      ),
      ms: z.number(),
    })
    .optional(),
})

/** `shutdown.json`. */
export type ShutdownIntent = z.output<typeof intentSchema>

/** Replaces a JSON file in a folder of this user alone. With `isFlushed` it is on the device when this returns. */
export function replaceFile(file: string, value: unknown, isFlushed = false): void {
  const draft = `${file}.tmp`
  rmSync(draft, { force: true })
  const text = `${JSON.stringify(value)}\n`
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: isFlushed })
  renameSync(draft, file)
  if (isFlushed) flushFolder(path.dirname(file))
}

/** What was kept by the supervisors before; a fresh record where there is none that can be read. */
export function readSupervisor(place: HostPlace): SupervisorRecord {
  const fresh: SupervisorRecord = { version: 1, epoch: 0, isShutDown: true, apps: {} }
  return read(place.file('supervisor.json'), supervisorSchema) ?? fresh
}

/** Keeps the record. */
export function writeSupervisor(place: HostPlace, record: SupervisorRecord): void {
  replaceFile(place.file('supervisor.json'), record, true)
}

/** The shutdown that was begun last. */
export function readIntent(place: HostPlace): ShutdownIntent | undefined {
  return read(place.file('shutdown.json'), intentSchema)
}

/** Keeps a shutdown; durable when this returns. */
export function writeIntent(place: HostPlace, intent: ShutdownIntent): void {
  replaceFile(place.file('shutdown.json'), intent, true)
}

/** Keeps who runs. */
export function writeRun(place: HostPlace, uuid: string, folder: string, record: RunRecord): void {
  replaceFile(place.app(uuid, 'runs', folder, 'instance.json'), record)
}

/** The end of a run was dealt with: nobody has to look at it again. */
export function closeRun(place: HostPlace, uuid: string, folder: string): void {
  const file = (name: string) => place.app(uuid, 'runs', folder, name)
  try {
    renameSync(file('instance.json'), file('ended.json'))
  } catch {
    // It ended before it was written.
  }
}

/** A folder of a run whose end nobody has dealt with. */
export interface OpenRun {
  readonly uuid: string
  readonly folder: string
  /** Undefined when the record cannot be read: then nothing is known of it. */
  readonly record: RunRecord | undefined
}

/** All runs that a supervisor before this one left open. */
export function openRuns(place: HostPlace): OpenRun[] {
  return names(place.file('apps')).flatMap((uuid) =>
    names(place.app(uuid, 'runs'))
      .filter((folder) => names(place.app(uuid, 'runs', folder)).includes('instance.json'))
      .map((folder) => {
        const file = place.app(uuid, 'runs', folder, 'instance.json')
        return { uuid, folder, record: read(file, runSchema) }
      }),
  )
}

/**
 * The highest numbers that an app has used: of runs, and of spares. A run has a folder of its own, or is what a spare became
 * and has the spare's: then its number is in the record there alone.
 */
export function highestNumbers(
  place: HostPlace,
  uuid: string,
): { readonly generation: number; readonly spare: number } {
  let generation = 0
  let spare = 0
  for (const folder of names(place.app(uuid, 'runs'))) {
    const tail = folder.slice(folder.lastIndexOf('.') + 1)
    if (tail.startsWith('spare-')) {
      spare = Math.max(spare, Number(tail.slice(6)) || 0)
      generation = Math.max(generation, generationIn(place, uuid, folder))
    } else generation = Math.max(generation, Number(tail) || 0)
  }
  return { generation, spare }
}

/** The number of what a spare became; 0 when it became nothing. */
function generationIn(place: HostPlace, uuid: string, folder: string): number {
  const numbers = ['instance.json', 'ended.json'].map((name) => {
    const record = read(place.app(uuid, 'runs', folder, name), runSchema)
    // A number that cannot be counted on from is none.
    return Number(/\.(\d{1,15})$/.exec(record?.instance ?? '')?.[1] ?? 0)
  })
  return Math.max(...numbers)
}

/** Removes the folders of runs that ended long ago. */
export function forgetEnded(place: HostPlace, uuid: string): void {
  const ended = names(place.app(uuid, 'runs')).filter((folder) => {
    const inside = names(place.app(uuid, 'runs', folder))
    return !inside.includes('instance.json')
  })
  const number = (folder: string) => Number(/(\d+)$/.exec(folder)?.[1] ?? 0)
  ended.sort((a, b) => number(b) - number(a))
  for (const folder of ended.slice(endedKept)) {
    const run = place.app(uuid, 'runs', folder)
    // First what the app wrote, which is brought to where it cannot come any more.
    removeUntrusted(place.app(uuid, 'instances', folder), path.join(run, 'removed'))
    rmSync(run, { recursive: true, force: true })
  }
}

/** Makes a folder that users of apps can go through, but not read. */
export function makeFolder(folder: string, mode = 0o711): void {
  mkdirSync(folder, { recursive: true, mode })
}

function read<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    const result = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    return result.success ? result.data : undefined
  } catch {
    return undefined
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function flushFolder(folder: string): void {
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
