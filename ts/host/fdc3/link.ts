/**
 * What an app and the agent say to each other beside the protocol of the standard: who is here. A message with a
 * `link` is of this kind, one with a `type` is of the standard.
 *
 * ```text
 * app                         agent
 *  | -- join ----------------> |   also when it was there before: it begins anew
 *  | <- joined {appId, ...} -- |
 *  | <- refused {reason} ----- |   the host's manifest has no such app
 *  | <- lost ----------------- |   to a message of one who has not joined: join again
 *  | -- WCP6Goodbye ---------> |
 * ```
 * When an agent begins it publishes the topic `host/agent`: who hears that joins.
 */

/** Where the agent is on the bus. */
export const agentAddress = 'host/agent'
/** What a new agent publishes. */
export const agentTopic = 'host/agent'

/** From an app. */
export interface JoinLink {
  readonly link: 'join'
  /** Counts up; the answer says which it answers. */
  readonly attempt: number
}

/** From the agent. */
export type AgentLink =
  | {
      readonly link: 'joined'
      readonly attempt: number
      readonly appId: string
      readonly instanceId: string
    }
  | { readonly link: 'refused'; readonly reason: string }
  | { readonly link: 'lost' }
