/** What is asked on the control socket, read once into what cannot be wrong. */
import { z } from 'zod'
import { answerSchema } from '../agent/questions.js'
import { hostError } from '../error.js'
import { uuidSchema } from '../manifest/manifest.js'
import type { ControlRequests, OwnRequests } from './control.js'

const nothing = z.looseObject({})
const app = z.looseObject({ uuid: uuidSchema })
const ending = z.looseObject({
  uuid: uuidSchema,
  deadlineMs: z.int().min(0).max(86_400_000).optional(),
})

const questions = {
  status: nothing,
  start: app,
  stop: ending,
  drain: ending,
  restart: app,
  recycle: z.looseObject({ uuid: uuidSchema, why: z.string().max(500).optional() }),
  kill: app,
  release: app,
  events: z.looseObject({
    from: z.int().min(0).optional(),
    limit: z.int().min(1).max(1000).optional(),
  }),
  samples: z.looseObject({ uuid: uuidSchema, from: z.number().optional() }),
  follow: z.looseObject({
    statusMs: z.union([z.literal(0), z.int().min(1000).max(3_600_000)]).optional(),
  }),
  shutdown: z.looseObject({
    deadlineMs: z.int().min(0).max(86_400_000).optional(),
    reason: z.string().max(500).optional(),
  }),
  evaluate: z.looseObject({ uuid: uuidSchema, expression: z.string() }),
  questions: nothing,
  answer: answerSchema,
} as const satisfies Record<keyof ControlRequests, z.ZodType>

const endOf = z.looseObject({ instance: z.string().max(200) })

/** A request and its argument. */
export type Question = {
  [Name in keyof typeof questions]: {
    readonly name: Name
    readonly argument: Exact<z.output<(typeof questions)[Name]>>
  }
}[keyof typeof questions]

/** Absent is absent, not undefined. */
type Exact<T> = { [Key in keyof T]: Exclude<T[Key], undefined> }

/** Reads a request. Throws `HOST_NO_METHOD` or `HOST_ARGUMENT`. */
export function readQuestion(name: string, value: unknown): Question {
  if (!Object.hasOwn(questions, name)) {
    const known = Object.keys(questions)
    const message = `${name.slice(0, 80)} is not known here; known are ${known.join(', ')}`
    throw hostError('HOST_NO_METHOD', message, { method: name })
  }
  const method = name as keyof typeof questions
  return { name: method, argument: read(method, questions[method], value) } as Question
}

/** Reads of which run an app asks how it ended. Throws `HOST_ARGUMENT`. */
export function readEndOf(value: unknown): OwnRequests['end-of']['argument'] {
  return read('end-of', endOf, value)
}

function read<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const result = schema.safeParse(value ?? {})
  if (result.success) return result.data
  const [issue] = result.error.issues
  const path = issue?.path.join('.') ?? ''
  const message = `${name}: ${path === '' ? 'its argument' : path}: ${issue?.message}`
  throw hostError('HOST_ARGUMENT', message, { method: name, path })
}
