// `bench sale`: our sale beside everybody's, natively and from Node, and the goals as ratios.
//
//   node bench/sale.mjs [--quick] [--json] [--rounds N] [--seconds S] [--dir DIR] [--native-only|--node-only]
//
// Every ratio is between figures of one run, medians of interleaved rounds. `--quick` runs two short
// rounds to see that everything works; its figures mean little.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { builtinPeers, measureNode } from './node-peers.mjs'
import { ours } from './ours.mjs'
import { NATIVE_PROGRAM, setupNative, setupPeers, setupShim } from './setup.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    dir: { type: 'string', default: resolve(HERE, 'results') },
    'native-only': { type: 'boolean', default: false },
    'node-only': { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
  },
})
const rounds = Number(given.rounds ?? (given.quick ? 2 : 4))
const seconds = Number(given.seconds ?? (given.quick ? 0.3 : 1))
const tries = given.quick ? 10 : 200
const say = (text) => process.stderr.write(`${text}\n`)
const results = []

function take(side, line) {
  results.push({ side, ...line })
}

mkdirSync(given.dir, { recursive: true })
if (!given['node-only']) await native()
if (!given['native-only']) await node()
report()

async function native() {
  setupShim()
  setupNative()
  if (!existsSync(NATIVE_PROGRAM)) throw new Error(`${NATIVE_PROGRAM} was not built`)
  const sales = given.quick ? 5_000 : 100_000
  const common = ['--rounds', rounds, '--seconds', seconds, '--dir', given.dir, '--tries', tries]
  const workloads = 'one,threads-16,threads-64,in-flight-64,cpu,memory,damage'
  say('native: paced workloads, memory and damage')
  await nativeRun([...common, '--workloads', workloads])
  say('native: the same with flushes of 5 ms more')
  const slow = ['--workloads', 'threads-64,in-flight-64', '--flush-delay-ms', 5]
  await nativeRun([...common, ...slow, '--peers', 'raw,pos-kernel,sqlite-blob,rocksdb'])
  say(`native: recovery after kill -9 of ${sales} sales${given.long ? ' and of 1,000,000' : ''}`)
  const long = given.long ? ['--long'] : []
  await nativeRun([...common, '--workloads', 'recovery', '--recovery-sales', sales, ...long])
}

async function nativeRun(args) {
  const child = spawn(NATIVE_PROGRAM, ['run', ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((end) => child.once('close', end))
  for await (const line of createInterface({ input: child.stdout })) {
    take('native', JSON.parse(line))
  }
  const code = await ended
  if (code !== 0) throw new Error(`the native program ended with ${code}`)
}

async function node() {
  setupPeers()
  const peers = [...builtinPeers(), ...ours]
  const common = { peers, rounds, seconds, tries, dir: given.dir }
  const onLine = (line) => take('node', line)
  say('node: paced workloads, memory and damage')
  const workloads = ['one', 'in-flight-64', 'in-flight-batched-64', 'cpu', 'memory', 'damage']
  await measureNode({ ...common, workloads, onLine })
  say('node: the same with flushes of 5 ms more')
  await measureNode({ ...common, workloads: ['in-flight-64'], flushDelayMs: 5, onLine })
}

/** The median of a result; undefined when it was not measured. */
function figure(side, workload, peer, metric, flushDelayMs = 0) {
  return results.find(
    (line) =>
      line.side === side &&
      line.workload === workload &&
      line.peer === peer &&
      line.metric === metric &&
      (line.flushDelayMs ?? 0) === flushDelayMs,
  )?.value
}

function best(side, workload, names, metric, flushDelayMs) {
  const known = names
    .map((name) => figure(side, workload, name, metric, flushDelayMs))
    .filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

function over(a, b) {
  return a === undefined || b === undefined ? undefined : a / b
}

function goals() {
  const one = (peer, metric) => figure('native', 'one', peer, metric)
  const nodeRate = (work, peer, delay) => figure('node', work, peer, 'rate', delay)
  const many = (work, peer, delay) => figure('native', work, peer, 'rate', delay)
  const slow = 5
  const batched = best('node', 'in-flight-64', ['better-sqlite3-blob'], 'rate')
  const silent = (side, peer, kind) => figure(side, `damage-${kind}`, peer, 'silent')
  return [
    ['1 durable sale, native p50 / raw flush', one('pos-kernel', 'p50_in_raw_flushes'), '<=', 1.15],
    ['1 the same call by call', one('pos-kernel-calls', 'p50_in_raw_flushes'), '<=', 1.15],
    [
      '2 Node, sell / better-sqlite3 rows (rate)',
      over(nodeRate('one', 'pos-kernel'), nodeRate('one', 'better-sqlite3-rows')),
      '>=',
      2,
    ],
    [
      '2 Node, call by call / better-sqlite3 rows',
      over(nodeRate('one', 'pos-kernel-calls'), nodeRate('one', 'better-sqlite3-rows')),
      '>=',
      2,
    ],
    [
      '2 Node, sell / better-sqlite3 one blob',
      over(nodeRate('one', 'pos-kernel'), nodeRate('one', 'better-sqlite3-blob')),
      '>=',
      1.3,
    ],
    [
      '3 64 in flight: native / better-sqlite3 batched',
      over(many('in-flight-64', 'pos-kernel'), batched),
      '>=',
      3,
    ],
    [
      '3 64 in flight: Node / better-sqlite3 rows batched',
      over(nodeRate('in-flight-64', 'pos-kernel'), nodeRate('in-flight-64', 'better-sqlite3-rows')),
      '>=',
      2,
    ],
    [
      '3 64 in flight: Node / better-sqlite3 blob (stretch)',
      over(nodeRate('in-flight-64', 'pos-kernel'), batched),
      '>=',
      1,
    ],
    [
      '4 64 threads / RocksDB',
      over(many('threads-64', 'pos-kernel'), many('threads-64', 'rocksdb')),
      '>=',
      2.5,
    ],
    [
      '5 64 threads, flush + 5 ms: share of the ideal',
      figure('native', 'threads-64', 'pos-kernel', 'share_of_ideal', slow),
      '>=',
      0.85,
    ],
    [
      '5 64 in flight, flush + 5 ms: share of the ideal',
      figure('native', 'in-flight-64', 'pos-kernel', 'share_of_ideal', slow),
      '>=',
      0.85,
    ],
    [
      '5 the same from Node',
      figure('node', 'in-flight-64', 'pos-kernel', 'share_of_ideal', slow),
      '>=',
      0.85,
    ],
    [
      '7 CPU of a sale, native (us)',
      figure('native', 'cpu', 'pos-kernel', 'cpu_per_sale'),
      '<=',
      8,
    ],
    ['7 CPU of a sale, Node (us)', figure('node', 'cpu', 'pos-kernel', 'cpu_per_sale'), '<=', 20],
    ...results
      .filter((line) => line.metric === 'ready' && line.peer === 'pos-kernel')
      .map((line) => [`8 ready after kill -9 (ms), ${line.workload}`, line.value, '<=', 5]),
    [
      '9 audit of 1,000,000 sales, checksums and chain (ms)',
      figure('native', 'recovery-1000000', 'pos-kernel', 'audit_chain'),
      '<=',
      2_000,
    ],
    [
      '9 the same with invariants (ms)',
      figure('native', 'recovery-1000000', 'pos-kernel', 'audit'),
      '<=',
      5_000,
    ],
    [
      '10 private memory, native (KiB)',
      figure('native', 'memory', 'pos-kernel', 'private_above_bare'),
      '<=',
      1536,
    ],
    [
      '10 private memory over bare Node (KiB)',
      figure('node', 'memory', 'pos-kernel', 'private_above_bare'),
      '<=',
      6144,
    ],
    ['11 silent damage, bits (of the tries)', silent('native', 'pos-kernel', 'bit'), '<=', 0],
    ['11 silent damage, blocks (of the tries)', silent('native', 'pos-kernel', 'block'), '<=', 0],
  ].filter(([, value]) => value !== undefined)
}

function report() {
  const reached = goals().map(([goal, value, direction, target]) => ({
    goal,
    value,
    target: `${direction} ${target}`,
    ok: direction === '<=' ? value <= target : value >= target,
  }))
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memory: totalmem() }
  const named = results.map(({ side, workload, peer, metric, value, unit, ...rest }) => {
    const limit = figure(side, workload, 'raw', metric, rest.flushDelayMs ?? 0)
    const ratio = peer === 'raw' || limit === undefined || limit === 0 ? null : value / limit
    return { name: `${side}/${workload}/${metric}`, peer, value, unit, ratio, ...rest }
  })
  if (given.json) {
    process.stdout.write(`${JSON.stringify({ results: named, goals: reached, machine })}\n`)
    return
  }
  table()
  process.stdout.write('\nGoals (ratios inside this run)\n')
  for (const { goal, value, target, ok } of reached) {
    process.stdout.write(
      `  ${ok ? 'reached' : 'MISSED '}  ${goal.padEnd(56)} ${value.toFixed(2).padStart(9)}   ${target}\n`,
    )
  }
}

function table() {
  const metrics = new Map([
    ['rate', 'sales/s'],
    ['p50', 'p50 us'],
    ['p99', 'p99 us'],
    ['p50_in_raw_flushes', 'flushes'],
    ['share_of_ideal', 'of ideal'],
    ['cpu_per_sale', 'cpu us'],
    ['ready', 'ready ms'],
    ['read_all', 'read ms'],
    ['audit_chain', 'chain ms'],
    ['audit', 'audit ms'],
    ['disk_per_sale', 'B/sale'],
    ['private_above_bare', 'KiB'],
    ['silent', 'silent'],
    ['detected', 'detected'],
    ['crashed', 'crashed'],
  ])
  const groups = new Map()
  for (const line of results) {
    if (!metrics.has(line.metric)) continue
    const delay = line.flushDelayMs ? `, flush + ${line.flushDelayMs} ms` : ''
    const title = `${line.side} ${line.workload}${delay}`
    const peers = groups.get(title) ?? new Map()
    groups.set(title, peers)
    const row = peers.get(line.peer) ?? []
    peers.set(line.peer, row)
    row.push(`${metrics.get(line.metric)} ${shown(line.value)}`)
  }
  for (const [title, peers] of groups) {
    process.stdout.write(`\n${title}\n`)
    for (const [peer, row] of peers) {
      process.stdout.write(`  ${peer.padEnd(22)} ${row.join('   ')}\n`)
    }
  }
}

function shown(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
}
