/** A run in the place of another goes on with its state: nothing of it is lost or doubled, whoever dies meanwhile. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { isHostError } from '../../../ts/host/error.js'
import { StateStore } from '../../../ts/host/state/state.js'
import { projectRoot } from '../../support/child.js'
import { Away } from '../support/away.js'
import { appOf, appOn, hostFor, hostRoot, inState, kill, until } from '../support/supervised.js'

const script = path.join(projectRoot, '__test__/host/support/programs/tally.mjs')

/** Where a run says what it does, and what it waits for to drain. */
function placesOf(root: string) {
  const ledger = path.join(root, 'ledger')
  const gate = path.join(root, 'gate')
  return { ledger, gate, args: [`ledger=${ledger}`] }
}

interface Line {
  readonly what: string
  readonly instance: string
  readonly count: number
}

function linesOf(ledger: string): Line[] {
  let text = ''
  try {
    text = readFileSync(ledger, 'utf8')
  } catch {
    // Nobody has come yet.
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))
    .map(([what = '', instance = '', count]) => ({ what, instance, count: Number(count) }))
}

const has = (ledger: string, what: string, instance: string) =>
  linesOf(ledger).some((line) => line.what === what && line.instance === instance)

/** Counts that runs began from, beside what the run before each had kept; the first has nobody before it. */
function handOvers(ledger: string): readonly (readonly [number, number])[] {
  const lines = linesOf(ledger)
  const begun = lines.flatMap((line, at) => (line.what === 'from' ? [{ ...line, at }] : []))
  return begun.slice(1).map(({ at, count }) => {
    const kept = lines.slice(0, at).findLast(({ what }) => what === 'kept')
    return [count, kept?.count ?? Number.NaN] as const
  })
}

for (const [what, more] of [
  ['a fresh process', {}],
  ['a warm spare', { spares: 1 }],
] as const) {
  test.serial(`${what} in the place of a run begins from its last state`, async (t) => {
    const root = hostRoot(t)
    const { ledger, args } = placesOf(root)
    const host = await hostFor(t, { apps: [appOf('tally', args, { script, ...more })] }, root)
    await inState(host, 'tally', 'ready')
    for (const number of [2, 3, 4]) {
      if (more !== undefined && 'spares' in more)
        await until(() => appOn(host, 'tally').spares === 1, 'a spare')
      const { instance } = await host.ask('recycle', { uuid: 'tally' })
      t.is(instance, `tally.${number}`)
    }
    await host.ask('restart', { uuid: 'tally' })
    const pairs = handOvers(ledger)
    t.is(pairs.length, 4)
    for (const [from, kept] of pairs) t.is(from, kept)
    t.true(pairs.every(([from], at) => from >= (pairs[at - 1]?.[0] ?? 0)))
    if ('spares' in more)
      t.true(
        host.heard.some(({ text }) => /tally\.2 was a spare/.test(text)),
        'it was one',
      )
    t.is(appOn(host, 'tally').restarts, 0, 'that is no failure')
    const { ended } = await host.shutdown()
    t.true(ended[0]?.acknowledged)
    const kept = linesOf(ledger).findLast((line) => line.what === 'kept')
    const left = await new StateStore(path.join(root, 'host/apps/tally/data')).restore()
    t.is(left.value, kept?.count)
  })
}

test.serial('an app that is recycled by itself goes on with its state', async (t) => {
  const root = hostRoot(t)
  const { ledger, args } = placesOf(root)
  const aged = { recycle: { maxAgeMs: 1000 }, restart: { periodMs: 1000 } }
  const host = await hostFor(t, { apps: [appOf('tally', args, { script, ...aged })] }, root)
  await until(() => appOn(host, 'tally').recycles >= 3, 'three recycles')
  await host.shutdown()
  const pairs = handOvers(ledger)
  t.true(pairs.length >= 2)
  for (const [from, kept] of pairs) t.is(from, kept)
})

test.serial(
  'a replacement that fails before it needs the state leaves the old run at work',
  async (t) => {
    const root = hostRoot(t)
    const { ledger, args } = placesOf(root)
    const app = appOf('tally', [...args, 'fails-early=tally.2'], { script })
    const host = await hostFor(t, { apps: [app] }, root)
    const { pid } = await inState(host, 'tally', 'ready')
    const error = await t.throwsAsync(host.ask('recycle', { uuid: 'tally' }))
    t.true(isHostError(error, 'HOST_NOT_REPLACED'))
    t.regex(
      error?.message ?? '',
      /no new run came to serve: tally\.2 ended: .*; tally\.1 serves on/,
    )
    t.is(appOn(host, 'tally').pid, pid)
    t.false(has(ledger, 'draining', 'tally.1'))
  },
)

test.serial('a replacement that fails with the state does not cost it', async (t) => {
  const root = hostRoot(t)
  const { ledger, args } = placesOf(root)
  const app = appOf('tally', [...args, 'fails=tally.2'], { script })
  const host = await hostFor(t, { apps: [app] }, root)
  await inState(host, 'tally', 'ready')
  const error = await t.throwsAsync(host.ask('recycle', { uuid: 'tally' }))
  t.true(isHostError(error, 'HOST_NOT_REPLACED'))
  await until(() => appOn(host, 'tally').instance === 'tally.3', 'the next one')
  await inState(host, 'tally', 'ready')
  const pairs = handOvers(ledger)
  t.deepEqual(
    pairs.map(([from, kept]) => from - kept),
    [0, 0],
  )
})

test.serial(
  'recycling what does not run is refused, and a restart that fails says so',
  async (t) => {
    const root = hostRoot(t)
    const { args } = placesOf(root)
    const app = appOf('tally', [...args, 'fails=tally.2'], { script })
    const host = await hostFor(t, { apps: [app] }, root)
    await inState(host, 'tally', 'ready')
    const failed = await t.throwsAsync(host.ask('restart', { uuid: 'tally' }))
    t.true(isHostError(failed, 'HOST_NOT_REPLACED'))
    await inState(host, 'tally', 'ready')
    await host.ask('stop', { uuid: 'tally' })
    const refused = await t.throwsAsync(host.ask('recycle', { uuid: 'tally' }))
    t.true(isHostError(refused, 'HOST_NOT_SERVING'))
    t.regex(refused?.message ?? '', /tally is stopped/)
    t.is(appOn(host, 'tally').state, 'stopped')
  },
)

/** Who is killed while the old run drains and its replacement waits. */
const victims = [
  'old',
  'new',
  'supervisor',
  'old and supervisor',
  'new and supervisor',
  'all',
] as const

for (const victim of victims) {
  test.serial(`a hand-over in which ${victim} is killed loses and doubles nothing`, async (t) => {
    const root = hostRoot(t)
    const { ledger, gate, args } = placesOf(root)
    const app = appOf('tally', [...args, `gate=${gate}`, 'durable'], {
      script,
      recycle: { drainMs: 60_000 },
    })
    const away = new Away(t, { isolation: 'none', apps: [app] }, root)
    await away.start()
    await away.until(([tally]) => tally?.state === 'ready')
    const [first] = await away.apps()
    const recycled = away.ask('recycle', { uuid: 'tally' }).catch((error: unknown) => error)
    await until(() => has(ledger, 'draining', 'tally.1'), 'the old run to drain')
    t.true(has(ledger, 'loaded', 'tally.2'))
    t.false(has(ledger, 'from', 'tally.2'), 'it waits')
    const next = away.runs('tally').find(({ instance }) => instance === 'tally.2')
    if (victim.includes('supervisor') || victim === 'all') await away.kill()
    if (victim.includes('old') || victim === 'all') kill(first?.pid ?? null)
    if (victim.includes('new') || victim === 'all') kill(next?.process?.pid ?? null)
    if (victim.includes('supervisor') || victim === 'all') await away.start()
    writeFileSync(gate, '')
    await away.until(([tally]) => tally?.state === 'ready' && tally.instance !== 'tally.1')
    await recycled
    await away.ask('recycle', { uuid: 'tally' })
    await away.ask('stop', { uuid: 'tally' })
    tallies(linesOf(ledger), t.fail)
    t.true(linesOf(ledger).filter(({ what }) => what === 'from').length >= 3)
  })
}

/** What was done is done once, and whoever comes begins after all that was done before. */
function tallies(lines: readonly Line[], fail: (why: string) => void): void {
  let last = 0
  for (const { what, instance, count } of lines) {
    if (what === 'did' && count <= last) fail(`${instance} did ${count} again, after ${last}`)
    if (what === 'from' && count < last) fail(`${instance} began from ${count}, after ${last}`)
    if (what === 'did') last = count
  }
}
