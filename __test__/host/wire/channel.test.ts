import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { hostError } from '../../../ts/host/error.js'
import {
  Channel,
  type ChannelEvents,
  jsonBytes,
  jsonOf,
  messageBytesMax,
  waitingBytesMax,
} from '../../../ts/host/wire/channel.js'
import { flagMore, frameBytes, frameBytesMax, Kind } from '../../../ts/host/wire/frame.js'
import { codeOf, tempFolder, until } from '../../support/bus.js'

async function channels(
  t: ExecutionContext,
  nearEvents: ChannelEvents,
  farEvents: ChannelEvents,
): Promise<{ near: Channel; far: Channel }> {
  const address = path.join(tempFolder(t), 'c.sock')
  const server = net.createServer()
  server.listen(address)
  await once(server, 'listening')
  const socket = net.connect(address)
  const [other] = (await once(server, 'connection')) as [net.Socket]
  const near = new Channel(socket, nearEvents)
  const far = new Channel(other, farEvents)
  t.teardown(() => {
    near.close()
    far.close()
    server.close()
  })
  return { near, far }
}

test('both ends ask, are answered and refused', async (t) => {
  const notes: string[] = []
  const { near, far } = await channels(
    t,
    { onRequest: (name) => Buffer.from(`near ${name}`) },
    {
      onNote: (name, payload) => notes.push(`${name} ${payload}`),
      onRequest: async (name, payload) => {
        if (name === 'no') throw hostError('HOST_FORBIDDEN', 'not that', { uuid: 'u' })
        if (name === 'bug') throw new TypeError('a bug')
        return payload
      },
    },
  )
  near.note('hello', Buffer.from('there'))
  const asked = [1, 2, 3].map((n) => near.request('echo', jsonBytes({ n })))
  t.deepEqual((await Promise.all(asked)).map(jsonOf), [{ n: 1 }, { n: 2 }, { n: 3 }])
  t.is((await far.request('x')).toString(), 'near x')
  const refused = await t.throwsAsync(near.request('no'), { message: 'not that' })
  t.like(refused, { code: 'HOST_FORBIDDEN', facts: { uuid: 'u' } })
  t.like(await t.throwsAsync(near.request('bug')), { code: 'HOST_FAILED', message: 'a bug' })
  t.deepEqual(notes, ['hello there'])
})

test('a request is given up by its caller and by its deadline, and the other end hears of it', async (t) => {
  let aborted = 0
  const { near } = await channels(
    t,
    {},
    {
      onRequest: (_name, _payload, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted += 1
            reject(new Error('given up'))
          })
        }),
    },
  )
  const controller = new AbortController()
  const asked = near.request('slow', undefined, { signal: controller.signal })
  controller.abort()
  t.is(await codeOf(asked), 'HOST_CANCELLED')
  t.is(await codeOf(near.request('slow', undefined, { timeoutMs: 20 })), 'HOST_TIMED_OUT')
  t.is(
    await codeOf(near.request('slow', undefined, { signal: AbortSignal.abort() })),
    'HOST_CANCELLED',
  )
  await until('both were aborted', () => aborted === 2)
})

test('the end of a connection rejects what waits and aborts what is being answered', async (t) => {
  let ends = 0
  let signal: AbortSignal | undefined
  const { near, far } = await channels(
    t,
    { onEnd: () => (ends += 1) },
    {
      onRequest: (_name, _payload, given) => {
        signal = given
        return new Promise(() => {})
      },
    },
  )
  const asked = near.request('never')
  await until('it is asked', () => signal !== undefined)
  far.close()
  t.is(await codeOf(asked), 'HOST_DISCONNECTED')
  t.true(signal?.aborted)
  t.is(await codeOf(near.request('more')), 'HOST_DISCONNECTED')
  near.close()
  near.close()
  t.is(ends, 1)
})

test('a peer without a handler says so, and one that speaks nonsense is left', async (t) => {
  const { near, far } = await channels(t, {}, {})
  t.is(await codeOf(near.request('anything')), 'HOST_NO_METHOD')
  near.socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await until('both have ended', () => far.isEnded && near.isEnded)
})

test('what waits for a peer that does not read is bounded', async (t) => {
  const { near, far } = await channels(t, {}, {})
  far.socket.pause()
  let most = 0
  for (let count = 0; count < 100 && !near.isEnded; count += 1) {
    near.send(frameBytes(Kind.note, 0, 'x', Buffer.alloc(500_000)))
    most = Math.max(most, near.waitingBytes)
  }
  t.true(near.isEnded)
  t.true(most <= waitingBytesMax)
})

test('what is longer than a frame comes whole: notes, requests and answers', async (t) => {
  const long = Buffer.alloc(3 * frameBytesMax + 17, 'tea ')
  const heard: Buffer[] = []
  const { near } = await channels(
    t,
    {},
    {
      onNote: (_name, payload) => heard.push(payload),
      onRequest: (_name, payload) => payload,
    },
  )
  near.note('short', Buffer.from('before'))
  near.note('long', long)
  near.note('short', Buffer.from('behind'))
  const answers: Buffer[] = []
  for (const each of [Buffer.from('one'), long, Buffer.alloc(messageBytesMax), Buffer.from('two')])
    answers.push(await near.request('echo', each))
  t.is(answers[0]?.toString(), 'one')
  t.true(answers[1]?.equals(long))
  t.is(answers[2]?.length, messageBytesMax)
  t.is(answers[3]?.toString(), 'two')
  t.deepEqual(
    heard.map(({ length }) => length),
    [6, long.length, 6],
  )
  t.true(heard[1]?.equals(long))
  t.throws(() => near.note('longer', Buffer.alloc(messageBytesMax + 1)), { instanceOf: RangeError })
  t.is((await near.request('echo', Buffer.from('after'))).toString(), 'after')
})

test('what does not end, or is another before its end, is nonsense', async (t) => {
  const part = (kind: Kind, id: number, name: string, length: number) =>
    frameBytes(kind, id, name, Buffer.alloc(length), flagMore)
  const endless = Array.from({ length: 6 }, () => part(Kind.note, 0, 'long', frameBytesMax - 100))
  const mixed = [
    [part(Kind.note, 0, 'long', 10), frameBytes(Kind.note, 0, 'other')],
    [part(Kind.request, 1, 'long', 10), frameBytes(Kind.request, 2, 'long')],
    [part(Kind.request, 1, 'long', 10), frameBytes(Kind.answer, 1, 'long')],
  ]
  for (const frames of [endless, ...mixed]) {
    const ends: string[] = []
    const heard: string[] = []
    const { near } = await channels(
      t,
      {},
      { onNote: (name) => heard.push(name), onEnd: (why) => ends.push(why) },
    )
    near.socket.write(Buffer.concat(frames))
    await until('the end', () => ends.length > 0)
    t.deepEqual(ends, ['nonsense'])
    t.deepEqual(heard, [])
  }
})
