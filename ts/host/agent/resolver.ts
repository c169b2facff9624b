/**
 * Who decides when more than one app could resolve an intent. The agent asks one function; what it answers is checked
 * against what was offered. `preferRunning` decides by itself, `AskingResolver` asks a person and falls back to it. What a
 * person sees of a question is in `questions.ts`.
 */
import type { Clock } from './clock.js'
import type { AppIdentifier, AppIntent, Context } from './message.js'
import { Refusal } from './message.js'
import { checkOffered, type OpenQuestion, shown } from './questions.js'

/** What is asked. */
export interface IntentQuestion {
  /** Who raised it. */
  readonly from: AppIdentifier
  /** What with. */
  readonly context: Context
  /** The intents and for each the apps and running instances that could resolve it; never empty. */
  readonly options: readonly AppIntent[]
}

/** One of the options. Without `instanceId` the app is started. */
export interface IntentChoice {
  readonly intent: string
  readonly app: AppIdentifier
}

/** Decides. Undefined when a person would not; what it throws becomes `ResolverUnavailable`. */
export type IntentResolver = (
  question: IntentQuestion,
) => Promise<IntentChoice | undefined> | IntentChoice | undefined

/** The first intent's running instance that was named first, else its first app: decides without asking. */
export const preferRunning: IntentResolver = ({ options }) => {
  for (const { intent, apps } of options) {
    const running = apps.find(({ instanceId }) => instanceId !== undefined)
    if (running !== undefined) return { intent: intent.name, app: running }
  }
  const [first] = options
  const app = first?.apps[0]
  return first === undefined || app === undefined ? undefined : { intent: first.intent.name, app }
}

/** Questions of one app that may be open at a time, and those of all; what is more is decided without a person. */
const openOfOneMax = 4
const openMax = 12
/** Bytes of a question: all that are open go into one frame of the control socket. */
const questionBytesMax = 16 * 1024

/** Choices of {@link AskingResolver}. */
export interface AskingOptions {
  readonly clock: Clock
  /** How long a person has; 60,000 unless said. Then `ResolverTimeout`. */
  readonly answerMs?: number
  /** How lately somebody must have looked for questions to be asked one; 10,000 unless said. */
  readonly attendedMs?: number
  /** Decides while nobody looks. `preferRunning` unless said. */
  readonly otherwise?: IntentResolver
  /** False for an instance that has gone: nobody need answer it any more. */
  readonly isThere?: (instanceId: string) => boolean
}

/** Asks a person: whoever shows `questions()` and gives `answer()`, such as the dashboard. */
export class AskingResolver {
  readonly #clock: Clock
  readonly #answerMs: number
  readonly #attendedMs: number
  readonly #otherwise: IntentResolver
  readonly #isThere: (instanceId: string) => boolean
  readonly #open = new Map<
    string,
    { question: OpenQuestion; settle(choice: IntentChoice | undefined): void }
  >()
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: AskingOptions) {
    this.#clock = options.clock
    this.#answerMs = options.answerMs ?? 60_000
    this.#attendedMs = options.attendedMs ?? 10_000
    this.#otherwise = options.otherwise ?? preferRunning
    this.#isThere = options.isThere ?? (() => true)
  }

  /** The resolver to give to the agent. */
  readonly resolve: IntentResolver = (asked) => {
    const askedAt = this.#clock.now()
    const id = this.#clock.uuid()
    const question = shown(asked, { id, askedAt, endsAt: askedAt + this.#answerMs })
    if (!this.#mayAsk(question)) return this.#otherwise(asked)
    return new Promise((resolve, reject) => {
      const callOff = this.#clock.after(this.#answerMs, () => {
        this.#open.delete(id)
        reject(new Refusal('ResolverTimeout'))
      })
      const settle = (choice: IntentChoice | undefined) => {
        callOff()
        this.#open.delete(id)
        resolve(choice)
      }
      this.#open.set(id, { question, settle })
    })
  }

  /** What waits for an answer, the oldest first. Who calls this is there to answer. */
  questions(): OpenQuestion[] {
    this.#lookedAt = this.#clock.now()
    for (const { question, settle } of [...this.#open.values()]) {
      const { instanceId } = question.from
      if (instanceId !== undefined && !this.#isThere(instanceId)) settle(undefined)
    }
    return [...this.#open.values()].map(({ question }) => question)
  }

  /**
   * A person's choice; undefined when they would rather not. False when the question is no longer open. Throws
   * `HOST_ARGUMENT` for what was not offered.
   */
  answer(id: string, choice: IntentChoice | undefined): boolean {
    const open = this.#open.get(id)
    if (open === undefined) return false
    if (choice !== undefined) checkOffered(open.question, choice)
    open.settle(choice)
    return true
  }

  #mayAsk(question: OpenQuestion): boolean {
    if (question.askedAt - this.#lookedAt > this.#attendedMs) return false
    const open = [...this.#open.values()]
    const ofOne = open.filter((each) => each.question.from.instanceId === question.from.instanceId)
    if (open.length >= openMax || ofOne.length >= openOfOneMax) return false
    return Buffer.byteLength(JSON.stringify(question)) <= questionBytesMax
  }
}
