/** Calls by chance from eight threads on the C library; `npm run storm` does so for longer. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { posKernel, projectRoot } from '../support/child.js'
import { type Command, host, inC, inValgrind, needing } from '../support/hosts.js'
import { tempStore } from '../support/store.js'
import { chance, isLong } from './chance.js'

const threads = 8
const callsOfThread = 100
const ways: readonly (readonly [string, Command | undefined, number])[] = [
  ['plain', inC('storm'), isLong ? 125 : 6],
  ['with sanitizers', inC('storm-sanitized'), isLong ? 125 : 6],
  ['in valgrind', inValgrind('storm'), isLong ? 20 : 2],
]

for (const [way, command, rounds] of ways) {
  const [run, why] = needing('gcc or valgrind', command)
  run(
    `calls by chance, ${way}: every invariant holds, and again after opening${why}`,
    async (t) => {
      t.timeout(3_600_000)
      const root = tempStore(t)
      const { seed } = chance()
      t.log(`POS_KERNEL_SEED=${seed}`)
      const args = [root, seed, rounds, threads, callsOfThread].map(String)
      const env = { POS_KERNEL_ROOT: root }
      const { code, stdout, stderr } = await host(command as Command, args, { env })
      t.is(code, 0, `seed ${seed}: ${stderr}`)
      t.is(stderr, '')
      const { calls, answered, refused, receipts } = JSON.parse(stdout)
      t.is(calls, rounds * threads * callsOfThread)
      t.true(answered > calls / 8, stdout)
      t.true(refused > calls / 8, stdout)
      t.true(receipts > 0, stdout)
      const verified = await posKernel(['verify', '--root', root, '--json'])
      t.is(verified.code, 0, verified.stdout)
    },
  )
}

test('the calls by chance are calls of every function', (t) => {
  const read = (name: string) => readFileSync(path.join(projectRoot, 'crates/capi', name), 'utf8')
  const declared = read('include/pos_kernel.h').matchAll(/^[^ /*#].*?\b(pk_\w+)\(/gm)
  const played = [...read('tests/c/calls.h').matchAll(/^ {4}ROW\((pk_\w+),/gm)]
  t.deepEqual(played.map(([, name]) => name).sort(), [...declared].map(([, name]) => name).sort())
})
