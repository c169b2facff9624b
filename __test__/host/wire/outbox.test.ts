import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { FrameReader, frameBytes, frameOf, Kind } from '../../../ts/host/wire/frame.js'
import { Outbox } from '../../../ts/host/wire/outbox.js'
import { tempFolder, until } from '../../support/bus.js'

async function pair(t: ExecutionContext): Promise<{ near: net.Socket; far: net.Socket }> {
  const address = path.join(tempFolder(t), 'pair.sock')
  const server = net.createServer()
  server.listen(address)
  await once(server, 'listening')
  const near = net.connect(address)
  const [far] = (await once(server, 'connection')) as [net.Socket]
  t.teardown(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return { near, far }
}

test('frames of all lengths come in their order, whatever is flushed between', async (t) => {
  const { near, far } = await pair(t)
  const reader = new FrameReader()
  let heard: { id: number; name: string; payload: string }[] = []
  far.on('data', (bytes: Buffer) => {
    for (const frame of reader.read(bytes) ?? []) {
      const { id, name, payload } = frameOf(frame)
      heard.push({ id, name, payload: payload.toString('latin1') })
    }
  })
  const length = fc.oneof(fc.nat(400), fc.nat(20_000), fc.nat(200_000))
  const said = fc.array(fc.record({ length, isWhole: fc.boolean(), flush: fc.boolean() }), {
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(said, async (frames) => {
      heard = []
      const outbox = new Outbox(near, (it) => setImmediate(() => it.flush()))
      const expected = frames.map(({ length, isWhole, flush }, id) => {
        const payload = Buffer.alloc(length, 65 + (id % 26))
        const name = `n${id}`
        if (isWhole) outbox.addWhole(frameBytes(Kind.note, id, name, payload))
        else {
          const around = Buffer.concat([Buffer.from('>>'), payload, Buffer.from('<<')])
          outbox.add(Kind.note, id, Buffer.from(name), around, 2, 2 + length)
        }
        if (flush) outbox.flush()
        return { id, name, payload: payload.toString('latin1') }
      })
      await until('all frames came', () => heard.length === expected.length)
      t.deepEqual(heard, expected)
    }),
    { numRuns: 30 },
  )
})

test('it says how much waits for a peer that does not read', async (t) => {
  const { near, far } = await pair(t)
  far.pause()
  const outbox = new Outbox(near, (it) => process.nextTick(() => it.flush()))
  const payload = Buffer.alloc(8000)
  for (let count = 0; count < 1000; count += 1) outbox.add(Kind.note, 0, Buffer.from('x'), payload)
  const taken = 1000 * (8000 + 13) - outbox.waitingBytes
  t.true(outbox.waitingBytes > 4_000_000, `the system took ${taken}`)
  far.resume()
  await until('nothing waits', () => outbox.waitingBytes === 0)
})
