import test from 'ava'
import fc from 'fast-check'
import { parseManifest } from '../../../ts/host/manifest/manifest.js'
import type { EndReason } from '../../../ts/host/report/reason.js'
import { boundMs, forgetMs, judge, noFailures } from '../../../ts/host/supervisor/backoff.js'
import {
  type AppLife,
  dumpMs,
  type LifeEffect,
  type LifeEvent,
  newLife,
  nextDeadline,
  runsOf,
  stateOf,
  step,
  termMs,
} from '../../../ts/host/supervisor/machine.js'

const app = { startup_app: { uuid: 'a', name: 'A', script: 'a.mjs' } }

function restartOf(restart: Record<string, unknown> = {}) {
  const [parsed] = parseManifest({ apps: [{ ...app, restart }] }, '/').apps
  if (parsed === undefined) throw new Error('no app')
  return parsed.restart
}

/** A life that is driven by hand: its runs exist from `launch` to `end`. */
class Played {
  life: AppLife
  at = 1_000_000
  draw = 0.5
  alive: string[] = []
  readonly seen: LifeEffect[] = []
  readonly names = new Set<string>()

  constructor(restart: Record<string, unknown> = {}, mayOverlap = true) {
    const policy = { restart: restartOf(restart), readyMs: 5000, drainMs: 1000, mayOverlap }
    this.life = newLife('a', policy)
  }

  do(event: Record<string, unknown> & { type: LifeEvent['type'] }): LifeEffect[] {
    const result = step(this.life, { at: this.at, draw: this.draw, ...event } as LifeEvent)
    this.life = result.life
    for (const effect of result.effects) {
      if (effect.do !== 'launch') continue
      if (this.names.has(effect.instance)) throw new Error(`${effect.instance} is used twice`)
      this.names.add(effect.instance)
      this.alive.push(effect.instance)
    }
    this.seen.push(...result.effects)
    return [...result.effects]
  }

  /** Starts it and has it ready. */
  up(): string {
    this.do({ type: 'want' })
    this.do({ type: 'start' })
    const instance = this.life.main?.instance ?? ''
    this.do({ type: 'ready', instance })
    return instance
  }

  end(instance: string, reason: EndReason): LifeEffect[] {
    this.alive = this.alive.filter((other) => other !== instance)
    return this.do({ type: 'ended', instance, reason })
  }

  /** Lets time pass until the next deadline, and says so. */
  pass(): LifeEffect[] {
    const due = nextDeadline(this.life)
    if (due === null) return []
    this.at = Math.max(this.at, due)
    return this.do({ type: 'tick' })
  }
}

test('an app starts, serves, and is started again at once after its first failure', (t) => {
  const played = new Played()
  const first = played.up()
  t.is(stateOf(played.life), 'ready')
  t.is(played.life.serving, first)
  const effects = played.end(first, 'signal')
  t.deepEqual(
    effects.filter(({ do: what }) => what !== 'say'),
    [{ do: 'serve', instance: null }, { do: 'failed' }],
  )
  t.is(stateOf(played.life), 'idle')
  played.do({ type: 'start' })
  t.is(played.life.main?.instance, 'a.2')
})

test('the second failure in a row waits, and the fifth in a minute is quarantined', (t) => {
  const played = new Played()
  const delays: (number | null)[] = []
  for (let count = 1; count <= 5; count += 1) {
    played.end(played.up(), 'exception')
    delays.push(played.life.retryAt === null ? null : played.life.retryAt - played.at)
    if (count < 5) played.pass()
  }
  t.deepEqual(delays, [null, 50, 100, 200, 300_000])
  t.is(stateOf(played.life), 'quarantined')
  t.regex(played.life.why, /5 ends within 60000 ms, the last one: exception/)
  // Nothing starts it before its time, or a person.
  t.deepEqual(played.do({ type: 'want' }), [])
  t.deepEqual(played.do({ type: 'start' }), [])
  played.pass()
  played.end(played.up(), 'exception')
  t.is(stateOf(played.life), 'quarantined', 'one failure on trial is enough')
  const when = new Date(played.at + 300_000).toISOString()
  const why = `it was tried again out of quarantine and ended: exception; tried again at ${when}, or when a person releases it`
  t.is(played.life.why, why)
  played.do({ type: 'release' })
  t.is(stateOf(played.life), 'idle')
  played.end(played.up(), 'exception')
  t.is(stateOf(played.life), 'idle', 'nothing is held against it')
})

test('failures are forgotten after max(60 s, 10 x last delay) of health', (t) => {
  const restart = restartOf({ backoffMs: 10_000, intensity: 100 })
  const fail = (failures: typeof noFailures, at: number, healthyMs: number) =>
    judge(restart, failures, { at, healthyMs, draw: 0.999 }).failures
  let failures = fail(noFailures, 0, 0)
  t.is(forgetMs(failures), 60_000)
  failures = fail(failures, 1, 59_999)
  t.is(failures.inARow, 2)
  t.is(failures.lastDelayMs, 9990)
  t.is(forgetMs(failures), 99_900)
  t.is(fail(failures, 2, 99_899).inARow, 3)
  t.is(fail(failures, 2, 99_900).inARow, 1)
})

test('delays are drawn from 0 to a bound that doubles up to its cap', (t) => {
  const restart = restartOf({ intensity: 1000 })
  t.deepEqual(
    [1, 2, 3, 4, 10, 11, 50].map((count) => boundMs(restart, count)),
    [0, 100, 200, 400, 25_600, 30_000, 30_000],
  )
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999_999, noNaN: true }), fc.nat(200), (draw, count) => {
      const before = { ...noFailures, inARow: count }
      const verdict = judge(restart, before, { at: 0, healthyMs: 0, draw })
      if (verdict.isQuarantined) return false
      return verdict.delayMs >= 0 && verdict.delayMs <= boundMs(restart, count + 1)
    }),
  )
})

for (const [type, reason, state] of [
  ['permanent', 'finished', 'idle'],
  ['permanent', 'exception', 'idle'],
  ['transient', 'finished', 'stopped'],
  ['transient', 'oom', 'idle'],
  ['temporary', 'finished', 'stopped'],
  ['temporary', 'hang', 'stopped'],
] as const) {
  test(`${type}: after "${reason}" the app is ${state}`, (t) => {
    const played = new Played({ type })
    played.end(played.up(), reason)
    t.is(stateOf(played.life), state)
  })
}

test('a stop drains, then asks, then kills, each at its deadline', (t) => {
  const played = new Played()
  const instance = played.up()
  const told = (effects: LifeEffect[]) => effects.filter(({ do: what }) => what !== 'say')
  t.deepEqual(told(played.do({ type: 'stop', why: 'closing', deadlineMs: 700, after: 'rest' })), [
    { do: 'serve', instance: null },
    { do: 'drain', instance, why: 'closing', deadlineMs: 700 },
  ])
  const began = played.at
  t.deepEqual(told(played.pass()), [{ do: 'signal', instance, signal: 'SIGTERM' }])
  t.is(played.at - began, 700)
  t.deepEqual(told(played.pass()), [{ do: 'kill', instance }])
  t.is(played.at - began, 700 + termMs)
  played.end(instance, 'killed')
  t.is(stateOf(played.life), 'stopped')
  t.is(nextDeadline(played.life), null)
})

test('an app that does not become ready is killed and counts as failed', (t) => {
  const played = new Played()
  played.do({ type: 'want' })
  played.do({ type: 'start' })
  const effects = played.pass()
  t.deepEqual(effects, [{ do: 'kill', instance: 'a.1' }])
  t.is(played.life.main?.ending, 'not-ready')
  played.end('a.1', 'not-ready')
  t.is(played.life.failures.inARow, 1)
})

test('a hung app is asked what it does, then killed, then started again', (t) => {
  const played = new Played()
  const instance = played.up()
  const effects = played.do({ type: 'hang', instance })
  t.true(effects.some((effect) => effect.do === 'signal' && effect.signal === 'SIGUSR2'))
  t.is(played.life.serving, null)
  t.is((nextDeadline(played.life) ?? 0) - played.at, dumpMs)
  t.deepEqual(played.pass(), [{ do: 'kill', instance }])
  played.end(instance, 'hang')
  t.is(stateOf(played.life), 'idle')
  t.true(played.life.isWanted)
})

test('a recycled app serves until its replacement is ready', (t) => {
  const played = new Played()
  const old = played.up()
  played.do({ type: 'recycle', why: 'age' })
  t.is(played.life.serving, old)
  t.deepEqual(played.alive, ['a.1', 'a.2'])
  played.do({ type: 'ready', instance: 'a.2' })
  t.is(played.life.serving, 'a.2')
  t.deepEqual(
    played.life.leaving.map(({ phase }) => phase),
    ['draining'],
  )
  played.end(old, 'stopped')
  t.is(stateOf(played.life), 'ready')
  t.is(played.life.failures.inARow, 0, 'a recycle is no failure')
  t.is(played.life.recycles, 1)
})

test('a replacement that fails leaves the old run in service', (t) => {
  const played = new Played()
  const old = played.up()
  played.do({ type: 'recycle', why: 'age' })
  played.end('a.2', 'exception')
  t.is(played.life.serving, old)
  t.true(played.life.recycleAfter > played.at)
  t.is(stateOf(played.life), 'ready')
})

test('a replacement that waits for the state has the old run drain, and its own time anew when that has ended', (t) => {
  const played = new Played()
  const old = played.up()
  played.do({ type: 'recycle', why: 'age' })
  const effects = played.do({ type: 'awaits-state', instance: 'a.2' })
  t.like(
    effects.find((effect) => effect.do === 'drain'),
    { instance: old, deadlineMs: 1000 },
  )
  t.is(played.life.serving, null)
  played.at += 100_000
  played.do({ type: 'drained', instance: old })
  played.do({ type: 'tick' })
  t.is(played.life.next?.phase, 'starting', 'its time does not count while it waits')
  played.end(old, 'stopped')
  t.is(played.life.main?.instance, 'a.2')
  t.is((nextDeadline(played.life) ?? 0) - played.at, 5000)
  t.deepEqual(played.pass(), [{ do: 'kill', instance: 'a.2' }])
})

test('a replacement that fails after the old run gave its state up is followed by another', (t) => {
  const played = new Played()
  const old = played.up()
  played.do({ type: 'recycle', why: 'age' })
  played.do({ type: 'awaits-state', instance: 'a.2' })
  played.end('a.2', 'exception')
  played.end(old, 'stopped')
  t.is(played.life.main?.instance, 'a.3')
  t.is(stateOf(played.life), 'starting')
})

test('an app that a person restarts while its replacement starts is back at once', (t) => {
  const played = new Played()
  const old = played.up()
  played.do({ type: 'recycle', why: 'age' })
  played.do({ type: 'stop', why: 'a person', deadlineMs: 100, after: 'restart' })
  played.end(old, 'stopped')
  played.end('a.2', 'stopped')
  t.is(played.life.main?.instance, 'a.3')
  t.is(played.life.failures.inARow, 0)
})

test('what becomes of an app holds for its replacement too, which may be found alone', (t) => {
  for (const after of ['rest', 'wait', 'restart'] as const) {
    const played = new Played({ type: 'transient' })
    played.up()
    played.do({ type: 'recycle', why: 'age' })
    played.do({ type: 'stop', why: 'a person', deadlineMs: 100, after })
    t.deepEqual([played.life.main?.after, played.life.next?.after], [after, after])
    if (after !== 'rest') continue
    played.do({ type: 'stop', why: 'a failure', deadlineMs: 100, after: 'wait' })
    t.deepEqual([played.life.main?.after, played.life.next?.after], ['rest', 'rest'])
  }
})

test('an old run that dies before its replacement is ready is followed by it', (t) => {
  const played = new Played()
  const old = played.up()
  played.do({ type: 'recycle', why: 'age' })
  played.end(old, 'signal')
  t.is(played.life.main?.instance, 'a.2')
  played.do({ type: 'ready', instance: 'a.2' })
  t.is(played.life.serving, 'a.2')
})

test('a terminal is recycled by ending it first: it never has two owners', (t) => {
  const played = new Played({}, false)
  const old = played.up()
  played.do({ type: 'recycle', why: 'age' })
  t.deepEqual(played.alive, [old])
  played.end(old, 'stopped')
  t.is(played.life.main?.instance, 'a.2')
  t.is(played.life.failures.inARow, 0)
})

test('a person who wants an app again while it stops gets it', (t) => {
  const played = new Played()
  const old = played.up()
  played.do({ type: 'stop', why: 'lunch', deadlineMs: 100, after: 'rest' })
  played.do({ type: 'want' })
  played.end(old, 'stopped')
  t.is(stateOf(played.life), 'idle')
  played.do({ type: 'start' })
  t.is(stateOf(played.life), 'starting')
})

test('a failure of another app does not bring back what a person stopped', (t) => {
  const played = new Played()
  const old = played.up()
  played.do({ type: 'stop', why: 'lunch', deadlineMs: 100, after: 'rest' })
  played.do({ type: 'stop', why: 'b failed', deadlineMs: 100, after: 'wait' })
  played.end(old, 'stopped')
  t.is(stateOf(played.life), 'stopped')
  t.false(played.life.isWanted)
})

const reasons: EndReason[] = [
  'finished',
  'stopped',
  'exception',
  'signal',
  'oom',
  'hang',
  'unknown',
]

const command = fc.oneof(
  fc.constant({ type: 'want' } as const),
  fc.constant({ type: 'start' } as const),
  fc.record({ type: fc.constant('ready' as const), pick: fc.nat() }),
  fc.record({ type: fc.constant('degraded' as const), pick: fc.nat(), why: fc.constant('x') }),
  fc.record({ type: fc.constant('drained' as const), pick: fc.nat() }),
  fc.record({ type: fc.constant('awaits-state' as const), pick: fc.nat() }),
  fc.record({
    type: fc.constant('ended' as const),
    pick: fc.nat(),
    reason: fc.constantFrom(...reasons),
  }),
  fc.record({
    type: fc.constant('stop' as const),
    why: fc.constant('x'),
    deadlineMs: fc.nat(5000),
    after: fc.constantFrom('rest' as const, 'wait' as const, 'restart' as const),
  }),
  fc.constant({ type: 'kill', why: 'x' } as const),
  fc.constant({ type: 'recycle', why: 'x' } as const),
  fc.record({ type: fc.constant('hang' as const), pick: fc.nat() }),
  fc.constant({ type: 'release' } as const),
  fc.constant({ type: 'tick' } as const),
)

test('whatever happens: one run serves at most, it lives, and every failure ends in a restart, quarantine or rest', (t) => {
  const types = fc.constantFrom('permanent', 'transient', 'temporary')
  const play = fc.property(
    types,
    fc.boolean(),
    fc.array(fc.tuple(command, fc.nat(3000), fc.double({ min: 0, max: 0.999, noNaN: true })), {
      maxLength: 60,
    }),
    (type, mayOverlap, commands) => {
      const played = new Played({ type }, mayOverlap)
      for (const [{ ...what }, ms, draw] of commands) {
        played.at += ms
        played.draw = draw
        const pick = 'pick' in what ? what.pick : 0
        const instance = played.alive[pick % Math.max(1, played.alive.length)] ?? 'a.0'
        if (what.type === 'ended') played.end(instance, what.reason)
        else played.do({ ...what, instance })
        holds(played, mayOverlap)
      }
      settles(played, mayOverlap)
    },
  )
  fc.assert(play, { numRuns: 2000 })
  t.pass()
})

/** What holds after every event. */
function holds({ life, alive, seen }: Played, mayOverlap: boolean): void {
  const runs = runsOf(life)
  const serves = seen.filter((effect) => effect.do === 'serve').at(-1)
  check((serves?.instance ?? null) === life.serving, 'what was said of serving is what holds')
  if (life.serving !== null) {
    const run = runs.find(({ instance }) => instance === life.serving)
    check(run !== undefined && alive.includes(life.serving), 'who serves lives')
    check(run?.phase === 'ready' || run?.phase === 'degraded', 'who serves is ready')
    check(life.main === run, 'who serves is the app')
  }
  check(runs.length === alive.length, 'every process is known, and no other')
  if (!mayOverlap) check(alive.length <= 1, 'a terminal has one owner')
  for (const run of runs) {
    const isSettled = run.phase === 'ready' || run.phase === 'degraded'
    check(isSettled === (run.deadline === null), 'whatever is under way has a deadline')
    check(isSettled === (run.ending === null) || run.phase === 'starting', 'who ends has a reason')
  }
}

/** Left alone, with processes that end when they are killed, it comes to a rest that says what it is. */
function settles(played: Played, mayOverlap: boolean): void {
  for (let steps = 0; steps < 200; steps += 1) {
    if (played.life.isWanted && stateOf(played.life) === 'idle') played.do({ type: 'start' })
    const due = nextDeadline(played.life)
    if (due === null || stateOf(played.life) === 'quarantined') break
    for (const effect of played.pass()) {
      if (effect.do === 'kill') played.end(effect.instance, 'killed')
      holds(played, mayOverlap)
    }
    for (const run of runsOf(played.life)) {
      if (run.phase === 'starting') played.do({ type: 'ready', instance: run.instance })
      holds(played, mayOverlap)
    }
  }
  const state = stateOf(played.life)
  const { isWanted, retryAt, why } = played.life
  if (state === 'quarantined')
    check(retryAt !== null && why !== '', 'quarantine is visible and ends')
  else if (isWanted) check(state === 'ready' || state === 'degraded', `wanted, but ${state}`)
  else check(state === 'stopped' || state === 'idle', `not wanted, but ${state}`)
}

function check(isTrue: boolean, text: string): void {
  if (!isTrue) throw new Error(text)
}
