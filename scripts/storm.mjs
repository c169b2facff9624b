/**
 * `npm run storm`: calls by chance from eight threads on the C library, in rounds of 800; after each
 * round the kernel's invariants, and again after closing and opening. Then every journal is
 * verified. Three times: plain, with the address and undefined-behaviour sanitizers, in valgrind.
 *
 *     npm run storm -- --calls 100000 --valgrind 8000 --seed 7
 *
 * What fails says its seed. `npm test` runs the same programs for seconds.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root, run } from './run.mjs'

const threads = 8
const callsOfThread = 100

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '100000' },
    valgrind: { type: 'string', default: '8000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const storm = path.join(root, 'target', 'hosts', 'storm')
const leaks = ['--leak-check=full', '--show-leak-kinds=definite,indirect']
const checks = ['-q', '--error-exitcode=99', '--errors-for-leak-kinds=definite,indirect', ...leaks]

const prepared = await run(process.execPath, ['scripts/build.mjs', 'capi'])
const built = prepared.code === 0 ? await run(process.execPath, ['scripts/hosts.mjs']) : prepared
if (built.code !== 0 || !existsSync(storm)) {
  console.error('storm: the programs could not be built')
  process.exit(1)
}
let failed = 0
await play('plain', [storm], values.calls)
await play('with sanitizers', [`${storm}-sanitized`], values.calls)
await play('in valgrind', ['valgrind', ...checks, storm], values.valgrind)
process.exitCode = failed > 0 ? 1 : 0

async function play(name, [program, ...first], calls) {
  const store = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-storm-'))
  const rounds = Math.ceil(Number(calls) / (threads * callsOfThread))
  const args = [...first, store, values.seed, rounds, threads, callsOfThread].map(String)
  console.log(`storm: ${name}, seed ${values.seed}, ${rounds} rounds`)
  const env = { ...process.env, POS_KERNEL_ROOT: store }
  const began = performance.now()
  const { code, output } = await run(program, args, { env })
  if (output !== '') console.error(output)
  const verify = ['dist/cli/main.js', 'verify', '--root', store, '--json']
  const verified = await run(process.execPath, verify, { capture: true })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const verdict = verified.code === 0 ? 'every journal verifies' : verified.stdout
  console.log(`storm: ${name}: exit ${code}, ${verdict} (${seconds} s)`)
  if (code === 0 && verified.code === 0) rmSync(store, { recursive: true })
  else failed += 1
}
