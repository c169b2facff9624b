/** Messages through the Node door: over the inbox, over the socket, and back as acknowledgements. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import test from 'ava'
import { acknowledgements, inspectJournal, openTerminal } from '../../ts/index.js'
import { addressOf } from '../../ts/kernel/link/address.js'
import { frameBytes } from '../../ts/kernel/link/frames.js'
import { refusal, tempStore } from '../support/store.js'
import { Heard, terminalsOf } from './stores.js'

test('a message to a terminal that listens comes at once, in order, and is acknowledged', async (t) => {
  const [one, two] = await terminalsOf(t, 'T1', 'T2')
  if (one === undefined || two === undefined) return t.fail()
  const heard = new Heard()
  await two.messages.onMessage(heard.on)
  await one.messages.onMessage(() => {})
  const bodies = [1, 'two', null, [3.5, -0.25], { deep: { four: true } }, '\u{1f600}', 2 ** 53 - 1]
  const sent = []
  for (const body of bodies) sent.push(await one.messages.send({ to: 'T2', kind: 'x.n', body }))
  t.deepEqual(
    (await heard.count(bodies.length)).map(({ body }) => body),
    bodies,
  )
  t.deepEqual(
    heard.messages.map(({ id }) => id),
    sent.map(({ id }) => id),
  )
  const last = sent.at(-1)?.id ?? ''
  const became = await one.messages.acknowledged(last, ['T2'], { timeoutMs: 60_000 })
  t.deepEqual(became, [{ terminal: 'T2', state: 'received' }])
  t.deepEqual(await two.messages.receive(), [])
})

test('a message to a terminal that is closed waits for it', async (t) => {
  const root = tempStore(t)
  await (await openTerminal({ root, id: 'T2' })).close()
  await using one = await openTerminal({ root, id: 'T1' })
  const { id } = await one.messages.send({ to: 'T2', kind: 'x.n', body: 1 })
  t.deepEqual(await acknowledgements(root, id), [{ terminal: 'T2', state: 'waiting' }])
  await using two = await openTerminal({ root, id: 'T2' })
  const heard = new Heard()
  await two.messages.onMessage(heard.on)
  await heard.count(1)
  await one.messages.acknowledged(id, ['T2'], { timeoutMs: 60_000 })
  const kinds = []
  for await (const record of inspectJournal({ root, terminal: 'T2' })) {
    if ('kind' in record) kinds.push(record.kind)
  }
  t.is(kinds.filter((kind) => kind === 'MessageReceived').length, 1)
})

test('a broadcast reaches all others, once', async (t) => {
  const [one, two, three] = await terminalsOf(t, 'T1', 'T2', 'T3')
  if (one === undefined || two === undefined || three === undefined) return t.fail()
  const [heard, silent] = [new Heard(), new Heard()]
  await two.messages.onMessage(heard.on)
  const { id, sent, refused } = await one.messages.broadcast({
    kind: 'x.all',
    body: {},
    ttlMs: 60_000,
  })
  t.deepEqual([sent, refused], [['T2', 'T3'], []])
  await heard.count(1)
  await three.messages.onMessage(silent.on)
  await silent.count(1)
  const became = await one.messages.acknowledged(id, sent, { timeoutMs: 60_000 })
  t.deepEqual(
    became.map(({ state }) => state),
    ['received', 'received'],
  )
  t.true(typeof heard.messages[0]?.expiresAt === 'string')
})

test('a transient message goes to who listens, and is kept by nobody', async (t) => {
  const [one, two, three] = await terminalsOf(t, 'T1', 'T2', 'T3')
  if (one === undefined || two === undefined || three === undefined) return t.fail()
  const heard = new Heard()
  await two.messages.onMessage(heard.on)
  const here = { kind: 'x.presence', body: 'here', transient: true }
  t.true((await one.messages.send({ ...here, to: 'T2' })).delivered)
  t.false((await one.messages.send({ ...here, to: 'T3' })).delivered)
  t.deepEqual((await one.messages.broadcast(here)).sent, ['T2'])
  const messages = await heard.count(2)
  t.true(messages.every((message) => message.transient))
  t.deepEqual(await three.messages.receive(), [])
  const own = { kind: 'SystemShutdown', body: {}, transient: true, to: 'T2' }
  await refusal(t, () => one.messages.send(own), 'PK_E_BAD_MESSAGE')
  const large = { ...here, body: 'x'.repeat(256 * 1024), to: 'T2' }
  await refusal(t, () => one.messages.send(large), 'PK_E_LIMIT')
  // A peer that is gone is no error, and one that comes back is heard again.
  await two.close()
  t.false((await one.messages.send({ ...here, to: 'T2' })).delivered)
  await using back = await openTerminal({ root: one.root, id: 'T2' })
  const again = new Heard()
  await back.messages.onMessage(again.on)
  while (!(await one.messages.send({ ...here, to: 'T2' })).delivered);
  await again.count(1)
})

test('a handler that fails gets the message again, and in the end it is given up', async (t) => {
  const [one, two] = await terminalsOf(t, 'T1', 'T2')
  if (one === undefined || two === undefined) return t.fail()
  const send = (body: string) => one.messages.send({ to: 'T2', kind: 'x.n', body })
  const [flaky, hopeless, fine] = [await send('flaky'), await send('hopeless'), await send('fine')]
  const seen: unknown[] = []
  await two.messages.onMessage(({ body }) => {
    seen.push(body)
    const isFirst = seen.filter((other) => other === body).length === 1
    if (body === 'hopeless' || (body === 'flaky' && isFirst)) throw new Error('no\npaper')
  })
  await one.messages.acknowledged(fine.id, ['T2'], { timeoutMs: 60_000 })
  const count = (body: string) => seen.filter((other) => other === body).length
  t.deepEqual([count('flaky'), count('hopeless'), count('fine')], [2, 5, 1])
  const [dead] = await one.messages.acknowledgements(hopeless.id)
  t.deepEqual([dead?.state, dead?.reason], ['dead', 'refused'])
  const [received] = await one.messages.acknowledgements(flaky.id)
  t.is(received?.state, 'received')
})

test('what is no message is refused by name', async (t) => {
  const [one] = await terminalsOf(t, 'T1', 'T2')
  if (one === undefined) return t.fail()
  const send = (letter: object) => () => one.messages.send(letter as never)
  await refusal(t, send({ to: 'T2', kind: 'x.n', bod: 1 }), 'PK_E_BAD_ARGUMENT')
  await refusal(t, send({ to: 'T2', kind: 'x.n' }), 'PK_E_BAD_MESSAGE')
  await refusal(t, send({ to: 'T2', kind: 'x.n', body: '\ud800' }), 'PK_E_BAD_MESSAGE')
  await refusal(t, send({ to: 'T2', kind: 'X', body: 1 }), 'PK_E_BAD_MESSAGE')
  await refusal(t, send({ to: 'T9', kind: 'x.n', body: 1 }), 'PK_E_NOT_FOUND')
  await refusal(t, send({ to: '../T2', kind: 'x.n', body: 1 }), 'PK_E_BAD_ID')
  await refusal(t, send({ to: 'T2', kind: 'x.n', body: 1, ttlMs: -1 }), 'PK_E_BAD_ARGUMENT')
  await refusal(t, () => one.messages.accept(['../x']), 'PK_E_BAD_MESSAGE')
  await refusal(t, () => one.messages.onMessage('no' as never), 'PK_E_BAD_ARGUMENT')
  await one.close()
  await refusal(t, send({ to: 'T2', kind: 'x.n', body: 1 }), 'PK_E_CLOSED')
  await refusal(t, send({ to: 'T2', kind: 'x.n', body: 1, transient: true }), 'PK_E_CLOSED')
})

test('whoever speaks another language to a socket is hung up on, and the others are heard', async (t) => {
  const [one, two] = await terminalsOf(t, 'T1', 'T2')
  if (one === undefined || two === undefined) return t.fail()
  const heard = new Heard()
  await two.messages.onMessage(heard.on)
  const envelope = { id: 'a', from: 'T9', to: 'T2', kind: 'x.n', sentAt: '', body: 1 }
  const framed = (value: object) => frameBytes(value as never) ?? Buffer.alloc(0)
  const rude = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([255, 255, 255, 255]),
    Buffer.from([2, 0, 0, 0, 0x7b, 0x5d]),
    framed({ t: 'unknown' }),
    framed({ t: 'message' }),
    framed({ t: 'message', message: { ...envelope, kind: 'SystemShutdown' } }),
    framed({ t: 'message', message: { ...envelope, more: 1 } }),
  ]
  for (const bytes of rude) {
    const socket = net.connect(addressOf(two.root, 'T2'))
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(bytes)
    await closed
  }
  t.deepEqual(heard.messages, [])
  await one.messages.send({ to: 'T2', kind: 'x.n', body: 'polite', transient: true })
  t.is((await heard.count(1))[0]?.body, 'polite')
})

test('a socket of a long path lies in a folder of this user, and a stale one is no obstacle', async (t) => {
  const root = path.join(tempStore(t), 'a-long-name-for-a-store'.repeat(6))
  const id = 'REGISTER_01'
  t.true(Buffer.byteLength(addressOf(root, id)) <= 100)
  await using other = await openTerminal({ root, id: 'T1' })
  for (let round = 0; round < 2; round += 1) {
    await using terminal = await openTerminal({ root, id })
    const heard = new Heard()
    await terminal.messages.onMessage(heard.on)
    while (
      !(await other.messages.send({ to: id, kind: 'x.n', body: 1, transient: true })).delivered
    );
    await heard.count(1)
    // As an owner that died leaves it.
    if (process.platform !== 'win32' && round === 0) {
      await terminal.close()
      writeFileSync(addressOf(root, id), '')
    }
  }
})

test('dead letters say why', async (t) => {
  const [one, two] = await terminalsOf(t, 'T1', 'T2')
  if (one === undefined || two === undefined) return t.fail()
  await one.messages.send({ to: 'T2', kind: 'x.n', body: 1 })
  const inbox = path.join(one.root, 'shared/cross_terminal_messages/terminal_inbox/T2')
  writeFileSync(path.join(inbox, 'new', 'garbage.json'), '{')
  t.is((await two.messages.receive()).length, 1)
  const [reason = ''] = readdirSync(path.join(inbox, 'dead')).filter((it) =>
    it.endsWith('.reason.json'),
  )
  const said = JSON.parse(readFileSync(path.join(inbox, 'dead', reason), 'utf8'))
  t.like(said, { reason: 'name', name: 'garbage.json' })
})
