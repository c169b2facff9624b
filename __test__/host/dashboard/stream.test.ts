/** What an open page hears. */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import http from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { type Dashboard, startDashboard } from '../../../ts/host/dashboard/dashboard.js'
import { writeReport } from '../../../ts/host/report/report.js'
import { appStatus, controlServer } from '../support/control-server.js'

type Heard = { name: string; data: Record<string, unknown> }

/** A page that listens: the next message of a name. */
async function listen(t: ExecutionContext, { url, key }: Dashboard) {
  const request = http.get(new URL('/api/stream', url), {
    headers: { authorization: `Bearer ${key}` },
    agent: false,
  })
  t.teardown(() => request.destroy())
  request.on('error', () => {})
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage]
  answer.on('error', () => {})
  const heard: Heard[] = []
  let rest = ''
  let wake = () => {}
  answer.setEncoding('utf8').on('data', (text: string) => {
    rest += text
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const name = /^event: (.*)$/m.exec(block)?.[1]
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (name !== undefined && data !== undefined) heard.push({ name, data: JSON.parse(data) })
    }
    wake()
  })
  return async (name: string, holds: (data: Record<string, unknown>) => boolean = () => true) => {
    for (;;) {
      const index = heard.findIndex((it) => it.name === name && holds(it.data))
      if (index !== -1) return heard.splice(index, 1)[0]?.data as Record<string, unknown>
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of the JSON that it asks for.
async function ask({ url, key }: Dashboard, path: string): Promise<any> {
  const answer = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${key}` } })
  return answer.json()
}

const sample = { memory: 1000, rss: 2000, cpu: 5, processes: 1, files: 20 }

test('a page hears what was, what is and what happens', async (t) => {
  const host = await controlServer(t, [appStatus('clock')])
  host.happen({ uuid: 'clock', instance: 'clock.1', type: 'ready', text: 'it serves', facts: {} })
  const dashboard = await startDashboard({ root: host.root })
  t.teardown(() => dashboard.stop())
  const next = await listen(t, dashboard)
  const hello = await next('hello')
  t.is((hello.events as unknown[]).length, 1)
  t.deepEqual(hello.link, { state: 'live', why: '' })
  t.is(((await next('status')).apps as unknown[]).length, 1)
  host.happen({ uuid: 'clock', instance: 'clock.1', type: 'ended', text: 'it ended', facts: {} })
  t.is((await next('event')).type, 'ended')
})

test('what was measured is kept, and outlives the supervisor', async (t) => {
  const host = await controlServer(t, [])
  const dashboard = await startDashboard({ root: host.root })
  t.teardown(() => dashboard.stop())
  const next = await listen(t, dashboard)
  for (let second = 1; second <= 5; second += 1) {
    host.apps = [appStatus('clock', { sample: { at: second * 1000, ...sample, memory: second } })]
    host.tell()
    await next('status', ({ apps }) => {
      const [app] = apps as { sample: { at: number } }[]
      return app?.sample.at === second * 1000
    })
  }
  await host.stop()
  t.is((await next('link')).state, 'lost')
  const { columns, coarse } = (await ask(dashboard, '/api/apps/clock/history')) as {
    columns: string[]
    coarse: number[][]
  }
  const memory = coarse[columns.indexOf('memory') + 1]
  // The first status of an app asks the supervisor for its past; it is not a sample yet.
  t.deepEqual(memory?.slice(-3), [3, 4, 5])
  t.deepEqual((await ask(dashboard, '/api/apps/clock/history?from=5000')).coarse[0], [5000])
})

test('crash reports are listed and read, and nothing else is', async (t) => {
  const host = await controlServer(t, [appStatus('clock')])
  const exit = {
    code: null,
    signal: 'SIGABRT',
    endedBy: null,
    oomKilled: false,
    oomNearby: false,
    maxRssBytes: null,
    cpuMs: null,
    at: 5000,
  }
  await writeReport(host.place, {
    instance: 'clock.3',
    uuid: 'clock',
    folders: { instance: host.place.instance('clock.3'), run: host.place.run('clock.3') },
    startedAt: 1000,
    status: null,
    samples: [{ at: 4000, ...sample }],
    events: [],
    exit,
    asked: null,
    memoryLimit: null,
    wasInTime: true,
  })
  mkdirSync(host.place.file('reports', 'not a report'))
  const dashboard = await startDashboard({ root: host.root })
  t.teardown(() => dashboard.stop())
  const list = (await ask(dashboard, '/api/reports')) as { instance: string; reason: string }[]
  t.deepEqual(
    list.map(({ instance, reason }) => [instance, reason]),
    [['clock.3', 'signal']],
  )
  const report = await ask(dashboard, '/api/reports/clock.3')
  t.is(report.parts[0].name, 'Why')
  t.regex(report.parts[0].text, /^signal: .*SIGABRT/)
  t.regex(JSON.stringify(report.parts), /SIGABRT/)
  t.is((await ask(dashboard, '/api/reports/clock.9')).code, 'HOST_UNKNOWN_INSTANCE')
})
