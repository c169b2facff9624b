/** A real failure of a write, under a terminal that sells: see `support/programs/broken-disk.mjs`. */
import { spawnSync } from 'node:child_process'
import test from 'ava'
import { verifyStore } from '../../ts/index.js'
import { jsonLines, program } from '../support/child.js'
import { tempStore } from '../support/store.js'

const hasLimits = spawnSync('prlimit', ['--version']).status === 0
const testWithLimits = hasLimits ? test : test.skip

testWithLimits('a write that fails ends the terminal, and the next opening recovers', async (t) => {
  const root = tempStore(t)
  const { code, stdout, stderr } = await program('broken-disk.mjs', [root])
  t.is(stderr, '')
  t.is(code, 0)
  const facts = { operation: 'write', cause: 'file too large', osCode: 27 }
  const unknown = { code: 'PK_E_OUTCOME_UNKNOWN', family: 'storage', facts }
  const poisoned = { code: 'PK_E_POISONED', family: 'storage', facts }
  const [first, waiting, after, line, twin, status, closing, closed, recovery, next] = jsonLines(
    stdout,
  ) as unknown[]
  t.deepEqual(first, { receiptNumber: 1 })
  t.deepEqual(waiting, [unknown, unknown], 'both calls that waited are told the same')
  t.deepEqual(after, poisoned, 'nothing is tried again, though the disk would take it')
  t.deepEqual(line, poisoned)
  t.deepEqual(twin, { code: 'PK_E_POISONED' })
  t.deepEqual(status, { poisoned: true })
  t.deepEqual(closing, poisoned)
  t.like(closed, { code: 'PK_E_CLOSED' })
  t.deepEqual(recovery, { clean: false, sales: [2] }, 'the open sale came back')
  t.deepEqual(next, { receiptNumber: 2 }, 'the two that were never written are not in')
  t.true((await verifyStore({ root })).ok)
})
