/**
 * What an app can reach: its own folders, its sockets and what its manifest names; and nothing of other apps, of the
 * store's journals and of the host's keys. The apps here try, and the kernel's answers are compared.
 */
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { isHostError } from '../../../ts/host/error.js'
import { probeBoundaries } from '../../../ts/host/limits/probe.js'
import { reachOf } from '../../../ts/host/limits/reach.js'
import { Users } from '../../../ts/host/limits/users.js'
import { bindingPath } from '../../../ts/native.js'
import { until } from '../launcher/contract.js'
import { type Given, Governed } from './bench-app.js'

const script = path.join(fileURLToPath(new URL('.', import.meta.url)), 'apps', 'reach.mjs')
const held = await probeBoundaries()
const hasLandlock = typeof held !== 'string' && held.landlock !== 'none'

function each(
  title: string,
  lacking: string | false,
  body: (governed: Governed, t: ExecutionContext) => Promise<unknown>,
): void {
  if (lacking !== false) {
    test.skip(`${title} (skipped: ${lacking})`, () => undefined)
    return
  }
  test.serial(title, async (t) => {
    const governed = new Governed()
    t.teardown(() => governed.close())
    await body(governed, t)
  })
}

const noRoot = !Users.canChange && 'only root gives an app a user of its own'
const noLandlock = !hasLandlock && `this kernel has no Landlock: ${JSON.stringify(held)}`

/** Runs an app that tries things. */
async function tries(governed: Governed, wanted: object, given: Given = {}) {
  const args = [JSON.stringify(wanted)]
  const started = await governed.start({ uuid: 'mine', ...given, script, args })
  const file = path.join(started.data, 'results.json')
  await Promise.race([
    until('the app has tried', () => existsSync(file)),
    started.exited.then((record) => {
      const log = path.join(started.data, '..', 'log', 'out.log')
      throw new Error(`the app ended: ${JSON.stringify(record)} ${readFileSync(log, 'utf8')}`)
    }),
  ])
  return { started, results: JSON.parse(readFileSync(file, 'utf8')) as Record<string, string> }
}

/** A store with a journal, a key of the host and the state of another app. */
async function secrets(governed: Governed) {
  const { place, root } = governed.bench
  const other = await governed.start({ uuid: 'other', args: ['hold', '1'] })
  await other.ready()
  const put = (file: string) => {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, 'secret', { mode: 0o600 })
    return file
  }
  return {
    other,
    state: path.join(other.data, 'ready'),
    key: put(place.file('host.owner.json')),
    journal: put(path.join(root, 'terminals', 'T1', 'transaction.wal', '0.seg')),
  }
}

each(
  'an app of its own user reaches no other app, no journal and no key',
  noRoot,
  async (governed, t) => {
    const { other, state, key, journal } = await secrets(governed)
    const own = governed.bench.place.app('mine', 'data')
    const { started, results } = await tries(governed, {
      read: { state, key, journal, environment: `/proc/${other.launched.process.pid}/environ` },
      list: { own, theirs: other.data, instance: governed.bench.place.instance('mine.1') },
      write: {
        mine: path.join(own, 'x'),
        report: path.join(governed.bench.place.instance('mine.1'), 'x.json'),
        over: state,
        exit: path.join(governed.bench.place.instance('other.1'), 'exit.json'),
      },
      signal: { self: 0, other: other.launched.process.pid },
    })
    for (const name of ['state', 'key', 'journal', 'environment', 'theirs', 'over', 'exit'])
      t.is(results[name], 'EACCES', name)
    for (const name of ['own', 'mine', 'report', 'self']) t.is(results[name], 'ok', name)
    t.is(results.other, 'EPERM')
    t.is(started.hold.boundaries?.user, 'own')
    t.deepEqual(started.hold.boundaries?.missing, [])
    const { uid } = started.hold.confinement.user ?? { uid: 0 }
    t.is(results.user, `${uid}:${uid}:${uid}`)
    t.not(uid, other.hold.confinement.user?.uid)
    t.is(statSync(started.data).uid, uid)
  },
)

each('an app keeps its user in a new host of the same store', noRoot, async (governed, t) => {
  const { place } = governed.bench
  const app = governed.bench.app('mine', { script })
  const first = new Users(place).userOf(app)
  t.deepEqual(new Users(place).userOf(app), first)
  t.not(new Users(place).userOf(governed.bench.app('two', { script })).uid, first.uid)
  t.is(statSync(place.file('users.json')).mode & 0o777, 0o600)
})

each('an app loads the binding and reaches its sockets', noRoot, async (governed, t) => {
  const socket = path.join(governed.bench.root, 'bus.sock')
  const server = createServer((client) => client.destroy())
  await new Promise<void>((resolve) => {
    server.listen({ path: socket, readableAll: true, writableAll: true }, resolve)
  })
  t.teardown(() => server.close())
  const { results } = await tries(governed, {
    load: { binding: bindingPath() },
    connect: { socket: { path: socket } },
  })
  t.like(results, { binding: 'ok', socket: 'ok' })
})

each(
  'an app that may open terminals is the store owner without the rights of root',
  noRoot,
  async (governed, t) => {
    const { state, key, journal } = await secrets(governed)
    const { started, results } = await tries(
      governed,
      {
        read: { journal, state },
        write: { terminal: path.join(governed.bench.root, 'terminals', 'T2') },
        run: { capabilities: "sed -n 's/^CapEff:\\t//p; s/^CapBnd:\\t//p' /proc/self/status" },
      },
      { permissions: { store: true } },
    )
    t.is(started.hold.boundaries?.user, 'store')
    t.like(results, { journal: 'ok', state: 'EACCES', terminal: 'ok' })
    t.is(results.capabilities, '0000000000000000\n0000000000000000')
    t.true(existsSync(key))
  },
)

each(
  "an app with the host's own user writes nothing of what is true of its run",
  noRoot || noLandlock,
  async (governed, t) => {
    const { place } = governed.bench
    const run = (name: string) => place.run('mine.1', name)
    const names = [
      'instance.json',
      'ended.json',
      'exit.json',
      'exit.json.new',
      'last.log',
      'orders',
    ]
    const { started, results } = await tries(
      governed,
      {
        write: {
          ...Object.fromEntries(names.map((name) => [name, run(name)])),
          another: place.app('mine', 'runs', 'mine.2'),
          report: path.join(place.instance('mine.1'), 'x.json'),
        },
        list: { run: run('') },
      },
      { permissions: { store: true } },
    )
    t.is(started.hold.confinement.user?.uid, process.getuid?.())
    for (const name of [...names, 'another', 'run']) t.is(results[name], 'EACCES', name)
    t.is(results.report, 'ok')
    t.deepEqual(readdirSync(place.instance('mine.1')), ['x.json'])
  },
)

each(
  'a link in the place of a folder of the store is refused, and nothing is given away behind it',
  noRoot,
  async (governed, t) => {
    const { bench } = governed
    const theirs = { uid: 64_321, gid: 64_321 }
    chownSync(bench.root, theirs.uid, theirs.gid)
    const victim = mkdtempSync(path.join(os.tmpdir(), 'pk-victim-'))
    t.teardown(() => rmSync(victim, { recursive: true, force: true }))
    const startup = { script, kind: 'terminal', terminal: 'T1' }
    const reach = () => reachOf(bench.place, bench.app('till', startup), 'till.1')
    symlinkSync(victim, path.join(bench.root, 'terminals'))
    const error = t.throws(reach)
    t.true(isHostError(error, 'HOST_LAUNCH'), String(error))
    t.deepEqual(readdirSync(victim), [])
    rmSync(path.join(bench.root, 'terminals'))
    mkdirSync(path.join(bench.root, 'terminals'))
    symlinkSync(victim, path.join(bench.root, 'terminals', 'T1'))
    t.throws(reach)
    t.is(statSync(victim).uid, 0)
    rmSync(path.join(bench.root, 'terminals', 'T1'))
    t.true(reach().write.includes(path.join(bench.root, 'terminals')))
    t.is(statSync(path.join(bench.root, 'terminals', 'T1')).uid, theirs.uid)
  },
)

each('Landlock shuts what the user alone would leave open', noLandlock, async (governed, t) => {
  const { key } = await secrets(governed)
  const open = path.join(governed.bench.root, 'open.txt')
  writeFileSync(open, 'anyone may read this', { mode: 0o644 })
  const named = path.join(governed.bench.root, 'named.txt')
  writeFileSync(named, 'the manifest names this', { mode: 0o644 })
  const server = createServer((client) => client.destroy())
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
  t.teardown(() => server.close())
  const { started, results } = await tries(
    governed,
    { read: { open, named, key }, connect: { tcp: { port, host: '127.0.0.1' } } },
    { permissions: { read: [named] } },
  )
  t.like(results, { open: 'EACCES', named: 'ok', key: 'EACCES', tcp: 'EACCES' })
  t.is(started.launched.held?.landlock, typeof held === 'string' ? undefined : held.landlock)
})

each('without isolation an app is as the supervisor is', false, async (governed, t) => {
  const open = path.join(governed.bench.root, 'open.txt')
  writeFileSync(open, 'x', { mode: 0o600 })
  const { started, results } = await tries(governed, { read: { open } }, { isolation: 'none' })
  t.is(results.open, 'ok')
  t.deepEqual(started.hold.boundaries, { user: 'same', reach: false, missing: [] })
  t.is(started.launched.held?.landlock, 'off')
})
