/** The contract of launchers for pages, and what only a page can do. Needs Chromium and, for a user of its own, root. */
import { chmodSync, chownSync, readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { isHostError } from '../../../ts/host/error.js'
import { browserProgram } from '../../../ts/host/launcher/browser.js'
import { ChromiumLauncher } from '../../../ts/host/launcher/chromium.js'
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

  constructor(root: string) {
    super()
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
      const a = await bench.launch('a', { url: blank }, undefined, { health: { heartbeatMs: 50 } })
      a.evaluate?.('(function countForEver() { for (;;) {} })()').catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 100))
      t.true(a.signal('SIGUSR2'))
      const text = await until('page.txt', () => {
        try {
          return readFileSync(bench.place.instance('a.1', 'page.txt'), 'utf8') || undefined
        } catch {
          return undefined
        }
      })
      t.regex(text, /at countForEver/)
      t.true(runs(a.process.pid))
    },
  )

  each('a page outlives who started it, and is found again', async (bench, t) => {
    const a = await bench.launch('a', { url: blank })
    await until('loaded', () => a.voice !== undefined)
    await a.evaluate?.('globalThis.mark = 7')
    a.release()
    const app = bench.app('a', { url: blank })
    const found = await bench.launcher.adopt(app, 'a.1', a.process, bench.place.instance('a.1'))
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
