/**
 * The desktop agent of a host: FDC3 2.2 between the apps of a store, Node programs and pages alike.
 *
 * The core (`agent.ts` and what it uses) is pure: messages of the Desktop Agent Communication Protocol go in, messages
 * come out, and clock, randomness and the starting of apps are given to it. It cannot be made to throw by a message:
 * each is held against the JSON schema of the standard first, and what does not fit is answered with an error by the
 * standard's name or dropped, and reported. Around the core are doors: `bus-door.ts` for Node programs, `gateway/` for
 * pages. Who a message is from is the door's statement, never the message's.
 *
 * ```text
 * app --bus--> bus-door.ts --+                    +-- channels.ts   contexts
 *                            +-> fair.ts -> agent.ts -- intents.ts    intents and their results
 * page --ws--> gateway/    --+                    +-- opening.ts    open, and waiting for who was started
 * ```
 *
 * The agent is a process of its own, `host/agent` on the bus: it reads what hostile apps and pages write, and its end
 * must cost nobody else. Apps register again by themselves when it is back (`ts/host/fdc3/session.ts`).
 * Read `agent.ts` first; `docs/adr/0054-desktop-agent.md` says why.
 */
export { type AgentOptions, type AgentStatus, DesktopAgent, type Surroundings } from './agent.js'
export { AppDirectory, type AppRecord } from './directory.js'
export type { AgentMessage } from './message.js'
export type { AgentProblem } from './problem.js'
export type { OpenQuestion } from './questions.js'
export {
  AskingResolver,
  type IntentChoice,
  type IntentQuestion,
  type IntentResolver,
  preferRunning,
} from './resolver.js'
