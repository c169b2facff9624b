/**
 * A terminal that does what the store's manager asks: it ends when a shutdown is announced, takes
 * configurations over when they take effect, and hands every other message to its host.
 *
 * ```text
 * SystemShutdown, SIGTERM, SIGINT -> beginDrain -> open sales end, or the grace does -> suspended
 *                                 -> closed (synced, listed no more, the lock free)
 * ConfigurationChange             -> applied at its time
 * ```
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Drained, DrainInput } from './coordination.js'
import { isPosError } from './errors.js'
import type { Message, MessageHandler } from './messages.js'
import { type SystemConfig, storeTerminals } from './store-state.js'
import type { Terminal } from './terminal.js'

/** What a host wants to hear. */
export interface JoinOptions {
  /** Gets every message but `SystemShutdown` and `ConfigurationChange`. */
  readonly onMessage?: MessageHandler | undefined
  /** Hears that the terminal begins nothing new; what is open is for the host to finish. */
  readonly onDrain?: ((input: DrainInput) => void) | undefined
  /** Hears of a configuration that took effect. */
  readonly onConfig?: ((config: SystemConfig) => void) | undefined
  /** Ends as for a shutdown on SIGTERM and SIGINT, with this grace in milliseconds; not when left out. */
  readonly signalGraceMs?: number | undefined
}

/** How a terminal has ended. */
export interface Ended extends Drained {
  /** Why. */
  readonly reason: string
}

/** A terminal's part in a store. */
export interface Membership {
  /** Resolves once the terminal is closed by a shutdown or a signal. */
  readonly ended: Promise<Ended>
  /** Ends the terminal as a shutdown does. */
  shutDown(input: DrainInput): Promise<Ended>
}

/** Open sales are looked at so often while they may be finished. */
const lookMs = 20
/** A configuration that takes effect later than a timer can wait is looked at again in between. */
const timerMsMax = 3_600_000

/**
 * Joins a terminal to its store.
 *
 * @throws {@link StorageError} `PK_E_SHARED_FILE`, `PK_E_IO`
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT` when the terminal has a handler for messages already
 * @example
 * const membership = await joinStore(terminal, { signalGraceMs: 5000 })
 * const { reason, suspended } = await membership.ended
 */
export async function joinStore(
  terminal: Terminal,
  options: JoinOptions = {},
): Promise<Membership> {
  const member = new Member(terminal, options)
  await member.begin()
  return member
}

class Member implements Membership {
  readonly ended: Promise<Ended>
  readonly #terminal: Terminal
  readonly #options: JoinOptions
  #ending: Promise<Ended> | undefined
  /** When this owner opened the terminal, ISO 8601 in UTC. */
  #since = ''
  #timer: NodeJS.Timeout | undefined
  #resolve: (ended: Ended) => void = () => {}
  readonly #onSignal = (signal: NodeJS.Signals) => {
    const graceMs = this.#options.signalGraceMs ?? 0
    void this.shutDown({ reason: `the host was sent ${signal}`, graceMs })
  }

  constructor(terminal: Terminal, options: JoinOptions) {
    this.#terminal = terminal
    this.#options = options
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  async begin(): Promise<void> {
    const { id, root } = this.#terminal
    this.#since = (await storeTerminals(root)).find((it) => it.id === id)?.startedAt ?? ''
    await this.#configure()
    await this.#terminal.messages.onMessage((message) => this.#handle(message))
    if (this.#options.signalGraceMs === undefined) return
    process.on('SIGTERM', this.#onSignal)
    process.on('SIGINT', this.#onSignal)
  }

  shutDown(input: DrainInput): Promise<Ended> {
    this.#ending ??= this.#end(input)
    return this.#ending
  }

  async #handle(message: Message): Promise<void> {
    switch (message.kind) {
      case 'SystemShutdown': {
        // One that was announced before this owner began was for the one before it.
        if (message.sentAt < this.#since) return
        const { graceMs, reason } = message.body as { graceMs: number; reason: string }
        // Accepted once the drain stands in the journal; the rest goes on by itself.
        const input = { graceMs, reason, by: message.from }
        await this.#terminal.coordination.beginDrain(input)
        void this.shutDown(input)
        return
      }
      case 'ConfigurationChange':
        await this.#configure()
        return
      default:
        await this.#options.onMessage?.(message)
    }
  }

  async #configure(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      const { config, applied, pending } = await this.#terminal.coordination.applySystemConfig()
      if (config === null) return
      if (applied) this.#options.onConfig?.(config)
      if (!pending) return
      const ms = Math.max(1, Date.parse(config.effectiveAt) - Date.now())
      const wait = Math.min(ms, timerMsMax)
      this.#timer = setTimeout(() => void this.#configure(), wait).unref()
    } catch (error) {
      // A file that cannot be used keeps no terminal from selling; whoever listens to errors hears it.
      if (!isPosError(error)) throw error
    }
  }

  async #end(input: DrainInput): Promise<Ended> {
    const { coordination, messages } = this.#terminal
    clearTimeout(this.#timer)
    const { until, reason } = await coordination.beginDrain(input)
    this.#options.onDrain?.(input)
    const end = Date.parse(until)
    while (isUnderWay(this.#terminal) && Date.now() < end) await delay(lookMs)
    const drained = await coordination.suspendOpen(reason)
    // The announcement itself is accepted before the terminal is closed.
    await messages.idle()
    await this.#terminal.close()
    process.off('SIGTERM', this.#onSignal)
    process.off('SIGINT', this.#onSignal)
    const ended = { reason, ...drained }
    this.#resolve(ended)
    return ended
  }
}

/** Some sale waits for nobody's ticket. */
function isUnderWay(terminal: Terminal): boolean {
  return terminal.openSales().some((sale) => sale.totals().state !== 'suspended')
}
