/**
 * The life of one app: events in, effects out. There is no clock here, no chance and no process; each event brings
 * the time and what was drawn, and whoever asks carries the effects out.
 *
 * ```text
 *          start            ready            stop, recycle      deadline         deadline
 *   idle ---------> starting ------> ready -------------> draining ----> stopping ------> killed
 *    ^                  |            <-> degraded             |              |              |
 *    |                  +----------------- ended -------------+--------------+--------------+
 *    |                                       |
 *    +-- retryAt -- backoff <-- failed ------+------ too often --> quarantined -- retryAt, or a person --> idle
 *                                            +------ stopped: by a person, by itself, by its restart type
 * ```
 *
 * A run is a process. `main` is the app; `next` is its replacement, which starts while `main` still serves; those
 * that were replaced are `leaving`. An app that may not overlap, as a terminal, has never more than one run. At most
 * one run serves: `serving` moves from the old to the new in one step.
 *
 * A replacement that needs the app's state cannot have it while `main` runs. It says so, and `main` drains before the
 * replacement is ready; its time to become ready begins anew when it is alone.
 */
import type { AppManifest } from '../manifest/manifest.js'
import { instanceName } from '../place.js'
import { type EndReason, isFailure } from '../report/reason.js'
import { type Failures, judge, noFailures } from './backoff.js'
import type { AppState, HostEvent } from './status.js'

/** Milliseconds from SIGTERM to the kill of the whole tree. */
export const termMs = 2000
/** Milliseconds for the runtime to write what it was doing, before a hung app is killed. */
export const dumpMs = 300
/** Milliseconds after which a kill that did not show is tried again. */
const killAgainMs = 5000
/** Runs that were ended from outside and are remembered: who asks for one has come soon after it. */
const fromOutsideKept = 8

/** Why a run is being ended; null when it is not. */
export type Ending = 'stop' | 'kill' | 'hang' | 'not-ready' | 'recycle'

/** One process in the life of an app. */
export interface Run {
  readonly instance: string
  readonly phase: 'starting' | 'ready' | 'degraded' | 'draining' | 'stopping' | 'killing'
  /** When something has to be done about it, if nothing happens before. */
  readonly deadline: number | null
  readonly startedAt: number
  readonly readyAt: number | null
  readonly ending: Ending | null
  /** What becomes of the app when this run ends; null: what its restart type says. */
  readonly after: 'rest' | 'wait' | 'restart' | null
  /** It answered that it has drained. */
  readonly hasDrained: boolean
  /** It starts, and waits for the state that another run has. */
  readonly awaitsState: boolean
}

/** What the machine has to know of a manifest. */
export interface LifePolicy {
  readonly restart: AppManifest['restart']
  readonly readyMs: number
  readonly drainMs: number
  /** A replacement may start before the old run has ended. */
  readonly mayOverlap: boolean
}

/** An app's life up to now. */
export interface AppLife {
  readonly uuid: string
  readonly policy: LifePolicy
  /** It is to run, at once or when its turn comes. */
  readonly isWanted: boolean
  /** A person stopped it, and no person has started it since: a message for it does not. */
  readonly isHeld: boolean
  /** Where it is while there is no run. */
  readonly rest: 'idle' | 'stopped' | 'backoff' | 'quarantined'
  /** Why it is where it is, as a sentence; empty when there is nothing to say. */
  readonly why: string
  /** Number of the last run. */
  readonly generation: number
  readonly main: Run | null
  readonly next: Run | null
  readonly leaving: readonly Run[]
  /** The run that others find under the app's name. */
  readonly serving: string | null
  readonly retryAt: number | null
  readonly failures: Failures
  readonly restarts: number
  readonly recycles: number
  /** No recycling by itself before this time: it has just been done, or its replacement has failed. */
  readonly recycleAfter: number
  readonly lastEnd: {
    readonly reason: EndReason
    readonly at: number
    readonly instance: string
  } | null
  /** Runs that were ended from outside, the newest last: what they did had no part in it. */
  readonly fromOutside: readonly string[]
}

/** What happens to an app. */
export type LifeEvent = { readonly at: number } & (
  | { readonly type: 'want' }
  /** Its turn has come: what it needs is ready. */
  | { readonly type: 'start' }
  | { readonly type: 'ready'; readonly instance: string }
  | { readonly type: 'degraded'; readonly instance: string; readonly why: string }
  | { readonly type: 'drained'; readonly instance: string }
  /** A run that starts needs the state that another one has. */
  | { readonly type: 'awaits-state'; readonly instance: string }
  | {
      readonly type: 'ended'
      readonly instance: string
      readonly reason: EndReason
      /** It had no part in its end; false unless said. */
      readonly fromOutside?: boolean
      readonly draw: number
      readonly why?: string
    }
  | {
      readonly type: 'stop'
      readonly why: string
      readonly deadlineMs: number
      readonly after: 'rest' | 'wait' | 'restart'
    }
  | { readonly type: 'kill'; readonly why: string }
  | { readonly type: 'recycle'; readonly why: string }
  | { readonly type: 'hang'; readonly instance: string }
  | { readonly type: 'release' }
  | { readonly type: 'tick' }
)

/** What is to be done. */
export type LifeEffect =
  | { readonly do: 'launch'; readonly instance: string }
  /** From now on this run is found under the app's name, or nobody. */
  | { readonly do: 'serve'; readonly instance: string | null }
  | {
      readonly do: 'drain'
      readonly instance: string
      readonly why: string
      readonly deadlineMs: number
    }
  | { readonly do: 'signal'; readonly instance: string; readonly signal: 'SIGTERM' | 'SIGUSR2' }
  | { readonly do: 'kill'; readonly instance: string }
  /** The app failed and will be tried again: its strategy says what that means for others. */
  | { readonly do: 'failed' }
  | {
      readonly do: 'say'
      readonly type: HostEvent['type']
      readonly instance: string | null
      readonly text: string
      readonly facts: Readonly<Record<string, unknown>>
    }

/** A life after an event, and what is to be done. */
export interface Step {
  readonly life: AppLife
  readonly effects: readonly LifeEffect[]
}

/** An app that has not run yet, or what is remembered of it. */
export function newLife(uuid: string, policy: LifePolicy, known: Partial<AppLife> = {}): AppLife {
  return {
    uuid,
    policy,
    isWanted: false,
    isHeld: false,
    rest: 'idle',
    why: '',
    generation: 0,
    main: null,
    next: null,
    leaving: [],
    serving: null,
    retryAt: null,
    failures: noFailures,
    restarts: 0,
    recycles: 0,
    recycleAfter: 0,
    lastEnd: null,
    fromOutside: [],
    ...known,
  }
}

/** The state that an app shows. */
export function stateOf({ main, rest }: AppLife): AppState {
  if (main === null) return rest
  return main.phase === 'killing' ? 'stopping' : main.phase
}

/** True while a run of the app does its work. */
export function isServing({ serving }: AppLife): boolean {
  return serving !== null
}

/** Every run of an app. */
export function runsOf({ main, next, leaving }: AppLife): readonly Run[] {
  return [main, next, ...leaving].filter((run) => run !== null)
}

/** When a `tick` is due, or null when only an event from outside can change anything. */
export function nextDeadline(life: AppLife): number | null {
  const deadlines = runsOf(life).map((run) => run.deadline)
  if (life.main === null) deadlines.push(life.retryAt)
  const due = deadlines.filter((deadline) => deadline !== null)
  return due.length === 0 ? null : Math.min(...due)
}

/** What an event makes of a life. */
export function step(life: AppLife, event: LifeEvent): Step {
  const work = new Work(life, event.at)
  switch (event.type) {
    case 'want':
      work.want()
      break
    case 'start':
      work.start()
      break
    case 'ready':
      work.ready(event.instance)
      break
    case 'degraded':
      work.degraded(event.instance, event.why)
      break
    case 'drained':
      work.change(event.instance, () => ({ hasDrained: true }))
      break
    case 'awaits-state':
      work.awaitsState(event.instance)
      break
    case 'ended':
      work.ended(event)
      work.giveState()
      break
    case 'stop':
      work.stop(event)
      break
    case 'kill':
      work.kill(event.why)
      break
    case 'recycle':
      work.recycle(event.why)
      break
    case 'hang':
      work.hang(event.instance)
      break
    case 'release':
      work.release()
      break
    case 'tick':
      work.tick()
      break
  }
  return { life: work.life, effects: work.effects }
}

/** One step under way. */
class Work {
  life: AppLife
  readonly effects: LifeEffect[] = []
  readonly #at: number

  constructor(life: AppLife, at: number) {
    this.life = life
    this.#at = at
  }

  want(): void {
    const { main, rest } = this.life
    this.#set({ isWanted: true, isHeld: false, rest: rest === 'stopped' ? 'idle' : rest })
    if (main?.after === 'rest') this.change(main.instance, () => ({ after: 'wait' }))
  }

  start(): void {
    const { isWanted, rest, main, leaving, policy } = this.life
    if (!isWanted || rest !== 'idle' || main !== null) return
    if (!policy.mayOverlap && leaving.length > 0) return
    this.#set({ main: this.#launch(), why: '' })
  }

  ready(instance: string): void {
    const run = this.#find(instance)
    if (run === undefined || (run.phase !== 'starting' && run.phase !== 'degraded')) return
    const wasStarting = run.phase === 'starting'
    this.change(instance, () => ({
      phase: 'ready',
      deadline: null,
      readyAt: run.readyAt ?? this.#at,
    }))
    this.#say(wasStarting ? 'ready' : 'recovered', instance, `${instance} is ready`, {
      ms: this.#at - run.startedAt,
    })
    if (this.life.next?.instance === instance) this.#handOver()
    else if (this.life.main?.instance === instance) {
      this.#set({ why: '' })
      this.#serve(instance)
    }
  }

  degraded(instance: string, why: string): void {
    const run = this.#find(instance)
    if (run?.phase !== 'ready') return
    this.change(instance, () => ({ phase: 'degraded' }))
    if (this.life.main?.instance === instance) this.#set({ why })
    this.#say('degraded', instance, `${instance} is degraded: ${why}`, { why })
  }

  /** Whoever has the state saves it and ends; the run that waits has the time that this takes. */
  awaitsState(instance: string): void {
    const run = this.#find(instance)
    const { main, next, policy } = this.life
    if (run?.phase !== 'starting' || runsOf(this.life).length === 1) return
    this.change(instance, () => ({ awaitsState: true }))
    if (next?.instance !== instance || main === null) return
    if (main.phase !== 'ready' && main.phase !== 'degraded') return
    // Where the replacement fails, another one goes on from what is saved now.
    this.change(main.instance, () => ({ after: 'restart' }))
    this.#drain(main, 'recycle', `${instance} waits for its state`, policy.drainMs)
  }

  /** The last of the other runs has ended: the state is there. */
  giveState(): void {
    const [run, other] = runsOf(this.life)
    if (run === undefined || other !== undefined || !run.awaitsState) return
    const deadline = this.#at + this.life.policy.readyMs
    this.change(run.instance, ({ phase }) =>
      phase === 'starting' ? { awaitsState: false, deadline } : { awaitsState: false },
    )
  }

  stop({ why, deadlineMs, after }: Extract<LifeEvent, { type: 'stop' }>): void {
    const { main, next, rest } = this.life
    // A failure of another app does not bring back what a person stopped.
    const isOverruled = after === 'wait' && main?.after === 'rest'
    if (next !== null) {
      this.#terminate(next, 'stop')
      // A supervisor that takes over may find it alone.
      if (!isOverruled) this.change(next.instance, () => ({ after }))
    }
    if (after === 'rest') this.#set({ isWanted: false, isHeld: true })
    if (after === 'restart') this.#set({ isWanted: true, isHeld: false })
    if (main === null) {
      if (after === 'rest') this.#set({ rest: 'stopped', why, retryAt: null })
      else if (after === 'restart' && rest !== 'quarantined')
        this.#set({ rest: 'idle', why: '', retryAt: null })
      return
    }
    this.#set({ why })
    if (!isOverruled) this.change(main.instance, () => ({ after }))
    if (main.phase === 'starting') this.#terminate(main, 'stop')
    else if (main.phase === 'draining') {
      const deadline = Math.min(main.deadline ?? Number.POSITIVE_INFINITY, this.#at + deadlineMs)
      this.change(main.instance, () => ({ deadline }))
    } else if (main.phase === 'ready' || main.phase === 'degraded') {
      this.#drain(main, 'stop', why, deadlineMs)
    }
  }

  kill(why: string): void {
    this.#set({ isWanted: false, isHeld: true, why })
    for (const run of runsOf(this.life)) {
      this.change(run.instance, () => ({ after: 'rest' }))
      this.#kill(run, run.ending === 'hang' ? 'hang' : 'kill')
    }
    if (this.life.main === null) this.#set({ rest: 'stopped', retryAt: null })
  }

  recycle(why: string): void {
    const { main, next, policy, recycles } = this.life
    if (main === null || next !== null) return
    if (main.phase !== 'ready' && main.phase !== 'degraded') return
    this.#set({ recycles: recycles + 1, recycleAfter: this.#at + policy.restart.periodMs })
    this.#say('recycling', main.instance, `${main.instance} is recycled: ${why}`, { why })
    if (policy.mayOverlap) {
      this.#set({ next: this.#launch() })
      return
    }
    this.change(main.instance, () => ({ after: 'restart' }))
    this.#drain(main, 'recycle', why, policy.drainMs)
  }

  hang(instance: string): void {
    const run = this.#find(instance)
    if (run === undefined || run.phase === 'stopping' || run.phase === 'killing') return
    this.#unserve(instance)
    const deadline = this.#at + dumpMs
    this.change(instance, () => ({ phase: 'stopping', ending: 'hang', deadline }))
    this.effects.push({ do: 'signal', instance, signal: 'SIGUSR2' })
    this.#say('hang', instance, `the event loop of ${instance} stands; it is ended`, {})
  }

  release(): void {
    const { rest } = this.life
    this.#set({ failures: noFailures })
    if (rest !== 'quarantined' && rest !== 'backoff') return
    this.#set({ rest: 'idle', isWanted: true, isHeld: false, retryAt: null, why: '' })
    this.#say('released', null, `${this.life.uuid} is released and tried again`, {})
  }

  tick(): void {
    const { main, rest, retryAt, failures } = this.life
    if (main === null && retryAt !== null && retryAt <= this.#at) {
      const isOnTrial = failures.isOnTrial || rest === 'quarantined'
      this.#set({ rest: 'idle', retryAt: null, failures: { ...failures, isOnTrial } })
    }
    for (const run of runsOf(this.life)) {
      if (run.deadline === null || run.deadline > this.#at) continue
      if (run.awaitsState && run.phase === 'starting') {
        const deadline = this.#at + this.life.policy.readyMs
        this.change(run.instance, () => ({ deadline }))
      } else if (run.phase === 'starting') this.#kill(run, 'not-ready')
      else if (run.phase === 'draining') this.#terminate(run, run.ending ?? 'stop')
      else this.#kill(run, run.ending ?? 'kill')
    }
  }

  ended(event: Extract<LifeEvent, { type: 'ended' }>): void {
    const { instance, reason, draw, why, fromOutside = false } = event
    const run = this.#find(instance)
    if (run === undefined) return
    this.#unserve(instance)
    if (fromOutside)
      this.#set({ fromOutside: [...this.life.fromOutside, instance].slice(-fromOutsideKept) })
    this.#set({ lastEnd: { reason, at: this.#at, instance } })
    const text = why === undefined ? `${instance} ended: ${reason}` : `${instance} ended: ${why}`
    this.#say('ended', instance, text, { reason, ms: this.#at - run.startedAt })
    const { main, next, leaving, policy } = this.life
    if (next?.instance === instance) {
      this.#set({ next: null, recycleAfter: this.#at + policy.restart.periodMs })
      return
    }
    if (main?.instance !== instance) {
      this.#set({ leaving: leaving.filter((other) => other.instance !== instance) })
      return
    }
    this.#set({ main: null })
    if (run.after === 'rest') this.#set({ rest: 'stopped' })
    else if (run.after === 'wait') this.#set({ rest: 'idle' })
    else if (next !== null) {
      // What was to replace it is on its way already.
      // Where a person restarts the app, the replacement was ended with it.
      const after = next.ending === 'stop' ? run.after : next.after
      this.#set({ main: { ...next, after }, next: null })
    } else if (run.after === 'restart') {
      this.#set({ rest: 'idle' })
      this.start()
    } else this.#ownEnd(run, reason, draw, why ?? reason)
  }

  /** It ended without being asked. */
  #ownEnd(run: Run, reason: EndReason, draw: number, how: string): void {
    const { restart } = this.life.policy
    const { type } = restart
    if (type === 'temporary' || (type === 'transient' && !isFailure(reason))) {
      const why = `${run.instance} ended (${reason}) and is ${type}`
      this.#set({ isWanted: false, rest: 'stopped', why })
      return
    }
    const healthyMs = run.readyAt === null ? 0 : this.#at - run.readyAt
    const verdict = judge(restart, this.life.failures, { at: this.#at, healthyMs, draw })
    const { failures } = verdict
    if (verdict.isQuarantined) {
      const retryAt = this.#at + restart.quarantineMs
      const isTooOften = failures.recent.length >= restart.intensity
      const what = isTooOften
        ? `${failures.recent.length} ends within ${restart.periodMs} ms, the last one: ${how}`
        : `it was tried again out of quarantine and ended: ${how}`
      const when = new Date(retryAt).toISOString()
      const why = `${what}; tried again at ${when}, or when a person releases it`
      this.#set({ rest: 'quarantined', failures, retryAt, why })
      this.#say('quarantined', run.instance, `${this.life.uuid} is quarantined: ${why}`, {
        reason,
        failures: failures.recent.length,
        retryAt,
      })
      return
    }
    const { delayMs } = verdict
    const retryAt = delayMs === 0 ? null : this.#at + delayMs
    this.#set({
      rest: retryAt === null ? 'idle' : 'backoff',
      failures,
      retryAt,
      restarts: this.life.restarts + 1,
      why: `${run.instance} ended: ${reason}`,
    })
    this.#say('restarting', run.instance, `${this.life.uuid} is started again in ${delayMs} ms`, {
      reason,
      delayMs,
    })
    this.effects.push({ do: 'failed' })
  }

  /** The replacement serves from here on, and the old run may finish. */
  #handOver(): void {
    const { main, next, leaving, policy } = this.life
    if (next === null) return
    this.#set({ main: next, next: null, why: '' })
    if (main !== null) this.#set({ leaving: [...leaving, main] })
    this.#serve(next.instance)
    if (main?.phase === 'ready' || main?.phase === 'degraded')
      this.#drain(main, 'recycle', 'replaced', policy.drainMs)
  }

  #launch(): Run {
    const generation = this.life.generation + 1
    const instance = instanceName(this.life.uuid, generation)
    this.#set({ generation })
    this.effects.push({ do: 'launch', instance })
    return {
      instance,
      phase: 'starting',
      deadline: this.#at + this.life.policy.readyMs,
      startedAt: this.#at,
      readyAt: null,
      ending: null,
      after: null,
      hasDrained: false,
      awaitsState: false,
    }
  }

  #drain({ instance }: Run, ending: Ending, why: string, deadlineMs: number): void {
    this.#unserve(instance)
    const deadline = this.#at + deadlineMs
    this.change(instance, () => ({ phase: 'draining', ending, deadline }))
    this.effects.push({ do: 'drain', instance, why, deadlineMs })
    this.#say('draining', instance, `${instance} drains: ${why}`, { why, deadlineMs })
  }

  #terminate({ instance, phase }: Run, ending: Ending): void {
    if (phase === 'stopping' || phase === 'killing') return
    this.#unserve(instance)
    this.change(instance, () => ({ phase: 'stopping', ending, deadline: this.#at + termMs }))
    this.effects.push({ do: 'signal', instance, signal: 'SIGTERM' })
  }

  #kill({ instance }: Run, ending: Ending): void {
    this.#unserve(instance)
    this.change(instance, () => ({ phase: 'killing', ending, deadline: this.#at + killAgainMs }))
    this.effects.push({ do: 'kill', instance })
  }

  #serve(instance: string): void {
    if (this.life.serving === instance) return
    this.#set({ serving: instance })
    this.effects.push({ do: 'serve', instance })
  }

  #unserve(instance: string): void {
    if (this.life.serving !== instance) return
    this.#set({ serving: null })
    this.effects.push({ do: 'serve', instance: null })
  }

  #find(instance: string): Run | undefined {
    return runsOf(this.life).find((run) => run.instance === instance)
  }

  #set(changes: Partial<AppLife>): void {
    this.life = { ...this.life, ...changes }
  }

  /** Changes a run, wherever it stands. */
  change(instance: string, changes: (run: Run) => Partial<Run>): void {
    const changed = (run: Run): Run =>
      run.instance === instance ? { ...run, ...changes(run) } : run
    const { main, next, leaving } = this.life
    this.#set({
      main: main && changed(main),
      next: next && changed(next),
      leaving: leaving.map(changed),
    })
  }

  #say(
    type: HostEvent['type'],
    instance: string | null,
    text: string,
    facts: Readonly<Record<string, unknown>>,
  ): void {
    this.effects.push({ do: 'say', type, instance, text, facts })
  }
}
