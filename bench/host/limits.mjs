/**
 * How well each means holds: memory against leaks of 100 and 1000 MiB a second, and CPU averaged over ten seconds.
 *
 *     node bench/host/limits.mjs           every means of this machine
 *     node bench/host/limits.mjs --json    the same as JSON
 *     node bench/host/limits.mjs --only cpu
 *     node bench/host/limits.mjs --means cgroup2    by one means alone
 *     node bench/host/limits.mjs --machine    cgroup version 2 in a Linux of Debian's user-mode-linux, for machines without
 *     node bench/host/limits.mjs --quick   one round, two seconds
 *
 * Memory: most anonymous bytes above the limit, in percent: of a group the kernel's own high-water mark, else the
 * high-water mark of resident bytes less what was resident of files before the leak. CPU: points of difference between
 * target and what the app used, by the group's account or the process's clock. An app that stays below its limit and was
 * ready to run meanwhile, which the scheduler counts, was not held there but kept from the processor by others: that is
 * said, and no error is told.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { NodeLauncher } from '../../dist/host/launcher/node.js'
import { openGovernor } from '../../dist/host/limits/system.js'
import { giveFolders } from '../../dist/host/limits/users.js'
import { parseManifest } from '../../dist/host/manifest/manifest.js'
import { HostPlace } from '../../dist/host/place.js'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    means: { type: 'string' },
    machine: { type: 'boolean', default: false },
  },
})
if (values.machine) process.exit(inMachine())
const rounds = values.quick ? 1 : 3
const cpuMs = values.quick ? 2000 : 10_000
const MiB = 1024 * 1024
const maxMemory = 128 * MiB
const gates = { memoryPercent: 1, cpuPoints: 3 }
const moons = { memoryPercent: 0, cpuPoints: 0.5 }
const eater = path.join(
  fileURLToPath(new URL('../..', import.meta.url)),
  '__test__/host/limits/apps/eat.mjs',
)

const root = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-limits-'))
chmodSync(root, 0o755)
const place = new HostPlace(root)
const launcher = new NodeLauncher({ root })
const results = { memory: [], cpu: [] }
let run = 0

try {
  const wanted = (means) => values.means === undefined || values.means === means
  if (values.only !== 'cpu')
    for (const only of ['cgroup2', 'cgroup1', 'rlimit', 'poll'].filter(wanted)) await memory(only)
  if (values.only !== 'memory')
    for (const only of ['cgroup2', 'cgroup1', 'rlimit'].filter(wanted)) await cpu(only)
} finally {
  rmSync(root, { recursive: true, force: true })
}
if (values.json) console.log(JSON.stringify({ limitBytes: maxMemory, gates, moons, ...results }))

/** An app under one means alone. */
async function start(governor, args, limits) {
  run += 1
  const [app] = parseManifest(
    {
      apps: [
        {
          startup_app: {
            uuid: `run${run}`,
            name: 'run',
            script: eater,
            args,
            env: { EAT_WHEN_TOLD: '1' },
          },
          resourceLimits: limits,
        },
      ],
    },
    root,
  ).apps
  const instance = `run${run}.1`
  const folders = {
    instance: place.instance(instance),
    run: place.run(instance),
    data: place.app(`run${run}`, 'data'),
    log: place.app(`run${run}`, 'log'),
  }
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o755 })
  const hold = await governor.prepare(app, instance, 'best')
  if (hold.confinement.user !== undefined) giveFolders(folders, hold.confinement.user)
  const sockets = { control: place.controlSocket, bus: place.busSocket }
  const { confinement } = hold
  const launched = await launcher.launch({
    app,
    instance,
    token: '0'.repeat(64),
    folders,
    sockets,
    confinement,
  })
  while (!existsSync(path.join(folders.data, 'ready'))) await sleep(5)
  const usage = async () => hold.usage(await launched.pids())
  return { hold, launched, usage, go: () => writeFileSync(path.join(folders.data, 'go'), '') }
}

async function memory(only) {
  const governor = openGovernor({ place, only })
  if (!governor.rings.memory.includes(only)) return skip('memory', only, governor)
  for (const mibPerSecond of [100, 1000]) {
    const overshoots = []
    let ending
    for (let round = 0; round < rounds; round += 1) {
      const app = await start(governor, ['arrays', String(mibPerSecond)], { maxMemory })
      const before = await app.usage()
      app.go()
      const record = await app.launched.exited
      const files = before.rss - before.memory
      const peak = peakOf(app.hold) ?? record.maxRssBytes - files
      overshoots.push(Math.max(0, ((peak - maxMemory) / maxMemory) * 100))
      ending =
        record.endedBy ??
        (record.oomKilled ? 'ended by the kernel' : `code ${record.code}, a report`)
      await app.hold.remove()
    }
    const worst = Math.max(...overshoots)
    results.memory.push({ means: only, mibPerSecond, overshootPercent: worst, ending })
    say(
      `memory  ${only.padEnd(8)} ${String(mibPerSecond).padStart(5)} MiB/s  overshoot ${worst.toFixed(2)} %  (gate ${gates.memoryPercent}, moon ${moons.memoryPercent})  ${ending}`,
    )
  }
  governor.close()
}

/** The group's own high-water mark. */
function peakOf(hold) {
  for (const procs of hold.confinement.groups) {
    for (const name of ['memory.max_usage_in_bytes', 'memory.peak']) {
      const file = path.join(path.dirname(procs), name)
      if (existsSync(file)) return Number(readFileSync(file, 'latin1'))
    }
  }
  return undefined
}

async function cpu(only) {
  const governor = openGovernor({ place, only })
  const [means] = governor.rings.cpu
  if (means === undefined || (only !== 'rlimit' && means !== only))
    return skip('cpu', only, governor)
  for (const target of [10, 25, 50]) {
    const app = await start(governor, ['burn'], { maxCPU: target })
    app.go()
    await sleep(500)
    const look = async () => ({ ...(await app.usage()), at: performance.now(), ...waits(app) })
    const before = await look()
    await sleep(cpuMs)
    const after = await look()
    const percent = (name) => ((after[name] - before[name]) / (after.at - before.at)) * 100
    const used = percent('cpuMs')
    const waited = Math.max(0, percent('waitedMs') - percent('heldMs'))
    const isStarved = target - used > gates.cpuPoints && waited >= target - used
    await app.launched.kill()
    await app.hold.remove()
    const result = {
      targetPercent: target,
      usedPercent: used,
      waitedPercent: waited,
      starved: isStarved,
    }
    results.cpu.push({ means, ...result })
    const verdict = isStarved
      ? 'the machine was too busy to give this app its limit'
      : `${Math.abs(used - target).toFixed(2)} points off  (gate ${gates.cpuPoints}, moon ${moons.cpuPoints})`
    say(
      `cpu     ${means.padEnd(8)} ${String(target).padStart(5)} %      used ${used.toFixed(2)} %, waited for a processor ${waited.toFixed(2)} %, ${verdict}`,
    )
  }
  governor.close()
}

/** Runs this for cgroup version 2 in a Linux that boots as a process; gives the exit code. */
function inMachine() {
  const kernel = '/usr/bin/linux.uml'
  if (!existsSync(kernel)) {
    console.error(`${kernel} is missing: apt-get install user-mode-linux`)
    return 1
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-machine-'))
  const [out, init] = ['out', 'init.sh'].map((name) => path.join(folder, name))
  const flags = Object.entries({ '--json': values.json, '--quick': values.quick })
    .filter(([, isGiven]) => isGiven)
    .map(([flag]) => flag)
  if (values.only !== undefined) flags.push('--only', values.only)
  const script = `#!/bin/sh
export PATH='${path.dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin' HOME=/
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
'${process.execPath}' '${fileURLToPath(import.meta.url)}' --means cgroup2 ${flags.join(' ')} > '${out}' 2>&1
poweroff -f
`
  try {
    writeFileSync(init, script, { mode: 0o755 })
    const root = [`root=${path.join('/dev', 'root')}`, 'rootfstype=hostfs', 'rootflags=/', 'rw']
    const quiet = ['quiet', 'con=null', 'con0=null,fd:1']
    spawnSync(kernel, ['mem=1024M', ...root, ...quiet, `init=${init}`], { stdio: 'ignore' })
    const said = existsSync(out) ? readFileSync(out, 'utf8') : 'the machine did not boot\n'
    process.stdout.write(said)
    return said.includes('cgroup2') && !said.includes('SKIPPED') ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Milliseconds in which the app could have run and did not, and those of them in which its quota was used up. */
function waits({ launched, hold }) {
  const [, waited] = readFileSync(`/proc/${launched.process.pid}/schedstat`, 'latin1').split(' ')
  let heldMs = 0
  for (const procs of hold.confinement.groups) {
    const file = path.join(path.dirname(procs), 'cpu.stat')
    if (!existsSync(file)) continue
    const text = readFileSync(file, 'latin1')
    // Version 1 counts nanoseconds.
    const nanos = Number(/^throttled_time (\d+)/m.exec(text)?.[1] ?? 0)
    const micros = Number(/^throttled_usec (\d+)/m.exec(text)?.[1] ?? 0)
    heldMs += nanos / 1e6 + micros / 1e3
  }
  return { waitedMs: Number(waited) / 1e6, heldMs }
}

function skip(what, only, governor) {
  const reason =
    governor.rings.missing.find(({ ring }) => ring === only)?.reason ?? 'not on this machine'
  results[what].push({ means: only, skipped: reason })
  say(`${what.padEnd(7)} ${only.padEnd(8)} SKIPPED: ${reason}`)
  governor.close()
}

function say(line) {
  if (!values.json) console.log(line)
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
