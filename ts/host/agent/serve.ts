/**
 * The agent with its doors: what a process has to have to be the desktop agent of a host.
 */
import type { Bus } from '../bus/bus.js'
import { type AgentOptions, DesktopAgent } from './agent.js'
import { BusDoor } from './bus-door.js'
import { systemClock } from './clock.js'
import type { AppDirectory } from './directory.js'
import { type Admission, Gateway, type GatewayOptions } from './gateway/gateway.js'
import type { AgentProblem } from './problem.js'
import { AskingResolver, type IntentResolver } from './resolver.js'

/** Problems that are kept for whoever asks. */
const problemsKept = 200
/** Problems of one instance and kind that are told each second. */
const toldMsMin = 1000

/** What an agent is served with. */
export interface ServeOptions {
  readonly bus: Bus
  readonly directory: AppDirectory
  /** Starts an app; gives its instance, also when it runs already. */
  start(uuid: string): Promise<string>
  /** Hears of problems: at most one a second of a kind from one instance, with the number of those between. */
  report?(problem: AgentProblem): void
  /** Pages too: without it, only Node programs. */
  readonly pages?: Pick<GatewayOptions, 'port' | 'key'> & {
    admit(admission: Admission): Promise<boolean>
  }
  /** Decides while no person does. */
  readonly resolver?: IntentResolver
  readonly agent?: Pick<
    AgentOptions,
    | 'fdc3Version'
    | 'provider'
    | 'providerVersion'
    | 'userChannels'
    | 'listenerMs'
    | 'heartbeatMs'
    | 'silentMs'
  >
}

/** An agent that is served. */
export interface ServedAgent {
  readonly agent: DesktopAgent
  /** Where pages find it; undefined without pages. */
  readonly gateway: Gateway | undefined
  /** What waits for a person. */
  readonly asking: AskingResolver
  /** An instance of an app ended, as the supervisor knows. */
  ended(instance: string): void
  close(): Promise<void>
}

/** Serves an agent. Resolves when it can be found. */
export async function serveAgent(options: ServeOptions): Promise<ServedAgent> {
  const { bus, directory } = options
  const ledger = new ProblemLedger(options.report ?? (() => undefined))
  const report = (problem: AgentProblem) => ledger.add(problem)
  const asking = new AskingResolver({
    clock: systemClock,
    isThere: (instanceId) => agent.isConnected(instanceId),
    ...(options.resolver === undefined ? {} : { otherwise: options.resolver }),
  })
  let busDoor: BusDoor | undefined
  let gateway: Gateway | undefined
  const agent: DesktopAgent = new DesktopAgent({
    ...options.agent,
    directory,
    resolver: asking.resolve,
    surroundings: {
      clock: systemClock,
      post: (to, message) => {
        busDoor?.post(to, message)
        gateway?.post(to, message)
      },
      start: options.start,
      report,
      onSilent: (instanceId) => gateway?.silent(instanceId),
    },
  })
  if (options.pages !== undefined) {
    gateway = new Gateway({ ...options.pages, agent, directory, report })
    await gateway.listen()
  }
  busDoor = new BusDoor({ bus, agent, directory, asking, problems: () => ledger.problems, report })
  return {
    agent,
    gateway,
    asking,
    ended: (instance) => {
      gateway?.ended(instance)
      agent.ended(instance)
    },
    close: async () => {
      agent.close()
      await gateway?.close()
    },
  }
}

/** Keeps the last problems, and tells of them without letting a flood through. */
class ProblemLedger {
  readonly problems: AgentProblem[] = []
  readonly #tell: (problem: AgentProblem) => void
  readonly #told = new Map<string, { at: number; held: number }>()

  constructor(tell: (problem: AgentProblem) => void) {
    this.#tell = tell
  }

  add(problem: AgentProblem): void {
    const key = `${problem.instanceId} ${problem.kind}`
    const now = performance.now()
    const told = this.#told.get(key)
    if (told !== undefined && now - told.at < toldMsMin) {
      told.held += 1
      return
    }
    if (this.#told.size > problemsKept * 10) this.#told.clear()
    this.#told.set(key, { at: now, held: 0 })
    const held = told?.held ?? 0
    const said = held === 0 ? problem : { ...problem, facts: { ...problem.facts, more: held } }
    this.problems.push(said)
    if (this.problems.length > problemsKept) this.problems.shift()
    this.#tell(said)
  }
}
