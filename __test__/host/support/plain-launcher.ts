/**
 * The least that can launch: bare child processes, without limits and without a parent that stays. What a supervisor
 * does is tested with it wherever the real launcher makes no difference.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExitRecord } from '../../../ts/host/launcher/exit.js'
import type { ProcessIdentity } from '../../../ts/host/launcher/identity.js'
import type { Launched, Launcher } from '../../../ts/host/launcher/launcher.js'
import type { Governor, Hold } from '../../../ts/host/limits/governor.js'

const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

/** Launches Node programs. */
export const plainLauncher: Launcher = {
  name: 'node',
  takes: (app) => app.startup_app.script !== undefined,
  async launch(order) {
    const { startup_app: startup, health, orphanMs } = order.app
    const args = [...startup.nodeArgs, startup.script ?? '', ...startup.args]
    const child = spawn(process.execPath, args, {
      detached: true,
      env: { PATH: process.env.PATH, POS_KERNEL_HOST_FD: '3', ...startup.env },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    })
    const exited = new Promise<ExitRecord>((resolve) => {
      child.once('exit', (code, signal) => resolve(record(code, signal)))
      child.once('error', () => resolve(record(1, null)))
    })
    const pipe = child.stdio[3] as NodeJS.WritableStream
    pipe.on('error', () => {})
    pipe.end(
      JSON.stringify({
        instance: order.instance,
        token: order.token,
        uuid: startup.uuid,
        sockets: order.sockets,
        dataFolder: order.folders.data,
        instanceFolder: order.folders.instance,
        heartbeatMs: health.heartbeatMs,
        hangMs: health.hangMs,
        orphanMs,
        kind: startup.kind,
        app: startup,
      }),
    )
    const pid = child.pid ?? 0
    return launched(
      order.instance,
      { pid, startTime: startTimeOf(pid) ?? 0, bootId },
      exited,
      child,
    )
  },
  async adopt(_app, instance, identity) {
    const lives = () => startTimeOf(identity.pid) === identity.startTime
    if (identity.bootId !== bootId || !lives()) return undefined
    let isLeft = false
    const exited = (async () => {
      while (lives()) {
        await delay(5, undefined, { ref: false })
        if (isLeft) return new Promise<ExitRecord>(() => {})
      }
      return record(null, null)
    })()
    const adopted = launched(instance, identity, exited)
    const release = () => {
      isLeft = true
    }
    return { ...adopted, release }
  },
}

/** Holds nobody to anything. */
export const plainGovernor: Governor = {
  rings: { memory: [], cpu: [], processes: [], missing: [] },
  prepare: async () => plainHold(),
  adopt: async () => plainHold(),
  sweep: async () => {},
}

function plainHold(): Hold {
  return {
    confinement: { groups: [] },
    rings: { memory: 'none', cpu: 'none' },
    usage: async () => ({ memory: 0, rss: 0, cpuMs: 0, processes: 1, files: 0 }),
    oomKills: async () => 0,
    change: async () => {},
    killAll: async () => false,
    remove: async () => {},
  }
}

function launched(
  instance: string,
  identity: ProcessIdentity,
  exited: Promise<ExitRecord>,
  child?: ChildProcess,
): Launched {
  const signal = (name: NodeJS.Signals) => {
    try {
      return process.kill(identity.pid, name)
    } catch {
      return false
    }
  }
  return {
    instance,
    process: identity,
    exited,
    pids: async () => [identity.pid],
    signal,
    kill: async () => {
      signal('SIGKILL')
      await exited
    },
    release: () => child?.unref(),
  }
}

function record(code: number | null, signal: string | null): ExitRecord {
  const unknown = { endedBy: null, oomKilled: false, maxRssBytes: null, cpuMs: null }
  return { code, signal, ...unknown, at: Date.now() }
}

/** When a process started; undefined when it is gone or only waits to be collected. */
function startTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : Number(fields[19])
  } catch {
    return undefined
  }
}
