/**
 * What the C door costs, in numbers that repeat: instructions, counted by valgrind, and memory. Two
 * sizes of the same work are counted, so that opening and closing cancel out.
 */
import type { ExecutionContext } from 'ava'
import { jsonLines } from '../support/child.js'
import { type Command, has, host, inC, needing } from '../support/hosts.js'
import { tempStore } from '../support/store.js'

const inRust = has('valgrind') ? inC('sales-in-rust') : undefined
const cost = inC('cost')
const [testCost, noCost] = needing('valgrind or gcc', inRust === undefined ? undefined : cost)

/** Instructions of one piece of work. */
async function instructions(t: ExecutionContext, command: Command, work: string): Promise<number> {
  const counted: number[] = []
  for (const count of [200, 1200]) {
    const valgrind = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null'] as const
    const run: Command = [...valgrind, ...command]
    const { code, stderr } = await host(run, [work, tempStore(t), String(count)])
    t.is(code, 0, stderr)
    counted.push(Number(/Collected : (\d+)/.exec(stderr)?.[1]))
  }
  const [few = Number.NaN, many = Number.NaN] = counted
  return (many - few) / 1000
}

/** The share that the C door may add, in per cent. */
for (const [what, work, share] of [
  ['a whole sale in one call', 'carts', 6.5],
  ['a sale call by call', 'sales', 6.5],
] as const) {
  testCost(`${what} through C costs little more than in Rust${noCost}`, async (t) => {
    const through = await instructions(t, cost as Command, work)
    const plain = await instructions(t, inRust as Command, work)
    t.log(`${Math.round(plain)} instructions in Rust, ${Math.round(through)} through C`)
    t.true(plain > 10_000)
    t.true(through < plain * (1 + share / 100), `${plain} in Rust, ${through} through C`)
  })
}

testCost(`a call that reads takes some hundred instructions${noCost}`, async (t) => {
  // Eight of them in a round; 300 take well under the 100 ns that a call may.
  const each = (await instructions(t, cost as Command, 'reads')) / 8
  t.log(`${Math.round(each)} instructions each`)
  t.true(each > 20 && each < 400, `${each} instructions`)
})

// The program reads its memory from /proc.
const isLinux = process.platform === 'linux'
const [testCycles, noCycles] = needing('Linux or gcc', isLinux ? cost : undefined)

testCycles(`beginning and aborting sales for ever takes no more memory${noCycles}`, async (t) => {
  const { code, stdout, stderr } = await host(cost as Command, ['cycles', tempStore(t), '20000'])
  t.is(code, 0, stderr)
  const resident = jsonLines(stdout).map(({ residentKib }) => Number(residentKib))
  t.is(resident.length, 10)
  const [, early = Number.NaN] = resident
  const last = resident.at(-1) ?? Number.NaN
  t.log(`${early} KiB after a fifth, ${last} KiB at the end`)
  t.true(last - early < 1024, stdout)
})
