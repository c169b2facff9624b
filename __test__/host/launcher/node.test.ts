/** The contract of launchers for Node apps, and what only the program `pos-kernel-launch` can do. */
import { execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { isHostError } from '../../../ts/host/error.js'
import { readExit } from '../../../ts/host/launcher/exit.js'
import { stillRuns } from '../../../ts/host/launcher/identity.js'
import { launchersOfRun } from '../../../ts/host/launcher/launchers.js'
import { NodeLauncher } from '../../../ts/host/launcher/node.js'
import { launcherProgram } from '../../../ts/host/launcher/program.js'
import { startRun } from '../../../ts/host/launcher/run.js'
import { uuidOf } from '../../../ts/host/place.js'
import { Bench, launcherContract, runs, type Subject, until } from './contract.js'

const folder = fileURLToPath(new URL('.', import.meta.url))
const script = path.join(folder, 'apps', 'behave.mjs')
const behave = (...args: string[]) => ({ script, args })

const subject: Subject = {
  launcher: (root) => new NodeLauncher({ root, outLogBytesMax: 64 * 1024 }),
  idle: behave('parent'),
  spoil: (order) => ({
    ...order,
    folders: { ...order.folders, data: `${order.folders.data}-not` },
  }),
  started: async (bench, launched) => {
    await bench.said(uuidOf(launched.instance))
  },
}

launcherContract(test, 'node', subject)

const each = (title: string, body: (bench: Bench, t: import('ava').ExecutionContext) => unknown) =>
  test.serial(title, async (t) => {
    const bench = new Bench(subject)
    t.teardown(() => bench.close())
    await body(bench, t)
  })

each(
  'an app finds its bootstrap on the descriptor, and nothing of the host in its environment',
  async (bench, t) => {
    process.env.SECRET_OF_THE_HOST = 'x'
    const a = await bench.launch('a', { ...behave('idle'), env: { OWN: '1' } })
    const { pid, bootstrap, env, cwd } = (await bench.said('a')) as {
      pid: number
      bootstrap: Record<string, unknown>
      env: Record<string, string>
      cwd: string
    }
    t.is(pid, a.process.pid)
    t.like(bootstrap, { instance: 'a.1', uuid: 'a', token: 'a'.repeat(64), kind: 'app' })
    t.is(bootstrap.root, undefined)
    t.is(env.SECRET_OF_THE_HOST, undefined)
    t.is(env.OWN, '1')
    t.is(cwd, bench.place.app('a', 'data'))
    t.is(a.held?.noNewPrivs, true)
  },
)

each('an exit code, an exception and a signal are told apart', async (bench, t) => {
  const seven = await bench.launch('seven', behave('exit', '7'))
  t.like(await seven.exited, { code: 7, signal: null, endedBy: null, oomKilled: false })
  const thrown = await bench.launch('thrown', behave('throw'))
  t.like(await thrown.exited, { code: 1, signal: null })
  const said = readFileSync(bench.place.app('thrown', 'log', 'out.log'), 'utf8')
  t.true(said.includes('nobody catches this'), said)
  const term = await bench.launch('term', behave('idle'))
  await bench.said('term')
  t.true(term.signal('SIGTERM'))
  t.like(await term.exited, { code: null, signal: 'SIGTERM' })
})

each(
  'children that an app leaves behind, in sessions of their own, are ended',
  async (bench, t) => {
    const a = await bench.launch('a', behave('litter'))
    t.like(await a.exited, { code: 0 })
    const { children } = (await bench.said('a')) as { children: number[] }
    t.is(children.length, 3)
    for (const pid of children) t.false(runs(pid), `process ${pid} is left`)
  },
)

each('an app that does not hear SIGTERM is ended all the same', async (bench, t) => {
  const a = await bench.launch('a', behave('deaf'))
  await bench.said('a')
  a.signal('SIGTERM')
  t.true(stillRuns(a.process))
  await a.kill()
  t.like(await a.exited, { signal: 'SIGKILL', endedBy: 'asked' })
})

each(
  'a flood of output leaves two files of bounded length, with the last words',
  async (bench, t) => {
    const a = await bench.launch('a', behave('flood', '4096'))
    t.like(await a.exited, { code: 0 })
    const log = (name: string) => bench.place.app('a', 'log', name)
    t.deepEqual(readdirSync(log('')).sort(), ['out.1.log', 'out.log'])
    const text = readFileSync(log('out.log'), 'utf8')
    t.true(text.endsWith('the last word\nand a complaint\n'), text.slice(-100))
    for (const name of ['out.log', 'out.1.log']) t.true(statSync(log(name)).size <= 64 * 1024, name)
  },
)

each('an app whose supervisor is killed goes on, and its end is written down', async (bench, t) => {
  const order = bench.order(bench.app('a', behave('idle')), 'a.1')
  const file = path.join(bench.root, 'order.json')
  writeFileSync(file, JSON.stringify(order))
  const args = ['--import=@oxc-node/core/register', path.join(folder, 'apps', 'spawner.ts')]
  const spawner = spawn(process.execPath, [...args, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = await new Promise<string>((resolve, reject) => {
    spawner.stdout.once('data', (chunk) => resolve(String(chunk)))
    spawner.once('exit', () => reject(new Error('the spawner ended')))
  })
  const identity = JSON.parse(line)
  await bench.said('a')
  const over = new Promise((resolve) => spawner.once('exit', resolve))
  spawner.kill('SIGKILL')
  await over
  t.true(stillRuns(identity))
  process.kill(identity.pid, 'SIGTERM')
  const record = await until('exit.json', () => readExit(order.folders.run))
  t.like(record, { code: null, signal: 'SIGTERM', endedBy: null })
  t.false(stillRuns(identity))
})

each('what stands in the place of exit.json is replaced, not followed', async (bench, t) => {
  const run = bench.place.run('a.1')
  const order = bench.order(bench.app('a', behave('exit', '0')), 'a.1')
  const victim = path.join(bench.root, 'victim')
  writeFileSync(victim, 'untouched')
  symlinkSync(victim, path.join(run, 'exit.json'))
  symlinkSync(victim, path.join(run, 'exit.json.new'))
  const a = await bench.launcher.launch(order)
  const record = await a.exited
  t.is(readFileSync(victim, 'utf8'), 'untouched')
  t.deepEqual(await until('exit.json', () => readExit(run)), record)
})

each(
  'without a supervisor for orphanMs an app is ended by its launcher, and one that is taken over is not',
  async (bench, t) => {
    const short = { orphanMs: 300, recycle: { drainMs: 300 } }
    const [deaf, kept] = await Promise.all(
      ['deaf', 'kept'].map((uuid) => bench.launch(uuid, behave('deaf'), undefined, short)),
    )
    if (deaf === undefined || kept === undefined) return t.fail('nothing was launched')
    await Promise.all([bench.said('deaf'), bench.said('kept')])
    kept.release()
    const app = bench.app('kept', behave('deaf'), short)
    const found = await bench.launcher.adopt(app, 'kept.1', kept.process, bench.foldersOf('kept.1'))
    if (found === undefined) return t.fail('the app was not found')
    deaf.release()
    await until('the orphan to be gone', () => !stillRuns(deaf.process))
    const end = await until('exit.json', () => readExit(bench.place.run('deaf.1')))
    t.like(end, { code: null, signal: 'SIGKILL', endedBy: 'orphan' })
    t.true(stillRuns(kept.process))
    // The next one may come and go as well.
    found.release()
    await until('the other orphan to be gone', () => !stillRuns(kept.process))
    const other = await until('exit.json', () => readExit(bench.place.run('kept.1')))
    t.is(other.endedBy, 'orphan')
  },
)

each('a launch that is given up leaves nothing that may become the app', async (bench, t) => {
  const { folders } = bench.order(bench.app('a', behave('idle')), 'a.1')
  // The child of the launcher waits for somebody to read this, and is no app yet.
  const procs = path.join(bench.root, 'cgroup.procs')
  execFileSync('mkfifo', [procs])
  const order = {
    program: process.execPath,
    args: [],
    env: {},
    cwd: folders.data,
    outLog: { path: path.join(folders.log, 'out.log'), bytesMax: 65_536 },
    runFolder: folders.run,
    confinement: { groups: [procs] },
  }
  const error = await t.throwsAsync(startRun('a', order, 500))
  if (!isHostError(error, 'HOST_LAUNCH')) return t.fail(String(error))
  t.is(error.facts.step, 'launcher')
  t.deepEqual(launchersOfRun(folders.run), [])
})

each('a limit that cannot be set is an error that names it, and nothing runs', async (bench, t) => {
  const error = await t.throwsAsync(
    bench.launch('a', behave('idle'), { groups: ['/sys/fs/cgroup/not-there/cgroup.procs'] }),
  )
  if (!isHostError(error, 'HOST_LAUNCH')) return t.fail(String(error))
  t.like(error.facts, { uuid: 'a', step: 'groups' })
  t.true(error.message.includes('/sys/fs/cgroup/not-there/cgroup.procs'), error.message)
})

test('an order that is none is refused by the program, with the reason', async (t) => {
  for (const text of ['nonsense\n', '{"program":"/bin/true"}\n', '']) {
    const child = spawn(launcherProgram(), [], { stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.end(text)
    const said: string = await new Promise((resolve) => {
      let all = ''
      child.stdout.on('data', (chunk) => {
        all += chunk
      })
      child.once('close', () => resolve(all))
    })
    t.is(JSON.parse(said).error.step, 'order', said)
    t.is(child.exitCode, 1)
  }
})
