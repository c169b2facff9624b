/** Questions of the desktop agent: what the page shows, and a person's answer, which names its question once more. */
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import type { OpenQuestion } from '../agent/questions.js'
import { hostError } from '../error.js'
import type { Feed } from './feed.js'
import { bodyOf } from './reply.js'

const text = z.string().min(1).max(512)
const answerSchema = z.strictObject({
  confirm: z.string(),
  choice: z
    .strictObject({
      intent: text,
      app: z.union([
        z.strictObject({ appId: text, instanceId: text }),
        z.strictObject({ appId: text }),
      ]),
    })
    .optional(),
})
const agentMs = 5000

/** What waits for a person. To ask is to be there: see `AskingResolver`. */
export function openQuestions(feed: Feed): Promise<readonly OpenQuestion[]> {
  return feed.ask('questions', {}, agentMs)
}

/** Gives an answer; `taken` is false where the question was no longer open. */
export async function answerQuestion(
  feed: Feed,
  id: string,
  request: IncomingMessage,
): Promise<{ ok: true; id: string; taken: boolean }> {
  const body = answerSchema.safeParse(await bodyOf(request))
  if (!body.success || body.data.confirm !== id) {
    const [issue] = body.success ? [] : body.error.issues
    const path = issue?.path.join('.') || 'confirm'
    const message = `{"confirm": ${JSON.stringify(id)}} has to come with it, and "choice" as one was offered: ${path}`
    throw hostError('HOST_ARGUMENT', message, { method: 'answer', path })
  }
  const { choice } = body.data
  const argument = choice === undefined ? { id } : { id, choice }
  return { ok: true, id, ...(await feed.ask('answer', argument, agentMs)) }
}
