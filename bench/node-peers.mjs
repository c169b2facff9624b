// The Node side of `bench sale`: the same sale in every store that a Node till could use.
//
//   node bench/node-peers.mjs run [options]
//
// or, to measure further stores in the same rounds:
//
//   import { builtinPeers, measureNode } from './node-peers.mjs'
//   await measureNode({ peers: [...builtinPeers(), { module: myModuleUrl, name: 'mine' }], onLine })
//
// where the module at `myModuleUrl` exports `peers` as peers/stores.mjs does. Every peer runs once in
// each round, in a process of its own, so that whatever else the machine does is shared out.

import { execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { nthSale } from './sale-payload.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CHILD = join(HERE, 'node-child.mjs')
const STORES = new URL('./peers/stores.mjs', import.meta.url).href
const BLOCK_BYTES = 4_096
const TRY_LIMIT_MS = 60_000
const DAMAGE_SALES = 1_500
const TMPFS = 0x01021994

/** The workloads that are run when none are named. */
export const USUAL_WORKLOADS = [
  'one',
  'in-flight-64',
  'in-flight-batched-64',
  'cpu',
  'memory',
  'damage',
]

const DEFAULTS = {
  workloads: USUAL_WORKLOADS,
  rounds: 4,
  seconds: 1,
  flushDelayMs: 0,
  memorySales: 20_000,
  tries: 200,
  seed: 1,
  dir: join(HERE, 'results'),
  onLine: (line) => process.stdout.write(`${JSON.stringify(line)}\n`),
  onProgress: (text) => process.stderr.write(`  ${text}\n`),
}

/** The stores of peers/stores.mjs, as `measureNode` takes them: `{ module, name }`. */
export function builtinPeers() {
  const names = ['raw', 'better-sqlite3-rows', 'better-sqlite3-blob', 'lmdb', 'classic-level']
  return names.map((name) => ({ module: STORES, name }))
}

/**
 * Measures `peers` and calls `onLine` with one `{ workload, peer, metric, value, unit, … }` for each
 * result: the median of the rounds, with the lowest and the highest beside it.
 *
 * @param options - any of: peers, workloads, rounds, seconds (of one peer in one round),
 *   flushDelayMs, memorySales, tries, seed, dir (a folder on the disk to measure), onLine, onProgress
 */
export async function measureNode(options = {}) {
  const plan = { peers: builtinPeers(), ...DEFAULTS, ...options }
  // A folder of our own, because it is emptied: the given one may hold anything.
  const dir = join(resolve(plan.dir), `node-${process.pid}`)
  fresh(dir)
  if (statfsSync(dir).type === TMPFS) plan.onProgress(`warning: ${dir} is in memory; use a disk`)
  try {
    for (const workload of plan.workloads) {
      if (workload === 'damage') await measureDamage(plan, dir)
      else await measurePaced(plan, dir, parseWorkload(workload))
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Which of the workloads `one`, `in-flight`, … a peer takes part in. */
async function workloadsOf({ module, name }) {
  const { peers } = await import(module)
  const found = peers.find((peer) => peer.name === name)
  if (found === undefined) throw new Error(`no peer called ${name} in ${module}`)
  return found.workloads
}

function parseWorkload(name) {
  const match = /^(one|cpu|memory|in-flight-batched|in-flight)(?:-(\d+))?$/.exec(name)
  const [, kind, count] = match ?? []
  if (kind === undefined || kind.startsWith('in-flight') !== (count !== undefined)) {
    throw new Error(`no such workload: ${name}; there are ${USUAL_WORKLOADS.join(', ')}`)
  }
  return { name, kind, waiting: Number(count ?? 1) }
}

async function takingPart(peers, kind) {
  const found = []
  for (const peer of peers) if ((await workloadsOf(peer)).includes(kind)) found.push(peer)
  return found
}

async function measurePaced(plan, dir, { name, kind, waiting }) {
  const peers = await takingPart(plan.peers, kind)
  const flushDelayMs = kind === 'cpu' || kind === 'memory' ? 0 : plan.flushDelayMs
  const results = new Results(name, { flushDelayMs })
  for (let round = 0; round < plan.rounds; round += 1) {
    // The first of a round is another peer each time, so that none always follows the same one.
    for (let offset = 0; offset < peers.length; offset += 1) {
      const peer = peers[(offset + round) % peers.length]
      const work = join(dir, 'pace')
      fresh(work)
      execFileSync('sync', ['-f', work])
      const figures = await runChild(
        {
          command: 'pace',
          peer,
          dir: work,
          kind,
          waiting,
          seconds: plan.seconds,
          memorySales: plan.memorySales,
          flushDelayMs,
        },
        flushEnvironment(kind, flushDelayMs),
      )
      const [first] = figures
      plan.onProgress(
        `${name} round ${round + 1} ${peer.name}: ${first.value.toFixed(1)} ${first.unit}`,
      )
      for (const figure of figures) results.add(peer.name, figure)
      rmSync(work, { recursive: true })
    }
  }
  results.print(plan.peers, plan.onLine)
}

function flushEnvironment(kind, flushDelayMs) {
  if (kind === 'cpu') return { LD_PRELOAD: shim(), SLOWSYNC_SKIP: '1' }
  if (flushDelayMs === 0) return {}
  return { LD_PRELOAD: shim(), SLOWSYNC_DELAY_US: String(Math.round(flushDelayMs * 1_000)) }
}

/** Builds the flush shim if need be: its path. */
function shim() {
  const script = join(HERE, 'native', 'shim', 'build.sh')
  return execFileSync('sh', [script], { encoding: 'utf8' }).trim()
}

/**
 * Damage under acknowledged sales. A child sells, each sale flushed, and is killed. Then, many
 * times: a fresh copy of its files, one bit flipped or one 4 KiB block zeroed, and another child
 * that opens the copy, reads every sale and compares every byte. The ends, from good to bad:
 * clean, detected (an error), admitted (the store says what it cut), crashed, hung, silent.
 * Places are drawn from the blocks that hold anything at all.
 */
async function measureDamage(plan, dir) {
  const peers = await takingPart(plan.peers, 'damage')
  const extra = { tries: plan.tries, sales: DAMAGE_SALES, seed: plan.seed }
  const results = {
    bit: new Results('damage-bit', extra),
    block: new Results('damage-block', extra),
  }
  for (const peer of peers) {
    const { peers: inModule } = await import(peer.module)
    const { isRebuiltAtOpen = () => false } = inModule.find(({ name }) => name === peer.name)
    const left = join(dir, 'left')
    fresh(left)
    await killWhenReady({ command: 'fill', peer, dir: left, sales: DAMAGE_SALES })
    const blocks = blocksOf(left, (file) => !isRebuiltAtOpen(basename(file)))
    const copy = join(dir, 'damaged')
    const attempt = () => tryCopy({ command: 'try', peer, dir: copy, sales: DAMAGE_SALES })
    copyFolder(left, copy)
    const unharmed = await attempt()
    if (unharmed !== 'clean') {
      throw new Error(`${peer.name}: not damaged, but ${JSON.stringify(unharmed)}`)
    }
    for (const injury of ['bit', 'block']) {
      const dice = new Dice(plan.seed, injury)
      const tally = new Tally()
      for (let count = 0; count < plan.tries; count += 1) {
        copyFolder(left, copy)
        injure(copy, blocks[dice.below(blocks.length)], injury, dice)
        tally.count(await attempt())
      }
      plan.onProgress(`damage-${injury} ${peer.name}: ${tally.silent} silent of ${plan.tries}`)
      for (const figure of tally.figures()) results[injury].add(peer.name, figure)
    }
    rmSync(left, { recursive: true })
  }
  results.bit.print(plan.peers, plan.onLine)
  results.block.print(plan.peers, plan.onLine)
}

function injure(copy, { file, offset, bytes }, injury, dice) {
  const descriptor = openSync(join(copy, file), 'r+')
  if (injury === 'bit') {
    const byte = Buffer.alloc(1)
    const at = offset + dice.below(bytes)
    readSync(descriptor, byte, 0, 1, at)
    byte[0] ^= 1 << dice.below(8)
    writeSync(descriptor, byte, 0, 1, at)
  } else {
    writeSync(descriptor, Buffer.alloc(bytes), 0, bytes, offset)
  }
  closeSync(descriptor)
}

/** Opens the copy in a child: 'clean', 'detected', 'admitted', 'crashed', 'hung', or what is gone. */
async function tryCopy(task) {
  const { status, lines } = await start(task, {}, { limitMs: TRY_LIMIT_MS, quiet: true })
  if (status === 'limit') return 'hung'
  if (status !== 0 || lines.length === 0) return 'crashed'
  const [found] = lines
  if (found.error !== undefined) return 'detected'
  if (found.wrong === 0 && found.missing === 0) return 'clean'
  return found.admits === null ? found : 'admitted'
}

class Tally {
  ends = { clean: 0, detected: 0, admitted: 0, crashed: 0, hung: 0 }
  silent = 0
  #silentWrong = 0
  #goneMax = 0
  #goneSum = 0

  count(end) {
    if (typeof end === 'string') {
      this.ends[end] += 1
      return
    }
    const gone = end.wrong + end.missing
    this.silent += 1
    if (end.wrong > 0) this.#silentWrong += 1
    this.#goneMax = Math.max(this.#goneMax, gone)
    this.#goneSum += gone
  }

  figures() {
    const { clean: _clean, ...harmful } = this.ends
    const harm = Object.values(harmful).reduce((sum, count) => sum + count, this.silent)
    return [
      ...Object.entries({ ...this.ends, silent: this.silent }).map(([metric, value]) => ({
        metric,
        value,
        unit: 'tries',
      })),
      { metric: 'silent_wrong_content', value: this.#silentWrong, unit: 'tries' },
      { metric: 'silent_share_of_harm', value: this.silent / Math.max(harm, 1), unit: 'ratio' },
      { metric: 'sales_gone_max', value: this.#goneMax, unit: 'sales' },
      { metric: 'sales_gone_mean', value: this.#goneSum / Math.max(this.silent, 1), unit: 'sales' },
    ]
  }
}

/** Every block that is not all zero, in the files that `wanted` accepts. */
function blocksOf(dir, wanted) {
  const found = []
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort()
  for (const file of files.filter(wanted)) {
    const content = readFileSync(join(dir, file))
    for (let offset = 0; offset < content.length; offset += BLOCK_BYTES) {
      const block = content.subarray(offset, offset + BLOCK_BYTES)
      if (block.some((byte) => byte !== 0)) found.push({ file, offset, bytes: block.length })
    }
  }
  return found
}

/** A small generator of even random numbers, so that a seed repeats a run. */
class Dice {
  #state

  constructor(seed, injury) {
    this.#state = (seed * 2 + (injury === 'bit' ? 0 : 1)) | 0
  }

  below(limit) {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let value = this.#state
    value = Math.imul(value ^ (value >>> 16), 0x21f0aaad)
    value = Math.imul(value ^ (value >>> 15), 0x735a2d97)
    return ((value ^ (value >>> 15)) >>> 0) % limit
  }
}

/** The figures of all rounds of one workload. */
class Results {
  #workload
  #extra
  #figures = new Map()

  constructor(workload, extra) {
    this.#workload = workload
    this.#extra = extra
  }

  add(peer, { metric, value, unit }) {
    const key = `${peer}\n${metric}`
    const entry = this.#figures.get(key) ?? { peer, metric, unit, values: [] }
    entry.values.push(value)
    this.#figures.set(key, entry)
  }

  print(peers, onLine) {
    for (const { name } of peers) {
      for (const { peer, metric, unit, values } of this.#figures.values()) {
        if (peer !== name) continue
        const sorted = values.toSorted((a, b) => a - b)
        onLine({
          workload: this.#workload,
          peer,
          metric,
          value: rounded(median(sorted)),
          unit,
          rounds: sorted.length,
          low: rounded(sorted[0]),
          high: rounded(sorted.at(-1)),
          ...this.#extra,
        })
      }
    }
  }
}

function median(sorted) {
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Four significant digits: more would pretend a precision that a shared machine does not have. */
function rounded(value) {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4))
}

/** Runs a child to its end: its lines. Anything but success is an error. */
async function runChild(task, environment) {
  const { status, lines } = await start(task, environment, {})
  if (status !== 0) throw new Error(`${task.kind} of ${task.peer.name} ended with ${status}`)
  return lines
}

/** Starts a child, waits until it prints a line, and kills it with SIGKILL in that state. */
async function killWhenReady(task) {
  const { status, lines } = await start(task, {}, { killAfterFirstLine: true })
  if (lines.length === 0) throw new Error(`${task.peer.name} did not get ready: ${status}`)
}

function start(task, environment, { limitMs, killAfterFirstLine, quiet }) {
  return new Promise((resolveEnd, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', CHILD, JSON.stringify(task)], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', quiet ? 'ignore' : 'inherit'],
    })
    let text = ''
    let overdue = false
    const limit =
      limitMs &&
      setTimeout(() => {
        overdue = true
        child.kill('SIGKILL')
      }, limitMs)
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (part) => {
      text += part
      if (killAfterFirstLine && text.includes('\n')) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      try {
        const lines = text
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line))
        resolveEnd({ status: overdue ? 'limit' : (code ?? signal), lines })
      } catch (error) {
        reject(error)
      }
    })
  })
}

function copyFolder(from, to) {
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true })
}

function fresh(dir) {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
}

const USAGE = `usage: node bench/node-peers.mjs run [options]     measure; JSON lines on standard output
       node bench/node-peers.mjs sample NUMBER     the canonical bytes of a sale

options of run:
  --peers a,b            which stores (default: all)
  --workloads a,b        one, in-flight-N, in-flight-batched-N, cpu, memory, damage (default: all, 64)
  --rounds N             rounds of every workload but damage (default 4)
  --seconds S            selling time of one peer in one round (default 1)
  --flush-delay-ms MS    make every flush cost so much more (one and in-flight)
  --memory-sales N       sales before memory is read (default 20000)
  --tries N              bits flipped, and blocks zeroed, for each peer (default 200)
  --seed N               where the damage goes (default 1)
  --dir D                folder on the disk to measure; a folder of its own is made inside and
                         removed at the end (default bench/results)`

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peers: { type: 'string' },
      workloads: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'flush-delay-ms': { type: 'string' },
      'memory-sales': { type: 'string' },
      tries: { type: 'string' },
      seed: { type: 'string' },
      dir: { type: 'string' },
    },
  })
  const [command, argument] = positionals
  if (command === 'sample') {
    console.log(JSON.stringify(nthSale(Number(argument))))
    return
  }
  if (command !== 'run') {
    console.log(USAGE)
    return
  }
  if (!existsSync(join(HERE, 'peers', 'node_modules'))) {
    throw new Error('the peers are not installed; run: node bench/setup.mjs peers')
  }
  const number = (name, least) => {
    const text = values[name]
    if (text === undefined) return {}
    const value = Number(text)
    if (!(value >= least)) throw new Error(`--${name} cannot be ${text}`)
    const key = name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
    return { [key]: value }
  }
  const wanted = values.peers?.split(',')
  const unknown = wanted?.find((name) => !builtinPeers().some((peer) => peer.name === name))
  if (unknown !== undefined) throw new Error(`no such peer: ${unknown}`)
  await measureNode({
    peers: builtinPeers().filter(({ name }) => wanted?.includes(name) ?? true),
    ...(values.workloads === undefined ? {} : { workloads: values.workloads.split(',') }),
    ...number('rounds', 1),
    ...number('seconds', 0.01),
    ...number('flush-delay-ms', 0),
    ...number('memory-sales', 1),
    ...number('tries', 1),
    ...number('seed', 0),
    ...(values.dir === undefined ? {} : { dir: values.dir }),
  })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    process.stderr.write(`node-peers: ${error.message}\n`)
    process.exitCode = 1
  })
}
