/** Who gets into the dashboard: nobody but who has its key and asks it by its own address. */
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { type Dashboard, startDashboard } from '../../../ts/host/dashboard/dashboard.js'
import { appStatus, type ControlServer, controlServer } from '../support/control-server.js'
import { readExposition } from '../support/exposition.js'

/** A dashboard of a host with the apps `clock` and `till`. */
async function open(t: ExecutionContext): Promise<{ dashboard: Dashboard; host: ControlServer }> {
  const host = await controlServer(t, [appStatus('clock'), appStatus('till', { kind: 'terminal' })])
  const dashboard = await startDashboard({ root: host.root })
  t.teardown(() => dashboard.stop())
  return { dashboard, host }
}

interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** A request whose headers are exactly these. */
function send(
  { url }: Dashboard,
  path: string,
  headers: http.OutgoingHttpHeaders,
  options: { method?: string; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', body } = options
    const request = http.request(
      new URL(path, url),
      { method, headers, agent: false },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part) => {
          text += part
        })
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

const withKey = ({ key }: Dashboard) => ({ authorization: `Bearer ${key}` })
const asJson = { 'content-type': 'application/json' }

test('the page is there without the key, and holds nothing of the store', async (t) => {
  const { dashboard, host } = await open(t)
  for (const path of ['/', '/main.js', '/style.css', '/uplot.js', '/uplot.css', '/icon.svg']) {
    const { status, headers, body } = await send(dashboard, path, {})
    t.is(status, 200, path)
    t.regex(String(headers['content-security-policy']), /default-src 'none'/)
    t.notRegex(String(headers['content-security-policy']), /unsafe/)
    t.is(headers['cache-control'], 'no-store')
    t.is(headers['x-content-type-options'], 'nosniff')
    t.is(headers['set-cookie'], undefined)
    t.false(body.includes(dashboard.key))
    t.false(body.includes(host.root))
  }
  const { body } = await send(dashboard, '/', {})
  t.notRegex(body, /<script(?![^>]* src=)|\sstyle=|\son\w+=|https?:/)
})

test('every module that the page asks for is served', async (t) => {
  const { dashboard } = await open(t)
  const pending = ['/main.js']
  for (const path of pending) {
    const { status, body } = await send(dashboard, path, {})
    t.is(status, 200, path)
    if (path === '/uplot.js') continue
    for (const [, name] of body.matchAll(/from '\.(\/[\w.]+)'/g)) {
      if (name !== undefined && !pending.includes(name)) pending.push(name)
    }
  }
  t.true(pending.length > 10)
})

test('without the key, with a wrong one, or with it in the wrong place: nothing', async (t) => {
  const { dashboard, host } = await open(t)
  const tries: http.OutgoingHttpHeaders[] = [
    {},
    { authorization: 'Bearer ' },
    { authorization: `Bearer ${'0'.repeat(64)}` },
    { authorization: `Basic ${dashboard.key}` },
    { authorization: `Bearer ${dashboard.key.slice(0, 63)}` },
    { authorization: `Bearer ${dashboard.key.toUpperCase()}X` },
    { cookie: `key=${dashboard.key}` },
  ]
  for (const headers of tries) {
    for (const path of [
      '/api/stream',
      '/api/apps/clock/history',
      '/api/reports',
      '/api/questions',
      '/metrics',
      '/nothing',
    ]) {
      const { status, body } = await send(dashboard, path, headers)
      t.is(status, 401, `${path} ${JSON.stringify(headers)}`)
      t.is(JSON.parse(body).code, 'HOST_IDENTITY')
    }
    const kill = { method: 'POST', body: '{"confirm":"clock"}' }
    const { status } = await send(
      dashboard,
      '/api/apps/clock/kill',
      { ...headers, ...asJson },
      kill,
    )
    t.is(status, 401)
  }
  const inAddress = await send(dashboard, `/metrics?key=${dashboard.key}`, {})
  t.is(inAddress.status, 401)
  t.deepEqual(
    host.asked.filter(({ name }) => name === 'kill'),
    [],
  )
})

test('a name of the internet that was pointed here is refused, even with the key', async (t) => {
  const { dashboard } = await open(t)
  const { port } = new URL(dashboard.url)
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1.evil.example:${port}`,
    `127.0.0.1:${Number(port) + 1}`,
    `0.0.0.0:${port}`,
  ]) {
    for (const path of ['/', '/metrics']) {
      const { status, body } = await send(dashboard, path, { ...withKey(dashboard), host })
      t.is(status, 403, `${host} ${path}`)
      t.is(JSON.parse(body).code, 'HOST_FORBIDDEN')
    }
  }
  for (const host of [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    `LOCALHOST:${port}`,
    `[::1]:${port}`,
  ]) {
    t.is((await send(dashboard, '/metrics', { ...withKey(dashboard), host })).status, 200, host)
  }
})

test('another site is refused, even with the key, and no answer lets it read', async (t) => {
  const { dashboard, host } = await open(t)
  const { port } = new URL(dashboard.url)
  const foreign: http.OutgoingHttpHeaders[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `https://127.0.0.1:${port}` },
    { origin: `http://127.0.0.1:${Number(port) - 1}` },
    { origin: `http://localhost:${port}` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of foreign) {
    const all = { ...withKey(dashboard), ...asJson, ...headers }
    const kill = { method: 'POST', body: '{"confirm":"clock"}' }
    const { status, headers: answered } = await send(dashboard, '/api/apps/clock/kill', all, kill)
    t.is(status, 403, JSON.stringify(headers))
    t.is(answered['access-control-allow-origin'], undefined)
  }
  const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
  const { status } = await send(dashboard, '/api/apps/clock/kill', preflight, { method: 'OPTIONS' })
  t.is(status, 403)
  t.deepEqual(
    host.asked.filter(({ name }) => name === 'kill'),
    [],
  )
})

test('a button needs the name of its app, as JSON, and is one that there is', async (t) => {
  const { dashboard, host } = await open(t)
  const { origin } = new URL(dashboard.url)
  const headers = { ...withKey(dashboard), ...asJson, origin, 'sec-fetch-site': 'same-origin' }
  const press = async (path: string, body: string, type = 'application/json') => {
    const all = { ...headers, 'content-type': type }
    const answer = await send(dashboard, path, all, { method: 'POST', body })
    const { code } = JSON.parse(answer.body)
    return `${answer.status} ${code ?? 'ok'}`
  }
  t.is(await press('/api/apps/clock/kill', '{"confirm":"till"}'), '400 HOST_ARGUMENT')
  t.is(await press('/api/apps/clock/kill', '{}'), '400 HOST_ARGUMENT')
  t.is(await press('/api/apps/clock/kill', '{"confirm":"clock","more":1}'), '400 HOST_ARGUMENT')
  t.is(await press('/api/apps/clock/kill', 'confirm'), '400 HOST_ARGUMENT')
  t.is(
    await press('/api/apps/clock/kill', '{"confirm":"clock"}', 'text/plain'),
    '400 HOST_ARGUMENT',
  )
  t.is(await press('/api/apps/clock/shutdown', '{"confirm":"clock"}'), '404 HOST_NO_METHOD')
  t.is(await press('/api/apps/clock/kill/x/y', '{"confirm":"clock"}'), '404 HOST_NO_METHOD')
  t.is(await press('/api/apps/nobody/kill', '{"confirm":"nobody"}'), '404 HOST_UNKNOWN_APP')
  t.is((await send(dashboard, '/api/apps/clock/kill', headers)).status, 404)
  t.is((await send(dashboard, '/', headers, { method: 'DELETE' })).status, 404)
  const before = host.asked.filter(({ name }) => name === 'kill').length
  t.is(before, 1)
  t.is(await press('/api/apps/clock/kill', '{"confirm":"clock"}'), '200 ok')
  t.deepEqual(host.asked.at(-1), { name: 'kill', argument: { uuid: 'clock' } })
})

test('an answer names its question, and is one that there could be', async (t) => {
  const { dashboard, host } = await open(t)
  const { origin } = new URL(dashboard.url)
  const headers = { ...withKey(dashboard), ...asJson, origin, 'sec-fetch-site': 'same-origin' }
  const answer = async (body: object, all: http.OutgoingHttpHeaders = headers) => {
    const options = { method: 'POST', body: JSON.stringify(body) }
    const { status, body: text } = await send(dashboard, '/api/questions/one', all, options)
    return `${status} ${JSON.parse(text).code ?? JSON.parse(text).taken}`
  }
  const app = { appId: 'bar', instanceId: 'bar.1' }
  const good = { confirm: 'one', choice: { intent: 'Cook', app } }
  t.is(await answer(good, { ...headers, authorization: 'Bearer 0' }), '401 HOST_IDENTITY')
  t.is(await answer(good, { ...headers, origin: 'http://evil.example' }), '403 HOST_FORBIDDEN')
  for (const body of [
    {},
    { confirm: 'two' },
    { confirm: 'one', choice: 'bar' },
    { confirm: 'one', choice: { intent: 'Cook', app: {} } },
    { confirm: 'one', choice: { intent: 'Cook', app: { appId: 1 } } },
    { confirm: 'one', choice: { intent: '', app } },
    { confirm: 'one', more: 1 },
  ]) {
    t.is(await answer(body), '400 HOST_ARGUMENT', JSON.stringify(body))
  }
  t.false(host.asked.some(({ name }) => name === 'answer'))
  t.is(await answer(good), '200 false')
  t.deepEqual(host.asked.at(-1), { name: 'answer', argument: { id: 'one', choice: good.choice } })
  t.is(await answer({ confirm: 'one' }), '200 false')
  t.deepEqual(host.asked.at(-1), { name: 'answer', argument: { id: 'one' } })
  t.is((await send(dashboard, '/api/questions', headers)).body, '[]')
})

test('paths lead nowhere but to the list of files', async (t) => {
  const { dashboard } = await open(t)
  for (const path of [
    '/../package.json',
    '/%2e%2e/gate.js',
    '/page/main.js',
    '/tsconfig.json',
    '/api/reports/..',
    '/api/reports/%2e%2e%2fhost.owner.json',
  ]) {
    const { status, body } = await send(dashboard, path, withKey(dashboard))
    t.is(status, 404, path)
    t.is(JSON.parse(body).ok, false)
  }
})

test('requests that are too large are refused and end', async (t) => {
  const { dashboard } = await open(t)
  const long = await send(dashboard, `/${'a'.repeat(2000)}`, withKey(dashboard))
  t.is(long.status, 413)
  const wide = await send(dashboard, '/', { 'x-much': 'a'.repeat(20_000) })
  t.is(wide.status, 431)
  const body = JSON.stringify({ confirm: 'c'.repeat(1_000_000) })
  const headers = { ...withKey(dashboard), ...asJson }
  const answer = await send(dashboard, '/api/apps/clock/kill', headers, {
    method: 'POST',
    body,
  }).catch(
    // The server may have ended the connection while this end still wrote.
    (error: NodeJS.ErrnoException) => error.code,
  )
  if (typeof answer === 'object') t.is(answer.status, 413)
  else t.true(answer === 'EPIPE' || answer === 'ECONNRESET')
  t.is((await send(dashboard, '/metrics', withKey(dashboard))).status, 200)
})

test('clients that never finish what they say are let go, and hold nobody up', async (t) => {
  const { dashboard } = await open(t)
  const port = Number(new URL(dashboard.url).port)
  const slow = Array.from({ length: 40 }, () => {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ')
    const drip = setInterval(() => socket.write('a'), 400)
    return new Promise<void>((resolve) => {
      socket.on('close', () => {
        clearInterval(drip)
        resolve()
      })
    })
  })
  t.is((await send(dashboard, '/metrics', withKey(dashboard))).status, 200)
  await Promise.all(slow)
  t.is((await send(dashboard, '/metrics', withKey(dashboard))).status, 200)
})

test('more pages than may be open are refused, and a closed one makes room', async (t) => {
  const { dashboard } = await open(t)
  const listen = async () => {
    const request = http.get(new URL('/api/stream', dashboard.url), {
      headers: withKey(dashboard),
      agent: false,
    })
    request.on('error', () => {})
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage]
    answer.on('error', () => {})
    return { request, answer }
  }
  const streams = await Promise.all(Array.from({ length: 16 }, listen))
  t.deepEqual([...new Set(streams.map(({ answer }) => answer.statusCode))], [200])
  const over = await listen()
  t.is(over.answer.statusCode, 429)
  streams[0]?.request.destroy()
  for (;;) {
    const { request, answer } = await listen()
    if (answer.statusCode === 200) break
    request.destroy()
  }
  t.pass()
})

test('the figures are Prometheus text', async (t) => {
  const { dashboard } = await open(t)
  const { body, headers } = await send(dashboard, '/metrics', withKey(dashboard))
  t.regex(String(headers['content-type']), /^text\/plain; version=0\.0\.4/)
  t.true(readExposition(body).has('pos_kernel_app_state'))
})

test('without a host it says so, and goes on when there is one', async (t) => {
  const { dashboard, host } = await open(t)
  await host.stop()
  const headers = { ...withKey(dashboard), ...asJson }
  for (;;) {
    const answer = await send(dashboard, '/api/apps/clock/restart', headers, {
      method: 'POST',
      body: '{"confirm":"clock"}',
    })
    if (answer.status === 200) continue
    t.is(answer.status, 503)
    break
  }
})
