/**
 * The messages of the Desktop Agent Communication Protocol as this room speaks of them. Their shapes are those of
 * the package `@finos/fdc3-schema`, from which only types and JSON schemas are used.
 */
import type { BrowserTypes } from '@finos/fdc3-schema'

/** Every request that an app may send. */
export type AppRequest = BrowserTypes.AppRequestMessage
/** A request's name. */
export type RequestType = AppRequest['type']
/** Requests by name. */
export type Requests = { [R in AppRequest as R['type']]: R }
/** A piece of context: a `type` and whatever else. */
export type Context = BrowserTypes.Context
/** An app, or one instance of it. */
export type AppIdentifier = BrowserTypes.AppIdentifier
/** What a directory says of an app. */
export type AppMetadata = BrowserTypes.AppMetadata
/** An intent with the apps that may resolve it. */
export type AppIntent = BrowserTypes.AppIntent
/** A channel as apps see it. */
export type Channel = BrowserTypes.Channel
/** What an intent handler gave. */
export type IntentResult = BrowserTypes.IntentResult

/** A message to an app. */
export interface AgentMessage {
  /** Its name. */
  readonly type: string
  /** What it says. */
  readonly payload: object
  /** Which message it is, and which it answers. */
  readonly meta: {
    readonly timestamp: string
    readonly requestUuid?: string
    readonly responseUuid?: string
    readonly eventUuid?: string
    readonly source?: AppIdentifier
  }
}

/** A refusal by one of the standard's names; becomes `payload.error` of the response. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

/** The name of the answer to a request. */
export function responseType(request: string): string {
  return request.replace(/Request$/, 'Response')
}
