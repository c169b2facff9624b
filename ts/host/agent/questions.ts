/**
 * What a person is asked, and what they answer, as it goes to whoever shows it: the dashboard and the command line. Only
 * what one needs to choose goes out: of the context its type, its name and its ids, of each candidate its names.
 */
import { z } from 'zod'
import { hostError } from '../error.js'
import type { Context } from './message.js'
import type { IntentChoice, IntentQuestion } from './resolver.js'

const text = z.string().min(1).max(512)

/** An answer. Without a choice the intent is refused. */
export const answerSchema = z.looseObject({
  id: text,
  choice: z
    .looseObject({
      intent: text,
      app: z.looseObject({ appId: text, instanceId: text.optional() }),
    })
    .optional(),
})

/** A question that waits for a person. */
export interface OpenQuestion {
  readonly id: string
  /** When it was asked, milliseconds since 1970. */
  readonly askedAt: number
  /** Until when it can be answered. */
  readonly endsAt: number
  /** Who raised the intent. */
  readonly from: { readonly appId: string; readonly instanceId?: string }
  /** What with. */
  readonly context: {
    readonly type: string
    readonly name?: string
    readonly id?: Readonly<Record<string, string>>
  }
  /** The intents, and for each who could resolve it. Without `instanceId` the app is started. */
  readonly options: readonly {
    readonly intent: { readonly name: string; readonly displayName: string }
    readonly apps: readonly {
      readonly appId: string
      readonly instanceId?: string
      readonly title?: string
    }[]
  }[]
}

/** Characters of a name that are shown. */
const nameLengthMax = 120
/** Ids of a context that are shown. */
const idsMax = 4

/** A question as it is shown. */
export function shown(
  { from, context, options }: IntentQuestion,
  facts: Pick<OpenQuestion, 'id' | 'askedAt' | 'endsAt'>,
): OpenQuestion {
  return {
    ...facts,
    from: identifier(from),
    context: contextOf(context),
    options: options.map(({ intent: { name, displayName }, apps }) => ({
      intent: { name, displayName: cut(displayName ?? name) },
      apps: apps.map((app) => {
        const title = app.title ?? app.name
        return { ...identifier(app), ...(title === undefined ? {} : { title: cut(title) }) }
      }),
    })),
  }
}

/** An answer that came from outside. Throws `HOST_ARGUMENT`. */
export function readAnswer(value: unknown): { id: string; choice: IntentChoice | undefined } {
  const result = answerSchema.safeParse(value)
  if (!result.success) {
    const [issue] = result.error.issues
    const path = issue?.path.join('.') ?? ''
    throw hostError('HOST_ARGUMENT', `answer: ${path}: ${issue?.message}`, {
      method: 'answer',
      path,
    })
  }
  const { id, choice } = result.data
  return {
    id,
    choice: choice && { intent: choice.intent, app: identifier(choice.app) },
  }
}

/** Refuses a choice that was not offered; the question stays open. */
export function checkOffered({ options }: OpenQuestion, { intent, app }: IntentChoice): void {
  const apps = options.find(({ intent: { name } }) => name === intent)?.apps ?? []
  const isOffered = apps.some(
    ({ appId, instanceId }) => appId === app.appId && instanceId === app.instanceId,
  )
  if (isOffered) return
  const meant = app.instanceId ?? app.appId
  throw hostError('HOST_ARGUMENT', `answer: ${meant} is not offered for ${intent}`, {
    method: 'answer',
    path: 'choice',
    value: { intent, app },
  })
}

function identifier({
  appId,
  instanceId,
}: {
  readonly appId: string
  readonly instanceId?: string | undefined
}) {
  return instanceId === undefined ? { appId } : { appId, instanceId }
}

function contextOf({ type, name, id }: Context): OpenQuestion['context'] {
  const ids = Object.entries(typeof id === 'object' && id !== null ? id : {})
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .slice(0, idsMax)
    .map(([key, value]) => [cut(key), cut(value)])
  return {
    type: cut(type),
    ...(typeof name === 'string' ? { name: cut(name) } : {}),
    ...(ids.length === 0 ? {} : { id: Object.fromEntries(ids) }),
  }
}

function cut(name: string): string {
  return name.length <= nameLengthMax ? name : `${name.slice(0, nameLengthMax - 1)}…`
}
