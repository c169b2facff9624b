/**
 * An app's side of its life: what it says of itself, what it is asked, and how it ends.
 *
 * ```text
 * drain (the supervisor, SIGTERM, no supervisor for orphanMs)
 *   -> onDrain hooks, each in its turn -> the kept state is saved -> answer -> the state is given up -> exit 0
 * awaits-state (a run whose state another run of the app has)
 *   -> the supervisor has that one drain -> the lock of the state is free -> restore
 * become (spares only)
 *   -> instance, token, arguments, environment -> answer -> the script is imported
 * ```
 */

import type { Bus } from '../bus/bus.js'
import { hostError } from '../error.js'
import { StateStore } from '../state/state.js'
import type { AgentAsks, AppNotes, AppRequests, OwnRequests } from '../supervisor/control.js'
import type { AppHealth, TerminalHealth } from '../supervisor/status.js'
import { jsonBytes, jsonOf, type RequestOptions } from '../wire/channel.js'
import type { Bootstrap } from './bootstrap.js'
import { MessageTrace, watchForCrash } from './crash.js'
import { ControlLink } from './link.js'
import { Pulse } from './pulse.js'
import type { Watchdog } from './watchdog.js'

/** An app that was told to end without a deadline has this long; milliseconds. */
const drainMsDefault = 10_000
/** The supervisor that started this process is waited for so long; then the app goes on without. Milliseconds. */
const firstMs = 5000
/** The supervisor knows of an end as soon as it is one; milliseconds. */
const endOfMs = 1000
/** Part of the time that a supervisor waits, from when a heartbeat is due on, after which the watchdog writes down what keeps the loop. */
const standingPart = 0.7
/** The shortest that the watchdog takes for standing; milliseconds. */
const standingMsMin = 100

/** Why an app drains. */
export interface DrainOrder {
  /** For people. */
  readonly why: string
  /** Milliseconds from now. */
  readonly deadlineMs: number
  /** Ends at the deadline. */
  readonly signal: AbortSignal
}

/** Asked to give memory back. */
export interface ShedOrder {
  readonly usedBytes: number
  readonly limitBytes: number
}

/** Finishes what is under way. */
export type DrainHook = (order: DrainOrder) => Promise<void> | void
/** Frees memory; gives the bytes that it freed, 0 when it does not know. */
export type ShedHook = (order: ShedOrder) => Promise<number> | number

/** The host, seen from one of its apps. {@link connectHost} makes the one of this process. */
export class HostApp {
  /** The app's state. */
  readonly state: StateStore
  /** False where the app runs by itself, see {@link ConnectOptions.standalone}. */
  readonly isHosted: boolean
  /** @internal */
  readonly pulse: Pulse
  /** @internal */
  readonly trace = new MessageTrace()
  readonly #bootstrap: Bootstrap
  #instance: string
  #token: string
  #link: ControlLink | undefined
  /** The one timer of an app at rest. */
  #beat: NodeJS.Timeout | undefined
  #beatMs: number
  #said: { name: 'ready' | 'degraded'; value: unknown } | undefined
  #recovery: unknown
  #draining: Promise<boolean> | undefined
  #bus: Promise<Bus> | undefined
  #isSpare: boolean
  #begin: ((script: string) => void) | undefined
  /** What a spare has become. */
  #script: string | undefined
  #watchdog: Watchdog | undefined
  readonly #unwatch: (() => void)[] = []
  readonly #welcomeHooks: (() => void)[] = []
  readonly #noteHooks: ((name: string, value: unknown) => void)[] = []
  readonly #drainHooks: DrainHook[] = []
  readonly #shedHooks: ShedHook[] = []
  readonly #closers: (() => Promise<void> | void)[] = []
  readonly #asked = new Map<string, (argument: unknown) => unknown>()
  readonly #onSignal = (signal: NodeJS.Signals) => {
    void this.drain(`the process was sent ${signal}`)
  }

  /** @internal */
  constructor(bootstrap: Bootstrap, isHosted: boolean) {
    this.#bootstrap = bootstrap
    this.#instance = bootstrap.instance
    this.#token = bootstrap.token
    this.#isSpare = /\.spare-\d+$/.test(bootstrap.instance)
    this.#beatMs = bootstrap.heartbeatMs
    this.isHosted = isHosted
    this.state = new StateStore(
      bootstrap.dataFolder,
      isHosted
        ? {
            onHeld: () => this.#link?.note('awaits-state', {}),
            runs: {
              name: () => this.instance,
              wasEndedFromOutside: (instance) => this.#wasEndedFromOutside(instance),
            },
          }
        : {},
    )
    this.pulse = new Pulse()
    process.on('SIGTERM', this.#onSignal)
    process.on('SIGINT', this.#onSignal)
  }

  /** The run: `<uuid>.<generation>`. */
  get instance(): string {
    return this.#instance
  }

  /** The app. */
  get uuid(): string {
    return this.#bootstrap.uuid
  }

  /** The app's own folder. */
  get dataFolder(): string {
    return this.#bootstrap.dataFolder
  }

  /** What the manifest says of this app, `startup_app`. */
  get manifest(): Readonly<Record<string, unknown>> {
    return this.#bootstrap.app
  }

  /** For kind `terminal`: the store's folder and the terminal's id. */
  get register(): { readonly root: string; readonly terminal: string } | undefined {
    const { root, terminal } = this.#bootstrap
    return root === undefined || terminal === undefined ? undefined : { root, terminal }
  }

  /** True while the supervisor listens. An app goes on without one, for as long as the manifest says. */
  get isConnected(): boolean {
    return this.#link?.isConnected ?? false
  }

  /** True from the moment at which the app was told to end. */
  get isDraining(): boolean {
    return this.#draining !== undefined
  }

  /** Says that the app serves, or serves again in full after {@link degraded}. */
  ready(): void {
    const note: AppNotes['ready'] = {
      restored: this.state.restoredFrom,
      ...(this.#recovery === undefined ? {} : { recovery: this.#recovery }),
    }
    this.#say('ready', note)
  }

  /** Says that the app cannot do all of its work, and why. It goes on; {@link ready} ends it. */
  degraded(why: string): void {
    this.#say('degraded', { why } satisfies AppNotes['degraded'])
  }

  /**
   * This app on the bus, under the name of its run; connects with the first call, every other gives the same.
   *
   * @throws `HOST_NOT_HOSTED` in an app that runs by itself; as `connectBus`
   * @example
   * const bus = await host.bus()
   * bus.onRequest(() => Buffer.from(new Date().toISOString()))
   */
  bus(): Promise<Bus> {
    this.#bus ??= this.#connectBus().catch((error: unknown) => {
      this.#bus = undefined
      throw error
    })
    return this.#bus
  }

  /** Has `hook` called when the app is to end, in the order in which hooks were given. */
  onDrain(hook: DrainHook): void {
    this.#drainHooks.push(hook)
  }

  /** Has `hook` called when the app comes near its memory limit. */
  onShed(hook: ShedHook): void {
    this.#shedHooks.push(hook)
  }

  /** What the app says of itself with its heartbeats. */
  health(): AppHealth {
    return this.pulse.read()
  }

  /** Finishes what is under way, saves the state and ends the process with code 0; as when the supervisor asks. */
  async drain(why: string, deadlineMs: number = drainMsDefault): Promise<void> {
    await this.#drain(why, deadlineMs)
    // Where the supervisor asked too, its answer goes out first.
    await new Promise((resolve) => setImmediate(resolve))
    await this.#leave()
  }

  /** Lets the host go without ending the process: no heartbeats, no connection, no hooks. May be called again. */
  async close(): Promise<void> {
    process.off('SIGTERM', this.#onSignal)
    process.off('SIGINT', this.#onSignal)
    for (const unwatch of this.#unwatch.splice(0)) unwatch()
    clearInterval(this.#beat)
    this.#watchdog?.stop()
    this.pulse.end()
    for (const closer of this.#closers.splice(0)) await closer()
    await this.#link?.close()
    await this.state.close()
  }

  /**
   * Has what the supervisor asks under this name answered: for parts of the host, which are asked more than apps are.
   *
   * @internal
   */
  onAsked(name: keyof AgentAsks, answer: (argument: unknown) => unknown): void {
    this.#asked.set(name, answer)
  }

  /**
   * Has a terminal's health in the heartbeats and its recovery in `ready`.
   *
   * @internal
   */
  reportTerminal(health: () => TerminalHealth, recovery: unknown): void {
    this.pulse.terminal = health
    this.#recovery = recovery
  }

  /**
   * Has `begin` called when this spare becomes an instance.
   *
   * @internal
   */
  onBecome(begin: (script: string) => void): void {
    // It may have been asked while its program was still loading.
    if (this.#script === undefined) this.#begin = begin
    else begin(this.#script)
  }

  /**
   * Asks the supervisor, where it permits that: for parts of the host.
   *
   * @internal
   */
  ask(name: string, value: unknown, options?: RequestOptions): Promise<unknown> {
    if (this.#link !== undefined) return this.#link.ask(name, value, options)
    return Promise.reject(
      hostError('HOST_NOT_HOSTED', `there is no host to ask for ${name}`, { variable: '' }),
    )
  }

  /**
   * Says something to the supervisor; lost where there is none.
   *
   * @internal
   */
  tell(name: string, value: unknown): void {
    this.#link?.note(name, value)
  }

  /**
   * Has `hook` called now, where there is a supervisor, and whenever one took this process from now on.
   *
   * @internal
   */
  onWelcome(hook: () => void): void {
    this.#welcomeHooks.push(hook)
    if (this.isConnected) hook()
  }

  /**
   * Has `hook` called with what the supervisor says.
   *
   * @internal
   */
  onNote(hook: (name: string, value: unknown) => void): void {
    this.#noteHooks.push(hook)
  }

  /**
   * Connects; resolves once the supervisor knows this process, or has not answered for five seconds.
   *
   * @internal
   */
  async connect(): Promise<void> {
    this.#armReports()
    // An app may stand as soon as it has this object.
    const watching = this.#watchLoop()
    this.#beatEvery(this.#beatMs)
    let refuse: (error: Error) => void = () => {}
    let accept = () => {}
    const first = new Promise<void>((resolve, reject) => {
      accept = resolve
      refuse = reject
    })
    const timer = setTimeout(() => accept(), firstMs)
    this.#link = new ControlLink(this.#bootstrap.sockets.control, {
      hello: () => ({ instance: this.#instance, token: this.#token, pid: process.pid }),
      onWelcome: ({ heartbeatMs }) => {
        if (this.#said !== undefined) this.#link?.note(this.#said.name, this.#said.value)
        if (this.state.isWaiting) this.#link?.note('awaits-state', {})
        this.#beatEvery(heartbeatMs ?? this.#beatMs)
        for (const hook of this.#welcomeHooks) hook()
        accept()
      },
      onRefused: (error) => refuse(error),
      onNote: (name, value) => {
        for (const hook of this.#noteHooks) hook(name, value)
      },
      onRequest: (name, payload) => this.#answer(name, payload),
      onAlone: (aloneMs) => {
        if (aloneMs < this.#bootstrap.orphanMs || this.isDraining) return
        void this.drain(`there was no supervisor for ${Math.round(aloneMs)} ms`)
      },
    })
    try {
      await first
    } catch (error) {
      await watching
      await this.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
    await watching
  }

  /** What the runtime writes when it fails, and on SIGUSR2, goes into the folder of the run. */
  #armReports(): void {
    const { report } = process
    report.directory = this.#bootstrap.instanceFolder
    report.filename = 'node-fatal.json'
    report.reportOnFatalError = true
    report.reportOnSignal = true
    report.compact = true
    // Asking the resolver for the names of peers takes seconds.
    Object.assign(report, { excludeNetwork: true })
    this.#unwatch.push(
      watchForCrash(this.#bootstrap.instanceFolder, this.trace, (note) =>
        this.#link?.lastNote('fatal', note),
      ),
    )
  }

  /** What nobody is there to say, or says in time, is taken for no. */
  async #wasEndedFromOutside(instance: string): Promise<boolean> {
    const question: OwnRequests['end-of']['argument'] = { instance }
    try {
      const answer = await this.ask('end-of', question, { timeoutMs: endOfMs })
      return (answer as OwnRequests['end-of']['answer'] | null)?.fromOutside === true
    } catch {
      return false
    }
  }

  async #connectBus(): Promise<Bus> {
    if (!this.isHosted) {
      const message = 'an app that runs by itself has no bus; start it with "pos-kernel host start"'
      throw hostError('HOST_NOT_HOSTED', message, { uuid: this.uuid })
    }
    const { connectBus } = await import('../bus/client.js')
    const bus = await connectBus({
      socket: this.#bootstrap.sockets.bus,
      instance: this.#instance,
      token: this.#token,
      onTraffic: (traffic) => {
        if (traffic.direction === 'in') this.pulse.messages += 1
        this.trace.add({ at: Date.now(), ...traffic })
      },
    })
    this.#closers.push(() => bus.close())
    return bus
  }

  /** Where the binding cannot be loaded the supervisor's own judgement remains. */
  async #watchLoop(): Promise<void> {
    const { hangMs, heartbeatMs, instanceFolder } = this.#bootstrap
    if (hangMs === 0) return
    // The supervisor counts from the last heartbeat, and what kept the loop has to be written down before it acts.
    const standingMs = Math.max(standingMsMin, Math.round((hangMs - heartbeatMs) * standingPart))
    try {
      const { watchLoop } = await import('./watchdog.js')
      this.#watchdog = watchLoop(standingMs, instanceFolder)
      this.#watchdog.beat(this.#beatMs)
    } catch (error) {
      console.error(`the event loop is not watched from within: ${(error as Error).message}`)
    }
  }

  #say(name: 'ready' | 'degraded', value: unknown): void {
    this.#said = { name, value }
    this.pulse.tellAll()
    this.#link?.note(name, value)
  }

  #beatEvery(heartbeatMs: number): void {
    this.#beatMs = heartbeatMs
    clearInterval(this.#beat)
    const beat = () => {
      this.#watchdog?.beat(heartbeatMs)
      const hasNews = this.pulse.beat(heartbeatMs)
      if (this.isConnected) this.#link?.note('heartbeat', hasNews ? this.health() : undefined)
    }
    this.#beat = setInterval(beat, heartbeatMs).unref()
    beat()
  }

  async #answer(name: string, payload: Buffer): Promise<Uint8Array> {
    const argument = jsonOf(payload) ?? {}
    switch (name) {
      case 'drain': {
        const { why, deadlineMs } = argument as AppRequests['drain']['argument']
        const saved = await this.#drain(String(why), Number(deadlineMs) || drainMsDefault)
        // The answer goes out before the process ends.
        setImmediate(() => void this.#leave())
        return jsonBytes({ saved } satisfies AppRequests['drain']['answer'])
      }
      case 'shed':
        return jsonBytes(await this.#shed(argument as ShedOrder))
      case 'become':
        return jsonBytes(this.#become(argument as AppRequests['become']['argument']))
      default: {
        const answer = this.#asked.get(name)
        if (answer !== undefined) return jsonBytes(answer(argument))
        throw hostError('HOST_NO_METHOD', `an app is not asked ${name}`, { method: name })
      }
    }
  }

  #drain(why: string, deadlineMs: number): Promise<boolean> {
    this.#draining ??= this.#runDrain(why, deadlineMs)
    return this.#draining
  }

  async #runDrain(why: string, deadlineMs: number): Promise<boolean> {
    const signal = AbortSignal.timeout(deadlineMs)
    const over = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    for (const hook of this.#drainHooks) {
      try {
        await Promise.race([hook({ why, deadlineMs, signal }), over])
      } catch (error) {
        // What one hook could not do does not keep the others and the state from it.
        console.error('a drain hook failed:', error)
      }
    }
    try {
      return await this.state.saveKept()
    } catch (error) {
      console.error('the state was not saved:', error)
      return false
    }
  }

  async #leave(): Promise<never> {
    await this.close()
    process.exit(0)
  }

  async #shed(order: ShedOrder): Promise<AppRequests['shed']['answer']> {
    let freedBytes = 0
    for (const hook of this.#shedHooks) freedBytes += await hook(order)
    // Only where Node was started with --expose-gc.
    globalThis.gc?.()
    return { freedBytes }
  }

  #become(order: AppRequests['become']['argument']): AppRequests['become']['answer'] {
    if (!this.#isSpare) {
      const message = `${this.#instance} is no spare and becomes nothing else`
      throw hostError('HOST_UNSUPPORTED', message, { what: 'become', reason: 'no spare' })
    }
    this.#isSpare = false
    this.#instance = order.instance
    this.#token = order.token
    Object.assign(process.env, order.env)
    process.argv.splice(1, process.argv.length, order.script, ...order.args)
    this.#script = order.script
    setImmediate(() => this.#begin?.(order.script))
    return { instance: order.instance }
  }
}
