/**
 * The logic minimiser through the C door, from many threads: the answers of one thread alone, nothing
 * left of a thread that has ended, and no race that valgrind knows. 640 runs on 64 threads, and a
 * warm-up of as many; 10,240 with the long loops.
 */

import { isLong } from '../fault/chance.js'
import { type Command, host, inC, inValgrind, needing } from '../support/hosts.js'

const runs = isLong ? 10_240 : 640
const ways: readonly (readonly [string, Command | undefined, number, number])[] = [
  ['plain', inC('logic'), 64, runs],
  ['with sanitizers', inC('logic-sanitized'), 64, runs],
  ['in valgrind', inValgrind('logic'), 64, isLong ? 640 : 192],
  ['in helgrind', inValgrind('logic', 'helgrind'), 16, isLong ? 640 : 48],
]

for (const [way, command, threads, count] of ways) {
  const [run, why] = needing('gcc or valgrind', command)
  run(`threads of C minimise as one alone does, ${way}${why}`, async (t) => {
    t.timeout(3_600_000)
    const args = [threads, count].map(String)
    const { code, stdout, stderr } = await host(command as Command, args)
    t.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    const told = JSON.parse(stdout)
    t.true(told.checks >= 250, stdout)
    t.true(told.runs >= count * 2, stdout)
    // Under valgrind and the sanitizers the memory is theirs, and they look for leaks themselves.
    if (way === 'plain') t.true(told.leftBytes < 65_536, stdout)
  })
}
