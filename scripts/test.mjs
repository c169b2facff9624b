/**
 * `npm test`: sets up, then runs every test and every check, in order, and counts.
 *
 * A failure does not stop the run, so that one run shows everything. Each `test result:` line of
 * cargo and each test point of ava counts as often as it says; every other step is one check that
 * passes or fails. The last line of the output is exactly `N passed, N failed`, with `, N skipped`
 * when something was skipped, and the exit code is 0 only when nothing failed.
 *
 *     node scripts/test.mjs                 everything
 *     node scripts/test.mjs --only rust     one group: rust, ts or checks
 *     node scripts/test.mjs --only fault    the fault tests alone, with their long loops
 */
import { parseArgs } from 'node:util'
import { run, tool } from './run.mjs'
import { setup } from './setup.mjs'

const groups = ['rust', 'ts', 'checks', 'fault']

/** Tests that loop look at this variable: `long` means hours of rounds instead of seconds. */
const longLoops = { ...process.env, POS_KERNEL_FAULT: 'long' }

const loops = ['__test__/fault/**', '__test__/auditor/**', '__test__/host/chaos/**']

/** The tests of what a terminal does, on terminals of a store process, and of a kernel service. */
const inStore = { ...process.env, POS_KERNEL_TEST_DOOR: 'store' }
const overService = { ...process.env, POS_KERNEL_TEST_DOOR: 'service' }

const contract = [
  'sale',
  'pricing',
  'returns',
  'handover',
  'transfers',
  'dispatcher',
  'till',
  'idempotency',
  'rules',
  'ruled-sale',
  'proof',
  'input',
  'durability',
].map((name) => `__test__/kernel/${name}.test.ts`)

const nothing = { passed: 0, failed: 0, skipped: 0 }

const steps = [
  ['rust', 'cargo fmt --check', () => check(run('cargo', ['fmt', '--all', '--check']))],
  ['rust', 'cargo clippy', () => check(run('cargo', clippyArgs))],
  ['rust', 'cargo test', () => cargoTest(['--workspace'])],
  ['ts', 'tsc --noEmit', () => check(tool('typescript', 'tsc', ['-p', 'tsconfig.json']))],
  ['ts', 'biome check', () => check(tool('@biomejs/biome', 'biome', ['check']))],
  ['ts', 'C library', () => check(node('scripts/build.mjs', 'capi'))],
  ['ts', 'hosts of the C library', () => check(node('scripts/hosts.mjs'))],
  ['ts', 'programs of the system', () => check(node('scripts/packages.mjs'))],
  ['ts', 'ava', () => ava([])],
  ['ts', 'ava, in a store process', () => ava(contract, inStore)],
  ['ts', 'ava, over the kernel service', () => ava(contract, overService)],
  ['checks', 'architecture', () => check(node('scripts/check.mjs'))],
  ['checks', 'error table', () => check(node('scripts/codes.mjs', '--check'))],
  ['checks', 'reference of the host', () => check(node('scripts/schema.mjs', '--check'))],
  [
    'checks',
    'page of the dashboard',
    () => check(tool('typescript', 'tsc', ['-p', 'ts/host/dashboard/page'])),
  ],
  ['checks', 'doors', () => check(node('scripts/doors.mjs', '--check'))],
  ['checks', 'native contract', contractDrift],
  ['checks', 'typedoc', () => check(tool('typedoc', 'typedoc', []))],
  ['checks', 'publint', () => check(tool('publint', 'publint', ['run', '.', '--strict']))],
  ['checks', 'packed tarball', () => check(node('scripts/pack-test.mjs'))],
  ['fault', 'cargo test, long loops', () => cargoTest(['--workspace', '--release'], longLoops)],
  ['fault', 'ava, long loops', () => ava(['--timeout=4h', ...loops], longLoops)],
]

const clippyArgs = ['clippy', '--workspace', '--all-targets', '--', '-D', 'warnings']

/** A step that is one check. */
async function check(running) {
  const { code, output } = await running
  if (output !== '') console.log(output.trimEnd())
  return code === 0 ? { ...nothing, passed: 1 } : { ...nothing, failed: 1 }
}

function node(...args) {
  return run(process.execPath, args)
}

/** All tests of the workspace; each binary and each crate's examples report one line of counts. */
async function cargoTest(args, env = process.env) {
  const tally = { ...nothing }
  const onLine = (line) => {
    const counts = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/.exec(line)
    if (counts === null) return
    tally.passed += Number(counts[1])
    tally.failed += Number(counts[2])
    tally.skipped += Number(counts[3])
  }
  const { code, output } = await run('cargo', ['test', '--no-fail-fast', ...args], { env, onLine })
  if (output !== '') console.log(output)
  return withExitCode(tally, code)
}

/** ava prints the Test Anything Protocol: one `ok` or `not ok` line a test. */
async function ava(args, env = process.env) {
  const tally = { ...nothing }
  const onLine = (line) => {
    const point = /^(not )?ok \d+ (.*)$/.exec(line)
    if (point === null) return
    if (/ # (?:SKIP|TO-?DO)\b/i.test(point[2])) tally.skipped += 1
    else if (point[1] !== undefined) tally.failed += 1
    else tally.passed += 1
  }
  const { code, output } = await tool('ava', 'ava', ['--tap', ...args], { env, onLine })
  if (output !== '') console.log(output)
  return withExitCode(tally, code)
}

/** A runner that failed without naming a test (it did not compile, it timed out) failed once. */
function withExitCode(tally, code) {
  return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally
}

/**
 * index.js and index.d.ts are committed and regenerated by every build. When the sources of the
 * binding are as git has them, the contract must be too; while they are being edited it may differ.
 */
async function contractDrift() {
  const contract = await changedFiles(['index.js', 'index.d.ts'])
  const sources = await changedFiles(['crates/node', 'package.json'])
  if (contract === undefined || sources === undefined) {
    console.log('skipped: this folder is not a git checkout, so there is nothing to compare with')
    return { ...nothing, skipped: 1 }
  }
  if (contract.length > 0 && sources.length === 0) {
    console.log(`${contract.join(', ')}: not what crates/node generates; commit what was built`)
    return { ...nothing, failed: 1 }
  }
  console.log(contract.length > 0 ? 'changed together with crates/node' : 'as committed')
  return { ...nothing, passed: 1 }
}

/** The files below `paths` that differ from what git would commit; undefined without git. */
async function changedFiles(paths) {
  const args = ['status', '--porcelain', '--untracked-files=all', '--', ...paths]
  const { code, output } = await run('git', args, { capture: true })
  if (code !== 0) return undefined
  const lines = output.split('\n').filter((line) => line.length > 3 && line[1] !== ' ')
  return lines.map((line) => line.slice(3))
}

const { values } = parseArgs({ options: { only: { type: 'string' } } })
if (values.only !== undefined && !groups.includes(values.only)) {
  console.error(`test: no such group: ${values.only}; groups are: ${groups.join(', ')}`)
  process.exit(2)
}

const total = { ...nothing }
const add = (tally) => {
  for (const key of Object.keys(total)) total[key] += tally[key]
}
const failures = []
const heading = (text) => console.log(`\n== ${text}`)

heading('setup')
if (await setup()) {
  for (const [group, name, step] of steps) {
    if (values.only === undefined ? group === 'fault' : group !== values.only) continue
    heading(name)
    const began = performance.now()
    const tally = await step()
    add(tally)
    if (tally.failed > 0) failures.push(`${name}: ${tally.failed} failed`)
    console.log(
      `-- ${name}: ${sentence(tally)} (${((performance.now() - began) / 1000).toFixed(1)} s)`,
    )
  }
} else {
  failures.push('setup failed, so nothing else was run')
  total.failed += 1
}

heading('result')
for (const line of failures) console.log(line)
console.log(sentence(total))
process.exitCode = total.failed > 0 ? 1 : 0

function sentence({ passed, failed, skipped }) {
  const counts = `${passed} passed, ${failed} failed`
  return skipped > 0 ? `${counts}, ${skipped} skipped` : counts
}
