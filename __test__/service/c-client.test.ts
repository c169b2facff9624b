/** The client of a kernel service in C. */
import { verifyStore } from '../../ts/index.js'
import { type Command, host, inC, inValgrind, needing } from '../support/hosts.js'
import { served } from '../support/served.js'
import { tempStore } from '../support/store.js'

const ways: readonly (readonly [string, Command | undefined])[] = [
  ['plain', inC('service')],
  ['with sanitizers', inC('service-sanitized')],
  ['in valgrind', inValgrind('service')],
]

for (const [way, command] of ways) {
  const [run, why] = needing('gcc or valgrind', command)
  run(`a host in C sells through a kernel service, ${way}${why}`, async (t) => {
    const root = tempStore(t)
    const alone = await host(command as Command, [root, 'nobody'])
    t.deepEqual([alone.code, alone.stderr], [0, ''])
    const service = await served(t, { root, terminals: ['T1'] })
    const { code, stdout, stderr } = await host(command as Command, [root])
    t.deepEqual([code, stderr], [0, ''])
    t.true(JSON.parse(stdout).checks >= 90, stdout)
    await service.stop()
    const { ok, terminals } = await verifyStore({ root })
    t.true(ok)
    t.is(terminals[0]?.receipts, 2)
  })
}
