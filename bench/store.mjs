// `bench store`: a store process with many registers beside one synchronous writer, natively and from
// Node, on the disk as it is and with a flush that takes a millisecond more.
//
//   node bench/store.mjs [--quick] [--json] [--rounds N] [--seconds S] [--dir DIR] [--native-only|--node-only]
//
// Every ratio is between figures of one run: the median of interleaved rounds. Builds the native
// program first.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
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
      for (const [deployment, registers] of [
        ['alone', 1],
        ['store', REGISTERS],
      ]) {
        const figure = await measure(side, deployment, registers, delayUs)
        figures.push({ side, delayUs, ...figure })
        process.stderr.write(
          `${side} ${deployment} ${registers} +${delayUs} us: ${JSON.stringify(figure)}\n`,
        )
      }
    }
  }
}
report()

async function measure(side, deployment, registers, delayUs) {
  const root = mkdtempSync(path.join(given.dir, 'store-'))
  const program = side === 'native' ? [NATIVE] : [process.execPath, NODE]
  const [command, ...args] = [...program, root, deployment, String(registers), String(seconds)]
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
  const rate = (side, delayUs, deployment) =>
    median(
      figures
        .filter((it) => it.side === side && it.delayUs === delayUs && it.deployment === deployment)
        .map((it) => it.salesPerSecond),
    )
  for (const side of sides) {
    for (const delayUs of [0, SLOW_US]) {
      const [one, many] = [rate(side, delayUs, 'alone'), rate(side, delayUs, 'store')]
      const base = { unit: 'sales/s', flushDelayUs: delayUs }
      results.push({ name: `${side} one writer`, peer: 'pos-kernel', value: one, ...base })
      const ratio = many / one
      const goal = goals[side]
      const name = `${side} store of ${REGISTERS}`
      results.push({ name, peer: 'pos-kernel', value: many, ...base, ratio, goal })
    }
  }
  if (given.json) {
    console.log(JSON.stringify({ results, rounds, seconds, figures }))
    return
  }
  for (const { name, flushDelayUs, value, ratio, goal } of results) {
    const times = ratio === undefined ? '' : `  ${ratio.toFixed(1)} x one writer (goal ${goal})`
    console.log(
      `${name.padEnd(22)} flush +${flushDelayUs} us  ${Math.round(value)} sales/s${times}`,
    )
  }
}
