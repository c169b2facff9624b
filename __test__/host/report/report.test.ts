import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { HostError } from '../../../ts/host/error.js'
import { HostPlace } from '../../../ts/host/place.js'
import { readEvidence } from '../../../ts/host/report/evidence.js'
import {
  listReports,
  logBytesMax,
  type ReportOrder,
  readReport,
  reportsBytesMax,
  reportsMax,
  rowsMax,
  writeReport,
} from '../../../ts/host/report/report.js'
import { StateStore } from '../../../ts/host/state/state.js'

function placeOf(t: ExecutionContext): HostPlace {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-report-'))
  t.teardown(() => fs.rmSync(root, { recursive: true, force: true }))
  return new HostPlace(root)
}

function orderOf(place: HostPlace, instance: string, more: Partial<ReportOrder> = {}): ReportOrder {
  const folders = { instance: place.instance(instance), run: place.run(instance) }
  for (const folder of Object.values(folders)) fs.mkdirSync(folder, { recursive: true })
  fs.mkdirSync(place.app('clock', 'log'), { recursive: true })
  return {
    instance,
    uuid: 'clock',
    folders,
    startedAt: 1000,
    exit: {
      code: 70,
      signal: null,
      endedBy: null,
      oomKilled: false,
      oomNearby: false,
      maxRssBytes: 1,
      cpuMs: 1,
      at: 3500,
    },
    asked: null,
    wasInTime: false,
    memoryLimit: null,
    status: null,
    samples: [],
    events: [],
    ...more,
  }
}

test('a bundle holds what was known, and reads as it was written', async (t) => {
  const place = placeOf(t)
  const order = orderOf(place, 'clock.1', {
    counters: { 'memory.events.high': 3 },
    samples: Array.from({ length: 500 }, (_, at) => ({
      at,
      memory: at,
      rss: at,
      cpu: 1,
      processes: 1,
      files: 9,
    })),
  })
  const stack = 'Error: stuck\n    at pull (drawer.mjs:4:2)'
  const note = { kind: 'exception', name: 'Error', message: 'stuck', stack, messages: [{ at: 7 }] }
  fs.writeFileSync(path.join(order.folders.instance, 'fatal.json'), JSON.stringify(note))
  fs.writeFileSync(place.app('clock', 'log', 'out.1.log'), 'older\n')
  fs.writeFileSync(place.app('clock', 'log', 'out.log'), 'newer\n')
  const store = new StateStore(place.app('clock', 'data'))
  await store.save(1)
  await store.save(2)
  const written = await writeReport(place, order)
  t.is(written.reason, 'exception')
  t.is(written.sentence, 'clock.1 ended after 2.5 s: an error that nobody caught, Error: stuck')
  t.deepEqual(written.javascriptStack, stack.split('\n'))
  t.is(written.stateGeneration, 2)
  t.is(written.samples.length, rowsMax)
  t.is(written.samples.at(-1)?.at, 499)
  t.deepEqual(written.counters, { 'memory.events.high': 3 })
  t.is(written.evidence.fatal?.messages[0]?.at, 7)
  const { report, log, folder } = await readReport(place, 'clock.1')
  t.deepEqual(report, written)
  t.is(log, 'older\nnewer\n')
  t.deepEqual(fs.readdirSync(folder).sort(), ['log.txt', 'report.json'])
})

test('of a long log the end is kept', async (t) => {
  const place = placeOf(t)
  const order = orderOf(place, 'clock.1')
  fs.writeFileSync(place.app('clock', 'log', 'out.log'), `${'x'.repeat(2 * logBytesMax)}the end`)
  await writeReport(place, order)
  const { log } = await readReport(place, 'clock.1')
  t.is(log.length, logBytesMax)
  t.true(log.endsWith('xthe end'))
})

test('bundles are bounded in number, the oldest go, and the list is the newest first', async (t) => {
  const place = placeOf(t)
  const count = reportsMax + 5
  for (let n = 1; n <= count; n++) {
    const order = orderOf(place, `clock.${n}`)
    await writeReport(place, { ...order, exit: { ...order.exit, at: 10_000 + n } })
    const at = new Date(n * 1000)
    fs.utimesSync(place.file('reports', `clock.${n}`), at, at)
  }
  const rows = await listReports(place)
  t.is(rows.length, reportsMax)
  t.is(rows[0]?.instance, `clock.${count}`)
  t.is(rows.at(-1)?.instance, 'clock.6')
})

test('bundles are bounded in bytes, and the newest stays whatever it weighs', async (t) => {
  const place = placeOf(t)
  for (const n of [1, 2, 3]) {
    await writeReport(place, orderOf(place, `clock.${n}`))
    fs.truncateSync(place.file('reports', `clock.${n}`, 'log.txt'), reportsBytesMax / 2)
    fs.utimesSync(place.file('reports', `clock.${n}`), n, n)
  }
  await writeReport(place, orderOf(place, 'clock.4'))
  const rows = await listReports(place)
  t.deepEqual(rows.map(({ instance }) => instance).sort(), ['clock.3', 'clock.4'])
})

test('a second report of one run replaces the first', async (t) => {
  const place = placeOf(t)
  const order = orderOf(place, 'clock.1')
  await writeReport(place, order)
  await writeReport(place, { ...order, asked: 'hang', exit: { ...order.exit, code: null } })
  t.is((await readReport(place, 'clock.1')).report.reason, 'hang')
  t.is((await listReports(place)).length, 1)
})

test('a report that is not there is a clear refusal, and a name leads nowhere else', async (t) => {
  const place = placeOf(t)
  await writeReport(place, orderOf(place, 'clock.1'))
  for (const name of ['clock.2', '../reports/clock.1', '..', '', 'clock.1/..', 'clock.1\0']) {
    const error = await t.throwsAsync<HostError>(readReport(place, name), { instanceOf: HostError })
    t.is(error?.code, 'HOST_UNKNOWN_INSTANCE', name)
  }
  t.deepEqual(await listReports(new HostPlace(path.join(place.root, 'nowhere'))), [])
})

test('last words are those of this run, whatever others printed into the same log', async (t) => {
  const place = placeOf(t)
  const { folders } = orderOf(place, 'clock.1')
  const words = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'
  fs.writeFileSync(place.app('clock', 'log', 'out.log'), `${words}\n`)
  t.is((await readEvidence(folders)).lastWords, null)
  fs.writeFileSync(path.join(folders.run, 'last.log'), `before\n${words}\n 1: 0xb8 node\n`)
  t.is((await readEvidence(folders)).lastWords, words)
})

test('what a hostile app leaves is cut to what it should be', async (t) => {
  const place = placeOf(t)
  const { folders } = orderOf(place, 'clock.1')
  const put = (name: string, text: string) =>
    fs.writeFileSync(path.join(folders.instance, name), text)
  put('fatal.json', JSON.stringify({ message: 'm'.repeat(1e6), stack: 7, messages: Array(1e4) }))
  put('node-fatal.json', JSON.stringify({ header: null, nativeStack: [null, 3, {}] }))
  put('hang.json', '[1,2')
  fs.symlinkSync('/etc/passwd', path.join(folders.instance, 'node-hang.json'))
  const evidence = await readEvidence(folders)
  t.is(evidence.fatal?.message.length, 16_384)
  t.is(evidence.fatal?.stack, '')
  t.is(evidence.fatal?.messages.length, 128)
  t.is(evidence.runtime?.trigger, '')
  t.deepEqual(evidence.runtime?.nativeStack, ['', '', ''])
  t.is(evidence.hang, null)
  t.is(evidence.hangStack, null)
  fs.truncateSync(path.join(folders.instance, 'fatal.json'), 2 ** 40)
  t.is((await readEvidence(folders)).fatal, null)
})
