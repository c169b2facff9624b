// `bench store`: a store process with many registers beside one synchronous writer, natively and from
// Node, on the disk as it is and with a flush that takes a millisecond more.
//
//   node bench/store.mjs [--quick] [--json] [--rounds N] [--seconds S] [--dir DIR] [--native-only|--node-only]
//
// Every ratio is between figures of one run: the median of interleaved rounds. Builds the native
// program first.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setupShim } from './setup.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = path.resolve(HERE, '..')
const NATIVE = path.join(ROOT, 'target/release/examples/registers')
const NODE = path.join(HERE, 'store-child.mjs')
const SHIM = path.join(HERE, 'native/target/slowsync.so')
const REGISTERS = 64
/** Threads that serve all registers of the native store by `submit`: while half of them wait for a flush, the other half sells. */
const THREADS = 2 * os.availableParallelism()
const SLOW_US = 1000

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    dir: { type: 'string', default: path.join(HERE, 'results') },
    'native-only': { type: 'boolean', default: false },
    'node-only': { type: 'boolean', default: false },
  },
})
const rounds = Number(given.rounds ?? (given.quick ? 1 : 4))
const seconds = Number(given.seconds ?? (given.quick ? 0.3 : 1))
const sides = [...(given['node-only'] ? [] : ['native']), ...(given['native-only'] ? [] : ['node'])]
const goals = { native: 12, node: 6 }

mkdirSync(given.dir, { recursive: true })
setupShim()
if (sides.includes('native')) {
  const built = spawnSync(
    'cargo',
    ['build', '--release', '--locked', '-p', 'pos-kernel-core', '--example', 'registers'],
    { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] },
  )
  if (built.status !== 0) throw new Error('the native program was not built')
}

const figures = []
for (let round = 0; round < rounds; round += 1) {
  for (const delayUs of [0, SLOW_US]) {
    for (const side of sides) {
      for (const way of ways(side)) {
        const figure = await measure(side, way, delayUs)
        figures.push({ side, delayUs, way: way.name, ...figure })
        process.stderr.write(`${side} ${way.name} +${delayUs} us: ${JSON.stringify(figure)}\n`)
      }
    }
  }
}
report()

/** What is measured on a side, the one writer first. */
function ways(side) {
  const alone = { name: 'one writer', deployment: 'alone', registers: 1, threads: [] }
  const store = { deployment: 'store', registers: REGISTERS, threads: [] }
  if (side === 'node') return [alone, { ...store, name: `store of ${REGISTERS}` }]
  return [
    alone,
    { ...store, name: `store of ${REGISTERS}, a thread each` },
    { ...store, name: `store of ${REGISTERS}, ${THREADS} threads`, threads: [String(THREADS)] },
  ]
}

async function measure(side, { deployment, registers, threads }, delayUs) {
  const root = mkdtempSync(path.join(given.dir, 'store-'))
  const program = side === 'native' ? [NATIVE] : [process.execPath, NODE]
  const counts = [String(registers), String(seconds), ...threads]
  const [command, ...args] = [...program, root, deployment, ...counts]
  const slow = delayUs > 0 ? { LD_PRELOAD: SHIM, SLOWSYNC_DELAY_US: String(delayUs) } : {}
  const env = { ...process.env, ...slow }
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const text of child.stdout) said += text
  rmSync(root, { recursive: true, force: true })
  return JSON.parse(said)
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]
}

function report() {
  const results = []
  const rate = (side, delayUs, way) =>
    median(
      figures
        .filter((it) => it.side === side && it.delayUs === delayUs && it.way === way.name)
        .map((it) => it.salesPerSecond),
    )
  for (const side of sides) {
    for (const delayUs of [0, SLOW_US]) {
      const [alone, ...stores] = ways(side)
      const one = rate(side, delayUs, alone)
      const base = { peer: 'pos-kernel', unit: 'sales/s', flushDelayUs: delayUs }
      results.push({ name: `${side} ${alone.name}`, value: one, ...base })
      for (const way of stores) {
        const value = rate(side, delayUs, way)
        const name = `${side} ${way.name}`
        results.push({ name, value, ...base, ratio: value / one, goal: goals[side] })
      }
    }
  }
  if (given.json) {
    console.log(JSON.stringify({ results, rounds, seconds, figures }))
    return
  }
  for (const { name, flushDelayUs, value, ratio, goal } of results) {
    const times = ratio === undefined ? '' : `  ${ratio.toFixed(1)} x one writer (goal ${goal})`
    console.log(
      `${name.padEnd(34)} flush +${flushDelayUs} us  ${Math.round(value)} sales/s${times}`,
    )
  }
}
