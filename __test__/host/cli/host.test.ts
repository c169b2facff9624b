/** The commands of the host, on a real one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { screenText } from '../../../ts/cli/host/top.js'
import { ended, jsonLines, posKernel, projectRoot } from '../../support/child.js'
import { appStatus } from '../support/control-server.js'
import { readExposition } from '../support/exposition.js'
import { hostRoot } from '../support/supervised.js'

const clock = path.join(projectRoot, 'examples/host/clock.mjs')

type Json = Record<string, unknown>

/** Commands on a store of the test's own; whatever host it has is shut down when the test is over. */
function commands(t: ExecutionContext, apps: readonly string[] = ['clock']) {
  const root = hostRoot(t)
  const file = path.join(root, 'manifest.json')
  const manifest = {
    apps: apps.map((uuid) => ({ startup_app: { uuid, name: `The ${uuid}`, script: clock } })),
  }
  writeFileSync(file, JSON.stringify(manifest))
  const call = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await posKernel(['host', ...args, '--root', root])
    return { code, stdout, stderr }
  }
  const ask = async (...args: readonly string[]) => {
    const { code, stdout } = await call(...args, '--json')
    return { code, answer: jsonLines(stdout)[0] as Json }
  }
  t.teardown(() => call('shutdown', '--deadline', '5'))
  return { root, file, call, ask }
}

/** Waits until an app is in a state. */
async function inState(ask: ReturnType<typeof commands>['ask'], uuid: string, state: string) {
  for (;;) {
    const { answer } = await ask('status')
    const app = (answer.apps as { uuid: string; state: string }[]).find((it) => it.uuid === uuid)
    if (app?.state === state) return
  }
}

test.serial('a detached host is watched, commanded and shut down', async (t) => {
  t.timeout(600_000)
  const { file, call, ask } = commands(t)
  const started = await ask('start', file, '--detach')
  t.is(started.code, 0)
  t.is(started.answer.event, 'started')
  t.regex(String(started.answer.dashboard), /^http:\/\/127\.0\.0\.1:\d+\/#key=[0-9a-f]{64}$/)
  await inState(ask, 'clock', 'ready')

  const status = await call('status')
  t.regex(status.stdout, /^host running, process \d+/)
  t.regex(status.stdout, /clock +ready/)
  t.regex((await call('top')).stdout, /clock +ready/)
  const figures = readExposition((await call('metrics')).stdout)
  t.is(figures.get('pos_kernel_app_starts_total')?.samples[0]?.labels.app, 'clock')

  const restarted = await ask('restart', 'clock')
  t.deepEqual([restarted.code, restarted.answer.instance], [0, 'clock.2'])
  const drained = await ask('drain', 'clock', '--deadline-ms', '5000')
  t.deepEqual([drained.code, drained.answer.reason], [0, 'stopped'])
  t.is((await ask('launch', 'clock')).answer.instance, 'clock.3')
  const killed = await ask('kill', 'clock')
  t.deepEqual([killed.code, killed.answer.reason], [0, 'killed'])
  const recycled = await ask('recycle', 'clock')
  t.deepEqual([recycled.code, recycled.answer.code], [1, 'HOST_NOT_SERVING'])

  const { stdout } = await call('events', '--app', 'clock', '--json')
  const types = (jsonLines(stdout) as { type: string; uuid: string }[]).map((it) => {
    t.is(it.uuid, 'clock')
    return it.type
  })
  for (const type of ['launched', 'ready', 'draining', 'ended']) t.true(types.includes(type), type)
  t.is((await call('events', '--last', '1')).stdout.trimEnd().split('\n').length, 1)

  const again = await ask('start', file, '--detach')
  t.deepEqual([again.code, again.answer.code], [1, 'HOST_RUNNING'])
  const nobody = await ask('recycle', 'nobody')
  t.deepEqual([nobody.code, nobody.answer.code], [1, 'HOST_UNKNOWN_APP'])
  const doctor = await ask('doctor')
  t.true((doctor.answer.checks as { name: string }[]).some(({ name }) => name === 'host launcher'))

  const shut = await ask('shutdown', '--reason', 'the test is over')
  t.deepEqual([shut.code, shut.answer.ok], [0, true])
  const gone = await ask('status')
  t.deepEqual([gone.code, gone.answer.code], [1, 'HOST_NOT_RUNNING'])
})

test.serial('what an app prints is shown, followed, and commands no terminal', async (t) => {
  const { root, file, call } = commands(t, ['clock', 'clock-2'])
  t.is((await call('start', file, '--detach', '--no-dashboard')).code, 0)
  const main = path.join(projectRoot, 'dist/cli/main.js')
  const follow = spawn(process.execPath, [
    main,
    'host',
    'logs',
    'clock',
    '--follow',
    '--root',
    root,
  ])
  t.teardown(() => follow.kill('SIGKILL'))
  const lines: string[] = []
  for await (const line of createInterface({ input: follow.stdout })) {
    // The runtime of an app may have something to say before the app does.
    if (/^\d+ seconds$/.test(line)) lines.push(line)
    if (lines.length === 2) break
  }
  t.deepEqual(lines, ['1 seconds', '2 seconds'])
  follow.kill('SIGINT')
  await once(follow, 'exit')
  const last = await call('logs', 'clock', '--lines', '1', '--json')
  t.is(jsonLines(last.stdout).length, 1)
  t.is((jsonLines(last.stdout)[0] as Json).uuid, 'clock')
  await call('shutdown')
  // Read without a host, and with what would clear a screen.
  writeFileSync(path.join(root, 'host/apps/clock/log/out.log'), 'a\u001b[2Jb\nlast')
  t.is((await call('logs', 'clock')).stdout.split('\n').at(-3), 'a\ufffd[2Jb')
  const nobody = await call('logs', '../clock', '--json')
  t.deepEqual([nobody.code, (jsonLines(nobody.stdout)[0] as Json).code], [1, 'HOST_UNKNOWN_APP'])
})

test.serial('with --keep the apps outlive their host, and the next one has them', async (t) => {
  const { root, file, ask } = commands(t)
  const main = path.join(projectRoot, 'dist/cli/main.js')
  const args = [main, 'host', 'start', file, '--keep', '--no-dashboard', '--json', '--root', root]
  const first = spawn(process.execPath, args)
  t.teardown(() => first.kill('SIGKILL'))
  const end = ended(first)
  await once(first.stdout, 'data')
  await inState(ask, 'clock', 'ready')
  const { pid } = ((await ask('status')).answer.apps as { pid: number }[])[0] as { pid: number }
  first.kill('SIGINT')
  const { code, stdout } = await end
  t.is(code, 0)
  t.deepEqual(jsonLines(stdout).at(-1), { event: 'over', kept: true })
  t.is((await ask('start', file, '--detach', '--no-dashboard')).code, 0)
  const { answer } = await ask('status')
  t.is(answer.adopted as number, 2)
  t.is((answer.apps as { pid: number }[])[0]?.pid, pid)
})

test('a manifest that is wrong is wrong usage, and names what is', async (t) => {
  const { root, call } = commands(t)
  const start = async (text: string) => {
    const file = path.join(root, 'wrong.json')
    writeFileSync(file, text)
    const { code, stdout } = await call('start', file, '--json')
    return [code, (jsonLines(stdout)[0] as Json).code, (jsonLines(stdout)[0] as Json).facts]
  }
  const [code, name] = await start('{"apps":')
  t.deepEqual([code, name], [2, 'HOST_MANIFEST'])
  const app = { startup_app: { uuid: 'a', name: 'A', script: 'a.mjs' } }
  const small = { ...app, resourceLimits: { maxMemory: 1 } }
  const [, , facts] = await start(JSON.stringify({ apps: [small] }))
  t.is((facts as Json).path, 'apps.0.resourceLimits.maxMemory')
  t.is((facts as Json).value, 1)
  const missing = await call('start', path.join(root, 'nothing.json'), '--json')
  t.deepEqual([missing.code, (jsonLines(missing.stdout)[0] as Json).code], [3, 'PK_E_IO'])
})

test('every command of the host has help with an example', async (t) => {
  const { stdout } = await posKernel(['host', '--help'])
  const names = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name as string)
  const own = names.filter((name) => name !== 'help')
  t.true(own.length >= 15, own.join())
  for (const name of own) {
    const help = await posKernel(['host', name, '--help'])
    t.is(help.code, 0)
    t.regex(help.stdout, /Examples?:\n {2}pos-kernel host /, name)
  }
})

test('no command says anything but JSON when it is asked for that', async (t) => {
  const { root } = commands(t)
  for (const name of ['status', 'top', 'events', 'metrics', 'shutdown']) {
    const { code, stdout, stderr } = await posKernel(['host', name, '--root', root, '--json'])
    t.deepEqual([code, stderr], [1, ''], name)
    t.is((JSON.parse(stdout) as Json).code, 'HOST_NOT_RUNNING')
  }
  const { code, stdout } = await posKernel(['host', 'report', '--root', root, '--json'])
  t.deepEqual([code, JSON.parse(stdout)], [0, []])
})

test('a screen of top is never larger than its terminal', (t) => {
  const apps = Array.from({ length: 100 }, (_, index) =>
    appStatus(`app-${index}`, {
      state: index === 70 ? 'quarantined' : 'ready',
      why: index === 70 ? 'it failed \u001b[2J too often' : '',
      sample: { at: 1, memory: index * 1e6, rss: 0, cpu: index, processes: 1, files: 1 },
    }),
  )
  const status = {
    pid: 1,
    startedAt: 0,
    epoch: 1,
    adopted: 0,
    state: 'running',
    broker: { state: 'ready', pid: 2, restarts: 0, frames: 0 },
    apps,
  } as const
  const plain = stripVTControlCharacters
  for (const [columns, rows] of [
    [80, 24],
    [40, 10],
    [200, 120],
    [10, 2],
  ] as const) {
    const lines = plain(screenText(status, 'a', columns, rows, 5000)).split('\r\n')
    t.true(lines.length <= rows)
    for (const line of lines) t.true(line.length <= columns, line)
  }
  const first = (order: 'a' | 'm' | 'c') =>
    plain(screenText(status, order, 120, 24, 5000)).split('\r\n')[2] ?? ''
  t.regex(first('a'), /^app-70 /)
  t.true(first('a').includes('\ufffd[2J'))
  t.regex(first('m'), /^app-99 /)
  t.regex(first('c'), /^app-99 /)
})

test('the examples of manifests are manifests', async (t) => {
  const { parseManifest } = await import('../../../ts/host/manifest/manifest.js')
  for (const name of ['clock.json', 'store.json']) {
    const folder = path.join(projectRoot, 'examples/host')
    const manifest = parseManifest(
      JSON.parse(readFileSync(path.join(folder, name), 'utf8')),
      folder,
    )
    for (const { startup_app: app } of manifest.apps) t.truthy(readFileSync(app.script as string))
  }
})

test('a host without the program that starts apps says so, and starts nothing', async (t) => {
  const { file, root } = commands(t)
  const env = { POS_KERNEL_LAUNCH: '/nowhere/launch' }
  const { code, stderr } = await posKernel(['host', 'start', file, '--root', root], { env })
  t.is(code, 1)
  t.regex(
    stderr,
    /HOST_UNSUPPORTED.*pos-kernel-launch is not at \/nowhere\/launch; install pos-kernel-linux-/s,
  )
})
