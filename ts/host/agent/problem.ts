/** What the agent reports of messages and peers: for events, for the dashboard, for tests. */

/** Something that should not have come, or did not happen in time. */
export interface AgentProblem {
  /** What kind of trouble. */
  readonly kind:
    | 'not-json'
    | 'malformed'
    | 'unknown-type'
    | 'not-connected'
    | 'forged'
    | 'flood'
    | 'too-large'
    | 'limit'
    | 'origin'
    | 'silent'
    | 'undelivered'
    | 'start-failed'
    | 'resolver'
    | 'fault'
  /** Who it came from, as the door knows it; null where nobody has shown who it is. */
  readonly instanceId: string | null
  /** A sentence for people. */
  readonly text: string
  /** The values behind it. */
  readonly facts: Readonly<Record<string, unknown>>
}
