/** The contract of launchers for pages, and what only a page can do. Needs Chromium and, for a user of its own, root. */
import { chmodSync, chownSync, existsSync, readFileSync } from 'node:fs'
import http from 'node:http'
import type net from 'node:net'
import type { Duplex } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import { isHostError } from '../../../ts/host/error.js'
import { browserProgram } from '../../../ts/host/launcher/browser.js'
import { ChromiumLauncher, type ChromiumOptions } from '../../../ts/host/launcher/chromium.js'
import { readExit } from '../../../ts/host/launcher/exit.js'
import type { Launched, LaunchOrder } from '../../../ts/host/launcher/launcher.js'
import { Channel, jsonBytes, jsonOf } from '../../../ts/host/wire/channel.js'
import { Bench, launcherContract, runs, type Subject, until } from './contract.js'

const MiB = 1024 * 1024
/** A user without a name: apps have such where the host is root. */
const user = { uid: 64_321, gid: 64_321 }
const isRoot = process.getuid?.() === 0
const blank = 'data:text/html,<title>idle</title>'

const subject: Subject = {
  launcher: (root) => new OwnedLauncher(root),
  idle: { url: blank },
  spoil: (order) => ({
    ...order,
    folders: { ...order.folders, data: `${order.folders.data}-not` },
  }),
  ...(isRoot && { confinement: { groups: [], user } }),
}

/** As the supervisor does: what an app writes belongs to its user. */
class OwnedLauncher extends ChromiumLauncher {
  readonly #root: string

  constructor(root: string, options?: ChromiumOptions) {
    super(options)
    this.#root = root
  }

  override launch(order: LaunchOrder) {
    if (isRoot) {
      chmodSync(this.#root, 0o711)
      for (const folder of [order.folders.data, order.folders.instance]) {
        try {
          chownSync(folder, user.uid, user.gid)
        } catch {
          // A spoiled order names none.
        }
      }
    }
    return super.launch(order)
  }
}

function hasBrowser(): boolean {
  try {
    browserProgram()
    return true
  } catch {
    return false
  }
}

if (!hasBrowser()) {
  test.skip('SKIPPED: no Chromium here; install chromium, or name it in POS_KERNEL_CHROMIUM', () => {})
} else {
  launcherContract(test, 'chromium', subject)

  const each = (title: string, body: (bench: Bench, t: ExecutionContext) => unknown) =>
    test.serial(title, async (t) => {
      const bench = new Bench(subject)
      t.teardown(() => bench.close())
      await body(bench, t)
    })

  each(
    'two pages are two browsers with no process in common, and a crash of one is not of the other',
    async (bench, t) => {
      const a = await bench.launch('a', { url: blank })
      const b = await bench.launch('b', { url: blank })
      t.is(await a.evaluate?.('1 + 1'), 2)
      for (const pid of await renderersOf(a)) process.kill(pid, 'SIGKILL')
      const record = await a.exited
      t.is(record.code, null)
      t.is(record.signal, 'SIGKILL')
      t.is(record.endedBy, null)
      t.is(await b.evaluate?.('1 + 1'), 2)
      t.true(runs(b.process.pid))
      t.deepEqual(await a.pids(), [])
    },
  )

  each('what a page throws is an error with its words, and the page goes on', async (bench, t) => {
    const a = await bench.launch('a', { url: blank })
    const error = await t.throwsAsync(async () =>
      a.evaluate?.('(() => { throw new Error("no receipt") })()'),
    )
    t.true(isHostError(error, 'HOST_DEVTOOLS'))
    t.regex(error?.message ?? '', /no receipt/)
    t.is(await a.evaluate?.('6 * 7'), 42)
  })

  each(
    'a page with 100 MB does not get 200 MB, touched; its neighbour does not notice',
    async (bench, t) => {
      const limits = { resourceLimits: { maxMemory: 100 * MiB } }
      const a = await bench.launch('a', { url: blank }, undefined, limits)
      const b = await bench.launch('b', { url: blank })
      const fill = `(() => { const held = []; globalThis.held = held
      try { for (let i = 0; i < 50; i++) { const a = new Uint8Array(4 * ${MiB}); for (let j = 0; j < a.length; j += 4096) a[j] = 1; held.push(a) } } catch (error) { return [held.length * 4, String(error)] }
      return [held.length * 4, ''] })()`
      const got = await Promise.race([
        a.evaluate?.(fill).catch(() => 'crashed'),
        a.exited.then(() => 'crashed'),
      ])
      if (got === 'crashed') {
        const record = await a.exited
        t.true(record.oomKilled, JSON.stringify(record))
      } else {
        const [megabytes, why] = got as [number, string]
        t.true(megabytes < 100, `${megabytes} MiB were had`)
        t.regex(why, /allocation/)
      }
      t.is(await b.evaluate?.('1 + 1'), 2)
      t.true(runs(b.process.pid))
    },
  )

  each(
    'a page says through its launcher what an app says itself: ready, heartbeats, drained',
    async (bench, t) => {
      const page =
        'data:text/html,<script>globalThis.posKernel={drain:async(why)=>{document.title=why}}</script>'
      const a = await bench.launch('a', { url: page }, undefined, { health: { heartbeatMs: 50 } })
      const said: string[] = []
      t.not(a.voice, undefined)
      if (a.voice === undefined) return
      const channel = new Channel(a.voice, { onNote: (name) => said.push(name) })
      await until('three heartbeats', () => said.filter((name) => name === 'heartbeat').length >= 3)
      t.is(said[0], 'ready')
      const answer = await channel.request('drain', jsonBytes({ why: 'recycle', deadlineMs: 5000 }))
      t.deepEqual(jsonOf(answer), { saved: true })
      const record = await a.exited
      t.is(record.code, 0)
      t.is(record.signal, null)
    },
  )

  each(
    'a page in a loop without end says nothing, and where it is can be seen',
    async (bench, t) => {
      const pages = await ShellServer.start(t, '127.0.0.1')
      const health = { heartbeatMs: 50 }
      const a = await bench.launch('a', { url: pages.appUrl }, undefined, { health })
      const title = () => a.evaluate?.('document.title').catch(() => undefined)
      while ((await title()) !== 'app') await new Promise(setImmediate)
      a.evaluate?.('(function countForEver() { busy() })()').catch(() => {})
      await until('the loop has begun', () => pages.appLoops > 0)
      t.true(a.signal('SIGUSR2'))
      const file = bench.place.instance('a.1', 'page.txt')
      const text = await until('page.txt', () => written(file))
      t.regex(text, /at countForEver/)
      t.true(runs(a.process.pid))
    },
  )

  for (const [title, name] of [
    ["in its shell's renderer", '127.0.0.1'],
    ['in a renderer of its own', 'localhost'],
  ] as const) {
    each(`a page in a shell, ${title}: what is asked and said is the app's`, async (bench, t) => {
      const shell = await ShellServer.start(t, name)
      const launcher = new OwnedLauncher(bench.root, {
        shell: { shows: () => true, addressOf: () => shell.address },
      })
      const app = bench.app('a', { url: shell.appUrl }, { health: { heartbeatMs: 50 } })
      const a = await launcher.launch(bench.order(app, 'a.1'))
      t.teardown(() => a.kill())
      const said: string[] = []
      new Channel(a.voice as Duplex, { onNote: (note) => said.push(note) })
      await until('three heartbeats', () => said.filter((note) => note === 'heartbeat').length >= 3)
      t.is(await a.evaluate?.('document.title'), 'app')
      // It is followed to another site and back.
      for (const url of [shell.otherUrl, shell.appUrl]) {
        await a.evaluate?.(`void setTimeout(() => location.assign('${url}?next'), 0)`)
        const found = () => a.evaluate?.('location.href').catch(() => undefined)
        while ((await found()) !== `${url}?next`) await new Promise(setImmediate)
      }
      a.release()
      const next = await launcher.adopt(app, 'a.1', a.process, bench.foldersOf('a.1'))
      if (next === undefined) throw new Error('the page was not found again')
      t.teardown(() => next.kill())
      t.is(await next.evaluate?.('document.title'), 'app')
      const channel = new Channel(next.voice as Duplex, {})
      const answer = await channel.request('drain', jsonBytes({ why: 'stop', deadlineMs: 5000 }))
      t.deepEqual(jsonOf(answer), { saved: true })
      t.is((await next.exited).code, 0)
      t.deepEqual(shell.drains, ['stop'])
    })

    each(`a page in a shell, ${title}: where it hangs can be seen`, async (bench, t) => {
      const shell = await ShellServer.start(t, name)
      const launcher = new OwnedLauncher(bench.root, {
        shell: { shows: () => true, addressOf: () => shell.address },
      })
      const a = await launcher.launch(bench.order(bench.app('a', { url: shell.appUrl }), 'a.1'))
      t.teardown(() => a.kill())
      a.evaluate?.('(function countForEver() { busy() })()').catch(() => {})
      await until('the loop has begun', () => shell.appLoops > 0)
      t.true(a.signal('SIGUSR2'))
      const file = bench.place.instance('a.1', 'page.txt')
      const text = await until('page.txt', () => written(file))
      t.regex(text, /at countForEver/)
    })
  }

  each('a page that its shell cannot show is not ready', async (bench, t) => {
    const shell = await ShellServer.start(t, '127.0.0.1')
    const launcher = new OwnedLauncher(bench.root, {
      shell: { shows: () => true, addressOf: () => shell.brokenAddress },
    })
    const a = await launcher.launch(bench.order(bench.app('a', { url: shell.appUrl }), 'a.1'))
    t.teardown(() => a.kill())
    const said: string[] = []
    new Channel(a.voice as Duplex, { onNote: (note) => said.push(note) })
    const file = bench.place.instance('a.1', 'page.txt')
    const text = await until('page.txt', () => written(file))
    t.regex(text, /could not be opened in its shell/)
    t.deepEqual(said, [])
  })

  each('a page that nobody comes back for is ended with its browser', async (bench, t) => {
    const short = { orphanMs: 300, recycle: { drainMs: 2000 } }
    const a = await bench.launch('a', { url: blank }, undefined, short)
    const b = await bench.launch('b', { url: blank }, undefined, short)
    await Promise.all([a, b].map((each) => each.evaluate?.('1 + 1')))
    const tree = await a.pids()
    b.release()
    const app = bench.app('b', { url: blank }, short)
    const kept = await bench.launcher.adopt(app, 'b.1', b.process, bench.foldersOf('b.1'))
    t.teardown(() => kept?.kill())
    a.release()
    const end = await until('exit.json', () => readExit(bench.place.run('a.1')))
    t.is(end.endedBy, 'orphan')
    for (const pid of tree) t.false(runs(pid), `process ${pid} is left`)
    t.is(await kept?.evaluate?.('1 + 1'), 2)
  })

  each('a browser that does not start is an error with what it said', async (bench, t) => {
    // Enough files for the launcher to begin, and too few for a browser.
    const few = { ...subject.confinement, groups: [], files: 24 }
    const error = await t.throwsAsync(bench.launch('a', { url: blank }, few))
    if (!isHostError(error, 'HOST_LAUNCH')) return t.fail(String(error))
    t.is(error.facts.step, 'browser')
    t.regex(error.message, /ended at its start with .+; it said ".*Too many open files/s)
  })

  each('a page outlives who started it, and is found again', async (bench, t) => {
    const a = await bench.launch('a', { url: blank })
    await until('loaded', () => a.voice !== undefined)
    await a.evaluate?.('globalThis.mark = 7')
    a.release()
    const app = bench.app('a', { url: blank })
    const found = await bench.launcher.adopt(app, 'a.1', a.process, bench.foldersOf('a.1'))
    t.not(found, undefined)
    t.is(await found?.evaluate?.('globalThis.mark'), 7)
    await found?.kill()
    t.false(runs(a.process.pid))
  })

  if (!isRoot) {
    test.skip('SKIPPED: a page under a user of its own, in the browser sandbox: only root can give it one', () => {})
  } else {
    each("a page runs as its app's user, in the browser's own sandbox", async (bench, t) => {
      const a = await bench.launch('a', { url: blank })
      const renderers = await renderersOf(a)
      t.true(renderers.length > 0)
      for (const pid of await a.pids())
        t.is(
          Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]),
          user.uid,
        )
      for (const pid of renderers) {
        const status = readFileSync(`/proc/${pid}/status`, 'latin1')
        t.is(/^Seccomp:\s+(\d+)/m.exec(status)?.[1], '2', 'its system calls are filtered')
        // A process namespace of its own: it has another number inside.
        t.true((/^NSpid:\s+(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/).length ?? 0) > 1)
      }
    })
  }
}

/** A shell and the app in it, of one site or of two. */
class ShellServer {
  readonly drains: string[] = []
  appLoops = 0
  readonly #server = http.createServer((request, response) => this.#serve(request, response))
  readonly #name: string

  private constructor(name: string) {
    this.#name = name
  }

  /** @param name - of the host of the app; that of the shell is 127.0.0.1 */
  static async start(t: ExecutionContext, name: string): Promise<ShellServer> {
    const shell = new ShellServer(name)
    await new Promise<void>((resolve) => shell.#server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      shell.#server.closeAllConnections()
      shell.#server.close()
    })
    return shell
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}/shell`
  }

  /** A shell of an app that nobody serves. */
  get brokenAddress(): string {
    return `http://127.0.0.1:${this.#port}/broken`
  }

  get appUrl(): string {
    return `http://${this.#name}:${this.#port}/app`
  }

  /** The same app as another site. */
  get otherUrl(): string {
    const name = this.#name === 'localhost' ? '127.0.0.1' : 'localhost'
    return `http://${name}:${this.#port}/app`
  }

  get #port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
    response.setHeader('content-type', 'text/html')
    if (pathname === '/shell')
      response.end(`<title>shell</title><iframe src="${this.appUrl}"></iframe>`)
    else if (pathname === '/broken')
      response.end('<title>shell</title><iframe src="http://127.0.0.1:9/"></iframe>')
    else if (pathname === '/app') {
      response.end(`<title>app</title><script>
        globalThis.posKernel = { drain: (why) => fetch('/drain?' + why) }
        function busy() { navigator.sendBeacon('/loop'); const end = performance.now() + 60000; while (performance.now() < end); }
      </script>`)
    } else {
      if (pathname === '/drain') this.drains.push(search.slice(1))
      if (pathname === '/loop') this.appLoops += 1
      response.end()
    }
  }
}

/** What a file says, once it says something. */
function written(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') || undefined : undefined
}

/** The renderers of an app. */
async function renderersOf(launched: Launched): Promise<number[]> {
  return (await launched.pids()).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--type=renderer')
    } catch {
      return false
    }
  })
}
