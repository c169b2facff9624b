/** The official `getAgent()` of pages, unchanged, in Chromium: against the agent's gateway, beside Node programs. */
import test from 'ava'
import { WebSocket } from 'ws'
import { until } from '../../support/bus.js'
import { type ActorProcess, appOf, listensFor, Rig } from '../../support/fdc3.js'
import { noChromium, type PageActor, PageRig } from '../../support/pages.js'
import { channelCases } from './channel-cases.js'

const inChromium = noChromium === undefined ? test.serial : test.serial.skip
if (noChromium !== undefined) console.error(`SKIPPED: pages in Chromium: ${noChromium}`)

let pages: PageRig
let rig: Rig
let page: PageActor
let node: ActorProcess

test.before(async () => {
  if (noChromium !== undefined) return
  pages = await PageRig.start()
  const order = listensFor({ ShowOrder: [['till.order'], 'till.receipt'] })
  rig = await Rig.start({
    apps: [
      appOf('screen', {}, `${pages.origin}/screen`),
      appOf('stranger', {}, 'http://127.0.0.1:9/elsewhere'),
      appOf('counter'),
      appOf('kitchen', order),
      appOf('a', listensFor({ aTestingIntent: [['testContextX']] }), `${pages.origin}/a?role=a`),
      appOf('opensAny', {}, `${pages.origin}/opens?role=opensAny`),
    ],
    heartbeatMs: 500,
  })
  rig.roles.set('counter', 'none')
  rig.roles.set('kitchen', 'none')
  rig.openPage = async (_uuid, instance, token) => {
    opened.set(instance, await pages.open(rig.port, instance, token))
  }
  page = await openPage('screen')
  node = await rig.spawn('counter')
})

test.after.always(async () => {
  await rig?.close()
  await pages?.close()
})

const opened = new Map<string, PageActor>()

/** A run of a page, connected. */
async function openPage(uuid: string): Promise<PageActor> {
  const instance = rig.nextInstance(uuid)
  const actor = await pages.open(rig.port, instance, rig.bus.know(instance))
  await actor.connected()
  return actor
}

inChromium('a page is the instance whose token its shell has', async (t) => {
  const { appMetadata, fdc3Version } = await page.run((fdc3) => fdc3.getInfo())
  t.like(appMetadata, { appId: 'screen', instanceId: page.instance })
  t.is(fdc3Version, '2.2')
  t.is(new URL(page.page.url()).hash, '', 'the token does not stay in the address')
})

for (const [id, run] of Object.entries(channelCases)) {
  inChromium(`${id}, a page hears a Node program`, (t) => run(t, { a: page, b: node }))
}
for (const id of ['ACBasicUsage1', 'UCBasicUsage1', 'UCBasicUsage4', 'UCFilteredUsage5'] as const) {
  inChromium(`${id}, a Node program hears a page`, async (t) =>
    channelCases[id]?.(t, { a: node, b: page }),
  )
}

inChromium(
  'two Node programs and a page exchange contexts, and intents with a result',
  async (t) => {
    const kitchen = await rig.spawn('kitchen')
    await kitchen.run(async (fdc3, box) => {
      await fdc3.joinUserChannel('fdc3.channel.2')
      await fdc3.addContextListener('till.basket', (context) => box.seen.push(context))
      await fdc3.addIntentListener('ShowOrder', async (context, metadata) => {
        const from = metadata?.source.appId
        return {
          type: 'till.receipt',
          id: { number: `receipt of ${context.id?.number} for ${from}` },
        }
      })
    })
    await page.run(async (fdc3, box) => {
      await fdc3.joinUserChannel('fdc3.channel.2')
      box.kept.basket = await fdc3.addContextListener('till.basket', (context) =>
        box.seen.push(context),
      )
    })
    await node.run(async (fdc3) => {
      await fdc3.joinUserChannel('fdc3.channel.2')
      await fdc3.broadcast({ type: 'till.basket', id: { number: '17' } })
    })
    for (const actor of [page, kitchen]) {
      const seen = await actor.run(async (_fdc3, box) => {
        await box.until(() => box.seen.length > 0)
        return box.seen.splice(0)
      })
      t.deepEqual(seen, [{ type: 'till.basket', id: { number: '17' } }])
    }
    for (const [actor, from] of [
      [page, 'screen'],
      [node, 'counter'],
    ] as const) {
      const result = await actor.run(async (fdc3) => {
        const resolution = await fdc3.raiseIntent('ShowOrder', {
          type: 'till.order',
          id: { number: '17' },
        })
        return { source: resolution.source, value: await resolution.getResult() }
      })
      t.deepEqual(result as unknown, {
        source: { appId: 'kitchen', instanceId: kitchen.instance },
        value: { type: 'till.receipt', id: { number: `receipt of 17 for ${from}` } },
      })
    }
    await page.run(async (fdc3, box) => {
      await box.kept.basket.unsubscribe()
      await fdc3.leaveCurrentChannel()
    })
    await node.run((fdc3) => fdc3.leaveCurrentChannel())
  },
)

inChromium('an intent starts a page, and its handler answers', async (t) => {
  const { source, result } = await node.run(async (fdc3) => {
    const resolution = await fdc3.raiseIntent('aTestingIntent', { type: 'testContextX' })
    return { source: resolution.source, result: (await resolution.getResult()) ?? 'nothing' }
  })
  t.is(source.appId, 'a')
  t.is(result, 'nothing')
  const started = opened.get(source.instanceId as string)
  t.like((await started?.run((_fdc3, box) => box.seen))?.[0], { intent: 'aTestingIntent' })
  await started?.page.close()
})

inChromium('a page is opened with a context', async (t) => {
  const app = await node.run((fdc3) =>
    fdc3.open({ appId: 'opensAny' }, { type: 'till.basket', id: { number: '3' } }),
  )
  const started = opened.get(app.instanceId as string)
  await started?.connected()
  const seen = await started?.run(async (_fdc3, box) => {
    await box.until(() => box.seen.length > 0)
    return box.seen
  })
  t.deepEqual(seen, [{ type: 'till.basket', id: { number: '3' } }])
  await started?.page.close()
  await until('the agent sees that the page is gone', async () => {
    const found = await node.run((fdc3) => fdc3.findInstances({ appId: 'opensAny' }))
    return found.length === 0
  })
  t.pass()
})

inChromium('a page that is reloaded is the same instance, also when its shell is', async (t) => {
  const reloaded = await openPage('screen')
  const before = (await reloaded.run((fdc3) => fdc3.getInfo())).appMetadata
  const loaded = reloaded.frame.waitForNavigation()
  await reloaded.frame.evaluate('void setTimeout(() => location.reload(), 0)')
  await loaded
  await reloaded.connected()
  t.deepEqual((await reloaded.run((fdc3) => fdc3.getInfo())).appMetadata, before)
  await reloaded.page.reload()
  await reloaded.connected()
  t.deepEqual((await reloaded.run((fdc3) => fdc3.getInfo())).appMetadata, before)
  // Who cannot show that it was this instance is another.
  await reloaded.frame.evaluate('sessionStorage.clear()')
  await reloaded.page.reload()
  await reloaded.connected()
  const { appMetadata } = await reloaded.run((fdc3) => fdc3.getInfo())
  t.is(appMetadata.instanceId, `${before.instanceId}~2`)
  await reloaded.page.close()
})

inChromium('a page of another address than its record is refused', async (t) => {
  const instance = rig.nextInstance('stranger')
  const token = rig.bus.know(instance)
  // The shell of `stranger` may show nothing but its own origin.
  const shell = await pages.open(rig.port, instance, token)
  t.throws(() => shell.frame)
  // And a page that has the token and speaks for itself is told so.
  const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/agent`, {
    origin: `http://127.0.0.1:${rig.port}`,
  })
  const said: { link?: string; message?: { type?: string } }[] = []
  socket.on('message', (data) => said.push(JSON.parse(String(data))))
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(JSON.stringify({ link: 'open', instance, token }))
  await until('the socket is open', () => said.some(({ link }) => link === 'opened'))
  const message = {
    type: 'WCP4ValidateAppIdentity',
    payload: { identityUrl: `${pages.origin}/x`, actualUrl: `${pages.origin}/x` },
    meta: { connectionAttemptUuid: '1', timestamp: new Date().toISOString() },
  }
  socket.send(JSON.stringify({ link: 'validate', origin: pages.origin, message }))
  await until('it is refused', () => said.some(({ link }) => link === 'validated'))
  t.is(
    said.find(({ link }) => link === 'validated')?.message?.type,
    'WCP5ValidateAppIdentityFailedResponse',
  )
  socket.close()
  await shell.page.close()
})

inChromium('a page registers again by itself when the agent was killed', async (t) => {
  const channelId = 'after the death of an agent'
  for (const actor of [page, node]) {
    await actor.run(async (fdc3, box, id) => {
      box.seen.length = 0
      box.kept.channel = await fdc3.getOrCreateChannel(id)
      box.kept.listener = await box.kept.channel.addContextListener(
        'fdc3.instrument',
        (context: unknown) => box.seen.push(context),
      )
    }, channelId)
  }
  await rig.killAgent()
  await rig.startAgent()
  for (const [from, to] of [
    [node, page],
    [page, node],
  ] as const) {
    await until('a broadcast arrives', async () => {
      await from
        .run((_fdc3, box) => box.kept.channel.broadcast({ type: 'fdc3.instrument' }))
        .catch(() => undefined)
      return (await to.run((_fdc3, box) => box.seen.length)) > 0
    })
  }
  // A listener that was there before goes by the name that it had before.
  for (const [from, to] of [
    [node, page],
    [page, node],
  ] as const) {
    await to.run((_fdc3, box) => box.kept.listener.unsubscribe())
    await to.run((_fdc3, box) => box.seen.splice(0))
    await from.run((_fdc3, box) => box.kept.channel.broadcast({ type: 'fdc3.instrument' }))
    t.is(await to.run((_fdc3, box) => box.seen.length), 0)
  }
})

inChromium('malformed messages of a page harm nobody', async (t) => {
  const wild = await openPage('screen')
  const before = rig.problems.length
  const left = await wild.run(async (fdc3) => {
    const { messaging } = (
      fdc3 as unknown as { channels: { messaging: { post(message: unknown): Promise<void> } } }
    ).channels
    for (const message of [
      { type: 'nonsense' },
      { type: 'broadcastRequest' },
      { type: 'openRequest', payload: 1, meta: 2 },
      { type: 7 },
    ]) {
      await messaging.post(message).catch(() => undefined)
    }
    return (await fdc3.getInfo()).provider
  })
  t.is(left, 'pos-kernel')
  await until('they are reported', () => rig.problems.length > before)
  await wild.page.close()
})
