// `bench terminals`: a hundred terminal processes on one machine, from C and from Node.
//
//   node bench/terminals.mjs [--quick] [--json] [--terminals N] [--seconds S]
//
// Each process opens a terminal of its own and rings up one sale; then all of them idle. Memory, file
// descriptors and idle processor time are read from /proc, beside bare processes of the same run that
// load nothing of ours.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = resolve(HERE, '..')
const PREFIX = join(ROOT, 'target', 'capi')

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    terminals: { type: 'string' },
    seconds: { type: 'string' },
  },
})
const count = Number(given.terminals ?? (given.quick ? 8 : 100))
const seconds = Number(given.seconds ?? (given.quick ? 2 : 20))
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const say = (text) => process.stderr.write(`${text}\n`)
const results = []

for (const host of [inC(), inNode()]) await measure(host)
report()

/** A host in C, compiled against the library that `npm run build:capi` makes. */
function inC() {
  if (!existsSync(join(PREFIX, 'lib'))) {
    say('terminals: npm run build:capi')
    execFileSync('npm', ['run', '-s', 'build:capi'], { cwd: ROOT, stdio: ['ignore', 2, 2] })
  }
  const program = join(ROOT, 'target', 'bench-terminal')
  const paths = [`-I${join(PREFIX, 'include')}`, `-L${join(PREFIX, 'lib')}`]
  const found = [`-Wl,-rpath,${join(PREFIX, 'lib')}`, '-lpos_kernel']
  const source = join(HERE, 'terminal-child.c')
  execFileSync('gcc', ['-O2', source, ...paths, ...found, '-o', program], { stdio: 'inherit' })
  return { name: 'C', start: (args) => [program, args], goals: { privateMb: 3 } }
}

function inNode() {
  const program = join(HERE, 'terminal-child.mjs')
  const start = (args) => [process.execPath, [program, ...args]]
  return { name: 'Node', start, goals: { overBareMb: 10 } }
}

async function measure({ name, start, goals }) {
  mkdirSync(join(HERE, 'results'), { recursive: true })
  const store = mkdtempSync(join(HERE, 'results', 'terminals-'))
  const children = []
  const launch = (args) => {
    const [program, all] = start(args)
    const child = spawn(program, all, { stdio: ['pipe', 'pipe', 'inherit'] })
    children.push(child)
    return child
  }
  try {
    say(`${name}: 3 bare processes, then ${count} terminals`)
    const bare = [0, 1, 2].map(() => launch(['bare']))
    await Promise.all(bare.map(ready))
    const begun = performance.now()
    const terminals = Array.from({ length: count }, (_, index) => {
      return launch([store, `T${String(index + 1).padStart(3, '0')}`])
    })
    await Promise.all(terminals.map(ready))
    const readyS = (performance.now() - begun) / 1000
    // What an opening leaves to do behind it, such as preparing the next segment, comes to its end.
    await delay(2000)
    const before = terminals.reduce((sum, { pid }) => sum + processorTicks(pid), 0)
    await delay(seconds * 1000)
    const after = terminals.reduce((sum, { pid }) => sum + processorTicks(pid), 0)
    const of = (processes, value) => processes.map(({ pid }) => value(pid)).sort((a, b) => a - b)
    const privateMb = of(terminals, privateMemory)
    const bareMb = middle(of(bare, privateMemory))
    const fds = of(terminals, descriptors).at(-1) - middle(of(bare, descriptors))
    const idle = ((after - before) / ticks / seconds) * 100
    const most = privateMb.at(-1)
    take(name, 'private memory, the largest', most, 'MB', goals.privateMb)
    take(
      name,
      'private memory over a bare process, the largest',
      most - bareMb,
      'MB',
      goals.overBareMb,
    )
    take(name, 'private memory of a bare process', bareMb, 'MB')
    take(name, 'file descriptors over a bare process, the most', fds, '', 10)
    take(name, 'all open and ready', readyS, 's', 20)
    take(name, 'idle processor time of all together', idle, '% of a core', 3)
  } finally {
    for (const child of children) child.stdin.end()
    await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')))
    rmSync(store, { recursive: true, force: true })
  }
}

function take(host, what, value, unit, goal) {
  results.push({ name: `${what} (${host}, ${count})`, value: Number(value.toFixed(2)), unit, goal })
}

async function ready(child) {
  const [answer] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  if (String(answer) !== 'ready\n') throw new Error(`a process ended: ${String(answer)}`)
}

function privateMemory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kilobytes = [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].map(([, size]) =>
    Number(size),
  )
  return kilobytes.reduce((sum, size) => sum + size, 0) / 1024
}

function descriptors(pid) {
  return readdirSync(`/proc/${pid}/fd`).length
}

function processorTicks(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

function middle(sorted) {
  return sorted[Math.floor(sorted.length / 2)]
}

function report() {
  if (given.json) {
    console.log(JSON.stringify({ results, machine: { terminals: count, tmp: tmpdir() } }))
    return
  }
  for (const { name, value, unit, goal } of results) {
    const aim =
      goal === undefined ? '' : `  (at most ${goal})  ${value <= goal ? 'reached' : 'missed'}`
    console.log(`${name}: ${value} ${unit}${aim}`)
  }
}
