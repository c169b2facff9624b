/**
 * Both verifiers on journals that were hurt: they agree on whether anything is wrong, and on the
 * segment and the offset of the first thing that is.
 */
import { cpSync, rmSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { chance, isLong } from '../fault/chance.js'
import { tempStore } from '../support/store.js'
import { byAuditor, byKernel } from './both.js'
import { damages } from './damage.js'
import { busyStore, goldenStore, journalOf, pricedStore, youngStore } from './stores.js'

const roundsWanted = isLong ? 1000 : 8

test('the verifiers agree on every damage', async (t) => {
  t.timeout(isLong ? 14_400_000 : 400_000)
  const luck = chance()
  t.log(`seed ${luck.seed} (POS_KERNEL_SEED)`)
  const root = tempStore(t)
  const busy = path.join(root, 'busy')
  const golden = path.join(root, 'golden')
  const young = path.join(root, 'young')
  const priced = path.join(root, 'priced')
  await busyStore(busy, luck, 170)
  await pricedStore(priced, luck, 160)
  goldenStore(golden)
  await youngStore(young, luck)
  const counts = new Map<string, { refused: number; sound: number; differ: number }>()
  for (const [name, damage] of Object.entries(damages)) {
    const count = { refused: 0, sound: 0, differ: 0 }
    counts.set(name, count)
    for (let round = 0; round < roundsWanted; round++) {
      const hurt = path.join(root, 'hurt')
      const [from, id] = luck.pick([
        [busy, 'T1'],
        [priced, 'T1'],
        [priced, 'T2'],
        [priced, 'T2'],
        [young, 'T1'],
        [golden, 'REGISTER_01'],
      ] as const)
      cpSync(from, hurt, { recursive: true })
      const how = damage(journalOf(hurt, id), luck)
      const [kernel, auditor] = [await byKernel(hurt), await byAuditor(hurt)]
      if (kernel.ok) count.sound += 1
      else count.refused += 1
      const isSame =
        kernel.ok === auditor.ok && kernel.terminals.join() === auditor.terminals.join()
      if (!isSame) {
        count.differ += 1
        t.log(`${name}: ${how}`)
        t.log(`  kernel  ${kernel.terminals.join()} ${kernel.because}`)
        t.log(`  auditor ${auditor.terminals.join()} ${auditor.because}`)
      }
      rmSync(hurt, { recursive: true })
    }
  }
  for (const [name, { refused, sound }] of counts)
    t.log(`${name}: ${refused} refused, ${sound} sound`)
  t.is(
    [...counts.values()].reduce((sum, { differ }) => sum + differ, 0),
    0,
  )
})
