/**
 * The supervisor: all apps of a store, in their order, and what persons and apps ask of them.
 *
 * ```text
 * order.ts     who starts before whom, whom a failure takes along         pure
 * machine.ts   the life of one app                                       pure
 * vigil.ts     whether an app hangs, whether it is time for a fresh run   pure
 * seat.ts      carries out what the machine of an app decides
 * watch.ts     measures and looks; door.ts, callers.ts: the control socket
 * records.ts   what the next supervisor has to know
 * ```
 *
 * Invariants: whoever has the lock of the host is its only supervisor; a run is never started while another of a
 * terminal is there; what was begun, a run or a shutdown, is on disk before it is done, so that the next supervisor
 * takes it up where this one fell.
 */
import { randomUUID } from 'node:crypto'
import { agentUuid } from '../agent/app.js'
import { AgentDesk } from '../agent/briefing.js'
import type { BusIdentity } from '../bus/contract.js'
import { hostError } from '../error.js'
import { agentAddress } from '../fdc3/link.js'
import type { Launcher } from '../launcher/launcher.js'
import type { Governor } from '../limits/governor.js'
import type { HostManifest } from '../manifest/manifest.js'
import { type HostPlace, uuidOf } from '../place.js'
import { adoptRuns } from './adopt.js'
import { BrokerSeat, brokerUuid } from './broker-seat.js'
import { Callers } from './callers.js'
import type { AgentAsks, ControlRequests, ShutdownResult } from './control.js'
import { Door } from './door.js'
import type { EventLog } from './event-log.js'
import type { LiveRun } from './live-run.js'
import { runsOf, stateOf } from './machine.js'
import { startOrder, takenAlong, waitsFor } from './order.js'
import { readSupervisor, type SupervisorRecord } from './records.js'
import { Memory } from './remember.js'
import { type Question, readQuestion } from './requests.js'
import { type House, Seat } from './seat.js'
import { Shutdown } from './shutdown.js'
import { type HostEvent, type HostStatus, sendable } from './status.js'
import { Watch } from './watch.js'

/** What a supervisor is given. */
export interface SupervisorOptions {
  readonly place: HostPlace
  readonly manifest: HostManifest
  readonly launchers: readonly Launcher[]
  readonly governor: Governor
  readonly events: EventLog
  /** The key of operators. */
  readonly key: string
}

/** The supervisor of a store. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #order: readonly string[]
  readonly #seats = new Map<string, Seat>()
  readonly #broker: BrokerSeat
  readonly #record: SupervisorRecord
  readonly #memory: Memory
  readonly #watch: Watch
  readonly #callers: Callers
  readonly #startedAt = Date.now()
  #state: HostStatus['state'] = 'starting'
  #adopted = 0
  /** Apps that a failure took along and that are not back yet, in their order. */
  #group: readonly string[] = []
  #isPlanned = false
  #door: Door | undefined
  #shutdown: Promise<ShutdownResult> | undefined

  constructor(options: SupervisorOptions) {
    const { place, manifest, launchers, governor, events } = options
    this.#options = options
    this.#order = startOrder(manifest.apps)
    const before = readSupervisor(place)
    this.#record = { ...before, epoch: before.epoch + 1, isShutDown: false }
    const house: House = {
      place,
      isolation: manifest.isolation,
      governor,
      launchers,
      events,
      samples: (uuid) => this.#watch.samples(uuid),
      introduce: () => this.#broker.tell(),
      changed: () => this.#plan(),
      failed: (seat) => this.#takeAlong(seat),
    }
    const memoryOf = (uuid: string) => {
      const memory = before.apps[uuid]
      // With a shutdown ended what persons had wished; what failed too often stays where it is.
      if (memory === undefined || !before.isShutDown || memory.rest === 'quarantined') return memory
      return {
        ...memory,
        isWanted: false,
        isHeld: false,
        rest: 'idle' as const,
        why: '',
        retryAt: null,
      }
    }
    for (const app of manifest.apps) {
      const { uuid } = app.startup_app
      this.#seats.set(uuid, new Seat(app, house, memoryOf(uuid)))
    }
    const roll = {
      peers: () => [...this.#seats.values()].flatMap((seat) => seat.identities()).map(onTheBus),
      apps: () =>
        [...this.#seats.values()].map(({ uuid, life }) => ({ uuid, instance: life.serving })),
    }
    this.#broker = new BrokerSeat(house, roll, memoryOf(brokerUuid))
    this.#memory = new Memory(place, this.#record, [...this.#seats.values(), this.#broker])
    this.#watch = new Watch(this.#seats, [this.#broker], events)
    this.#callers = new Callers({
      epoch: this.epoch,
      key: options.key,
      seats: this.#seats,
      broker: this.#broker,
      events,
      status: () => this.status(),
      answer: (question, signal) => this.#answer(question, signal),
      agent: new AgentDesk(
        place,
        manifest.apps.filter(({ startup_app }) => startup_app.uuid !== agentUuid),
      ),
      startFor: (uuid, signal) => this.#startFor(uuid, signal),
      onSeen: () => this.#watch.seen(),
      onCome: () => this.#plan(),
    })
  }

  /** Supervisors that this store has had, with this one. */
  get epoch(): number {
    return this.#record.epoch
  }

  /** Takes over what runs, opens the control socket, and starts what is to run. */
  async start(): Promise<void> {
    const { place, governor, events, manifest } = this.#options
    await this.#memory.keep()
    const seats = new Map<string, Seat>([...this.#seats, [brokerUuid, this.#broker]])
    const { adopted, kept, tellMissed } = await adoptRuns(place, seats, { governor, events })
    this.#adopted = adopted
    await governor.sweep(kept)
    this.#door = await Door.open(place.controlSocket, {
      identify: (hello) => this.#callers.identify(hello),
      onRefused: ({ uuid, name, code, text }) =>
        this.#callers.refused(name, { uuid, text: `${name} was refused: it ${text}`, code }),
    })
    events.say('host-started', {
      text: `supervisor ${this.epoch} of this store began; ${adopted} processes were taken over`,
      facts: { pid: process.pid, epoch: this.epoch, adopted },
    })
    this.#watch.start()
    this.#state = 'running'
    tellMissed()
    const intent = Shutdown.pending(place)
    if (intent !== undefined) {
      void this.shutdown({ ...intent, isResumed: true })
      return
    }
    // What waits to be tried again has waited on: its time is that of the clock.
    for (const seat of seats.values()) seat.dispatch({ type: 'tick' })
    this.#broker.dispatch({ type: 'want' })
    this.#broker.dispatch({ type: 'start' })
    for (const app of manifest.apps) {
      const seat = this.#seat(app.startup_app.uuid)
      const { rest, isHeld, isWanted } = seat.life
      const isNew = rest === 'idle' && !isHeld
      if (isWanted || (app.start === 'eager' && isNew)) this.#want(seat, ({ life }) => !life.isHeld)
    }
    this.#plan()
  }

  /** Everything, now. */
  status(): HostStatus {
    return {
      pid: process.pid,
      startedAt: this.#startedAt,
      epoch: this.epoch,
      adopted: this.#adopted,
      state: this.#state,
      broker: this.#broker.brokerStatus(),
      apps: [...this.#seats.values()].map((seat) => seat.status()),
    }
  }

  /** Hears every event from now on. Gives the function that ends it. */
  follow(listener: (event: HostEvent) => void): () => void {
    return this.#options.events.listen(listener)
  }

  /** Does what an operator may ask. */
  async ask<Name extends keyof ControlRequests>(
    name: Name,
    argument: ControlRequests[Name]['argument'],
    signal?: AbortSignal,
  ): Promise<ControlRequests[Name]['answer']> {
    return (await this.#answer(readQuestion(name, argument), signal)) as never
  }

  /** Ends all apps in order, then this supervisor. A second call waits for the first. */
  shutdown(
    options: {
      readonly deadlineMs?: number
      readonly reason?: string
      readonly id?: string
      readonly isResumed?: boolean
    } = {},
  ): Promise<ShutdownResult> {
    this.#shutdown ??= this.#end(options)
    return this.#shutdown
  }

  /**
   * Ends this supervisor and leaves all apps as they are: the next one takes them over. Those that would end with this
   * process are stopped in order before; they are still wanted, so the next one starts them.
   */
  async leave(): Promise<void> {
    this.#state = 'stopping'
    for (const uuid of [...this.#order].reverse()) await this.#stopBound(this.#seat(uuid))
    await this.#stopBound(this.#broker)
    await Promise.all([...this.#seats.values(), this.#broker].map((seat) => seat.release()))
    await this.#close()
  }

  async #end({
    deadlineMs = this.#options.manifest.shutdownMs,
    reason = 'the host is shut down',
    id = randomUUID() as string,
    isResumed = false,
  }): Promise<ShutdownResult> {
    const { place, manifest, events } = this.#options
    this.#state = 'stopping'
    const text = isResumed ? `the shutdown is taken up again: ${reason}` : reason
    events.say('host-stopping', { text, facts: { id, deadlineMs } })
    const shutdown = new Shutdown({ place, id, reason, deadlineMs })
    const result = await shutdown.run({
      seats: this.#order.map((uuid) => this.#seat(uuid)),
      broker: this.#broker,
      isStrict: manifest.strategy !== 'one_for_one',
    })
    await Promise.all([...this.#seats.values(), this.#broker].map((seat) => seat.settled()))
    this.#record.isShutDown = true
    await this.#memory.keep()
    // Not before that: else the next supervisor took what the shutdown stopped for what a person did.
    shutdown.end(result)
    events.say('host-stopped', {
      text: `the host has stopped: ${result.ended.length} apps ended in ${result.ms} ms`,
      facts: { ...result },
    })
    // Whoever asked for the shutdown hears how it went before the door closes.
    setImmediate(() => void this.#close())
    return result
  }

  /** Stops an app whose launcher cannot leave it. */
  async #stopBound(seat: Seat): Promise<void> {
    const why = seat.launcher.lacks?.survival
    if (why === undefined) return
    const { drainMs: deadlineMs } = seat.app.recycle
    seat.dispatch({ type: 'stop', why: `the host leaves: ${why}`, deadlineMs, after: 'wait' })
    await seat.until(() => (seat.hasRuns ? undefined : true))
    await seat.settled()
  }

  async #close(): Promise<void> {
    this.#callers.end()
    await this.#watch.stop()
    await this.#door?.close()
    await this.#memory.end()
    this.#onClosed()
  }

  #onClosed: () => void = () => {}
  /** Resolves when this supervisor has ended, however that came. */
  readonly closed = new Promise<void>((resolve) => {
    this.#onClosed = resolve
  })

  /** Something changed: soon, whoever waited for it is looked at. */
  #plan(): void {
    this.#memory.changed()
    if (this.#isPlanned) return
    this.#isPlanned = true
    queueMicrotask(() => {
      this.#isPlanned = false
      this.#advance()
    })
  }

  /** Starts those whose turn has come. */
  #advance(): void {
    if (this.#state !== 'running') return
    if (this.#broker.life.rest === 'idle') this.#broker.dispatch({ type: 'start' })
    // What needs an app that rests waits for it as long as it does, and so rests with it.
    const isResting = (uuid: string): boolean => {
      const { life, app } = this.#seat(uuid)
      const isOver = life.rest === 'stopped' || life.rest === 'quarantined'
      return life.main === null && (isOver || !life.isWanted || app.dependsOn.some(isResting))
    }
    const standing = (uuid: string) => {
      const { life } = this.#seat(uuid)
      return {
        isServing: life.serving !== null,
        hasRuns: runsOf(life).length > 0,
        isResting: isResting(uuid),
      }
    }
    const isBack = (uuid: string) => standing(uuid).isServing || standing(uuid).isResting
    if (this.#group.every(isBack)) this.#group = []
    // All that were taken along have to have ended before the first of them starts.
    const isEnding = this.#group.some((uuid) =>
      runsOf(this.#seat(uuid).life).some(({ ending }) => ending !== null),
    )
    for (const uuid of this.#order) {
      const seat = this.#seat(uuid)
      seat.fillSpares()
      const { main, rest, isWanted } = seat.life
      if (main !== null || rest !== 'idle' || !isWanted) continue
      const group = this.#group.includes(uuid) ? this.#group : []
      if (group.length > 0 && isEnding) continue
      const wait = waitsFor(seat.app, group, standing)
      if (wait === undefined) seat.dispatch({ type: 'start' })
      else seat.explain(wait)
    }
  }

  /** It is to run, and with it what it needs; or what of that `may`. */
  #want(seat: Seat, may: (needed: Seat) => boolean = () => true): void {
    for (const needed of seat.app.dependsOn) {
      const other = this.#seat(needed)
      if (!other.life.isWanted && may(other)) this.#want(other, may)
    }
    seat.dispatch({ type: 'want' })
  }

  /** A failure of one app ends others, where the strategy says so. */
  #takeAlong(failed: Seat): void {
    if (failed === this.#broker || this.#state === 'stopping') return
    const { strategy } = this.#options.manifest
    const along = takenAlong(strategy, this.#order, failed.uuid)
    if (along.length < 2) return
    const group = new Set([...this.#group, ...along])
    this.#group = this.#order.filter((uuid) => group.has(uuid))
    const why = `${failed.uuid} failed, and the strategy is ${strategy}`
    for (const uuid of [...along].reverse()) {
      const seat = this.#seat(uuid)
      if (seat === failed || seat.life.main === null) continue
      seat.dispatch({ type: 'stop', why, deadlineMs: seat.app.recycle.drainMs, after: 'wait' })
    }
  }

  #seat(uuid: string): Seat {
    const seat = this.#seats.get(uuid)
    if (seat !== undefined) return seat
    const known = [...this.#seats.keys()]
    const message = `there is no app ${uuid}; the manifest has ${known.slice(0, 20).join(', ')}`
    throw hostError('HOST_UNKNOWN_APP', message, { uuid, known })
  }

  async #answer(question: Question, signal?: AbortSignal): Promise<unknown> {
    switch (question.name) {
      case 'status':
        this.#watch.seen()
        return sendable(this.status())
      case 'events':
        return this.#options.events.list(question.argument)
      case 'samples':
        this.#seat(question.argument.uuid)
        this.#watch.seen()
        return this.#watch.history(question.argument.uuid, question.argument.from)
      case 'follow':
        throw hostError('HOST_UNSUPPORTED', 'following needs a connection', {
          what: 'follow',
          reason: 'nothing to tell it to',
        })
      case 'shutdown':
        return this.shutdown(question.argument)
      case 'start':
        return this.#startApp(question.argument.uuid, signal)
      case 'stop':
        return this.#stopApp(question.argument, signal)
      case 'drain':
        return this.#stopApp({ deadlineMs: drainMsMax, ...question.argument }, signal)
      case 'restart':
        return this.#restartApp(question.argument.uuid, signal)
      case 'recycle':
        return this.#recycleApp(question.argument, signal)
      case 'kill':
        return this.#killApp(question.argument.uuid, signal)
      case 'release':
        this.#mayStart()
        this.#seat(question.argument.uuid).dispatch({ type: 'release' })
        return { state: stateOf(this.#seat(question.argument.uuid).life) }
      case 'evaluate':
        return this.#evaluate(question.argument)
      case 'questions':
        return this.#agent().ask('questions', question.argument as Record<string, never>, agentMs)
      case 'answer':
        return this.#agent().ask(
          'answer',
          question.argument as AgentAsks['answer']['argument'],
          agentMs,
        )
    }
  }

  async #startApp(uuid: string, signal?: AbortSignal) {
    this.#mayStart()
    const seat = this.#seat(uuid)
    this.#want(seat)
    return { instance: await seat.serving(undefined, signal) }
  }

  /** Somebody wrote to an app, or asked for it by an intent: that does not undo what a person did. */
  async #startFor(uuid: string, signal?: AbortSignal) {
    const seat = this.#seat(uuid)
    const held = seat.life.serving === null ? this.#heldOf(seat) : undefined
    if (held === undefined) return this.#startApp(uuid, signal)
    const whom = held === seat ? uuid : `${uuid} needs ${held.uuid}, which`
    const message = `${whom} was stopped by a person, and only a person starts it: "pos-kernel host launch ${held.uuid}"`
    throw hostError('HOST_STOPPED', message, { uuid, needed: held.uuid })
  }

  /** What a person stopped: the app, or one that it needs. */
  #heldOf(seat: Seat): Seat | undefined {
    if (seat.life.isHeld) return seat
    for (const needed of seat.app.dependsOn) {
      const held = this.#heldOf(this.#seat(needed))
      if (held !== undefined) return held
    }
    return undefined
  }

  async #stopApp(
    { uuid, deadlineMs }: { readonly uuid: string; readonly deadlineMs?: number | undefined },
    signal?: AbortSignal,
  ) {
    const seat = this.#seat(uuid)
    const why = 'a person stopped it'
    seat.dispatch({
      type: 'stop',
      why,
      deadlineMs: deadlineMs ?? seat.app.recycle.drainMs,
      after: 'rest',
    })
    return this.#ended(seat, signal)
  }

  async #killApp(uuid: string, signal?: AbortSignal) {
    const seat = this.#seat(uuid)
    seat.dispatch({ type: 'kill', why: 'a person killed it' })
    return this.#ended(seat, signal)
  }

  async #ended(seat: Seat, signal?: AbortSignal): Promise<{ reason: string }> {
    await seat.until(() => (seat.hasRuns ? undefined : true), signal)
    return { reason: seat.life.lastEnd?.reason ?? 'stopped' }
  }

  async #restartApp(uuid: string, signal?: AbortSignal) {
    this.#mayStart()
    const seat = this.#seat(uuid)
    const { drainMs: deadlineMs } = seat.app.recycle
    const replaced = seat.replaced('restart', signal)
    if (seat.life.main === null) {
      seat.dispatch({ type: 'release' })
      this.#want(seat)
    } else {
      seat.dispatch({ type: 'stop', why: 'a person restarts it', deadlineMs, after: 'restart' })
    }
    return { instance: await replaced() }
  }

  async #recycleApp(
    {
      uuid,
      why = 'a person asked for it',
    }: { readonly uuid: string; readonly why?: string | undefined },
    signal?: AbortSignal,
  ) {
    this.#mayStart()
    const seat = this.#seat(uuid)
    if (seat.life.serving === null) {
      const state = stateOf(seat.life)
      const message = `${uuid} is ${state}: there is no run of it to recycle; it is started by launch or restart`
      throw hostError('HOST_NOT_SERVING', message, { uuid, state })
    }
    const replaced = seat.replaced('recycle', signal)
    seat.dispatch({ type: 'recycle', why })
    return { instance: await replaced() }
  }

  async #evaluate({ uuid, expression }: { readonly uuid: string; readonly expression: string }) {
    const launched = this.#seat(uuid).main?.launched
    if (launched?.evaluate === undefined) {
      const reason = launched === undefined ? 'it does not run' : 'it is no page'
      throw hostError('HOST_UNSUPPORTED', `${uuid} cannot evaluate: ${reason}`, {
        what: 'evaluate',
        reason,
      })
    }
    return { value: (await launched.evaluate(expression)) ?? null }
  }

  /** The run of the desktop agent that can be asked. */
  #agent(): LiveRun {
    const seat = this.#seats.get(agentUuid)
    if (seat === undefined) {
      const reason = 'no app of the manifest has fdc3'
      throw hostError('HOST_UNSUPPORTED', `there is no desktop agent: ${reason}`, {
        what: 'questions',
        reason,
      })
    }
    const { main } = seat
    if (main?.isConnected) return main
    const message = 'the desktop agent does not run now; it is started again'
    throw hostError('HOST_UNREACHABLE', message, { to: agentAddress })
  }

  #mayStart(): void {
    if (this.#state !== 'stopping') return
    throw hostError('HOST_SHUTTING_DOWN', 'the host is shutting down and starts nothing', {})
  }
}

/** Milliseconds in which the desktop agent answers. */
const agentMs = 5000
/** Milliseconds that an app may drain where nobody says how long. */
const drainMsMax = 600_000

/** The desktop agent is a part of the host on the bus, with the token of its run. */
function onTheBus(identity: BusIdentity): BusIdentity {
  return uuidOf(identity.instance) === agentUuid
    ? { ...identity, instance: agentAddress }
    : identity
}
