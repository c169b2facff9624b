/**
 * What every launcher is held to, whatever kind of app it starts. A launcher's own test file calls this with the apps
 * that it can start; what only that kind can do is tested there.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestFn } from 'ava'
import { isHostError } from '../../../ts/host/error.js'
import { readExit } from '../../../ts/host/launcher/exit.js'
import {
  identityOf,
  type ProcessIdentity,
  parentOf,
  stillRuns,
  treeOf,
} from '../../../ts/host/launcher/identity.js'
import type {
  Confinement,
  Launched,
  Launcher,
  LaunchOrder,
  RunFolders,
} from '../../../ts/host/launcher/launcher.js'
import { type AppManifest, parseManifest } from '../../../ts/host/manifest/manifest.js'
import { HostPlace, uuidOf } from '../../../ts/host/place.js'

/** A launcher under test. */
export interface Subject {
  /** A launcher for the store in `root`. */
  launcher(root: string): Launcher
  /** `startup_app`, but for uuid and name, of an app that stays. */
  readonly idle: Readonly<Record<string, unknown>>
  /** Makes an order into one that cannot be started. */
  spoil(order: LaunchOrder): LaunchOrder
  /**
   * For a launcher whose apps end with its process: a program that launches the order in the file of its first argument,
   * prints who the app is, and stays.
   */
  readonly spawner?: string
  /** What the app needs of a confinement to run at all. */
  readonly confinement?: Confinement
  /** Resolves when the app that was launched does what it is there for. */
  started?(bench: Bench, launched: Launched): Promise<void>
}

/** A store's folder for tests of launchers, which cleans up every process and file that it made. */
export class Bench {
  readonly root = mkdtempSync(path.join(os.tmpdir(), 'pk-launch-'))
  readonly place = new HostPlace(this.root)
  readonly launcher: Launcher
  readonly #subject: Subject
  readonly #launched: Launched[] = []

  constructor(subject: Subject) {
    this.#subject = subject
    this.launcher = subject.launcher(this.root)
  }

  /** An app by its `startup_app`. */
  app(uuid: string, startup: Readonly<Record<string, unknown>>, more: object = {}): AppManifest {
    const manifest = parseManifest(
      {
        apps: [
          {
            startup_app: { uuid, name: uuid, ...startup },
            permissions: { childProcess: true },
            ...more,
          },
        ],
      },
      this.root,
    )
    return manifest.apps[0] as AppManifest
  }

  /** An order for an app, with its folders made. */
  order(app: AppManifest, instance: string, confinement?: Confinement): LaunchOrder {
    const uuid = uuidOf(instance)
    const folders = {
      instance: this.place.instance(instance),
      run: this.place.run(instance),
      data: this.place.app(uuid, 'data'),
      log: this.place.app(uuid, 'log'),
    }
    for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true })
    return {
      app,
      instance,
      token: 'a'.repeat(64),
      folders,
      sockets: { control: this.place.controlSocket, bus: this.place.busSocket },
      confinement: { groups: [], ...this.#subject.confinement, ...confinement },
    }
  }

  /** The two folders of a run. */
  foldersOf(instance: string): RunFolders {
    return { instance: this.place.instance(instance), run: this.place.run(instance) }
  }

  /** Starts an app and waits until it is at work. */
  async launch(
    uuid: string,
    startup: Readonly<Record<string, unknown>>,
    confinement?: Confinement,
    more: object = {},
  ): Promise<Launched> {
    return this.launchOrder(this.order(this.app(uuid, startup, more), `${uuid}.1`, confinement))
  }

  /** Starts what was ordered, and ends it when the test is over. */
  async launchOrder(order: LaunchOrder): Promise<Launched> {
    const launched = await this.launcher.launch(order)
    this.#launched.push(launched)
    return launched
  }

  async started(launched: Launched): Promise<void> {
    await this.#subject.started?.(this, launched)
  }

  /** What an app wrote in its folder. */
  said(uuid: string): Promise<Record<string, unknown>> {
    const file = this.place.app(uuid, 'data', 'said.json')
    return until(`${uuid} writes said.json`, () => {
      try {
        return JSON.parse(readFileSync(file, 'utf8'))
      } catch {
        return undefined
      }
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#launched.map((launched) => launched.kill()))
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Waits for a fact, with a limit. */
export async function until<T>(what: string, fact: () => T | undefined | false): Promise<T> {
  const end = Date.now() + 60_000
  for (;;) {
    const found = fact()
    if (found !== undefined && found !== false) return found
    if (Date.now() > end) throw new Error(`waited a minute for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Whether a process of this number runs. */
export const runs = (pid: number): boolean => identityOf(pid) !== undefined

/** A process that launched an order, and the app that it launched. */
export async function spawnerOf(
  { spawner }: Subject,
  bench: Bench,
  order: LaunchOrder,
): Promise<{ spawner: ChildProcess; identity: ProcessIdentity }> {
  if (spawner === undefined) throw new Error('there is no spawner')
  const file = path.join(bench.root, 'order.json')
  writeFileSync(file, JSON.stringify(order))
  const args = ['--import=@oxc-node/core/register', spawner, file]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const identity = await new Promise<ProcessIdentity>((resolve, reject) => {
    child.stdout.once('data', (chunk) => resolve(JSON.parse(String(chunk))))
    child.once('exit', () => reject(new Error('the spawner ended')))
  })
  return { spawner: child, identity }
}

/** The tests. */
export function launcherContract(test: TestFn, name: string, subject: Subject): void {
  const check = (
    title: string,
    body: (bench: Bench, t: import('ava').ExecutionContext) => unknown,
  ) =>
    test.serial(`${name}: ${title}`, async (t) => {
      const bench = new Bench(subject)
      t.teardown(() => bench.close())
      await body(bench, t)
    })

  check('two apps are two processes, and each is who it is said to be', async (bench, t) => {
    const [a, b] = await Promise.all([
      bench.launch('a', subject.idle),
      bench.launch('b', subject.idle),
    ])
    t.not(a.process.pid, b.process.pid)
    t.deepEqual(identityOf(a.process.pid), a.process)
    t.deepEqual(identityOf(b.process.pid), b.process)
    t.true((await a.pids()).includes(a.process.pid))
    const both = new Set([...(await a.pids()), ...(await b.pids())])
    t.is(both.size, (await a.pids()).length + (await b.pids()).length)
  })

  check('an app that cannot be started is an error, and nothing of it runs', async (bench, t) => {
    const order = subject.spoil(bench.order(bench.app('a', subject.idle), 'a.1'))
    const error = await t.throwsAsync(bench.launcher.launch(order))
    if (!isHostError(error, 'HOST_LAUNCH')) return t.fail(String(error))
    t.is(error.facts.uuid, 'a')
    t.is(typeof error.facts.step, 'string')
    t.is(readExit(order.folders.run), undefined)
  })

  check('the end of one is seen once, and the other goes on', async (bench, t) => {
    const [a, b] = await Promise.all([
      bench.launch('a', subject.idle),
      bench.launch('b', subject.idle),
    ])
    await Promise.all([bench.started(a), bench.started(b)])
    t.true(a.signal('SIGKILL'))
    const record = await a.exited
    t.is(record.signal, 'SIGKILL')
    t.is(record.code, null)
    t.is(record.endedBy, null)
    t.true((record.maxRssBytes ?? 0) > 0)
    t.false(a.signal('SIGKILL'))
    t.deepEqual(await a.pids(), [])
    t.true(stillRuns(b.process))
    const written = await until('exit.json', () => readExit(bench.place.run('a.1')))
    t.deepEqual(written, record)
  })

  check('kill ends the whole tree and says who did it', async (bench, t) => {
    const a = await bench.launch('a', subject.idle)
    await bench.started(a)
    const tree = await a.pids()
    await a.kill()
    t.is((await a.exited).endedBy, 'asked')
    for (const pid of tree) t.false(runs(pid), `process ${pid} is left`)
    await a.kill()
  })

  if (subject.launcher(os.tmpdir()).lacks?.survival !== undefined) {
    check(
      'an app ends with the process that launched it, and is not found again',
      async (bench, t) => {
        const order = bench.order(bench.app('a', subject.idle), 'a.1')
        const { spawner, identity } = await spawnerOf(subject, bench, order)
        await bench.said('a')
        const tree = treeOf(identity.pid)
        const over = once(spawner, 'exit')
        spawner.kill('SIGKILL')
        await over
        const folders = bench.foldersOf('a.1')
        t.is(await bench.launcher.adopt(order.app, 'a.1', identity, folders), undefined)
        for (const pid of tree) t.false(runs(pid), `process ${pid} is left`)
      },
    )
    return
  }

  check('what was let go goes on, is found again, and its end is seen', async (bench, t) => {
    const a = await bench.launch('a', subject.idle)
    await bench.started(a)
    a.release()
    const app = bench.app('a', subject.idle)
    const folder = bench.foldersOf('a.1')
    const other = subject.launcher(bench.root)
    const wrong = { ...a.process, startTime: a.process.startTime + 1 }
    t.is(await other.adopt(app, 'a.1', wrong, folder), undefined)
    t.is(await other.adopt(app, 'a.1', { ...a.process, bootId: 'another' }, folder), undefined)
    const found = await other.adopt(app, 'a.1', a.process, folder)
    if (found === undefined) return t.fail('the app was not found')
    t.deepEqual(found.process, a.process)
    t.true((await found.pids()).includes(a.process.pid))
    t.true(stillRuns(a.process))
    const tree = await found.pids()
    await found.kill()
    t.is((await found.exited).endedBy, 'asked')
    for (const pid of tree) t.false(runs(pid), `process ${pid} is left`)
    t.is(await other.adopt(app, 'a.1', a.process, folder), undefined)
  })

  check('an app dies with its launcher, and so does what descends from it', async (bench, t) => {
    const a = await bench.launch('a', subject.idle)
    await bench.started(a)
    const launcher = parentOf(a.process.pid)
    if (launcher === undefined || launcher === process.pid) return t.fail('it has no launcher')
    const tree = await a.pids()
    process.kill(launcher, 'SIGKILL')
    t.like(await a.exited, { code: null, signal: null, endedBy: null })
    for (const pid of tree) t.false(runs(pid), `process ${pid} is left`)
  })
}
