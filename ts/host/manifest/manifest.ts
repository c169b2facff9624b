/**
 * What an app may be told and may have: `startup_app` in the words of OpenFin's manifests, and beside it what
 * those do not have, limits that hold, restart, recycling, health and permissions. A host manifest is a list
 * of apps and what holds for all of them.
 *
 * Sizes are bytes, `maxCPU` is percent of one core, times are milliseconds. A manifest that is refused changes
 * nothing; the error names the path, the value and the limit.
 */
import { statSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { hostError } from '../error.js'

const MiB = 1024 * 1024
/** A Node process hangs at its start with less: measured, see `docs/guide/limits.md`. */
export const memoryBytesMin = 96 * MiB

const milliseconds = (fallback: number, min = 0, max = 86_400_000) =>
  z.int().min(min).max(max).default(fallback)

/** What the browser around a page may hold beside what the page may: its process, its helpers, its caches. */
export const browserBytes = 512 * MiB

/** The limit of everything an app is: of a page, its browser with it. */
export function wholeBytes(
  app: { startup_app: { url?: string | undefined } },
  bytes: number,
): number {
  return app.startup_app.url === undefined ? bytes : bytes + browserBytes
}

/** Characters of an app's name on the bus, in folders and in events. */
export const uuidSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$/,
    'must be 1 to 48 letters, digits, _ and -, and begin with a letter or digit',
  )

const limitsSchema = z.strictObject({
  maxMemory: z
    .int()
    .min(memoryBytesMin)
    .optional()
    .describe('bytes that all processes of the app may hold together; at least 96 MiB'),
  softMemory: z
    .int()
    .min(memoryBytesMin)
    .optional()
    .describe(
      'bytes from which the app is asked to shed, then drained and recycled; 85 % of maxMemory unless given',
    ),
  maxCPU: z
    .number()
    .min(1)
    .max(6400)
    .optional()
    .describe('percent of one core, averaged over 20 ms periods where the machine can'),
  maxProcesses: z.int().min(1).max(100_000).optional().describe('processes and threads of the app'),
  maxFiles: z.int().min(32).max(1_048_576).optional().describe('open files of one process'),
})

const restartSchema = z.strictObject({
  type: z
    .enum(['permanent', 'transient', 'temporary'])
    .default('permanent')
    .describe('always restarted; only after a failure; never'),
  backoffMs: milliseconds(100, 1).describe('first delay; doubled each time, with jitter'),
  backoffMaxMs: milliseconds(30_000, 1),
  intensity: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('failures within periodMs after which the app is quarantined'),
  periodMs: milliseconds(60_000, 1000),
  quarantineMs: milliseconds(300_000, 1000).describe(
    'a quarantined app is tried again after so long',
  ),
})

const recycleSchema = z.strictObject({
  maxAgeMs: z.int().min(1000).optional(),
  maxMessages: z.int().min(1).optional().describe('messages handled'),
  maxLoopDelayMs: z
    .int()
    .min(1)
    .optional()
    .describe('99th percentile of the event loop delay over a minute'),
  maxHandles: z.int().min(16).optional().describe('open file descriptors'),
  drainMs: milliseconds(10_000).describe('time to finish what is under way'),
})

/** Each heartbeat wakes an app that is at rest. */
const heartbeatMsUsual = 1000

const healthSchema = z
  .strictObject({
    readyMs: milliseconds(30_000, 100).describe('time from start to ready'),
    heartbeatMs: z
      .int()
      .min(50)
      .max(60_000)
      .optional()
      .describe('milliseconds between two heartbeats; 1000, or half of hangMs where that is less'),
    hangMs: milliseconds(2500, 200, 600_000).describe(
      'an event loop that stands so long is hung: stack kept, process ended',
    ),
  })
  .transform((health) => ({
    ...health,
    heartbeatMs: health.heartbeatMs ?? Math.min(heartbeatMsUsual, Math.floor(health.hangMs / 2)),
  }))

const permissionsSchema = z.strictObject({
  read: z
    .array(z.string())
    .default([])
    .describe('folders and files beyond its own that the app may read'),
  write: z
    .array(z.string())
    .default([])
    .describe('folders and files beyond its own that the app may write'),
  network: z
    .boolean()
    .default(false)
    .describe('TCP beyond its own sockets, where the machine can refuse it'),
  childProcess: z.boolean().default(false).describe('a Node app: may start processes'),
  store: z.boolean().default(false).describe('may open terminals of this store'),
  control: z
    .boolean()
    .default(false)
    .describe('may ask the supervisor for other apps: status, restart, drain'),
  publish: z
    .array(z.string())
    .default(['*'])
    .describe('topics of the bus that it may publish; * at the end stands for any rest'),
  subscribe: z.array(z.string()).default(['*']),
})

const fdc3Schema = z.looseObject({
  intents: z
    .looseObject({})
    .optional()
    .describe('as in an application record of the FDC3 app directory, interop.intents'),
})

const startupAppSchema = z
  .strictObject({
    uuid: uuidSchema,
    name: z.string().min(1).max(128),
    url: z
      .string()
      .refine((url) => URL.canParse(url), 'must be an address, such as https://shop.example/till')
      .optional()
      .describe('a page: runs in a browser process tree of its own'),
    script: z
      .string()
      .optional()
      .describe('a module that Node runs; relative paths are of the manifest'),
    args: z.array(z.string()).default([]),
    env: z.record(z.string(), z.string()).default({}),
    nodeArgs: z.array(z.string()).default([]),
    kind: z
      .enum(['app', 'terminal'])
      .default('app')
      .describe('a terminal reports its sales and its recovery'),
    terminal: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,32}$/)
      .optional()
      .describe('the terminal that it opens; for kind terminal'),
    defaultWidth: z.int().min(1).max(16_384).default(1024),
    defaultHeight: z.int().min(1).max(16_384).default(768),
  })
  .refine(
    (app) => (app.url === undefined) !== (app.script === undefined),
    'must have either url or script',
  )
  .refine(
    (app) => app.kind !== 'terminal' || app.terminal !== undefined,
    'kind terminal needs terminal, the id of its register',
  )

const appSchema = z.strictObject({
  startup_app: startupAppSchema,
  resourceLimits: limitsSchema.prefault({}),
  restart: restartSchema.prefault({}),
  recycle: recycleSchema.prefault({}),
  health: healthSchema.prefault({}),
  permissions: permissionsSchema.prefault({}),
  fdc3: fdc3Schema.optional(),
  start: z
    .enum(['eager', 'lazy'])
    .default('eager')
    .describe('lazy: with the first message or intent for it'),
  dependsOn: z.array(uuidSchema).default([]).describe('apps that must be ready before it starts'),
  spares: z
    .int()
    .min(0)
    .max(8)
    .default(0)
    .describe('processes that are warm before they are needed'),
  orphanMs: milliseconds(60_000).describe(
    'an app whose supervisor is gone goes on so long before it drains and ends, a page before it is ended',
  ),
})

/** What a host manifest may hold. */
export const hostManifestSchema = z
  .strictObject({
    $schema: z.string().optional(),
    strategy: z.enum(['one_for_one', 'one_for_all', 'rest_for_one']).default('one_for_one'),
    isolation: z
      .enum(['best', 'required', 'none'])
      .default('best')
      .describe('required: refuse to start an app where a boundary cannot be had'),
    shutdownMs: milliseconds(10_000),
    apps: z.array(appSchema).min(1).max(1000),
  })
  .superRefine((manifest, context) => {
    const seen = new Set<string>()
    const terminals = new Set<string>()
    for (const [index, app] of manifest.apps.entries()) {
      const { uuid } = app.startup_app
      if (seen.has(uuid))
        context.addIssue({
          code: 'custom',
          path: ['apps', index, 'startup_app', 'uuid'],
          message: `is there twice: ${uuid}`,
          input: uuid,
        })
      seen.add(uuid)
      const { terminal } = app.startup_app
      if (terminal !== undefined && terminals.has(terminal))
        context.addIssue({
          code: 'custom',
          path: ['apps', index, 'startup_app', 'terminal'],
          message: 'is the terminal of another app; one process has a terminal',
          input: terminal,
        })
      if (terminal !== undefined) terminals.add(terminal)
      const { maxMemory, softMemory } = app.resourceLimits
      if (maxMemory !== undefined && softMemory !== undefined && softMemory > maxMemory) {
        context.addIssue({
          code: 'custom',
          path: ['apps', index, 'resourceLimits', 'softMemory'],
          message: `must not be more than maxMemory, ${maxMemory}`,
          input: softMemory,
        })
      }
    }
    for (const [index, app] of manifest.apps.entries()) {
      for (const needed of app.dependsOn) {
        if (seen.has(needed)) continue
        context.addIssue({
          code: 'custom',
          path: ['apps', index, 'dependsOn'],
          message: `names ${needed}, which is no app of this manifest`,
          input: needed,
        })
      }
    }
    const cycle = cycleOf(manifest.apps)
    if (cycle !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['apps'],
        message: `depend on each other in a circle: ${cycle.join(' -> ')}`,
        input: cycle,
      })
  })

/** A host manifest with its defaults filled in. */
export type HostManifest = z.output<typeof hostManifestSchema>
/** A host manifest as it is written. */
export type HostManifestInput = z.input<typeof hostManifestSchema>
/** One app of it. */
export type AppManifest = HostManifest['apps'][number]

/** Reads a manifest: checked, defaults filled in, relative paths made whole from `folder`. */
export function parseManifest(value: unknown, folder: string): HostManifest {
  const result = hostManifestSchema.safeParse(value)
  if (!result.success) {
    const [issue] = result.error.issues
    const where = issue?.path.join('.') ?? ''
    const found = valueAt(value, issue?.path ?? [])
    const said = found === undefined ? '' : ` is ${JSON.stringify(found)}`
    const message = `manifest: ${where === '' ? 'it' : where}${said}: ${issue?.message}`
    throw hostError('HOST_MANIFEST', message, {
      path: where,
      value: found,
      limit: issue?.message,
      problems: result.error.issues.length,
    })
  }
  for (const app of result.data.apps) {
    const { startup_app: startup, permissions } = app
    if (startup.script !== undefined) startup.script = path.resolve(folder, startup.script)
    permissions.read = permissions.read.map((name) => path.resolve(folder, name))
    permissions.write = permissions.write.map((name) => path.resolve(folder, name))
  }
  return result.data
}

/** Refuses a manifest whose scripts are not there: their apps would fail for ever. */
export function requireScripts({ apps }: HostManifest): void {
  for (const [index, { startup_app }] of apps.entries()) {
    const { script } = startup_app
    if (script === undefined || statSync(script, { throwIfNoEntry: false })?.isFile()) continue
    const where = `apps.${index}.startup_app.script`
    const limit = 'there is no such file'
    const message = `manifest: ${where} is ${JSON.stringify(script)}: ${limit}`
    throw hostError('HOST_MANIFEST', message, { path: where, value: script, limit, problems: 1 })
  }
}

function valueAt(value: unknown, where: readonly PropertyKey[]): unknown {
  let found: unknown = value
  for (const key of where) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<PropertyKey, unknown>)[key]
  }
  return typeof found === 'object' ? undefined : found
}

/** A circle of dependencies, if there is one. */
function cycleOf(
  apps: readonly { startup_app: { uuid: string }; dependsOn: string[] }[],
): string[] | undefined {
  const needs = new Map(apps.map((app) => [app.startup_app.uuid, app.dependsOn]))
  const done = new Set<string>()
  const walk = (uuid: string, way: string[]): string[] | undefined => {
    if (way.includes(uuid)) return [...way.slice(way.indexOf(uuid)), uuid]
    if (done.has(uuid)) return undefined
    for (const next of needs.get(uuid) ?? []) {
      const found = walk(next, [...way, uuid])
      if (found !== undefined) return found
    }
    done.add(uuid)
    return undefined
  }
  for (const uuid of needs.keys()) {
    const found = walk(uuid, [])
    if (found !== undefined) return found
  }
  return undefined
}
