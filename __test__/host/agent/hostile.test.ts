/** Apps and callers that mean no good: contained, reported, and nobody else notices. */
import http from 'node:http'
import test from 'ava'
import { WebSocket } from 'ws'
import { until } from '../../support/bus.js'
import { type ActorProcess, appOf, Rig } from '../../support/fdc3.js'

let rig: Rig
let good: ActorProcess

test.before(async () => {
  rig = await Rig.start({
    apps: [appOf('good'), appOf('bad'), appOf('screen', {}, 'http://127.0.0.1:9/screen')],
  })
  good = await rig.spawn('good')
})
test.after.always(async () => {
  await rig?.close()
})

const isWell = async () => (await good.run((fdc3) => fdc3.getInfo())).provider === 'pos-kernel'

test.serial(
  'who sends what is no message is reported, and answered where that can be',
  async (t) => {
    const bad = await rig.bus.join('bad.100')
    const heard: { link?: string; type?: string; payload?: { error?: string } }[] = []
    bad.onMessage((payload) => heard.push(JSON.parse(payload.toString())))
    const say = (value: string) => bad.send('host/agent', Buffer.from(value))
    await say('{"type":"getInfoRequest"}')
    await until('it is told to join', () => heard.some(({ link }) => link === 'lost'))
    await say('{"link":"join","attempt":1}')
    await until('it has joined', () => heard.some(({ link }) => link === 'joined'))
    for (const nonsense of [
      '',
      '{',
      '[]',
      'null',
      '7',
      '{"type":{}}',
      '{"type":"__proto__"}',
      `{"type":"${'x'.repeat(1000)}Request"}`,
    ]) {
      await say(nonsense)
    }
    await say('x'.repeat(600_000))
    const meta = {
      requestUuid: 'r1',
      timestamp: '2026-01-01T00:00:00Z',
      source: { appId: 'good', instanceId: good.instance },
    }
    await say(
      JSON.stringify({ type: 'broadcastRequest', payload: { channelId: 'fdc3.channel.1' }, meta }),
    )
    await until('it is refused by name', () =>
      heard.some(({ type }) => type === 'broadcastResponse'),
    )
    t.is(heard.find(({ type }) => type === 'broadcastResponse')?.payload?.error, 'MalformedMessage')
    await until('it is reported', () => rig.problems.some(({ kind }) => kind === 'malformed'))
    const kinds = new Set(
      rig.problems.filter(({ instanceId }) => instanceId === 'bad.100').map(({ kind }) => kind),
    )
    t.deepEqual([...kinds].sort(), ['malformed', 'not-json', 'too-large', 'unknown-type'])
    t.true(await isWell())
  },
)

test.serial('the name in a message is not who it is from', async (t) => {
  const bad = await rig.bus.join('bad.101')
  const heard: { type?: string; payload?: unknown }[] = []
  bad.onMessage((payload) => heard.push(JSON.parse(payload.toString())))
  const say = (value: object) => bad.send('host/agent', Buffer.from(JSON.stringify(value)))
  await say({ link: 'join', attempt: 1 })
  const meta = {
    requestUuid: 'r',
    timestamp: '2026-01-01T00:00:00Z',
    source: { appId: 'good', instanceId: good.instance },
  }
  await say({ type: 'getInfoRequest', payload: {}, meta })
  await until('it is answered', () => heard.some(({ type }) => type === 'getInfoResponse'))
  t.like(heard.find(({ type }) => type === 'getInfoResponse')?.payload, {
    implementationMetadata: { appMetadata: { appId: 'bad', instanceId: 'bad.101' } },
  })
  await t.throwsAsync(bad.request('host/agent', Buffer.from('{"method":"status"}')), {
    code: 'HOST_FORBIDDEN',
  })
})

test.serial('an app of no directory is refused', async (t) => {
  const stranger = await rig.bus.join('stranger.1')
  const heard: { link?: string }[] = []
  stranger.onMessage((payload) => heard.push(JSON.parse(payload.toString())))
  await stranger.send('host/agent', Buffer.from('{"link":"join","attempt":1}'))
  await until('it is refused', () => heard.length > 0)
  t.is(heard[0]?.link, 'refused')
})

test.serial(
  'a flood is dropped behind its own line, and others are answered meanwhile',
  async (t) => {
    const bad = await rig.bus.join('bad.102')
    let answers = 0
    bad.onMessage(() => {
      answers += 1
    })
    await bad.send('host/agent', Buffer.from('{"link":"join","attempt":1}'))
    const request = Buffer.from(
      JSON.stringify({
        type: 'getUserChannelsRequest',
        payload: {},
        meta: { requestUuid: 'f', timestamp: '2026-01-01T00:00:00Z' },
      }),
    )
    let refused = 0
    const onRefused = () => {
      refused += 1
    }
    const flood: Promise<void>[] = []
    for (let sent = 0; sent < 40_000; sent += 1) {
      flood.push(bad.send('host/agent', request).catch(onRefused))
      if (sent % 4000 === 0) t.true(await isWell())
    }
    await Promise.all(flood)
    t.true(await isWell())
    await until('the flood is over', () => answers > 0)
    t.log(`of 40000 messages ${refused} had no room on the bus, ${answers} were answered`)
  },
)

test.serial('the gateway knows its own name alone', async (t) => {
  const ask = (path: string, host: string) =>
    new Promise<{ status: number; text: string; policy: string }>((resolve, reject) => {
      const request = http.get(
        { port: rig.port, host: '127.0.0.1', path, headers: { host } },
        (response) => {
          let text = ''
          response.on('data', (bytes) => {
            text += bytes
          })
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              text,
              policy: String(response.headers['content-security-policy']),
            }),
          )
        },
      )
      request.on('error', reject)
    })
  const own = `127.0.0.1:${rig.port}`
  const shell = await ask('/app/screen.1', own)
  t.is(shell.status, 200)
  t.regex(shell.policy, /frame-ancestors 'none'/)
  t.regex(shell.policy, /frame-src http:\/\/127\.0\.0\.1:9;/)
  t.is((await ask('/app/screen.1', `evil.test:${rig.port}`)).status, 421)
  t.is((await ask('/app/screen.1', 'localhost')).status, 421)
  for (const path of [
    '/',
    '/app/good.1',
    '/app/..%2f..',
    '/modules/host/../../../package.json',
    '/app/nobody.1',
  ]) {
    t.is((await ask(path, own)).status, 404, path)
  }
})

/** Opens a socket of the gateway; gives the code that it was closed with, or the refusal of the handshake. */
async function closedWith(options: {
  origin?: string
  path?: string
  first?: object
  host?: string
}): Promise<number> {
  const { origin = `http://127.0.0.1:${rig.port}`, path = '/agent', first, host } = options
  const headers = host === undefined ? {} : { host }
  const socket = new WebSocket(`ws://127.0.0.1:${rig.port}${path}`, { origin, headers })
  return new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.on('error', () => undefined)
    socket.on('open', () => first !== undefined && socket.send(JSON.stringify(first)))
    socket.on('close', (code) => resolve(code))
  })
}

test.serial(
  'a socket of another origin, another host or without a token does not get in',
  async (t) => {
    t.is(await closedWith({ origin: 'https://evil.test' }), 403)
    t.is(await closedWith({ origin: 'null' }), 403)
    t.is(await closedWith({ host: `evil.test:${rig.port}` }), 403)
    t.is(await closedWith({ path: '/other' }), 403)
    const token = rig.bus.know('screen.7')
    t.is(await closedWith({ first: { type: 'getInfoRequest', payload: {}, meta: {} } }), 4401)
    t.is(
      await closedWith({ first: { link: 'open', instance: 'screen.7', token: 'f'.repeat(64) } }),
      4401,
    )
    t.is(await closedWith({ first: { link: 'open', instance: 'host/agent', token } }), 4401)
    t.is(await closedWith({ first: { link: 'open', instance: 'good.1', token } }), 4401)
    await until('it is reported', () => rig.problems.some(({ kind }) => kind === 'forged'))
    t.true(rig.problems.some(({ kind }) => kind === 'origin'))
    t.true(await isWell())
  },
)

test.serial('an id that a page cannot show is not its own', async (t) => {
  const token = rig.bus.know('screen.8')
  const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/agent`, {
    origin: `http://127.0.0.1:${rig.port}`,
  })
  const said: string[] = []
  socket.on('message', (data) => said.push((JSON.parse(String(data)) as { link: string }).link))
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(JSON.stringify({ link: 'open', instance: 'screen.8', token }))
  await until('it is open', () => said.includes('opened'))
  for (const instanceId of ['screen.8', 'screen.1', good.instance]) {
    socket.send(JSON.stringify({ link: 'resume', instanceId, instanceUuid: 'guess' }))
  }
  await until('all are refused', () => said.filter((link) => link === 'refused').length === 3)
  socket.close()
  t.pass()
})

test.serial('a Node program registers again by itself when the agent was killed', async (t) => {
  const other = await rig.spawn('bad')
  await good.run(async (fdc3, box) => {
    await fdc3.joinUserChannel('fdc3.channel.4')
    box.kept.listener = await fdc3.addContextListener('x', (context) => box.seen.push(context))
  })
  await rig.killAgent()
  const waiting = good.run((fdc3) => fdc3.getInfo())
  await rig.startAgent()
  t.is((await waiting).provider, 'pos-kernel', 'a question that was asked in between is answered')
  t.is(await good.run(async (fdc3) => (await fdc3.getCurrentChannel())?.id), 'fdc3.channel.4')
  await other.run((fdc3) => fdc3.joinUserChannel('fdc3.channel.4'))
  await other.run((fdc3) => fdc3.broadcast({ type: 'x', id: { key: 'again' } }))
  const seen = await good.run(async (_fdc3, box) => {
    await box.until(() => box.seen.length > 0)
    return box.seen
  })
  t.deepEqual(seen, [{ type: 'x', id: { key: 'again' } }])
})
