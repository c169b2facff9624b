import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { bootstrapOf } from '../../../ts/host/app/bootstrap.js'
import { connectHost } from '../../../ts/host/app/connect.js'
import { MessageTrace } from '../../../ts/host/app/crash.js'
import { HostError } from '../../../ts/host/error.js'
import { StateStore } from '../../../ts/host/state/state.js'
import { binding } from '../../../ts/native.js'
import { AppRoom, programPath } from './room.js'

const spare = fileURLToPath(new URL('../../../ts/host/app/spare.ts', import.meta.url))

test.serial('an app says hello with its token, is ready, and beats', async (t) => {
  const room = new AppRoom(t)
  const supervisor = await room.supervisor()
  const app = room.start('counter')
  const ready = await supervisor.note('ready')
  t.deepEqual(ready.value, { restored: 'none' })
  t.deepEqual(supervisor.hellos, [
    {
      protocol: 1,
      role: 'app',
      instance: 'clock.1',
      token: room.bootstrap.token,
      pid: app.process.pid,
    },
  ])
  const beats = await supervisor.until(() => {
    const found = supervisor.notes.filter(({ name }) => name === 'heartbeat')
    return found.length >= 5 ? found : undefined
  })
  // The first says how the app is; one that was not woken since says that it is there.
  t.not(beats[0]?.value, undefined)
  const last = await supervisor.until(() => {
    const bare = supervisor.notes.filter(({ name, value }) => name === 'heartbeat' && !value)
    return bare.length >= 3 ? bare : undefined
  })
  t.true(last.length >= 3)
  for (const { value } of beats.filter(({ value }) => value !== undefined)) {
    t.true((value.heapUsed as number) > 1_000_000)
    t.true((value.handles as number) >= 1)
    t.true((value.loopP99 as number) >= (value.loopP50 as number))
    t.is(value.messages, 0)
    t.is(value.terminal, null)
  }
  await supervisor.close()
})

test.serial(
  'an app that is drained runs its hooks, saves its state, answers and ends with 0',
  async (t) => {
    const room = new AppRoom(t)
    const supervisor = await room.supervisor()
    for (const starts of [1, 2]) {
      supervisor.notes.length = 0
      const app = room.start('counter')
      await supervisor.note('ready')
      const answer = await supervisor.request('drain', { why: 'the day is over', deadlineMs: 5000 })
      t.deepEqual(answer, { saved: true })
      t.deepEqual(await app.ended, { code: 0, signal: null })
      t.true(app.output.includes('drained: the day is over'))
      const state = new StateStore(room.bootstrap.dataFolder)
      const { value, offset, generation } = await state.restore()
      await state.close()
      t.deepEqual([value, offset, generation], [{ starts }, starts * 10, starts])
    }
    const ready = supervisor.notes.find(({ name }) => name === 'ready')
    t.deepEqual(ready?.value, { restored: 'current' })
    await supervisor.close()
  },
)

test.serial('SIGTERM drains', async (t) => {
  const room = new AppRoom(t)
  const supervisor = await room.supervisor()
  const app = room.start('counter')
  await supervisor.note('ready')
  app.process.kill('SIGTERM')
  t.deepEqual(await app.ended, { code: 0, signal: null })
  t.true(app.output.includes('drained: the process was sent SIGTERM'))
  await supervisor.close()
})

test.serial(
  'a hook that never ends, and one that fails, do not keep the state from being saved',
  async (t) => {
    for (const what of ['endless-drain', 'bad-drain']) {
      const room = new AppRoom(t)
      const supervisor = await room.supervisor()
      const app = room.start('counter', what)
      await supervisor.note('ready')
      const answer = await supervisor.request('drain', { why: what, deadlineMs: 100 })
      t.deepEqual(answer, { saved: true }, what)
      t.deepEqual(await app.ended, { code: 0, signal: null }, what)
      await supervisor.close()
    }
  },
)

test.serial('an app survives its supervisor and tells the next how it is', async (t) => {
  const room = new AppRoom(t)
  let supervisor = await room.supervisor()
  const app = room.start('counter', 'degraded')
  for (let died = 0; died < 3; died++) {
    t.deepEqual((await supervisor.note('degraded')).value, { why: 'the printer has no paper' })
    await supervisor.close()
    supervisor = await room.supervisor()
  }
  await supervisor.note('heartbeat')
  t.is(app.process.exitCode, null)
  t.deepEqual(supervisor.hellos[0]?.pid, app.process.pid)
  await supervisor.close()
})

test.serial('an app that has no supervisor for orphanMs drains and ends', async (t) => {
  const room = new AppRoom(t, { orphanMs: 300 })
  const supervisor = await room.supervisor()
  const app = room.start('counter')
  await supervisor.note('ready')
  await supervisor.close()
  t.deepEqual(await app.ended, { code: 0, signal: null })
  t.regex(app.output, /drained: there was no supervisor for \d+ ms/)
  t.deepEqual((await new StateStore(room.bootstrap.dataFolder).restore()).value, { starts: 1 })
})

test.serial(
  'an error that nobody caught is written down, told, and ends the app with 70',
  async (t) => {
    const kinds = {
      throw: ['exception', 'Error', 'DRAWER', 'the drawer is stuck'],
      reject: ['rejection', 'TypeError', '', 'nobody waits for this'],
      'throw-hostile': ['exception', 'unknown', '', 'cannot be shown'],
    }
    for (const [what, [kind, name, code, message]] of Object.entries(kinds)) {
      const room = new AppRoom(t)
      const supervisor = await room.supervisor()
      const app = room.start('counter', what)
      t.deepEqual(await app.ended, { code: 70, signal: null }, what)
      const note = room.left('fatal.json')
      t.deepEqual([note.kind, note.name, note.code, note.message], [kind, name, code, message])
      if (what !== 'throw-hostile') t.regex(note.stack as string, /counter\.ts:\d+/)
      t.true(app.output.includes(message as string))
      const told = await supervisor.note('fatal')
      t.deepEqual(told.value, { kind, message, stack: note.stack })
      await supervisor.close()
    }
  },
)

test.serial('an app that is refused at its start says why and ends', async (t) => {
  const room = new AppRoom(t)
  const supervisor = await room.supervisor()
  supervisor.refusal = { code: 'HOST_IDENTITY', message: 'clock.1 has another token', facts: {} }
  const app = room.start('counter')
  t.is((await app.ended).code, 1)
  t.true(app.output.includes('clock.1 has another token'))
  await supervisor.close()
})

test.serial('an app is asked to shed, and refuses what it does not know', async (t) => {
  const room = new AppRoom(t)
  const supervisor = await room.supervisor()
  room.start('counter')
  await supervisor.note('ready')
  t.deepEqual(await supervisor.request('shed', { usedBytes: 30, limitBytes: 100 }), {
    freedBytes: 70,
  })
  for (const [name, code] of [
    ['explode', 'HOST_NO_METHOD'],
    ['become', 'HOST_UNSUPPORTED'],
  ] as const) {
    const error = await t.throwsAsync<HostError>(supervisor.request(name, {}), {
      instanceOf: HostError,
    })
    t.is(error?.code, code)
  }
  await supervisor.close()
})

test.serial('an app that lets the host go ends by itself', async (t) => {
  const room = new AppRoom(t)
  const supervisor = await room.supervisor()
  const app = room.start('counter', 'close')
  t.deepEqual(await app.ended, { code: 0, signal: null })
  await supervisor.close()
})

test.serial('a spare becomes an instance, once', async (t) => {
  const room = new AppRoom(t, { instance: 'clock.spare-1' })
  const supervisor = await room.supervisor()
  const app = room.run([spare])
  await supervisor.note('heartbeat')
  const order = {
    instance: 'clock.7',
    token: 'cd'.repeat(32),
    script: programPath('became'),
    args: ['--till', '4'],
    env: { TILL: '4' },
  }
  t.deepEqual(await supervisor.request('become', order), { instance: 'clock.7' })
  await supervisor.note('ready')
  while (app.output === '') await delay(5)
  t.deepEqual(JSON.parse(app.output), ['clock.7', '4', [order.script, '--till', '4']])
  await t.throwsAsync(supervisor.request('become', order), { message: /no spare/ })
  await supervisor.close()
  const next = await room.supervisor()
  await next.note('ready')
  t.deepEqual([next.hellos[0]?.instance, next.hellos[0]?.token], ['clock.7', order.token])
  await next.close()
})

test.serial('the bootstrap and its variable are gone once they were read', async (t) => {
  const room = new AppRoom(t)
  const supervisor = await room.supervisor()
  const text = `
    const { connectHost } = await import(${JSON.stringify(new URL('../../../ts/host/app/index.ts', import.meta.url).href)})
    const host = await connectHost()
    console.log(process.env.POS_KERNEL_HOST_FD, host === (await connectHost()), host.uuid, host.isHosted, host.isConnected)
    await host.close()
    await host.close()`
  const app = room.run(['--input-type=module', '-e', text])
  t.is((await app.ended).code, 0)
  t.is(app.output.trim(), 'undefined true clock true true')
  await supervisor.close()
})

test.serial(
  'what the launcher says and cannot be understood ends the app with the reason',
  async (t) => {
    const room = new AppRoom(t)
    for (const [bootstrap, found] of [
      ['{"instance":', 'no JSON'],
      ['[]', 'wrong or missing: instance, token'],
      [{ ...room.bootstrap, heartbeatMs: 'often', sockets: {} }, 'heartbeatMs, sockets.control'],
      [{ ...room.bootstrap, kind: 'toaster' }, 'wrong or missing: kind'],
    ] as const) {
      const app = room.run([programPath('counter')], bootstrap)
      t.is((await app.ended).code, 1)
      t.true(app.output.includes(found), app.output)
      t.true(app.output.includes('HOST_PROTOCOL'))
    }
  },
)

test.serial('an app that no host started is told so, and may run by itself', async (t) => {
  const error = await t.throwsAsync<HostError>(connectHost(), { instanceOf: HostError })
  t.is(error?.code, 'HOST_NOT_HOSTED')
  const room = new AppRoom(t)
  const host = await connectHost({ standalone: { dataFolder: room.folder } })
  t.false(host.isHosted)
  host.ready()
  host.degraded('nobody hears this')
  await host.state.save({ n: 1 })
  t.is(host.health().terminal, null)
  await host.close()
  t.deepEqual((await new StateStore(room.folder).restore()).value, { n: 1 })
})

test('a bootstrap that is right is taken as it is', (t) => {
  const room = new AppRoom(t)
  t.deepEqual(bootstrapOf(room.bootstrap), room.bootstrap)
})

test('the last messages are kept in their order', (t) => {
  const trace = new MessageTrace()
  const add = (n: number) =>
    trace.add({ at: n, direction: 'in', peer: 'till', what: 'request', bytes: n })
  t.deepEqual(trace.last(), [])
  for (let n = 0; n < 10; n++) add(n)
  t.deepEqual(
    trace.last().map(({ at }) => at),
    Array.from({ length: 10 }, (_, n) => n),
  )
  for (let n = 10; n < 100; n++) add(n)
  t.deepEqual(
    trace.last().map(({ at }) => at),
    Array.from({ length: 32 }, (_, n) => n + 68),
  )
})

test('a watchdog is not woken while beats come, and is when it is over', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pk-watchdog-'))
  const watchdog = binding().startWatchdog({ hangMs: 600_000, folder })
  for (let beats = 0; beats < 50; beats += 1) {
    watchdog.beat(1)
    await delay(2)
  }
  t.deepEqual([watchdog.wakes, watchdog.hangs], [0, 0])
  watchdog.stop()
  while (watchdog.wakes === 0) await delay(1)
  t.deepEqual(fs.readdirSync(folder), [])
  fs.rmdirSync(folder)
})
