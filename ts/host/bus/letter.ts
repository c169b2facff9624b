/**
 * A durable message of an app, as it lies in the inbox of a terminal: the body of a message of the kernel, in an
 * envelope that says which app sent it and under which key.
 */

/** Who takes durable messages on the bus. */
export const postAddress = 'host/post'
/** The terminal in whose name they are sent; its journal holds nothing but its number. */
export const postTerminal = 'HOST-POST'

/** What an app wrote. */
export interface Letter {
  /** The app that sent it, as the broker knew it. */
  readonly fromApp: string
  /** Its key: with the app's name, the same for the same message. Use both as the idempotency key of what it asks. */
  readonly key: string
  /** What it says. */
  readonly body: unknown
}

/** A message of the kernel, as far as it matters here. */
interface Received {
  readonly from: string
  readonly body: unknown
}

/**
 * The letter of an app in a message that a terminal received; undefined when another terminal wrote it.
 *
 * @example
 * await terminal.messages.onMessage(async (message) => {
 *   const letter = letterOf(message)
 *   if (letter !== undefined) console.log(letter.fromApp, letter.body)
 * })
 */
export function letterOf({ from, body }: Received): Letter | undefined {
  if (from !== postTerminal || typeof body !== 'object' || body === null) return undefined
  const { fromApp, key, body: said } = body as Partial<Record<keyof Letter, unknown>>
  if (typeof fromApp !== 'string' || typeof key !== 'string') return undefined
  return { fromApp, key, body: said }
}
