import { once } from 'node:events'
import test from 'ava'
import { connectBus } from '../../../ts/host/bus/client.js'
import { letterOf } from '../../../ts/host/bus/letter.js'
import { refusalsMax } from '../../../ts/host/refusals.js'
import { openTerminal } from '../../../ts/index.js'
import { BrokerProcess, codeOf, RawPeer, until } from '../../support/bus.js'
import { tempStore } from '../../support/store.js'

test.serial(
  'the broker is told who may come, says how it is, and reports who was refused',
  async (t) => {
    const broker = await BrokerProcess.start(t)
    const one = await broker.join(t, 'one.1')
    one.onRequest((payload) => payload)
    t.is((await one.request('one.1', Buffer.from('x'))).toString(), 'x')
    const raw = await RawPeer.connect(broker.sockets.bus)
    raw.socket.write('nonsense that is no frame')
    await raw.end()
    const saw = (name: string) => broker.notes.filter((note) => note.name === name)
    await until('it says so', () => saw('refused').length === 1 && saw('heartbeat').length > 0)
    t.is(saw('ready').length, 1)
    t.like(saw('refused')[0]?.value, { instance: null, code: 'HOST_PROTOCOL' })
    await until('it has counted', () =>
      saw('heartbeat').some(({ value }) => (value as { frames: number }).frames >= 3),
    )
  },
)

test.serial('it outlives its supervisor and finds the next one', async (t) => {
  const broker = await BrokerProcess.start(t)
  const one = await broker.join(t, 'one.1')
  one.onRequest((payload) => payload)
  const hasComeBack = () => broker.notes.filter(({ name }) => name === 'ready').length === 2
  await until('it is ready', () => broker.notes.some(({ name }) => name === 'ready'))
  broker.abandon()
  t.is((await one.request('one.1', Buffer.from('alone'))).toString(), 'alone')
  await until('it is back', hasComeBack)
  // The next supervisor has launched this one, and has not told the broker yet.
  const token = broker.book.know('three.1')
  const early = connectBus({ socket: broker.sockets.bus, instance: 'three.1', token })
  const two = await broker.join(t, 'two.1')
  const three = await early
  t.teardown(() => three.close())
  t.is((await two.request('one.1', Buffer.from('again'))).toString(), 'again')
  t.true(one.isConnected)
})

test.serial(
  'killed under traffic it comes back: what was under way is rejected, the rest goes on',
  async (t) => {
    const broker = await BrokerProcess.start(t)
    const one = await broker.join(t, 'one.1')
    const two = await broker.join(t, 'two.1')
    two.onRequest((payload) => payload)
    const heard = new Set<number>()
    let twice = 0
    await two.subscribe('count', (payload) => {
      const number = payload.readUInt32LE(0)
      if (heard.has(number)) twice += 1
      heard.add(number)
    })
    const changes: boolean[] = []
    two.onConnection((isConnected) => changes.push(isConnected))
    let isOver = false
    const counts = { answered: 0, wrong: 0, taken: 0 }
    const lost: Record<string, number> = {}
    const count = (error: { code?: string }) => {
      lost[error.code ?? 'other'] = (lost[error.code ?? 'other'] ?? 0) + 1
    }
    let next = 0
    const ask = async () => {
      while (!isOver) {
        next += 1
        const text = String(next)
        await one
          .request('two.1', Buffer.from(text))
          .then((answer) => {
            counts.answered += 1
            if (answer.toString() !== text) counts.wrong += 1
          })
          .catch(count)
      }
    }
    const publish = async () => {
      for (let number = 0; !isOver; number += 1) {
        const payload = Buffer.alloc(4)
        payload.writeUInt32LE(number)
        await one
          .publish('count', payload)
          .then(() => {
            counts.taken += 1
          })
          .catch(count)
      }
    }
    const traffic = [publish(), ...Array.from({ length: 32 }, ask)]
    const crashes = 5
    for (let crash = 0; crash < crashes; crash += 1) {
      const before = counts.answered
      await until('there is traffic', () => counts.answered > before + 500)
      await broker.crash()
      await until('both are back', () => one.isConnected && two.isConnected)
    }
    const before = counts.answered
    await until('there is traffic', () => counts.answered > before + 500)
    isOver = true
    await Promise.all(traffic)
    t.is(counts.wrong, 0)
    t.is(twice, 0)
    t.deepEqual(changes, Array.from({ length: crashes }, () => [false, true]).flat())
    // Both requests and publications that were under way when the broker died; and those for a peer that came back later.
    for (const code of Object.keys(lost))
      t.true(['HOST_DISCONNECTED', 'HOST_UNREACHABLE'].includes(code), code)
    t.true((lost.HOST_DISCONNECTED ?? 0) <= crashes * 33)
    t.log(`${counts.answered} answered, ${counts.taken} published, ${heard.size} heard, lost`, lost)
  },
)

test.serial('durable messages over kills of the broker: none lost, none twice', async (t) => {
  const root = tempStore(t)
  const terminal = await openTerminal({ root, id: 'T1' })
  const broker = await BrokerProcess.start(t, root)
  const app = await broker.join(t, 'app.3')
  const heard = new Map<string, number>()
  const bodies = new Set<unknown>()
  await terminal.messages.onMessage((message) => {
    const letter = letterOf(message)
    if (letter?.fromApp !== 'app') return
    heard.set(message.id, (heard.get(message.id) ?? 0) + 1)
    bodies.add(letter.body)
  })
  const ids = new Map<number, string>()
  const perWorker = 15
  const worker = async (first: number) => {
    for (let number = first; number < first + perWorker; number += 1) {
      const { id } = await app.post('T1', 'x.count', number, { timeoutMs: 120_000 })
      ids.set(number, id)
    }
  }
  const workers = Array.from({ length: 8 }, (_, index) => worker(index * perWorker))
  for (let crash = 1; crash <= 5; crash += 1) {
    await until('some are posted', () => ids.size >= crash * 20)
    await broker.crash()
  }
  await Promise.all(workers)
  await until('all are handled', () => heard.size >= ids.size)
  await terminal.close()
  t.is(ids.size, 8 * perWorker)
  t.is(new Set(ids.values()).size, ids.size, 'each has an id of its own')
  t.deepEqual(
    [...heard.keys()].sort(),
    [...ids.values()].sort(),
    'those that are heard are those that were posted',
  )
  t.true([...heard.values()].every((times) => times === 1))
  t.is(bodies.size, ids.size)
})

test.serial('the same key is the same message, over a restart of the broker too', async (t) => {
  const root = tempStore(t)
  const terminal = await openTerminal({ root, id: 'T1' })
  t.teardown(() => terminal.close())
  const broker = await BrokerProcess.start(t, root)
  const app = await broker.join(t, 'app.1')
  const other = await broker.join(t, 'other.1')
  const first = await app.post('T1', 'x.order', { tea: 2 }, { key: 'order-77' })
  const again = await app.post('T1', 'x.order', { tea: 2 }, { key: 'order-77' })
  t.is(again.id, first.id)
  const foreign = await other.post('T1', 'x.order', { tea: 2 }, { key: 'order-77' })
  t.not(foreign.id, first.id)
  await broker.crash()
  t.is((await app.post('T1', 'x.order', { tea: 2 }, { key: 'order-77' })).id, first.id)
  const waiting = await terminal.messages.receive()
  t.deepEqual(
    waiting.map(({ id }) => id),
    [first.id, foreign.id],
  )
  t.deepEqual(waiting.map(letterOf), [
    { fromApp: 'app', key: 'order-77', body: { tea: 2 } },
    { fromApp: 'other', key: 'order-77', body: { tea: 2 } },
  ])
  await terminal.messages.accept(waiting.map(({ id }) => id))
  await broker.crash()
  t.is((await app.post('T1', 'x.order', { tea: 2 }, { key: 'order-77' })).id, first.id)
  t.is((await terminal.messages.receive()).length, 0)
})

test.serial('a durable message that is refused says what is wrong', async (t) => {
  const root = tempStore(t)
  const broker = await BrokerProcess.start(t, root)
  const app = await broker.join(t, 'app.1')
  t.is(await codeOf(app.post('T9', 'x.note', 1)), 'PK_E_NOT_FOUND')
  t.is(await codeOf(app.post('../T1', 'x.note', 1)), 'HOST_ARGUMENT')
  t.is(await codeOf(app.post('T1', 'x.note', undefined)), 'HOST_ARGUMENT')
  t.is(await codeOf(app.post('T1', 'x.note', 1, { key: 'with space' })), 'HOST_ARGUMENT')
  const terminal = await openTerminal({ root, id: 'T1' })
  t.teardown(() => terminal.close())
  t.is(await codeOf(app.post('T1', 'SystemShutdown', { graceMs: 0, reason: 'x' })), 'HOST_ARGUMENT')
  t.is(await codeOf(app.post('T1', 'x.note', 'x'.repeat(300_000))), 'HOST_TOO_LARGE')
  t.is(await codeOf(app.post('T1', 'x.note', 1, { timeToLiveMs: 1.5 })), 'HOST_ARGUMENT')
  t.is(await codeOf(app.post('T1', 'x.note', 1, { timeToLiveMs: 1e18 })), 'HOST_ARGUMENT')
  t.is(await codeOf(app.post('T1', 'x.Note', 1)), 'HOST_ARGUMENT')
  t.is((await terminal.messages.receive()).length, 0)
})

test.serial('without a store there are no durable messages', async (t) => {
  const broker = await BrokerProcess.start(t)
  const app = await broker.join(t, 'app.1')
  t.is(await codeOf(app.post('T1', 'x.note', 1, { timeoutMs: 100 })), 'HOST_UNREACHABLE')
})

test.serial('told to end, it ends', async (t) => {
  const broker = await BrokerProcess.start(t)
  const gone = once(broker.child as NonNullable<typeof broker.child>, 'exit')
  broker.child?.kill('SIGTERM')
  t.deepEqual(await gone, [0, null])
})

test.serial(
  'a flood of callers that are nobody is passed on in part, with its number',
  async (t) => {
    const broker = await BrokerProcess.start(t)
    const began = performance.now()
    const floods = 300
    for (let count = 0; count < floods; count += 1) {
      const raw = await RawPeer.connect(broker.sockets.bus)
      raw.socket.write('nonsense that is no frame')
      await raw.end()
    }
    const refused = () => broker.notes.filter(({ name }) => name === 'refused')
    const told = () =>
      refused().reduce((sum, { value }) => {
        const { leftOut = 0 } = (value as { facts: { leftOut?: number } }).facts
        return sum + 1 + leftOut
      }, 0)
    await until('all are told or counted', () => told() === floods)
    const seconds = Math.ceil((performance.now() - began) / 1000)
    t.true(refused().length <= (refusalsMax + 1) * (seconds + 1), `${refused().length}`)
  },
)
