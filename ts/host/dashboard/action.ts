/** The buttons of the page: each names the app once more in its body, so that a click on what has just moved does nothing. */
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { hostError } from '../error.js'
import type { Feed } from './feed.js'
import { bodyOf } from './reply.js'

const actions = ['start', 'drain', 'restart', 'recycle', 'kill', 'release'] as const
const confirmSchema = z.strictObject({ confirm: z.string() })
/** An app that drains may take as long as its manifest says; the answer waits for the end. */
const actionMs = 120_000

/** Does what a button says; the supervisor's answer. */
export async function act(
  feed: Feed,
  uuid: string,
  verb: string,
  request: IncomingMessage,
): Promise<{ ok: true; action: string; uuid: string; answer: unknown }> {
  const action = actions.find((known) => known === verb)
  if (action === undefined) {
    const message = `there is no button ${verb.slice(0, 40)}; there are ${actions.join(', ')}`
    throw hostError('HOST_NO_METHOD', message, { method: verb.slice(0, 40), known: actions })
  }
  const body = confirmSchema.safeParse(await bodyOf(request))
  if (!body.success || body.data.confirm !== uuid) {
    const message = `{"confirm": ${JSON.stringify(uuid)}} has to come with it: which app is meant`
    const value = body.success ? body.data.confirm : undefined
    throw hostError('HOST_ARGUMENT', message, { method: action, path: 'confirm', value })
  }
  return { ok: true, action, uuid, answer: await feed.ask(action, { uuid }, actionMs) }
}
