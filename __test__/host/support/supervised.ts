/** Hosts of tests: in a folder of their own, and nothing of them is left when their test is over. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import {
  identityOf,
  type ProcessIdentity,
  parentOf,
  stillRuns,
} from '../../../ts/host/launcher/identity.js'
import type { Launcher, LaunchOrder } from '../../../ts/host/launcher/launcher.js'
import { NodeLauncher } from '../../../ts/host/launcher/node.js'
import { openGovernor } from '../../../ts/host/limits/system.js'
import type { HostManifestInput } from '../../../ts/host/manifest/manifest.js'
import { HostPlace } from '../../../ts/host/place.js'
import { type Host, startHost } from '../../../ts/host/start.js'
import type { AppStatus, HostEvent } from '../../../ts/host/supervisor/status.js'
import { projectRoot } from '../../support/child.js'

const programs = path.join(projectRoot, '__test__/host/support/programs')
/** An app that speaks the control protocol. */
export const speaker = path.join(programs, 'speaker.mjs')
/** An app as apps are written. */
export const member = path.join(programs, 'member.mjs')
/** An app that writes to others when it is told. */
export const writer = path.join(programs, 'writer.mjs')

type AppInput = HostManifestInput['apps'][number]

/** An app of a manifest. */
export function appOf(
  uuid: string,
  args: readonly string[] = [],
  rest: Omit<Partial<AppInput>, 'startup_app'> & {
    readonly kind?: 'terminal'
    readonly script?: string
  } = {},
): AppInput {
  const { kind, script = speaker, ...app } = rest
  const terminal = kind === undefined ? {} : { kind, terminal: uuid }
  return {
    startup_app: { uuid, name: uuid, script, args: [...args], ...terminal },
    ...app,
  }
}

/** An empty folder for a store; every process that the host in it started is gone when the test is over. */
export function hostRoot(t: ExecutionContext): string {
  const root = mkdtempSync(path.join(os.tmpdir(), 'pk-host-'))
  t.teardown(async () => {
    const pids = processesOf(root)
    // The parent of an app is its launcher, which has something to write behind it.
    const launchers = pids.map((pid) => identityOf(parentOf(pid) ?? 0))
    for (const pid of pids) kill(pid)
    while (processesOf(root).length > 0 || launchers.some((each) => each && stillRuns(each)))
      await delay(5)
    // Control groups of a supervisor that left its apps: nobody comes to take them over.
    const governor = openGovernor({ place: new HostPlace(root) })
    await governor.sweep(new Set())
    governor.close()
    rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 })
  })
  return root
}

/** A host, where it is, what happened in it, and what its launcher was told. */
type TestHost = Host & {
  readonly root: string
  readonly heard: HostEvent[]
  readonly told: LaunchOrder[]
}

/** A host that runs. */
export async function hostFor(
  t: ExecutionContext,
  manifest: HostManifestInput,
  root = hostRoot(t),
): Promise<TestHost> {
  const told: LaunchOrder[] = []
  const node = new NodeLauncher({ root })
  const launcher: Launcher = {
    name: node.name,
    takes: (app) => node.takes(app),
    adopt: (...found) => node.adopt(...found),
    launch: (order) => {
      told.push(order)
      return node.launch(order)
    },
  }
  const host = await startHost({
    root,
    manifest: { isolation: 'none', ...manifest },
    launchers: [launcher],
  })
  const heard: HostEvent[] = []
  host.follow((event) => heard.push(event))
  t.teardown(() => host.leave())
  return Object.assign(host, { root, heard, told })
}

/** An app's status. */
export function appOn(host: Host, uuid: string): AppStatus {
  const app = host.status().apps.find((each) => each.uuid === uuid)
  if (app === undefined) throw new Error(`no app ${uuid}`)
  return app
}

/** Waits for a fact. */
export async function until<T>(look: () => T | undefined | false, what: string): Promise<T> {
  const end = performance.now() + 30_000
  for (;;) {
    const found = look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`)
    await delay(5)
  }
}

/** Waits until an app is in a state. */
export function inState(host: Host, uuid: string, ...states: AppStatus['state'][]) {
  return until(
    () => {
      const app = appOn(host, uuid)
      return states.includes(app.state) ? app : undefined
    },
    `${uuid} to be ${states.join(' or ')}`,
  )
}

/** Kills a process; nothing when it is gone. */
export function kill(pid: number | null, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    if (pid !== null) process.kill(pid, signal)
  } catch {
    // It is gone.
  }
}

/** Processes that have this folder in what they were told: those of the host in it. */
export function processesOf(root: string): number[] {
  const pids = new Set<number>()
  const apps = path.join(root, 'host', 'apps')
  for (const app of names(apps)) {
    for (const run of names(path.join(apps, app, 'runs'))) {
      for (const file of ['instance.json', 'ended.json']) {
        const record = json(path.join(apps, app, 'runs', run, file))
        if (record?.process !== undefined && stillRuns(record.process)) pids.add(record.process.pid)
      }
    }
  }
  return [...pids]
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function json(file: string): { readonly process?: ProcessIdentity } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}
