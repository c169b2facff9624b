/**
 * What a process of its own for each app is worth, shown on three web pages and two Node apps: each app has a process,
 * a crash is that app's alone, and a limit of 100 MB holds against 200 MB. Needs Chromium.
 *
 *     node examples/host/isolation.mjs
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startHost } from 'pos-kernel/host'

const MiB = 1024 * 1024
const limit = { resourceLimits: { maxMemory: 100 * MiB } }
const script = fileURLToPath(new URL('eater.mjs', import.meta.url))
const url = 'data:text/html,<title>page</title>'
/** What a page runs to fill 200 MB: each page of each array is written to, so that the memory is really there. */
const fill = `(() => {
  globalThis.held = []
  try {
    while (held.length < 50) {
      const part = new Uint8Array(4 * ${MiB})
      for (let at = 0; at < part.length; at += 4096) part[at] = 1
      held.push(part)
    }
  } catch (error) {
    return held.length * 4 + ' MB, then ' + error
  }
  return 'all of it'
})()`

const problems = []
const root = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-isolation-'))
const host = await startHost({ root, manifest: manifest() })
try {
  await processes()
  await crash()
  await limits()
} catch (error) {
  problems.push(error.stack ?? String(error))
} finally {
  await host.close()
  rmSync(root, { recursive: true, force: true })
}
for (const problem of problems) console.log(`PROBLEM: ${problem}`)
console.log(problems.length === 0 ? 'PASS: what happens to one app is that app’s alone' : 'FAIL')
process.exitCode = problems.length === 0 ? 0 : 1

function manifest() {
  const app = (uuid, startup, rest = {}) => ({
    startup_app: { uuid, name: uuid, ...startup },
    ...rest,
  })
  return {
    apps: [
      app('page-a', { url }),
      app('page-b', { url }),
      app('page-full', { url }, limit),
      app('node-a', { script }),
      app(
        'node-full',
        { script, args: ['200'] },
        { ...limit, restart: { type: 'temporary' }, start: 'lazy' },
      ),
    ],
  }
}

/** Five apps, five processes. */
async function processes() {
  const first = ['page-a', 'page-b', 'page-full', 'node-a']
  await until(() => first.every((uuid) => app(uuid).state === 'ready'), 'the apps to be ready')
  const pids = first.map((uuid) => app(uuid).pid)
  console.log(`1. ${first.map((uuid, at) => `${uuid} is process ${pids[at]}`).join(', ')}`)
  expect(new Set(pids).size === first.length, 'two apps share a process')
}

/** One page is killed; its neighbour goes on, and it comes back. */
async function crash() {
  const { generation } = app('page-a')
  const neighbour = app('page-b').pid
  process.kill(app('page-a').pid, 'SIGKILL')
  const sum = await evaluate('page-b', '1 + 1')
  console.log(`2. page-a was killed; 1 + 1 in page-b is ${sum}`)
  expect(sum === 2, `1 + 1 is ${sum}`)
  await until(
    () => app('page-a').state === 'ready' && app('page-a').generation > generation,
    'page-a to be back',
  )
  console.log(
    `   page-a is back as ${app('page-a').instance}; page-b was started ${app('page-b').generation} time`,
  )
  expect(app('page-b').pid === neighbour, 'page-b is another process now')
}

/** 200 MB against a limit of 100 MB, in a Node app and in a page; the neighbours do not notice. */
async function limits() {
  // It may have ended before it was said to be ready.
  await host.ask('start', { uuid: 'node-full' }).catch(() => undefined)
  await until(() => app('node-full').lastEnd !== null, 'node-full to end')
  const { reason } = app('node-full').lastEnd
  console.log(`3. node-full wanted 200 MB of its 100 and ended: ${reason}`)
  expect(reason === 'oom', `node-full ended for ${reason}`)
  const page = await evaluate('page-full', fill).catch(
    ({ message }) => `its process ended: ${message}`,
  )
  console.log(`   page-full wanted 200 MB of its 100 and got ${page}`)
  expect(page !== 'all of it', 'page-full got more than its limit')
  const sum = await evaluate('page-b', '1 + 1')
  console.log(`   node-a is ${app('node-a').state}, 1 + 1 in page-b is ${sum}`)
  expect(
    sum === 2 && app('node-a').generation === 1 && app('page-b').generation === 1,
    'a neighbour suffered',
  )
}

function app(uuid) {
  return host.status().apps.find((each) => each.uuid === uuid)
}

async function evaluate(uuid, expression) {
  return (await host.ask('evaluate', { uuid, expression })).value
}

function expect(holds, problem) {
  if (!holds) problems.push(problem)
}

async function until(holds, what) {
  const end = Date.now() + 60_000
  while (!holds()) {
    const lost = host.status().apps.find(({ state }) => state === 'quarantined')
    if (lost !== undefined) throw new Error(`${lost.uuid} is quarantined: ${lost.why}`)
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`)
    await delay(20)
  }
}
