/** Peers of a kernel service that are not our own client: other languages, older versions, enemies. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { connectTerminal, verifyStore } from '../../ts/index.js'
import { program } from '../support/child.js'
import { frameOf, greeting, kinds, RawClient } from '../support/raw-client.js'
import { served } from '../support/served.js'
import { coffees, tempStore } from '../support/store.js'

test('a call of what clients may not call is refused, and the connection goes on', async (t) => {
  const root = tempStore(t)
  const { socket } = await served(t, { root, terminals: ['T1'] })
  const client = await RawClient.seated(socket, 'T1')
  let number = 0
  const call = (payload: unknown) => {
    number += 1
    return client.ask(kinds.call, number, JSON.stringify(payload))
  }
  for (const method of ['close', 'closeSync', 'waitSync', 'flush', 'constructor', '__proto__', 7]) {
    const { kind, said } = await call([method, 1])
    t.is(kind, kinds.error)
    t.is(said.code, 'PK_E_NOT_ALLOWED', String(method))
  }
  for (const payload of [{}, null, 'status', 7]) {
    t.is((await call(payload)).said.code, 'PK_E_BAD_FRAME')
  }
  for (const args of [
    ['addLine', 1],
    ['addLine', 'one', {}],
    ['begin', 1, 2],
    ['openShift', {}],
  ]) {
    t.is((await call(args)).said.code, 'PK_E_BAD_ARGUMENT', JSON.stringify(args))
  }
  number += 1
  t.is((await client.ask(kinds.call, number, 'not JSON')).said.code, 'PK_E_BAD_FRAME')
  for (const packed of [Buffer.alloc(0), Buffer.alloc(3), Buffer.from([255, 255, 255, 255, 1])]) {
    number += 1
    t.is((await client.ask(kinds.sell, number, packed)).said.code, 'PK_E_BAD_FRAME')
  }
  // A packed sale that promises more than it holds.
  const packed = Buffer.alloc(4 + 24)
  for (const [at, value] of [1e9, 1e9, 0].entries()) packed.writeDoubleLE(value, 4 + at * 8)
  number += 1
  t.is((await client.ask(kinds.sell, number, packed)).kind, kinds.error)
  const { kind, said } = await call(['status'])
  t.is(kind, kinds.answer)
  t.like(said, { id: 'T1', openSales: 0, nextReceipt: 1 })
  client.close()
})

test('a language of its own speaks operations of scripts', async (t) => {
  const root = tempStore(t)
  const { socket } = await served(t, { root, terminals: ['T1'] })
  const door = { door: 'script', package: '9.9.9' }
  const client = await RawClient.seated(socket, 'T1', door)
  let number = 0
  const operate = async (operation: object) => {
    number += 1
    const { kind, said } = await client.ask(kinds.operation, number, JSON.stringify(operation))
    t.is(kind, kinds.answer)
    return said
  }
  const { lines, tenders } = coffees
  t.like(await operate({ op: 'begin', store: 'shop', currency: 'EUR' }), { ok: true, sale: 1 })
  t.like(await operate({ op: 'addLine', ...lines[0] }), { ok: true, op: 'addLine', line: 1 })
  const short = await operate({ op: 'complete' })
  t.like(short, { ok: false, op: 'complete', code: 'PK_E_UNDERPAID', facts: { due: 640 } })
  await operate({ op: 'tender', ...tenders[0] })
  t.like(await operate({ op: 'complete' }), { ok: true, receipt: { receiptNumber: 1, gross: 640 } })
  t.like(await operate({ op: 'sing' }), { ok: false, code: 'PK_E_BAD_ARGUMENT' })
  const secret = path.join(root, 'secret.json')
  writeFileSync(secret, '{}')
  const file = await operate({ op: 'setRules', tables: [{ file: secret }] })
  t.like(file, { ok: false, code: 'PK_E_BAD_ARGUMENT', facts: { argument: 'file' } })
  const clock = await operate({ op: 'setClock', wall: '2026-11-21T09:00:00.000Z' })
  t.like(clock, { ok: false, code: 'PK_E_BAD_ARGUMENT' })
  client.close()
})

test('versions that do not fit are refused by name', async (t) => {
  const root = tempStore(t)
  const { socket } = await served(t, { root, terminals: ['T1'] })
  const refused = async (hello: Buffer) => {
    const client = await RawClient.open(socket)
    client.send(frameOf(kinds.hello, 0, hello))
    const first = await client.next()
    t.is(first?.kind, kinds.refused)
    t.is(await client.next(), undefined)
    return JSON.parse(String(first?.payload))
  }
  const newer = await refused(greeting('T1', {}, 2))
  t.like(newer, { code: 'PK_E_PROTOCOL_VERSION' })
  t.deepEqual(newer.facts, { what: 'protocol', client: '2', service: '1' })
  const other = await refused(greeting('T1', { package: '9.9.9' }))
  t.like(other.facts, { what: 'package', client: '9.9.9' })
  t.is((await refused(Buffer.from('nothing of the kind'))).code, 'PK_E_BAD_FRAME')
})

test('garbage, floods and slow peers cost only themselves', async (t) => {
  const root = tempStore(t)
  const limits = { helloMs: 200, frameMs: 200, unreadBytesMax: 1 << 20, connections: 8 }
  const { socket } = await served(t, { root, terminals: ['T1', 'T2'] }, limits)
  const till = await connectTerminal({ root, id: 'T1' })
  const sends: Buffer[] = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(100_000, 0xff),
    Buffer.from([1]),
    frameOf(kinds.hello, 0, greeting('T2')).subarray(0, 30),
    Buffer.concat([frameOf(kinds.hello, 0, greeting('T2')), Buffer.from([50, 0, 0, 0, 4])]),
  ]
  for (const bytes of sends) {
    const client = await RawClient.open(socket)
    client.send(bytes)
    let last: string | undefined
    for (let frame = await client.next(); frame !== undefined; frame = await client.next()) {
      last = frame.payload.toString()
    }
    t.is(JSON.parse(String(last)).code, 'PK_E_BAD_FRAME')
    t.like(await till.sell(coffees), { gross: 640 })
  }
  // One that asks and asks and reads nothing is not read either, and the others go on.
  const deaf = await RawClient.seated(socket, 'T2')
  deaf.pause()
  for (let number = 1; number <= 20_000; number += 1) {
    deaf.send(frameOf(kinds.call, number, '["status"]'))
  }
  for (let sale = 0; sale < 20; sale += 1) t.like(await till.sell(coffees), { gross: 640 })
  deaf.close()
  // More connections than there may be.
  const held = await Promise.all(Array.from({ length: 12 }, () => RawClient.open(socket)))
  const told = await Promise.all(held.map(async (client) => (await client.next())?.payload))
  const codes = told.map((said) => JSON.parse(String(said)).code)
  t.true(codes.includes('PK_E_LIMIT'), codes.join())
  t.like(await till.sell(coffees), { gross: 640 })
  await till.close()
})

const isRoot = process.getuid?.() === 0
const testUsers = isRoot && process.platform === 'linux' ? test : test.skip
const nobody = 65_534

testUsers('another user is kept out, or let in by name', async (t) => {
  const root = tempStore(t)
  chmodSync(root, 0o755)
  const asNobody = (socket: string) => program('connect-as.mjs', [socket, String(nobody)])
  const shut = await served(t, { root, terminals: ['T1'] })
  t.like(JSON.parse((await asNobody(shut.socket)).stdout), { code: 'PK_E_NOT_ALLOWED' })
  await shut.stop()
  // The socket is open to all then, and the system tells who comes.
  const other = await served(t, { root, terminals: ['T1'], allowUids: [nobody - 1] })
  const refused = JSON.parse((await asNobody(other.socket)).stdout)
  t.like(refused, { code: 'PK_E_NOT_ALLOWED', facts: { uid: nobody } })
  await other.stop()
  const open = await served(t, { root, terminals: ['T1'], allowUids: [nobody] })
  t.deepEqual(JSON.parse((await asNobody(open.socket)).stdout), { gross: 640 })
  await open.stop()
  const { ok } = await verifyStore({ root })
  t.true(ok)
})

test('a socket is where it is named, and a folder of others stays as it is', async (t) => {
  const root = tempStore(t)
  const folder = path.join(root, 'run')
  mkdirSync(folder, { mode: 0o755 })
  const socket = path.join(folder, 'till.sock')
  const service = await served(t, { root, socket, terminals: 'any' })
  t.is(service.socket, socket)
  const terminal = await connectTerminal({ root, socket, id: 'NEW_1' })
  t.like(await terminal.sell(coffees), { gross: 640 })
  await terminal.close()
})
