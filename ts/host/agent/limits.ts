/** How much one app may have of the agent. Reaching a limit is a refusal by the standard's name, and reported. */

/** Listeners of one instance, of all kinds. */
export const listenersMax = 1000
/** App channels of the agent. */
export const appChannelsMax = 10_000
/** Private channels that one instance may have open. */
export const privateChannelsMax = 1000
/** Types of context that a channel remembers; the oldest is forgotten first. */
export const contextTypesMax = 200
/** Intents and openings of one instance that wait for somebody. */
export const waitingMax = 200
/** Bytes of one message. */
export const messageBytesMax = 512 * 1024
/** Characters of a channel's id, an intent's or a context type's name. */
export const nameLengthMax = 512
/** Least time that an app has from its start to its listener, by the standard. */
export const listenerMsMin = 15_000
