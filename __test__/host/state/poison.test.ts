/** Under a host a state is given up for the crashes of its app, and for nothing that others do to it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { parentOf } from '../../../ts/host/launcher/identity.js'
import { projectRoot } from '../../support/child.js'
import { appOf, appOn, hostFor, hostRoot, inState, kill, until } from '../support/supervised.js'

const script = path.join(projectRoot, '__test__/host/support/programs/tally.mjs')
const restart = { intensity: 1000, backoffMs: 1, backoffMaxMs: 5 }

/** The words of the lines of one kind. */
function said(ledger: string, what: string): string[][] {
  const lines = readFileSync(ledger, 'utf8').split('\n')
  return lines.map((line) => line.split(' ')).filter(([first]) => first === what)
}

const countsOf = (ledger: string, what: string) => said(ledger, what).map(([, , n]) => Number(n))

for (const [what, more] of [
  ['a fresh process', {}],
  ['a warm spare', { spares: 1 }],
] as const) {
  test.serial(`kills from outside take no state back: ${what}`, async (t) => {
    const root = hostRoot(t)
    const ledger = path.join(root, 'ledger')
    const app = appOf('tally', [`ledger=${ledger}`, 'durable'], { script, restart, ...more })
    const manifest = { apps: [app] }
    let host = await hostFor(t, manifest, root)
    for (let round = 0; round < 12; round++) {
      const { instance, pid } = await inState(host, 'tally', 'ready')
      const last = () => said(ledger, 'did').at(-1)
      await until(() => last()?.[1] === instance, `${instance} to count`)
      switch (round % 3) {
        case 0:
          kill(pid)
          break
        case 1:
          kill(parentOf(pid ?? 0) ?? null)
          break
        default:
          // Nobody watches.
          await host.leave()
          kill(pid)
          host = await hostFor(t, manifest, root)
      }
      await until(() => appOn(host, 'tally').instance !== instance, `${instance} to be replaced`)
    }
    await inState(host, 'tally', 'ready')
    await host.shutdown()
    const begun = countsOf(ledger, 'from')
    t.is(begun.length, 13)
    t.deepEqual(
      begun.slice(1).map((from, at) => from >= (begun[at] ?? 0) + 1),
      Array(12).fill(true),
      `each began from what the one before it had counted: ${begun}`,
    )
  })
}

test.serial('a state whose app crashes with it again and again is given up', async (t) => {
  const root = hostRoot(t)
  const ledger = path.join(root, 'ledger')
  const args = [`ledger=${ledger}`]
  const first = await hostFor(t, { apps: [appOf('tally', [...args, 'durable'], { script })] }, root)
  await inState(first, 'tally', 'ready')
  await until(() => said(ledger, 'did').length > 2, 'two counts')
  await first.shutdown()
  const kept = countsOf(ledger, 'kept').at(-1) ?? 0
  const host = await hostFor(
    t,
    { apps: [appOf('tally', [...args, 'fails=*'], { script, restart })] },
    root,
  )
  const begun = () => countsOf(ledger, 'from').slice(1)
  await until(() => begun().length > 4, 'five lives')
  await host.shutdown()
  const [one, two, three, four = kept, five] = begun()
  t.deepEqual([one, two, three, five], [kept, kept, kept, 0])
  t.true(four < kept + 1 && four > 0, `the one before it: ${four}`)
})
