/** Hosts of other languages on real terminals: alone, after a kill, and beside a Node process. */
import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { ExecutionContext } from 'ava'
import { openTerminal } from '../../ts/index.js'
import { ended, jsonLines, posKernel, startProgram } from '../support/child.js'
import {
  type Command,
  host,
  inC,
  inPython,
  inSharp,
  inValgrind,
  needing,
  prefix,
  startHost,
} from '../support/hosts.js'
import { refusal, tempStore } from '../support/store.js'

const sharp = inSharp()
const coffees: readonly (readonly [string, Command | undefined])[] = [
  ['C', inC('coffee')],
  ['C with sanitizers', inC('coffee-sanitized')],
  ['C in valgrind', inValgrind('coffee')],
  ['C#', sharp === undefined ? undefined : [...sharp, 'coffee']],
  ['Python', inPython('coffee')],
]
const told = '{"total":399,"tendered":500,"change":101,"state":2,"receipt":1}\n'

/** What the records of a store's terminal say happened, without times, hashes and places. */
async function factsOf(root: string, terminal: string) {
  const args = ['inspect', '--root', root, '--terminal', terminal, '--json']
  const { stdout } = await posKernel(args)
  return jsonLines(stdout).map(({ sequence, kind, fact }) => {
    const { owner: _, content: __, ...rest } = (fact ?? {}) as Record<string, unknown>
    return { sequence, kind, ...rest }
  })
}

for (const [name, command] of coffees) {
  const [run, why] = needing(`the host in ${name}`, command)
  run(
    `one coffee in ${name}: the first example's numbers, a journal that verifies${why}`,
    async (t) => {
      const root = tempStore(t)
      const env = { POS_KERNEL_ROOT: root }
      const { code, stdout, stderr } = await host(command as Command, [], { env })
      t.deepEqual({ code, stdout, stderr }, { code: 0, stdout: told, stderr: '' })
      const verified = await posKernel(['verify', '--root', root, '--json'])
      t.is(verified.code, 0, verified.stdout)
      const sale = { sale: 1 }
      const line = { sku: 'COFFEE_001', quantity: '1', unitPrice: '399', amount: 399, gross: 399 }
      const tender = {
        kind: 'cash',
        amount: 500,
        change: 101,
        due: 0,
        state: 'confirmed',
        tender: 1,
      }
      const facts = await factsOf(root, 'REGISTER_01')
      t.deepEqual(
        facts.filter(({ kind }) => kind !== 'Checkpoint'),
        [
          { sequence: 2, kind: 'TerminalOpened', clean: true },
          { sequence: 3, kind: 'SaleBegun', ...sale, store: 'STORE_001', currency: 'USD' },
          { sequence: 4, kind: 'LineAdded', ...sale, line: 1, ...line },
          { sequence: 5, ...sale, ...tender, kind: 'cash' },
          {
            sequence: 6,
            kind: 'SaleCompleted',
            ...sale,
            receipt: 1,
            currency: 'USD',
            firstSequence: 3,
            lines: 1,
            tenders: [{ tender: 1, kind: 'cash', amount: 500 }],
            gross: 399,
            tendered: 500,
            change: 101,
            totalSales: 399,
            totalReturns: 0,
          },
          { sequence: 7, kind: 'TerminalClosed' },
        ],
      )
    },
  )
}

/** A process that has said that it holds a terminal. */
async function holding(t: ExecutionContext, child: ChildProcess): Promise<ChildProcess> {
  t.teardown(() => child.kill('SIGKILL'))
  const said = new AbortController()
  const ends = once(child, 'exit', { signal: said.signal }).then(([code]) => {
    throw new Error(`the host ended with ${code} before it held a terminal`)
  })
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ends])
  ends.catch(() => {})
  said.abort()
  return child
}

const [testSharp, noSharp] = needing('the C# host', sharp)

testSharp(`a C# host is killed in mid-sale and Node completes the sale${noSharp}`, async (t) => {
  const root = tempStore(t)
  const id = 'REGISTER_01'
  const till = await holding(t, startHost(sharp as Command, ['hold', root, id]))
  const gone = once(till, 'exit')
  till.kill('SIGKILL')
  t.deepEqual(await gone, [null, 'SIGKILL'])

  const terminal = await openTerminal({ root, id })
  t.false(terminal.recovery.clean)
  t.deepEqual(terminal.recovery.sales, [1])
  t.is(terminal.recovery.previousOwner?.pid, till.pid)
  const [sale] = terminal.openSales()
  if (sale === undefined) return t.fail('the sale did not come back')
  t.like(sale.summary(), {
    store: 'STORE_001',
    currency: 'EUR',
    reference: 'held',
    recovered: true,
  })
  t.deepEqual(
    sale.lines().map(({ sku, quantity, amount }) => [sku, quantity, amount]),
    [
      ['COFFEE_001', '1', 399],
      ['CAKE', '2', 500],
    ],
  )
  const { change } = await sale.tender({ kind: 'cash', amount: 1000 })
  t.is(change, 101)
  t.like(await sale.complete(), { receiptNumber: 1, gross: 899, change: 101 })
  await terminal.close()
  const verified = await posKernel(['verify', '--root', root, '--json'])
  t.is(verified.code, 0, verified.stdout)
})

testSharp(
  `a terminal of a C# host is refused to Node, with the owner's facts${noSharp}`,
  async (t) => {
    const root = tempStore(t)
    const till = await holding(t, startHost(sharp as Command, ['hold', root, 'T1']))
    const error = await refusal(t, () => openTerminal({ root, id: 'T1' }), 'PK_E_TERMINAL_IN_USE')
    t.is(error.facts.owner?.pid, till.pid)
    t.true(error.message.includes(String(till.pid)), error.message)
    t.is((await ended(till)).code, 0)
    const terminal = await openTerminal({ root, id: 'T1' })
    t.true(terminal.recovery.clean)
    t.deepEqual(
      terminal.openSales().map(({ id }) => id),
      [1],
    )
    await terminal.close()
  },
)

testSharp(
  `a terminal of a Node process is refused to a C# host, with the owner's facts${noSharp}`,
  async (t) => {
    const root = tempStore(t)
    const node = await holding(t, startProgram('hold.mjs', [root]))
    const refused = await host(sharp as Command, ['hold', root, 'T1'])
    t.is(refused.code, 1, refused.stdout)
    const error = JSON.parse(refused.stderr)
    t.is(error.code, 'PK_E_TERMINAL_IN_USE')
    t.is(error.facts.terminal, 'T1')
    t.is(error.facts.owner.pid, node.pid)
    t.is((await ended(node)).code, 0)
  },
)

testSharp(`eight threads of a C# host ring up sales on one terminal${noSharp}`, async (t) => {
  const root = tempStore(t)
  const { code, stdout, stderr } = await host(sharp as Command, ['threads', root, 'T1', '8', '25'])
  t.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '{"receipts":200}\n', stderr: '' })
  const { code: verdict, stdout: report } = await posKernel(['verify', '--root', root, '--json'])
  t.is(verdict, 0, report)
  t.is(JSON.parse(report).terminals[0].receipts, 200)
})

const hasPkgConfig = spawnSync('pkg-config', ['--version']).status === 0 && existsSync(prefix)
const [testPkgConfig, noPkgConfig] = needing('pkg-config', hasPkgConfig ? ['sh'] : undefined)

testPkgConfig(`pkg-config leads a compiler to header and library${noPkgConfig}`, async (t) => {
  const folder = tempStore(t)
  const source = path.join(folder, 'version.c')
  const program = path.join(folder, 'version')
  writeFileSync(source, printsVersion)
  const build = 'cc -std=c11 "$0" $(pkg-config --cflags --libs pos_kernel) -o "$1"'
  const env = { PKG_CONFIG_PATH: path.join(prefix, 'lib/pkgconfig') }
  const built = await host(['sh', '-e', '-c', build], [source, program], { env })
  t.is(built.code, 0, built.stderr)
  const asked = await host(['pkg-config'], ['--modversion', 'pos_kernel'], { env })
  t.deepEqual(await host([program], []), asked)
})

const printsVersion = `
#include <pos_kernel.h>
#include <stdio.h>
int main(void) { return puts((const char *)pk_get_version()) < 0; }
`
