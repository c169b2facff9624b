/**
 * The desktop agent under the supervisor: two Node programs of one host, the second started by an intent; and with them
 * a page in a browser of its own, as the host starts it.
 */
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { agentUuid } from '../../../ts/host/agent/app.js'
import { HostPlace } from '../../../ts/host/place.js'
import { tempFolder, until } from '../../support/bus.js'
import { projectRoot } from '../../support/child.js'
import { listensFor } from '../../support/fdc3.js'
import { noChromium, originOf, servePages } from '../../support/pages.js'
import { appOn, hostRoot, inState, kill } from '../support/supervised.js'

const programs = path.join(projectRoot, '__test__/host/agent/programs')
const canRun = process.platform === 'linux'
if (!canRun) console.error(`SKIPPED: the agent under a host: ${process.platform}`)

;(canRun ? test.serial : test.serial.skip)(
  'apps of a host reach each other through its agent, which the supervisor starts',
  async (t) => {
    t.timeout(180_000)
    const root = tempFolder(t)
    const { startHost } = (await import(
      path.join(projectRoot, 'dist/host/index.js')
    )) as typeof import('../../../ts/host/index.js')
    const host = await startHost({
      root,
      manifest: {
        apps: [
          {
            startup_app: {
              uuid: 'kitchen',
              name: 'Kitchen',
              script: path.join(programs, 'kitchen.mjs'),
            },
            fdc3: { ...listensFor({ ShowOrder: [['till.order'], 'till.receipt'] }) },
            permissions: { read: [projectRoot], store: true },
            start: 'lazy',
          },
          {
            startup_app: {
              uuid: 'counter',
              name: 'Counter',
              script: path.join(programs, 'counter.mjs'),
            },
            fdc3: {},
            permissions: { read: [projectRoot], store: true },
          },
        ],
      },
    })
    t.teardown(() => host.close())
    const place = new HostPlace(root)
    const outcome = place.app('counter', 'data', 'outcome')
    await until('the counter has its receipt', () => existsSync(outcome))
    t.like(JSON.parse(readFileSync(outcome, 'utf8')), {
      source: 'kitchen',
      result: { type: 'till.receipt' },
      own: { appId: 'counter', instanceId: 'counter.1' },
    })
    t.deepEqual(
      host
        .status()
        .apps.map(({ uuid }) => uuid)
        .sort(),
      ['counter', agentUuid, 'kitchen'].sort(),
    )
  },
)

const asRoot = canRun && process.getuid?.() === 0
if (!asRoot) console.error('SKIPPED: a host of root over the store of another user: not root')

;(asRoot ? test.serial : test.serial.skip)(
  'under a host of root the agent of a store of another user runs as that user, and reads no file of the host',
  async (t) => {
    t.timeout(180_000)
    const owner = 12_345
    const root = hostRoot(t)
    chmodSync(root, 0o755)
    chownSync(root, owner, owner)
    const { startHost } = (await import(
      path.join(projectRoot, 'dist/host/index.js')
    )) as typeof import('../../../ts/host/index.js')
    const app = (name: string, fdc3: Record<string, unknown> = {}) => ({
      startup_app: { uuid: name, name, script: path.join(programs, `${name}.mjs`) },
      fdc3,
      permissions: { read: [projectRoot], store: true },
    })
    const host = await startHost({
      root,
      manifest: {
        apps: [
          {
            ...app('kitchen', { ...listensFor({ ShowOrder: [['till.order'], 'till.receipt'] }) }),
            start: 'lazy',
          },
          app('counter'),
        ],
      },
    })
    t.teardown(() => host.close())
    await inState(host, agentUuid, 'ready')
    const { pid } = appOn(host, agentUuid)
    t.is(statSync(`/proc/${pid}`).uid, owner)
    const place = new HostPlace(root)
    for (const name of ['manifest.json', 'host.owner.json', 'agent.key', 'agent.json'])
      t.is(statSync(place.file(name)).uid, 0, name)
    const outcome = place.app('counter', 'data', 'outcome')
    await until('the counter has its receipt', () => existsSync(outcome))
    t.like(JSON.parse(readFileSync(outcome, 'utf8')), { source: 'kitchen' })
    t.is(appOn(host, agentUuid).restarts, 0)
  },
)

;(canRun ? test.serial : test.serial.skip)(
  'an intent does not start what a person stopped',
  async (t) => {
    t.timeout(180_000)
    const root = hostRoot(t)
    const { startHost } = (await import(
      path.join(projectRoot, 'dist/host/index.js')
    )) as typeof import('../../../ts/host/index.js')
    const app = (name: string, fdc3: Record<string, unknown> = {}) => ({
      startup_app: { uuid: name, name, script: path.join(programs, `${name}.mjs`) },
      fdc3,
      permissions: { read: [projectRoot], store: true },
      start: 'lazy' as const,
    })
    const host = await startHost({
      root,
      manifest: {
        apps: [
          app('kitchen', { ...listensFor({ ShowOrder: [['till.order'], 'till.receipt'] }) }),
          app('counter'),
        ],
      },
    })
    t.teardown(() => host.close())
    await host.ask('start', { uuid: agentUuid })
    await host.ask('stop', { uuid: 'kitchen' })
    void host.ask('start', { uuid: 'counter' }).catch(() => undefined)
    // The counter ends with the refusal of its intent.
    await until('the counter was refused', () => appOn(host, 'counter').lastEnd !== null)
    t.is(appOn(host, 'kitchen').generation, 0)
    t.is(appOn(host, 'kitchen').state, 'stopped')
    t.false(existsSync(new HostPlace(root).app('counter', 'data', 'outcome')))
  },
)

const inChromium = canRun && noChromium === undefined ? test.serial : test.serial.skip
if (noChromium !== undefined) console.error(`SKIPPED: a page under a host: ${noChromium}`)
const isRoot = process.getuid?.() === 0

/**
 * What differs: who runs the page, and whether its frame is in the renderer of the shell. The folder of a test is closed
 * to other users unless it is opened, and then an app of a host of root is root.
 */
const scenes = [
  { title: isRoot ? 'under a user of its own' : 'under our user', name: '127.0.0.1', mode: 0o711 },
  { title: 'in a renderer of its own, apart from its shell', name: 'localhost', mode: 0o711 },
  { title: 'in a folder that no other user comes to', name: '127.0.0.1', mode: 0o700 },
] as const

for (const { title, name, mode } of scenes) {
  inChromium(`two Node programs and a page under one host take part, ${title}`, async (t) => {
    t.timeout(180_000)
    const root = hostRoot(t)
    chmodSync(root, mode)
    const server = await servePages()
    t.teardown(() => {
      server.closeAllConnections()
      server.close()
    })
    const { startHost } = (await import(
      path.join(projectRoot, 'dist/host/index.js')
    )) as typeof import('../../../ts/host/index.js')
    const node = (uuid: string, fdc3: Record<string, unknown> = {}) => ({
      startup_app: { uuid, name: uuid, script: path.join(programs, 'scene.mjs'), args: [uuid] },
      fdc3,
      permissions: { read: [projectRoot], store: true },
    })
    const host = await startHost({
      root,
      manifest: {
        apps: [
          node('kitchen', { ...listensFor({ ShowOrder: [['till.order'], 'till.receipt'] }) }),
          node('till'),
          {
            startup_app: {
              uuid: 'screen',
              name: 'Screen',
              url: `${originOf(server, name)}/screen?role=screen`,
            },
            fdc3: { ...listensFor({ ShowAnswer: [['till.answer'], 'till.answer'] }) },
            restart: { backoffMs: 10 },
            dependsOn: ['kitchen', 'till'],
          },
        ],
      },
    })
    t.teardown(() => host.close())
    const ask = async (expression: string) =>
      (await host.ask('evaluate', { uuid: 'screen', expression })).value
    const takesPart = async () => {
      const { instance, pid } = await inState(host, 'screen', 'ready')
      if (isRoot) t.is(userOf(pid) === 0, mode === 0o700, 'the user of the page')
      await until('the page has its agent', async () => {
        const refused = await ask('globalThis.refused ?? null')
        if (refused !== null) throw new Error(String(refused))
        return (await ask('globalThis.agent !== undefined')) === true
      })
      t.deepEqual(
        await ask('agent.getInfo().then((info) => info.appMetadata.instanceId)'),
        instance,
      )
      await until(
        'the page has the basket',
        async () => (await ask("box.seen.some(({ type }) => type === 'till.basket')")) === true,
      )
      t.deepEqual(await ask("box.seen.find(({ type }) => type === 'till.basket')"), {
        type: 'till.basket',
        id: { number: '17' },
      })
      const order = (number: string) =>
        `agent.raiseIntent('ShowOrder', { type: 'till.order', id: { number: '${number}' } })`
      t.deepEqual(await ask(`${order('3')}.then((resolution) => resolution.getResult())`), {
        type: 'till.receipt',
        id: { number: '3', basket: '17', for: 'screen' },
      })
      await ask(`agent.broadcast({ type: 'till.question', id: { number: '${instance}' } })`)
      await until('the page has what came of its question', async () => {
        const seen = (await ask('box.seen')) as { type: string; id?: Record<string, string> }[]
        const outcome = seen.find(({ type, id }) => {
          return type === 'till.outcome' && id?.number === instance
        })
        return outcome?.id?.source === instance
      })
      return { instance, pid }
    }
    const first = await takesPart()
    // The app's renderer is the one that holds most.
    await ask(`{ globalThis.held = new Uint8Array(${200 * MiB}).fill(1) } globalThis.held.length`)
    kill(largestRenderer(first.pid))
    await until('the page is back', () => appOn(host, 'screen').instance !== first.instance)
    const second = await takesPart()
    t.not(second.pid, first.pid)
    t.is(appOn(host, 'screen').restarts, 1)
    t.is(appOn(host, 'till').restarts + appOn(host, 'kitchen').restarts, 0)
  })
}

const MiB = 1024 * 1024

function statusOf(pid: number | null, name: string): string | undefined {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]
}

function userOf(pid: number | null): number {
  return Number(statusOf(pid, 'Uid'))
}

/** The renderer of a browser that holds most. */
function largestRenderer(browser: number | null): number {
  const descends = (pid: number): boolean => {
    if (pid === browser) return true
    return pid > 1 && descends(Number(statusOf(pid, 'PPid')))
  }
  const held = (pid: number) => Number(statusOf(pid, 'VmRSS'))
  const renderers = readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
        return line.includes('--type=renderer') && descends(pid)
      } catch {
        return false
      }
    })
  return renderers.sort((a, b) => held(b) - held(a))[0] as number
}
