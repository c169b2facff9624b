/**
 * What a shell and the gateway say to each other on their WebSocket, beside the messages of the standard.
 *
 * ```text
 * shell                                gateway
 *  | -- open {instance, token} -------> |   first, within 5 s
 *  | <- opened ------------------------ |
 *  | -- validate {origin, message} ---> |   a WCP4ValidateAppIdentity of the page
 *  | <- validated {message} ----------- |   a WCP5... for the page
 *  | -- resume {instanceId, uuid} ----> |   the socket or the agent is a new one, the page is not
 *  | <- joined {instanceId} ----------- |
 *  | <- lost -------------------------- |   the page said nothing for too long: resume when it speaks
 *  | <- refused {reason} -------------- |
 *  | -- goodbye ----------------------> |
 * ```
 */

/** From a shell. */
export type ShellLink =
  | { readonly link: 'open'; readonly instance: string; readonly token: string }
  | { readonly link: 'validate'; readonly origin: string; readonly message: unknown }
  | { readonly link: 'resume'; readonly instanceId: string; readonly instanceUuid: string }
  | { readonly link: 'goodbye' }

/** From the gateway. */
export type GatewayLink =
  | { readonly link: 'opened'; readonly fdc3Version: string }
  | { readonly link: 'validated'; readonly message: object; readonly identity?: PageIdentity }
  | { readonly link: 'joined'; readonly instanceId: string }
  | { readonly link: 'lost' }
  | { readonly link: 'refused'; readonly reason: string }

/** A page as the agent named it. */
export interface PageIdentity {
  readonly appId: string
  readonly instanceId: string
  readonly instanceUuid: string
}

/** Why the gateway ended a socket. */
export const closeCodes = {
  /** The token is not of this run, or did not come in time. */
  refused: 4401,
  /** Another shell of the same run came. */
  replaced: 4409,
  /** The shell reads nothing. */
  stuck: 4429,
} as const
