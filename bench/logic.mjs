// `bench logic`: the minimiser beside the C program of 1988 and the bindings to it, and the goals.
//
//   node bench/logic.mjs [--quick] [--exact] [--table] [--rounds N] [--json]
//
// The native program measures; this builds it, runs it and shows what it found. `--quick` runs one
// round of the normal mode on the files whose name begins with m, to see that everything works.
// `--table` runs the normal mode only and shows every file.

import { spawn } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { LOGIC_PROGRAM, setupLogic } from './setup.mjs'

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    exact: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
  },
})
const usual = ['normal', 'fast', 'primes', 'inside', 'threads', 'concurrent', 'isolated']
const lines = []

setupLogic()
if (given.quick) await measure(['normal'], 1, ['--only', 'm1'])
else await measure(given.table ? ['normal'] : usual, given.rounds ?? 3, [])
if (given.exact) await measure(['exact'], 1, [])
report()

async function measure(workloads, rounds, more) {
  const args = ['run', '--goals', 'json', '--rounds', rounds, '--workloads', workloads.join()]
  const child = spawn(LOGIC_PROGRAM, [...args, ...more].map(String), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((end) => child.once('close', end))
  for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line))
  const code = await ended
  if (code !== 0) throw new Error(`${LOGIC_PROGRAM} ended with ${code}`)
}

function report() {
  const goals = lines.filter(({ workload }) => workload === 'goal')
  if (given.json) {
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memory: totalmem() }
    const shown = goals.map(({ workload: _, ...goal }) => goal)
    process.stdout.write(`${JSON.stringify({ results: results(), goals: shown, machine })}\n`)
    return
  }
  if (given.table) showFiles()
  const head = ['#', 'measure', 'floor', 'target', 'moonshot', 'measured']
  const rows = goals.map((goal) => [
    ...[goal.row, goal.what, goal.floor, goal.target, goal.moonshot],
    goal.measured.trim(),
  ])
  show(head, rows)
}

/** Every file of the normal mode: what came of it on each side, and the word of the checker. */
function showFiles() {
  const pair = ['C', 'ours']
  const head = [
    'file',
    ...['products', 'literals', 'ms', 'KiB'].flatMap((of) => pair.map((side) => `${of} ${side}`)),
  ]
  const rows = lines
    .filter(({ workload }) => workload === 'normal')
    .map(({ file, products, literals, processorMs, peakKib, cFinished, equivalent }) => [
      file,
      ...[products, literals, processorMs, peakKib].flatMap(({ c, ours }) => [c ?? '-', ours]),
      cFinished ? (processorMs.ours / processorMs.c).toFixed(3) : '-',
      equivalent ? 'equivalent' : 'WRONG',
    ])
  show(
    [...head, 'time ratio', 'checker'],
    rows.map((row) => row.map(String)),
  )
  process.stdout.write('\n')
}

function show(head, rows) {
  const widths = head.map((name, at) =>
    Math.max(...[name, ...rows.map((row) => row[at])].map(size)),
  )
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, at) => cell + ' '.repeat(Math.max(0, widths[at] - size(cell))))
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`)
  }
}

/** How wide a text is; the last column may be as long as it likes. */
function size(text) {
  return [...text].length
}

/** Every figure of every file as one result for each side; the ratio is to the C program. */
function results() {
  const units = { products: 'products', literals: 'literals', processorMs: 'ms', peakKib: 'KiB' }
  return lines.flatMap(({ workload, file, ...figures }) =>
    Object.entries(units).flatMap(([figure, unit]) => {
      const pair = figures[figure]
      if (file === undefined || pair === undefined) return []
      return Object.entries(pair)
        .filter(([, value]) => value !== null)
        .map(([side, value]) => ({
          name: `${workload}/${file}/${figure}`,
          peer: side === 'ours' ? 'pos-kernel' : side === 'c' ? 'espresso-c' : 'espresso-logic',
          value,
          unit,
          ratio: side === 'ours' && pair.c > 0 ? value / pair.c : null,
        }))
    }),
  )
}
