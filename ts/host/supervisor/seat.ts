/**
 * One app of the host: carries out what its machine decides, and tells the machine what happens.
 *
 * Invariants: what the machine decided is kept in `instance.json` before it is done; a run is known under its token's
 * hash before its process can come; the end of a run is told to the machine once, and only after its process is gone.
 */
import type { BusIdentity } from '../bus/contract.js'
import { hostError, isHostError } from '../error.js'
import type { ExitRecord } from '../launcher/exit.js'
import type { Launched, Launcher } from '../launcher/launcher.js'
import type { Governor } from '../limits/governor.js'
import type { AppManifest, HostManifest } from '../manifest/manifest.js'
import type { HostPlace } from '../place.js'
import { type EndFacts, isFailure, isFromOutside, reasonOf } from '../report/reason.js'
import { writeReport } from '../report/report.js'
import { Channel, jsonOf } from '../wire/channel.js'
import type { OwnRequests } from './control.js'
import { endFactsOf } from './end.js'
import type { EventLog } from './event-log.js'
import { healthOf } from './health-note.js'
import { hashOf, LiveRun, makeRunFolders, newToken, runFolders } from './live-run.js'
import {
  type AppLife,
  type LifeEffect,
  type LifeEvent,
  newLife,
  nextDeadline,
  type Run,
  runsOf,
  stateOf,
  step,
} from './machine.js'
import { hostProgram } from './program.js'
import {
  type AppMemory,
  closeRun,
  forgetEnded,
  highestNumbers,
  type RunRecord,
  writeRun,
} from './records.js'
import type { AppSample, AppStatus } from './status.js'
import { softMemoryOf, withDelay } from './vigil.js'

/** Milliseconds in which a spare answers that it has become what it was asked to. */
const becomeMs = 5000
/** First wait before a spare that failed is made anew; doubled each time. Milliseconds. */
const spareMsMin = 500
const spareMsMax = 60_000
/** Milliseconds that a launch waits for the broker to know the run; a broker that is away learns of it later. */
const introduceMs = 250

/** An event of a machine without its time and its chance, which are added here. */
type Happening = LifeEvent extends infer Event
  ? Event extends LifeEvent
    ? Omit<Event, 'at' | 'draw'>
    : never
  : never

/** What is known of a run that ended; one that ended while nobody watched has no hold any more. */
type EndedRun = Pick<LiveRun, 'instance' | 'folder' | 'startedAt'> & Partial<Pick<LiveRun, 'hold'>>

/** What a seat has around it. */
export interface House {
  readonly place: HostPlace
  readonly isolation: HostManifest['isolation']
  readonly governor: Governor
  readonly launchers: readonly Launcher[]
  readonly events: EventLog
  /** What was measured of an app lately. */
  samples(uuid: string): readonly AppSample[]
  /** Has the broker know all runs; resolves when it does, or when there is none. */
  introduce(): Promise<void>
  /** Something changed here that others may wait for, and that has to be kept. */
  changed(seat: Seat): void
  /** It failed and will be tried again. */
  failed(seat: Seat): void
}

/** An app. */
export class Seat {
  readonly app: AppManifest
  readonly uuid: string
  life: AppLife
  readonly launcher: Launcher
  readonly #house: House
  /** By the name they run under: the runs of the machine, and spares. */
  readonly #runs = new Map<string, LiveRun>()
  readonly #waiters = new Set<() => boolean>()
  #timer: NodeJS.Timeout | undefined
  #spareNumber: number
  #spareFailures = 0
  #spareTimer: NodeJS.Timeout | undefined
  /** Launches under way, and ends that are being dealt with. */
  readonly #launches = new Set<Promise<void>>()
  readonly #ends = new Set<Promise<void>>()
  #isEnding = false
  #isLeft = false

  constructor(app: AppManifest, house: House, memory: AppMemory | undefined) {
    this.app = app
    this.uuid = app.startup_app.uuid
    this.#house = house
    this.launcher = launcherFor(app, house.launchers)
    const numbers = highestNumbers(house.place, this.uuid)
    const { spare = 0, generation = 0, ...known } = memory ?? {}
    this.#spareNumber = Math.max(spare, numbers.spare)
    const policy = {
      restart: app.restart,
      readyMs: app.health.readyMs,
      drainMs: app.recycle.drainMs,
      // A terminal has one owner, and a page one browser at a time.
      mayOverlap: app.startup_app.kind !== 'terminal' && app.startup_app.url === undefined,
    }
    this.life = newLife(this.uuid, policy, {
      ...known,
      generation: Math.max(generation, numbers.generation),
    })
  }

  /** All runs, spares too. */
  get runs(): Iterable<LiveRun> {
    return this.#runs.values()
  }

  /** The run that counts as the app. */
  get main(): LiveRun | undefined {
    const { main } = this.life
    return main === null ? undefined : this.#runs.get(main.instance)
  }

  /** True while a process of it may exist. */
  get hasRuns(): boolean {
    return runsOf(this.life).length > 0
  }

  /** Tells the machine what happens, and does what it decides. */
  dispatch(happening: Happening): void {
    if (this.#isLeft) return
    const event = { ...happening, at: Date.now(), draw: Math.random() } as LifeEvent
    const { life, effects } = step(this.life, event)
    if (life === this.life && effects.length === 0) {
      // A timer may come a moment before the time of the clock.
      if (event.type === 'tick') this.#arm()
      return
    }
    this.life = life
    this.#keep()
    for (const effect of effects) this.#do(effect)
    this.#arm()
    for (const isDone of [...this.#waiters]) if (isDone()) this.#waiters.delete(isDone)
    this.#house.changed(this)
  }

  /** Waits until `look` gives something else than undefined; it is asked after each event. */
  until<T>(look: () => T | undefined, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const isDone = (): boolean => {
        try {
          const value = look()
          if (value === undefined) return false
          resolve(value)
        } catch (error) {
          reject(error as Error)
        }
        signal?.removeEventListener('abort', onAbort)
        return true
      }
      const onAbort = () => {
        this.#waiters.delete(isDone)
        reject(hostError('HOST_CANCELLED', `nobody waits for ${this.uuid} any more`, {}))
      }
      if (isDone()) return
      this.#waiters.add(isDone)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** The instance that serves, as soon as one does; rejects where the app came to rest instead. */
  serving(other?: string, signal?: AbortSignal): Promise<string> {
    return this.until(() => {
      const { serving, main, rest, why, failures, retryAt } = this.life
      if (serving !== null && serving !== other) return serving
      if (main !== null) return undefined
      if (rest === 'quarantined') {
        const facts = { uuid: this.uuid, failures: failures.recent.length, retryAt }
        throw hostError('HOST_QUARANTINED', `${this.uuid} is quarantined: ${why}`, facts)
      }
      if (rest === 'stopped') {
        const message = `${this.uuid} is stopped: ${why}`
        throw hostError('HOST_FAILED', message, { method: 'start', uuid: this.uuid })
      }
      return undefined
    }, signal)
  }

  /**
   * The run that serves in the place of those that are there now; rejects when a new one ended before it served, or none is
   * to come. To be called before the change is asked for, and to be waited for after it.
   */
  replaced(method: 'restart' | 'recycle', signal?: AbortSignal): () => Promise<string> {
    const { lastEnd: earlier, main, leaving, next } = this.life
    // What is to replace it may be on its way already; a restart ends that too.
    const replaced = [main, ...leaving, method === 'restart' ? next : null]
    const old = new Set(replaced.map((run) => run?.instance))
    const look = () => {
      const { serving, main, rest, why, lastEnd } = this.life
      if (serving !== null && !old.has(serving)) return serving
      const isNews = lastEnd !== null && lastEnd !== earlier
      if (isNews && !old.has(lastEnd.instance))
        throw this.#notReplaced(method, `${lastEnd.instance} ended: ${lastEnd.reason}`)
      if (main === null && rest !== 'idle') throw this.#notReplaced(method, why)
      return undefined
    }
    return () => this.until(look, signal)
  }

  /** How a run ended, or does when it does; of one that nobody remembers, that it had a part in it. */
  endOf(instance: string, signal?: AbortSignal): Promise<OwnRequests['end-of']['answer']> {
    return this.until(() => {
      if (runsOf(this.life).some((run) => run.instance === instance)) return undefined
      return { fromOutside: this.life.fromOutside.includes(instance) }
    }, signal)
  }

  /** The run that shows this token under this name. */
  whoIs(instance: string, token: string): LiveRun | undefined {
    const run = this.#runs.get(instance)
    // Hashes are compared: how long that takes says nothing of the token.
    return run !== undefined && run.tokenHash === hashOf(token) ? run : undefined
  }

  /** Whom the broker may let in. */
  identities(): BusIdentity[] {
    const { publish, subscribe } = this.app.permissions
    const isPage = this.launcher.name === 'chromium'
    return [...this.#runs.values()].map(({ instance, tokenHash, launched }) => ({
      instance,
      tokenHash,
      ...(launched === undefined || isPage ? {} : { pid: launched.process.pid }),
      publish,
      subscribe,
    }))
  }

  /** A run is connected. */
  attached(run: LiveRun, channel: Channel): void {
    run.attach(channel)
    this.#spareFailures = run.isSpare ? 0 : this.#spareFailures
    const known = this.#runOf(run)
    // It was asked to drain while it was away, or by a supervisor that is gone.
    if (known?.phase === 'draining')
      this.#drain(run, 'the supervisor is back', (known.deadline ?? Date.now()) - Date.now())
  }

  /** What an app says. */
  hear(run: LiveRun, name: string, value: unknown): void {
    if (run.isSpare && name !== 'heartbeat') return
    const { instance } = run
    switch (name) {
      case 'ready':
        if (this.#runOf(run)?.phase === 'starting') this.#readyNote(run, value)
        else run.calm.change(() => this.dispatch({ type: 'ready', instance }))
        break
      case 'heartbeat':
        this.#heartbeat(run, value)
        break
      case 'awaits-state':
        this.dispatch({ type: 'awaits-state', instance })
        break
      case 'degraded': {
        const why = String((value as { why?: unknown } | null)?.why ?? '').slice(0, 500)
        run.calm.change(() => this.dispatch({ type: 'degraded', instance, why }))
        break
      }
      case 'fatal':
        run.fatal = value as LiveRun['fatal']
        break
    }
  }

  /** Sees that as many spares wait as are wanted. */
  fillSpares(): void {
    if (this.#isEnding || this.#spareTimer !== undefined || this.launcher.name !== 'node') return
    const isUp = this.life.serving !== null
    const waiting = [...this.#runs.values()].filter(({ isSpare }) => isSpare).length
    if (!isUp || waiting >= this.app.spares) return
    this.#spareNumber += 1
    this.#begin(`${this.uuid}.spare-${this.#spareNumber}`)
    this.fillSpares()
  }

  /** Says for what it waits. */
  explain(why: string): void {
    this.life = { ...this.life, why }
  }

  /** Ends a spare that is of no use. */
  endSpare(spare: LiveRun): void {
    void this.#kill(spare)
  }

  /** Ends spares; none is made any more. */
  async endSpares(): Promise<void> {
    this.#isEnding = true
    clearTimeout(this.#spareTimer)
    const spares = [...this.#runs.values()].filter(({ isSpare }) => isSpare)
    await Promise.all(spares.map((spare) => this.#kill(spare)))
    await Promise.all(spares.map(({ launched }) => launched?.exited))
  }

  /** Resolves when no launch is under way and every end has been dealt with. */
  async settled(): Promise<void> {
    await Promise.all([...this.#launches, ...this.#ends])
  }

  /** Leaves its processes alone and does nothing more. */
  async release(): Promise<void> {
    this.#isEnding = true
    this.#isLeft = true
    clearTimeout(this.#timer)
    clearTimeout(this.#spareTimer)
    // What has begun is written down first, so that it is found.
    await this.settled()
    for (const { launched } of this.#runs.values()) launched?.release()
  }

  /** Takes over runs that a supervisor before this one left: those that live, and those whose end has yet to be told. */
  adopt(
    living: readonly { readonly run: LiveRun; readonly launched: Launched }[],
    ended: readonly RunRecord[],
  ): void {
    let { main, next, leaving, serving } = this.life
    for (const { run, launched } of living) {
      run.launched = launched
      this.#runs.set(run.instance, run)
    }
    const records = [...living.map(({ run }) => run.record), ...ended]
    for (const record of records.filter((known) => known !== undefined).sort(newestFirst)) {
      if (record.role === 'spare') continue
      const known = this.#adopted(record)
      if (record.role === 'main' && main === null) main = known
      else if (record.role === 'next' && next === null) next = known
      else leaving = [...leaving, this.#left(known)]
    }
    if (main === null && next !== null) {
      main = next
      next = null
    }
    if (main?.phase === 'ready' || main?.phase === 'degraded') serving = main.instance
    const rest = main === null ? this.life.rest : 'idle'
    // The wish may be newer than what was remembered of it: nothing runs but what is wanted or about to rest.
    const isWanted = main === null ? this.life.isWanted : main.after !== 'rest'
    const isHeld = main === null ? this.life.isHeld : main.after === 'rest'
    this.life = { ...this.life, main, next, leaving, serving, rest, isWanted, isHeld }
    for (const { run, launched } of living) this.#watch(run, launched)
    this.#keep()
    this.#arm()
  }

  /** What is to be remembered. */
  memory(): AppMemory {
    const {
      generation,
      isWanted,
      isHeld,
      rest,
      why,
      retryAt,
      failures,
      restarts,
      recycles,
      lastEnd,
      fromOutside,
    } = this.life
    return {
      generation,
      spare: this.#spareNumber,
      isWanted,
      isHeld,
      rest,
      why,
      retryAt,
      failures: { ...failures, recent: [...failures.recent] },
      restarts,
      recycles,
      lastEnd,
      fromOutside: [...fromOutside],
    }
  }

  /** How it is. */
  status(): AppStatus {
    const { life, app, main } = this
    const { maxMemory, maxCPU } = app.resourceLimits
    return {
      uuid: this.uuid,
      name: app.startup_app.name,
      kind: app.startup_app.kind,
      launcher: this.launcher.name,
      state: stateOf(life),
      why: life.why,
      instance: life.main?.instance ?? null,
      pid: main?.launched?.process.pid ?? null,
      startedAt: life.main?.startedAt ?? null,
      readyAt: life.main?.readyAt ?? null,
      generation: life.generation,
      restarts: life.restarts,
      retryAt: life.main === null ? life.retryAt : null,
      lastEnd: life.lastEnd,
      recycles: life.recycles,
      spares: [...this.#runs.values()].filter((run) => run.isSpare && run.isConnected).length,
      limits: { memory: maxMemory ?? null, softMemory: softMemoryOf(app), cpu: maxCPU ?? null },
      rings: main?.hold?.rings ?? { memory: 'none', cpu: 'none' },
      missing: main?.hold?.boundaries?.missing ?? [],
      sample: main?.sample ?? null,
      health: main?.health ?? null,
    }
  }

  #notReplaced(method: string, why: string): Error {
    const { serving, lastEnd } = this.life
    const rest = serving === null ? `it is ${stateOf(this.life)}` : `${serving} serves on`
    const message = `${method} of ${this.uuid}: no new run came to serve: ${why}; ${rest}`
    const { instance, reason } = lastEnd ?? { instance: null, reason: null }
    return hostError('HOST_NOT_REPLACED', message, { uuid: this.uuid, instance, reason, serving })
  }

  #readyNote(run: LiveRun, value: unknown): void {
    const { restored, recovery } = (value ?? {}) as { restored?: unknown; recovery?: unknown }
    // It has said something: how long it was silent before it served counts no longer.
    run.silentMs = 0
    this.dispatch({ type: 'ready', instance: run.instance })
    if (typeof restored !== 'string' || restored === 'none') return
    const { uuid } = this
    this.#house.events.say('restored', {
      uuid,
      instance: run.instance,
      text: `${run.instance} began from its ${restored} state`,
      facts: { restored, ...(recovery === undefined ? {} : { recovery }) },
    })
  }

  #heartbeat(run: LiveRun, value: unknown): void {
    run.silentMs = 0
    const health = healthOf(value, this.app.startup_app.terminal)
    if (health === undefined) return
    run.health = health
    run.loopP99 = withDelay(run.loopP99, health)
  }

  #do(effect: LifeEffect): void {
    switch (effect.do) {
      case 'launch':
        this.#launch(effect.instance)
        break
      case 'drain': {
        const run = this.#runs.get(effect.instance)
        if (run !== undefined) this.#drain(run, effect.why, effect.deadlineMs)
        break
      }
      case 'signal': {
        const run = this.#runs.get(effect.instance)
        if (run?.launched === undefined) this.#doom(run)
        else run.launched.signal(effect.signal)
        break
      }
      case 'kill': {
        const run = this.#runs.get(effect.instance)
        if (run !== undefined) void this.#kill(run)
        break
      }
      case 'failed':
        this.#house.failed(this)
        break
      case 'serve':
        void this.#house.introduce()
        break
      case 'say': {
        const { type, instance, text, facts } = effect
        this.#house.events.say(type, { uuid: this.uuid, instance, text, facts })
        break
      }
    }
  }

  #launch(instance: string): void {
    const spare = [...this.#runs.values()].find((run) => run.isSpare && run.isConnected)
    if (spare === undefined) this.#begin(instance)
    else void this.#become(spare, instance)
  }

  #begin(instance: string): void {
    const launch = this.#launchRun(instance).finally(() => this.#launches.delete(launch))
    this.#launches.add(launch)
  }

  /** A new process. */
  async #launchRun(instance: string): Promise<void> {
    const { place, governor, isolation } = this.#house
    const { token, tokenHash } = newToken()
    const run = new LiveRun(instance, instance, tokenHash, Date.now())
    this.#runs.set(instance, run)
    const folders = runFolders(place, this.uuid, run.folder)
    try {
      makeRunFolders(folders, undefined)
      run.hold = await governor.prepare(this.app, run.folder, isolation, this.launcher.lacks)
      makeRunFolders(folders, run.hold.confinement.user)
      this.#keepRun(run)
      await this.#introduced()
      if (run.isDoomed) throw hostError('HOST_CANCELLED', `${instance} is no longer wanted`, {})
      run.launched = await this.launcher.launch({
        app: run.isSpare ? spareOf(this.app) : this.app,
        instance,
        token,
        folders,
        sockets: { control: place.controlSocket, bus: place.busSocket },
        confinement: run.hold.confinement,
      })
    } catch (error) {
      const why = isHostError(error) ? error.message : String(error)
      await this.#gone(run, undefined, why)
      return
    }
    this.#keepRun(run)
    if (this.#isLeft) return
    if (!run.isSpare) {
      const { pid } = run.launched.process
      const text = `${instance} was launched, pid ${pid}`
      this.#house.events.say('launched', { uuid: this.uuid, instance, text, facts: { pid } })
    }
    this.#watch(run, run.launched)
    if (run.isDoomed) await run.launched.kill()
  }

  /** A spare takes over. */
  async #become(spare: LiveRun, instance: string): Promise<void> {
    const { token, tokenHash } = newToken()
    this.#runs.delete(spare.instance)
    this.#runs.set(instance, spare)
    Object.assign(spare, { instance, tokenHash, isSpare: false })
    this.#keepRun(spare)
    const { script = '', args, env } = this.app.startup_app
    try {
      await this.#introduced()
      await spare.ask('become', { instance, token, script, args, env }, becomeMs)
      const pid = spare.launched?.process.pid
      const text = `${instance} was a spare, pid ${pid}`
      this.#house.events.say('launched', {
        uuid: this.uuid,
        instance,
        text,
        facts: { pid, spare: spare.folder },
      })
    } catch {
      // Its end is told to the machine like any other.
      void this.#kill(spare)
    }
    this.fillSpares()
  }

  async #introduced(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, introduceMs)
    })
    await Promise.race([this.#house.introduce(), patience])
    clearTimeout(timer)
  }

  #watch(run: LiveRun, launched: Launched): void {
    const end = launched.exited
      .then((exit) => this.#gone(run, exit))
      .finally(() => this.#ends.delete(end))
    // A process that runs is no work under way.
    void launched.exited.then(() => this.#ends.add(end))
    const { voice } = launched
    if (voice === undefined) return
    // A page speaks through its launcher, and is who it is.
    const channel: Channel = new Channel(voice, {
      onNote: (name, payload) => this.hear(run, name, jsonOf(payload)),
      onEnd: () => run.detach(channel),
    })
    this.attached(run, channel)
  }

  /** A process is gone, or there never was one. */
  async #gone(run: LiveRun, exit: ExitRecord | undefined, why?: string): Promise<void> {
    if (this.#isLeft || run.isGone) return
    run.isGone = true
    const end = exit && (await this.#judge(run, exit))
    if (this.#isLeft) return
    this.#runs.delete(run.instance)
    closeRun(this.#house.place, this.uuid, run.folder)
    const status = this.status()
    if (run.isSpare) this.#spareGone()
    else {
      const { instance } = run
      const { reason = 'not-started', fromOutside = false } = end ?? {}
      const because = why === undefined ? {} : { why }
      this.dispatch({ type: 'ended', instance, reason, fromOutside, ...because })
    }
    run.channel?.finish()
    if (end !== undefined && !run.isSpare && isFailure(end.reason)) {
      await this.keepReport(run, end.facts, status)
    }
    await this.#cleanUp(run)
  }

  /** Why it ended. */
  async #judge(run: LiveRun, exit: ExitRecord) {
    const known = this.#runOf(run)
    const folders = runFolders(this.#house.place, this.uuid, run.folder)
    const facts = await endFactsOf(this.app, folders, exit, known ?? run.record)
    const reason = reasonOf(facts)
    return { facts, reason, fromOutside: isFromOutside(facts, reason) }
  }

  /** Keeps what is known of a failure. */
  async keepReport(run: EndedRun, facts: EndFacts, status: AppStatus | null): Promise<void> {
    const { place, events } = this.#house
    const { uuid } = this
    const { instance, startedAt } = run
    // What it left is read again, all of it: for the reason alone not everything had to be.
    const { evidence: _, ...known } = facts
    try {
      const report = await writeReport(place, {
        ...known,
        instance,
        uuid,
        folders: runFolders(place, uuid, run.folder),
        startedAt,
        status,
        samples: this.#house.samples(uuid),
        events: events.list({ limit: 200 }).filter((event) => event.uuid === uuid),
        counters: { oomKills: (await run.hold?.oomKills()) ?? 0 },
      })
      const text = `${instance}: ${report.sentence}`
      events.say('report', { uuid, instance, text, facts: { reason: report.reason } })
    } catch (error) {
      const text = `the end of ${instance} could not be kept: ${(error as Error).message}`
      events.say('lost', { uuid, instance, text })
    }
  }

  #spareGone(): void {
    if (this.#isEnding || this.#spareTimer !== undefined) return
    const waitMs = Math.min(spareMsMax, spareMsMin * 2 ** this.#spareFailures)
    this.#spareFailures += 1
    this.#spareTimer = setTimeout(() => {
      this.#spareTimer = undefined
      this.fillSpares()
    }, waitMs)
    this.#spareTimer.unref()
  }

  async #cleanUp(run: LiveRun): Promise<void> {
    try {
      await run.hold?.killAll()
      await run.hold?.remove()
      forgetEnded(this.#house.place, this.uuid)
    } catch (error) {
      const text = `something of ${run.folder} could not be removed: ${(error as Error).message}`
      this.#house.events.say('lost', { uuid: this.uuid, instance: run.instance, text })
    }
  }

  async #kill(run: LiveRun): Promise<void> {
    if (run.launched === undefined) {
      this.#doom(run)
      await Promise.all(this.#launches)
    }
    await run.launched?.kill().catch(() => {})
  }

  /** There is no process yet: it is ended when there is one. */
  #doom(run: LiveRun | undefined): void {
    if (run !== undefined) run.isDoomed = true
  }

  #drain(run: LiveRun, why: string, deadlineMs: number): void {
    const { instance } = run
    run
      .ask('drain', { why, deadlineMs: Math.max(0, deadlineMs) }, Math.max(1, deadlineMs))
      .then(() => this.dispatch({ type: 'drained', instance }))
      .catch((error: unknown) => {
        // An app that does not know of draining is asked as any process is; who is away is asked again.
        if (isHostError(error, 'HOST_NO_METHOD')) run.launched?.signal('SIGTERM')
      })
  }

  #runOf(run: LiveRun): Run | undefined {
    return runsOf(this.life).find(({ instance }) => instance === run.instance)
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const due = nextDeadline(this.life)
    if (due === null) return
    const waitMs = Math.min(Math.max(0, due - Date.now()), 2 ** 31 - 1)
    this.#timer = setTimeout(() => this.dispatch({ type: 'tick' }), waitMs)
  }

  #adopted(record: RunRecord): Run {
    const { instance, phase, startedAt, readyAt, ending, process } = record
    // What never had a process says nothing of the app.
    const after = record.after ?? (process === undefined ? 'wait' : null)
    const isSettled = phase === 'ready' || phase === 'degraded'
    const patienceMs = phase === 'draining' ? this.app.recycle.drainMs : this.app.health.readyMs
    const deadline = isSettled ? null : Date.now() + patienceMs
    return {
      instance,
      phase,
      deadline,
      startedAt,
      readyAt,
      ending,
      after,
      hasDrained: false,
      awaitsState: false,
    }
  }

  /** A run that another one has replaced, whose supervisor did not live to have it drain. */
  #left(run: Run): Run {
    if (run.ending !== null) return run
    const deadline = Date.now() + this.app.recycle.drainMs
    return { ...run, phase: 'draining', ending: 'recycle', deadline }
  }

  /** Keeps what changed of runs that are kept. */
  #keep(): void {
    for (const run of this.#runs.values()) if (run.record !== undefined) this.#keepRun(run)
  }

  #keepRun(run: LiveRun): void {
    const record = this.#recordOf(run)
    if (JSON.stringify(record) === JSON.stringify(run.record)) return
    const { place, events } = this.#house
    try {
      writeRun(place, this.uuid, run.folder, record)
      run.record = record
    } catch (error) {
      // A full disk costs what the next supervisor would know, not the app; the next change tries again.
      const text = `instance.json of ${run.instance} was not written: ${(error as Error).message}`
      events.say('lost', { uuid: this.uuid, instance: run.instance, text })
    }
  }

  #recordOf(run: LiveRun): RunRecord {
    const { main, next } = this.life
    const known = this.#runOf(run)
    const { user, groups = [] } = run.hold?.confinement ?? {}
    const role =
      known === undefined ? 'spare' : known === main ? 'main' : known === next ? 'next' : 'leaving'
    return {
      version: 1,
      instance: run.instance,
      role,
      launcher: this.launcher.name,
      tokenHash: run.tokenHash,
      ...(run.launched === undefined ? {} : { process: { ...run.launched.process } }),
      ...(user === undefined ? {} : { user }),
      groups: [...groups],
      startedAt: run.startedAt,
      readyAt: known?.readyAt ?? null,
      phase: known?.phase ?? 'starting',
      ending: known?.ending ?? null,
      after: known?.after ?? null,
    }
  }
}

/** By the number of the run. */
function newestFirst(a: RunRecord, b: RunRecord): number {
  const number = ({ instance }: RunRecord) => Number(instance.slice(instance.lastIndexOf('.') + 1))
  return number(b) - number(a)
}

/** The same app, waiting to be told which run it is. */
function spareOf(app: AppManifest): AppManifest {
  const { script, nodeArgs } = hostProgram('app', 'spare')
  const { startup_app: startup } = app
  const args = [...startup.nodeArgs, ...nodeArgs]
  return { ...app, startup_app: { ...startup, script, nodeArgs: args, args: [] } }
}

function launcherFor(app: AppManifest, launchers: readonly Launcher[]): Launcher {
  const launcher = launchers.find((each) => each.takes(app))
  if (launcher !== undefined) return launcher
  const { uuid, url } = app.startup_app
  const what = url === undefined ? 'programs' : 'pages'
  const message = `no launcher of this host starts ${what}, and ${uuid} is one; give startHost one that does`
  throw hostError('HOST_UNSUPPORTED', message, { what: uuid, reason: 'no launcher' })
}
