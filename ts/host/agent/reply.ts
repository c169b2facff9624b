/** What a handler gives: the payload of the response, and what is to be said once the response has gone out. */

/** An answer to a request. */
export interface Reply {
  /** Becomes the response's payload. */
  readonly payload: object
  /** Called right after the response was sent: for events that must not overtake it. */
  readonly after?: () => void
}

/** An answer. */
export function reply(payload: object = {}, after?: () => void): Reply {
  return after === undefined ? { payload } : { payload, after }
}
