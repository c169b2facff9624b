/**
 * The app directory: which apps there are, what they are called, which intents they resolve. Made of the host's
 * manifest; records are in the words of the standard's app directory, version 2.
 *
 * An app is named by its `appId` or fully qualified, `appId@domain`, where the domain is the directory's.
 */
import { z } from 'zod'
import { hostError } from '../error.js'
import type { AppManifest } from '../manifest/manifest.js'
import type { AppMetadata } from './message.js'

const text = z.string().max(8192)
const listensForSchema = z.record(
  z.string().min(1).max(256),
  z.looseObject({
    displayName: text.optional(),
    contexts: z.array(z.string().min(1).max(256)).default([]),
    resultType: z.string().max(256).nullish(),
  }),
)
const imageSchema = z.looseObject({
  src: text,
  size: text.optional(),
  type: text.optional(),
  label: text.optional(),
})
const recordSchema = z.looseObject({
  appId: z.string().min(1).max(256).optional(),
  title: text.optional(),
  version: text.optional(),
  tooltip: text.optional(),
  description: text.optional(),
  icons: z.array(imageSchema).optional(),
  screenshots: z.array(imageSchema).optional(),
  intents: z.looseObject({ listensFor: listensForSchema.optional() }).optional(),
})

/** An intent that an app says it resolves. */
export interface ListensFor {
  /** The intent's name. */
  readonly intent: string
  /** Its name for people. */
  readonly displayName?: string
  /** Types of context that it takes. */
  readonly contexts: readonly string[]
  /** What it gives back: a type of context, `channel`, or `channel<type>`. */
  readonly resultType?: string
}

/** An app of the directory. */
export interface AppRecord {
  /** Its name in the directory. */
  readonly appId: string
  /** The app of the host that is started for it. */
  readonly uuid: string
  /** For pages: what they are recognised by. */
  readonly url?: string
  /** What others may know of it. */
  readonly metadata: AppMetadata
  /** Intents that it resolves. */
  readonly listensFor: readonly ListensFor[]
}

/** All apps of a host. */
export class AppDirectory {
  /** The name behind the `@` of a fully-qualified appId. */
  readonly domain: string
  /** In the order of the manifest. */
  readonly records: readonly AppRecord[]
  readonly #byId = new Map<string, AppRecord>()
  readonly #byUuid = new Map<string, AppRecord>()

  constructor(records: readonly AppRecord[], domain = 'localhost') {
    this.domain = domain
    this.records = records
    for (const record of records) {
      for (const id of [record.appId, `${record.appId}@${domain}`]) {
        if (this.#byId.has(id)) {
          const message = `two apps have the appId ${id}; give one of them another fdc3.appId`
          throw hostError('HOST_MANIFEST', message, {
            path: 'fdc3.appId',
            value: id,
            limit: 'once',
          })
        }
        this.#byId.set(id, record)
      }
      this.#byUuid.set(record.uuid, record)
    }
  }

  /** The directory of a manifest. Refuses a record that is none with `HOST_MANIFEST`. */
  static of(apps: readonly AppManifest[], domain?: string): AppDirectory {
    return new AppDirectory(apps.map(recordOf), domain)
  }

  /** The app of this name, fully qualified or not. */
  get(appId: string): AppRecord | undefined {
    return this.#byId.get(appId)
  }

  /** The app that runs under this uuid. */
  ofUuid(uuid: string): AppRecord | undefined {
    return this.#byUuid.get(uuid)
  }

  /** Apps that say they resolve an intent with a type of context and a kind of result; undefined stands for any. */
  find(
    intent: string | undefined,
    contextType: string | undefined,
    resultType?: string,
  ): { readonly record: AppRecord; readonly listens: ListensFor }[] {
    const found: { record: AppRecord; listens: ListensFor }[] = []
    for (const record of this.records) {
      for (const listens of record.listensFor) {
        if (intent !== undefined && listens.intent !== intent) continue
        if (contextType !== undefined && !listens.contexts.includes(contextType)) continue
        if (resultType !== undefined && !givesResult(listens.resultType, resultType)) continue
        found.push({ record, listens })
      }
    }
    return found
  }
}

/** `channel` asks for a channel of whatever contexts; anything else asks for exactly that. */
function givesResult(given: string | undefined, asked: string): boolean {
  if (given === asked) return true
  return asked === 'channel' && given !== undefined && /^channel<.*>$/.test(given)
}

function recordOf(app: AppManifest): AppRecord {
  const { uuid, name, url } = app.startup_app
  const result = recordSchema.safeParse(app.fdc3 ?? {})
  if (!result.success) {
    const [issue] = result.error.issues
    const where = ['fdc3', ...(issue?.path ?? [])].join('.')
    throw hostError('HOST_MANIFEST', `manifest: app ${uuid}: ${where}: ${issue?.message}`, {
      path: where,
      value: uuid,
      limit: issue?.message,
    })
  }
  const {
    appId = uuid,
    intents,
    title,
    version,
    tooltip,
    description,
    icons,
    screenshots,
  } = result.data
  const metadata = withoutUndefined({
    appId,
    name,
    title: title ?? name,
    version,
    tooltip,
    description,
    icons: icons?.map(({ src, size, type }) => withoutUndefined({ src, size, type })),
    screenshots: screenshots?.map(({ src, size, type, label }) =>
      withoutUndefined({ src, size, type, label }),
    ),
  })
  const listensFor = Object.entries(intents?.listensFor ?? {}).map(([intent, listens]) =>
    withoutUndefined({
      intent,
      displayName: listens.displayName,
      contexts: listens.contexts,
      resultType: listens.resultType ?? undefined,
    }),
  )
  return withoutUndefined({ appId, uuid, url, metadata, listensFor }) as AppRecord
}

function withoutUndefined<T extends object>(
  value: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, found]) => found !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
