import { posKernel } from '../support/child.js'
import { type Command, host, inC, inValgrind, needing } from '../support/hosts.js'
import { tempStore } from '../support/store.js'

/** Each program, and how many things it checks at least. */
const programs = [
  ['classic', 'the classic calls do what older hosts rely on', 200],
  ['pricing', 'prices, taxes, discounts and tenders come to what they should', 500],
  ['rules', 'lines, tenders and sales are judged by the rules that are set', 50],
  ['handover', 'returns, and sales that wait or are given up, on two tills', 90],
  ['till', 'people, drawer, reports, closings and copies', 120],
  ['store', 'many terminals in one process, which come and go', 40],
  ['refusals', 'bad input is a code, changes nothing and the host lives', 40_000],
] as const

for (const [name, what, checks] of programs) {
  const ways: readonly (readonly [string, Command | undefined])[] = [
    ['plain', inC(name)],
    ['with sanitizers', inC(`${name}-sanitized`)],
    ['in valgrind', inValgrind(name)],
  ]
  for (const [way, command] of ways) {
    const [run, why] = needing('gcc or valgrind', command)
    run(`${what}, ${way}${why}`, async (t) => {
      const root = tempStore(t)
      const env = { POS_KERNEL_ROOT: root }
      const { code, stdout, stderr } = await host(command as Command, [root], { env })
      t.deepEqual({ code, stderr }, { code: 0, stderr: '' })
      t.true(JSON.parse(stdout).checks >= checks, stdout)
      const verified = await posKernel(['verify', '--root', root, '--json'])
      t.is(verified.code, 0, verified.stdout)
    })
  }
}

const [testClassic, noClassic] = needing('gcc', inC('classic'))

testClassic(`without POS_KERNEL_ROOT a store is ./pos_kernel_data${noClassic}`, async (t) => {
  const cwd = tempStore(t)
  const { code, stderr } = await host(inC('classic') as Command, [], { cwd })
  t.is(code, 0, stderr)
  const verified = await posKernel(['verify', '--root', `${cwd}/pos_kernel_data`, '--json'])
  t.is(verified.code, 0, verified.stdout)
})
